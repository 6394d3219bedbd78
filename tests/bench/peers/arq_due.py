"""Jobs of arq that are due at one instant, with Redis: `python arq_due.py COUNT` prints JSON.

One worker, which takes many jobs at once and looks for them every ten milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker
from own_redis import redis

TOGETHER = 200
"""Jobs that run at the same time."""

SAMPLE = 300
"""Jobs sent beforehand, to learn how long all of them will take to be sent."""

handed_over: list[str] = []


async def remind(context: dict[str, Any], text: str) -> None:
    """Hand a message over."""
    handed_over.append(text)
    if len(handed_over) == context["count"]:
        context["last"].set()


async def send(pool: Any, count: int, due: datetime) -> float:
    """Send jobs; gives the seconds it took for each."""
    begin = time.perf_counter()
    for start in range(0, count, TOGETHER):
        some = range(start, min(start + TOGETHER, count))
        await asyncio.gather(
            *(pool.enqueue_job("remind", f"Drink a glass of water, {number}", _defer_until=due) for number in some)
        )
    return (time.perf_counter() - begin) / count


async def measure(socket: str, count: int) -> dict[str, float]:
    """Measure one round."""
    pool = await create_pool(RedisSettings(unix_socket_path=socket))
    each = await send(pool, SAMPLE, datetime.now(UTC) + timedelta(days=1))
    await pool.flushall()
    due = datetime.now(UTC) + timedelta(seconds=5 + 2 * each * count)
    await send(pool, count, due)
    last = asyncio.Event()
    worker = Worker(
        [remind],
        redis_pool=pool,
        ctx={"count": count, "last": last},
        poll_delay=0.01,
        max_jobs=TOGETHER,
        keep_result=0,
        handle_signals=False,
    )
    running = asyncio.create_task(worker.async_run())
    await asyncio.sleep((due - datetime.now(UTC)).total_seconds())
    cpu = time.process_time()
    await last.wait()
    seconds = (datetime.now(UTC) - due).total_seconds()
    cpu = time.process_time() - cpu
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {"burst_s": seconds, "burst_cpu_us": cpu / count * 1e6}


def main() -> None:
    """Measure one round."""
    with redis() as socket:
        figures = uvloop.run(measure(socket, int(sys.argv[1])))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
