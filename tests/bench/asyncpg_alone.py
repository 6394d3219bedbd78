"""Single transactions of one row by asyncpg alone: `python -m tests.bench.asyncpg_alone COUNT URL` prints JSON.

What a dialogue could do at best that stored each step by itself, in one row.
"""

from __future__ import annotations

import sys
import time

import anyio
import asyncpg
import msgspec

from tests.bench.machine import resident_mib

_BODY = "x" * 200


async def _measure(count: int, url: str) -> dict[str, float]:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE rows (id bigint PRIMARY KEY, body text NOT NULL)")
    wall, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        async with connection.transaction():
            await connection.execute("INSERT INTO rows VALUES ($1, $2)", number, _BODY)
    seconds, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await connection.close()
    return {
        "steps_per_second": count / seconds,
        "cpu_us_per_step": cpu / count * 1e6,
        "resident_mib": resident_mib(),
    }


if __name__ == "__main__":
    figures = anyio.run(_measure, int(sys.argv[1]), sys.argv[2], backend_options={"use_uvloop": True})
    print(msgspec.json.encode(figures).decode())
