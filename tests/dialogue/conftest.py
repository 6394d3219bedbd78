"""A house for conversations, over each of the databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.conftest import backend, postgres_backend, sqlite, sqlite_backend, sqlite_template, storage
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.interface import Storage
    from tests.clock import FakeClock

__all__ = ["backend", "postgres_backend", "sqlite", "sqlite_backend", "sqlite_template", "storage"]


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A dialogue actor at work."""
    async with open_house(storage, clock) as house:
        yield house


@pytest.fixture
async def ann(house: House) -> Person:
    """Somebody who said hello and whose time zone is known."""
    ann = house.person(first_name="Ann")
    await ann.says("/start")
    await ann.presses("Record a headache")
    await ann.says("/settings")
    await ann.presses("Time zone")
    await ann.says("Berlin")
    ann.chat.clear()
    return ann
