"""One round of the scheduler's alarms over SQLite: `python -m tests.bench.reminders_ours PART COUNT` prints JSON.

PART is `burst` (COUNT reminders due at one instant), `spread` (COUNT of them over ten seconds) or `pending` (COUNT far
away and one overdue). Time is taken when delivery's mailbox has the tickets: then all of it is durable.
"""

from __future__ import annotations

import gc
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from actors.actor import Mailbox
from actors.alarms import Alarms
from migrebot.clock import SystemClock
from migrebot.i18n import translators
from migrebot.ids import id_source
from migrebot.languages import LANGUAGES
from migrebot.messages import Address
from migrebot.reminders.reminder import Reminder
from migrebot.reminders.schedule import Calendar, Schedule
from storage.queries import named_sql
from storage.reminder_rows import reminder_values
from storage.sqlite import SqliteStorage
from tests.bench.machine import resident_mib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrebot.messages import OutboxFilled

LEAD = timedelta(seconds=2)
"""Time to get ready before the first one is due."""

SPREAD_S = 10.0

DAYS = 200
"""On how many different days the reminders were set: as many schedules there are."""


def main() -> None:
    """Measure one round."""
    part, count = sys.argv[1], int(sys.argv[2])
    translators()
    with tempfile.TemporaryDirectory() as directory:
        figures = anyio.run(_PARTS[part], Path(directory) / "bench.db", count, backend_options={"use_uvloop": True})
    print(msgspec.json.encode(figures).decode())


class _House:
    """The alarms, and what they hand over."""

    def __init__(self, storage: SqliteStorage) -> None:
        clock = SystemClock()
        self.handed_over: Mailbox[Any] = Mailbox(1_000_000)
        self.alarms = Alarms(
            storage=storage,
            delivery=self.handed_over,
            clock=clock,
            new_id=id_source(clock),
            on_alert=lambda alert: sys.exit(alert.text),
            on_trouble=lambda _: None,
        )

    async def until(self, count: int) -> list[tuple[datetime, int]]:
        """Wait for so many messages; gives when how many came."""
        found = []
        while count > 0:
            filled: OutboxFilled = (await self.handed_over.get()).message
            found.append((datetime.now(UTC), len(filled.tickets)))
            count -= len(filled.tickets)
        return found


async def _burst(path: Path, count: int) -> dict[str, float]:
    storage = await _opened(path)
    due = datetime.now(UTC) + LEAD + timedelta(seconds=count / 20_000)
    _fill(path, (due for _ in range(count)))
    cpu = time.process_time()
    handed_over = await _run(storage, count)
    took = (handed_over[-1][0] - due).total_seconds()
    return {"burst_s": took, "burst_cpu_us": (time.process_time() - cpu) / count * 1e6}


async def _spread(path: Path, count: int) -> dict[str, float]:
    storage = await _opened(path)
    start = datetime.now(UTC) + LEAD + timedelta(seconds=count / 20_000)
    due = [start + timedelta(seconds=SPREAD_S * number / count) for number in range(count)]
    _fill(path, due)
    late: list[float] = []
    for at, number in await _run(storage, count):
        late += [(at - one).total_seconds() * 1_000 for one in due[len(late) : len(late) + number]]
    late.sort()
    return {"spread_p50_ms": late[count // 2], "spread_p99_ms": late[count * 99 // 100]}


async def _pending(path: Path, count: int) -> dict[str, float]:
    storage = await _opened(path)
    now = datetime.now(UTC)
    await storage.close()
    _fill(path, (now + timedelta(days=1, seconds=number) for number in range(count)))
    _fill(path, [now - timedelta(minutes=5)], first=count)
    storage = SqliteStorage(path)
    await storage.open()
    gc.collect()
    before, began = resident_mib(), time.perf_counter()
    await _run(storage, 1)
    return {"first_s": time.perf_counter() - began, "more_mib": resident_mib() - before}


async def _opened(path: Path) -> SqliteStorage:
    storage = SqliteStorage(path)
    await storage.open()
    return storage


async def _run(storage: SqliteStorage, count: int) -> list[tuple[datetime, int]]:
    house = _House(storage)
    gc.collect()
    gc.freeze()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.alarms.run)
        handed_over = await house.until(count)
        tasks.cancel_scope.cancel()
    await storage.close()
    return handed_over


def _fill(path: Path, instants: Iterable[datetime], first: int = 0) -> None:
    """Store a daily reminder of a person of its own for each instant, in five languages, since different days."""
    now = datetime.now(UTC)
    schedules = [
        Schedule(
            pattern=Calendar(unit="day", times=(now.time(),), start=now.date() - timedelta(days=days)), timezone="UTC"
        )
        for days in range(DAYS)
    ]
    with closing(sqlite3.connect(path)) as database:
        for number, at in enumerate(instants, first + 1):
            user = (number, LANGUAGES[number % len(LANGUAGES)], 0, "Europe/Kyiv", 1, 0, None)
            database.execute(f"INSERT INTO users VALUES ({', '.join('?' * len(user))})", user)
            identity = ("telegram", str(number), number, "{}", 0, None)
            database.execute(f"INSERT INTO identities VALUES ({', '.join('?' * len(identity))})", identity)
            reminder = Reminder(
                id=number,
                code="k7",
                user_id=number,
                address=Address("telegram", str(number)),
                task=f"Drink a glass of water, {number}",
                schedule=schedules[number % DAYS],
                created_at=now,
                next_at=at,
            )
            database.execute(named_sql()["save_reminder"], reminder_values(reminder))
        database.commit()


_PARTS = {"burst": _burst, "spread": _spread, "pending": _pending}

if __name__ == "__main__":
    main()
