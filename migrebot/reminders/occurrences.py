"""The instants at which a schedule fires.

The rule for daylight saving: each local wall time fires once. Where clocks skip it, at the first instant after the
gap; where they repeat it, the first time only. An interval follows elapsed time and knows no clocks on walls.

So resolving a wall time to its instant never reverses an order: a later wall time is never an earlier instant. All
of the searching here rests on that.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, assert_never
from zoneinfo import ZoneInfo

import msgspec
from croniter import CroniterBadDateError, croniter

from migrebot.config import cron
from migrebot.reminders.schedule import MIN_MINUTES, Calendar, Cron, Interval, Once, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrebot.reminders.schedule import Pattern

_LAST_YEAR = 9_000
"""Nothing fires after it: dates end at 9999, and some arithmetic has to be done beyond the day asked for."""

_REMEMBERED = 1_000
"""Firings that are kept by their schedules and the instants they follow."""

_SECOND = timedelta(seconds=1)
_DAY_MINUTES = 24 * 60


def next_firing(schedule: Schedule, after: datetime, *, fired: int = 0) -> datetime | None:
    """Give the first firing strictly after an instant, in UTC; None if there is none any more.

    `fired` is how often it fired or was skipped before, for a schedule that ends by a count.
    """
    if schedule.count is not None and fired >= schedule.count:
        return None
    return _first_after(schedule, after)


@lru_cache(_REMEMBERED)
def _first_after(schedule: Schedule, after: datetime) -> datetime | None:
    # Remembered, since a great many fire at the same time of the day: finding it takes 15 µs.
    return next(_until(schedule, after), None)


def firings(schedule: Schedule, after: datetime, *, fired: int = 0) -> Iterator[datetime]:
    """Give the firings strictly after an instant, one by one, in UTC."""
    left = None if schedule.count is None else max(0, schedule.count - fired)
    return islice(_until(schedule, after), left)


def count_firings(schedule: Schedule, after: datetime, until: datetime, *, fired: int, most: int) -> int:
    """Count the firings after one instant up to and with another, as far as `most`."""
    if isinstance(schedule.pattern, Interval) and schedule.until is None:
        interval = schedule.pattern
        number = max(0, _intervals(interval, until)) - max(0, _intervals(interval, after))
        left = most if schedule.count is None else max(0, schedule.count - fired)
        return min(number, left, most)
    found = 0
    for instant in islice(firings(schedule, after, fired=fired), most):
        if instant > until:
            break
        found += 1
    return found


def resolve(wall: datetime, timezone: str) -> datetime:
    """Give the instant (UTC) of a local wall time, by the rule for daylight saving."""
    first = wall.replace(tzinfo=ZoneInfo(timezone), fold=0)
    ahead, ahead_then = first.utcoffset(), first.replace(fold=1).utcoffset()
    if ahead is None or ahead_then is None:
        raise ValueError(timezone)
    instant = (wall - ahead).replace(tzinfo=UTC)
    if ahead >= ahead_then:
        return instant
    # In a gap: its beginning lies between the two readings of the wall time.
    return _change_between((wall - ahead_then).replace(tzinfo=UTC), instant, ZoneInfo(timezone))


def complaint(pattern: Pattern) -> str:
    """Tell in a few English words why a pattern cannot be; empty text when it can."""
    match pattern:
        case Interval(minutes=minutes) if minutes < MIN_MINUTES:
            return f"less than {MIN_MINUTES} minutes apart"
        case Cron(expression=expression):
            return cron.complaint(expression) or _cron_complaint(expression)
        case Calendar() as calendar:
            return _calendar_complaint(calendar)
        case _:
            return ""


def moved(schedule: Schedule, timezone: str, now: datetime) -> Schedule:
    """Give the schedule in another zone, at the same local hours.

    A single time that has not come yet but would have passed over there stays where it is: it must not be lost.
    """
    there = msgspec.structs.replace(schedule, timezone=timezone)
    if next_firing(there, now) is None and next_firing(schedule, now) is not None:
        return schedule
    return there


# --- each kind of pattern ----------------------------------------------------------------------------------------


def _until(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Give the firings up to the last local date."""
    last = schedule.until
    match schedule.pattern:
        case Once(at=at):
            found: Iterable[tuple[date, datetime]] = _resolved([at], schedule.timezone, after)
        case Interval() as interval:
            found = _each_interval(interval, schedule.timezone, after)
        case Calendar() as calendar:
            found = _resolved(_calendar_walls(calendar, _wall(after, schedule.timezone)), schedule.timezone, after)
        case Cron(expression=expression):
            found = _resolved(_cron_walls(expression, _wall(after, schedule.timezone)), schedule.timezone, after)
        case _:
            assert_never(schedule.pattern)
    for day, instant in found:
        if last is not None and day > last:
            return
        yield instant


def _wall(instant: datetime, timezone: str) -> datetime:
    """Give the local wall time: all firings after the instant are of later wall times."""
    return instant.astimezone(ZoneInfo(timezone)).replace(tzinfo=None, fold=0)


def _resolved(walls: Iterable[datetime], timezone: str, after: datetime) -> Iterator[tuple[date, datetime]]:
    """Give the local dates and instants of wall times in order; two within one gap are one instant."""
    last = after
    for wall in walls:
        instant = resolve(wall, timezone)
        if instant > last:
            last = instant
            yield wall.date(), instant


def _each_interval(interval: Interval, timezone: str, after: datetime) -> Iterator[tuple[date, datetime]]:
    number, zone = max(1, _intervals(interval, after) + 1), ZoneInfo(timezone)
    while True:
        try:
            instant = interval.start + timedelta(minutes=interval.minutes * number)
            yield instant.astimezone(zone).date(), instant
        except OverflowError:
            return
        number += 1


def _intervals(interval: Interval, until: datetime) -> int:
    """Tell how many whole intervals have passed since the start."""
    return (until - interval.start) // timedelta(minutes=interval.minutes)


def _calendar_walls(calendar: Calendar, after: datetime) -> Iterator[datetime]:
    """Give the wall times from the day of `after` on."""
    for day in _DAYS[calendar.unit](calendar, max(calendar.start, after.date())):
        for at in calendar.times:
            if (wall := datetime.combine(day, at)) > after:
                yield wall


def _by_days(calendar: Calendar, since: date) -> Iterator[date]:
    every, missed = calendar.every, 0
    number = since.toordinal() + (calendar.start.toordinal() - since.toordinal()) % every
    while number < date(_LAST_YEAR, 1, 1).toordinal():
        day = date.fromordinal(number)
        if not calendar.weekdays or day.weekday() in calendar.weekdays:
            missed = 0
            yield day
        elif (missed := missed + 1) == 7:
            return  # every seventh day is always the same weekday
        number += every


def _by_weeks(calendar: Calendar, since: date) -> Iterator[date]:
    first, monday = _monday(calendar.start), _monday(since)
    monday += (first - monday) % (7 * calendar.every)
    while monday < date(_LAST_YEAR, 1, 1).toordinal():
        for weekday in calendar.weekdays:
            if (day := date.fromordinal(monday + weekday)) >= since:
                yield day
        monday += 7 * calendar.every


def _monday(day: date) -> int:
    return day.toordinal() - day.weekday()


def _by_months(calendar: Calendar, since: date) -> Iterator[date]:
    first, month = _month(calendar.start), _month(since)
    month += (first - month) % calendar.every
    while month < _LAST_YEAR * 12:
        for day in _days_of_month(month, calendar.month_days):
            if day >= since:
                yield day
        month += calendar.every


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _days_of_month(number: int, month_days: Iterable[int]) -> list[date]:
    year, month = divmod(number, 12)
    last = monthrange(year, month + 1)[1]
    return [date(year, month + 1, day) for day in sorted({last if day < 0 else min(day, last) for day in month_days})]


_DAYS = {"day": _by_days, "week": _by_weeks, "month": _by_months}


def _cron_walls(expression: str, after: datetime) -> Iterator[datetime]:
    fields = croniter(expression, after)
    while True:
        try:
            yield fields.get_next(datetime)
        except CroniterBadDateError:
            return


def _calendar_complaint(calendar: Calendar) -> str:
    if not calendar.times or calendar.every < 1:
        return "no time"
    if (calendar.unit == "week" and not calendar.weekdays) or (calendar.unit == "month" and not calendar.month_days):
        return "no day"
    if _closest(at.hour * 60 + at.minute for at in calendar.times) < MIN_MINUTES:
        return f"less than {MIN_MINUTES} minutes apart"
    return "" if next(_calendar_walls(calendar, datetime.combine(calendar.start, time.min)), None) else "no day"


@lru_cache(256)
def _cron_complaint(expression: str) -> str:
    if not croniter.is_valid(expression):
        return "it is not understood"
    minutes, hours = (_numbers(field, size) for field, size in zip(expression.split()[:2], (60, 24), strict=True))
    if _closest(hour * 60 + minute for hour in hours for minute in minutes) < MIN_MINUTES:
        return f"less than {MIN_MINUTES} minutes apart"
    return "" if next(_cron_walls(expression, datetime.combine(date(2026, 1, 1), time.min)), None) else "it never comes"


def _numbers(field: str, size: int) -> set[int]:
    """Read one of the first two fields, which `cron.complaint` found right."""
    parts = (item.partition("/") for item in field.split(","))
    found: set[int] = set()
    for span, _, step in parts:
        low, _, high = span.partition("-")
        bounds = (0, size - 1) if low == "*" else (int(low), int(high or low))
        found.update(range(bounds[0], bounds[1] + 1, int(step or 1)))
    return found


def _closest(at: Iterable[int]) -> int:
    """Tell how many minutes the two nearest of these minutes of a day are apart, across midnight too."""
    ordered = sorted(set(at))
    following = [*ordered[1:], ordered[0] + _DAY_MINUTES]
    return min(later - earlier for earlier, later in zip(ordered, following, strict=True))


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Find the instant at which the zone's clocks change: at a full second after `before`, not after `after`."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, -((before - after) // _SECOND)
    start = before.replace(microsecond=0)
    while high - low > 1:
        middle = (low + high) // 2
        if (start + middle * _SECOND).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return start + high * _SECOND
