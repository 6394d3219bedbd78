"""Messages that are held until they are handled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrebot.messages import Address, Inbound, Location, Profile, Text
from storage.changes import (
    EraseUser,
    ForgetInstant,
    HoldMessage,
    MergeUsers,
    NoteInstant,
    ReleaseMessage,
    SetAsideMessage,
    Unit,
)
from storage.facts import HasHeld, HeldInAll, NextHeld, NotedInstant
from tests.storage.samples import ANNA, BORIS, NOW, ask, commit, key, person, stored

if TYPE_CHECKING:
    from storage.interface import Storage
    from storage.sqlite import SqliteStorage
    from tests.storage.conftest import SqliteBackend

pytestmark = pytest.mark.anyio


def message(text: str, *, address: Address = ANNA, name: str = "1") -> Inbound:
    return Inbound(
        address=address,
        key=name,
        content=Text(text),
        received_at=NOW,
        written_at=NOW,
        profile=Profile(first_name="Anna"),
        raw=b"raw",
    )


async def test_what_is_held_comes_back_as_it_was_in_order(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    await person(storage)
    place = Inbound(address=BORIS, key="b", content=Location(52.5, 13.4), received_at=NOW)
    await stored(storage, HoldMessage(1001, message("one"), is_first=True))
    await stored(storage, HoldMessage(boris, place, is_first=True), HoldMessage(1001, message("two"), is_first=False))
    held = await ask(storage, NextHeld(0, 10))
    assert [(one.user_id, one.is_first) for one in held] == [(1001, True), (boris, True), (1001, False)]
    assert held[0].message == Inbound(
        address=ANNA,
        key="1",
        content=Text("one"),
        received_at=NOW,
        written_at=NOW,
        profile=Profile(first_name="Anna"),
    )
    assert held[1].message == place
    assert await ask(storage, NextHeld(0, 1)) == held[:1]
    assert await ask(storage, HeldInAll(0)) == 3
    assert await ask(storage, HasHeld(0, ANNA))
    assert not await ask(storage, HasHeld(0, Address("local", "nobody")))


async def test_one_is_released_once(storage: Storage) -> None:
    await person(storage)
    await stored(storage, HoldMessage(1001, message("one"), is_first=True))
    [held] = await ask(storage, NextHeld(0, 10))
    await stored(storage, ReleaseMessage(held.id))
    again = await commit(storage, ReleaseMessage(held.id), NoteInstant("twice", NOW))
    assert again.outcome == "failed"
    assert await ask(storage, NotedInstant(0, "twice")) is None


async def test_they_go_with_their_user_and_along_to_another_one(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    await person(storage)
    await stored(storage, HoldMessage(boris, message("one", address=BORIS), is_first=True))
    await stored(storage, MergeUsers(1001, boris))
    assert [one.user_id for one in await ask(storage, NextHeld(0, 10))] == [1001]
    await stored(storage, EraseUser(1001))
    assert await ask(storage, HeldInAll(0)) == 0


async def test_one_that_is_set_aside_is_kept_as_input_that_was(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    await person(sqlite)
    hold = HoldMessage(1001, message("one"), is_first=True)
    await sqlite.commit([Unit(changes=(hold,), key=key(), user_id=1001)], NOW)
    [held] = await ask(sqlite, NextHeld(0, 10))
    await stored(sqlite, SetAsideMessage(held.id, b"what it was", "why"))
    assert await ask(sqlite, HeldInAll(0)) == 0
    assert key() in await sqlite.handled([key()])
    with closing(sqlite3.connect(sqlite_backend.path)) as database:
        found = database.execute("SELECT status, raw, reason, user_id FROM inbox").fetchall()
    assert found == [("quarantined", b"what it was", "why", 1001)]


async def test_text_that_no_database_holds_is_held_clean(storage: Storage) -> None:
    await person(storage)
    await stored(storage, HoldMessage(1001, message("a\0b\ud800c"), is_first=True))
    [held] = await ask(storage, NextHeld(0, 10))
    assert isinstance(held.message.content, Text)
    assert held.message.content.text in {"a\0b\ufffdc", "a\ufffdb\ufffdc"}


async def test_an_instant_can_be_forgotten(storage: Storage) -> None:
    await stored(storage, NoteInstant("a", NOW), NoteInstant("b", NOW))
    await stored(storage, ForgetInstant("a"))
    assert await ask(storage, NotedInstant(0, "a")) is None
    assert await ask(storage, NotedInstant(0, "b")) == NOW
