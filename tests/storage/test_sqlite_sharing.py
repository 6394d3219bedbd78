"""SQLite: calls that come together share a transaction, and nobody's trouble is anybody else's."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import anyio
import pytest

from storage.changes import Enqueue, SaveDrug, SaveSession, Unit
from storage.facts import AllOf
from storage.interface import Result, Sent, Settled
from storage.statements import Work
from tests.storage.samples import NOW, ask, drug, key, message, person, queued, session, whois

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from storage.changes import Change
    from storage.sqlite import SqliteStorage
    from storage.statements import Statements
    from tests.storage.conftest import SqliteBackend


class Trace:
    """The SQL that a storage executed."""

    def __init__(self, storage: SqliteStorage) -> None:
        self.executed: list[str] = []
        connection = storage._writer._connection
        assert connection is not None
        connection.set_trace_callback(self.executed.append)

    def count(self, beginning: str) -> int:
        return sum(sql.startswith(beginning) for sql in self.executed)


async def together(*calls: Callable[[], Coroutine[Any, Any, Any]]) -> list[Any]:
    """Make calls at the same moment and give their results in order."""
    results: list[Any] = [None] * len(calls)

    async def one(number: int) -> None:
        results[number] = await calls[number]()

    async with anyio.create_task_group() as tasks:
        for number in range(len(calls)):
            tasks.start_soon(one, number)
    return results


async def test_many_callers_share_few_commits_and_get_each_their_own_results(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    trace = Trace(sqlite)

    def saving(number: int) -> Callable[[], Coroutine[Any, Any, Any]]:
        changes: tuple[Change, ...] = (SaveDrug(drug(number)), *[Enqueue(message(str(number)))] * (number % 3))
        return lambda: sqlite.commit([Unit(key=key(str(number % 90)), changes=changes)], NOW)

    results = await together(*map(saving, range(100)))
    assert trace.count("COMMIT") == trace.count("BEGIN IMMEDIATE") <= 3
    assert [len(result.tickets) for [result] in results[:90]] == [number % 3 for number in range(90)]
    assert [result.outcome for [result] in results] == ["done"] * 90 + ["repeated"] * 10


async def test_calls_of_all_kinds_share_a_commit(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    first, second = await queued(sqlite, message(), message())
    await sqlite.claim([first.id], NOW)
    trace = Trace(sqlite)
    results = await together(
        lambda: sqlite.commit([Unit(key=key())], NOW),
        lambda: sqlite.settle([Sent(first.id)], NOW),
        lambda: sqlite.attempt(key("2"), NOW),
        lambda: sqlite.claim([second.id], NOW),
        lambda: sqlite.load([AllOf(1001)]),
        lambda: sqlite.handled([key()]),
    )
    assert trace.count("COMMIT") == 1
    assert results[:3] == [[Result(outcome="done")], Settled([], [], []), 1]
    assert [row.id for row in results[3]] == [second.id]


async def test_reading_begins_no_transaction(sqlite: SqliteStorage) -> None:
    trace = Trace(sqlite)
    await together(sqlite.next_expiry, lambda: whois(sqlite), lambda: ask(sqlite, AllOf(1001)))
    assert trace.count("BEGIN") == 0


async def test_people_who_are_known_cost_no_query(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    await whois(sqlite)
    trace = Trace(sqlite)
    await whois(sqlite)
    assert await sqlite.holder(1001) is None
    await sqlite.commit([Unit(changes=(SaveSession(session()),))], NOW)
    executed = len(trace.executed)
    assert (await whois(sqlite)).session == session()
    assert await sqlite.holder(1001) is not None
    assert len(trace.executed) == executed


async def test_a_unit_that_fails_does_no_harm_to_other_callers(sqlite: SqliteStorage) -> None:
    await person(sqlite)

    def saving(number: int) -> Callable[[], Coroutine[Any, Any, Any]]:
        owner = 404 if number % 2 else 1001
        units = [Unit(changes=(SaveDrug(drug(number)), SaveDrug(drug(100 + number, owner))))]
        return lambda: sqlite.commit(units, NOW)

    results = await together(*map(saving, range(20)))
    assert [result.outcome for [result] in results] == ["done", "failed"] * 10
    kept = {entry.id for entry in (await ask(sqlite, AllOf(1001))).drugs}
    assert kept == {n for number in range(0, 20, 2) for n in (number, 100 + number)}


async def test_a_call_of_somebody_who_was_cancelled_is_done_all_the_same(sqlite: SqliteStorage) -> None:
    await person(sqlite)

    async def cancelled(number: int) -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await sqlite.commit([Unit(changes=(SaveDrug(drug(number)),))], NOW)

    async def patient(number: int) -> None:
        await sqlite.commit([Unit(changes=(SaveDrug(drug(number)),))], NOW)

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(cancelled if number % 2 else patient, number)
    assert len((await ask(sqlite, AllOf(1001))).drugs) == 10


async def test_a_call_that_was_cancelled_waits_for_no_other_call_to_be_done(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await sqlite.commit([Unit(key=key())], NOW)
    with closing(sqlite3.connect(sqlite_backend.path)) as other:
        assert other.execute("SELECT count(*) FROM inbox").fetchone() == (1,)


@pytest.mark.parametrize("moments", [0, 1, 2, 3, 5, 8, 13])
async def test_a_task_that_asyncio_cancels_breaks_nobody_elses_call(sqlite: SqliteStorage, moments: int) -> None:
    await person(sqlite)

    async def save(number: int) -> Result:
        [result] = await sqlite.commit([Unit(changes=(SaveDrug(drug(number)),))], NOW)
        return result

    tasks = [asyncio.create_task(save(number)) for number in range(6)]
    for _ in range(moments):
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result.outcome for result in results[1::2] if isinstance(result, Result)] == ["done"] * 3
    await save(99)
    kept = {entry.id for entry in (await ask(sqlite, AllOf(1001))).drugs}
    assert kept >= {1, 3, 5, 99}


async def test_a_fault_of_the_program_is_told_to_whom_it_concerns_and_to_nobody_else(sqlite: SqliteStorage) -> None:
    await person(sqlite)

    async def broken(sql: Statements) -> None:
        await sql.execute("end_session", (1001,))
        raise ZeroDivisionError

    async def fail() -> type[BaseException] | None:
        try:
            await sqlite._writer.do(Work(broken, writes=True))
        except RuntimeError as error:
            return type(error.__cause__) if error.__cause__ else None
        return None

    async def succeed() -> None:
        await sqlite.commit([Unit(changes=(SaveSession(session()),))], NOW)

    assert await together(fail, succeed, fail) == [ZeroDivisionError, None, ZeroDivisionError]
    assert await fail() is ZeroDivisionError
    assert (await whois(sqlite)).session == session()


async def test_work_handed_in_last_is_done_before_the_storage_closes(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sqlite.commit, [Unit(key=key())], NOW)
        await anyio.lowlevel.checkpoint()
        await sqlite.close()
    await sqlite.open()
    assert await sqlite.handled([key()]) == {key()}


async def test_the_event_loop_goes_on_while_the_disk_is_waited_for(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    done: list[Result] = []

    async def save() -> None:
        done.extend(await sqlite.commit([Unit(key=key())], NOW))

    with closing(sqlite3.connect(sqlite_backend.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(save)
            for _ in range(50):
                await anyio.sleep(0.001)
            assert not done
            other.execute("ROLLBACK")
    assert [result.outcome for result in done] == ["done"]
