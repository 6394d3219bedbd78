"""(f) A backup of a million entries while people press on: made, encrypted, restored elsewhere, compared."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage

from actors.backup_process import NICENESS
from storage.migrations.sqlite_runner import migrate
from tests.bench import environments
from tests.bench.machine import cores, medians, on_core
from tests.bench.program import crowd
from tests.bench.running import running
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.program import Crowd

ROUNDS = 3
PEOPLE = 20
PACE = 10.0
STAGE_S = 2.0
ENTRIES = 1_000_000
PATIENCE_S = 900

# Of a thousand people, each with two attacks, two medicines and a blood pressure on each of two hundred days.
_FILL = """
PRAGMA synchronous = OFF;
BEGIN;
CREATE TEMP TABLE person AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i AS id FROM n;
CREATE TEMP TABLE moment AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
    SELECT i AS id, date('2025-01-01', (i / 2) || ' days') AS day, 1735689600000000 + i * 43200000000 AS at FROM n;
INSERT INTO users (id, language, created_at, zone_offered) SELECT id, 'en', 1735689600000000, 1 FROM person;
INSERT INTO identities (channel, address, user_id, profile, seen_at)
    SELECT 'telegram', id, id, '{}', 1735689600000000 FROM person;
INSERT INTO headaches
    (id, user_id, day, last_day, timezone, created_at, duration_h, intensity, aura, triggers, symptoms, note)
    SELECT person.id * 1000 + moment.id, person.id, day, day, 'Europe/Berlin', at, 3.5, abs(random() % 10) + 1, 0,
        '["stress","weather"]', '["nausea","light"]', 'Behind the left eye since noon, number ' || abs(random())
    FROM person, moment;
INSERT INTO intakes (id, user_id, day, timezone, drug, created_at, amount, unit, headache_id, position)
    SELECT person.id * 1000 + moment.id, person.id, day, 'Europe/Berlin', 'Ibuprofen', at, 400.0, 'mg',
        person.id * 1000 + moment.id, 0
    FROM person, moment;
INSERT INTO pressures (id, user_id, measured_at, timezone, systolic, diastolic, created_at, pulse)
    SELECT person.id * 1000 + moment.id, person.id, at, 'Europe/Berlin', 110 + abs(random() % 40), 80, at, 65
    FROM person, moment WHERE moment.id % 2 = 0;
COMMIT;
"""


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure with a SQLite file and with a Postgres server; medians."""
    return medians([_round() for _ in range(rounds)])


def _round() -> dict[str, float]:
    with ExitStack() as things:
        directory = Path(things.enter_context(tempfile.TemporaryDirectory()))
        server = PostgresServer()
        things.callback(server.remove)
        server.start()
        full = directory / "full.db"
        _fill(full)
        at_server = server.url(server.create())
        _Commands(directory, {}).run("move", f"sqlite:///{full}", at_server)
        file = _measured(directory / "file", f"sqlite:///{full}", f"sqlite:///{directory}/empty.db")
        on_server = _measured(directory / "server", at_server, server.url(server.create()))
    return {f"file_{name}": figure for name, figure in file.items()} | {
        f"server_{name}": figure for name, figure in on_server.items()
    }


def _fill(path: Path) -> None:
    migrate(path)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_FILL)
        counts = [database.execute(f"SELECT count(*) FROM {name}") for name in ("headaches", "intakes", "pressures")]
        assert sum(found for count in counts for (found,) in count) == ENTRIES


def _measured(directory: Path, full: str, empty: str) -> dict[str, float]:
    """Back up a database under the running program, and restore it into another one."""
    directory.mkdir()
    identity = pyrage.x25519.Identity.generate()
    (directory / "key.txt").write_text(str(identity))
    mine, others = cores()
    with ExitStack() as things:
        people = things.enter_context(crowd(PEOPLE, others))
        settings = people.settings | {
            "MIGREBOT_STORAGE_URL": full,
            "MIGREBOT_BACKUP_RECIPIENT": str(identity.to_public()),
        }
        commands = _Commands(directory, settings)
        with on_core(mine):
            things.enter_context(running(environments.runtime(), directory, settings))
        people.ask("polled")
        people.ask("warm up")
        alone = people.ask("paced", PACE, STAGE_S * 3)["highest_ms"]
        making = _pressing(people, lambda: commands.run("backup", "backup.age"))
        commands.settings["MIGREBOT_STORAGE_URL"] = empty
        restoring = _pressing(people, lambda: commands.run("restore", "backup.age", "--identity", "key.txt"))
    return {
        "seconds": making["seconds"] + restoring["seconds"],
        "make_s": making["seconds"],
        "restore_s": restoring["seconds"],
        "cpu_s": making["cpu_s"] + restoring["cpu_s"],
        "slowest_ms": max(making["highest_ms"], restoring["highest_ms"]),
        "p99_ms": max(making["p99_ms"], restoring["p99_ms"]),
        "slowest_alone_ms": alone,
        "mib": (directory / "backup.age").stat().st_size / 2**20,
    }


def _pressing(people: Crowd, work: Callable[[], None]) -> dict[str, float]:
    """Have people press at an even pace until the work is done; gives what both took."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    stages: list[dict[str, float]] = []
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(_timed, work)
        while not done.done() or not stages:
            stages.append(people.ask("paced", PACE, STAGE_S))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": done.result() - begin,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "highest_ms": max(stage["highest_ms"] for stage in stages),
        "p99_ms": max(stage["p99_ms"] for stage in stages),
    }


def _timed(work: Callable[[], None]) -> float:
    work()
    return time.monotonic()


class _Commands:
    """The program's commands in a directory, at the low priority that the program gives to its own backups."""

    def __init__(self, directory: Path, settings: dict[str, str]) -> None:
        self.settings = dict(settings)
        self._directory = directory

    def run(self, *arguments: str) -> None:
        """Give a command and wait for its end."""
        known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        command = ["nice", "-n", str(NICENESS), str(environments.runtime() / "bin/migrebot"), *arguments]
        ended = subprocess.run(
            command,
            cwd=self._directory,
            env=known | self.settings,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
