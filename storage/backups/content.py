"""What is in a backup: everything but what is of this moment, and a table that tells how much there is of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from migrebot.errors import UserError
from storage import sqlite_errors
from storage.migrations import sqlite_runner
from storage.moving.sqlite_side import tables_of
from storage.moving.table import NOTED, quoted
from storage.sqlite_file import address_of, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEFT_OUT = (
    "sessions",
    "link_codes",
    "link_tries",
    "keyboards",
    "wishes",
    "program_notes",
    "announcement_recipients",
)
"""Tables whose rows are good for minutes or open doors: open forms, codes that join messengers, buttons on offer, what
the owner asked for, and what is remembered of the backups, the token of the Disk included. Of announcements it is left
out who waits for them: after a restore they would go once more to whoever got them since."""

_LEAVE_OUT_INPUT = "UPDATE inbox SET raw = NULL WHERE raw IS NOT NULL"
"""What was set aside is in no backup as it came: it may be the token of the Disk, and nothing reads it again."""

Rows = dict[str, int]
"""How many rows each table has."""


class Content(Struct, frozen=True):
    """What a backup holds; `made_at` is None for a plain copy of a database, in which nothing is noted."""

    made_at: datetime | None
    rows: Rows


def count_rows(database: sqlite3.Connection) -> Rows:
    """Count the rows of all tables."""
    return {
        table.name: int(database.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()[0])
        for table in tables_of(database)
    }


def finish(path: Path, now: datetime) -> Content:
    """Leave out what is of the moment, and note what there is; raises `UserError`."""
    with speaking_of(path), closing(connect(path)) as database:
        # It is packed before anybody relies on it.
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN IMMEDIATE")
        tables = {table.name for table in tables_of(database)}
        for name in LEFT_OUT:
            if name in tables:
                database.execute(f"DELETE FROM {quoted(name)}")
        if "inbox" in tables:
            database.execute(_LEAVE_OUT_INPUT)
        content = Content(now, count_rows(database))
        database.execute(f"CREATE TABLE {NOTED} (made_at INTEGER NOT NULL, tables TEXT NOT NULL) STRICT")
        noted = (int(now.timestamp()), msgspec.json.encode(content.rows).decode())
        database.execute(f"INSERT INTO {NOTED} (made_at, tables) VALUES (?, ?)", noted)
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode = DELETE")
    return content


def check(path: Path, backup: Path) -> Content:
    """Make sure that the file unpacked from a backup is whole and ours, and tell what is in it; raises `UserError`."""
    with speaking_of(backup, otherwise="it cannot be read as a backup of this program"):
        _insist_on_revision(path, backup)
        with closing(sqlite3.connect(address_of(path), uri=True)) as database:
            _insist_on_soundness(database, backup)
            rows, made_at = count_rows(database), None
            if _is_noted(database):
                made_at, expected = _noted(database)
                if expected != rows:
                    raise UserError(f"{backup} does not hold what was noted when it was made")
    return Content(made_at, rows)


def forget_note(path: Path) -> None:
    """Make an unpacked backup a database like any other."""
    with speaking_of(path), closing(connect(path)) as database:
        database.execute(f"DROP TABLE IF EXISTS {NOTED}")
        database.execute("PRAGMA journal_mode = DELETE")


def _insist_on_revision(path: Path, backup: Path) -> None:
    try:
        stored = sqlite_runner.known_revision(path)
    except UserError as error:
        raise UserError(str(error).replace(str(path), str(backup))) from error
    if stored is None:
        raise UserError(f"{backup} is no backup of this program")


def _insist_on_soundness(database: sqlite3.Connection, backup: Path) -> None:
    foreign = database.execute("SELECT count(*) FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()[0]
    if foreign:
        raise UserError(f"{backup} is no backup of this program: it holds triggers or views")
    if database.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
        raise UserError(f"{backup} is damaged: its database does not pass the integrity check")
    if database.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise UserError(f"{backup} is damaged: some of its rows refer to rows that are not there")


def _is_noted(database: sqlite3.Connection) -> bool:
    return bool(database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (NOTED,)).fetchone())


def _noted(database: sqlite3.Connection) -> tuple[datetime, Rows]:
    made_at, tables = database.execute(f"SELECT made_at, tables FROM {NOTED}").fetchone()
    try:
        return datetime.fromtimestamp(made_at, UTC), msgspec.json.decode(tables, type=Rows)
    except (msgspec.DecodeError, ValueError, OverflowError, OSError) as error:
        raise sqlite3.DataError("the note is no note") from error


@contextmanager
def speaking_of(path: Path, otherwise: str | None = None) -> Iterator[None]:
    """Raise `UserError` about this file for what SQLite has against it.

    `otherwise` is said of errors that are the program's own unless the file is a stranger's.
    """
    try:
        yield
    except sqlite3.Error as error:
        words = sqlite_errors.reason(error) or otherwise
        if words is None:
            raise
        raise UserError(f"{path}: {words}") from error
