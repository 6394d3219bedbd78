"""(a) The dialogue with each storage and without any wire, beside the same in aiogram, and single transactions."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.bench import environments
from tests.bench.machine import ROOT, cores, medians, on_core
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "bench"
PEOPLE = 500
ROUNDS = 5


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Measure by turns; medians by contestant."""
    peer = environments.peer("aiogram") / "bin/python"
    theirs = [peer, ROOT / "tests/bench/peers/aiogram_dialogue.py"]
    figures: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as directory, _postgres() as server:
        walk = Path(directory) / "walk.json"
        ours = [sys.executable, "-m", "tests.bench.dialogue_ours", "2", str(PEOPLE)]
        contestants: dict[str, list[str | Path]] = {
            "migrebot": [*ours, "--walk", walk],
            "migrebot postgres": [*ours, "--postgres", server.url(DATABASE)],
            "asyncpg alone": [sys.executable, "-m", "tests.bench.asyncpg_alone", "5000", server.url(DATABASE)],
            "aiogram memory": [*theirs, "1", str(PEOPLE), walk, "memory"],
        }
        if sys.version_info < (3, 13):  # there is no wheel with a Redis in it for newer ones
            contestants["aiogram redis"] = [*theirs, "1", str(PEOPLE // 2), walk, "redis"]
        for _ in range(rounds):
            for name, command in contestants.items():
                server.drop(DATABASE)
                server.execute(f"CREATE DATABASE {DATABASE}")
                figures.setdefault(name, []).append(_round(command))
    return {name: medians(of) for name, of in figures.items()}


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    """Run a server on the core that is not measured."""
    with on_core(cores()[1]):
        server = PostgresServer()
        server.start()
    try:
        yield server
    finally:
        server.remove()


def _round(command: list[str | Path]) -> dict[str, float]:
    with on_core(cores()[0]):
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=dict[str, float])
