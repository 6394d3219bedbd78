"""Reminders that fire: in time and once, whatever the clock, the storage, the person and the program do."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from actors import alarms as module
from actors.alarms import Alarms
from migrebot.errors import StorageUnavailable
from migrebot.ids import id_source
from migrebot.messages import Left, Press, Returned
from migrebot.reminders.reminder import Nagging, Reminder
from migrebot.reminders.schedule import Calendar, Interval, Once, Pattern, Schedule
from migrebot.reminders.timers import Timer
from storage.changes import MergeUsers, SaveReminder, Unit
from storage.facts import OccurrenceById, ReminderById
from storage.sqlite import SqliteStorage
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from storage.records import Due
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAILY = Calendar(unit="day", times=(time(13),), start=date(2026, 6, 1))


class Meddled(SqliteStorage):
    """A storage in which something happens after what is due was read, or that does not work for a while."""

    meddle: Callable[[], Any] | None = None
    out = 0

    async def due(self, timers: Sequence[Timer]) -> list[Due]:
        if self.out:
            self.out -= 1
            raise StorageUnavailable("the disk is full")
        found = await super().due(timers)
        if self.meddle is not None:
            meddle, self.meddle = self.meddle, None
            await meddle()
        return found


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Meddled]:
    storage = Meddled(tmp_path / "migrebot.db")
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
async def house(storage: Meddled, clock: FakeClock) -> AsyncIterator[House]:
    async with open_house(storage, clock) as house:
        yield house


@pytest.fixture
async def ann(house: House) -> Person:
    ann = house.person(7001)
    await ann.says("/help")
    ann.chat.clear()
    return ann


@asynccontextmanager
async def running(house: House) -> AsyncIterator[Alarms]:
    """The alarms of one run of the program."""
    alarms = Alarms(
        storage=house.storage,
        delivery=house.delivery,
        clock=house.clock,
        new_id=id_source(house.clock),
        on_alert=house.alerts.append,
        on_trouble=lambda _: None,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(alarms.run)
        yield alarms
        tasks.cancel_scope.cancel()


async def remind(house: House, ann: Person, pattern: Pattern, id_: int = 1, **changed: Any) -> Reminder:
    """Store a reminder as the dialogue does, without a word to the alarms."""
    ends = {name: changed.pop(name) for name in ("count", "until") if name in changed}
    fields: dict[str, Any] = {
        "code": f"k{id_}",
        "user_id": 7001,
        "address": ann.address,
        "task": f"task {id_}",
        "schedule": Schedule(pattern=pattern, timezone="UTC", **ends),
        "created_at": NOON,
        "next_at": NOON + 60 * MINUTE,
    }
    reminder = Reminder(id=id_, **(fields | changed))
    await save(house, reminder)
    return reminder


async def save(house: House, reminder: Reminder) -> None:
    [result] = await house.storage.commit([Unit(changes=(SaveReminder(reminder),))], house.clock.now())
    assert result.outcome == "done"


async def stored(house: House, id_: int = 1) -> Reminder:
    fact = ReminderById(7001, id_)
    found: Reminder | None = (await house.storage.load([fact]))[fact]
    assert found is not None
    return found


async def until(house: House, condition: Callable[[], bool]) -> None:
    """Let everybody work until something is so."""
    with anyio.fail_after(20):
        while not condition():
            await house.deliver()
            await anyio.lowlevel.checkpoint()


async def shows(house: House, person: Person, count: int) -> list[str]:
    """Wait until so many messages came, and see that no more do."""
    await until(house, lambda: len(person.chat) >= count)
    await house.clock.settle()
    await house.deliver()
    assert len(person.chat) == count
    return [shown.text for shown in person.chat]


async def fired(house: House, id_: int, times: int) -> None:
    """Wait until a reminder has fired so many times."""
    with anyio.fail_after(20):
        while (await stored(house, id_)).fired < times:
            await house.clock.settle()


async def test_it_fires_in_time_and_once(house: House, ann: Person) -> None:
    await remind(house, ann, Once((NOON + 60 * MINUTE).replace(tzinfo=None)))
    async with running(house) as alarms:
        await house.clock.advance(59 * 60 + 59)
        await shows(house, ann, 0)
        await house.clock.advance(1)
        assert await shows(house, ann, 1) == ["⏰ task 1"]
        assert (alarms.lateness.fired, alarms.lateness.punctual, alarms.lateness.seconds) == (1, 1, 0)
        await house.clock.advance(3 * 24 * 3600)
        await shows(house, ann, 1)
    reminder = await stored(house)
    assert (reminder.next_at, reminder.fired) == (None, 1)
    assert ann.last.labels == ["✅ Done", "In 10 min", "In 1 hour", "Tomorrow", "Another time…"]


async def test_one_that_comes_again_fires_every_time(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    async with running(house):
        for times in (1, 2, 3):
            await house.clock.advance(3600 if times == 1 else 24 * 3600)
            await shows(house, ann, times)
    assert (await stored(house)).next_at == NOON + 60 * MINUTE + 3 * DAY


async def test_one_that_is_set_meanwhile_is_told_by_message(house: House, ann: Person) -> None:
    async with running(house) as alarms:
        await house.clock.advance(10)
        reminder = await remind(house, ann, DAILY, next_at=NOON + MINUTE)
        alarms.add([Timer(NOON + MINUTE, reminder.id)])
        await house.clock.advance(50)
        await shows(house, ann, 1)


async def test_one_far_away_comes_into_sight_in_its_time(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY, next_at=NOON + 30 * DAY + 60 * MINUTE)
    async with running(house):
        for _ in range(30):
            await house.clock.advance(24 * 3600)
            await house.clock.settle()
        await shows(house, ann, 0)
        await house.clock.advance(3600)
        await shows(house, ann, 1)


@pytest.mark.parametrize("changed", [{"next_at": None, "paused_at": NOON}, {"next_at": None, "deleted_at": NOON}])
async def test_what_was_paused_or_deleted_before_its_time_does_not_fire(
    house: House, ann: Person, changed: dict[str, Any]
) -> None:
    reminder = await remind(house, ann, DAILY)
    async with running(house):
        await house.clock.advance(60)
        await save(house, msgspec.structs.replace(reminder, **changed))
        await house.clock.advance(24 * 3600)
        await shows(house, ann, 0)


@pytest.mark.parametrize(
    "changed",
    [{"next_at": None, "paused_at": NOON}, {"next_at": None, "deleted_at": NOON}, {"next_at": NOON + 9 * DAY}],
    ids=["paused", "deleted", "put off"],
)
async def test_a_change_that_comes_between_reading_and_firing_wins(
    house: House, storage: Meddled, ann: Person, changed: dict[str, Any]
) -> None:
    reminder = await remind(house, ann, DAILY)
    await remind(house, ann, DAILY, 2)
    storage.meddle = lambda: save(house, msgspec.structs.replace(reminder, **changed))
    async with running(house):
        await house.clock.advance(3600)
        assert await shows(house, ann, 1) == ["⏰ task 2"]
    assert (await stored(house)).next_at == changed["next_at"]


async def test_one_whose_owner_joins_two_messengers_at_that_moment_fires_all_the_same(
    house: House, storage: Meddled, ann: Person
) -> None:
    wanda = house.person(value="whatsapp:+491511234567", channel="whatsapp")
    await wanda.says("/help")
    await remind(house, ann, DAILY)
    merged = Unit(changes=(MergeUsers((await wanda.known()).user.id, 7001),))
    storage.meddle = lambda: storage.commit([merged], house.clock.now())
    async with running(house):
        await house.clock.advance(3600)
        assert await shows(house, ann, 1) == ["⏰ task 1"]


# --- down, asleep, or with a wrong clock -------------------------------------------------------------------------


async def test_what_fell_due_while_it_was_down_comes_once_and_says_how_late_it_is(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    await remind(house, ann, Once(datetime.combine(date(2026, 6, 15), time(13))), 2)
    await house.clock.advance(3 * 24 * 3600 + 2 * 3600)
    async with running(house):
        daily, once = await shows(house, ann, 2)
        assert daily == (
            "⏰ task 1\nLate by 3 days: it was meant for Monday, 15 June at 13:00, and I could not run then."
            " It was missed 3 more times since."
        )
        assert "missed" not in once
        await house.clock.advance(23 * 3600)
        await shows(house, ann, 3)
    assert (await stored(house)).fired == 5


async def test_missed_firings_count_towards_the_end_of_a_series(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY, count=3)
    await house.clock.advance(10 * 24 * 3600)
    async with running(house):
        [text] = await shows(house, ann, 1)
    assert "missed 2 more times" in text
    assert ((await stored(house)).fired, (await stored(house)).next_at) == (3, None)


async def test_a_moment_late_is_not_late(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    await house.clock.advance(3600 + 59)
    async with running(house):
        assert await shows(house, ann, 1) == ["⏰ task 1"]


async def test_a_clock_that_goes_forward_fires_what_became_due_and_tells_the_owner(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    async with running(house):
        await house.clock.advance(60)
        house.clock.set_wall(NOON + 8 * 60 * MINUTE)
        await house.clock.advance(30)
        [text] = await shows(house, ann, 1)
        assert "Late by 7 hours" in text
    assert [alert.cause for alert in house.alerts] == ["clock"]


async def test_a_clock_that_is_set_back_fires_nothing_twice(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    async with running(house):
        await house.clock.advance(3600)
        await shows(house, ann, 1)
        house.clock.set_wall(NOON)
        await house.clock.advance(12 * 3600)
        await shows(house, ann, 1)
        await house.clock.advance(13 * 3600)
        await shows(house, ann, 2)
    assert [alert.cause for alert in house.alerts] == ["clock"]


async def test_an_instant_that_fired_already_is_moved_on_and_fires_not_again(house: House, ann: Person) -> None:
    reminder = await remind(house, ann, DAILY)
    async with running(house) as alarms:
        await house.clock.advance(3600)
        await shows(house, ann, 1)
        await save(house, msgspec.structs.replace(reminder, fired=1))
        alarms.add([Timer(NOON + 60 * MINUTE, 1)])
        await house.clock.advance(60)
        await shows(house, ann, 1)
        await house.clock.advance(24 * 3600)
        await shows(house, ann, 2)


async def test_a_storage_that_does_not_work_for_a_while_delays_and_loses_nothing(
    house: House, storage: Meddled, ann: Person
) -> None:
    await remind(house, ann, DAILY)
    storage.out = 3
    async with running(house):
        await house.clock.advance(3600)
        with anyio.fail_after(20):
            while storage.out:
                await house.clock.advance(0.1)
        await house.clock.advance(1)
        await shows(house, ann, 1)


# --- many, and bad ones ------------------------------------------------------------------------------------------


async def test_more_than_is_read_at_once_fire_all_the_same(
    house: House, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 7)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    for number in range(1, 41):
        at = NOON + (60 if number < 30 else 90 + number) * MINUTE
        await remind(house, ann, Once(at.replace(tzinfo=None)), number, next_at=at)
    async with running(house):
        await house.clock.advance(3600)
        await shows(house, ann, 29)
        await house.clock.advance(3600)
        for count in range(30, 41):
            await shows(house, ann, count)
            await house.clock.advance(60)
        texts = await shows(house, ann, 40)
    assert sorted(texts) == sorted(f"⏰ task {number}" for number in range(1, 41))


async def test_one_that_cannot_be_worked_out_is_paused_and_the_others_fire(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    broken = Schedule(pattern=DAILY, timezone="Atlantis/Capital")
    await remind(house, ann, DAILY, 2, schedule=broken)
    async with running(house):
        await house.clock.advance(3600)
        assert await shows(house, ann, 1) == ["⏰ task 1"]
    reminder = await stored(house, 2)
    assert (reminder.next_at, reminder.paused_at) == (None, NOON + 60 * MINUTE)
    assert [alert.cause for alert in house.alerts] == ["reminder paused"]
    assert "task 2" not in house.alerts[0].text


async def test_a_person_who_blocked_the_bot_gets_nothing_and_keeps_the_series(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    await ann.sends(Left())
    async with running(house):
        await house.clock.advance(3600)
        await fired(house, 1, 1)
        await shows(house, ann, 0)
        await ann.sends(Returned())
        await house.clock.advance(24 * 3600)
        await shows(house, ann, 1)


# --- again and again ---------------------------------------------------------------------------------------------


async def test_an_unanswered_one_nags_as_often_as_was_wished(house: House, ann: Person) -> None:
    await remind(house, ann, Once(datetime.combine(date(2026, 6, 15), time(13))), nagging=Nagging(10, 2))
    async with running(house):
        await house.clock.advance(3600)
        await shows(house, ann, 1)
        for times in (2, 3):
            await house.clock.advance(600)
            assert "Once more" in (await shows(house, ann, times))[-1]
        await house.clock.advance(24 * 3600)
        await shows(house, ann, 3)


async def test_an_answer_ends_the_nagging(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY, nagging=Nagging(10, 5))
    async with running(house):
        await house.clock.advance(3600)
        await shows(house, ann, 1)
        await ann.presses("Done")
        await house.clock.advance(3600)
        await shows(house, ann, 1)


async def test_five_minutes_of_an_interval_hold_over_a_day(house: House, ann: Person) -> None:
    await remind(house, ann, Interval(minutes=5, start=NOON), next_at=NOON + 5 * MINUTE)
    async with running(house):
        for times in range(1, 25):
            await house.clock.advance(300)
            await shows(house, ann, times)


async def test_nobody_answers_for_another(house: House, ann: Person) -> None:
    await remind(house, ann, DAILY)
    async with running(house):
        await house.clock.advance(3600)
        await shows(house, ann, 1)
    eve = house.person(666)
    await eve.says("/help")
    data = ann.last.keyboard[0][0].data
    await eve.sends(Press(data, "1", "callback"))
    assert eve.toasts == ["That reminder no longer exists."]
    occurrence = OccurrenceById(7001, int(data.split(":")[2]))
    found = (await house.storage.load([occurrence]))[occurrence]
    assert found is not None
    assert found.answer is None
