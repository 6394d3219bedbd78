"""Which rules of time zones this machine has: the system's come first, the package `tzdata` where there are none.

A system's `tzdata.zi` holds all rules in one file; where it is left out, `+VERSION` tells the release, and where that
is too, the time when the files were put there.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import TZPATH


def rules_mark() -> int:
    """Give a number of 63 bits that is another one once the rules may be others; reads two small files."""
    digest = sha256()
    for directory in map(Path, TZPATH):
        digest.update(_told_by(directory))
    digest.update(_of_package())
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def _told_by(directory: Path) -> bytes:
    for name in ("tzdata.zi", "+VERSION"):
        try:
            return (directory / name).read_bytes()
        except OSError:
            continue
    try:
        return str((directory / "Europe").stat().st_mtime_ns).encode()
    except OSError:
        return b"\0"


def _of_package() -> bytes:
    try:
        return version("tzdata").encode()
    except PackageNotFoundError:
        return b""
