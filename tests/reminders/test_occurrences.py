"""The instants at which schedules fire, against an oracle that watches the clock on the wall."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.reminders.occurrences import complaint, count_firings, firings, moved, next_firing, resolve
from migrebot.reminders.schedule import Calendar, Cron, Interval, Once, Pattern, Schedule
from tests.reminders.wall_clocks import DAY, HOUR, first_showing, showing, shows, stretches

ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
TRICKY = (
    "America/Santiago",  # changes at midnight: a whole day begins at one o'clock
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # left out 30 December 2011
    "Africa/Casablanca",  # goes back for Ramadan
    "Africa/Cairo",  # changes at midnight, again since 2023
    "Europe/Dublin",  # whose summer time is its standard time
    "America/St_Johns",
    "Asia/Beirut",
    "Europe/Berlin",
    "Asia/Kolkata",
)
YEARS = (2011, 2024, 2026)


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year, month, day, hour, minute


def local(*moment: int) -> datetime:
    return at(*moment).replace(tzinfo=None)


def on(pattern: Pattern, zone: str = "UTC", **end: Any) -> Schedule:
    return Schedule(pattern=pattern, timezone=zone, **end)


def daily(*times: time, start: date = date(2000, 1, 1), **more: Any) -> Calendar:
    return Calendar(unit="day", times=times, start=start, **more)


def listed(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for instant in firings(schedule, after):
        if instant > until:
            break
        found.append(instant)
    return found


# --- daylight saving ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", TRICKY)
@given(day=st.dates(date(2026, 1, 1), date(2026, 12, 31)), minute=st.integers(0, 1439))
def test_a_wall_time_is_the_first_minute_at_which_the_clock_shows_it_or_a_later_one(
    zone: str, day: date, minute: int
) -> None:
    wall = datetime.combine(day, time(*divmod(minute, 60)))
    # A minute-by-minute watch from well before: eastmost zones are 14 hours ahead.
    since = wall.replace(tzinfo=UTC) - 16 * HOUR
    assert resolve(wall, zone) == first_showing(zone, wall, since) == showing(zone, wall)


@pytest.mark.parametrize("zone", TRICKY)
def test_every_quarter_of_an_hour_around_every_change_of_clocks(zone: str) -> None:
    for year in YEARS:
        noon = local(year, 1, 2)
        while noon.year == year:
            if shows(zone, noon.replace(tzinfo=UTC) + DAY) != shows(zone, noon.replace(tzinfo=UTC)) + DAY:
                for quarter in range(-96, 192):
                    wall = noon + quarter * timedelta(minutes=15)
                    assert resolve(wall, zone) == showing(zone, wall), wall
            noon += DAY


def test_a_year_of_reminders_over_all_zones_agrees_with_the_clocks_on_the_walls() -> None:
    """Twice a day in each of the world's zones, at hours at which clocks are changed somewhere."""
    times = (time(0, 0), time(2, 30))
    assert len(ZONES) > 400
    # Of zones that show the same all year, many of which are names of one, the first and the last are tried.
    alike = {stretches(zone, 2026): zone for zone in reversed(ZONES)}
    others = {stretches(zone, 2026): zone for zone in ZONES}
    for zone in {*alike.values(), *others.values()}:
        schedule = on(daily(*times), zone)
        walls = (datetime.combine(date(2026, 1, 1) + n * DAY, t) for n in range(365) for t in times)
        expected = sorted({showing(zone, wall) for wall in walls})
        assert list(islice(firings(schedule, expected[0] - timedelta(microseconds=1)), len(expected))) == expected, zone


@given(
    zone=st.sampled_from(ZONES),
    after=st.datetimes(local(2026, 1, 3), local(2026, 12, 20), timezones=st.just(UTC)),
    minutes=st.sets(st.integers(0, 1439), min_size=1, max_size=4),
    weekdays=st.sets(st.integers(0, 6)),
    every=st.integers(1, 5),
)
def test_any_days_agree_with_the_clocks_on_the_walls(
    zone: str, after: datetime, minutes: set[int], weekdays: set[int], every: int
) -> None:
    start, times = date(2025, 12, 30), tuple(time(*divmod(minute, 60)) for minute in sorted(minutes))
    schedule = on(daily(*times, start=start, every=every, weekdays=tuple(sorted(weekdays))), zone)
    days = [start + n * DAY for n in range(0, 367, every)]
    walls = [datetime.combine(day, t) for day in days if not weekdays or day.weekday() in weekdays for t in times]
    instants = [showing(zone, wall) for wall in walls if wall.year == 2026]
    expected = min((instant for instant in instants if instant > after), default=None)
    found = next_firing(schedule, after)
    assert found == expected or (expected is None and (found is None or found > at(2026, 12, 31)))


@given(
    zone=st.sampled_from(ZONES),
    after=st.datetimes(local(2026, 1, 3), local(2026, 12, 20), timezones=st.just(UTC)),
    minute=st.sampled_from(["0", "30", "*/15", "5,35"]),
    hour=st.sampled_from(["*", "2", "0,1,2,3", "*/6"]),
    weekday=st.sampled_from(["*", "sun", "1-5", "0", "7"]),
)
def test_a_cron_expression_agrees_with_the_clocks_on_the_walls(
    zone: str, after: datetime, minute: str, hour: str, weekday: str
) -> None:
    """The fields are read here by hand: minute by minute, day by day."""
    found = next_firing(on(Cron(f"{minute} {hour} * * {weekday}"), zone), after)
    minutes = {"0": [0], "30": [30], "*/15": [0, 15, 30, 45], "5,35": [5, 35]}[minute]
    hours = {"*": list(range(24)), "2": [2], "0,1,2,3": [0, 1, 2, 3], "*/6": [0, 6, 12, 18]}[hour]
    days = {"*": range(7), "1-5": range(5)}.get(weekday, [6])
    near = [shows(zone, after).date() + n * DAY for n in range(-1, 9)]
    walls = [datetime.combine(day, time(h, m)) for day in near if day.weekday() in days for h in hours for m in minutes]
    assert found == min(instant for wall in walls if (instant := showing(zone, wall)) > after)


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("America/Santiago", (2026, 9, 6, 0, 0), (2026, 9, 6, 4, 0)),  # midnight does not come: it is 01:00 at once
        ("America/Santiago", (2026, 9, 6, 0, 59), (2026, 9, 6, 4, 0)),
        ("America/Santiago", (2026, 4, 4, 23, 30), (2026, 4, 5, 2, 30)),  # comes twice, fires the first time
        ("Australia/Lord_Howe", (2026, 10, 4, 2, 15), (2026, 10, 3, 15, 30)),  # a gap of half an hour
        ("Australia/Lord_Howe", (2026, 4, 5, 1, 45), (2026, 4, 4, 14, 45)),
        ("Pacific/Apia", (2011, 12, 30, 8, 0), (2011, 12, 30, 10, 0)),  # the day that was left out
        ("Africa/Cairo", (2026, 4, 24, 0, 30), (2026, 4, 23, 22, 0)),
        ("Europe/Berlin", (2026, 3, 29, 2, 30), (2026, 3, 29, 1, 0)),
        ("Europe/Berlin", (2026, 10, 25, 2, 30), (2026, 10, 25, 0, 30)),
    ],
)
def test_known_changes_of_clocks(zone: str, wall: tuple[int, ...], instant: tuple[int, ...]) -> None:
    assert resolve(local(*wall), zone) == at(*instant)


def test_a_daily_reminder_at_midnight_skips_no_day_in_santiago() -> None:
    schedule = on(daily(time(0, 0)), "America/Santiago")
    days = [shows("America/Santiago", instant).date() for instant in listed(schedule, at(2026, 1, 2), at(2027, 1, 1))]
    assert all(later - earlier == DAY for earlier, later in pairwise(days))


def test_two_times_within_one_gap_fire_once() -> None:
    schedule = on(daily(time(2, 10), time(2, 40), time(3, 0)), "Europe/Berlin")
    assert listed(schedule, at(2026, 3, 28, 12), at(2026, 3, 29, 12)) == [at(2026, 3, 29, 1)]


def test_an_interval_follows_elapsed_time_over_a_change_of_clocks() -> None:
    schedule = on(Interval(minutes=480, start=at(2026, 10, 24, 20)), "Europe/Berlin")
    found = listed(schedule, at(2026, 10, 24, 20), at(2026, 10, 25, 13))
    assert found == [at(2026, 10, 25, 4), at(2026, 10, 25, 12)]


@given(
    st.sampled_from(TRICKY),
    st.datetimes(local(2000, 1, 1), local(2036, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_a_later_wall_time_is_never_an_earlier_instant(zone: str, wall: datetime, later: timedelta) -> None:
    assert resolve(wall, zone) <= resolve(wall + later, zone)


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    clock=st.times(),
)
def test_any_wall_time_has_an_instant_that_shows_it_or_a_later_one(zone: str, day: date, clock: time) -> None:
    wall = datetime.combine(day, clock)
    instant = resolve(wall, zone)
    assert shows(zone, instant) >= wall
    assert shows(zone, instant - timedelta(microseconds=1)) < wall


# --- the calendar ------------------------------------------------------------------------------------------------


def test_every_other_monday_counts_from_the_week_of_its_start() -> None:
    pattern = Calendar(unit="week", times=(time(18, 30),), start=date(2026, 11, 25), every=2, weekdays=(0,))
    found = listed(on(pattern), at(2026, 11, 20), at(2027, 1, 10))
    assert found == [at(2026, 12, 7, 18, 30), at(2026, 12, 21, 18, 30), at(2027, 1, 4, 18, 30)]


def test_weekdays_within_a_week_come_in_order() -> None:
    pattern = Calendar(unit="week", times=(time(8), time(20)), start=date(2026, 11, 25), weekdays=(0, 2))
    found = listed(on(pattern), at(2026, 11, 25, 9), at(2026, 12, 1))
    assert found == [at(2026, 11, 25, 20), at(2026, 11, 30, 8), at(2026, 11, 30, 20)]


def test_a_month_without_the_day_has_its_last_one_instead() -> None:
    pattern = Calendar(unit="month", times=(time(9),), start=date(2028, 1, 31), month_days=(30, 31, -1))
    found = listed(on(pattern), at(2028, 1, 31), at(2028, 5, 1))
    expected = [at(2028, 1, 31, 9), at(2028, 2, 29, 9), at(2028, 3, 30, 9), at(2028, 3, 31, 9), at(2028, 4, 30, 9)]
    assert found == expected


@given(
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    month_days=st.sets(st.integers(1, 31) | st.just(-1), min_size=1, max_size=4),
    every=st.integers(1, 14),
)
def test_months_agree_with_a_walk_over_all_days(start: date, month_days: set[int], every: int) -> None:
    pattern = Calendar(unit="month", times=(time(12),), start=start, every=every, month_days=tuple(sorted(month_days)))
    expected = []
    for day in (start + n * DAY for n in range(800)):
        last = monthrange(day.year, day.month)[1]
        months = (day.year - start.year) * 12 + day.month - start.month
        wanted = any(day.day == (min(named, last) if named > 0 else last) for named in month_days)
        if months % every == 0 and wanted:
            expected.append(datetime.combine(day, time(12), UTC))
    begin = datetime.combine(start, time.min, UTC)
    assert listed(on(pattern), begin, begin + 799 * DAY + 12 * HOUR) == expected


def test_nothing_fires_before_its_start() -> None:
    assert next_firing(on(daily(time(8), start=date(2030, 5, 1))), at(2026, 1, 1)) == at(2030, 5, 1, 8)


def test_days_that_never_meet_a_weekday_never_fire() -> None:
    pattern = daily(time(8), start=date(2026, 11, 23), every=7, weekdays=(1,))
    assert next_firing(on(pattern), at(2026, 11, 23)) is None
    assert complaint(pattern) == "no day"


def test_far_years_and_huge_steps_end_instead_of_failing() -> None:
    assert next_firing(on(daily(time(8), every=10**9)), at(2026, 1, 1)) is None
    assert next_firing(on(Interval(minutes=10**12, start=at(2026, 1, 1))), at(2026, 1, 1)) is None
    month = Calendar(unit="month", times=(time(8),), start=date(2026, 1, 1), every=10**9, month_days=(1,))
    assert next_firing(on(month), at(2026, 2, 1)) is None


# --- ends --------------------------------------------------------------------------------------------------------


def test_it_ends_after_its_last_local_date() -> None:
    schedule = on(daily(time(23, 30)), "America/New_York", until=date(2026, 11, 23))
    assert listed(schedule, at(2026, 11, 22, 12), at(2027, 1, 1)) == [at(2026, 11, 23, 4, 30), at(2026, 11, 24, 4, 30)]


def test_an_interval_ends_after_its_last_local_date_too() -> None:
    schedule = on(Interval(minutes=720, start=at(2026, 11, 22)), "Asia/Tokyo", until=date(2026, 11, 22))
    assert listed(schedule, at(2026, 11, 22), at(2027, 1, 1)) == [at(2026, 11, 22, 12)]


def test_it_ends_after_its_count() -> None:
    schedule = on(daily(time(8)), count=3)
    assert len(list(firings(schedule, at(2026, 1, 1)))) == 3
    assert next_firing(schedule, at(2026, 1, 1), fired=2) == at(2026, 1, 1, 8)
    assert next_firing(schedule, at(2026, 1, 1), fired=3) is None
    assert next_firing(schedule, at(2026, 1, 1), fired=9) is None


def test_once_fires_once() -> None:
    schedule = on(Once(local(2026, 11, 22, 9, 30)), "Europe/Kyiv")
    assert list(firings(schedule, at(2026, 11, 1))) == [at(2026, 11, 22, 7, 30)]
    assert next_firing(schedule, at(2026, 11, 22, 7, 30)) is None


@given(
    minutes=st.integers(5, 10_000),
    after=st.integers(-100_000, 100_000),
    span=st.integers(0, 100_000),
    most=st.integers(0, 50),
    ends=st.tuples(st.none() | st.integers(0, 50), st.integers(0, 60)),
)
def test_counting_is_listing(minutes: int, after: int, span: int, most: int, ends: tuple[int | None, int]) -> None:
    count, fired = ends
    start = at(2026, 1, 1)
    schedule = on(Interval(minutes=minutes, start=start), count=count)
    begin = start + after * timedelta(minutes=1)
    end = begin + span * timedelta(minutes=1)
    listing = [instant for instant in islice(firings(schedule, begin, fired=fired), most) if instant <= end]
    assert count_firings(schedule, begin, end, fired=fired, most=most) == len(listing)


def test_counting_days_stops_at_the_most() -> None:
    schedule = on(daily(time(8), time(20)))
    assert count_firings(schedule, at(2026, 1, 1), at(2026, 1, 3, 12), fired=0, most=100) == 5
    assert count_firings(schedule, at(2026, 1, 1), at(2027, 1, 3, 12), fired=0, most=100) == 100


# --- what cannot be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/4 * * * *",
        "*/7 * * * *",  # 56 and the next full hour
        "0,58 8-9 * * *",  # 8:58 and 9:00
        "58,1 0,23 * * *",  # 23:58 and 0:01
        "* * * * * *",
        "0 0 0 8 * * *",
        "@daily",
        "R 8 * * *",
        "0 8 L * *",
        "0 8 * * 1#2",
        "0 0 30 2 *",
        "0 8 * *",
        "61 8 * * *",
        "",
    ],
)
def test_a_cron_expression_that_cannot_be_is_refused(expression: str) -> None:
    assert complaint(Cron(expression))


@pytest.mark.parametrize(
    "expression", ["*/5 * * * *", "0,58 8 * * *", "0 8,20 * * mon-fri", "30 3 29 2 *", "0 0 31 * *", "0 8 1 * 0-7"]
)
def test_a_cron_expression_that_can_be_fires(expression: str) -> None:
    assert not complaint(Cron(expression))
    assert next_firing(on(Cron(expression)), at(2026, 11, 22)) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        Interval(minutes=4, start=at(2026, 1, 1)),
        daily(time(8), time(8, 3)),
        daily(time(0, 1), time(23, 59)),
        daily(),
        daily(time(8), every=0),
        Calendar(unit="week", times=(time(8),), start=date(2026, 1, 1)),
        Calendar(unit="month", times=(time(8),), start=date(2026, 1, 1)),
    ],
    ids=str,
)
def test_a_pattern_that_cannot_be_is_refused(pattern: Pattern) -> None:
    assert complaint(pattern)


def test_patterns_that_can_be_are_not_refused() -> None:
    assert not complaint(Once(local(2026, 1, 1)))
    assert not complaint(Interval(minutes=5, start=at(2026, 1, 1)))
    assert not complaint(daily(time(8), time(8, 5)))


# --- another zone ------------------------------------------------------------------------------------------------


def test_in_another_zone_it_keeps_its_local_hour() -> None:
    there = moved(on(daily(time(8)), "Europe/Berlin"), "America/New_York", at(2026, 11, 22))
    assert next_firing(there, at(2026, 11, 22)) == at(2026, 11, 22, 13)


def test_a_single_time_that_would_have_passed_over_there_stays_where_it_is() -> None:
    schedule = on(Once(local(2026, 11, 22, 9)), "Europe/Berlin")
    assert moved(schedule, "Asia/Tokyo", at(2026, 11, 22, 7)) == schedule
    assert moved(schedule, "Asia/Tokyo", at(2026, 11, 21, 7)).timezone == "Asia/Tokyo"
    assert moved(schedule, "Asia/Tokyo", at(2026, 11, 23)).timezone == "Asia/Tokyo", "it has passed anyway"
