"""(f) The whole program on one core: how late reminders reach the messenger, and how soon `/add` is answered."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrebot.messages import Address, Profile
from migrebot.reminders.reminder import Reminder
from migrebot.reminders.schedule import Once, Schedule
from storage import reminder_rows, rows
from storage.queries import named_sql
from storage.records import Identity, User
from tests.bench import environments
from tests.bench.crowd import FIRST
from tests.bench.machine import cores, medians, on_core
from tests.bench.program import crowd
from tests.bench.running import running

if TYPE_CHECKING:
    from tests.bench.program import Crowd

PEOPLE = 300
ROUNDS = 3
SPREAD_S = 10.0
LEAD = timedelta(seconds=30)
"""Time for the program to start and for everybody to have written before the first one is due."""

PACE = 200.0
"""Messages a second that are handled meanwhile."""

ADDS = 100.0
"""Reminders set a second."""

_STAGES = (("few", 1_000, 0.0), ("idle", 10_000, 0.0), ("busy", 10_000, PACE))


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure the stages by turns, the program started for each; medians."""
    mine, others = cores()
    found = []
    with tempfile.TemporaryDirectory() as directory, crowd(PEOPLE, others) as people, on_core(mine):
        place = Path(directory)
        with running(environments.runtime(), place, people.settings) as program:  # makes the database
            program.answers()
        for _ in range(rounds):
            figures: dict[str, float] = {}
            for name, count, pace in _STAGES:
                fired = _fired(place, people, count, pace)
                figures |= {f"{name}_{figure}": fired[figure] for figure in ("p50_ms", "p99_ms")}
            figures["add_p99_ms"] = _added(place, people)["p99_ms"]
            found.append(figures)
    return medians(found)


def _fired(place: Path, people: Crowd, count: int, pace: float) -> dict[str, Any]:
    start = datetime.now(UTC) + LEAD
    _fill(place / "data/migrebot.db", start, count)
    with running(environments.runtime(), place, people.settings):
        return people.ask("fired", start.timestamp(), count, SPREAD_S, pace)


def _added(place: Path, people: Crowd) -> dict[str, Any]:
    _fill(place / "data/migrebot.db", datetime.now(UTC), 0)
    with running(environments.runtime(), place, people.settings):
        people.ask("add", ADDS, 2.0)
        return people.ask("add", ADDS, SPREAD_S)


def _fill(path: Path, start: datetime, count: int) -> None:
    """Store reminders of everybody by turns, at even intervals, in the place of those there were."""
    now, sql = datetime.now(UTC), named_sql()
    addresses = [Address("telegram", str(FIRST + number)) for number in range(PEOPLE)]
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM reminders")
        for address in addresses:
            user = User(id=int(address.value), language="en", created_at=now, timezone="UTC", zone_offered=True)
            database.execute(sql["save_user"], rows.user_values(user))
            known = Identity(address=address, user_id=user.id, profile=Profile(first_name="Ann"), seen_at=now)
            database.execute(sql["save_identity"], rows.identity_values(known))
        for number in range(count):
            address, due = addresses[number % PEOPLE], start + timedelta(seconds=SPREAD_S * number / count)
            reminder = Reminder(
                id=number + 1,
                code=f"k{number}",
                user_id=int(address.value),
                address=address,
                task=f"Drink a glass of water, {number}",
                schedule=Schedule(pattern=Once(due.replace(tzinfo=None)), timezone="UTC"),
                created_at=now,
                next_at=due,
            )
            database.execute(sql["save_reminder"], reminder_rows.reminder_values(reminder))
        database.commit()
