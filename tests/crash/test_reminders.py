"""Random `kill -9` while reminders fire: none is lost, each fires once, and nothing is sent more than twice.

`make test` runs a short seed of it, `make soak` three hundred kills, or as many as `MIGREBOT_SOAK_KILLS` says.
`MIGREBOT_SOAK_SEED` repeats a run. WhatsApp, since a program without Telegram starts in a third of the time.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import to_thread

from migrebot.messages import Address
from migrebot.reminders.reminder import Reminder
from migrebot.reminders.schedule import Interval, Once, Schedule
from storage.changes import SaveReminder, Unit
from storage.sqlite import SqliteStorage
from tests.e2e.program import Program
from tests.fakes.twilio import FakeTwilio
from tests.integration.twilio_rig import settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.fakes.twilio.people import Phone

pytestmark = pytest.mark.anyio

PEOPLE = 12
PER_KILL = 30
SOAK = int(os.environ.get("MIGREBOT_SOAK_KILLS") or 300)


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        yield fake


@pytest.fixture
async def program(tmp_path: Path, twilio: FakeTwilio) -> AsyncIterator[Program]:
    program = Program(tmp_path, **settings_for(twilio))
    yield program
    await to_thread.run_sync(program.__exit__)


@pytest.mark.parametrize("kills", [3, pytest.param(SOAK, marks=pytest.mark.soak)])
async def test_killed_while_reminders_fire_it_loses_none_and_doubles_none_but_what_was_being_sent(
    program: Program, twilio: FakeTwilio, kills: int
) -> None:
    seed = int(os.environ.get("MIGREBOT_SOAK_SEED") or random.randrange(10**6))
    print(f"seed {seed}")
    chance = random.Random(seed)
    people = [twilio.person(f"+1555000{1000 + n}", f"P{n}") for n in range(PEOPLE)]
    await start(program, twilio)
    for person in people:
        await person.says("/help")
        await person.sees("/add")
    await to_thread.run_sync(program.stop)
    tags: list[str] = []
    for _ in range(kills):
        new = await set_reminders(program, people, chance, len(tags))
        tags += new
        sent = len(twilio.calls_of("create"))
        await start(program, twilio)
        await twilio.waits_for("create", sent + chance.randrange(1, len(new)), timeout=60)
        await to_thread.run_sync(program.kill)
    await start(program, twilio)
    await all_settled(program, twilio, len(tags))
    assert await to_thread.run_sync(program.stop) == 0
    with closing(sqlite3.connect(program.directory / "data/migrebot.db")) as database:
        uncertain = check_stored(database, tags)
    check_shown(people, tags, uncertain)


async def start(program: Program, twilio: FakeTwilio) -> None:
    await to_thread.run_sync(program.start)
    twilio.calls_back(program.url)


async def all_settled(program: Program, twilio: FakeTwilio, count: int) -> None:
    """Wait until all have fired and nothing waits to be sent; a message that was given up brings no event."""
    waits = "SELECT count(*) FROM outbox WHERE settled_at IS NULL"
    with anyio.fail_after(120), closing(sqlite3.connect(program.directory / "data/migrebot.db")) as database:
        while database.execute("SELECT count(*) FROM occurrences").fetchone() < (count,) or any(
            database.execute(waits).fetchone()
        ):
            async with twilio.world.changed:
                with anyio.move_on_after(0.5):
                    await twilio.world.changed.wait()


async def set_reminders(program: Program, people: list[Phone], chance: random.Random, first: int) -> list[str]:
    """Store reminders while the program is down: some overdue, some due in a moment, some that come again and again."""
    storage = SqliteStorage(program.directory / "data/migrebot.db")
    await storage.open()
    now = datetime.now(UTC)
    units, tags = [], []
    for number in range(first, first + PER_KILL):
        person = people[number % PEOPLE]
        tag = f"tag-{number}-{number % PEOPLE}."
        at = now + timedelta(seconds=chance.uniform(-2, 4))
        once = chance.random() < 0.8
        # One that comes again does so long after the test.
        interval = timedelta(minutes=10_000)
        pattern = Once(at.replace(tzinfo=None)) if once else Interval(minutes=10_000, start=at - interval)
        reminder = Reminder(
            id=number + 1,
            code=f"k{number}",
            user_id=-1 - number % PEOPLE,
            address=Address("whatsapp", person.address),
            task=tag,
            schedule=Schedule(pattern=pattern, timezone="UTC"),
            created_at=now,
            next_at=at,
        )
        units.append(Unit(changes=(SaveReminder(reminder),)))
        tags.append(tag)
    results = await storage.commit(units, now)
    assert {result.outcome for result in results} == {"done"}
    await storage.close()
    return tags


def person_of(tag: str, people: list[Phone]) -> Phone:
    return people[int(tag.rstrip(".").rpartition("-")[2])]


def check_stored(database: sqlite3.Connection, tags: list[str]) -> int:
    """Every reminder fired exactly once and moved on; tells how many messages may have reached the messenger twice."""
    fired = Counter(number for (number,) in database.execute("SELECT reminder_id FROM occurrences"))
    assert {number: fired[number] for number in range(1, len(tags) + 1)} == dict.fromkeys(range(1, len(tags) + 1), 1)
    left = "SELECT count(*) FROM reminders WHERE next_at <= ? AND id <= ?"
    now = int(datetime.now(UTC).timestamp() * 1e6)
    assert database.execute(left, (now, len(tags))).fetchone() == (0,)
    assert set(database.execute("SELECT DISTINCT fired FROM reminders WHERE id <= ?", (len(tags),))) == {(1,)}
    # Two kills in the middle of sending the same message: it may have gone twice already, so it is given up.
    other = "SELECT DISTINCT state, reason FROM outbox WHERE state <> 'sent' AND priority = 1"
    assert set(database.execute(other)) <= {("given_up", "interrupted")}
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found: int = database.execute("SELECT count(*) FROM outbox WHERE priority = 1 AND attempts > 1").fetchone()[0]
    return found


def check_shown(people: list[Phone], tags: list[str], uncertain: int) -> None:
    """Each was shown, at most twice, and twice only where the program died between sending it and noting that."""
    copies = {tag: sum(tag in message.text for message in person_of(tag, people).messages) for tag in tags}
    assert sum(not count for count in copies.values()) <= uncertain
    assert max(copies.values()) <= 2
    assert sum(count - 1 for count in copies.values() if count) <= uncertain
