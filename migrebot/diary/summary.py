"""A period of the diary in numbers, none of which claims more than was recorded.

Each day is headache, none or unknown, and an unknown day is never taken for a day without headache: counts of days are
lower bounds unless every day is recorded. What a longer period comes to in 30 days is said only if at least 80 % of its
days are recorded. An intake that was not recorded is unknown too, so days with medicine always are lower bounds.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct

from migrebot.diary.entries import days_touched, last_day
from migrebot.diary.overuse import uses_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from migrebot.diary.entries import Drug, Headache, Intake, Pressure
    from storage.facts import Entries

ENOUGH = 0.8
"""The part of the days that must be recorded before a count is set in relation to a month."""

MONTH_DAYS = 30
MODERATE = 4
"""The intensity from which pain counts as moderate (bands 1–3, 4–6, 7–10)."""


class Window(Struct, frozen=True):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    def holds(self, day: date) -> bool:
        """Tell whether the day lies in it."""
        return self.first <= day <= self.last


class Average(Struct, frozen=True):
    """A mean and the highest of `count` values."""

    mean: float
    highest: float
    count: int


class Pain(Struct, frozen=True, kw_only=True):
    """Headache in a window.

    `days` hurt and `free` are recorded as free of headache; `moderate` are the days of attacks of intensity 4 and more.
    `attacks` touch the window; intensity (1–10) and duration (hours) are of those of them where they are known.
    """

    days: int
    free: int
    moderate: int
    attacks: int
    intensity: Average | None
    duration_h: Average | None


class Medication(Struct, frozen=True, kw_only=True):
    """Medicine in a window: `days` with any and `intakes` in all; `acute` are days by class of acute medicine."""

    days: int
    intakes: int
    acute: tuple[tuple[str, int], ...]


class Readings(Struct, frozen=True, kw_only=True):
    """Blood pressure in a window, in mmHg, and pulse per minute, of `days` days."""

    days: int
    systolic: Average
    diastolic: Average
    pulse: Average | None


class Summary(Struct, frozen=True, kw_only=True):
    """What a window of the diary comes to; `readings` is None without any."""

    window: Window
    pain: Pain
    medication: Medication
    readings: Readings | None

    @property
    def recorded(self) -> int:
        """The days of which it is known whether the head hurt."""
        return self.pain.days + self.pain.free

    @property
    def is_complete(self) -> bool:
        """Tell whether that is known of every day."""
        return self.recorded == self.window.days

    @property
    def per_month(self) -> float | None:
        """Headache days in 30 recorded days; None if too few are recorded, or the window is no month."""
        if self.window.days < MONTH_DAYS or self.recorded < ENOUGH * self.window.days:
            return None
        return self.pain.days / self.recorded * MONTH_DAYS


def window_of(entries: Entries, today: date) -> Window | None:
    """Give the days from the first entry to today; None without entries."""
    days = [
        *(attack.day for attack in entries.headaches),
        *(intake.day for intake in entries.intakes),
        *(reading.day for reading in entries.pressures),
        *entries.free,
    ]
    return Window(min(days), today) if days and min(days) <= today else None


def within(entries: Entries, window: Window) -> Entries:
    """Give those of the entries that belong to the window."""
    return type(entries)(
        headaches=tuple(
            attack
            for attack in entries.headaches
            if attack.day <= window.last and (attack.day >= window.first or last_day(attack) >= window.first)
        ),
        intakes=tuple(intake for intake in entries.intakes if window.holds(intake.day)),
        pressures=tuple(reading for reading in entries.pressures if window.holds(reading.day)),
        free=frozenset(filter(window.holds, entries.free)),
    )


def summarise(entries: Entries, own: Sequence[Drug], window: Window) -> Summary:
    """Sum the window up; `own` is the person's list of medicines, which tells painkillers from others."""
    inside = within(entries, window)
    return Summary(
        window=window,
        pain=_pain(inside.headaches, inside.free, window),
        medication=_medication(inside.intakes, own),
        readings=_readings(inside.pressures),
    )


def _pain(attacks: Sequence[Headache], free: Collection[date], window: Window) -> Pain:
    hurt: set[date] = set()
    moderate: set[date] = set()
    for attack in attacks:
        days = set(filter(window.holds, days_touched(attack)))
        hurt |= days
        if (attack.intensity or 0) >= MODERATE:
            moderate |= days
    return Pain(
        days=len(hurt),
        free=len(set(free) - hurt),
        moderate=len(moderate),
        attacks=len(attacks),
        intensity=_average(attack.intensity for attack in attacks),
        duration_h=_average(duration_of(attack) for attack in attacks),
    )


def duration_of(attack: Headache) -> float | None:
    """Give the duration in hours: as told, or from onset to end; None if it is not known."""
    if attack.duration_h is not None or attack.onset is None or attack.end is None:
        return attack.duration_h
    return (attack.end - attack.onset) / timedelta(hours=1)


def _medication(intakes: Sequence[Intake], own: Sequence[Drug]) -> Medication:
    by_class: dict[str, set[date]] = defaultdict(set)
    for use in uses_of(intakes, own):
        by_class[use.kind].add(use.day)
    days = {kind: len(taken) for kind, taken in by_class.items()}
    return Medication(
        days=len({intake.day for intake in intakes}),
        intakes=len(intakes),
        acute=tuple(sorted(days.items(), key=lambda item: (-item[1], item[0]))),
    )


def _readings(readings: Sequence[Pressure]) -> Readings | None:
    systolic = _average(reading.systolic for reading in readings)
    diastolic = _average(reading.diastolic for reading in readings)
    if systolic is None or diastolic is None:
        return None
    return Readings(
        days=len({reading.day for reading in readings}),
        systolic=systolic,
        diastolic=diastolic,
        pulse=_average(reading.pulse for reading in readings),
    )


def _average(values: Iterable[float | None]) -> Average | None:
    known = [value for value in values if value is not None]
    return Average(fmean(known), max(known), len(known)) if known else None
