"""The one connection of a process, the one thread at a time that uses it, and the transaction concurrent calls share.

Measured: a hop into a thread and a commit each cost more than all the statements of a unit. So a call is one hop
(aiosqlite needs one for each statement), and calls that come while a hop is under way share the next: their reads
are done first, their writes in one transaction with one commit.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from migrebot.errors import StorageUnavailable
from storage import sqlite_errors, sqlite_file
from storage.queries import for_rows, named_sql
from storage.statements import NeedsSavepoints, Work

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from pathlib import Path

    from storage.columns import Row
    from storage.statements import Statements

T = TypeVar("T")

CHECKPOINT_PAGES = 1_000
"""Pages after which a commit moves the write-ahead log into the database: about 4 MB."""

MOST_ROWS = 256
"""Rows of one statement: reminders that are fired together; more gain nothing."""


class SqliteStatements:
    """Executes named SQL; each execution ends the one before. See `storage.statements` for what it promises.

    Its coroutines never wait, so what awaits nothing else runs through in one go: see `run_through`.
    """

    unstorable: tuple[type[Exception], ...] = sqlite_errors.UNSTORABLE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.with_savepoints = False
        self._cursor = connection.cursor()
        self._sql = named_sql()

    def told(self, error: Exception) -> str:
        """Say what an unstorable value is about: SQLite names columns only, Python quotes what it got."""
        return type(error).__name__ if isinstance(error, UnicodeEncodeError | OverflowError) else str(error)

    async def fetch(self, name: str, values: Row = ()) -> list[Row]:
        """Execute and give what was found."""
        return self._cursor.execute(self._sql[name], values).fetchall()

    async def execute(self, name: str, values: Row = ()) -> int:
        """Execute and tell how many rows were touched."""
        return self._cursor.execute(self._sql[name], values).rowcount

    async def fetch_each(self, name: str, values: Sequence[Row]) -> list[list[Row]]:
        """Give what is found for each of these values."""
        sql = self._sql[name]
        return [self._cursor.execute(sql, each).fetchall() for each in values]

    async def fetch_many(self, name: str, values: Sequence[Row]) -> list[Row]:
        """Execute for many rows and give what was found."""
        return [row for cursor, _ in self._in_chunks(name, values) for row in cursor.fetchall()]

    async def execute_many(self, name: str, values: Sequence[Row]) -> int:
        """Execute for many rows; tells how many were touched."""
        return sum(cursor.rowcount for cursor, _ in self._in_chunks(name, values))

    async def insert(self, name: str, values: Sequence[Row]) -> list[int]:
        """Add rows and give their ids: an INSERT numbers its rows one by one. RETURNING would cost 6 µs more."""
        ids: list[int] = []
        for cursor, size in self._in_chunks(name, values):
            if cursor.rowcount:
                last = cursor.lastrowid or 0
                ids.extend(range(last - size + 1, last + 1))
        return ids

    def _in_chunks(self, name: str, values: Sequence[Row]) -> Iterator[tuple[sqlite3.Cursor, int]]:
        done = 0
        while done < len(values):
            # Powers of two, so that there are few statements to be kept prepared.
            size = min(MOST_ROWS, 1 << ((len(values) - done).bit_length() - 1))
            chunk = values[done : done + size]
            yield self._cursor.execute(for_rows(name, size), tuple(chain.from_iterable(chunk))), size
            done += size

    async def plain(self, sql: str) -> None:
        """Execute SQL that has no name: what steers transactions."""
        self._cursor.execute(sql)


def run_through(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits to its end."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("work that shall not wait waited")


class Writer:
    """Does the work of many callers with one connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._statements: SqliteStatements | None = None
        self._file: tuple[int, int] | None = None
        self._checkpoints = False
        self._open = False
        self._pending: deque[Work[Any]] = deque()
        self._turn = anyio.Lock()
        self._busy = threading.Lock()
        self._limiter = anyio.CapacityLimiter(1)

    async def do(self, work: Work[T]) -> T:
        """Have the work done and give its result; raises `StorageUnavailable`.

        A caller that is cancelled stays until its work, once handed in, is done.
        """
        self._pending.append(work)
        with anyio.CancelScope(shield=True):
            # Whoever has the turn takes along all that is pending; the others find theirs done.
            async with self._turn:
                if not work.done:
                    await anyio.to_thread.run_sync(self._drain, limiter=self._limiter)
        return work.result

    async def open(self, *, checkpoints: bool) -> None:
        """Connect. Of several processes only one may `checkpoint`: SQLite up to 3.51.2 can lose data otherwise."""
        self._checkpoints = checkpoints
        self._open = True
        await self.do(Work(_nothing, writes=False))

    async def scrub(self) -> None:
        """Leave no trace of what was deleted in the write-ahead log, if that is possible now."""
        with suppress(StorageUnavailable):
            await self.do(Work(self._truncate_log, writes=False))

    async def close(self) -> None:
        """Do what is pending and disconnect."""
        with anyio.CancelScope(shield=True):
            await self.scrub()
            await anyio.to_thread.run_sync(self._shut, limiter=self._limiter)

    def _shut(self) -> None:
        with self._busy:
            self._open = False
            self._disconnect()

    def _drain(self) -> None:
        # The thread of a caller that asyncio cancelled in spite of its shield may still be at work: hence a lock.
        with self._busy:
            works = [self._pending.popleft() for _ in range(len(self._pending))]
            try:
                for work in works:
                    if not work.writes:
                        self._attempt_alone(work)
                if writes := [work for work in works if work.writes]:
                    self._attempt_together(writes)
            except BaseException as error:
                for work in works:
                    if not work.done:
                        work.fail(error)
                raise

    def _attempt_together(self, works: list[Work[Any]]) -> None:
        try:
            self._attempt(works)
        except (ArithmeticError, LookupError, TypeError, ValueError, sqlite3.Error):
            if all(work.done for work in works):
                raise  # it is stored, and must not be stored again
            # A fault of the program in one of them: nothing was stored, and the others shall not suffer.
            for work in works:
                self._attempt_alone(work)

    def _attempt_alone(self, work: Work[Any]) -> None:
        try:
            self._attempt([work])
        except (ArithmeticError, LookupError, TypeError, ValueError, sqlite3.Error) as error:
            if work.done:
                raise
            work.fail(error)

    def _attempt(self, works: list[Work[Any]]) -> None:
        try:
            self._execute(works)
        except sqlite3.Error as error:
            self._roll_back(error)
            unavailable = sqlite_errors.unavailable(error)
            if unavailable is None:
                raise
            for work in works:
                work.fail(unavailable)
        except StorageUnavailable as error:
            for work in works:
                work.fail(error)
        except BaseException as error:
            self._roll_back(error)
            raise

    def _execute(self, works: list[Work[Any]]) -> None:
        statements = self._connected()
        if not works[0].writes:
            results = [run_through(work.run(statements)) for work in works]
        else:
            try:
                results = self._transaction(works, statements)
            except NeedsSavepoints:
                run_through(statements.plain("ROLLBACK"))
                statements.with_savepoints = True
                results = self._transaction(works, statements)
        for work, result in zip(works, results, strict=True):
            work.succeed(result)
        for work in works:
            work.follow()

    def _transaction(self, works: list[Work[Any]], statements: Statements) -> list[Any]:
        try:
            # IMMEDIATE: a transaction that begins by reading cannot wait for its turn to write.
            run_through(statements.plain("BEGIN IMMEDIATE"))
            results = [run_through(work.run(statements)) for work in works]
            run_through(statements.plain("COMMIT"))
            return results
        finally:
            statements.with_savepoints = False

    def _connected(self) -> SqliteStatements:
        if not self._open:
            raise StorageUnavailable("the storage is closed")
        if self._statements is None:
            self._connection = sqlite_file.connect(self._path)
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if self._checkpoints else 0}")
            self._statements = SqliteStatements(self._connection)
        # SQLite itself would go on writing into a file that has no name any more.
        try:
            now = os.stat(self._path)  # noqa: PTH116 - ten times as fast as Path.stat, and once in every transaction
        except OSError:
            raise StorageUnavailable("the database file is gone") from None
        file = (now.st_dev, now.st_ino)
        if self._file is None:
            self._file = file
        elif self._file != file:
            raise StorageUnavailable("the database file was replaced by another one: a restart is needed")
        return self._statements

    def _roll_back(self, error: BaseException) -> None:
        """End the transaction; a connection that cannot, or that failed on the file, is opened anew next time."""
        connection = self._connection
        if connection is None:
            return
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.rollback()
        if connection.in_transaction or sqlite_errors.spoils_connection(error):
            self._disconnect()

    async def _truncate_log(self, statements: Statements) -> None:
        if self._checkpoints:
            await statements.plain("PRAGMA wal_checkpoint(TRUNCATE)")

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._statements = None


async def _nothing(_: Statements) -> None:
    """Make sure that there is a connection."""
