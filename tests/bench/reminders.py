"""(e) Reminders that fire: many at one instant, many in a row, few among very many; beside tasks of others."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from tests.bench import environments
from tests.bench.machine import ROOT, cores, medians, on_core

if TYPE_CHECKING:
    from pathlib import Path

PEERS = ROOT / "tests/bench/peers"
ROUNDS = 5
DUE = 10_000
PENDING = 1_000_000

PEER_ROUNDS = 2
"""At most: a round of all peers takes some minutes, most of it for making what is to be due."""

_PEERS = ("celery", "arq", "apscheduler")
_PARTS = (("burst", DUE), ("spread", DUE), ("pending", PENDING))


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure each part in a process of its own, by turns; medians."""
    peers = _PEERS if sys.version_info < (3, 13) else _PEERS[-1:]  # there is no wheel with a Redis in it for newer ones
    ours, theirs = [], []
    for number in range(rounds):
        ours.append(_ours())
        if number < PEER_ROUNDS:
            found = {peer: _run([_python(peer), PEERS / f"{peer}_due.py", str(DUE)]) for peer in peers}
            theirs.append({f"{peer}_{name}": figure for peer in peers for name, figure in found[peer].items()})
    return medians(ours) | medians(theirs)


def _ours() -> dict[str, float]:
    figures: dict[str, float] = {}
    for part, count in _PARTS:
        figures |= _run([sys.executable, "-m", "tests.bench.reminders_ours", part, str(count)])
    return figures


def _python(peer: str) -> Path:
    return environments.peer(peer) / "bin/python"


def _run(command: list[str | Path]) -> dict[str, float]:
    with on_core(cores()[0]):
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=dict[str, float])
