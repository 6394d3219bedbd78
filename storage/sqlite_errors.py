"""The one place that knows the errors of sqlite3."""

from __future__ import annotations

import sqlite3

from migrebot.errors import StorageUnavailable

_REASONS = {
    sqlite3.SQLITE_BUSY: "the database is locked by another process",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
    sqlite3.SQLITE_PERM: "the database file may not be opened",
    sqlite3.SQLITE_READONLY: "the database file cannot be written",
    sqlite3.SQLITE_IOERR: "reading or writing the database file failed",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another process",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}

UNSTORABLE = (sqlite3.IntegrityError, sqlite3.DataError, UnicodeEncodeError, OverflowError)
"""What a value raises that the schema does not take; it speaks of one unit alone, not of the database."""


def reason(error: sqlite3.Error) -> str | None:
    """Say in words why the database could not do its work; None for what is not its fault but the program's."""
    # The low byte is the primary code; the others only tell where it happened.
    return _REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def unavailable(error: sqlite3.Error) -> StorageUnavailable | None:
    """Translate an error that may pass; None for one that cannot."""
    words = reason(error)
    return None if words is None else StorageUnavailable(words)


def spoils_connection(error: BaseException) -> bool:
    """Tell whether a connection that raised this error should be opened anew."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
