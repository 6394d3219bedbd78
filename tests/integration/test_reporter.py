"""The daily report: counted from the diary itself, closed once a day, made up for when it was missed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from actors.actor import Mailbox
from actors.reporter import GATHER_S, Reporter, Reporting
from migrebot.messages import Address, Recorded, ReportChanged
from migrebot.reports.daily import Report
from storage.sqlite import SqliteStorage
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
OWNER = Address("telegram", "7001")
SOON = Reporting(cron="5 14 * * *", timezone="Europe/Paris")
"""Five past noon in UTC; the clock of a test starts at noon."""


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    async with open_house(storage, clock) as house:
        yield house


async def drift(clock: FakeClock) -> None:
    """Let a little time pass, so little that no report falls due while the storage is waited for."""
    await clock.advance(GATHER_S / 20)
    await anyio.sleep(0.005)


class Desk:
    """A reporter at work, and what it tells the mirror."""

    def __init__(self, house: House, reporting: Reporting) -> None:
        self.mirror: Mailbox[Any] = Mailbox(1_000)
        self.clock = house.clock
        self.reporter = Reporter(
            mailbox=Mailbox(1),
            storage=house.storage,
            owner=self._owner,
            delivery=house.delivery,
            mirror=self.mirror,
            clock=house.clock,
            reporting=reporting,
        )

    async def _owner(self) -> Address | None:
        return OWNER

    async def becomes(self, condition: Callable[[Report], bool]) -> Report:
        """Wait until the mirror is told a report that fits."""
        with anyio.fail_after(30):
            while True:
                for envelope in self.mirror.take(1_000):
                    assert isinstance(envelope.message, ReportChanged)
                    report = msgspec.json.decode(envelope.message.report, type=Report)
                    if condition(report):
                        return report
                await drift(self.clock)


@asynccontextmanager
async def reporting(house: House, when: Reporting = SOON) -> AsyncIterator[Desk]:
    desk = Desk(house, when)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(desk.reporter.run)
        yield desk
        await desk.reporter.stop()


async def told(house: House, owner: Person) -> str:
    """Wait for the next message to the owner."""
    with anyio.fail_after(30):
        while not len(house.delivery):
            await drift(house.clock)
    await house.deliver()
    return owner.last.text


async def test_today_is_told_as_it_grows_and_by_the_names_listeners_know(house: House) -> None:
    async with reporting(house) as desk:
        await desk.becomes(lambda report: report == Report())
        await house.person(8, language="ru", first_name="Ann", username="ann").says("/pain 7 3h ibuprofen 400")
        await desk.reporter.mailbox.put(Recorded())
        report = await desk.becomes(lambda report: report.n_pains == 1)
    assert msgspec.json.decode(msgspec.json.encode(report)) == {
        "n_notified_users": 0,
        "new_users": [
            {
                "telegram_id": 8,
                "first_name": "Ann",
                "last_name": None,
                "user_name": "ann",
                "language": "ru",
                "n_paincases": 1,
                "n_druguses": 1,
                "n_pressures": 0,
                "n_medications": 0,
            }
        ],
        "deleted_users": [],
        "n_pains": 1,
        "n_druguses": 1,
        "n_pressures": 0,
        "n_medications": 0,
    }


async def test_whoever_left_is_an_id_and_counts_and_nothing_else(house: House) -> None:
    ann = house.person(8, first_name="Ann", username="ann")
    async with reporting(house) as desk:
        await desk.becomes(lambda report: report == Report())
        await ann.says("/pain 7 3h")
        await ann.says("/forget")
        await ann.presses("Delete everything")
        await ann.presses("Yes, delete")
        await desk.reporter.mailbox.put(Recorded())
        report = await desk.becomes(lambda report: bool(report.deleted_users))
    assert report.new_users == ()
    assert msgspec.json.decode(msgspec.json.encode(report.deleted_users)) == [
        {
            "telegram_id": 8,
            "first_name": None,
            "last_name": None,
            "user_name": None,
            "language": None,
            "n_paincases": 1,
            "n_druguses": 0,
            "n_pressures": 0,
            "n_medications": 0,
        },
    ]


async def test_at_its_time_the_owner_is_told_once_and_the_day_is_closed(house: House) -> None:
    owner = house.person(7001, language="ru")
    await owner.says("/start")
    await house.clock.advance(1)
    async with reporting(house) as desk:
        await desk.becomes(lambda report: report == Report())
        await house.person(8, first_name="<Ann>").says("/pain 7 3h ibuprofen 400")
        await desk.reporter.mailbox.put(Recorded())
        await desk.becomes(lambda report: report.n_pains == 1)
        house.delivery.take(100)
        await house.clock.advance((NOON + timedelta(minutes=5) - house.clock.now()).total_seconds())
        text = await told(house, owner)
        assert "Отчёт" in text
        assert "<Ann>" in text
        assert "Головная боль: 1, всего 1" in text
        assert "опозданием" not in text
        await desk.becomes(lambda report: report.n_pains == 0)
    day = (await house.storage.closed_days(date(2026, 6, 1), date(2026, 6, 30)))[0]
    assert (day.day, day.new_users, day.active_users, day.n_pains, day.n_druguses) == (date(2026, 6, 15), 1, 1, 1, 1)
    async with reporting(house) as desk:
        await desk.becomes(lambda report: report == Report())
        assert not len(house.delivery), "told again after a restart"


async def test_a_report_missed_while_the_program_was_down_comes_once_and_says_so(house: House) -> None:
    owner = house.person(7001)
    await owner.says("/start")
    await house.clock.advance(1)
    async with reporting(house) as desk:
        await desk.becomes(lambda report: report == Report())
    await house.person(8).says("/pain 7 3h")
    await house.clock.advance(3 * 86_400)
    house.delivery.take(100)
    async with reporting(house) as desk:
        text = await told(house, owner)
        assert "It comes late" in text
        assert "Headaches: 1, 1 in all" in text
        await desk.becomes(lambda report: report == Report())
        assert not len(house.delivery)
    assert len(await house.storage.closed_days(date.min, date.max)) == 1


async def test_without_a_time_for_reports_days_are_closed_and_nobody_is_told(house: House) -> None:
    await house.person(7001).says("/start")
    await house.clock.advance(1)
    async with reporting(house, Reporting(cron="", timezone="Pacific/Norfolk")) as desk:
        await desk.becomes(lambda report: report == Report())
        await house.person(8).says("/pain 7 3h")
        await desk.reporter.mailbox.put(Recorded())
        await desk.becomes(lambda report: report.n_pains == 1)
        house.delivery.take(100)
        await house.clock.advance(3_700)  # midnight there is 13:00 UTC
        await desk.becomes(lambda report: report == Report())
        assert not len(house.delivery)
    assert [day.day for day in await house.storage.closed_days(date.min, date.max)] == [date(2026, 6, 15)]


async def test_a_deleted_entry_is_not_counted_and_nothing_is_counted_in_two_reports(house: House) -> None:
    ann = house.person(8)
    begin = house.clock.now()
    await ann.says("/pain 7 3h")
    await house.clock.advance(10)
    middle = house.clock.now()
    await ann.says("/pain 6 2h")
    await ann.presses("Delete")
    await house.clock.advance(10)
    spans = [await house.storage.span(begin, middle), await house.storage.span(middle, house.clock.now())]
    assert [span.report.n_pains for span in spans] == [1, 0]
    assert [len(span.report.new_users) for span in spans] == [1, 0]
    far = datetime(2026, 1, 1, tzinfo=UTC)
    assert (await house.storage.span(far, begin)).report == Report()
    totals = await house.storage.totals(middle - timedelta(days=31))
    assert (totals.users, totals.active, totals.super_active, totals.headaches) == (1, 1, 1, 1)
