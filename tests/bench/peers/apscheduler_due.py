"""Jobs of APScheduler that are due at one instant, in SQLite: `python apscheduler_due.py COUNT` prints JSON.

Its SQLAlchemy store removes each job in a transaction of its own, durable as ours: WAL, synchronous FULL. The jobs are
added without waiting for the disk, before the clock starts.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import create_engine, event

SAMPLE = 300
"""Jobs added beforehand, to learn how long all of them will take to be added."""

handed_over: list[str] = []
all_of_them = Event()
synchronous = "OFF"


def remind(text: str) -> None:
    """Hand a message over."""
    handed_over.append(text)
    if len(handed_over) == int(sys.argv[1]):
        all_of_them.set()


def set_up(connection: Any, _: Any) -> None:
    """Say how durable a new connection shall be."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")


def add(scheduler: BackgroundScheduler, count: int, due: datetime) -> float:
    """Add jobs; gives the seconds it took for each."""
    begin = time.perf_counter()
    for number in range(count):
        scheduler.add_job(
            remind, "date", run_date=due, args=(f"Drink a glass of water, {number}",), misfire_grace_time=None
        )
    return (time.perf_counter() - begin) / count


def main() -> None:
    """Measure one round."""
    global synchronous  # noqa: PLW0603 - asked for by each new connection
    count = int(sys.argv[1])
    logging.disable()
    with tempfile.TemporaryDirectory() as directory:
        engine = create_engine(f"sqlite:///{Path(directory) / 'jobs.db'}")
        event.listen(engine, "connect", set_up)
        scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(engine=engine)}, timezone=UTC)
        scheduler.start(paused=True)
        each = add(scheduler, SAMPLE, datetime.now(UTC) + timedelta(days=1))
        scheduler.remove_all_jobs()
        due = datetime.now(UTC) + timedelta(seconds=5 + 2 * each * count)
        add(scheduler, count, due)
        synchronous = "FULL"
        engine.dispose()
        cpu = time.process_time()  # until the first is due it only waits
        scheduler.resume()
        all_of_them.wait()
        seconds = (datetime.now(UTC) - due).total_seconds()
        cpu = time.process_time() - cpu
        scheduler.shutdown()
        engine.dispose()
    print(json.dumps({"burst_s": seconds, "burst_cpu_us": cpu / count * 1e6}))


if __name__ == "__main__":
    main()
