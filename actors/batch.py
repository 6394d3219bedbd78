"""A batch: the messages that are handled together, and what is known of each on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from migrebot.messages import Address, FormExpired, Inbound, Outcome, QuestionDue, Undecodable
from storage.changes import Unit, users_of
from storage.records import Conversation, InboxKey

if TYPE_CHECKING:
    from datetime import datetime

    from actors.actor import Envelope
    from migrebot.dialogue.whereabouts import ZonesAt
    from migrebot.ids import RepeatableIds
    from migrebot.messages import ToDialogue
    from storage.records import Held


class Item:
    """One message on its way through a batch.

    `held` is what it was stored as during maintenance; `unit` is what is to be stored in answer, `error` why there is
    none; `place` is what it waits for, if it has to be looked up on the map first.
    """

    def __init__(
        self,
        envelope: Envelope[ToDialogue],
        *,
        conversation: Conversation | None = None,
        unit: Unit | None = None,
        outcome: Outcome = "done",
        held: Held | None = None,
    ) -> None:
        self.envelope = envelope
        self.conversation = conversation
        self.unit = unit
        self.outcome: Outcome = outcome
        self.held = held
        self.error = ""
        self.ids: RepeatableIds | None = None
        self.is_foreign = False
        self.place: ZonesAt | None = None
        self.was_on_map = False
        self.now: datetime | None = None


class Batch:
    """What is being stored, until `is_over`; further messages of `people` (addresses and users) have to wait for it."""

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.is_over = anyio.Event()
        senders = (item.envelope.message for item in items)
        addresses = {message.address for message in senders if isinstance(message, Inbound)}
        talking = {item.conversation.user.id for item in items if item.conversation is not None}
        changed = users_of(item.unit for item in items if item.unit is not None)
        self.people: frozenset[Address | int] = frozenset(addresses | talking | changed)


def whose(message: Inbound | FormExpired | QuestionDue) -> Address | int:
    """Tell by what the next message of the same sender is known before it is known who that is."""
    return message.address if isinstance(message, Inbound) else message.user_id


def key_of(message: Inbound | Undecodable) -> InboxKey:
    """Name a message as its channel does."""
    channel = message.address.channel if isinstance(message, Inbound) else message.channel
    return InboxKey(channel, message.key)


def timer_key(message: FormExpired, conversation: Conversation) -> InboxKey:
    """Name the time-out: the question, and until when it could be answered, since a press may have put that off."""
    until = conversation.session.expires_at if conversation.session else None
    return InboxKey("timer", f"{message.token}:{until:%Y%m%dT%H%M%S.%f}")


def question_key(message: QuestionDue) -> InboxKey:
    """Name a regular question: whose, and when it was due."""
    return InboxKey("timer", f"question:{message.user_id}:{message.due_at:%Y%m%dT%H%M%S.%f}")


def quarantined(message: Inbound | Undecodable, reason: str, user_id: int | None = None) -> Unit:
    """Give what sets a message aside."""
    return Unit(key=key_of(message), quarantine=reason, raw=message.raw, user_id=user_id)
