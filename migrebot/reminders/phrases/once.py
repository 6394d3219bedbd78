"""What fires once, or several times on one day: the schedules it may be."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from migrebot.reminders.occurrences import resolve
from migrebot.reminders.phrases import days as dates
from migrebot.reminders.phrases import hours
from migrebot.reminders.phrases.answers import Asked, Assumed, Reason
from migrebot.reminders.phrases.moment import Candidate, Refused
from migrebot.reminders.phrases.pieces import (
    EachWeekdays,
    EveryOtherDayPerhaps,
    Hour,
    Hours,
    In,
    InSome,
    Length,
    NextUnit,
    OnDate,
    Weekdays,
)
from migrebot.reminders.schedule import Calendar, Once, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrebot.reminders.phrases.days import Rolling
    from migrebot.reminders.phrases.moment import Here
    from migrebot.reminders.phrases.slots import Slots


def candidates(said: Slots, here: Here) -> list[Candidate]:
    """List what a phrase that does not repeat may mean.

    Raises:
        Refused: it means nothing, or something that has passed.
    """
    if said.begin or said.end or said.lasting or said.count:
        raise Refused(Reason.CONTRADICTION)
    match said.length:
        case InSome(number=number):
            return _in_some(number, said, here)
        case In(length=length):
            return _in(length, said, here)
        case EveryOtherDayPerhaps():
            raise Refused(Reason.CONTRADICTION)
        case None:
            return _on_a_day(said, here)


def once(wall: datetime, timezone: str, assumed: Iterable[Assumed] = (), asked: Asked = Asked.WHICH_TIME) -> Candidate:
    """Make what fires at a local wall time; the clocks' changes are among what is assumed."""
    schedule = Schedule(pattern=Once(wall), timezone=timezone)
    return Candidate(schedule, (*assumed, *_changes(wall, timezone)), asked)


def _changes(wall: datetime, timezone: str) -> tuple[Assumed, ...]:
    """Tell whether the clocks skip a wall time or show it twice."""
    zone = ZoneInfo(timezone)
    if resolve(wall, timezone).astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        return (Assumed.SKIPPED_TIME,)
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return (Assumed.REPEATED_TIME,) if first != second else ()


def _in_some(number: int, said: Slots, here: Here) -> list[Candidate]:
    _nothing_else(said)
    lengths = (Length(seconds=number * 60), Length(seconds=number * 3600))
    return [
        Candidate(found.schedule, found.assumed, Asked.WHICH_UNIT)
        for length in lengths
        for found in _in(length, said, here)
    ]


def _nothing_else(said: Slots) -> None:
    if said.day or said.within or said.hours or said.part:
        raise Refused(Reason.CONTRADICTION)


def _in(length: Length, said: Slots, here: Here) -> list[Candidate]:
    if said.day or said.within or (length.seconds and (said.hours or said.part)):
        raise Refused(Reason.CONTRADICTION)
    if not length.months and not length.days:
        wall, timezone = here.after(timedelta(seconds=length.seconds))
        return [once(wall.replace(microsecond=0), timezone)]
    day = later(here.today, length)
    if said.hours or said.part:
        return _at([[(day, ())]], said, here)
    wall = datetime.combine(day, here.wall.time().replace(microsecond=0)) + timedelta(seconds=length.seconds)
    return [once(wall, here.timezone)]


def later(day: date, length: Length) -> date:
    """Give the date a length of months and days later; a month without that day has its last one instead.

    Raises:
        Refused: it is further away than anybody plans.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + length.months, 12)
    if year > day.year + 100 or length.days > 40_000:
        raise Refused(Reason.TOO_FAR)
    there = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return there + timedelta(days=length.days)


def _on_a_day(said: Slots, here: Here) -> list[Candidate]:
    if isinstance(said.day, Weekdays):
        return _on_weekdays(said.day.weekdays, said, here)
    if isinstance(said.day, OnDate) and said.day.or_at and not said.hours and not said.part:
        return _date_or_time(said.day, said.day.or_at, said, here)
    return _at(dates.days(said.day, said.within, here), said, here)


def _date_or_time(day: OnDate, hour: Hour, said: Slots, here: Here) -> list[Candidate]:
    """Read `9.10`, which is a date or a time."""
    as_time = msgspec.structs.replace(said, day=None, hours=Hours((hour,)))
    found = [*_at(dates.days(day, said.within, here), said, here), *_on_a_day(as_time, here)]
    return [Candidate(each.schedule, each.assumed, Asked.WHICH_DAY) for each in found]


def _on_weekdays(weekdays: tuple[int, ...], said: Slots, here: Here) -> list[Candidate]:
    """Leave open whether several weekdays are meant once each, or each week."""
    if isinstance(said.within, NextUnit):
        raise Refused(Reason.CONTRADICTION)
    found = []
    for times, assumed in hours.each(said):
        weekly = Calendar(unit="week", times=times, start=here.today, weekdays=EachWeekdays(weekdays).weekdays)
        count = len(weekdays) * len(times)
        for ends in (count, None):
            schedule = Schedule(pattern=weekly, timezone=here.timezone, count=ends)
            found.append(Candidate(schedule, assumed, Asked.WHICH_DAY))
    return found


def _at(choices: list[Rolling], said: Slots, here: Here) -> list[Candidate]:
    if hours.several(said):
        return _several_times(choices, said, here)
    found: list[Candidate] = []
    passed: datetime | None = None
    times = hours.once(said, here)
    of_days = len(choices) > 1 or _is_of_days(said) or any(shift for _, shift, _ in times)
    asked = Asked.WHICH_DAY if of_days else Asked.WHICH_TIME
    for rolling in choices:
        for at, shift, assumed in times:
            wall, because = _first_to_come(rolling, at, shift, here)
            if because is None:
                passed = wall
            else:
                found.append(once(wall, here.timezone, (*assumed, *because), asked))
    if not found:
        raise Refused(Reason.PAST, instant=resolve(passed, here.timezone) if passed else None)
    return found


def _is_of_days(said: Slots) -> bool:
    return isinstance(said.day, OnDate) and len(said.day.dates) > 1


def _first_to_come(rolling: Rolling, at: time, shift: int, here: Here) -> tuple[datetime, tuple[Assumed, ...] | None]:
    """Find the first of the dates at which the time is still to come; the last one and None if there is none."""
    wall = datetime.combine(rolling[0][0] + timedelta(days=shift), at)
    for day, assumed in rolling:
        wall = datetime.combine(day + timedelta(days=shift), at)
        if resolve(wall, here.timezone) > here.now:
            return wall, assumed
    return wall, None


def _several_times(choices: list[Rolling], said: Slots, here: Here) -> list[Candidate]:
    """Read several times of one day: a calendar that ends with that day."""
    if isinstance(said.hours, Hours) and any(hour.night for hour in said.hours.hours):
        raise Refused(Reason.CONTRADICTION)
    found = []
    for rolling in choices:
        for times, assumed in hours.each(said):
            for day, because in rolling:
                if hours.is_to_come(day, times[0], here):
                    pattern = Calendar(unit="day", times=times, start=day)
                    schedule = Schedule(pattern=pattern, timezone=here.timezone, until=day)
                    found.append(Candidate(schedule, (*assumed, *because)))
                    break
    if not found:
        last = datetime.combine(choices[0][-1][0], time(0))
        raise Refused(Reason.PAST, instant=resolve(last, here.timezone).astimezone(UTC))
    return found
