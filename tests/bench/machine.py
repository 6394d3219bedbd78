"""What is read from and told to the operating system (Linux)."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
"""The checkout."""


def cores() -> tuple[int, int]:
    """Choose two cores: one for what is measured, one for what stands around it."""
    here = sorted(os.sched_getaffinity(0))
    return here[0], here[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Start processes on this core only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Tell the processor time a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int | str = "self") -> float:
    """Tell the resident memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def million_additions_ms() -> float:
    """Tell how long a core takes for a loop that has nothing to do with us: how fast the machine is just now."""
    begin = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    return (time.perf_counter() - begin) * 1_000


def medians(rounds: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Give the median of each figure."""
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}
