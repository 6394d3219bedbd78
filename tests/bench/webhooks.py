"""(d) Signed webhooks stored durably, beside FastAPI with uvicorn that checks the signature and stores nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket
from typing import TYPE_CHECKING, Any

import msgspec

from tests.bench import environments
from tests.bench.machine import ROOT, cores, medians, on_core
from tests.bench.running import running
from tests.fakes.twilio import ACCOUNT, NUMBER, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 5
BUSY = 10_000
PACE = 300.0
PACED_S = 8


class Load:
    """The process that posts; `ask` has it go through a stage and gives the figures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ready = self._line()

    def ask(self, *stage: object) -> dict[str, Any]:
        """Go through a stage."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(stage).decode() + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the load is gone"
        figures: dict[str, Any] = msgspec.json.decode(line)
        return figures


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure both by turns, each on the same core; medians."""
    mine, others = cores()
    figures = []
    with tempfile.TemporaryDirectory() as directory, _load(others) as load, on_core(mine):
        settings = {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_WHATSAPP_NUMBER": NUMBER,
            "MIGREBOT_TWILIO_API_BASE": load.ready["api_base"],
            "MIGREBOT_HTTP_PUBLIC_URL": load.ready["public_url"],
        }
        with running(environments.runtime(), Path(directory), settings) as program, _peer(load) as peer:
            load.ask("busy", program.url, 1_000)
            load.ask("busy", peer, 1_000)
            for _ in range(rounds):
                ours = load.ask("busy", program.url, BUSY)
                theirs = load.ask("busy", peer, BUSY)
                paced = load.ask("paced", program.url, PACE, int(PACE * PACED_S))
                figures.append(
                    {
                        "ours_per_second": ours["per_second"],
                        "fastapi_per_second": theirs["per_second"],
                        "ratio": ours["per_second"] / theirs["per_second"],
                        "paced_p50_ms": paced["p50_ms"],
                        "paced_p99_ms": paced["p99_ms"],
                    }
                )
    return medians(figures)


@contextmanager
def _load(core: int) -> Iterator[Load]:
    with on_core(core):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.webhook_load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        yield Load(process)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def _peer(load: Load) -> Iterator[str]:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    python = environments.peer("fastapi") / "bin/python"
    settings = {"TWILIO_AUTH_TOKEN": TOKEN, "PUBLIC_URL": load.ready["public_url"]}
    process = subprocess.Popen([python, ROOT / "tests/bench/peers/fastapi_webhook.py", str(port)], env=settings)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the peer does not listen")
