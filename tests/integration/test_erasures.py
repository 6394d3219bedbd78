"""Who was erased is noted beside the backups: at the start, at each word, and again after a failure."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.actor import Mailbox
from actors.erasures import RETRY_S, Erasures
from migrebot.messages import Erased
from storage.backups.marks import read
from storage.changes import EraseUser, Unit
from storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from migrebot.messages import Alert
    from tests.clock import FakeClock

ONE, TWO = "1" * 64, "2" * 64


class Keeper:
    """An actor of erasures at work."""

    def __init__(self, storage: SqliteStorage, directory: Path, clock: FakeClock) -> None:
        self.directory = directory
        self.alerts: list[Alert] = []
        self._storage = storage
        self._clock = clock

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Erasures]:
        mailbox: Mailbox[Erased] = Mailbox(1)
        actor = Erasures(
            mailbox=mailbox,
            storage=self._storage,
            directory=self.directory,
            key=b"key",
            clock=self._clock,
            on_alert=self.alerts.append,
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.run)
            yield actor
            await actor.stop()

    async def erase(self, hash_: str) -> None:
        await self._storage.commit([Unit(changes=(EraseUser(404, (hash_,)),))], self._clock.now())

    async def notes(self, *hashes: str) -> None:
        """Wait until just these are noted."""
        await until(lambda: (found := read(self.directory)) is not None and set(found.moments) == set(hashes))


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not true():  # noqa: ASYNC110 - what is waited for is a file
            await anyio.sleep(0.01)


@pytest.fixture
async def keeper(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Keeper]:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    yield Keeper(storage, tmp_path / "backups", clock)
    await storage.close()


async def test_a_file_without_marks_tells_that_nobody_was_erased(keeper: Keeper) -> None:
    async with keeper.at_work():
        await keeper.notes()


async def test_who_was_erased_before_the_program_died_is_noted_at_the_start_others_at_once(keeper: Keeper) -> None:
    await keeper.erase(ONE)
    async with keeper.at_work() as actor:
        await keeper.notes(ONE)
        await keeper.erase(TWO)
        assert actor.mailbox.offer(Erased())
        await keeper.notes(ONE, TWO)
    assert not keeper.alerts


async def test_word_that_came_just_before_the_end_is_followed(keeper: Keeper) -> None:
    async with keeper.at_work() as actor:
        await keeper.notes()
        await keeper.erase(ONE)
        assert actor.mailbox.offer(Erased())
    await keeper.notes(ONE)


async def test_a_failure_is_told_and_it_is_tried_again(keeper: Keeper, clock: FakeClock) -> None:
    keeper.directory.touch()
    await keeper.erase(ONE)
    async with keeper.at_work() as actor:
        await until(lambda: bool(keeper.alerts))
        assert "not noted beside the backups" in actor.health.detail
        keeper.directory.unlink()
        await clock.advance(RETRY_S)
        await keeper.notes(ONE)
        await until(lambda: actor.health.detail == "ok")
    assert [alert.cause for alert in keeper.alerts] == ["erasures"]
