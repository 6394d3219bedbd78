"""What is asked of a backup and told of it, as data that can be handed to another process."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from migrebot.reports.backups import Trouble


class DiskFailed(Exception):
    """What was asked of the Yandex Disk was not done; `trouble` says why. Asking again later harms nothing."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.kind)
        self.trouble = trouble


class Place(Struct, frozen=True, kw_only=True):
    """A database: the path of its SQLite file, or the address of the server; `work` is a directory to prepare things.

    Things are prepared beside the database: they are as readable as the database is.
    """

    file: str = ""
    url: str = ""
    work: str


class Disk(Struct, frozen=True, kw_only=True):
    """A Yandex Disk: the token that opens it and the server of its API; an answer is waited for `patience` seconds."""

    token: str
    api_base: str
    patience: float = 60

    def __repr__(self) -> str:
        return f"Disk(api_base={self.api_base!r}, ...)"


class Upload(Struct, frozen=True, kw_only=True, tag=True):
    """A backup at a path that is to be copied to a Disk; of those there, some are deleted as by `Order.keep_days`."""

    path: str
    disk: Disk
    now: datetime
    keep_days: int


class Trial(Struct, frozen=True, kw_only=True, tag=True):
    """A Disk that is to be tried, without leaving anything there but a folder."""

    disk: Disk


class Order(Struct, frozen=True, kw_only=True, tag=True):
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


class Uploaded(Struct, frozen=True, kw_only=True, tag=True):
    """A backup that is on the Disk, compared by its hash, and how many others were deleted there."""

    removed: int


class Tried(Struct, frozen=True, kw_only=True, tag=True):
    """A Disk that can be used: in which folder, and how many bytes are free there, None if it does not tell."""

    folder: str
    free: int | None


REHEARSAL_FAILED = "the backup could not be restored on trial"
"""How the error begins that says so."""


class Made(Struct, frozen=True, kw_only=True, tag=True):
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
