"""When a reminder fires, as data: local wall times in a zone, or an interval of elapsed time.

A schedule says nothing of instants: `migrebot.reminders.occurrences` finds those, by the rule for daylight saving. It
is stored as JSON, with the name of its kind in the field `type`.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Literal

from msgspec import Struct


class Once(Struct, frozen=True, tag="once"):
    """One local wall time, without zone."""

    at: datetime


class Interval(Struct, frozen=True, kw_only=True, tag="interval"):
    """Every so many minutes of elapsed time after `start` (UTC), whatever the clocks on the wall do meanwhile.

    The first firing is one interval after `start`. At least `MIN_MINUTES`.
    """

    minutes: int
    start: datetime


class Calendar(Struct, frozen=True, kw_only=True, tag="calendar"):
    """At `times` of certain local days, from the day `start` on.

    Every `every` days, weeks or months, counted from the day, the ISO week or the month of `start`. `weekdays` (0 is
    Monday) narrow days and weeks down; `month_days` (1 to 31, or -1 for the last) name the days of a month. A month
    without such a day has its last one instead, so that the 31st is never skipped. Times and days are sorted and not
    repeated; a weekly schedule names at least one weekday, a monthly one at least one day.
    """

    unit: Literal["day", "week", "month"]
    times: tuple[time, ...]
    start: date
    every: int = 1
    weekdays: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()


class Cron(Struct, frozen=True, tag="cron"):
    """Five fields of a cron expression, in local wall time."""

    expression: str


Pattern = Once | Interval | Calendar | Cron

MIN_MINUTES = 5
"""Minutes between two firings, at least: more often is a flood, not a reminder."""


class Schedule(Struct, frozen=True, kw_only=True, cache_hash=True):
    """A pattern, and when it ends: after the local date `until`, or after `count` firings; None is never.

    `timezone` is the zone of all its local times (an IANA name).
    """

    pattern: Pattern
    timezone: str
    until: date | None = None
    count: int | None = None

    @property
    def repeats(self) -> bool:
        """Tell whether it may fire more than once."""
        return not isinstance(self.pattern, Once)
