"""The scheduler over a real storage: forms left alone, and clocks that do not agree."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from storage.sqlite import SqliteStorage
from tests.talk import make_scheduler, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from actors.scheduler import Scheduler
    from tests.clock import FakeClock
    from tests.talk import House

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    async with open_house(storage, clock) as house:
        yield house
    await storage.close()


@asynccontextmanager
async def scheduler(house: House) -> AsyncIterator[Scheduler]:
    actor = make_scheduler(house)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.run)
        yield actor
        await actor.stop()


async def test_a_form_left_alone_ends_when_its_time_is_out_and_saves_what_is_known(house: House) -> None:
    ann = house.person(7001)
    async with scheduler(house):
        for text in ("/pain", "today", "3", "7"):
            await ann.says(text)
        await house.clock.advance(24 * 3600 - 60)
        assert await ann.session() is not None
        await house.clock.advance(61)
        with anyio.fail_after(30):
            while not any("I saved what you had told me so far" in shown.text for shown in ann.chat):
                await house.deliver()
                await anyio.lowlevel.checkpoint()
        assert await ann.session() is None


async def test_a_form_that_was_answered_meanwhile_goes_on(house: House) -> None:
    ann = house.person(7001)
    async with scheduler(house):
        await ann.says("/pain")
        await house.clock.advance(23 * 3600)
        await ann.says("today")
        await house.clock.advance(2 * 3600)
        assert await ann.session() is not None


async def test_a_clock_set_back_makes_it_wait_and_not_spin(house: House) -> None:
    ann = house.person(7001)
    await ann.says("/pain")
    session = await ann.session()
    assert session is not None
    actor = make_scheduler(house)
    assert not await actor._end_forms(session.expires_at + timedelta(minutes=5))
    assert await ann.session() is not None
