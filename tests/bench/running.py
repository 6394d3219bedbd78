"""The real program, as its operator starts it, in a directory of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STOPS_WITHIN = 20
"""Seconds; the program promises ten."""


class Running:
    """A running program: its process, where it listens, and how many seconds passed until it said `ready`."""

    def __init__(self, process: subprocess.Popen[str], started: float) -> None:
        self.pid = process.pid
        self.started = started
        output = process.stdout
        assert output is not None
        line = next((line for line in output if line.startswith("ready ")), "")
        self.ready_after = time.monotonic() - started
        assert line, "the program ended before it was ready"
        self.url = line.split()[1]

    def answers(self) -> None:
        """Wait for an answer over HTTP."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()


@contextmanager
def running(environment: Path, directory: Path, settings: Mapping[str, str]) -> Iterator[Running]:
    """Start the program and stop it at the end; its log goes to a file in the directory."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with (directory / "log").open("a") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [environment / "bin/migrebot", "run"],
            cwd=directory,
            env={**known, "MIGREBOT_HTTP_PORT": "0", **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Running(process, started)
    finally:
        process.terminate()
        process.wait(STOPS_WITHIN)
        if process.stdout:
            process.stdout.close()


def telegram_settings(base_url: str, token: str) -> dict[str, str]:
    """Give the settings that connect the program to a fake Telegram and set its limits aside."""
    return {
        "API_TOKEN": token,
        "MIGREBOT_TELEGRAM_API_BASE": base_url,
        "MIGREBOT_TELEGRAM_MESSAGES_PER_SECOND": "100000",
        "MIGREBOT_TELEGRAM_MESSAGES_PER_CHAT_SECOND": "100000",
    }
