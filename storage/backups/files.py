"""The small things that are done with files around a backup."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrebot.errors import UserError
from storage.sqlite_file import ProcessLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECE = 1 << 20
"""Bytes that are read and written at once."""

_PREFIX = "backup-in-work-"


@contextmanager
def workshop(directory: Path) -> Iterator[Path]:
    """Give an empty directory inside of this one, for one process at a time, and delete it in the end.

    What a process that was killed left there is deleted first. Raises `UserError`.
    """
    lock = ProcessLock(directory / "backup")
    try:
        if not lock.acquire():
            raise UserError(f"another backup or restore is under way in {directory}")
        for left in directory.glob(f"{_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=directory) as made:
            yield directory / made
    finally:
        lock.release()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise `UserError` for what the operating system has against reading or writing this file."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error


def publish(content: Path, path: Path) -> None:
    """Put a finished file in its place, all of it or nothing, and have it on the disk; raises `OSError`."""
    with content.open("rb") as file:
        os.fsync(file.fileno())
    content.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
