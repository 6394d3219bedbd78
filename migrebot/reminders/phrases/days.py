"""The local dates that a said day may be."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING

from migrebot.reminders.phrases.answers import Assumed, Reason
from migrebot.reminders.phrases.moment import Refused
from migrebot.reminders.phrases.pieces import Day, MonthDay, NextUnit, Offset, OnDate, Weekday

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrebot.reminders.phrases.moment import Here

Rolling = list[tuple[date, tuple[Assumed, ...]]]
"""Dates in order, of which the first one that has not passed is meant, and what is assumed by it."""

_LEAP_YEARS = 9
"""Years within which every date comes, 29 February across 2100 too."""


def days(day: Day | None, within: NextUnit | None, here: Here) -> list[Rolling]:
    """List what a day may mean: mostly one thing.

    Raises:
        Refused: there is no such day, or it is said two ways that differ.
    """
    today = here.today
    match day:
        case None if within is not None:
            raise Refused(Reason.LEFT_OVER)
        case None:
            return [[(today, ()), (today + timedelta(days=1), (Assumed.NEXT_DAY,))]]
        case Offset(days=offset):
            _only_without(within)
            return [[(today + timedelta(days=offset), ())]]
        case Weekday():
            return [[(found, ())] for found in _weekday(day, within, here)]
        case MonthDay():
            return [[(found, ()) for found in _month_day(day, within, today)]]
        case OnDate():
            _only_without(within)
            return _on_date(day, here)


def _only_without(within: NextUnit | None) -> None:
    if within is not None:
        raise Refused(Reason.CONTRADICTION)


def _weekday(day: Weekday, within: NextUnit | None, here: Here) -> list[date]:
    today = here.today
    ahead = (day.weekday - today.weekday()) % 7
    coming = today + timedelta(days=ahead or 7)
    if within is not None:
        if within.unit != "week":
            raise Refused(Reason.CONTRADICTION)
        return [today + timedelta(days=7 - today.weekday() + day.weekday)]
    if ahead == 0:
        return [coming] if day.next else [today, coming]
    in_this_week = coming.isocalendar()[:2] == today.isocalendar()[:2]
    # French and Spanish call the coming one so; the others may mean the one after.
    if day.next and in_this_week and here.language not in {"fr", "es"}:
        return [coming, coming + timedelta(days=7)]
    return [coming]


def _month_day(day: MonthDay, within: NextUnit | None, today: date) -> list[date]:
    if within is not None and within.unit != "month":
        raise Refused(Reason.CONTRADICTION)
    found = list(_in_months(day.day, today, range(13) if within is None else range(1, 2)))
    if not found:
        raise Refused(Reason.NO_SUCH_DAY)
    if day.weekday is None:
        return found
    # Neither this month's day nor the next one's is another weekday than was said.
    right = [each for each in found[:2] if each.weekday() == day.weekday]
    if not right:
        raise Refused(Reason.CONTRADICTION)
    return right


def _in_months(day: int, today: date, ahead: range) -> Iterator[date]:
    for months in ahead:
        year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
        last = monthrange(year, month + 1)[1]
        if day <= last:
            yield date(year, month + 1, last if day < 0 else day)


def _on_date(day: OnDate, here: Here) -> list[Rolling]:
    read = [_rolling(year, month, number, here.today) for year, month, number in day.dates]
    possible = [found for found in read if found]
    if not possible:
        raise Refused(Reason.NO_SUCH_DAY)
    if day.weekday is not None:
        possible = [found for found in possible if found[0][0].weekday() == day.weekday]
        if not possible:
            raise Refused(Reason.CONTRADICTION)
    if len(possible) == 1 or here.language == "en":
        return possible
    return [[(found, (*assumed, Assumed.DAY_FIRST)) for found, assumed in possible[0]]]


def _rolling(year: int | None, month: int, day: int, today: date) -> Rolling:
    if year is not None:
        found = _date(year, month, day)
        return [(found, ())] if found else []
    years = range(today.year, today.year + _LEAP_YEARS)
    dates = [found for each in years if (found := _date(each, month, day)) and found >= today]
    return [(found, (Assumed.NEXT_YEAR,) if found.year > today.year else ()) for found in dates]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
