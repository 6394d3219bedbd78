"""What a typed number means at an address, how sent messages fare, and the program's own instants."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from migrebot.messages import Address, Button, Priority, Profile
from storage.changes import EraseUser, NoteFate, NoteInstant, OfferKeyboard, SaveIdentity
from storage.facts import HeldBack, NotedInstant, OfferedKeyboard
from storage.interface import WAITS_FOR_PERSON, Postponed, Sent
from storage.records import Identity
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, ask, message, person, queued, stored

if TYPE_CHECKING:
    from storage.interface import Storage
    from storage.sqlite import SqliteStorage
    from tests.storage.conftest import SqliteBackend

ONE = ((Button("Yes", "y"), Button("No", "n")),)
TWO = ((Button("Done", "d"),),)
PHONE = Address("whatsapp", "whatsapp:+15550001111")


async def with_phone(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveIdentity(Identity(address=PHONE, user_id=1001, profile=Profile(), seen_at=NOW)))


async def test_the_latest_keyboard_of_an_address_is_on_offer(storage: Storage) -> None:
    await with_phone(storage)
    assert await ask(storage, OfferedKeyboard(1001, ANNA)) == ()
    await stored(storage, OfferKeyboard(ANNA, ONE), OfferKeyboard(PHONE, TWO))
    await stored(storage, OfferKeyboard(ANNA, TWO))
    await stored(storage, OfferKeyboard(PHONE, ()))
    assert await ask(storage, OfferedKeyboard(1001, ANNA)) == TWO
    assert await ask(storage, OfferedKeyboard(1001, PHONE)) == ()
    assert await ask(storage, OfferedKeyboard(1002, ANNA)) == ()


async def test_a_keyboard_goes_with_its_person(storage: Storage) -> None:
    await person(storage)
    await stored(storage, OfferKeyboard(ANNA, ONE))
    await stored(storage, EraseUser(1001))
    await person(storage)
    assert await ask(storage, OfferedKeyboard(1001, ANNA)) == ()


async def test_a_sent_message_can_put_its_buttons_on_offer(storage: Storage) -> None:
    await person(storage)
    known, unknown = await queued(storage, message(), message(address=BORIS, user_id=None))
    await storage.claim([known.id, unknown.id], NOW)
    await storage.settle([Sent(known.id, "m", ONE), Sent(unknown.id, "m", ONE)], NOW)
    assert await ask(storage, OfferedKeyboard(1001, ANNA)) == ONE


async def test_what_waits_for_the_person_can_be_told(storage: Storage) -> None:
    await with_phone(storage)
    reminder = message(address=PHONE, key="reminder:1", priority=Priority.REMINDER)
    behind = message(address=PHONE, key="reminder:2", priority=Priority.REMINDER)
    later = message(address=PHONE, key="later", not_before=NOW + HOUR)
    first, second, third, _ = await queued(storage, reminder, message(key="elsewhere"), behind, later)
    await storage.claim([first.id, second.id], NOW)
    held = Postponed(id=first.id, not_before=NOW, reason=WAITS_FOR_PERSON, reached=False)
    await storage.settle([held, Postponed(id=second.id, not_before=NOW, reason="429", reached=False)], NOW)
    assert await ask(storage, HeldBack(1001)) == 2
    assert await ask(storage, HeldBack(1002)) == 0
    await storage.claim([first.id, third.id], NOW)
    await storage.settle([Sent(first.id), Sent(third.id)], NOW)
    assert await ask(storage, HeldBack(1001)) == 0


async def test_news_of_a_message_counts_by_rank_whatever_its_order(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    storage: Storage = sqlite
    await with_phone(storage)
    (ticket,) = await queued(storage, message(address=PHONE))
    await storage.claim([ticket.id], NOW)
    await storage.settle([Sent(ticket.id, "SM1")], NOW)
    for fate, rank, reason in (("sent", 2, ""), ("read", 4, ""), ("delivered", 3, ""), ("failed", 4, "63016")):
        await stored(storage, NoteFate(channel="whatsapp", message_id="SM1", fate=fate, rank=rank, reason=reason))
    await stored(storage, NoteFate(channel="whatsapp", message_id="SM404", fate="read", rank=4))
    await stored(storage, NoteFate(channel="telegram", message_id="SM1", fate="lost", rank=9))
    found = await fates(sqlite_backend)
    assert found == [("read", 4, "")]


async def fates(backend: SqliteBackend) -> list[tuple[str, int, str]]:
    """Look behind the interface: what is noted here is for the operator's eyes alone."""
    with closing(sqlite3.connect(backend.path)) as database:
        return database.execute("SELECT fate, fate_rank, reason FROM outbox").fetchall()


async def test_an_instant_is_remembered_under_its_name(storage: Storage) -> None:
    assert await ask(storage, NotedInstant(0, "seen")) is None
    await stored(storage, NoteInstant("seen", NOW))
    await stored(storage, NoteInstant("seen", NOW + HOUR), NoteInstant("other", NOW))
    assert await ask(storage, NotedInstant(0, "seen")) == NOW + HOUR
