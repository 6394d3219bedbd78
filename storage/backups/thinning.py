"""Which backups are kept: all of the last day, then fewer and fewer, none for longer than was promised."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from storage.backups import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FRESH = timedelta(days=1)
"""Nothing that young is deleted: somebody may have made it by hand, for a reason."""

PERIODS: tuple[tuple[Callable[[datetime], object], int], ...] = (
    (lambda made: made.date(), 7),
    (lambda made: made.isocalendar()[:2], 4),
    (lambda made: (made.year, made.month), 6),
)
"""Of the latest 7 days, 4 weeks and 6 months (in UTC) that have a backup, the last one each."""

PART = ".part"
"""How the names of files end that are still being written."""

_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"migrebot-(\d{8}T\d{6}Z)\.db\.gz(\.age)?")
_LEFT = re.compile(rf"\.({_NAME.pattern}|{marks.NAME})\.[0-9a-f]+{re.escape(PART)}")


def name_of(made: datetime, *, encrypted: bool) -> str:
    """Give the name of a backup that is made at an instant."""
    return f"migrebot-{made.astimezone(UTC):{_TIMESTAMP}}.db.gz{'.age' if encrypted else ''}"


def thin(directory: Path, now: datetime, keep_days: int) -> int:
    """Delete the backups in a directory that are not to be kept, and what killed processes left; tells how many.

    Files of other names are left alone. Raises `OSError`.
    """
    names = [path.name for path in directory.iterdir()]
    removed = unwanted(names, now, keep_days)
    for name in (*filter(is_left, names), *removed):
        directory.joinpath(name).unlink(missing_ok=True)
    return len(removed)


def is_left(name: str) -> bool:
    """Tell whether it is the name of a file that somebody began to write and did not finish."""
    return _LEFT.fullmatch(name) is not None


def unwanted(names: Iterable[str], now: datetime, keep_days: int) -> list[str]:
    """Of the files with these names, list the backups that are not to be kept."""
    found: dict[datetime, list[str]] = {}
    for name in names:
        if (made := _made_at(name)) is not None:
            found.setdefault(made, []).append(name)
    return [name for made in superfluous(found, now, keep_days) for name in found[made]]


def superfluous(made: Iterable[datetime], now: datetime, keep_days: int) -> set[datetime]:
    """Tell which of the backups made at these instants are not to be kept; the newest one always is."""
    newest_first = sorted(made, reverse=True)
    kept = {each for each in newest_first if now - each < FRESH}
    for period, number in PERIODS:
        last: dict[object, datetime] = {}
        for each in newest_first:
            last.setdefault(period(each), each)
        kept.update(list(last.values())[:number])
    in_time = {each for each in kept if now - each <= timedelta(days=keep_days)}
    return set(newest_first) - in_time - set(newest_first[:1])


def _made_at(name: str) -> datetime | None:
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return datetime.strptime(found[1], _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
