"""What every test shares."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
import pytest
import structlog
from hypothesis import HealthCheck, settings

from storage.migrations import postgres_runner
from tests.clock import FakeClock
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

STALL = 0.05
"""Seconds for which nothing may hold the event loop."""


# How long an example takes says more about the machine than about the program. A build repeats its examples, and does
# with half as many: those who work on the program draw new ones all the time.
IS_BUILD = "CI" in os.environ
settings.register_profile(
    "migrebot",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=IS_BUILD,
    max_examples=50 if IS_BUILD else 100,
)
settings.load_profile("migrebot")


# Where rich is installed, structlog draws an exception with all locals: a minute for one of a hypothesis test.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop the program itself runs on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
def clock() -> FakeClock:
    """A Monday noon, and no summer time about to begin or end anywhere near it."""
    return FakeClock(datetime(2026, 6, 15, 12, tzinfo=UTC))


@pytest.fixture
async def no_stalls() -> AsyncIterator[list[str]]:
    """Fail the test if one step of a task holds the event loop for longer than `STALL`; gives the stalls so far."""
    stalls: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # asyncio and uvloop say so in debug mode only, and in these words.
            if record.getMessage().startswith("Executing "):
                stalls.append(record.getMessage())

    loop, logger, watch = asyncio.get_running_loop(), logging.getLogger("asyncio"), Watch()
    before = loop.get_debug(), loop.slow_callback_duration
    logger.addHandler(watch)
    loop.set_debug(True)
    loop.slow_callback_duration = STALL
    yield stalls
    loop.set_debug(before[0])
    loop.slow_callback_duration = before[1]
    logger.removeHandler(watch)
    assert not stalls, "\n".join(stalls)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server that is started when the first test needs it; a test that stops it starts it again."""
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def blank_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database with nothing in it."""
    name = postgres_server.create()
    yield name
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_server: PostgresServer) -> str:
    name = postgres_server.create()
    anyio.run(postgres_runner.migrate, postgres_server.url(name))
    return name


@pytest.fixture
def postgres(postgres_server: PostgresServer, _migrated_postgres: str) -> str:
    """The name of a database with the newest schema and nothing stored: the same one for every test."""
    postgres_server.empty(_migrated_postgres)
    return _migrated_postgres
