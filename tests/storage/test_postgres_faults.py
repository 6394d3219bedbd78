"""Postgres: what happens when the server, the way to it or another process does not play along. It really happens."""

from __future__ import annotations

import re
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import asyncpg
import pytest

from migrebot.errors import StorageUnavailable, UserError
from migrebot.messages import Address
from storage import postgres_keeper, postgres_link, postgres_writer
from storage.changes import Enqueue, SaveDrug, SaveSession, Unit
from storage.facts import AllOf
from storage.interface import Sent
from storage.postgres import PostgresStorage
from storage.postgres_server import RUNNING, connect
from tests.fakes.cable import Cable, Moment, laid_to
from tests.postgres import PASSWORD
from tests.storage.samples import ANNA, NOW, ask, drug, key, message, person, queued, session, stored, whois

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from storage.interface import Result
    from tests.postgres import PostgresServer
    from tests.storage.conftest import PostgresBackend

PATIENCE = 30.0


@pytest.fixture
async def cable(postgres_server: PostgresServer) -> AsyncIterator[Cable]:
    async with laid_to(postgres_server.port) as laid:
        yield laid


@pytest.fixture
async def remote(postgres_backend: PostgresBackend, cable: Cable) -> AsyncIterator[PostgresStorage]:
    """A storage at the other end of a cable."""
    url = postgres_backend.server.url(postgres_backend.name, tcp=True)
    opened = PostgresStorage(re.sub(r":\d+/", f":{cable.port}/", url), connections=4)
    await opened.open()
    yield opened
    await opened.close()


@asynccontextmanager
async def another(backend: PostgresBackend) -> AsyncIterator[PostgresStorage]:
    """Another process of the program on the same database."""
    opened = backend.storage()
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


def unit(name: str) -> Unit:
    return Unit(key=key(name), user_id=1001, changes=(SaveDrug(drug(int(name))), Enqueue(message(name))))


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(PATIENCE):
        while not true():  # noqa: ASYNC110 - nothing in here is told by an event
            await anyio.sleep(0.02)


def wait_for(server: PostgresServer, count: str, expected: int) -> None:
    """Wait until the server counts so many: it notices by itself that a connection was closed."""
    end = time.monotonic() + PATIENCE
    while server.fetch(count) != [(expected,)]:
        assert time.monotonic() < end, count
        time.sleep(0.02)


async def insisting(call: Callable[[], Awaitable[Any]]) -> Any:
    """Call until it works, as those who call a storage do."""
    with anyio.fail_after(PATIENCE):
        while True:
            try:
                return await call()
            except StorageUnavailable:
                await anyio.sleep(0.05)


async def assert_once(storage: PostgresStorage, *names: str) -> None:
    """All of these are stored, each once."""
    assert await storage.handled([key(name) for name in names]) == {key(name) for name in names}
    assert {entry.id for entry in (await ask(storage, AllOf(1001))).drugs} == {int(name) for name in names}
    rows = await storage.claim([ticket.id for ticket in await storage.recover(NOW)], NOW)
    assert sorted(getattr(row.body, "text", "") for row in rows) == sorted(names)


# --- a connection that breaks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_commit_whose_end_nobody_saw_is_looked_up_and_stored_once(
    remote: PostgresStorage, cable: Cable, moment: Moment
) -> None:
    await person(remote)
    cable.cut_at(b"COMMIT", moment)
    [result] = await remote.commit([unit("1")], NOW)
    assert cable.cuts == 1
    assert (result.outcome, len(result.tickets)) == ("done", 1)
    await assert_once(remote, "1")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_every_call_whose_commit_broke_off_does_its_work_once(
    remote: PostgresStorage, cable: Cable, moment: Moment
) -> None:
    await person(remote)
    tickets = await queued(remote, message("1"), message("2"))
    ids = [ticket.id for ticket in tickets]
    cable.cut_at(b"COMMIT", moment)
    assert await remote.attempt(key("1"), NOW) == 1
    assert await remote.attempt(key("1"), NOW) == 2
    cable.cut_at(b"COMMIT", moment)
    assert [row.attempts for row in await remote.claim(ids, NOW)] == [1, 1]
    cable.cut_at(b"COMMIT", moment)
    await remote.settle([Sent(id_) for id_ in ids], NOW)
    assert await remote.recover(NOW) == []
    assert cable.cuts == 3


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_what_could_not_be_looked_up_in_time_is_told_as_it_is_when_asked_again(
    remote: PostgresStorage, cable: Cable, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "RESOLVE_S", 0.3)
    await person(remote)
    cable.cut_at(b"COMMIT", moment)
    cable.is_down = True
    with pytest.raises(StorageUnavailable, match="was lost while it stored something"):
        await remote.commit([unit("1"), Unit(key=key("2"))], NOW)
    with pytest.raises(StorageUnavailable):
        await remote.commit([unit("1"), Unit(key=key("2"))], NOW)
    cable.is_down = False
    results: list[Result] = await insisting(lambda: remote.commit([unit("1"), Unit(key=key("2"))], NOW))
    assert [(result.outcome, len(result.tickets)) for result in results] == [("done", 1), ("done", 0)]
    assert [result.outcome for result in await remote.commit([unit("1")], NOW)] == ["repeated"]
    assert [row.id for row in await remote.claim([results[0].tickets[0].id], NOW)] == [results[0].tickets[0].id]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_messages_claimed_though_nobody_was_told_can_be_claimed_again(
    remote: PostgresStorage, cable: Cable, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "RESOLVE_S", 0.3)
    ids = [ticket.id for ticket in await queued(remote, message("1"), message("2"), message("3"))]
    cable.cut_at(b"COMMIT", moment)
    cable.is_down = True
    with pytest.raises(StorageUnavailable):
        await remote.claim(ids[:2], NOW)
    cable.is_down = False
    rows = await insisting(lambda: remote.claim(ids[1:], NOW))
    assert sorted((row.id, row.attempts) for row in rows) == [(ids[1], 1), (ids[2], 1)]
    assert [row.id for row in await remote.claim(ids, NOW)] == [ids[0]]


async def test_a_server_that_has_not_noticed_the_break_is_told_to_end_what_it_holds(
    remote: PostgresStorage, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres_link.SETTINGS, "lock_timeout", "200ms")
    await person(remote)
    cable.cut_at(b"COMMIT", "unnoticed")
    [result] = await remote.commit([unit("1")], NOW)
    assert (cable.cuts, result.outcome) == (1, "done")
    await assert_once(remote, "1")


async def test_a_connection_lost_while_nobody_used_it_is_not_noticed(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    await person(postgres_storage)
    for name in ("1", "2"):
        await anyio.to_thread.run_sync(postgres_backend.server.disconnect, postgres_backend.name)
        assert [result.outcome for result in await postgres_storage.commit([unit(name)], NOW)] == ["done"]
        await anyio.to_thread.run_sync(postgres_backend.server.disconnect, postgres_backend.name)
        assert not (await whois(postgres_storage)).is_new
    await assert_once(postgres_storage, "1", "2")


async def test_connections_that_break_under_load_lose_nothing_and_double_nothing(
    remote: PostgresStorage, cable: Cable
) -> None:
    await person(remote)
    names = [str(number) for number in range(1, 121)]

    async def write(mine: list[str]) -> None:
        for name in mine:
            [result] = await insisting(partial(remote.commit, [unit(name)], NOW))
            assert result.outcome == "done", "it was told as stored the first time it was"

    async with anyio.create_task_group() as tasks:
        for first in range(6):
            tasks.start_soon(write, names[first::6])
        for number in range(12):
            await anyio.sleep(0.03)
            cable.cut() if number % 3 else cable.cut_at(b"COMMIT", "after")
    assert cable.cuts >= 8
    await assert_once(remote, *names)


# --- a server that is not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_of_the_server_under_load_is_told_and_got_over(
    postgres_storage: PostgresStorage, postgres_server: PostgresServer, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_keeper, "LOOK_EVERY_S", 0.05)
    await person(postgres_storage)
    names = [str(number) for number in range(1, 61)]

    async def write(mine: list[str]) -> None:
        for name in mine:
            await insisting(partial(postgres_storage.commit, [unit(name)], NOW))
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as tasks:
        for first in range(3):
            tasks.start_soon(write, names[first::3])
        await anyio.to_thread.run_sync(postgres_server.stop, mode)
        await until(lambda: bool(postgres_storage.trouble))
        with pytest.raises(StorageUnavailable) as told:
            await whois(postgres_storage)
        await anyio.to_thread.run_sync(postgres_server.start)
    await until(lambda: not postgres_storage.trouble)
    assert str(told.value)
    await assert_once(postgres_storage, *names)


async def test_a_server_that_is_gone_is_noticed_though_nobody_asks_for_anything(
    remote: PostgresStorage, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_keeper, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(postgres_keeper, "LOOK_AGAIN_S", 0.05)
    assert remote.trouble == ""
    cable.is_down = True
    cable.cut()
    await until(lambda: bool(remote.trouble))
    assert PASSWORD not in remote.trouble
    cable.is_down = False
    await until(lambda: not remote.trouble)


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    remote: PostgresStorage, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_link, "ANSWER_S", 0.3)
    monkeypatch.setattr(postgres_writer, "RESOLVE_S", 0.3)
    cable.cut()
    await person(remote)
    cable.flows.clear()
    with anyio.fail_after(PATIENCE):
        with pytest.raises(StorageUnavailable, match=r"did not answer in time|was lost"):
            await whois(remote)
        with pytest.raises(StorageUnavailable, match=r"did not answer in time|was lost"):
            await remote.commit([unit("1")], NOW)
    assert remote.trouble
    cable.cut()
    cable.flows.set()
    [result] = await insisting(lambda: remote.commit([unit("1")], NOW))
    assert result.outcome == "done"
    await assert_once(remote, "1")


async def test_a_full_connection_table_is_told_and_got_over(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    await person(postgres_storage)
    async with AsyncExitStack() as taken:
        await anyio.to_thread.run_sync(postgres_backend.server.disconnect, postgres_backend.name)
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                connection = await asyncpg.connect(postgres_backend.server.url("postgres"))
                taken.push_async_callback(connection.close)
        with pytest.raises(StorageUnavailable, match="takes no more connections"):
            await postgres_storage.commit([unit("1")], NOW)
        with pytest.raises(StorageUnavailable, match="takes no more connections"):
            await whois(postgres_storage)
    await insisting(lambda: postgres_storage.commit([unit("1")], NOW))
    await assert_once(postgres_storage, "1")


async def test_what_another_session_has_locked_is_not_waited_for_for_ever(
    postgres_backend: PostgresBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres_link.SETTINGS, "lock_timeout", "100ms")
    async with another(postgres_backend) as storage:
        await person(storage)
        other = await connect(postgres_backend.url, {})
        async with other.transaction():
            await other.execute("LOCK TABLE users, drugs")
            with pytest.raises(StorageUnavailable, match="locked by another process"):
                await storage.commit([unit("1")], NOW)
            with pytest.raises(StorageUnavailable, match="locked by another process"):
                await whois(storage)
        await other.close()
        await storage.commit([unit("1")], NOW)
        await assert_once(storage, "1")


async def test_a_statement_prepared_for_another_shape_of_a_table_is_prepared_anew(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    await person(postgres_storage)
    await queued(postgres_storage, message("1"))
    try:
        sql = "ALTER TABLE migrebot.outbox ALTER COLUMN priority TYPE integer"
        await anyio.to_thread.run_sync(postgres_backend.server.execute, sql, postgres_backend.name)
        assert len(await queued(postgres_storage, message("2"))) == 1
        assert len(await postgres_storage.recover(NOW)) == 2
    finally:
        sql = "ALTER TABLE migrebot.outbox ALTER COLUMN priority TYPE bigint"
        await anyio.to_thread.run_sync(postgres_backend.server.execute, sql, postgres_backend.name)


async def test_each_connection_has_its_limits_and_sees_our_schema_alone(postgres_storage: PostgresStorage) -> None:
    connection = await postgres_storage._writer._link.connection()
    found = {name: await connection.fetchval(f"SHOW {name}") for name in (*postgres_link.SETTINGS, "search_path")}
    assert found["search_path"] == "migrebot"
    assert found["synchronous_commit"] == "on"
    assert {name: found[name] for name in found if name.endswith("timeout")} == {
        "lock_timeout": "3s",
        "statement_timeout": "8s",
        "idle_in_transaction_session_timeout": "10s",
    }


async def test_a_closed_storage_does_nothing_and_leaves_no_row_of_its_own(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    await person(postgres_storage)
    await postgres_storage.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await postgres_storage.commit([unit("1")], NOW)
    with pytest.raises(StorageUnavailable, match="closed"):
        await whois(postgres_storage)
    server, name = postgres_backend.server, postgres_backend.name
    rows = await anyio.to_thread.run_sync(server.fetch, "SELECT name FROM migrebot.meta", name)
    assert rows == []
    count = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'migrebot'"
    await anyio.to_thread.run_sync(partial(wait_for, server, count, 0))


async def test_a_server_that_does_not_answer_keeps_nobody_from_closing(
    remote: PostgresStorage, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_link, "CLOSING_S", 0.1)
    monkeypatch.setattr(postgres_keeper, "CLOSING_S", 0.1)
    await person(remote)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(whois, remote)
    cable.flows.clear()
    with anyio.fail_after(5):
        await remote.close()
    cable.flows.set()


async def test_a_database_that_somebody_needs_alone_is_not_opened(postgres_backend: PostgresBackend) -> None:
    alone = await connect(postgres_backend.url, {})
    await alone.execute("SELECT pg_advisory_lock($1)", RUNNING)
    storage = postgres_backend.storage()
    with pytest.raises(UserError, match="needs the database for itself"):
        await storage.open()
    await storage.close()
    await alone.close()
    async with another(postgres_backend):
        pass


async def test_no_more_connections_are_opened_than_are_allowed(postgres_backend: PostgresBackend) -> None:
    storage = PostgresStorage(postgres_backend.url, connections=4)
    await storage.open()
    await person(storage)
    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(whois, storage)
            tasks.start_soon(storage.commit, [Unit(key=key(str(number)))], NOW)
    count = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{postgres_backend.name}'"
    [(found,)] = await anyio.to_thread.run_sync(postgres_backend.server.fetch, count)
    assert found == 4
    await storage.close()


# --- several processes -------------------------------------------------------------------------------------------


async def test_two_processes_never_claim_the_same_message(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    async with another(postgres_backend) as other:
        ids = [ticket.id for ticket in await queued(postgres_storage, *map(message, map(str, range(200))))]
        claimed: list[int] = []

        async def claim(storage: PostgresStorage, some: list[int]) -> None:
            claimed.extend(row.id for row in await storage.claim(some, NOW))

        async with anyio.create_task_group() as tasks:
            for first in range(0, 200, 20):
                for storage in (postgres_storage, other):
                    tasks.start_soon(claim, storage, ids[first : first + 20])
    assert sorted(claimed) == ids


async def test_what_a_living_process_is_sending_is_left_to_it_and_goes_again_once_it_is_dead(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    async with another(postgres_backend) as other:
        mine, its = (ticket.id for ticket in await queued(other, message("1"), message("2")))
        await postgres_storage.claim([mine], NOW)
        await other.claim([its], NOW)
        assert await postgres_storage.recover(NOW) != [], "its own, which it knows nothing of any more"
        assert [row.attempts for row in await postgres_storage.claim([mine, its], NOW)] == [2]
        await postgres_storage.settle([Sent(mine)], NOW)
    assert [ticket.id for ticket in await postgres_storage.recover(NOW)] == [its]
    assert [row.attempts for row in await postgres_storage.claim([its], NOW)] == [2]


async def test_two_processes_that_change_the_same_people_do_not_wait_for_each_other_in_a_circle(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    numbers = range(1001, 1011)
    for number in numbers:
        await person(postgres_storage, Address("telegram", str(number)))

    async def save(storage: PostgresStorage, order: list[int], token: str) -> None:
        units = [Unit(user_id=id_, changes=(SaveSession(session(id_, token=token)),)) for id_ in order]
        for _ in range(10):
            results = await storage.commit(units, NOW)
            assert {result.outcome for result in results} == {"done"}

    async with another(postgres_backend) as other, anyio.create_task_group() as tasks:
        tasks.start_soon(save, postgres_storage, list(numbers), "a")
        tasks.start_soon(save, other, list(reversed(numbers)), "b")
    tokens = set()
    for number in numbers:
        found = (await whois(postgres_storage, Address("telegram", str(number)))).session
        assert found is not None
        tokens.add(found.token)
    assert len(tokens) == 1, "the later transaction stored all of its own"


async def test_newcomers_of_two_processes_are_two_people(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    async with another(postgres_backend) as other:
        met = [
            await whois(storage, Address("local", f"{name}{number}"))
            for number in range(3)
            for storage, name in ((postgres_storage, "a"), (other, "b"))
        ]
    assert len({conversation.user.id for conversation in met}) == 6
    assert max(conversation.user.id for conversation in met) < 0


async def test_what_one_process_stores_the_other_one_sees_at_once(
    postgres_storage: PostgresStorage, postgres_backend: PostgresBackend
) -> None:
    async with another(postgres_backend) as other:
        assert (await whois(other)).is_new
        await person(postgres_storage)
        assert not (await whois(other)).is_new
        await stored(postgres_storage, SaveSession(session()))
        assert (await whois(other, ANNA)).session == session()
