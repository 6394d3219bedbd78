"""Measures everything, prints a table and writes it as JSON: `python -m tests.bench [backups|dialogue|program …]`."""

from __future__ import annotations

import argparse
import os
import platform
from typing import Any

import msgspec

from tests.bench import backups, dialogue, firing, program, reminders, startup, webhooks
from tests.bench.machine import ROOT, million_additions_ms

RESULTS = ROOT / ".bench" / "figures.json"

_PARTS = {
    "backups": backups,
    "dialogue": dialogue,
    "firing": firing,
    "program": program,
    "reminders": reminders,
    "startup": startup,
    "webhooks": webhooks,
}

Line = tuple[str, float, str]
"""What it is, how much, and what was aimed at."""


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(_PARTS))
    parser.add_argument("--rounds", type=int, help="how often each part is repeated")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for name in options.parts or _PARTS:
        _print((f"machine before {name}: ms for a million additions", million_additions_ms(), "tells how quiet it is"))
        measured = _PARTS[name].measure(*([options.rounds] if options.rounds else []))
        figures[name] = measured
        for line in _LINES[name](measured):
            _print(line)
    _write(figures)


def _write(figures: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "cores": len(os.sched_getaffinity(0))}
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": machine, **figures})))
    print(f"written to {RESULTS.relative_to(ROOT)}")


def _print(line: Line) -> None:
    what, figure, aim = line
    print(f"{what:<64}{figure:>10,.2f}   {aim}", flush=True)


_AIMS = {"migrebot": "at least 6,000", "migrebot postgres": "at least 2,500"}


def _dialogue(found: dict[str, dict[str, float]]) -> list[Line]:
    lines = []
    for name, figures in found.items():
        lines.append((f"dialogue, {name}: steps/s", figures["steps_per_second"], _AIMS.get(name, "")))
        lines.append((f"dialogue, {name}: CPU µs/step", figures["cpu_us_per_step"], ""))
        if name == "migrebot postgres":
            more = figures["resident_mib"] - found["migrebot"]["resident_mib"]
            lines.append((f"dialogue, {name}: memory above SQLite's, MiB", more, "at most 25"))
        elif name != "migrebot":
            mine = "migrebot postgres" if name == "asyncpg alone" else "migrebot"
            ours = found[mine]
            ratio = ours["steps_per_second"] / figures["steps_per_second"]
            lines.append((f"dialogue, {mine} to {name}: ratio of steps/s", ratio, ""))
            cpu = figures["cpu_us_per_step"] / ours["cpu_us_per_step"]
            lines.append((f"dialogue, {name} to {mine}: ratio of CPU", cpu, ""))
    return lines


def _firing(found: dict[str, float]) -> list[Line]:
    what = "reminders, to the messenger's socket"
    return [
        (f"{what}, 1,000 over 10 s: p50 late, ms", found["few_p50_ms"], ""),
        (f"{what}, 1,000 over 10 s: p99 late, ms", found["few_p99_ms"], ""),
        (f"{what}, 10,000 over 10 s: p50 late, ms", found["idle_p50_ms"], ""),
        (f"{what}, 10,000 over 10 s: p99 late, ms", found["idle_p99_ms"], "at most 25"),
        (f"{what}, … beside 200 messages/s: p50 late, ms", found["busy_p50_ms"], ""),
        (f"{what}, … beside 200 messages/s: p99 late, ms", found["busy_p99_ms"], "at most 100"),
        ("reminders set by /add at 100/s: p99 until answered, ms", found["add_p99_ms"], "under 20"),
    ]


def _program(found: dict[str, float]) -> list[Line]:
    return [
        ("program, everybody presses at once: steps/s", found["busy_steps_per_second"], "1,000, never below 700"),
        ("program, everybody presses at once: CPU ms/step", found["busy_cpu_ms_per_step"], ""),
        ("program, everybody presses at once: p99, ms", found["busy_p99_ms"], ""),
        ("program, paced: steps/s", found["paced_steps_per_second"], "200"),
        ("program, paced: p50 from update to reply, ms", found["paced_p50_ms"], ""),
        ("program, paced: p99 from update to reply, ms", found["paced_p99_ms"], "under 30"),
    ]


def _reminders(found: dict[str, float]) -> list[Line]:
    lines: list[Line] = []
    for peer in ("celery", "arq", "apscheduler"):
        if f"{peer}_burst_s" in found:
            seconds, cpu = found[f"{peer}_burst_s"], found[f"{peer}_burst_cpu_us"]
            aim = "20 or more" if peer != "apscheduler" else ""
            lines += [
                (f"reminders, {peer}, 10,000 due at once: seconds", seconds, ""),
                (f"reminders, {peer} to migrebot: ratio of seconds", seconds / found["burst_s"], aim),
                (f"reminders, {peer} to migrebot: ratio of CPU", cpu / found["burst_cpu_us"], ""),
            ]
    return [
        ("reminders, 10,000 due at once: seconds until handed over", found["burst_s"], "at most 0.25"),
        ("reminders, 10,000 due at once: CPU µs each", found["burst_cpu_us"], ""),
        ("reminders, 10,000 over 10 s: p50 late, ms", found["spread_p50_ms"], ""),
        ("reminders, 10,000 over 10 s: p99 late, ms", found["spread_p99_ms"], "at most 5"),
        ("reminders, 1,000,000 pending: seconds until an overdue one", found["first_s"], "at most 0.35"),
        ("reminders, 1,000,000 pending: MiB more", found["more_mib"], "at most 10"),
        *lines,
    ]


def _startup(found: dict[str, float]) -> list[Line]:
    late = found["telegram_first_poll_s"] - found["import_s"]
    more = found["telegram_idle_mib"] - found["import_mib"]
    return [
        ("start, no messenger: seconds until ready", found["alone_ready_s"], "at most 1"),
        ("start, no messenger: idle, MiB", found["alone_idle_mib"], "under 65"),
        ("start, bare import of aiogram: seconds", found["import_s"], ""),
        ("start, bare import of aiogram: MiB", found["import_mib"], ""),
        ("start, with Telegram: seconds until HTTP answers", found["telegram_http_s"], "at most 1"),
        ("start, with Telegram: first poll after the import, seconds", late, "at most 0.5"),
        ("start, with Telegram: idle above the import, MiB", more, "at most 30"),
    ]


def _webhooks(found: dict[str, float]) -> list[Line]:
    return [
        ("webhooks, signed, stored durably: per second", found["ours_per_second"], ""),
        ("webhooks, FastAPI + uvicorn, signature alone: per second", found["fastapi_per_second"], ""),
        ("webhooks, ratio of both", found["ratio"], "0.7 or more"),
        ("webhooks, paced at 300/s: p50 until acknowledged, ms", found["paced_p50_ms"], ""),
        ("webhooks, paced at 300/s: p99 until acknowledged, ms", found["paced_p99_ms"], "under 30"),
    ]


def _backups(found: dict[str, float]) -> list[Line]:
    lines = []
    for name in ("file", "server"):
        of = f"backup of a million entries, {'SQLite' if name == 'file' else 'Postgres'}"
        lines += [
            (f"{of}: seconds in all", found[f"{name}_seconds"], "at most 60"),
            (f"{of}: … to make and encrypt", found[f"{name}_make_s"], ""),
            (f"{of}: … to restore", found[f"{name}_restore_s"], ""),
            (f"{of}: CPU seconds", found[f"{name}_cpu_s"], ""),
            (f"{of}: slowest reply, ms", found[f"{name}_slowest_ms"], "at most 250"),
            (f"{of}: … with no backup, ms", found[f"{name}_slowest_alone_ms"], ""),
            (f"{of}: MiB", found[f"{name}_mib"], ""),
        ]
    return lines


_LINES: dict[str, Any] = {
    "backups": _backups,
    "dialogue": _dialogue,
    "firing": _firing,
    "program": _program,
    "reminders": _reminders,
    "startup": _startup,
    "webhooks": _webhooks,
}

if __name__ == "__main__":
    main()
