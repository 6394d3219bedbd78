"""SQLite: what happens when the disk, the file or another process does not play along. All of it really happens."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import anyio
import pytest

from migrebot.errors import StorageUnavailable, UserError
from storage import sqlite_writer
from storage.changes import Enqueue, SaveDrug, SaveHeadache, SaveSession, Unit
from storage.facts import AllOf
from storage.sqlite import SqliteStorage
from tests.storage.samples import ANNA, NOW, ask, drug, headache, key, message, person, queued, session, whois

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.storage.conftest import SqliteBackend


def connection(storage: SqliteStorage) -> sqlite3.Connection:
    """The connection of the storage itself, to set the stage."""
    found = storage._writer._connection
    assert found is not None
    return found


def unit(name: str, size: int = 20_000) -> Unit:
    attack = headache(int(name), note="x" * size)
    changes = (SaveSession(session(token=name)), SaveHeadache(attack), Enqueue(message(name)))
    return Unit(key=key(name), user_id=1001, changes=changes)


async def assert_nothing_of(storage: SqliteStorage, *names: str) -> None:
    everything = await ask(storage, AllOf(1001))
    assert everything.headaches == ()
    assert await storage.handled([key(name) for name in names]) == set()
    assert (await whois(storage)).session is None


async def assert_it_works_again(storage: SqliteStorage, *names: str) -> None:
    results = await storage.commit([unit(name) for name in names], NOW)
    assert [result.outcome for result in results] == ["done"] * len(names)
    assert (await whois(storage)).session == session(token=names[-1])
    await storage.close()
    await storage.open()
    assert (await whois(storage)).session == session(token=names[-1])
    assert len((await ask(storage, AllOf(1001))).headaches) == len(names)


async def test_a_full_disk_is_told_to_every_caller_and_nothing_is_stored(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    await whois(sqlite)
    pages = connection(sqlite).execute("PRAGMA page_count").fetchone()[0]
    connection(sqlite).execute(f"PRAGMA max_page_count = {pages + 5}")
    told = []

    async def save(name: str) -> None:
        with pytest.raises(StorageUnavailable, match="the disk is full") as raised:
            await sqlite.commit([unit(name, 10), unit(name + "0")], NOW)
        told.append(raised.value)

    async with anyio.create_task_group() as tasks:
        for name in "123":
            tasks.start_soon(save, name)
    assert len(set(map(id, told))) == 3
    await assert_nothing_of(sqlite, "1", "2", "3", "10", "20", "30")
    assert await sqlite.recover(NOW) == []
    connection(sqlite).execute("PRAGMA max_page_count = 1000000")
    await assert_it_works_again(sqlite, "1", "2", "3")


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_write_that_fails_is_told_and_mended_by_itself(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    await person(sqlite)
    await whois(sqlite)
    before = connection(sqlite)
    log = sqlite_backend.path.with_name(sqlite_backend.path.name + "-wal")
    with (
        files_no_longer_than(log.stat().st_size + 10_000),
        pytest.raises(StorageUnavailable, match="writing the database file failed"),
    ):
        await sqlite.commit([unit("1", 100_000)], NOW)
    await assert_nothing_of(sqlite, "1")
    assert connection(sqlite) is not before, "opened anew"
    await assert_it_works_again(sqlite, "1", "2")


WRITE_LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(program: str, path: Path) -> Iterator[str]:
    """Run it until it has said one line, and end it afterwards."""
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


async def test_a_database_locked_by_another_process_can_be_read_and_is_written_later(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    await person(sqlite)
    connection(sqlite).execute("PRAGMA busy_timeout = 100")
    with another_process(WRITE_LOCK, sqlite_backend.path) as said:
        assert said == "locked"
        with pytest.raises(StorageUnavailable, match="locked by another process"):
            await sqlite.commit([unit("1")], NOW)
        with pytest.raises(StorageUnavailable, match="locked by another process"):
            await sqlite.attempt(key("1"), NOW)
        await assert_nothing_of(sqlite, "1")
    await assert_it_works_again(sqlite, "1")


async def test_a_short_lock_is_waited_for(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    await person(sqlite)
    with closing(sqlite3.connect(sqlite_backend.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sqlite.commit, [unit("1")], NOW)
            await anyio.sleep(0.05)
            other.execute("ROLLBACK")
    assert await sqlite.handled([key("1")]) == {key("1")}


async def test_a_database_that_cannot_be_written_is_told(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    connection(sqlite).execute("PRAGMA query_only = ON")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await sqlite.commit([unit("1")], NOW)
    await assert_it_works_again(sqlite, "1")


async def test_a_file_that_is_gone_or_was_replaced_is_not_written_to(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend, sqlite_template: Path
) -> None:
    await person(sqlite)
    path = sqlite_backend.path
    moved = path.with_name("moved.db")
    path.rename(moved)
    with pytest.raises(StorageUnavailable, match="gone"):
        await sqlite.commit([unit("1")], NOW)
    assert not path.exists()
    shutil.copy(sqlite_template, path)
    with pytest.raises(StorageUnavailable, match="replaced by another one"):
        await sqlite.commit([unit("1")], NOW)
    moved.rename(path)
    await assert_it_works_again(sqlite, "1")


def damage(path: Path, size: int) -> None:
    """Overwrite so much at the end of the file."""
    with path.open("r+b") as file:
        file.seek(-size, os.SEEK_END)
        file.write(b"\xff" * size)


async def test_no_new_file_takes_the_place_of_one_that_is_gone(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend
) -> None:
    await person(sqlite)
    connection(sqlite).execute("PRAGMA query_only = ON")
    with pytest.raises(StorageUnavailable):
        await sqlite.commit([unit("1")], NOW)
    sqlite_backend.path.rename(sqlite_backend.path.with_name("moved.db"))
    with pytest.raises(StorageUnavailable, match="cannot be opened"):
        await sqlite.commit([unit("1")], NOW)
    assert not sqlite_backend.path.exists()


async def test_a_damaged_file_is_told(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    await person(sqlite)
    await sqlite.commit([unit("1", 100_000)], NOW)
    await sqlite.close()
    damage(sqlite_backend.path, 60_000)
    await sqlite.open()
    with pytest.raises(StorageUnavailable, match="damaged"):
        await ask(sqlite, AllOf(1001))
    await sqlite.close()
    damage(sqlite_backend.path, sqlite_backend.path.stat().st_size - 100)
    with pytest.raises(UserError, match=r"migrebot\.db cannot be opened: the database file is damaged"):
        await sqlite.open()


async def test_a_closed_storage_does_nothing(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    await sqlite.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await sqlite.commit([unit("1")], NOW)
    assert not sqlite_backend.path.with_name(sqlite_backend.path.name + "-wal").exists()


async def test_the_log_does_not_grow_for_ever(
    sqlite: SqliteStorage, sqlite_backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sqlite.close()
    monkeypatch.setattr(sqlite_writer, "CHECKPOINT_PAGES", 50)
    await sqlite.open()
    await person(sqlite)
    for number in range(50):
        await sqlite.commit([unit(str(number))], NOW)
    log = sqlite_backend.path.with_name(sqlite_backend.path.name + "-wal")
    assert log.stat().st_size < 100 * 4_200


# --- other processes on the same file ----------------------------------------------------------------------------

RUNNING = """
import anyio, sys
from pathlib import Path
from storage.sqlite import SqliteStorage

async def main():
    storage = SqliteStorage(Path(sys.argv[1]))
    await storage.open()
    print("running", file=sys.__stdout__, flush=True)
    await anyio.to_thread.run_sync(sys.stdin.read)

from migrebot import logs
logs.configure(False)
anyio.run(main)
"""


async def test_a_second_process_is_refused_and_a_command_beside_the_first_is_not(
    sqlite_backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite.STOPPING_S", 0.1)
    with another_process(RUNNING, sqlite_backend.path) as said:
        assert said == "running"
        second = sqlite_backend.storage()
        with pytest.raises(UserError, match="in use by another process"):
            await second.open()
        await second.close()
        beside = SqliteStorage(sqlite_backend.path, alone=False)
        assert "schema" in await beside.probe()
        await beside.open()
        await person(beside)
        assert connection(beside).execute("PRAGMA wal_autocheckpoint").fetchone() == (0,), "only one may do that"
        await beside.close()
        assert sqlite_backend.path.with_name(sqlite_backend.path.name + "-wal").stat().st_size > 0
    third = sqlite_backend.storage()
    await third.open()
    assert not (await whois(third)).is_new
    await third.close()


async def test_the_process_that_ends_is_waited_for(sqlite: SqliteStorage, sqlite_backend: SqliteBackend) -> None:
    second = sqlite_backend.storage()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(second.open)
        await anyio.sleep(0.05)
        await sqlite.close()
    await second.close()


async def test_the_settings_are_those_that_keep_data_safe(sqlite: SqliteStorage) -> None:
    def setting(name: str) -> object:
        return connection(sqlite).execute(f"PRAGMA {name}").fetchone()[0]

    assert {name: setting(name) for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")} == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
    strict = connection(sqlite).execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'"
    )
    assert strict.fetchall() == [("alembic_version",)]


async def test_a_message_waits_through_a_fault(sqlite: SqliteStorage) -> None:
    await person(sqlite)
    [ticket] = await queued(sqlite, message(address=ANNA))
    connection(sqlite).execute("PRAGMA query_only = ON")
    with pytest.raises(StorageUnavailable):
        await sqlite.claim([ticket.id], NOW)
    [row] = await sqlite.claim([ticket.id], NOW)
    assert row.attempts == 1
    await sqlite.commit([Unit(changes=(SaveDrug(drug()),))], NOW)
