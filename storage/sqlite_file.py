"""The SQLite file on the disk: made for its owner's eyes only, opened with our settings, used by one process."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from migrebot.errors import UserError
from storage import sqlite_errors

if TYPE_CHECKING:
    from pathlib import Path

OLDEST_SQLITE = (3, 37, 0)
"""The first version with STRICT tables."""

BUSY_TIMEOUT_S = 5
"""Seconds to wait for another process (a command, a backup) that writes."""

# Synchronous FULL is what "durable" means in WAL. secure_delete overwrites what is deleted, since it is health data;
# its cost could not be told from noise. 16 MB of cache (2 MB is the default) keep the busy pages of a large diary. What
# SQLite sets aside for a rollback stays in memory: a temporary file would be one more place with health data in it.
_SETTINGS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -16000;
PRAGMA temp_store = MEMORY;
"""


def address_of(path: Path) -> str:
    """Give the URI that opens the file; it does not make one: nothing must take the place of a file that vanished."""
    return f"{path.absolute().as_uri()}?mode=rw"


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, which has to exist, with our settings; raises `sqlite3.Error`."""
    connection = sqlite3.connect(
        address_of(path),
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,  # a worker thread at a time uses it
        cached_statements=256,
    )
    try:
        connection.executescript(_SETTINGS)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def create_if_missing(path: Path) -> None:
    """Make the file and its directory, for their owner alone; raises `UserError`."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise UserError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise UserError(f"{path} cannot be opened: {error.strerror}") from error


class ProcessLock:
    """Held by the one process that runs on a database, until it ends in whatever way.

    A second, empty database beside the first is locked in its stead: a lock on the database itself would keep
    commands and backups from reading it, and a file with a process id in it outlives a crash. SQLite's locks work
    on every system it runs on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._connection: sqlite3.Connection | None = None

    @property
    def held(self) -> bool:
        """Tell whether this process holds it."""
        return self._connection is not None

    def acquire(self, wait_s: float = 0) -> bool:
        """Take the lock; tell whether it is held now. Raises `UserError`."""
        if self._connection is not None:
            return True
        create_if_missing(self._path)
        connection = sqlite3.connect(self._path, timeout=wait_s, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return False
            raise UserError(f"{self._path} cannot be locked: {sqlite_errors.reason(error) or error}") from error
        self._connection = connection
        return True

    def release(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
