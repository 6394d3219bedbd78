"""People, forms, entries and messages to store."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from migrebot.diary.entries import Drug, Headache, Intake, Pressure
from migrebot.messages import (
    Address,
    Outgoing,
    Profile,
    Say,
    Ticket,
)
from migrebot.reminders.reminder import Occurrence, Reminder
from migrebot.reminders.schedule import Calendar, Schedule
from storage.changes import Change, Enqueue, SaveHeadache, SaveIdentity, SaveSession, SaveUser, Unit
from storage.records import Conversation, Frame, InboxKey, Offer, Session

if TYPE_CHECKING:
    from storage.facts import Fact
    from storage.interface import Result, Storage

T = TypeVar("T")

NOW = datetime(2026, 6, 15, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA = Address("telegram", "1001")
BORIS = Address("local", "boris")


def key(name: str = "1") -> InboxKey:
    return InboxKey("telegram", name)


async def commit(storage: Storage, *changes: Change, now: datetime = NOW) -> Result:
    """Store one unit of these changes."""
    [result] = await storage.commit([Unit(changes=changes)], now)
    return result


async def stored(storage: Storage, *changes: Change, now: datetime = NOW) -> Result:
    """Do so and insist that it works."""
    result = await commit(storage, *changes, now=now)
    assert result.outcome == "done", result
    return result


async def person(storage: Storage, address: Address = ANNA, **profile: str) -> Conversation:
    """Let somebody write for the first time."""
    [conversation] = await storage.who([(address, Profile(**profile))], NOW)
    await stored(storage, SaveUser(conversation.user), SaveIdentity(conversation.identity))
    return conversation


async def whois(storage: Storage, address: Address = ANNA) -> Conversation:
    [conversation] = await storage.who([(address, Profile())], NOW)
    return conversation


async def ask(storage: Storage, fact: Fact[T]) -> T:
    answer: T = (await storage.load([fact]))[fact]
    return answer


def session(user_id: int = 1001, address: Address = ANNA, **changed: Any) -> Session:
    fields: dict[str, Any] = {
        "form": "pain",
        "step": "intensity",
        "state": "ReportPainCaseForm:2:intensity",
        "token": "t1",
        "started_at": NOW,
        "updated_at": NOW,
        "expires_at": NOW + 24 * HOUR,
        "answers": {"date": "2026-06-15", "amounts": [400, 2.5], "aura": None},
        "history": (Frame("date"), Frame("drug", 2)),
        "offers": (Offer("1", 1), Offer("more", "2", turns_page=True)),
        "loop": 2,
        "page": "2026-06",
    }
    return Session(user_id=user_id, address=address, **(fields | changed))


def headache(id_: int = 1, user_id: int = 1001, **changed: Any) -> Headache:
    fields: dict[str, Any] = {"day": date(2026, 6, 15), "timezone": "Europe/Paris", "created_at": NOW}
    return Headache(id=id_, user_id=user_id, **(fields | changed))


def intake(id_: int = 1, user_id: int = 1001, **changed: Any) -> Intake:
    fields: dict[str, Any] = {
        "day": date(2026, 6, 15),
        "timezone": "Europe/Paris",
        "drug": "Ibuprofen",
        "created_at": NOW,
    }
    return Intake(id=id_, user_id=user_id, **(fields | changed))


def pressure(id_: int = 1, user_id: int = 1001, **changed: Any) -> Pressure:
    fields: dict[str, Any] = {
        "measured_at": NOW,
        "timezone": "Europe/Paris",
        "systolic": 120,
        "diastolic": 80,
        "created_at": NOW,
    }
    return Pressure(id=id_, user_id=user_id, **(fields | changed))


def drug(id_: int = 1, user_id: int = 1001, **changed: Any) -> Drug:
    fields: dict[str, Any] = {"name": "Sumatriptan", "created_at": NOW}
    return Drug(id=id_, user_id=user_id, **(fields | changed))


def reminder(id_: int = 1, user_id: int = 1001, **changed: Any) -> Reminder:
    fields: dict[str, Any] = {
        "code": f"k{id_}",
        "address": ANNA,
        "task": "Drink water",
        "schedule": Schedule(
            pattern=Calendar(unit="day", times=(time(8),), start=date(2026, 6, 1)), timezone="Europe/Paris"
        ),
        "created_at": NOW,
        "next_at": NOW + HOUR,
    }
    return Reminder(id=id_, user_id=user_id, **(fields | changed))


def occurrence(id_: int = 1, reminder_id: int = 1, user_id: int = 1001, **changed: Any) -> Occurrence:
    fields: dict[str, Any] = {"due_at": NOW + HOUR, "fired_at": NOW + HOUR}
    return Occurrence(id=id_, reminder_id=reminder_id, user_id=user_id, **(fields | changed))


def message(text: str = "Hello", address: Address = ANNA, **changed: Any) -> Outgoing:
    fields: dict[str, Any] = {"body": Say(text), "user_id": 1001}
    return Outgoing(address=address, **(fields | changed))


async def queued(storage: Storage, *messages: Outgoing) -> list[Ticket]:
    """Put messages into the outbox."""
    return list((await stored(storage, *(Enqueue(one) for one in messages))).tickets)


async def with_headache(storage: Storage, **changed: Any) -> Headache:
    attack = headache(**changed)
    await stored(storage, SaveHeadache(attack))
    return attack


async def with_session(storage: Storage, **changed: Any) -> Session:
    form = session(**changed)
    await stored(storage, SaveSession(form))
    return form
