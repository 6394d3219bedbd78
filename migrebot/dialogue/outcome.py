"""From an answer to what is stored: one unit of changes, the replies as messages for the outbox among them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from markupsafe import escape
from msgspec import UNSET

from migrebot.dialogue import numbered
from migrebot.dialogue.turn import Answer, Attachment, Reply, Turn
from migrebot.messages import (
    Body,
    Document,
    Edit,
    InGroup,
    Invoice,
    Leave,
    Left,
    Outgoing,
    Press,
    Priority,
    Profile,
    Returned,
    Say,
    Toast,
)
from migrebot.splitting import split
from storage.changes import (
    Change,
    EndSession,
    Enqueue,
    EraseUser,
    MergeUsers,
    OfferKeyboard,
    SaveIdentity,
    SaveSession,
    SaveUser,
    Unlink,
    Unmute,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TEXT_LIMITS = {"telegram": 4_096, "whatsapp": 1_600, "local": 100_000}
"""Longest text of one message by channel, in UTF-16 code units (Bot API sendMessage; Twilio Messages body)."""

_SEEN_AGAIN = timedelta(minutes=10)
"""How old `Identity.seen_at` may be: whoever writes on several channels is asked where that was last."""

_SEEN_AGAIN_BY = {"whatsapp": timedelta(minutes=5)}
"""Likewise by channel. WhatsApp takes messages for a day after the person wrote: it has to be fresh."""


def changes_of(turn: Turn, answer: Answer, profile: Profile | None = None) -> tuple[Change, ...]:
    """List what is stored for a turn that was answered, in an order in which each change finds what it needs.

    `profile` is what the messenger tells of who wrote; None if nobody did, and it was only time.
    """
    if isinstance(turn.content, InGroup):
        # The group may have been left, and so muted, before.
        again = Unmute(turn.conversation.identity.address)
        return (again, *(Enqueue(message) for message in _messages(turn, answer, None)))
    if any(isinstance(change, EraseUser | MergeUsers | Unlink) for change in answer.changes):
        return (*answer.changes, *(Enqueue(message) for message in _messages(turn, answer, None)))
    if _leaves_no_trace(turn, answer):
        return tuple(Enqueue(message) for message in _messages(turn, answer, None))
    messages = tuple(_messages(turn, answer, turn.user.id))
    return (
        *_person(turn, answer, profile),
        *answer.changes,
        *_session(turn, answer),
        *_offered(turn, answer, messages),
        *(Enqueue(message) for message in messages),
    )


def _leaves_no_trace(turn: Turn, answer: Answer) -> bool:
    """Tell whether an unknown person did nothing worth a row: left, or pressed a forgotten button."""
    if not turn.conversation.is_new:
        return False
    return isinstance(turn.content, Left | Returned) or not (answer.replies or answer.changes)


def _person(turn: Turn, answer: Answer, profile: Profile | None) -> Iterator[Change]:
    conversation, identity = turn.conversation, turn.conversation.identity
    if conversation.is_new or answer.user is not None:
        yield SaveUser(answer.user or conversation.user)
    if profile is None:
        return
    if profile == Profile():
        profile = identity.profile  # a message that was fetched later does not say what its sender is called
    if identity.muted_at is not None and not isinstance(turn.content, Left):
        yield Unmute(identity.address)
    if conversation.is_new or identity.profile != profile or turn.now - identity.seen_at > _seen_again(turn):
        muted_at = identity.muted_at if isinstance(turn.content, Left) else None
        yield SaveIdentity(msgspec.structs.replace(identity, profile=profile, seen_at=turn.now, muted_at=muted_at))


def _seen_again(turn: Turn) -> timedelta:
    return _SEEN_AGAIN_BY.get(turn.conversation.identity.address.channel, _SEEN_AGAIN)


def _offered(turn: Turn, answer: Answer, messages: Sequence[Outgoing]) -> Iterator[Change]:
    """Note which buttons a typed text means from now on: those shown last, until one of them was chosen.

    A question's own are known by its form wherever there are buttons to press. Those of a message that is held back,
    or that nobody asked for, are on offer once it was sent.
    """
    address = turn.conversation.identity.address
    for message in reversed(messages):
        keyboard = message.body.keyboard if isinstance(message.body, Say | Edit) else ()
        if keyboard and message.not_before is None and message.priority in (Priority.REPLY, Priority.QUESTION):
            if address.channel in numbered.CHANNELS or not numbered.is_question(keyboard):
                yield OfferKeyboard(address, keyboard)
            return
    pressed_menu = isinstance(turn.content, Press) and not turn.content.data.startswith("q:") and answer.replies
    if answer.took_offer or pressed_menu:
        yield OfferKeyboard(address, ())


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
        for body in _bodies(reply, editable, turn):
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
    if answer.replies:
        return
    if press and (callback_id or address.channel == "local"):
        yield Outgoing(address=address, body=Toast(answer.toast), user_id=user_id, callback_id=callback_id)
    elif answer.toast:
        yield Outgoing(address=address, body=Say(str(escape(answer.toast))), user_id=user_id)


def _bodies(reply: Reply | Attachment | Invoice, editable: str, turn: Turn) -> Iterator[Body]:
    if isinstance(reply, Attachment):
        yield Document(reply.recipe, reply.filename, str(reply.caption), reply.arguments)
        return
    if isinstance(reply, Invoice):
        yield reply
        return
    # Plain strings: what is stored knows no Markup.
    channel = turn.conversation.identity.address.channel
    *before, last = (str(part) for part in split(reply.text, TEXT_LIMITS[channel]))
    keyboard = reply.keyboard
    if channel in numbered.CHANNELS:
        keyboard = numbered.in_pages(keyboard, turn.tr.plain("More…"))
    if reply.in_place and editable and not before:
        yield Edit(editable, last, keyboard)
        return
    for part in before:
        yield Say(part)
    yield Say(last, keyboard)
