"""(b) The whole program on one core, beside a fake Bot API with a crowd of people on the other."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tests.bench import environments
from tests.bench.machine import ROOT, cores, cpu_seconds, medians, on_core
from tests.bench.running import running, telegram_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 300
ROUNDS = 5
BUSY_S = 8.0
PACED_S = 8.0
PACE = 200.0


class Crowd:
    """The fake's process; `ask` has it go through a stage and gives the figures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        ready = self._line()
        self.settings = telegram_settings(ready["base_url"], ready["token"])

    def ask(self, *stage: object) -> dict[str, Any]:
        """Go through a stage."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(stage).decode() + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the crowd is gone"
        figures: dict[str, Any] = msgspec.json.decode(line)
        return figures


@contextmanager
def crowd(people: int = 1, core: int | None = None) -> Iterator[Crowd]:
    """Run a fake with a crowd, on one core if it is given."""
    with on_core(core) if core is not None else _anywhere():
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.crowd", str(people)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        yield Crowd(process)
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def _anywhere() -> Iterator[None]:
    yield


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure: busy and paced by turns; medians."""
    mine, others = cores()
    figures = []
    with (
        tempfile.TemporaryDirectory() as directory,
        crowd(PEOPLE, others) as people,
        on_core(mine),
        running(environments.runtime(), Path(directory), people.settings) as program,
    ):
        people.ask("polled")
        people.ask("warm up")
        for _ in range(rounds):
            before = cpu_seconds(program.pid)
            busy = people.ask("busy", BUSY_S)
            cpu = cpu_seconds(program.pid) - before
            paced = people.ask("paced", PACE, PACED_S)
            figures.append(
                {
                    "busy_steps_per_second": busy["steps_per_second"],
                    "busy_cpu_ms_per_step": cpu / busy["steps"] * 1_000,
                    "busy_p99_ms": busy["p99_ms"],
                    "paced_steps_per_second": paced["steps_per_second"],
                    "paced_p50_ms": paced["p50_ms"],
                    "paced_p99_ms": paced["p99_ms"],
                }
            )
    return medians(figures)
