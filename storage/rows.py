"""How people, their forms and their messages look in a row; the order of the columns is that of the named SQL.

Shared by the drivers.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

import msgspec
from msgspec import Struct

from migrebot.messages import Address, Body, Keyboard, Outgoing, Priority, Profile, Ticket
from migrebot.reminders.questions import Asking
from storage.columns import Row, clean, instant, maybe_clean, maybe_instant, maybe_micros, micros, to_json
from storage.records import Conversation, Frame, Identity, Offer, OutboxRow, Session, User, Wish


class _Progress(Struct, frozen=True, array_like=True):
    """What of a session only the form engine reads."""

    answers: dict[str, Any]
    history: tuple[Frame, ...]
    offers: tuple[Offer, ...]
    loop: int
    page: str


_profile = msgspec.json.Decoder(Profile).decode
_progress = msgspec.json.Decoder(_Progress).decode
_keyboard = msgspec.json.Decoder(Keyboard).decode
_body: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)


def keyboard(row: Row) -> Keyboard:
    """Read the row of buttons on offer."""
    return _keyboard(row[0])


def user_values(user: User) -> Row:
    """Give the row of a user."""
    return (
        user.id,
        user.language,
        micros(user.created_at),
        user.timezone,
        int(user.zone_offered),
        maybe_micros(user.greeted_at),
        maybe_micros(user.agreed_at),
    )


def user(row: Row) -> User:
    """Read the row of a user."""
    return User(
        id=row[0],
        language=row[1],
        created_at=instant(row[2]),
        timezone=row[3],
        zone_offered=bool(row[4]),
        greeted_at=maybe_instant(row[5]),
        agreed_at=maybe_instant(row[6]),
    )


def identity_values(identity: Identity) -> Row:
    """Give the row of an identity."""
    return (
        identity.address.channel,
        clean(identity.address.value),
        identity.user_id,
        to_json(identity.profile),
        micros(identity.seen_at),
        maybe_micros(identity.muted_at),
    )


def identity(row: Row) -> Identity:
    """Read the row of an identity."""
    return Identity(
        address=Address(row[0], row[1]),
        user_id=row[2],
        profile=_profile(row[3]),
        seen_at=instant(row[4]),
        muted_at=maybe_instant(row[5]),
    )


def session_values(session: Session) -> Row:
    """Give the row of a form in progress."""
    progress = _Progress(session.answers, session.history, session.offers, session.loop, session.page)
    return (
        session.user_id,
        session.form,
        session.step,
        session.state,
        session.token,
        session.address.channel,
        clean(session.address.value),
        micros(session.started_at),
        micros(session.updated_at),
        micros(session.expires_at),
        to_json(progress),
    )


def session(row: Row) -> Session:
    """Read the row of a form in progress."""
    progress = _progress(row[10])
    return Session(
        user_id=row[0],
        form=row[1],
        step=row[2],
        state=row[3],
        token=row[4],
        address=Address(row[5], row[6]),
        started_at=instant(row[7]),
        updated_at=instant(row[8]),
        expires_at=instant(row[9]),
        answers=progress.answers,
        history=progress.history,
        offers=progress.offers,
        loop=progress.loop,
        page=progress.page,
    )


def asking_values(asking: Asking) -> Row:
    """Give the row of how a user is asked."""
    return (
        asking.user_id,
        asking.every,
        asking.at.isoformat(),
        None if asking.asked_on is None else asking.asked_on.isoformat(),
        maybe_micros(asking.next_at),
    )


def asking(row: Row) -> Asking:
    """Read the row of how a user is asked."""
    return Asking(
        user_id=row[0],
        every=row[1],
        at=time.fromisoformat(row[2]),
        asked_on=None if row[3] is None else date.fromisoformat(row[3]),
        next_at=maybe_instant(row[4]),
    )


_OF_IDENTITY = 6
_OF_SESSION = 11


def conversation(row: Row) -> Conversation:
    """Read the row of an identity, with those of its user and of the form in progress behind it."""
    form = row[-_OF_SESSION:]
    return Conversation(
        identity=identity(row[:_OF_IDENTITY]),
        user=user(row[_OF_IDENTITY:-_OF_SESSION]),
        session=None if form[0] is None else session(form),
    )


def outgoing_values(message: Outgoing, now: int) -> Row:
    """Give the row of a message to be sent."""
    return (
        message.address.channel,
        clean(message.address.value),
        message.user_id,
        int(message.priority),
        clean(message.callback_id),
        maybe_micros(message.not_before),
        maybe_clean(message.key),
        to_json(message.body),
        now,
    )


def outbox_row(row: Row) -> OutboxRow:
    """Read a claimed message."""
    return OutboxRow(
        id=row[0],
        address=Address(row[1], row[2]),
        user_id=row[3],
        priority=Priority(row[4]),
        callback_id=row[5],
        body=_body.decode(row[6]),
        attempts=row[7],
        created_at=instant(row[8]),
    )


def ticket(row: Row) -> Ticket:
    """Read a waiting message."""
    return Ticket(id=row[0], address=Address(row[1], row[2]), priority=row[3], not_before=maybe_instant(row[4]))


def wish_values(wish: Wish) -> Row:
    """Give the row of what the owner asked for."""
    address = wish.address
    asked_at = micros(wish.asked_at)
    return (wish.kind, wish.id, wish.user_id, address.channel, clean(address.value), asked_at, clean(wish.token))


def wish(row: Row) -> Wish:
    """Read the row of what the owner asked for."""
    return Wish(
        kind=row[0],
        id=row[1],
        user_id=row[2],
        address=Address(row[3], row[4]),
        asked_at=instant(row[5]),
        token=row[6],
    )
