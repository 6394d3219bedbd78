"""(e) Reminders that fire: many at one instant, many in a row, few among very many."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from tests.bench.machine import ROOT, cores, medians, on_core

ROUNDS = 5
DUE = 10_000
PENDING = 1_000_000

_PARTS = (("burst", DUE), ("spread", DUE), ("pending", PENDING))


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure each part in a process of its own, by turns; medians."""
    return medians([_round() for _ in range(rounds)])


def _round() -> dict[str, float]:
    figures: dict[str, float] = {}
    for part, count in _PARTS:
        command = [sys.executable, "-m", "tests.bench.reminders_ours", part, str(count)]
        with on_core(cores()[0]):
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        figures |= msgspec.json.decode(done.stdout.splitlines()[-1], type=dict[str, float])
    return figures
