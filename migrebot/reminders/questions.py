"""When a person is asked whether the head hurt, and about which days.

The question of a local date comes at the person's hour on it, by the rule for daylight saving. It is about that day,
or, in the small hours, about the day that has just ended, and about the days before it back to the last question.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from migrebot.reminders.occurrences import resolve

FREQUENCIES = (1, 2, 3, 7)
"""Days from one question to the next that can be chosen."""

OFF = 0

MOST_DAYS = 7
"""A question that was missed asks about the days since the one before, but never about more than these."""

TRY_AGAIN = timedelta(minutes=30)
"""How long a question waits for an open form."""

_MORNING = time(4)
"""Whoever is asked before this hour has yet to sleep: the day asked about is the one before."""

_DAY = timedelta(days=1)


class Asking(Struct, frozen=True, kw_only=True):
    """How a person is asked: every so many days (0: not at all), at a local hour.

    `asked_on` is the local date whose question came last. `next_at` (UTC) is when to ask next, None for
    never.
    """

    user_id: int
    every: int = 1
    at: time = time(20)
    asked_on: date | None = None
    next_at: datetime | None = None


def scheduled(asking: Asking, timezone: str | None, now: datetime) -> Asking:
    """Find when to ask next: the first fitting date whose hour is still to come; never without a time zone."""
    if timezone is None or asking.every == OFF:
        return msgspec.structs.replace(asking, next_at=None)
    day = _local_date(timezone, now)
    if asking.asked_on is not None:
        day = max(day, asking.asked_on + asking.every * _DAY)
    while _hour(asking, timezone, day) <= now:
        day += _DAY
    return msgspec.structs.replace(asking, next_at=_hour(asking, timezone, day))


def asked(asking: Asking, timezone: str, now: datetime) -> Asking:
    """Note that the question was put just now."""
    return scheduled(msgspec.structs.replace(asking, asked_on=_due_date(asking, timezone, now)), timezone, now)


def postponed(asking: Asking, now: datetime) -> Asking:
    """Let the question wait a while."""
    return msgspec.structs.replace(asking, next_at=now + TRY_AGAIN)


def days_asked(asking: Asking, timezone: str, now: datetime) -> tuple[date, ...]:
    """List the local dates that the question put now is about, in order."""
    due = _due_date(asking, timezone, now)
    last = due - _DAY if asking.at < _MORNING else due
    since = (due - asking.asked_on).days if asking.asked_on else 0
    count = since if asking.every < since <= MOST_DAYS else max(asking.every, 1)
    return tuple(last - n * _DAY for n in range(count - 1, -1, -1))


def _due_date(asking: Asking, timezone: str, now: datetime) -> date:
    """Tell the latest local date whose hour has come."""
    today = _local_date(timezone, now)
    return today if _hour(asking, timezone, today) <= now else today - _DAY


def _hour(asking: Asking, timezone: str, day: date) -> datetime:
    return resolve(datetime.combine(day, asking.at), timezone)


def _local_date(timezone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(timezone)).date()
