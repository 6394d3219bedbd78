"""Postgres: calls that come together share a transaction, and nobody's trouble is anybody else's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from storage.changes import Enqueue, SaveDrug, SaveSession, Unit
from storage.facts import AllOf
from storage.interface import Result, Sent
from storage.statements import Work
from tests.storage.samples import NOW, ask, drug, key, message, person, queued, session, whois
from tests.storage.test_sqlite_sharing import together

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from storage.changes import Change
    from storage.postgres import PostgresStorage
    from storage.statements import Statements


def transactions(storage: PostgresStorage) -> int:
    """How many transactions the storage has begun."""
    return storage._writer._number


async def test_units_handed_in_at_once_are_stored_by_few_transactions(postgres_storage: PostgresStorage) -> None:
    await person(postgres_storage)
    before = transactions(postgres_storage)

    def saving(number: int) -> Callable[[], Coroutine[Any, Any, Any]]:
        changes: tuple[Change, ...] = (SaveDrug(drug(number)), *[Enqueue(message(str(number)))] * (number % 3))
        return lambda: postgres_storage.commit([Unit(key=key(str(number % 90)), changes=changes)], NOW)

    results = await together(*map(saving, range(100)))
    # One of them twice: there are savepoints once it was found that something came before.
    assert transactions(postgres_storage) - before <= 3
    assert [len(result.tickets) for [result] in results[:90]] == [number % 3 for number in range(90)]
    assert [result.outcome for [result] in results] == ["done"] * 90 + ["repeated"] * 10


async def test_calls_of_all_kinds_share_a_transaction(postgres_storage: PostgresStorage) -> None:
    await person(postgres_storage)
    first, second = await queued(postgres_storage, message(), message())
    await postgres_storage.claim([first.id], NOW)
    before = transactions(postgres_storage)
    results = await together(
        lambda: postgres_storage.attempt(key("2"), NOW),
        lambda: postgres_storage.commit([Unit(key=key())], NOW),
        lambda: postgres_storage.settle([Sent(first.id)], NOW),
        lambda: postgres_storage.claim([second.id], NOW),
        lambda: postgres_storage.load([AllOf(1001)]),
    )
    assert transactions(postgres_storage) - before <= 2, "the first goes, the others share the next"
    assert results[:2] == [1, [Result(outcome="done")]]
    assert [row.id for row in results[3]] == [second.id]


async def test_a_unit_that_fails_does_no_harm_to_other_callers(postgres_storage: PostgresStorage) -> None:
    await person(postgres_storage)

    def saving(number: int) -> Callable[[], Coroutine[Any, Any, Any]]:
        owner = 404 if number % 2 else 1001
        units = [Unit(changes=(SaveDrug(drug(number)), SaveDrug(drug(100 + number, owner))))]
        return lambda: postgres_storage.commit(units, NOW)

    results = await together(*map(saving, range(20)))
    assert [result.outcome for [result] in results] == ["done", "failed"] * 10
    kept = {entry.id for entry in (await ask(postgres_storage, AllOf(1001))).drugs}
    assert kept == {n for number in range(0, 20, 2) for n in (number, 100 + number)}


@pytest.mark.parametrize("moments", [0, 1, 3, 8, 20])
async def test_a_task_that_asyncio_cancels_breaks_nobody_elses_call(
    postgres_storage: PostgresStorage, moments: int
) -> None:
    await person(postgres_storage)

    async def save(number: int) -> Result:
        [result] = await postgres_storage.commit([Unit(changes=(SaveDrug(drug(number)),))], NOW)
        return result

    tasks = [asyncio.create_task(save(number)) for number in range(6)]
    for _ in range(moments):
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result.outcome for result in results[1::2] if isinstance(result, Result)] == ["done"] * 3
    await save(99)
    kept = {entry.id for entry in (await ask(postgres_storage, AllOf(1001))).drugs}
    assert kept >= {1, 3, 5, 99}


async def test_a_reader_that_is_cancelled_breaks_nobody_elses_call(postgres_storage: PostgresStorage) -> None:
    await person(postgres_storage)
    for _ in range(5):
        with anyio.move_on_after(0.001):
            await postgres_storage.load([AllOf(1001)])
        assert not (await whois(postgres_storage)).is_new


async def test_a_fault_of_the_program_is_told_to_whom_it_concerns_and_to_nobody_else(
    postgres_storage: PostgresStorage,
) -> None:
    await person(postgres_storage)

    async def broken(sql: Statements) -> None:
        await sql.execute("end_session", (1001,))
        raise ZeroDivisionError

    async def fail() -> type[BaseException] | None:
        try:
            await postgres_storage._writer.do(Work(broken, writes=True))
        except RuntimeError as error:
            return type(error.__cause__) if error.__cause__ else None
        return None

    async def succeed() -> None:
        await postgres_storage.commit([Unit(changes=(SaveSession(session()),))], NOW)

    assert await together(fail, succeed, fail) == [ZeroDivisionError, None, ZeroDivisionError]
    assert await fail() is ZeroDivisionError
    assert (await whois(postgres_storage)).session == session()
