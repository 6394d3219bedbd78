"""What is asked of a backup and told of it, as data that can be handed to another process."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Place(Struct, frozen=True, kw_only=True):
    """A database: the path of its SQLite file, or the address of the server; `work` is a directory to prepare things.

    Things are prepared beside the database: they are as readable as the database is.
    """

    file: str = ""
    url: str = ""
    work: str


class Order(Struct, frozen=True, kw_only=True):
    """A backup to be made of `place` in a directory, under this name or one that tells the instant `now`.

    `recipient` is an age public key, empty for a plain backup. `keep_days` thins the directory afterwards; without it
    nothing is deleted.
    """

    place: Place
    directory: str
    name: str = ""
    now: datetime
    recipient: str = ""
    keep_days: int | None = None


class Made(Struct, frozen=True, kw_only=True):
    """A backup that was made: where, how many rows are in it, of how many bytes it is, how many others were deleted.

    `same_disk` tells that it would be lost together with the database.
    """

    path: str
    rows: int
    size: int
    removed: int
    same_disk: bool

    def __str__(self) -> str:
        return f"{self.path}: {self.rows} rows, {self.size} bytes, restored on trial and compared"
