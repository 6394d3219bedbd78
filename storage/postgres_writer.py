"""The one connection of a process that writes, and the transaction that concurrent calls share.

A transaction is six ways to the server and back and one wait for its disk, however much is stored: calls that come
while one is under way share the next.

A connection can break while it commits, and nobody is told whether it did. So each transaction writes its number into a
row of its process, and reading that row tells: by the same lock that the transaction held, so that it is over by then.
(The server's own answer, `pg_xact_status`, is not enough: after a crash of the server, which may forget what it had
not committed, another transaction gets the number.)
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger
from storage.postgres_errors import DRIVER, is_lost, may_succeed_at_once
from storage.statements import NeedsSavepoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.postgres_link import Link
    from storage.postgres_server import Connection
    from storage.statements import Work

T = TypeVar("T")

RESOLVE_S = 10.0
"""Seconds for which callers wait until it is known whether a transaction was committed; then it is asked again before
the next one."""

PAUSE_S = 0.1
"""Seconds between two questions to a server that is not there."""

# The locks of users are taken in ascending order, so that no two processes wait for each other. They are held until
# the transaction ends.
_BEGIN = """
WITH users AS MATERIALIZED (SELECT count(pg_advisory_xact_lock(id)) FROM unnest($1::bigint[]) AS id)
INSERT INTO meta (name, value) SELECT $2, $3::bigint FROM users
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""

# Not a SELECT: it has to wait for a transaction that is still under way.
_LAST = """
INSERT INTO meta (name, value) VALUES ($1, 0) ON CONFLICT (name) DO UPDATE SET value = meta.value RETURNING value
"""

_END_OTHER = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND application_name = 'migrebot'"

# What a fault of the program in one piece of work may raise; the others shall not suffer.
_FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, *DRIVER)

log = get_logger("storage")


class _Unresolved(StorageUnavailable):
    """Whether a transaction was committed is not known yet."""


class _Transaction:
    """One that was sent, with what is to be told if it was committed."""

    def __init__(self, number: int, process: int, works: Sequence[Work[Any]], results: Sequence[Any]) -> None:
        self.number = number
        self.process = process
        self.works = works
        self.results = results


class PostgresWriter:
    """Does the work of many callers with one connection; `name` is that of the process's row."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._name = name
        self._number = 0
        self._open = False
        self._pending: deque[Work[Any]] = deque()
        self._unresolved: _Transaction | None = None
        self._turn = anyio.Lock()
        self._busy = anyio.Lock()

    def open(self) -> None:
        """Take work from now on."""
        self._open = True

    async def close(self) -> None:
        """Do what is pending and disconnect."""
        with anyio.CancelScope(shield=True):
            await self._drain()
            self._open = False
            await self._link.close()

    async def do(self, work: Work[T]) -> T:
        """Have the work done and give its result; raises `StorageUnavailable`.

        A caller that is cancelled stays until its work, once handed in, is done.
        """
        self._pending.append(work)
        with anyio.CancelScope(shield=True):
            # Whoever has the turn takes along all that is pending; the others find theirs done.
            async with self._turn:
                if not work.done:
                    # A task of its own: one that asyncio cancels in spite of the shield must not break off a
                    # transaction that others share.
                    await asyncio.shield(asyncio.ensure_future(self._drain()))
        return work.result

    async def _drain(self) -> None:
        async with self._busy:
            works = [self._pending.popleft() for _ in range(len(self._pending))]
            try:
                await self._do_together(works)
            except BaseException as error:
                for work in works:
                    if not work.done:
                        work.fail(error)
                raise

    async def _do_together(self, works: list[Work[Any]]) -> None:
        if not works:
            return
        try:
            await self._resolve()
            await self._attempt(works)
        except StorageUnavailable as error:
            for work in works:
                work.fail(error)
        except _FAULTS:
            if all(work.done for work in works):
                raise  # it is stored, and must not be stored again
            for work in works:
                await self._do_alone(work)

    async def _do_alone(self, work: Work[Any]) -> None:
        try:
            await self._attempt([work])
        except (StorageUnavailable, *_FAULTS) as error:
            if work.done:
                raise
            work.fail(error)

    async def _attempt(self, works: list[Work[Any]]) -> None:
        """Execute in one transaction, a second time if what hindered the first is over by then."""
        if not self._open:
            raise StorageUnavailable("the storage is closed")
        try:
            await self._execute(works)
        except DRIVER as error:
            if not may_succeed_at_once(error):
                raise self._link.unavailable(error) from error
            log.info("transaction_repeated", error=type(error).__name__)
            try:
                await self._execute(works)
            except DRIVER as again:
                raise self._link.unavailable(again) from again

    async def _execute(self, works: list[Work[Any]]) -> None:
        connection = await self._link.connection()
        try:
            try:
                results = await self._transaction(works, connection, with_savepoints=False)
            except NeedsSavepoints:
                await connection.execute("ROLLBACK")
                results = await self._transaction(works, connection, with_savepoints=True)
        except BaseException as error:
            await self._roll_back(connection, error)
            raise
        await self._commit(connection, _Transaction(self._number, connection.get_server_pid(), works, results))

    async def _transaction(self, works: list[Work[Any]], connection: Connection, *, with_savepoints: bool) -> list[Any]:
        statements = self._link.statements(connection)
        statements.with_savepoints = with_savepoints
        self._number += 1
        users = sorted({user for work in works for user in work.users})
        await connection.execute("BEGIN")
        await connection.execute(_BEGIN, users, self._name, self._number)
        return [await work.run(statements) for work in works]

    async def _roll_back(self, connection: Connection, error: BaseException) -> None:
        if is_lost(error) or not isinstance(error, Exception):
            self._link.drop()
            return
        try:
            await connection.execute("ROLLBACK")
        except DRIVER:
            self._link.drop()

    async def _commit(self, connection: Connection, transaction: _Transaction) -> None:
        try:
            status = await connection.execute("COMMIT")
            if status != "COMMIT":
                raise RuntimeError("the transaction had failed before")
        except DRIVER as error:
            self._link.drop()
            log.warning("commit_broke_off", error=type(error).__name__)
            self._unresolved = transaction
            if not await self._was_committed(transaction):
                raise
        for work, result in zip(transaction.works, transaction.results, strict=True):
            work.succeed(result)
        self._link.works()
        for work in transaction.works:
            work.follow()

    # --- what became of a transaction ----------------------------------------------------------------------------

    async def _resolve(self) -> None:
        """Find out about a transaction whose callers could not be told in time; raises `StorageUnavailable`."""
        transaction = self._unresolved
        if transaction is None or not await self._was_committed(transaction):
            return
        for work, result in zip(transaction.works, transaction.results, strict=True):
            if work.unheard is not None:
                work.unheard(result)

    async def _was_committed(self, transaction: _Transaction) -> bool:
        """Ask until there is an answer; raises `StorageUnavailable` when there was none for too long."""
        with anyio.move_on_after(RESOLVE_S):
            while True:
                with suppress(StorageUnavailable, *DRIVER):
                    committed = await self._ask(transaction)
                    log.warning("commit_resolved", committed=committed)
                    self._unresolved = None
                    return committed
                await anyio.sleep(PAUSE_S)
        self._link.drop()
        raise _Unresolved("the connection to the database was lost while it stored something")

    async def _ask(self, transaction: _Transaction) -> bool:
        connection = await self._link.connection()
        try:
            last: int = await connection.fetchval(_LAST, self._name)
        except DRIVER as error:
            # Locked: the server has not noticed that the other connection is lost.
            if is_lost(error):
                self._link.drop()
            else:
                await connection.execute(_END_OTHER, transaction.process)
            raise
        return last == transaction.number
