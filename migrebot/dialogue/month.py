"""A month as a grid of weeks, for whatever shows one."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST_DAY = date(2000, 1, 1)
"""No diary goes further back."""


def weeks(first: date, today: date, first_weekday: int) -> list[list[date | None]]:
    """List the weeks of the month that have a day up to `today`; None where there is none to choose."""
    return [
        [day if day.month == first.month and day <= today else None for day in week]
        for week in calendar.Calendar(first_weekday).monthdatescalendar(first.year, first.month)
        if week[0] <= today
    ]


def last_of(first: date) -> date:
    """Give the last day of the month that begins with `first`."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def before(first: date) -> date | None:
    """Give the first day of the month before; None if no diary goes so far back."""
    earlier = (first - timedelta(days=1)).replace(day=1)
    return earlier if earlier >= FIRST_DAY else None


def after(first: date, today: date) -> date | None:
    """Give the first day of the month after; None if it is still to come."""
    later = last_of(first) + timedelta(days=1)
    return later if later <= today else None


def spans(days: Iterable[date]) -> str:
    """Write days of one month as their numbers: "3, 14–16"; two in a row are no span."""
    numbers = sorted(day.day for day in days)
    breaks = [place for place, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1]
    runs = [numbers[start:end] for start, end in pairwise([0, *breaks, len(numbers)])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
