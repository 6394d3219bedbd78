"""Restores a backup: proves it first, then puts it in the place of the database in one step.

Until that step the database is as it was, and what it was is kept: a file under a new name beside it, the content of a
server as a backup like others.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrebot.errors import UserError
from storage.backups.content import check, count_rows, forget_note, speaking_of
from storage.backups.files import explained, publish, workshop
from storage.backups.making import make_at
from storage.backups.packing import unpack
from storage.migrations import sqlite_runner
from storage.moving import move
from storage.moving.postgres_side import PostgresSide
from storage.moving.side import PATIENCE_S
from storage.moving.sqlite_side import SqliteSide, tables_of
from storage.moving.table import quoted
from storage.sqlite_file import ProcessLock, address_of, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from storage.backups.order import Order
    from storage.moving import Report
    from storage.moving.table import Table

RUN = "meta"
"""The one table that tells something about a run, not about people: it is there once the program was started."""


class Restored(Struct, frozen=True, kw_only=True):
    """What was restored: how many rows, as of when (None: not known), and where what was there before is kept."""

    rows: int
    made_at: datetime | None
    kept: str


async def restore(
    backup: Path, order: Order, report: Report, *, key: Path | None = None, force: bool = False
) -> Restored:
    """Put a backup in the place of the database `order.place`; raises `UserError`, and then nothing has changed.

    `order` is also how a backup is made of what a server held before. `force` replaces what is not empty.
    """
    work = Path(order.place.work)
    with explained(work), workshop(work) as desk:
        fresh = desk / "fresh.db"
        unpack(backup, fresh, key)
        content = check(fresh, backup)
        _modernise(fresh, backup, desk / "empty.db")
        if order.place.file:
            kept = _replace_file(fresh, Path(order.place.file), order.now, force=force)
        else:
            kept = await _replace_server(SqliteSide(fresh), desk, order, report, force=force)
    return Restored(rows=sum(content.rows.values()), made_at=content.made_at, kept=kept)


def _modernise(fresh: Path, backup: Path, empty: Path) -> None:
    """Bring what was unpacked to the newest schema, and make sure that it is that."""
    with speaking_of(backup, otherwise="it cannot be read as a backup of this program"):
        sqlite_runner.bring_up_to_date(fresh, locked=True)
        forget_note(fresh)
        sqlite_runner.make_empty(empty)
        if _tables(fresh) != _tables(empty):
            raise UserError(f"{backup} is no backup of this program: it has other tables")


def _tables(path: Path) -> set[Table]:
    with closing(sqlite3.connect(address_of(path), uri=True)) as database:
        return set(tables_of(database))


# --- a file ------------------------------------------------------------------------------------------------------


def _replace_file(fresh: Path, path: Path, now: datetime, *, force: bool) -> str:
    """Put a file in the place of another one; tells where that one is kept, if it held anything."""
    path = path.resolve()
    lock = ProcessLock(path)
    try:
        if not lock.acquire(PATIENCE_S):
            raise UserError(f"{path} is in use by another process of this program: stop that one first")
        with explained(path):
            kept = "" if _is_empty(path) else _set_aside(path, now, force=force)
            # The log of the former file would be taken for one of the new file, and destroy it.
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            fresh.chmod(0o600)
            publish(fresh, path)
    finally:
        lock.release()
    return kept


def _is_empty(path: Path) -> bool:
    if not path.exists():
        return True
    try:
        if sqlite_runner.known_revision(path) is None:
            return True
        with closing(sqlite3.connect(address_of(path), uri=True)) as database:
            return not any(rows for name, rows in count_rows(database).items() if name != RUN)
    except (UserError, sqlite3.Error):
        # Whatever it is, it is something.
        return False


def _set_aside(path: Path, now: datetime, *, force: bool) -> str:
    """Give a file a second name; what is in its log goes into it first, or along with it if it is damaged."""
    if not force:
        raise UserError(f"{path} holds data already: --force replaces it, and keeps it under another name")
    kept = path.with_name(f"{path.name}.replaced-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    with suppress(sqlite3.Error), closing(connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _name_again(path, kept)
    with suppress(FileNotFoundError):
        path.with_name(path.name + "-wal").rename(kept.with_name(kept.name + "-wal"))
    return str(kept)


def _name_again(path: Path, kept: Path) -> None:
    try:
        kept.hardlink_to(path)
    except FileExistsError:
        raise
    except OSError:
        shutil.copy2(path, kept)  # a file system without hard links


# --- a server ----------------------------------------------------------------------------------------------------


async def _replace_server(fresh: SqliteSide, desk: Path, order: Order, report: Report, *, force: bool) -> str:
    """Put a file in the place of what a server holds; tells where that is kept, if it held anything."""
    kept = ""

    async def keep() -> None:
        nonlocal kept
        if not force:
            raise UserError("the database holds data already: --force replaces it, and keeps it as a backup")
        kept = (await make_at(desk, replace(order, keep_days=None), report)).path

    await move(fresh, _Replaced(order.place.url, keep), report, resumable=False)
    return kept


class _Replaced(PostgresSide):
    """A Postgres database whose content is replaced in one transaction, after `keep` was called if it has any."""

    def __init__(self, url: str, keep: Callable[[], Awaitable[None]]) -> None:
        super().__init__(url)
        self._keep = keep

    @asynccontextmanager
    async def as_target(self) -> AsyncIterator[None]:
        """Open the database; what is done to it stays if all went well."""
        async with super().as_target():
            tables = await self.tables()
            if any([await self.count(table) for table in tables if table.name != RUN]):
                await self._keep()
            async with self._sql.transaction():
                if await self.state() is None:
                    await self._sql.execute(f"TRUNCATE {quoted(*(table.name for table in tables))}")
                yield

    async def finish(self, numbers: dict[Table, int]) -> None:
        """Let the counters go on; never back, since they would stay there if the transaction failed at its end."""
        await super().finish({table: max(number, await self.last_number(table)) for table, number in numbers.items()})
