"""When what is planned fires after the rules of time zones have changed: at the same local hours, by the new rules.

An instant was worked out by rules that are gone, so the local time it stood for is not known. It is that of the firing
by the new rules which lies closest: no zone was ever moved by so much that another firing could be meant, but for those
so frequent that it makes no difference. So nothing fires twice, and nothing is left out: what has passed by the new
rules fires at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from migrebot.reminders.occurrences import firings, next_firing, resolve
from migrebot.reminders.schedule import Interval, Once

if TYPE_CHECKING:
    from migrebot.reminders.questions import Asking
    from migrebot.reminders.schedule import Schedule

FARTHEST = timedelta(hours=26)
"""By how much a zone may move: across the date line, with its clocks."""

_MOMENT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def replanned(schedule: Schedule, planned: datetime) -> datetime:
    """Give the instant that a firing planned for an instant has by today's rules."""
    if isinstance(schedule.pattern, Interval):
        return planned
    if isinstance(schedule.pattern, Once):
        return resolve(schedule.pattern.at, schedule.timezone)
    # How many firings are left is of no matter to when this one is.
    endless = msgspec.structs.replace(schedule, count=None)
    if next_firing(endless, planned - _MOMENT) == planned:
        return planned
    later = next_firing(endless, planned)
    apart = FARTHEST if later is None else min(later - planned, FARTHEST)
    near = planned if later is None or apart == FARTHEST else later
    for earlier in takewhile(lambda instant: instant < planned, firings(endless, planned - apart)):
        near = earlier
    return near


def question_replanned(asking: Asking, timezone: str, planned: datetime) -> datetime:
    """Give the instant that a question planned for an instant has by today's rules; one that was put off comes now."""
    day = planned.astimezone(ZoneInfo(timezone)).date()
    hours = [resolve(datetime.combine(day + n * _DAY, asking.at), timezone) for n in (-1, 0, 1)]
    return min(hours, key=lambda hour: abs(hour - planned))
