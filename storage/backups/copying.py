"""Takes a copy of a database as it is at one moment, beside the program that goes on using it."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from migrebot.errors import UserError
from storage.backups.content import count_rows, speaking_of
from storage.migrations import postgres_runner, sqlite_runner
from storage.migrations.runner import insist_on_newest
from storage.moving import move
from storage.moving.postgres_side import PostgresSide
from storage.moving.sqlite_side import SqliteSide
from storage.sqlite_file import BUSY_TIMEOUT_S, address_of, create_if_missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.moving import Report


async def copy_server(url: str, copy: Path, report: Report) -> None:
    """Make a new SQLite file of a Postgres database; raises `UserError`."""
    sqlite_runner.make_empty(copy)
    await move(_Moment(url), _Scratch(copy), report, resumable=False)


def copy_file(path: Path, copy: Path) -> None:
    """Make a new SQLite file of another one, and compare the numbers of rows; raises `UserError`."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    if sqlite_runner.known_revision(path) is None:
        raise UserError(f"{path} holds no data of this program")
    create_if_missing(copy)
    address = address_of(path)
    with speaking_of(path), closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as source:
        source.isolation_level = None
        # The one connection that moves the log into the database is the program's own.
        source.execute("PRAGMA wal_autocheckpoint = 0")
        # What is counted and what is copied belong to the moment at which this transaction reads first.
        source.execute("BEGIN")
        expected = count_rows(source)
        with speaking_of(copy), closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            found = count_rows(target)
        source.execute("COMMIT")
    if found != expected:
        raise UserError(f"{path}: its copy has other numbers of rows")


class _Scratch(SqliteSide):
    """A new file that nobody needs if the machine stops: nothing of it has to be on the disk before it is packed.

    Synchronising it would make the program wait, whose database is on the same disk. Whether its rows refer to rows
    that are there is looked at once, when the backup is restored on trial.
    """

    @asynccontextmanager
    async def as_target(self) -> AsyncIterator[None]:
        """Open the file."""
        async with super().as_target():
            for setting in ("journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF"):
                self._sql.execute(f"PRAGMA {setting}")
            yield

    async def settle(self) -> None:
        """Nothing has to reach the disk."""


class _Moment(PostgresSide):
    """All tables of a Postgres database in one transaction, which sees none of what is written meanwhile."""

    @asynccontextmanager
    async def as_source(self) -> AsyncIterator[None]:
        """Open a database that may be in use."""
        async with postgres_runner.session(self._url) as self._sql:
            insist_on_newest(self.name, await postgres_runner.known_revision(self._url, self._sql))
            async with self._sql.transaction(isolation="repeatable_read", readonly=True):
                yield
