"""New rules of time zones: what was planned by the old ones comes at the same local hours, once."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import replanning, zone_rules
from actors.replanning import Replanning
from migrebot.errors import StorageUnavailable
from migrebot.reminders.occurrences import next_firing
from migrebot.reminders.questions import Asking
from migrebot.reminders.replanning import question_replanned, replanned
from migrebot.reminders.schedule import Calendar, Cron, Interval, Once, Schedule
from storage.changes import MoveReminder, SaveAsking, SaveReminder, SaveUser, Unit
from storage.facts import AskingOf, NotedNumber, ReminderById
from tests.storage.samples import NOW, ask, person, reminder, stored, whois
from tests.talk import make_scheduler, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from migrebot.reminders.schedule import Pattern
    from migrebot.reminders.timers import Timer
    from storage.interface import Result, Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAILY = Calendar(unit="day", times=(time(8),), start=date(2026, 6, 1))
PATTERNS: list[Pattern] = [
    DAILY,
    Calendar(unit="day", times=(time(8), time(14), time(20)), start=date(2026, 6, 1)),
    Calendar(unit="week", times=(time(2, 30),), start=date(2026, 6, 1), weekdays=(0, 6)),
    Calendar(unit="month", times=(time(0),), start=date(2026, 6, 1), month_days=(-1,)),
    Cron("30 7 * * 1-5"),
    Cron("0 */4 * * *"),
]


# --- the rule ----------------------------------------------------------------------------------------------------


@given(
    pattern=st.sampled_from(PATTERNS),
    zone=st.sampled_from(["Europe/Paris", "America/Santiago", "Pacific/Apia", "UTC"]),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - made aware below
    moved=st.sampled_from([-60, -30, 30, 60]),
)
def test_what_was_planned_by_other_rules_goes_to_its_own_local_hour(
    pattern: Pattern, zone: str, after: datetime, moved: int
) -> None:
    schedule = Schedule(pattern=pattern, timezone=zone, count=1)
    right = next_firing(schedule, after.replace(tzinfo=UTC))
    assert right is not None
    assert replanned(schedule, right) == right
    assert replanned(schedule, right + timedelta(minutes=moved)) == right


def test_a_single_time_is_where_it_belongs_however_far_it_was() -> None:
    schedule = Schedule(pattern=Once(datetime(2026, 12, 30, 9)), timezone="Pacific/Apia")  # noqa: DTZ001 - a wall time
    assert replanned(schedule, datetime(2026, 12, 31, 19, tzinfo=UTC)) == datetime(2026, 12, 29, 20, tzinfo=UTC)


def test_an_interval_knows_no_zones_and_what_fires_every_few_minutes_goes_on() -> None:
    each = Schedule(pattern=Interval(minutes=90, start=NOW), timezone="Europe/Paris")
    assert replanned(each, NOW + 1.5 * HOUR) == NOW + 1.5 * HOUR
    often = Schedule(pattern=Cron("*/5 * * * *"), timezone="Europe/Paris")
    soon = datetime(2026, 6, 15, 12, 5, tzinfo=UTC)
    assert replanned(often, soon) == soon


def test_what_can_fire_nowhere_near_stays() -> None:
    ended = Schedule(pattern=DAILY, timezone="Europe/Paris", until=date(2026, 6, 3))
    assert replanned(ended, datetime(2026, 9, 1, tzinfo=UTC)) == datetime(2026, 9, 1, tzinfo=UTC)


def test_a_question_comes_at_its_hour() -> None:
    asking = Asking(user_id=1, at=time(20))
    right = datetime(2026, 6, 15, 18, tzinfo=UTC)
    for planned in (right, right - HOUR, right + HOUR, right + timedelta(minutes=30)):
        assert question_replanned(asking, "Europe/Paris", planned) == right


# --- all that is planned -----------------------------------------------------------------------------------------


async def planning(storage: Storage, clock: FakeClock, mark: int = 2) -> list[Timer]:
    timers: list[Timer] = []
    await Replanning(storage=storage, clock=clock, rules=lambda: mark, on_moved=timers.extend).run()
    return timers


async def planned(storage: Storage, id_: int) -> datetime | None:
    found = await ask(storage, ReminderById(1001, id_))
    assert found is not None
    at: datetime | None = found.next_at
    return at


async def many(storage: Storage, count: int, off: timedelta) -> datetime:
    """Set reminders for eight o'clock, off by so much, and a question; give when they should fire."""
    await person(storage)
    right = next_firing(reminder().schedule, NOW)
    assert right is not None
    days = [right + (number % 60) * timedelta(days=1) for number in range(count)]
    await stored(storage, *(SaveReminder(reminder(n + 1, next_at=at + off)) for n, at in enumerate(days)))
    return right


async def test_all_is_planned_anew_once_when_the_rules_are_others(
    storage: Storage,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replanning, "AT_ONCE", 7)
    right = await many(storage, 100, HOUR)
    in_paris = SaveUser(msgspec.structs.replace((await whois(storage)).user, timezone="Europe/Paris"))
    await stored(storage, in_paris, SaveAsking(Asking(user_id=1001, at=time(20), next_at=NOW + 7 * HOUR)))
    assert len(await planning(storage, clock)) == 100
    assert [await planned(storage, n + 1) for n in range(3)] == [right + n * timedelta(days=1) for n in range(3)]
    asking = await ask(storage, AskingOf(1001))
    assert asking.next_at == datetime(2026, 6, 15, 18, tzinfo=UTC)
    assert await ask(storage, NotedNumber(0, "zone rules")) == 2
    await stored(storage, MoveReminder(user_id=1001, id=1, due_at=right, next_at=right + HOUR, fired=0))
    assert await planning(storage, clock) == [], "the rules are the same"
    assert await planned(storage, 1) == right + HOUR
    assert len(await planning(storage, clock, 3)) == 1


async def test_what_is_cut_off_in_the_middle_begins_again_and_ends_the_same(
    storage: Storage,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replanning, "AT_ONCE", 10)
    right = await many(storage, 60, -HOUR)
    commit, calls = storage.commit, 0

    async def dying(units: Sequence[Unit], now: datetime) -> list[Result]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise RuntimeError("killed")
        return await commit(units, now)

    monkeypatch.setattr(storage, "commit", dying)
    with pytest.raises(RuntimeError):
        await planning(storage, clock)
    assert await ask(storage, NotedNumber(0, "zone rules")) is None
    assert 40 <= len(await planning(storage, clock)) < 60
    assert {await planned(storage, n + 1) for n in range(60)} == {right + n * timedelta(days=1) for n in range(60)}


async def test_it_waits_for_a_storage_that_is_away(
    storage: Storage,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await many(storage, 1, HOUR)
    load, away = storage.planned_reminders, [True]

    async def failing(at: datetime, beyond: int, limit: int) -> object:
        if away.pop() if away else False:
            raise StorageUnavailable("away")
        return await load(at, beyond, limit)

    monkeypatch.setattr(storage, "planned_reminders", failing)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(planning, storage, clock)
        with anyio.fail_after(30):
            while await ask(storage, NotedNumber(0, "zone rules")) is None:
                await clock.advance(1)


# --- what a person gets ------------------------------------------------------------------------------------------


@asynccontextmanager
async def firing(storage: Storage, clock: FakeClock) -> AsyncIterator[list[str]]:
    """Run the scheduler under new rules for somebody with a reminder; gives what came of it."""
    came: list[str] = []
    async with open_house(storage, clock) as house, anyio.create_task_group() as tasks:
        tasks.start_soon(make_scheduler(house, zone_rules=2).run)
        yield came
        with anyio.fail_after(30):
            while await ask(storage, NotedNumber(0, "zone rules")) is None:
                await clock.advance(0.01)
        came += [str(ticket.priority) for ticket in await storage.recover(clock.now())]
        house.scheduler.close()


@pytest.mark.parametrize(("planned_off", "at_start", "fires"), [(1, 0.5, 1), (-1, -0.5, 0), (1, -0.5, 0), (-1, 0.5, 1)])
async def test_nothing_fires_early_twice_or_not_at_all(
    storage: Storage,
    clock: FakeClock,
    planned_off: int,
    at_start: float,
    fires: int,
) -> None:
    """Planned an hour late or early by the old rules; the program starts half an hour after or before the true time."""
    right = await many(storage, 1, planned_off * HOUR)
    await clock.advance((right + at_start * HOUR - clock.now()).total_seconds())
    async with firing(storage, clock) as came:
        pass
    assert len(came) == fires
    assert await planned(storage, 1) == (right + timedelta(days=1) if fires else right)


# --- the mark ----------------------------------------------------------------------------------------------------


def test_the_mark_is_another_one_when_the_rules_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_rules, "TZPATH", (str(tmp_path),))
    seen = [zone_rules.rules_mark(), zone_rules.rules_mark()]
    assert seen[0] == seen[1]
    assert 0 <= seen[0] < 2**63
    (tmp_path / "Europe").mkdir()
    seen.append(zone_rules.rules_mark())
    (tmp_path / "+VERSION").write_text("2026a")
    seen.append(zone_rules.rules_mark())
    (tmp_path / "tzdata.zi").write_text("# version 2026b")
    seen.append(zone_rules.rules_mark())
    monkeypatch.setattr(zone_rules, "version", lambda _name: "2027.1")
    seen.append(zone_rules.rules_mark())
    assert len(set(seen)) == 5
