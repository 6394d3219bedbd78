"""Months: their grid, and as people type them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.dialogue import month
from migrebot.diary.parsing import parse_month
from migrebot.i18n import translators
from migrebot.typed import clean

TODAY = date(2026, 11, 22)
firsts = st.dates(month.FIRST_DAY, date(2100, 1, 1)).map(lambda day: day.replace(day=1))


@given(firsts, st.dates(month.FIRST_DAY, date(2100, 1, 1)), st.integers(0, 6))
def test_a_grid_has_each_day_up_to_today_once_under_its_weekday(first: date, today: date, weekday: int) -> None:
    weeks = month.weeks(first, today, weekday)
    days = [first + timedelta(days=n) for n in range((month.last_of(first) - first).days + 1)]
    assert [day for week in weeks for day in week if day] == [day for day in days if day <= today]
    for week in weeks:
        assert len(week) == 7
        assert all(day is None or (day.weekday() - weekday) % 7 == place for place, day in enumerate(week))


@given(firsts, st.dates(month.FIRST_DAY, date(2100, 1, 1)))
def test_the_neighbours_of_a_month_lead_back_to_it(first: date, today: date) -> None:
    if (after := month.after(first, today)) is not None:
        assert after <= today
        assert month.before(after) == first
    if (before := month.before(first)) is not None:
        assert month.after(before, first) == first


@given(st.sets(st.integers(1, 31)))
def test_spans_name_each_day_once(numbers: set[int]) -> None:
    written = month.spans(date(2026, 1, number) for number in numbers)
    named: list[int] = []
    for part in written.split(", ") if written else []:
        begin, _, end = part.partition("–")
        named += range(int(begin), int(end or begin) + 1)
    assert named == sorted(numbers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10", date(2026, 10, 1)),
        ("10.2026", date(2026, 10, 1)),
        ("10/2025", date(2025, 10, 1)),
        ("October", date(2026, 10, 1)),
        ("december", date(2025, 12, 1)),
        ("november", date(2026, 11, 1)),
        ("октября 2025 г.", date(2025, 10, 1)),
        ("жовтень 2025", date(2025, 10, 1)),
        ("août", date(2026, 8, 1)),
        ("octubre de 2025", date(2025, 10, 1)),
        ("sept 2024", date(2024, 9, 1)),
        ("2027-01", date(2027, 1, 1)),
        ("13.2026", None),
        ("2026-00", None),
        ("0000-01", None),
        ("10", None),
        ("10.26", None),
        ("-10.2026", None),
        ("ma", None),
        ("x" * 100, None),
        ("", None),
    ],
)
def test_a_month_is_understood_as_people_type_it(text: str, expected: date | None) -> None:
    assert parse_month(clean(text), TODAY) == expected


@given(firsts)
def test_a_month_is_understood_as_it_is_written_in_each_language(first: date) -> None:
    for tr in translators():
        assert parse_month(clean(tr.month(first)), TODAY) == first


@given(st.text())
def test_whatever_is_typed_is_a_first_day_or_nothing(text: str) -> None:
    found = parse_month(clean(text), TODAY)
    assert found is None or found.day == 1
