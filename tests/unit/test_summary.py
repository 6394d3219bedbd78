"""The numbers of a period against the plainest way to count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrebot.diary.entries import Headache, Intake, Pressure, days_touched
from migrebot.diary.summary import Average, Window, duration_of, summarise, window_of, within
from storage.facts import Entries

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FIRST = date(2026, 6, 1)
WINDOW = Window(FIRST, date(2026, 6, 30))


def june(day: int) -> date:
    return FIRST + timedelta(days=day - 1)


def headache(day: date, **known: Any) -> Headache:
    return Headache(id=1, user_id=1, day=day, created_at=NOW, **({"timezone": "UTC"} | known))


def intake(day: date, drug: str = "Sumatriptan", **known: Any) -> Intake:
    return Intake(id=1, user_id=1, day=day, timezone="UTC", drug=drug, created_at=NOW, **known)


def reading(at: datetime, systolic: int = 120, diastolic: int = 80, pulse: int | None = None) -> Pressure:
    return Pressure(
        id=1,
        user_id=1,
        measured_at=at,
        timezone="Europe/Paris",
        systolic=systolic,
        diastolic=diastolic,
        pulse=pulse,
        created_at=NOW,
    )


around = st.dates(date(2026, 5, 20), date(2026, 7, 10))
moments = st.datetimes(datetime(2026, 5, 25), datetime(2026, 7, 5), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
zones = st.sampled_from(["UTC", "Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns"])


@st.composite
def told(draw: st.DrawFn) -> Headache:
    return headache(
        draw(around), intensity=draw(st.none() | st.integers(1, 10)), duration_h=draw(st.none() | st.floats(0.1, 168))
    )


@st.composite
def lived_through(draw: st.DrawFn) -> Headache:
    """An attack recorded while it hurt."""
    onset, zone = draw(moments), draw(zones)
    end = draw(st.none() | st.integers(0, 168 * 60).map(lambda minutes: onset + timedelta(minutes=minutes)))
    local = onset.astimezone(ZoneInfo(zone)).date()
    return headache(local, onset=onset, end=end, timezone=zone, intensity=draw(st.none() | st.integers(1, 10)))


attacks = st.lists(told() | lived_through(), max_size=6).map(tuple)
drugs = st.sampled_from(["Sumatriptan", "Ibuprofen", "Paracetamol", "Magnesium", "нечто"])
intakes = st.lists(st.builds(intake, around, drugs), max_size=8).map(tuple)
readings = st.lists(
    st.builds(reading, moments, st.integers(80, 200), st.integers(40, 120), st.none() | st.integers(40, 120)),
    max_size=6,
).map(tuple)
diaries = st.builds(
    Entries, headaches=attacks, intakes=intakes, pressures=readings, free=st.frozensets(around, max_size=20)
)
windows = st.tuples(around, around).map(lambda days: Window(min(days), max(days)))


@given(diaries, windows)
def test_every_day_is_counted_as_one_thing(entries: Entries, window: Window) -> None:
    summary = summarise(entries, (), window)
    hurt = free = moderate = medicine = 0
    for number in range(window.days):
        day = window.first + timedelta(days=number)
        on_it = [attack for attack in entries.headaches if day in days_touched(attack)]
        hurt += bool(on_it)
        moderate += any(attack.intensity is not None and attack.intensity >= 4 for attack in on_it)
        free += not on_it and day in entries.free
        medicine += any(taken.day == day for taken in entries.intakes)
    assert (summary.pain.days, summary.pain.free, summary.pain.moderate) == (hurt, free, moderate)
    assert summary.medication.days == medicine
    assert summary.recorded == hurt + free <= window.days
    assert summary.is_complete == (hurt + free == window.days)


@given(diaries, windows)
def test_means_are_of_what_is_known_of_the_window(entries: Entries, window: Window) -> None:
    summary = summarise(entries, (), window)
    touching = [attack for attack in entries.headaches if any(window.holds(day) for day in days_touched(attack))]
    assert summary.pain.attacks == len(touching)
    for average, values in (
        (summary.pain.intensity, [attack.intensity for attack in touching if attack.intensity is not None]),
        (summary.pain.duration_h, [hours for attack in touching if (hours := duration_of(attack)) is not None]),
    ):
        assert average == (Average(fmean(values), max(values), len(values)) if values else None)


@given(diaries, windows)
def test_days_of_acute_medicine_are_days_and_no_doses(entries: Entries, window: Window) -> None:
    days = dict(summarise(entries, (), window).medication.acute)
    known = {"Sumatriptan": "triptan", "Ibuprofen": "nonopioid", "Paracetamol": "nonopioid"}
    for kind in ("triptan", "nonopioid"):
        expected = {taken.day for taken in entries.intakes if known.get(taken.drug) == kind and window.holds(taken.day)}
        assert days.get(kind, 0) == len(expected)
    assert set(days) <= {"triptan", "nonopioid"}, "nobody said that the others are acute medicine"


@given(diaries, windows)
@example(Entries(headaches=tuple(headache(june(n)) for n in range(1, 25))), WINDOW)
@example(Entries(headaches=tuple(headache(june(n)) for n in range(1, 24))), WINDOW)
def test_a_count_is_set_in_relation_to_a_month_only_if_enough_is_recorded(entries: Entries, window: Window) -> None:
    summary = summarise(entries, (), window)
    enough = window.days >= 30 and summary.recorded * 10 >= window.days * 8
    assert (summary.per_month is not None) == enough
    if summary.per_month is not None:
        assert summary.per_month == pytest.approx(summary.pain.days * 30 / summary.recorded)
        assert 0 <= summary.per_month <= 30


@given(diaries, windows)
def test_what_lies_outside_the_window_changes_nothing(entries: Entries, window: Window) -> None:
    inside = within(entries, window)
    assert summarise(inside, (), window) == summarise(entries, (), window)
    assert within(inside, window) == inside


@given(diaries, around)
def test_all_there_is_begins_with_the_first_entry(entries: Entries, today: date) -> None:
    window = window_of(entries, today)
    days = {
        *(attack.day for attack in entries.headaches),
        *(taken.day for taken in entries.intakes),
        *(one.day for one in entries.pressures),
        *entries.free,
    }
    assert window == (Window(min(days), today) if days and min(days) <= today else None)


def test_a_reading_belongs_to_the_day_of_its_own_zone() -> None:
    late = reading(datetime(2026, 6, 30, 22, 30, tzinfo=UTC))  # half past midnight in Paris
    assert summarise(Entries(pressures=(late,)), (), WINDOW).readings is None
    found = summarise(Entries(pressures=(late,)), (), Window(date(2026, 7, 1), date(2026, 7, 1))).readings
    assert found is not None
    assert (found.days, found.systolic) == (1, Average(120, 120, 1))


def test_an_attack_over_midnight_counts_on_each_side_of_the_window() -> None:
    night = headache(june(30), duration_h=30.0)
    july = Window(date(2026, 7, 1), date(2026, 7, 31))
    assert [summarise(Entries(headaches=(night,)), (), window).pain.days for window in (WINDOW, july)] == [1, 1]


def test_a_day_recorded_as_free_is_none_with_an_attack_on_it() -> None:
    entries = Entries(headaches=(headache(june(2)),), free=frozenset({june(2), june(3)}))
    summary = summarise(entries, (), WINDOW)
    assert (summary.pain.days, summary.pain.free, summary.recorded) == (1, 1, 2)
