"""A SQLite file as a side of a move."""

from __future__ import annotations

import re
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager
from typing import TYPE_CHECKING

from migrebot.errors import UserError
from storage import sqlite_errors
from storage.migrations import sqlite_runner
from storage.migrations.runner import insist_on_newest
from storage.moving.side import BATCH, PATIENCE_S
from storage.moving.table import NOT_MOVED, Table, quoted
from storage.sqlite_file import ProcessLock, connect

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from storage.moving.table import Key, Row


class SqliteSide:
    """The file `path`; it does its work in the event loop, which is there for the move alone."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._sql: sqlite3.Connection

    @property
    def name(self) -> str:
        """What the file is called."""
        return str(self._path)

    @asynccontextmanager
    async def as_source(self) -> AsyncIterator[None]:
        """Open a file that is there and has the newest schema."""
        if not self._path.is_file():
            raise UserError(f"{self.name}: there is no such file")
        with self._locked():
            insist_on_newest(self.name, sqlite_runner.known_revision(self._path))
            with self._open():
                yield

    @asynccontextmanager
    async def as_target(self) -> AsyncIterator[None]:
        """Open the file, and make it and its schema if need be."""
        with self._locked():
            if self._path.exists() and sqlite_runner.is_unfinished(self._path):
                insist_on_newest(self.name, sqlite_runner.known_revision(self._path, unfinished=True))
            else:
                sqlite_runner.bring_up_to_date(self._path, locked=True)
            with self._open():
                # Rows and state are lost together: it is enough that they are on the disk when the move is finished.
                self._sql.execute("PRAGMA synchronous = NORMAL")
                yield

    async def tables(self) -> list[Table]:
        """List the tables there are to be moved."""
        return tables_of(self._sql)

    async def count(self, table: Table) -> int:
        """Count the rows of a table."""
        return int(self._sql.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()[0])

    async def batches(self, table: Table, after: Key = ()) -> AsyncGenerator[Sequence[Row], None]:
        """Give the rows of a table in the order of their keys."""
        key = quoted(*table.key)
        behind = f"WHERE ({key}) > ({_places(table.key)})" if after else ""
        select = f"SELECT {quoted(*table.columns)} FROM {quoted(table.name)} {behind} ORDER BY {key}"
        with closing(self._sql.execute(select, after)) as found:
            while batch := found.fetchmany(BATCH):
                yield batch

    async def last_number(self, table: Table) -> int:
        """Tell the highest number that the table's counter ever gave out."""
        found = self._sql.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
        return int(found[0]) if found else 0

    async def state(self) -> str | None:
        """Give what was noted last of an unfinished move to this file."""
        if not sqlite_runner.is_unfinished(self._path):
            return None
        return str(self._sql.execute("SELECT state FROM moving").fetchone()[0])

    async def begin(self, tables: Sequence[Table], state: str) -> None:
        """Delete all rows and note that a move began."""
        with self._transaction():
            for table in reversed(tables):
                self._sql.execute(f"DELETE FROM {quoted(table.name)}")
            self._sql.execute("CREATE TABLE IF NOT EXISTS moving (state TEXT NOT NULL) STRICT")
            self._sql.execute("DELETE FROM moving")
            self._sql.execute("INSERT INTO moving (state) VALUES (?)", (state,))

    async def write(self, table: Table, rows: Sequence[Row], state: str) -> None:
        """Add rows and note the state."""
        places = _places(table.columns)
        insert = f"INSERT INTO {quoted(table.name)} ({quoted(*table.columns)}) VALUES ({places})"
        try:
            with self._transaction():
                self._sql.executemany(insert, rows)
                self._sql.execute("UPDATE moving SET state = ?", (state,))
        except sqlite_errors.UNSTORABLE as error:
            raise UserError(f"{self.name} does not take a row of {table.name}") from error

    async def settle(self) -> None:
        """Let each transaction reach the disk from now on, and those before along with the next."""
        self._sql.execute("PRAGMA synchronous = FULL")

    async def note(self, state: str) -> None:
        """Note the state alone."""
        with self._transaction():
            self._sql.execute("UPDATE moving SET state = ?", (state,))

    async def finish(self, numbers: dict[Table, int]) -> None:
        """Let the counters go on behind these numbers, and note that the move is finished."""
        with self._transaction():
            for table, number in numbers.items():
                self._sql.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
                self._sql.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, number))
            self._sql.execute("DROP TABLE moving")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = ProcessLock(self._path)
        try:
            if not lock.acquire(PATIENCE_S):
                raise UserError(f"{self.name} is in use by another process of this program: stop that one first")
            yield
        finally:
            lock.release()

    @contextmanager
    def _open(self) -> Iterator[None]:
        try:
            with closing(connect(self._path)) as self._sql:
                yield
        except sqlite3.Error as error:
            sqlite_runner.give_up(self._path, error)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._sql.execute("ROLLBACK")
            raise
        self._sql.execute("COMMIT")


def tables_of(database: sqlite3.Connection) -> list[Table]:
    """List the tables of an open file, without those that each database has for itself."""
    found = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return [_table(database, name, sql) for name, sql in found.fetchall() if name not in NOT_MOVED]


def _table(database: sqlite3.Connection, name: str, sql: str) -> Table:
    columns = database.execute("SELECT name, pk FROM pragma_table_info(?) ORDER BY name", (name,)).fetchall()
    # `pk` is the place of the column in the primary key, from 1; 0 outside of it.
    key = [column for column, place in sorted(columns, key=lambda column: column[1]) if place]
    others = database.execute('SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)', (name,))
    return Table(
        name=name,
        columns=tuple(column for column, _ in columns),
        key=tuple(key),
        refers_to=frozenset(other for (other,) in others),
        counter=key[0] if re.search(r"\bAUTOINCREMENT\b", sql) else None,
    )


def _places(columns: tuple[str, ...]) -> str:
    return ", ".join("?" * len(columns))
