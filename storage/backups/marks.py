"""The marks of those who were erased, in a file beside the backups, so that a restore erases them again.

The database has them too and is what counts, but may be lost; a backup only knows who was erased before it was made.
The file is only ever added to: a line a mark, with the instant of the erasure, and a line for each key that marks were
made with, with the instant since when it was. Instants are in microseconds. A line that was cut off is no line.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from migrebot.erasures import name_of
from storage.backups.files import explained
from storage.columns import micros

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

NAME = "erased"
"""What the file is called."""

Moments = dict[str, int]
"""When the person with this mark was last erased, in microseconds."""

_HEAD = (
    "# Who was erased, in a way that nobody can read. Keep this file with the backups: a restore erases them again.\n"
)
_MARK = re.compile(r"([0-9a-f]{64}) ([0-9]{1,18})")
_KEY = re.compile(r"key ([0-9a-f]{16}) ([0-9]{1,18})")


class Marks(Struct, frozen=True):
    """All marks of a file, and since when (in microseconds) they were made with which keys, by the keys' names."""

    moments: Moments
    keys: dict[str, int]


def read(directory: Path) -> Marks | None:
    """Read the marks that are kept in a directory, None if there is no such file; raises `UserError`."""
    path = directory / NAME
    with explained(path):
        try:
            text = path.read_bytes().decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
    moments: Moments = {}
    keys: dict[str, int] = {}
    for line in text.split("\n")[:-1]:
        if found := _MARK.fullmatch(line):
            moments = later(moments, {found[1]: int(found[2])})
        elif found := _KEY.fullmatch(line):
            keys.setdefault(found[1], int(found[2]))
    return Marks(moments, keys)


def later(one: Moments, other: Mapping[str, int]) -> Moments:
    """Give the marks of both, the later instant of those that are in both."""
    return one | {mark: at for mark, at in other.items() if at > one.get(mark, -1)}


def joined(content: bytes, other: bytes) -> bytes:
    """Give the content of such a file with the lines of another one that it does not have; both as they are stored."""
    whole = content[: content.rfind(b"\n") + 1]
    known = set(whole.split(b"\n"))
    return whole + b"".join(line + b"\n" for line in other.split(b"\n")[:-1] if line not in known)


def keep(directory: Path, moments: Mapping[str, int], key: bytes, now: datetime) -> None:
    """Add to the file in a directory what it does not have yet, and make it if there is none; raises `UserError`.

    `key` is what the marks were made with, at least from `now` on. All of it is on the disk when this returns.
    """
    path = directory / NAME
    found = read(directory)
    known = found or Marks({}, {})
    lines = [] if name_of(key) in known.keys else [f"key {name_of(key)} {micros(now)}\n"]
    lines += [f"{mark} {at}\n" for mark, at in moments.items() if at > known.moments.get(mark, -1)]
    if not lines:
        return
    with explained(path):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            # Whatever was cut off before ends here. Lines that are empty are none.
            file.write((("\n" if found else _HEAD) + "".join(lines)).encode())
            file.flush()
            os.fsync(descriptor)
