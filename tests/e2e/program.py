"""The real program in a process of its own, in an empty directory."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

MIGREBOT = Path(sys.executable).with_name("migrebot")
PATIENCE = 90.0
"""Seconds to wait for what must come, on a machine that has much else to do."""


def runs(pid: int) -> bool:
    """Tell whether a process has not ended yet."""
    return pid in _processes()


def _processes() -> dict[int, int]:
    """Give the parent of each process that has not ended; see proc_pid_stat(5)."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            if state not in {"Z", "X"}:
                found[int(path.parent.name)] = int(parent)
    return found


class Program:
    """A running `migrebot run`; `directory` is its working directory, `settings` its environment, `lines` its output.

    Standard output and the log go to files in the directory, so that a program that is killed leaves them.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread()
        self.host = "127.0.0.1"
        self.port = 0
        self.lines: list[str] = []

    def start(self, port: int = 0) -> Self:
        """Start it and wait for its `ready` line; port 0 picks a free one."""
        with (self.directory / "log").open("a") as log:
            self._process = subprocess.Popen(
                [MIGREBOT, "run"],
                cwd=self.directory,
                env=environment(self._settings | {"MIGREBOT_HTTP_PORT": str(port)}),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.port = int(self._ready_line().rpartition(":")[2])
        return self

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._running.kill()
        self._ended()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit status."""
        self._running.send_signal(number)
        return self._ended()

    def freeze(self) -> None:
        """Let it stand still, as a suspended machine does."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._running.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running.pid

    @property
    def children(self) -> list[int]:
        """The process ids of those that it started and that run."""
        return [pid for pid, parent in _processes().items() if parent == self.pid]

    @property
    def log(self) -> str:
        """All it has logged so far, over all its runs."""
        return (self.directory / "log").read_text()

    @property
    def url(self) -> str:
        """Where its web server listens."""
        return f"http://{self.host}:{self.port}"

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Fetch a page: status and body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def readiness(self) -> dict[str, Any]:
        """Ask `/readyz`."""
        found: dict[str, Any] = json.loads(self.get("/readyz")[1])
        return found

    def waits_until(self, true: Callable[[], bool], timeout: float = 60) -> None:
        """Ask until it is so."""
        end = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < end, self.log[-4_000:]
            time.sleep(0.05)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the program in the same place."""
        return subprocess.run(
            [MIGREBOT, *arguments],
            cwd=self.directory,
            env=environment(self._settings),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._ended()

    def _ended(self) -> int:
        status = self._running.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._process = None
        return status

    @property
    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, "not started"
        return self._process

    def _ready_line(self) -> str:
        """Read standard output until the line comes; a thread reads on, so that the pipe never fills."""
        lines: queue.Queue[str] = queue.Queue()
        output = self._running.stdout
        assert output is not None

        def read() -> None:
            with output:
                for line in output:
                    self.lines.append(line.strip())
                    lines.put(line)
            lines.put("")

        self._reader = threading.Thread(target=read)
        self._reader.start()
        while line := lines.get(timeout=PATIENCE):
            if line.startswith("ready "):
                return line.strip()
        raise AssertionError(f"the program ended:\n{self.log[-4_000:]}")


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Give a clean environment with these settings and nothing of the caller's that could be one."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | settings
