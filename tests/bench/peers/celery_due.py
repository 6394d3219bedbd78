"""Tasks of Celery that are due at one instant (ETA), with Redis: `python celery_due.py COUNT` prints JSON.

One worker with one process for tasks, that may hold all of them in memory, as it does with an ETA. It has all of them
before the instant comes. A pool without a process of its own would do less, but after every ten tasks that are due the
worker waits up to a second for something to read (`fire_timers` in kombu 5.7), and hears of nothing from such a pool.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from celery import Celery
from celery.signals import task_received
from own_redis import redis

SAMPLE = 300
"""Tasks sent beforehand, to learn how long all of them will take to be sent and received."""

app = Celery("due")
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=0,
    broker_transport_options={"visibility_timeout": 86_400},
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
)
handed_over, hand_over = os.pipe()
figures: dict[str, float] = {}
received: list[None] = []


@app.task(name="remind")  # type: ignore[untyped-decorator]  # Celery is not installed where this is checked
def remind(text: str) -> None:  # noqa: ARG001 - its receiver would want it
    """Hand a message over."""
    os.write(hand_over, b".")


@task_received.connect  # type: ignore[untyped-decorator]
def note_received(**_: object) -> None:
    """Count what the worker holds in memory."""
    received.append(None)


def send(count: int, due: datetime) -> float:
    """Send tasks; gives the seconds it took for each."""
    begin = time.perf_counter()
    for number in range(count):
        remind.apply_async((f"Drink a glass of water, {number}",), eta=due)
    return (time.perf_counter() - begin) / count


def cpu_seconds() -> float:
    """Give the processor time of this process and its children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    stats = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in stats)
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def watch(count: int, due: datetime) -> None:
    """Wait for the last one, note the figures and have the worker end. Processor time counts from the first one on."""
    seen = len(os.read(handed_over, count))
    cpu = cpu_seconds()
    if len(received) == count:
        figures["in_time"] = 1.0
    while seen < count:
        seen += len(os.read(handed_over, count))
    seconds = (datetime.now(UTC) - due).total_seconds()
    figures.update(burst_s=seconds, burst_cpu_us=(cpu_seconds() - cpu) / count * 1e6)
    os.kill(os.getpid(), 15)


def main() -> None:
    """Measure one round."""
    count = int(sys.argv[1])
    with redis() as socket:
        app.conf.broker_url = f"redis+socket://{socket}"
        send(1, datetime.now(UTC) + timedelta(days=1))  # which connects
        each = send(SAMPLE, datetime.now(UTC) + timedelta(days=1))
        app.control.purge()
        due = datetime.now(UTC) + timedelta(seconds=20 + 2.5 * each * count)
        send(count, due)
        Thread(target=watch, args=(count, due), daemon=True).start()
        worker = [
            "--quiet",
            "worker",
            "--pool=prefork",
            "--concurrency=1",
            "--loglevel=ERROR",
            "--without-gossip",
            "--without-mingle",
        ]
        with suppress(SystemExit):
            app.worker_main(worker)
    if not figures.pop("in_time", 0.0):
        sys.exit("the worker had not received all of them when they were due: the machine is too busy")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
