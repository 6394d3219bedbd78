"""What fires again and again: the schedules it may be."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import msgspec

from migrebot.reminders.occurrences import complaint, next_firing, resolve
from migrebot.reminders.phrases import days as dates
from migrebot.reminders.phrases import hours
from migrebot.reminders.phrases.answers import Asked, Assumed, Reason
from migrebot.reminders.phrases.moment import Candidate, Refused
from migrebot.reminders.phrases.once import later
from migrebot.reminders.phrases.pieces import (
    Day,
    Each,
    EachLength,
    EachMonthDays,
    EachWeekdays,
    Hours,
    Midnight,
    OnDate,
    TimesADay,
    Weekdays,
)
from migrebot.reminders.schedule import MIN_MINUTES, Calendar, Interval, Pattern, Schedule

if TYPE_CHECKING:
    from migrebot.reminders.phrases.moment import Here
    from migrebot.reminders.phrases.slots import Slots

_MOST_MINUTES = 10 * 366 * 24 * 60
_MOST_EVERY = 1_000
_SHORTEST_MONTH = 28


def candidates(said: Slots, here: Here) -> list[Candidate]:
    """List what a phrase that repeats may mean.

    Raises:
        Refused: it means nothing, something too often, or something that ends before it begins.
    """
    if said.length or said.within or isinstance(said.day, Weekdays):
        raise Refused(Reason.CONTRADICTION)
    if isinstance(said.each, EachLength):
        return [_interval(said.each.seconds, said, here)]
    return [_calendar(said, here, times, assumed, start) for (times, assumed), start in _choices(said, here)]


def _choices(said: Slots, here: Here) -> product[tuple[tuple[tuple[time, ...], tuple[Assumed, ...]], date | None]]:
    with_hours = _with_begin(said)
    if isinstance(said.times, TimesADay) and said.times.times != _how_many(with_hours):
        raise Refused(Reason.NO_HOUR)
    return product(hours.each(with_hours), _starts(said, here))


def _with_begin(said: Slots) -> Slots:
    """Let "every day from 9" be at 9; its day is no day to take the time from."""
    at = said.begin.what if said.begin and isinstance(said.begin.what, Hours) else None
    if at is not None and said.hours is not None:
        raise Refused(Reason.CONTRADICTION)
    each = said.each or Each("day")
    return msgspec.structs.replace(said, hours=at or said.hours, day=None, each=each)


def _how_many(said: Slots) -> int:
    return len(said.hours.hours) if isinstance(said.hours, Hours) else 1 if isinstance(said.hours, Midnight) else 0


def _starts(said: Slots, here: Here) -> list[date | None]:
    """List the days it may begin with; None is as soon as it can."""
    if said.begin and said.day:
        raise Refused(Reason.CONTRADICTION)
    day = said.begin.what if said.begin and not isinstance(said.begin.what, Hours) else said.day
    if day is None:
        return [None]
    if isinstance(day, Weekdays):
        raise Refused(Reason.CONTRADICTION)
    return [rolling[0][0] for rolling in dates.days(day, None, here)]


def _interval(seconds: int, said: Slots, here: Here) -> Candidate:
    """Repeat by elapsed time; the first one comes after one interval, or at the hour it is said to begin with."""
    minutes, rest = divmod(seconds, 60)
    if rest or minutes < MIN_MINUTES:
        raise Refused(Reason.TOO_OFTEN)
    if minutes > _MOST_MINUTES:
        raise Refused(Reason.TOO_FAR)
    if said.hours or said.part or said.day:
        raise Refused(Reason.CONTRADICTION)
    start = here.now.replace(microsecond=0)
    if said.begin is not None:
        start = _begin(said.begin.what, here) - timedelta(minutes=minutes)
    pattern = Interval(minutes=minutes, start=start)
    count = said.count.count if said.count else None
    if said.lasting is not None:
        length = later(here.today, said.lasting.length) - here.today + timedelta(seconds=said.lasting.length.seconds)
        count = _only(count, length // timedelta(minutes=minutes))
    return Candidate(Schedule(pattern=pattern, timezone=here.timezone, until=_until(said, here), count=count))


def _begin(what: Day | Hours, here: Here) -> datetime:
    """Find the instant of the first firing of an interval.

    Raises:
        Refused: it is not said clearly, or has passed.
    """
    if not isinstance(what, Hours):
        day = dates.days(what, None, here)[0][0][0]
        wall = datetime.combine(day, hours.DEFAULT)
    else:
        (hour,) = what.hours[:1]
        day = here.today if hours.is_to_come(here.today, hour.at, here) else here.today + timedelta(days=1)
        wall = datetime.combine(day, hour.at)
    if (instant := resolve(wall, here.timezone)) <= here.now:
        raise Refused(Reason.PAST, instant=instant)
    return instant


def _only(said: int | None, computed: int) -> int:
    if said is not None:
        raise Refused(Reason.CONTRADICTION)
    if computed < 1:
        raise Refused(Reason.NEVER)
    return computed


def _until(said: Slots, here: Here) -> date | None:
    if said.end is None:
        return None
    choices = dates.days(said.end.what, None, here)
    if len(choices) > 1 and isinstance(said.end.what, OnDate):
        raise Refused(Reason.CONTRADICTION)
    # "Until Sunday", said on a Sunday, is the next one.
    day = choices[-1][0][0]
    if day < here.today:
        raise Refused(Reason.NEVER)
    return day


def _calendar(
    said: Slots, here: Here, times: tuple[time, ...], assumed: tuple[Assumed, ...], start: date | None
) -> Candidate:
    pattern, because = _pattern(said, here, times, start)
    because = (*assumed, *because)
    if any(day > _SHORTEST_MONTH for day in pattern.month_days):
        because = (*because, Assumed.SHORT_MONTHS)
    _check(pattern)
    pattern = _from_first(pattern, here)
    count = said.count.count if said.count else None
    until = _until(said, here)
    if said.lasting is not None:
        if said.lasting.length.seconds or until is not None:
            raise Refused(Reason.CONTRADICTION)
        until = later(pattern.start, said.lasting.length) - timedelta(days=1)
    schedule = Schedule(pattern=pattern, timezone=here.timezone, until=until, count=count)
    return Candidate(schedule, because, Asked.WHICH_DAY if said.begin or said.day else Asked.WHICH_TIME)


def _check(pattern: Pattern) -> None:
    if isinstance(pattern, Calendar) and not 0 < pattern.every <= _MOST_EVERY:
        raise Refused(Reason.TOO_FAR)
    if complaint(pattern):
        raise Refused(Reason.TOO_OFTEN)


def _pattern(
    said: Slots, here: Here, times: tuple[time, ...], start: date | None
) -> tuple[Calendar, tuple[Assumed, ...]]:
    since = start or _soonest(times, here)
    unknown = () if start else (Assumed.SAME_DAY,)
    daily = Calendar(unit="day", times=times, start=since)
    change = partial(msgspec.structs.replace, daily)
    match said.each:
        case EachWeekdays(weekdays=weekdays, every=every):
            return change(unit="week", every=every, weekdays=weekdays), ()
        case EachMonthDays(days=days, every=every):
            return change(unit="month", every=every, month_days=days), ()
        case Each(unit="week", every=every):
            return change(unit="week", every=every, weekdays=(since.weekday(),)), unknown
        case Each(unit="month", every=every):
            return change(unit="month", every=every, month_days=(since.day,)), unknown
        case Each(unit="year", every=every):
            return change(unit="month", every=12 * every, month_days=(since.day,)), unknown
        case Each(unit="day", every=every):
            return change(every=every), ()
        case _:
            return daily, ()


def _soonest(times: tuple[time, ...], here: Here) -> date:
    """Give today if one of the times is still to come, else tomorrow."""
    return here.today if hours.is_to_come(here.today, times[-1], here) else here.today + timedelta(days=1)


def _from_first(pattern: Calendar, here: Here) -> Calendar:
    """Let it begin with the first day on which it fires, so that "every 2 weeks" are counted from there."""
    every_one = msgspec.structs.replace(pattern, every=1 if pattern.every % 12 or pattern.unit != "month" else 12)
    first = next_firing(Schedule(pattern=every_one, timezone=here.timezone), here.now)
    if first is None:
        raise Refused(Reason.NEVER)
    day = here.date_of(first)
    return msgspec.structs.replace(pattern, start=max(day, pattern.start))
