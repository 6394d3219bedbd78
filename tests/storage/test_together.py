"""Units executed together come out as if each had been executed by itself, one after the other, on both databases."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from migrebot.messages import Address, Profile, Say
from storage.applying import prepare
from storage.changes import (
    CancelQueued,
    Change,
    EndSession,
    Enqueue,
    EraseUser,
    MarkFree,
    MoveOccurrence,
    MoveReminder,
    Mute,
    SaveDrug,
    SaveHeadache,
    SaveIdentity,
    SaveIntake,
    SaveIntakes,
    SaveLastList,
    SaveOccurrence,
    SavePressure,
    SaveReminder,
    SaveSession,
    SaveUser,
    Silence,
    Unit,
    UnmarkFree,
    Unmute,
)
from storage.interface import Result, Sent
from storage.postgres_server import connect
from storage.records import Identity, InboxKey, User
from storage.sqlite import SqliteStorage
from storage.together import runs
from tests.storage.samples import (
    HOUR,
    NOW,
    drug,
    headache,
    intake,
    key,
    message,
    occurrence,
    person,
    pressure,
    queued,
    reminder,
    session,
)
from tests.storage.test_sqlite_sharing import Trace

if TYPE_CHECKING:
    from pathlib import Path

    from storage.interface import Storage
    from storage.postgres_server import Connection
    from tests.storage.conftest import PostgresBackend, SqliteBackend

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A database server takes its time for each of hundreds of simpler examples."""

# Few enough that units often are about the same things.
people = st.integers(1, 4)
entries = st.integers(1, 4)
chats = st.builds(Address, st.just("telegram"), people.map(str))
keys = st.sampled_from(["a", "b"])
days = st.sampled_from([date(2026, 6, 15), date(2026, 6, 16)])
words = st.sampled_from(["x", "y"])

saved_users = st.builds(lambda id_, word: SaveUser(User(id=id_, language=word, created_at=NOW)), people, words)
saved_identities = st.builds(
    lambda chat, user_id, muted: SaveIdentity(
        Identity(address=chat, user_id=user_id, profile=Profile(), seen_at=NOW, muted_at=muted)
    ),
    chats,
    people,
    st.sampled_from([None, None, NOW]),
)
saved_sessions = st.builds(lambda id_, word: SaveSession(session(id_, token=word)), people, words)
saved_intakes = st.builds(
    lambda id_, attack, ids: SaveIntakes(id_, attack, tuple(intake(n, id_, headache_id=attack) for n in ids)),
    people,
    entries,
    st.lists(entries, max_size=2, unique=True),
)
sent_messages = st.builds(
    lambda word, chat, name: Enqueue(message(word, chat, key=name)), words, chats, st.none() | st.none() | keys
)
changes: st.SearchStrategy[Change] = st.one_of(
    saved_users,
    saved_identities,
    saved_sessions,
    st.builds(EndSession, people),
    st.builds(lambda id_, owner, word: SaveHeadache(headache(id_, owner, note=word)), entries, people, words),
    st.builds(lambda owner, on: MarkFree(owner, (on,), "question"), people, days),
    st.builds(UnmarkFree, people, days),
    saved_intakes,
    st.builds(lambda id_, owner: SaveIntake(intake(id_, owner)), entries, people),
    st.builds(lambda id_, owner: SavePressure(pressure(id_, owner)), entries, people),
    st.builds(lambda id_, owner, word: SaveDrug(drug(id_, owner, name=word)), entries, people, words),
    sent_messages,
    sent_messages,
    st.builds(CancelQueued, keys),
    st.builds(Mute, chats, words),
    st.builds(Unmute, chats),
    st.builds(EraseUser, people),
)
# As the scheduler makes them: the same ones come again and again, expected as they are or as they were.
reminder_ids = st.integers(1, 3)
instants = st.sampled_from([NOW, NOW + HOUR, NOW + 2 * HOUR])
saved_reminders = st.builds(
    lambda id_, owner, at: SaveReminder(reminder(id_, owner, code=f"c{id_ % 2}", next_at=at)),
    reminder_ids,
    people,
    st.none() | instants,
)
moved_reminders = st.builds(
    MoveReminder, user_id=people, id=reminder_ids, due_at=instants, next_at=st.none() | instants
)
saved_occurrences = st.builds(
    lambda id_, of, owner, due, again: SaveOccurrence(occurrence(id_, of, owner, due_at=due, again_at=again)),
    entries,
    reminder_ids,
    people,
    instants,
    st.none() | instants,
)
moved_occurrences = st.builds(
    MoveOccurrence,
    user_id=people,
    id=entries,
    due_at=instants,
    again_at=st.none() | instants,
    nagged=st.integers(0, 2),
)
reminding: st.SearchStrategy[Change] = st.one_of(
    saved_reminders,
    moved_reminders,
    saved_occurrences,
    moved_occurrences,
    st.builds(Silence, people, reminder_ids),
    st.builds(lambda owner, word: SaveLastList(owner, (word,)), people, words),
)
firings = st.builds(
    lambda id_, owner, due, next_at, word: (
        MoveReminder(user_id=owner, id=id_, due_at=due, next_at=next_at),
        SaveOccurrence(occurrence(id_, id_, owner, due_at=due)),
        Enqueue(message(word, Address("telegram", str(owner)))),
    ),
    reminder_ids,
    people,
    instants,
    instants,
    words,
)
# Some in the order in which a conversation makes them, which is the one that is executed together.
conversations = st.builds(
    lambda id_, word, attack: (
        SaveUser(User(id=id_, language=word, created_at=NOW)),
        SaveHeadache(headache(attack, id_, note=word)),
        SaveIntakes(id_, attack, (intake(attack, id_, headache_id=attack),)),
        SaveSession(session(id_, token=word)),
        Enqueue(message(word, Address("telegram", str(id_)))),
        Enqueue(message("z", Address("telegram", str(id_)))),
    ),
    people,
    words,
    entries,
)
units = st.builds(
    Unit,
    changes=conversations | firings | st.lists(changes | reminding, max_size=4).map(tuple),
    key=st.none() | st.builds(InboxKey, st.just("telegram"), st.integers(1, 12).map(str)),
    user_id=st.none() | people,
    quarantine=st.sampled_from(["", "", "", "bad"]),
    raw=st.just(b"raw"),
)
batches = st.lists(st.lists(units, max_size=8), min_size=1, max_size=3)


def content(path: Path) -> dict[str, list[object]]:
    """All there is in the database."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(database.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def emptied(path: Path) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = ON")
        for table in ("users", "inbox", "outbox", "meta", "sqlite_sequence"):
            database.execute(f"DELETE FROM {table}")
    return path


@pytest.fixture
def paths(sqlite_backend: SqliteBackend, sqlite_template: Path, tmp_path: Path) -> tuple[Path, Path]:
    other = tmp_path / "other.db"
    other.write_bytes(sqlite_template.read_bytes())
    return sqlite_backend.path, other


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=batches)
async def test_together_it_comes_out_as_one_by_one(paths: tuple[Path, Path], batches: list[list[Unit]]) -> None:
    together, one_by_one = (SqliteStorage(emptied(path)) for path in paths)
    await together.open()
    await one_by_one.open()
    try:
        for batch in batches:
            found = await together.commit(batch, NOW)
            expected: list[Result] = []
            for unit in batch:
                expected += await one_by_one.commit([unit], NOW)
            assert found == expected
            assert content(paths[0]) == content(paths[1])
            addresses = [(Address("telegram", str(number)), Profile()) for number in range(1, 5)]
            assert await together.who(addresses, NOW) == await one_by_one.who(addresses, NOW)
    finally:
        await together.close()
        await one_by_one.close()


def plain(results: list[Result]) -> list[object]:
    """Tell of results what must be the same on both databases: neither the ids of rows nor the words of errors."""
    return [
        (result.outcome, [(ticket[0], *ticket[2:]) for ticket in map(astuple, result.tickets)]) for result in results
    ]


async def rows_in(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """All there is in the database, but what only Postgres needs, and without the ids of messages."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'migrebot'")
    found = {name: [tuple(row) for row in await connection.fetch(f"SELECT * FROM {name}")] for (name,) in tables}
    return without_ids(found)


def without_ids(found: dict[str, list[Any]]) -> dict[str, list[tuple[object, ...]]]:
    outbox = [tuple(row[1:]) for row in sorted(found["outbox"], key=lambda row: row[0])]
    meta = [row for row in found["meta"] if not row[0].startswith(("writer ", "lowest_promised"))]
    rest = {name: sorted(found[name], key=repr) for name in found if not name.startswith("sqlite_")}
    return rest | {"outbox": outbox, "meta": meta}


@settings(
    max_examples=25,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=batches)
async def test_both_databases_come_out_the_same(
    sqlite_backend: SqliteBackend, postgres_backend: PostgresBackend, batches: list[list[Unit]]
) -> None:
    emptied(sqlite_backend.path)
    await anyio.to_thread.run_sync(postgres_backend.server.empty, postgres_backend.name)
    one, other = sqlite_backend.storage(), postgres_backend.storage()
    await one.open()
    await other.open()
    looking = await connect(postgres_backend.url, {})
    try:
        for batch in batches:
            assert plain(await other.commit(batch, NOW)) == plain(await one.commit(batch, NOW))
            assert await rows_in(looking) == without_ids(content(sqlite_backend.path))
            addresses = [(Address("telegram", str(number)), Profile()) for number in range(1, 5)]
            assert await other.who(addresses, NOW) == await one.who(addresses, NOW)
    finally:
        await looking.close()
        await one.close()
        await other.close()


async def test_a_batch_of_conversations_takes_few_statements(sqlite: SqliteStorage) -> None:
    addresses = [Address("telegram", str(number)) for number in range(1, 65)]
    for address in addresses:
        await person(sqlite, address)
    await sqlite.commit([unit_of(number, "before") for number in range(1, 65)], NOW)
    trace = Trace(sqlite)
    results = await sqlite.commit([unit_of(number, "after") for number in range(1, 65)], NOW)
    assert {result.outcome for result in results} == {"done"}
    assert len(trace.executed) <= 10, trace.executed


def unit_of(number: int, word: str) -> Unit:
    return Unit(
        key=key(f"{word} {number}"),
        user_id=number,
        changes=(
            SaveSession(session(number, token=word)),
            Enqueue(message(f"{word} {number}", Address("telegram", str(number)), user_id=number)),
        ),
    )


@pytest.mark.parametrize("size", [1, 2, 3, 63, 64, 65, 200])
async def test_every_unit_gets_the_tickets_of_its_own_messages(storage: Storage, size: int) -> None:
    for number in range(1, size + 1):
        await person(storage, Address("telegram", str(number)))
    results = await storage.commit([unit_of(number, "to") for number in range(1, size + 1)], NOW)
    tickets = [ticket for result in results for ticket in result.tickets]
    assert [ticket.address.value for ticket in tickets] == [str(number) for number in range(1, size + 1)]
    rows = {row.id: row for row in await storage.claim([ticket.id for ticket in tickets], NOW)}
    assert [rows[ticket.id].body for ticket in tickets] == [Say(f"to {number}") for number in range(1, size + 1)]
    assert [rows[ticket.id].address for ticket in tickets] == [ticket.address for ticket in tickets]
    await storage.settle([Sent(ticket.id, f"m{ticket.id}") for ticket in tickets], NOW)
    assert await storage.recover(NOW) == []


async def test_every_sent_message_keeps_the_name_the_messenger_gave_it(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    tickets = await queued(sqlite, *(message(str(number)) for number in range(70)))
    await sqlite.claim([ticket.id for ticket in tickets], NOW)
    await sqlite.settle([Sent(ticket.id, f"m{ticket.id}") for ticket in tickets], NOW)
    with closing(sqlite3.connect(sqlite_backend.path)) as database:
        found = database.execute("SELECT id, message_id FROM outbox ORDER BY id").fetchall()
    assert found == [(ticket.id, f"m{ticket.id}") for ticket in tickets]


def test_units_about_the_same_person_are_not_executed_together() -> None:
    prepared = [prepare(unit_of(number, "to"), 0) for number in (1, 2, 1, 3, 3)]
    assert [len(run) for run in runs(prepared)] == [2, 2, 1]


async def test_firings_of_one_person_at_one_instant_take_few_statements(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    for number in range(1, 65):
        await sqlite.commit([Unit(changes=(SaveReminder(reminder(number)),))], NOW)
    trace = Trace(sqlite)
    firing = [
        Unit(
            changes=(
                MoveReminder(user_id=1001, id=number, due_at=NOW + HOUR, next_at=NOW + 25 * HOUR),
                SaveOccurrence(occurrence(number, number)),
                Enqueue(message(str(number))),
            )
        )
        for number in range(1, 65)
    ]
    assert {result.outcome for result in await sqlite.commit(firing, NOW)} == {"done"}
    assert len(trace.executed) <= 10, trace.executed
