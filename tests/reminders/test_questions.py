"""When the regular question comes, and about which days it is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.reminders.questions import FREQUENCIES, OFF, Asking, asked, days_asked, postponed, scheduled

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})

zones = st.sampled_from(ZONES)
instants = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - aware
hours = st.times().map(lambda at: at.replace(second=0, microsecond=0))
everies = st.sampled_from(FREQUENCIES)


def asking(**changed: object) -> Asking:
    return msgspec.structs.replace(Asking(user_id=1), **changed)


def local(instant: datetime | None, zone: str) -> datetime:
    assert instant is not None
    return instant.astimezone(ZoneInfo(zone))


@given(zones, instants, hours, everies, st.integers(1, 6))
def test_in_every_zone_each_question_comes_on_its_own_date_at_the_persons_hour(
    zone: str, now: datetime, at: time, every: int, rounds: int
) -> None:
    plan = scheduled(asking(at=at, every=every), zone, now)
    before: date | None = None
    for _ in range(rounds):
        due = plan.next_at
        assert due is not None
        assert now < due
        wall = local(due, zone)
        is_right = wall.time() == at and wall.fold == 0
        # In a gap it is the first instant after it; one moment before it was a different local hour.
        is_after_gap = (due - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) < datetime.combine(
            wall.date(), wall.time()
        ) - timedelta(seconds=1)
        assert is_right or is_after_gap
        now = due
        plan = asked(plan, zone, now)
        assert plan.asked_on is not None
        assert before is None or plan.asked_on - before == every * DAY
        before = plan.asked_on


@given(zones, zones, instants, hours, everies)
def test_a_move_keeps_the_hour_and_never_brings_two_questions_in_one_period(
    home: str, away: str, now: datetime, at: time, every: int
) -> None:
    plan = scheduled(asking(at=at, every=every), home, now)
    first = plan.next_at
    assert first is not None
    moved = scheduled(asked(plan, home, first), away, first)
    again = asked(moved, away, moved.next_at or first)
    assert moved.at == at
    assert moved.asked_on is not None
    assert again.asked_on is not None
    assert again.asked_on - moved.asked_on >= every * DAY


@given(zones, instants, hours, everies, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_however_late_it_is_there_is_one_question_about_days_that_have_begun(
    zone: str, now: datetime, at: time, every: int, late: timedelta
) -> None:
    plan = scheduled(asking(at=at, every=every, asked_on=None), zone, now)
    assert plan.next_at is not None
    then = plan.next_at + late
    days = days_asked(plan, zone, then)
    assert 1 <= len(days) <= 7
    assert list(days) == [days[0] + n * DAY for n in range(len(days))]
    assert local(then, zone).date() - 2 * DAY <= days[-1] <= local(then, zone).date()
    following = asked(plan, zone, then).next_at
    assert following is not None
    assert following > then


@given(zones, instants, hours, everies)
def test_questions_in_a_row_are_about_each_day_once(zone: str, now: datetime, at: time, every: int) -> None:
    plan = scheduled(asking(at=at, every=every), zone, now)
    days: list[date] = []
    for _ in range(4):
        assert plan.next_at is not None
        days.extend(days_asked(plan, zone, plan.next_at))
        plan = asked(plan, zone, plan.next_at)
    assert days == [days[0] + n * DAY for n in range(4 * every)]


def test_without_a_zone_or_switched_off_there_is_no_question() -> None:
    assert scheduled(asking(), None, NOW).next_at is None
    assert scheduled(asking(every=OFF), "Europe/Berlin", NOW).next_at is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 6, 15, 17, 59, tzinfo=UTC), datetime(2026, 6, 15, 18, tzinfo=UTC)),
        (datetime(2026, 6, 15, 18, 0, tzinfo=UTC), datetime(2026, 6, 16, 18, tzinfo=UTC)),
        (datetime(2026, 10, 24, 18, 0, tzinfo=UTC), datetime(2026, 10, 25, 19, tzinfo=UTC)),
        (datetime(2026, 3, 28, 19, 0, tzinfo=UTC), datetime(2026, 3, 29, 18, tzinfo=UTC)),
    ],
)
def test_it_comes_at_eight_in_the_evening_summer_and_winter(now: datetime, expected: datetime) -> None:
    assert scheduled(asking(), "Europe/Berlin", now).next_at == expected


def test_an_hour_that_is_skipped_is_its_end_and_one_that_comes_twice_is_its_first() -> None:
    night = asking(at=time(2, 30))
    assert scheduled(night, "Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)).next_at == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )
    plan = scheduled(night, "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert plan.next_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert asked(plan, "Europe/Berlin", plan.next_at).next_at == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_question_put_off_over_midnight_is_about_the_evening_it_was_meant_for() -> None:
    plan = scheduled(asking(at=time(23, 50)), "UTC", NOW)
    assert plan.next_at is not None
    later = postponed(plan, plan.next_at)
    assert later.next_at == datetime(2026, 6, 16, 0, 20, tzinfo=UTC)
    assert days_asked(later, "UTC", later.next_at) == (date(2026, 6, 15),)
    assert asked(later, "UTC", later.next_at).next_at == datetime(2026, 6, 16, 23, 50, tzinfo=UTC)


def test_after_a_long_silence_the_days_of_it_are_asked_about_together() -> None:
    plan = asking(asked_on=date(2026, 6, 11))
    assert days_asked(plan, "UTC", datetime(2026, 6, 15, 21, tzinfo=UTC)) == tuple(
        date(2026, 6, day) for day in (12, 13, 14, 15)
    )
    long_ago = asking(asked_on=date(2026, 5, 1))
    assert days_asked(long_ago, "UTC", datetime(2026, 6, 15, 21, tzinfo=UTC)) == (date(2026, 6, 15),)


def test_in_the_small_hours_the_day_that_has_ended_is_meant() -> None:
    assert days_asked(asking(at=time(0, 30)), "UTC", datetime(2026, 6, 15, 0, 30, tzinfo=UTC)) == (date(2026, 6, 14),)
