"""A house for conversations, over each of the databases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from tests.storage.conftest import backend, postgres_backend, sqlite, sqlite_backend, sqlite_template, storage
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.interface import Storage
    from tests.clock import FakeClock

__all__ = ["backend", "postgres_backend", "sqlite", "sqlite_backend", "sqlite_template", "storage"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a build hold a quarter of the conversations on Postgres, always the same: all of them take minutes.

    `make test` on one's own machine holds them all on both.
    """
    if "CI" not in os.environ:
        return
    here = Path(__file__).parent
    left = [
        item
        for item in items
        if item.path.is_relative_to(here) and "postgres" in item.name and crc32(item.name.encode()) % 4
    ]
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]


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
