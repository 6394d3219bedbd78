"""An oracle for the rule of daylight saving that looks at the clock on the wall alone.

A wall time fires at the first instant at which the clock shows that time or a later one. That says all: where clocks
skip it, it is the end of the gap; where they repeat it, it is the first time. It knows no folds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def shows(zone: str, instant: datetime) -> datetime:
    """Read the clock on a wall."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def first_showing(zone: str, wall: datetime, since: datetime) -> datetime:
    """Watch the clock minute by minute until it shows that time or a later one."""
    while shows(zone, since) < wall:
        since += MINUTE
    return since


@cache
def stretches(zone: str, year: int) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Cut a year, and some days around it, into stretches in which the wall is ahead of UTC by the same span."""
    cuts = []
    now, end = datetime(year - 1, 12, 28, tzinfo=UTC), datetime(year + 1, 1, 5, tzinfo=UTC)
    begin, ahead = now, _ahead(zone, now)
    while now < end:
        if _ahead(zone, now + DAY) == ahead:
            now += DAY
            continue
        while _ahead(zone, now) == ahead:
            now += MINUTE
        cuts.append((begin, now, ahead))
        begin, ahead = now, _ahead(zone, now)
    return (*cuts, (begin, end, ahead))


def showing(zone: str, wall: datetime) -> datetime:
    """Find the first instant that shows that time or a later one, by stretches: quick enough for all zones."""
    for begin, end, ahead in stretches(zone, wall.year):
        instant = max(begin, wall.replace(tzinfo=UTC) - ahead)
        if instant < end:
            return instant
    raise AssertionError(wall)


def _ahead(zone: str, instant: datetime) -> timedelta:
    return shows(zone, instant) - instant.replace(tzinfo=None)
