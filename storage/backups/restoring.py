"""Restores a backup: proves it first, then puts it in the place of the database in one step.

Whoever was erased after it was made is erased from it before that, as far as it can be told who that was.

Until that step the database is as it was, and what it was is kept: a file under a new name beside it, the content of a
server as a backup like others.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrebot.errors import UserError
from storage.backups.content import check, count_rows, forget_note, speaking_of
from storage.backups.erasing import Erasing, marks_in
from storage.backups.files import explained, publish, workshop
from storage.backups.making import make_at
from storage.backups.packing import unpack
from storage.migrations import sqlite_runner
from storage.moving import move
from storage.moving.postgres_side import PostgresSide
from storage.moving.side import PATIENCE_S
from storage.moving.sqlite_side import SqliteSide, tables_of
from storage.moving.table import quoted
from storage.postgres_server import SCHEMA
from storage.sqlite_file import ProcessLock, address_of, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from storage.backups.marks import Moments
    from storage.backups.order import Order
    from storage.moving import Report
    from storage.moving.table import Row, Table

    Erase = Callable[[Moments], None]

RUN = frozenset({"meta", "program_notes"})
"""The tables that tell something about a run, not about people: they are there once the program was started."""

# The references, and the indices but those of primary and other unique keys, which references need: how to drop each of
# them, and how to make it again.
_MADE_LAST = """
SELECT
    format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype = 'f'
UNION ALL
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
WHERE relnamespace = $1::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
"""


class Restored(Struct, frozen=True, kw_only=True):
    """What was restored: how many rows, as of when (None: not known), and where what was there before is kept.

    `erased` people among them were erased again; why there may be more whom nobody could tell is the `doubt`, if any.
    """

    rows: int
    made_at: datetime | None
    kept: str
    erased: int
    doubt: str


async def restore(
    backup: Path,
    order: Order,
    report: Report,
    *,
    key: Path | None = None,
    force: bool = False,
    erasure_key: bytes | None = None,
) -> Restored:
    """Put a backup in the place of the database `order.place`; raises `UserError`, and then nothing has changed.

    `order` is also how a backup is made of what a server held before, and where those who were erased are marked;
    `erasure_key` is what the marks were made with, None if it is lost. `force` replaces what is not empty.
    """
    work = Path(order.place.work)
    with explained(work), workshop(work) as desk:
        fresh = desk / "fresh.db"
        unpack(backup, fresh, key)
        content = check(fresh, backup)
        _modernise(fresh, backup, desk / "empty.db")
        again = Erasing((Path(order.directory), backup.parent), erasure_key, content.made_at)
        erase = partial(again.run, fresh)
        if order.place.file:
            kept = _replace_file(fresh, Path(order.place.file), order.now, erase, force=force)
        else:
            server = _Replaced(order.place.url, partial(_keep, desk, order, report, force=force), erase)
            await move(SqliteSide(fresh), server, report, resumable=False)
            kept = server.kept
    rows = sum(content.rows.values())
    return Restored(rows=rows, made_at=content.made_at, kept=kept, erased=again.erased, doubt=again.doubt)


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


def _replace_file(fresh: Path, path: Path, now: datetime, erase: Erase, *, force: bool) -> str:
    """Put a file in the place of another one; tells where that one is kept, if it held anything."""
    path = path.resolve()
    lock = ProcessLock(path)
    try:
        if not lock.acquire(PATIENCE_S):
            raise UserError(f"{path} is in use by another process of this program: stop that one first")
        with explained(path):
            kept = "" if _is_empty(path) else _set_aside(path, now, force=force)
            erase(marks_in(path))
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
            return not any(rows for name, rows in count_rows(database).items() if name not in RUN)
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


async def _keep(desk: Path, order: Order, report: Report, *, force: bool) -> str:
    """Make a backup of what a server holds; tells where it is."""
    if not force:
        raise UserError("the database holds data already: --force replaces it, and keeps it as a backup")
    return (await make_at(desk, replace(order, keep_days=None), report)).path


class _Replaced(PostgresSide):
    """A Postgres database whose content is replaced in one transaction, after `keep` was called if it has any.

    `kept` is what that gave. Then `erase` is called, before anything is read of what takes its place.
    """

    def __init__(self, url: str, keep: Callable[[], Awaitable[str]], erase: Erase) -> None:
        super().__init__(url)
        self._keep = keep
        self._erase = erase
        self._made_last: list[str] = []
        self.kept = ""

    @asynccontextmanager
    async def as_target(self) -> AsyncIterator[None]:
        """Open the database; what is done to it stays if all went well."""
        async with super().as_target():
            tables = await self.tables()
            if any([await self.count(table) for table in tables if table.name not in RUN]):
                self.kept = await self._keep()
            self._erase(dict(await self._sql.fetch("SELECT hash, erased_at FROM erasures")))
            async with self._sql.transaction():
                if await self.state() is None:
                    await self._sql.execute(f"TRUNCATE {quoted(*(table.name for table in tables))}")
                yield

    async def begin(self, tables: Sequence[Table], state: str) -> None:
        """Delete all rows, and take away for now what is made far faster of all rows at once than row by row."""
        await super().begin(tables, state)
        for drop, add in await self._sql.fetch(_MADE_LAST, SCHEMA):
            await self._sql.execute(drop)
            self._made_last.append(add)

    async def write(self, table: Table, rows: Sequence[Row], state: str) -> None:
        """Add rows; where the restore stands is not noted, since nothing is kept of one that fails."""
        del state
        await self.add(table, rows)

    async def settle(self) -> None:
        """Make the indices and the references again, which looks at all rows."""
        # One core for that: the others are for whoever uses the server meanwhile.
        await self._sql.execute("SET LOCAL max_parallel_maintenance_workers = 0")
        await self._sql.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        for add in self._made_last:
            await self._sql.execute(add)
        await super().settle()

    async def finish(self, numbers: dict[Table, int]) -> None:
        """Let the counters go on; never back, since they would stay there if the transaction failed at its end."""
        await super().finish({table: max(number, await self.last_number(table)) for table, number in numbers.items()})
