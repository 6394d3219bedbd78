"""How a record looks in a row: instants are microseconds since the epoch, dates ISO text, the rest of it JSON text.

Shared by the drivers; the order of the columns is that of the named SQL. Text a database cannot hold (NUL on
Postgres, lone surrogates on both) is stored with U+FFFD in its place: a note with a broken character in it is still
a note, and whoever wrote it does not know why it should be refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from migrebot.diary.entries import Drug, Headache, Intake, Pressure
from migrebot.messages import Address, Body, Outgoing, Priority, Profile, Ticket
from storage.records import Frame, Identity, Offer, OutboxRow, Session, User

Row: TypeAlias = "tuple[Any, ...]"
"""A row of a result, or the values of a statement."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_encode = msgspec.json.Encoder().encode
_profile = msgspec.json.Decoder(Profile).decode
_body: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)
_strings = msgspec.json.Decoder(tuple[str, ...]).decode


class _Progress(Struct, frozen=True, array_like=True):
    """What of a session only the form engine reads."""

    answers: dict[str, Any]
    history: tuple[Frame, ...]
    offers: tuple[Offer, ...]
    loop: int
    page: str


_progress = msgspec.json.Decoder(_Progress).decode


def micros(instant: datetime) -> int:
    """Give the microseconds since the epoch."""
    span = instant - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def instant(value: int) -> datetime:
    """Give the instant, in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else micros(instant)


def _instant(value: int | None) -> datetime | None:
    return None if value is None else instant(value)


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def clean(text: str) -> str:
    """Replace what no database holds by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def _clean_all(value: Any) -> Any:
    """Do so in every text inside a JSON value."""
    match value:
        case str():
            return clean(value)
        case list():
            return [_clean_all(item) for item in value]
        case dict():
            return {_clean_all(key): _clean_all(item) for key, item in value.items()}
        case _:
            return value


def to_json(value: Any) -> str:
    """Give the JSON of a record."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return _encode(_clean_all(msgspec.to_builtins(value))).decode()


def strings(text: str) -> tuple[str, ...]:
    """Read a JSON list of strings."""
    return _strings(text)


def _some_json(value: tuple[str, ...] | None) -> str | None:
    return None if value is None else to_json(value)


def _some_strings(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else _strings(text)


def user_values(user: User) -> Row:
    """Give the row of a user."""
    return (
        user.id,
        user.language,
        micros(user.created_at),
        user.timezone,
        int(user.zone_offered),
        _micros(user.greeted_at),
        _micros(user.agreed_at),
    )


def user(row: Row) -> User:
    """Read the row of a user."""
    return User(
        id=row[0],
        language=row[1],
        created_at=instant(row[2]),
        timezone=row[3],
        zone_offered=bool(row[4]),
        greeted_at=_instant(row[5]),
        agreed_at=_instant(row[6]),
    )


def identity_values(identity: Identity) -> Row:
    """Give the row of an identity."""
    return (
        identity.address.channel,
        clean(identity.address.value),
        identity.user_id,
        to_json(identity.profile),
        micros(identity.seen_at),
        _micros(identity.muted_at),
    )


def identity(row: Row) -> Identity:
    """Read the row of an identity."""
    return Identity(
        address=Address(row[0], row[1]),
        user_id=row[2],
        profile=_profile(row[3]),
        seen_at=instant(row[4]),
        muted_at=_instant(row[5]),
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


def headache_values(headache: Headache) -> Row:
    """Give the row of an attack."""
    return (
        headache.id,
        headache.user_id,
        headache.day.isoformat(),
        headache.timezone,
        micros(headache.created_at),
        _micros(headache.onset),
        _micros(headache.end),
        headache.duration_h,
        headache.intensity,
        headache.aura,
        _some_json(headache.triggers),
        _some_json(headache.symptoms),
        headache.medicine_taken,
        None if headache.note is None else clean(headache.note),
        _micros(headache.deleted_at),
    )


def headache(row: Row) -> Headache:
    """Read the row of an attack."""
    return Headache(
        id=row[0],
        user_id=row[1],
        day=date.fromisoformat(row[2]),
        timezone=row[3],
        created_at=instant(row[4]),
        onset=_instant(row[5]),
        end=_instant(row[6]),
        duration_h=row[7],
        intensity=row[8],
        aura=_truth(row[9]),
        triggers=_some_strings(row[10]),
        symptoms=_some_strings(row[11]),
        medicine_taken=_truth(row[12]),
        note=row[13],
        deleted_at=_instant(row[14]),
    )


def intake_values(intake: Intake, position: int = 0) -> Row:
    """Give the row of an intake; `position` tells apart those recorded at once."""
    return (
        intake.id,
        intake.user_id,
        intake.day.isoformat(),
        intake.timezone,
        clean(intake.drug),
        micros(intake.created_at),
        intake.amount,
        clean(intake.unit),
        intake.headache_id,
        _micros(intake.deleted_at),
        position,
    )


def intake(row: Row) -> Intake:
    """Read the row of an intake."""
    return Intake(
        id=row[0],
        user_id=row[1],
        day=date.fromisoformat(row[2]),
        timezone=row[3],
        drug=row[4],
        created_at=instant(row[5]),
        amount=row[6],
        unit=row[7],
        headache_id=row[8],
        deleted_at=_instant(row[9]),
    )


def pressure_values(pressure: Pressure) -> Row:
    """Give the row of a blood pressure reading."""
    return (
        pressure.id,
        pressure.user_id,
        micros(pressure.measured_at),
        pressure.timezone,
        pressure.systolic,
        pressure.diastolic,
        micros(pressure.created_at),
        pressure.pulse,
        _micros(pressure.deleted_at),
    )


def pressure(row: Row) -> Pressure:
    """Read the row of a blood pressure reading."""
    return Pressure(
        id=row[0],
        user_id=row[1],
        measured_at=instant(row[2]),
        timezone=row[3],
        systolic=row[4],
        diastolic=row[5],
        created_at=instant(row[6]),
        pulse=row[7],
        deleted_at=_instant(row[8]),
    )


def drug_values(drug: Drug) -> Row:
    """Give the row of a drug."""
    return (
        drug.id,
        drug.user_id,
        clean(drug.name),
        micros(drug.created_at),
        drug.daily_max_mg,
        drug.is_painkiller,
        drug.is_antipyretic,
    )


def drug(row: Row) -> Drug:
    """Read the row of a drug."""
    return Drug(
        id=row[0],
        user_id=row[1],
        name=row[2],
        created_at=instant(row[3]),
        daily_max_mg=row[4],
        is_painkiller=_truth(row[5]),
        is_antipyretic=_truth(row[6]),
    )


def outgoing_values(message: Outgoing, now: int) -> Row:
    """Give the row of a message to be sent."""
    return (
        message.address.channel,
        clean(message.address.value),
        message.user_id,
        int(message.priority),
        clean(message.callback_id),
        _micros(message.not_before),
        None if message.key is None else clean(message.key),
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
    )


def ticket(row: Row) -> Ticket:
    """Read a waiting message."""
    return Ticket(id=row[0], address=Address(row[1], row[2]), priority=row[3], not_before=_instant(row[4]))
