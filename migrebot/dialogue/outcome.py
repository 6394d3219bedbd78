"""From an answer to what is stored: one unit of changes, the replies as messages for the outbox among them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from migrebot.dialogue.turn import Answer, Attachment, Reply, Turn
from migrebot.messages import Body, Document, Edit, InGroup, Leave, Left, Outgoing, Press, Returned, Say, Toast
from migrebot.splitting import split
from storage.changes import (
    Change,
    EndSession,
    Enqueue,
    EraseUser,
    SaveIdentity,
    SaveSession,
    SaveUser,
    Unmute,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrebot.messages import Profile

TEXT_LIMITS = {"telegram": 4_096, "whatsapp": 1_600, "local": 100_000}
"""Longest text of one message by channel, in UTF-16 code units (Bot API sendMessage; Twilio Messages body)."""

_SEEN_AGAIN = timedelta(hours=12)


def changes_of(turn: Turn, answer: Answer, profile: Profile) -> tuple[Change, ...]:
    """List what is stored for a turn that was answered, in an order in which each change finds what it needs."""
    if isinstance(turn.content, InGroup):
        # The group may have been left, and so muted, before.
        again = Unmute(turn.conversation.identity.address)
        return (again, *(Enqueue(message) for message in _messages(turn, answer, None)))
    if any(isinstance(change, EraseUser) for change in answer.changes):
        return (*answer.changes, *(Enqueue(message) for message in _messages(turn, answer, None)))
    if _leaves_no_trace(turn, answer):
        return tuple(Enqueue(message) for message in _messages(turn, answer, None))
    return (
        *_person(turn, answer, profile),
        *answer.changes,
        *_session(turn, answer),
        *(Enqueue(message) for message in _messages(turn, answer, turn.user.id)),
    )


def _leaves_no_trace(turn: Turn, answer: Answer) -> bool:
    """Tell whether an unknown person did nothing worth a row: left, or pressed a forgotten button."""
    if not turn.conversation.is_new:
        return False
    return isinstance(turn.content, Left | Returned) or not (answer.replies or answer.changes)


def _person(turn: Turn, answer: Answer, profile: Profile) -> Iterator[Change]:
    conversation, identity = turn.conversation, turn.conversation.identity
    if conversation.is_new or answer.user is not None:
        yield SaveUser(answer.user or conversation.user)
    if identity.muted_at is not None and not isinstance(turn.content, Left):
        yield Unmute(identity.address)
    if conversation.is_new or identity.profile != profile or turn.now - identity.seen_at > _SEEN_AGAIN:
        muted_at = identity.muted_at if isinstance(turn.content, Left) else None
        yield SaveIdentity(msgspec.structs.replace(identity, profile=profile, seen_at=turn.now, muted_at=muted_at))


def _session(turn: Turn, answer: Answer) -> Iterator[Change]:
    if answer.session is UNSET:
        return
    if answer.session is not None:
        yield SaveSession(answer.session)
    elif turn.session is not None:
        yield EndSession(turn.user.id)


def _messages(turn: Turn, answer: Answer, user_id: int | None) -> Iterator[Outgoing]:
    address = turn.conversation.identity.address
    press = turn.content if isinstance(turn.content, Press) else None
    callback_id = press.callback_id if press else ""
    editable = press.message_id if press else ""
    for reply in answer.replies:
        for body in _bodies(reply, editable, TEXT_LIMITS[address.channel]):
            held_back = isinstance(reply, Reply) and reply.not_before is not None
            message = Outgoing(
                address=address, body=body, user_id=user_id, callback_id="" if held_back else callback_id
            )
            if isinstance(reply, Reply):
                message = msgspec.structs.replace(
                    message, priority=reply.priority, not_before=reply.not_before, key=reply.key
                )
            yield message
            if not held_back:
                callback_id = ""
            if isinstance(body, Edit):
                editable = ""
    if isinstance(turn.content, InGroup):
        yield Outgoing(address=address, body=Leave())
    if press and (callback_id or address.channel == "local") and not answer.replies:
        yield Outgoing(address=address, body=Toast(answer.toast), user_id=user_id, callback_id=callback_id)


def _bodies(reply: Reply | Attachment, editable: str, limit: int) -> Iterator[Body]:
    if isinstance(reply, Attachment):
        yield Document(reply.recipe, reply.filename, str(reply.caption), reply.arguments)
        return
    # Plain strings: what is stored knows no Markup.
    *before, last = (str(part) for part in split(reply.text, limit))
    if reply.in_place and editable and not before:
        yield Edit(editable, last, reply.keyboard)
        return
    for part in before:
        yield Say(part)
    yield Say(last, reply.keyboard)
