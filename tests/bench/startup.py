"""(c) How soon the program answers after its start, and how much memory it takes when it has nothing to do."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench import environments
from tests.bench.machine import medians, resident_mib
from tests.bench.program import crowd
from tests.bench.running import running

ROUNDS = 7
SETTLE_S = 2.0
"""How long a program does nothing before its memory counts as idle: of nothing happening there is no event."""

_BARE = """
import aiogram, sys
print("imported", flush=True)
sys.stdin.read()
"""


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure with and without Telegram and the bare import by turns; medians."""
    with tempfile.TemporaryDirectory() as directory:
        places = [Path(directory) / name for name in ("alone", "telegram")]
        for place in places:
            place.mkdir()
        _alone(places[0])  # makes the database
        _with_telegram(places[1])
        return medians([_alone(places[0]) | _bare_import() | _with_telegram(places[1]) for _ in range(rounds)])


def _alone(place: Path) -> dict[str, float]:
    with running(environments.runtime(), place, {}) as program:
        program.answers()
        time.sleep(SETTLE_S)
        return {"alone_ready_s": program.ready_after, "alone_idle_mib": resident_mib(program.pid)}


def _bare_import() -> dict[str, float]:
    started = time.monotonic()
    python = environments.runtime() / "bin/python"
    process = subprocess.Popen([python, "-c", _BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        return {"import_s": time.monotonic() - started, "import_mib": resident_mib(process.pid)}


def _with_telegram(place: Path) -> dict[str, float]:
    with crowd() as people, running(environments.runtime(), place, people.settings) as program:
        program.answers()
        answered = time.monotonic() - program.started
        polled = people.ask("polled")["first_poll"] - program.started
        time.sleep(SETTLE_S)
        memory = resident_mib(program.pid)
    return {"telegram_http_s": answered, "telegram_first_poll_s": polled, "telegram_idle_mib": memory}
