"""Backups are made when they are due, by a process beside the program, and failures are told."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.actor import Mailbox
from actors.backup import Backup, Disks, Work
from actors.backup_process import make_apart, try_apart, upload_apart
from actors.backup_records import BACKED_UP
from migrebot.errors import UserError
from migrebot.reminders.schedule import Cron, Schedule
from storage.backups.order import Order, Place
from storage.changes import NoteInstant, Unit
from storage.postgres import PostgresStorage
from storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from migrebot.messages import Alert, ToDelivery
    from storage.backups.order import Made
    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.fakes.yandex_disk import FakeDisk
    from tests.postgres import PostgresServer

SOON = Schedule(pattern=Cron("5 14 * * *"), timezone="Europe/Paris")
"""Five past noon in UTC; the clock of a test starts at noon."""


class Keeper:
    """A backup actor at work on a database."""

    def __init__(
        self,
        storage: Storage,
        place: Place,
        directory: Path,
        clock: FakeClock,
        *,
        disk: FakeDisk | None = None,
        token: str = "",
        allowed: bool = True,
        schedule: Schedule | None = SOON,
    ) -> None:
        self.directory = directory
        self.alerts: list[Alert] = []
        self.made: list[Made] = []
        self.began = anyio.Event()
        self.ended = 0
        self.delivery: Mailbox[ToDelivery] = Mailbox(100)
        self._place = place
        self._clock = clock
        self._storage = storage
        self._schedule = schedule
        self._disks = Disks(
            token=token,
            api_base=disk.api_base if disk else "http://127.0.0.1:1",
            keep_days=180,
            allowed=allowed,
            patience=2,
        )
        self.actor = self._started_anew()

    def _started_anew(self) -> Backup:
        return Backup(
            mailbox=Mailbox(1),
            storage=self._storage,
            delivery=self.delivery,
            work=Work(make=self._make, upload=upload_apart, attempt=try_apart),
            disks=self._disks,
            schedule=self._schedule,
            clock=self._clock,
            on_alert=self.alerts.append,
        )

    async def _make(self, now: datetime) -> Made:
        self.began.set()
        try:
            made = await make_apart(Order(place=self._place, directory=str(self.directory), now=now, keep_days=180))
            self.made.append(made)
        finally:
            self.ended += 1
        return made

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let a program that was just started do its work."""
        self.actor = self._started_anew()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.actor.run)
            yield
            await self.actor.stop()

    async def pass_time(self, seconds: int) -> None:
        """Let time pass, and the actor and the storage do what they do meanwhile."""
        for _ in range(0, seconds, 60):
            await self._clock.advance(60)
            await anyio.sleep(0.005)

    async def after(self, attempts: int) -> None:
        """Let time pass until so many attempts came to an end."""
        with anyio.fail_after(60):
            while self.ended < attempts:
                await self._clock.advance(10)
                await anyio.sleep(0.01)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(file=str(tmp_path / "migrebot.db"), work=str(tmp_path))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return Place(url=server.url(request.getfixturevalue("postgres")), work=str(tmp_path))


@pytest.fixture
async def keeper(place: Place, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Keeper]:
    storage: Storage = SqliteStorage(tmp_path / "migrebot.db") if place.file else PostgresStorage(place.url)
    await storage.open()
    await storage.commit([Unit(changes=(NoteInstant(BACKED_UP, clock.now()),))], clock.now())
    yield Keeper(storage, place, tmp_path / "backups", clock)
    await storage.close()


async def test_it_is_made_at_its_time_and_once_and_made_up_for_when_missed(keeper: Keeper, clock: FakeClock) -> None:
    async with keeper.at_work():
        await keeper.after(1)
        await keeper.pass_time(3_600)
    assert keeper.actor.health.detail == "ok"
    await clock.advance(3 * 86_400)
    async with keeper.at_work():
        await keeper.after(2)
        await keeper.pass_time(3_600)
    assert keeper.ended == len(keeper.made) == 2
    assert keeper.names == [made.path.rpartition("/")[2] for made in keeper.made]
    times = [name[len("migrebot-") :][:13] for name in keeper.names]
    assert times[0].endswith("T1205")
    assert not keeper.alerts


async def test_a_failure_is_told_once_a_day_and_tried_again_until_it_works(keeper: Keeper, clock: FakeClock) -> None:
    keeper.directory.touch()
    async with keeper.at_work():
        await keeper.after(1)
        began = clock.now()
        await keeper.after(2)
        assert clock.now() - began > timedelta(minutes=50)
        assert "the last backup failed: " in keeper.actor.health.detail
        [alert] = keeper.alerts
        assert alert.cause == "backup"
        await clock.advance(86_400)
        await keeper.after(3)
        await keeper.pass_time(60)
        assert len(keeper.alerts) == 2
        keeper.directory.unlink()
        await keeper.after(4)
        await keeper.pass_time(60)
    assert (len(keeper.made), keeper.actor.health.detail) == (1, "ok")
    assert len(keeper.alerts) == 2


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
async def test_a_stop_does_not_wait_for_what_is_under_way(keeper: Keeper, clock: FakeClock) -> None:
    with anyio.fail_after(30):
        async with keeper.at_work():
            await clock.advance(300)
            await keeper.began.wait()
    assert not keeper.made


async def test_what_the_process_has_to_say_arrives(tmp_path: Path) -> None:
    order = Order(
        place=Place(file=str(tmp_path / "none.db"), work=str(tmp_path)),
        directory=str(tmp_path),
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(UserError, match="there is no such file"):
        await make_apart(order)
