"""What a person records, in the field's own terms (CLINICAL vocabulary): headaches, intakes, pressures, drugs.

A field that is None was not asked or was skipped: unknown, never "no".
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct


class Headache(Struct, frozen=True, kw_only=True):
    """One attack.

    `day` is the local date of its onset in `timezone`. `onset` and `end` (UTC) are known only for attacks recorded
    while they hurt. `duration_h` is in hours (0.5 stands for "under an hour"), `intensity` on the numeric rating
    scale 1–10. `triggers` are suspected factors. `deleted_at` marks an entry that can still be brought back.
    """

    id: int
    user_id: int
    day: date
    timezone: str
    created_at: datetime
    onset: datetime | None = None
    end: datetime | None = None
    duration_h: float | None = None
    intensity: int | None = None
    aura: bool | None = None
    triggers: tuple[str, ...] | None = None
    symptoms: tuple[str, ...] | None = None
    medicine_taken: bool | None = None
    note: str | None = None
    deleted_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the attack was recorded while it hurt and is not known to be over."""
        return self.onset is not None and self.end is None and self.duration_h is None


class Intake(Struct, frozen=True, kw_only=True):
    """One medicine taken: `drug` as the person calls it, `amount` in `unit` (mg, ml, tablets …); None is unknown."""

    id: int
    user_id: int
    day: date
    timezone: str
    drug: str
    created_at: datetime
    amount: float | None = None
    unit: str = "mg"
    headache_id: int | None = None
    deleted_at: datetime | None = None


class Pressure(Struct, frozen=True, kw_only=True):
    """One blood pressure reading, in mmHg; `pulse` per minute."""

    id: int
    user_id: int
    measured_at: datetime
    timezone: str
    systolic: int
    diastolic: int
    created_at: datetime
    pulse: int | None = None
    deleted_at: datetime | None = None

    @property
    def day(self) -> date:
        """The local date on which it was measured."""
        return in_zone(self.measured_at, self.timezone).date()


class Drug(Struct, frozen=True, kw_only=True):
    """A medicine on the person's own list; `daily_max_mg` is the person's own limit.

    `deleted_at` marks one that can still be brought back.
    """

    id: int
    user_id: int
    name: str
    created_at: datetime
    daily_max_mg: float | None = None
    is_painkiller: bool | None = None
    is_antipyretic: bool | None = None
    deleted_at: datetime | None = None


class FreeDay(Struct, frozen=True, kw_only=True):
    """A day recorded as free of headache; `source` tells where: `calendar` or `question`."""

    user_id: int
    day: date
    source: str


def in_zone(moment: datetime, timezone: str) -> datetime:
    """Give the local time in a zone; the time as it is where there is none such (imported entries may have them)."""
    try:
        return moment.astimezone(ZoneInfo(timezone))
    except (OverflowError, ValueError, ZoneInfoNotFoundError, OSError):
        return moment


def days_touched(headache: Headache) -> tuple[date, ...]:
    """List the local dates on which the attack hurt, in order, at least one: from `day` to `last_day`."""
    days = (last_day(headache) - headache.day).days
    return tuple(headache.day + timedelta(days=n) for n in range(days + 1))


def last_day(headache: Headache) -> date:
    """Tell the last local date on which the attack hurt.

    With a known onset and end it is the date of the end in the attack's own zone. With a duration alone each full or
    begun 24 hours counts as one day from `day` on: "all day" is one day, 30 hours are two. Beyond the calendar, where
    imported attacks may lead, it is `day` itself.
    """
    try:
        return max(headache.day, _last_day(headache))
    except OverflowError:
        return headache.day


def _last_day(headache: Headache) -> date:
    end = headache.end
    if headache.onset is not None and end is None and headache.duration_h is not None:
        end = headache.onset + timedelta(hours=headache.duration_h)
    if headache.onset is not None and end is not None:
        # A microsecond less, so that an attack that ends at midnight does not touch the new day.
        return in_zone(end - timedelta(microseconds=1), headache.timezone).date()
    if headache.duration_h is not None:
        return headache.day + timedelta(days=max(1, math.ceil(headache.duration_h / 24)) - 1)
    return headache.day
