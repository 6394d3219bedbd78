"""SQLite: the process is killed at any moment, and what it had said was stored is stored, whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from storage.facts import AllOf
from tests.storage.samples import NOW, ask, key, person

if TYPE_CHECKING:
    from pathlib import Path

    from storage.sqlite import SqliteStorage
    from tests.storage.conftest import SqliteBackend

ROUNDS = 5

WRITER = """
import sys
from itertools import count
from pathlib import Path

import anyio

from migrebot import logs
from storage.changes import Enqueue, SaveHeadache, SaveSession, Unit
from storage.sqlite import SqliteStorage
from tests.storage.samples import NOW, headache, key, message, session

async def write(storage, first):
    for number in count(first, 4):
        units = [
            Unit(
                key=key(f"{number}.{part}"),
                changes=(
                    SaveSession(session(token=f"{number}.{part}")),
                    SaveHeadache(headache(number * 10 + part, note="x" * 300)),
                    Enqueue(message(f"{number}.{part}")),
                ),
            )
            for part in range(3)
        ]
        results = await storage.commit(units, NOW)
        assert [result.outcome for result in results] == ["done"] * 3
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()

async def main():
    storage = SqliteStorage(Path(sys.argv[1]))
    await storage.open()
    await storage.begin_run()
    async with anyio.create_task_group() as tasks:
        for first in range(4):
            tasks.start_soon(write, storage, int(sys.argv[2]) + first)

logs.configure(False, sys.stderr)
anyio.run(main)
"""


def write_until_killed(path: Path, first: int, seconds: float) -> list[int]:
    """Let a process write for a while, kill it, and tell what it had said was stored."""
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]  # it is under way
        time.sleep(seconds)
        process.kill()
        out, err = process.communicate()
        assert "Traceback" not in err, err
    # The last line may be cut off by the kill.
    return [int(line) for line in (said[0] + out).splitlines(keepends=True) if line.endswith("\n")]


def whole(storage: SqliteStorage) -> bool:
    connection = storage._writer._connection
    assert connection is not None
    check = connection.execute("PRAGMA integrity_check").fetchall()
    return check == [("ok",)] and connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_what_was_acknowledged_survives_kill_9_and_no_unit_is_torn(sqlite_backend: SqliteBackend) -> None:
    storage = sqlite_backend.storage()
    await storage.open()
    await person(storage)
    await storage.close()
    chance = random.Random(7)
    for kill in range(ROUNDS):
        first = kill * 1_000_000
        acknowledged = write_until_killed(sqlite_backend.path, first, chance.uniform(0, 0.15))
        await storage.open()
        assert whole(storage)
        assert not await storage.begin_run()
        everything = await ask(storage, AllOf(1001))
        attacks = {entry.id for entry in everything.headaches if entry.id >= first * 10}
        expected = {number * 10 + part for number in acknowledged for part in range(3)}
        assert attacks >= expected
        assert len(attacks) % 3 == 0, "the units of a call are stored together"
        keys = {attack: key(f"{attack // 10}.{attack % 10}") for attack in attacks}
        assert await storage.handled(list(keys.values())) == set(keys.values())
        assert len(await storage.recover(NOW)) == len(everything.headaches)
        await storage.close()
