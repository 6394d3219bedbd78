"""Erases from a backup that is being restored whoever was erased after it was made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from migrebot.erasures import mark, name_of
from migrebot.messages import Address
from storage.applying import erasing
from storage.backups.content import speaking_of
from storage.backups.marks import NAME, Marks, Moments, later, read
from storage.columns import micros
from storage.queries import named_sql
from storage.sqlite_file import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

_MARKS = "SELECT hash, erased_at FROM erasures"
_PEOPLE = """
SELECT identities.user_id, channel, address, created_at FROM identities JOIN users ON users.id = identities.user_id
"""


class Erasing:
    """Finds those people by the marks in `directories` and in the database that is replaced, and erases them.

    `key` is what the marks were made with, None if it is lost; `made_at` when the backup was made, if that is known.
    `erased` tells how many people were erased, and `doubt` in words for the operator why there may be more; it is empty
    without a doubt.
    """

    def __init__(self, directories: Sequence[Path], key: bytes | None, made_at: datetime | None) -> None:
        self._directories = directories
        self._key = key
        self._made_at = made_at
        self.erased = 0
        self.doubt = ""

    def run(self, fresh: Path, replaced: Moments) -> None:
        """Do so in the unpacked backup `fresh`, and leave the marks that were followed in it; raises `UserError`.

        `replaced` are the marks in the database whose place it will take.
        """
        found = [marks for directory in self._directories if (marks := read(directory))]
        moments = replaced
        for marks in found:
            moments = later(moments, marks.moments)
        with speaking_of(fresh), closing(sqlite3.connect(address_of(fresh), uri=True)) as database:
            database.isolation_level = None
            database.executescript("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; BEGIN IMMEDIATE;")
            # Whom the backup knows to be erased came back before it was made, if they are in it.
            known = dict(database.execute(_MARKS).fetchall())
            new = {each: at for each, at in moments.items() if at > known.get(each, -1)}
            if new and self._key:
                people = set(_marked(database, new, self._key))
                for statement in (each for user_id in sorted(people) for each in erasing(user_id)):
                    database.execute(named_sql()[statement.sql], statement.values)
                database.executemany(named_sql()["remember_erasure"], new.items())
                self.erased = len(people)
            database.execute("COMMIT")
        self.doubt = self._doubt(found, is_needed=bool(new))

    def _doubt(self, found: list[Marks], *, is_needed: bool) -> str:
        """Say what is missing: marks, or the key to them if that `is_needed`."""
        keys = {name: since for marks in found for name, since in marks.keys.items()}
        if not keys:
            return f"no marks of them are kept as {self._directories[0] / NAME}"
        if self._made_at is not None and min(keys.values()) > micros(self._made_at):
            return f"the marks in {self._directories[0] / NAME} begin later than that"
        if is_needed and self._key is None:
            return "their marks tell nothing without secret.key in bot.data_dir"
        if is_needed and self._key and keys.keys() - {name_of(self._key)}:
            return "some of their marks were made with another secret.key"
        return ""


def marks_in(path: Path) -> Moments:
    """Give the marks in a SQLite database: none if it is not there, or is damaged or too old."""
    try:
        with closing(sqlite3.connect(address_of(path), uri=True)) as database:
            return dict(database.execute(_MARKS).fetchall())
    except sqlite3.Error:
        return {}


def _marked(database: sqlite3.Connection, moments: Moments, key: bytes) -> Iterator[int]:
    """Find the people of whom an address is marked, unless they began anew since."""
    for user_id, channel, address, created_at in database.execute(_PEOPLE):
        if moments.get(mark(key, Address(channel, address)), -1) > created_at:
            yield user_id
