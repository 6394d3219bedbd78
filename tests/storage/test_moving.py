"""Everything arrives on the other side, whatever it is and whatever happens on the way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrebot.errors import UserError
from storage.changes import (
    Enqueue,
    SaveDrug,
    SaveHeadache,
    SaveIdentity,
    SaveIntake,
    SavePressure,
    SaveSession,
    SaveUser,
    Unit,
)
from storage.migrations import postgres_runner, sqlite_runner
from storage.migrations.runner import SCRIPTS
from storage.moving import move
from storage.moving.postgres_side import PostgresSide
from storage.moving.side import BATCH
from storage.moving.sqlite_side import SqliteSide, tables_of
from storage.moving.table import Sealing
from storage.postgres_server import RUNNING
from storage.sqlite import SqliteStorage
from storage.sqlite_file import ProcessLock, connect
from tests.postgres import PASSWORD, PostgresServer
from tests.storage import anything
from tests.storage.filling import content, fill
from tests.storage.samples import NOW, message, queued

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.moving import Side


class Stopped(Exception):
    """The end of a process, in the middle of its work."""


class Steps:
    """What a move reported; it stops the move at a given number of rows copied."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.told: list[tuple[str, int, int]] = []
        self._stop_at = stop_at

    def __call__(self, step: str, rows: int, of: int) -> None:
        self.told.append((step, rows, of))
        if step == "copying" and self._stop_at is not None and rows >= self._stop_at:
            raise Stopped

    def first(self, step: str) -> int:
        """How many rows were done when the step was heard of first."""
        return next(rows for name, rows, _ in self.told if name == step)


def ignored(step: str, rows: int, of: int) -> None:
    """Nobody listens."""
    assert step
    assert 0 < rows <= of


class Places:
    """Databases to move from and to."""

    def __init__(self, server: PostgresServer, directory: Path, template: Path) -> None:
        self.server = server
        self.template = template
        self._directory = directory
        self._made: list[str] = []

    def file(self, *, filled: int = 0, seed: int = 1, long: int = 0) -> Path:
        """Give a new file, with the newest schema if it is to have rows; `long` is how many more one table has."""
        path = self._directory / f"{len(list(self._directory.glob('*.db')))}.db"
        if filled:
            shutil.copy(self.template, path)
            fill(path, rows=filled, wild=True, seed=seed)
        if long:
            with closing(connect(path)) as database:
                database.execute("BEGIN")
                insert = "INSERT INTO inbox (channel, key, status, handled_at, attempts, raw) VALUES (?, ?, ?, 0, 1, ?)"
                rows = ((f"{number % 7}", f"k{number}", "done", b"x" * 2_000) for number in range(long))
                database.executemany(insert, rows)
                database.execute("COMMIT")
        return path

    def database(self) -> str:
        """Give the name of a new Postgres database with nothing in it."""
        self._made.append(self.server.create())
        return self._made[-1]

    def postgres(self) -> PostgresSide:
        return PostgresSide(self.server.url(self.database()))

    async def both(self, path: Path) -> list[Side]:
        """Give the file as it is, and moved to Postgres."""
        side = self.postgres()
        await move(SqliteSide(path), side, ignored)
        return [SqliteSide(path), side]

    async def arrived(self, side: Side) -> dict[str, list[dict[str, Any]]]:
        """Give all that is on a side, by moving it to a file."""
        if isinstance(side, SqliteSide):
            return content(side._path)
        path = self.file()
        path.unlink(missing_ok=True)
        await move(side, SqliteSide(path), ignored)
        return content(path)

    def drop(self) -> None:
        for name in self._made:
            self.server.drop(name)


@pytest.fixture
def places(postgres_server: PostgresServer, sqlite_template: Path, tmp_path: Path) -> Iterator[Places]:
    made = Places(postgres_server, tmp_path, sqlite_template)
    yield made
    made.drop()


async def test_what_moves_to_postgres_and_back_is_equal_row_by_row(places: Places) -> None:
    origin, back = places.file(filled=50, long=2 * BATCH), places.file()
    middle, steps = places.postgres(), Steps()
    told = await move(SqliteSide(origin), middle, steps)
    before = content(origin)
    rows = sum(map(len, before.values()))
    assert all(before.values())
    assert told == f"{middle.name}: {rows} rows of {len(before)} tables were copied from {origin} and compared"
    assert steps.told[-1] == ("comparing", rows, rows)
    await move(middle, SqliteSide(back), ignored)
    assert content(back) == before


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(data=st.data())
async def test_whatever_people_may_have_stored_moves_and_comes_back(places: Places, data: st.DataObject) -> None:
    origin, back = places.file(filled=1), places.file()
    changes = st.one_of(
        anything.users.map(SaveUser),
        anything.identities.map(SaveIdentity),
        anything.sessions.map(SaveSession),
        anything.headaches.map(SaveHeadache),
        anything.intakes.map(SaveIntake),
        anything.pressures.map(SavePressure),
        anything.drugs.map(SaveDrug),
        anything.outgoing.map(Enqueue),
    )
    units = [Unit(changes=(SaveUser(data.draw(anything.users)),))]
    units += [Unit(changes=(change,)) for change in data.draw(st.lists(changes, min_size=5, max_size=20))]
    storage = SqliteStorage(origin)
    await storage.open()
    await storage.commit(units, NOW)
    await storage.close()
    middle = places.postgres()
    await move(SqliteSide(origin), middle, ignored)
    await move(middle, SqliteSide(back), ignored)
    assert content(back) == content(origin)


async def test_files_and_servers_can_be_moved_to_their_own_kind(places: Places) -> None:
    origin = places.file(filled=5)
    for side in await places.both(origin):
        target: Side = SqliteSide(places.file()) if isinstance(side, SqliteSide) else places.postgres()
        await move(side, target, ignored)
        assert await places.arrived(target) == content(origin)


async def test_numbers_that_were_given_out_are_not_given_out_again(places: Places) -> None:
    origin, back = places.file(filled=5), places.file()
    with closing(connect(origin)) as database:
        database.execute("DELETE FROM outbox")
        [(given,)] = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
    middle = places.postgres()
    await move(SqliteSide(origin), middle, ignored)
    await move(middle, SqliteSide(back), ignored)
    assert places.server.fetch("SELECT nextval('migrebot.outbox_id_seq')", places._made[0]) == [(given + 1,)]
    storage = SqliteStorage(back)
    await storage.open()
    [ticket] = await queued(storage, message())
    assert ticket.id == given + 1
    await storage.close()


async def test_an_empty_database_moves_too(places: Places) -> None:
    origin = places.file()
    sqlite_runner.migrate(origin)
    for side in await places.both(origin):
        assert not any((await places.arrived(side)).values())
    assert places.server.fetch("SELECT nextval('migrebot.outbox_id_seq')", places._made[0]) == [(1,)]


# --- interruptions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", [1, BATCH + 50])
@pytest.mark.parametrize("back", [False, True], ids=["to Postgres", "from Postgres"])
async def test_what_was_interrupted_goes_on(places: Places, stop_at: int, back: bool) -> None:
    origin = places.file(filled=10, long=3 * BATCH)
    source = (await places.both(origin))[back]
    target: Side = SqliteSide(places.file()) if back else places.postgres()
    stopped = Steps(stop_at)
    with pytest.raises(Stopped):
        await move(source, target, stopped)
    done = stopped.told[-1][1]
    again = Steps()
    await move(source, target, again)
    assert done < again.first("copying") <= done + BATCH
    assert await places.arrived(target) == content(origin)


@pytest.mark.parametrize("back", [False, True], ids=["to Postgres", "from Postgres"])
async def test_a_server_that_crashes_meanwhile_is_one_line_and_the_move_goes_on(places: Places, back: bool) -> None:
    origin = places.file(filled=10, long=3 * BATCH)
    source = (await places.both(origin))[back]
    target: Side = SqliteSide(places.file()) if back else places.postgres()

    def crash(step: str, rows: int, of: int) -> None:
        if step == "copying" and rows < BATCH < of:
            places.server.restart("immediate")

    with pytest.raises(UserError, match=r"cannot be used: .*; the target is unfinished: give the same command again"):
        await move(source, target, crash)
    await move(source, target, ignored)
    assert await places.arrived(target) == content(origin)


async def test_a_source_that_changed_meanwhile_is_moved_anew(places: Places) -> None:
    origin = places.file(filled=30)
    target = places.postgres()
    with pytest.raises(Stopped):
        await move(SqliteSide(origin), target, Steps(80))
    with closing(sqlite3.connect(origin)) as database:
        database.execute("UPDATE users SET language = 'changed'")
        database.commit()
    await move(SqliteSide(origin), target, ignored)
    assert await places.arrived(target) == content(origin)


async def test_a_copy_that_was_spoilt_is_told_and_made_anew(places: Places) -> None:
    origin = places.file(filled=30)
    target = places.postgres()
    with pytest.raises(Stopped):
        await move(SqliteSide(origin), target, Steps(80))
    places.server.execute("UPDATE migrebot.users SET language = 'spoilt'", places._made[-1])
    with pytest.raises(UserError, match=r"the copy differs from .* in users; .* give the same command again"):
        await move(SqliteSide(origin), target, ignored)
    await move(SqliteSide(origin), target, ignored)
    assert await places.arrived(target) == content(origin)


async def test_an_unfinished_copy_is_not_used(places: Places) -> None:
    origin, file, database = places.file(filled=5), places.file(), places.database()
    url = places.server.url(database)
    for target in (SqliteSide(file), PostgresSide(url)):
        with pytest.raises(Stopped):
            await move(SqliteSide(origin), target, Steps(1))
        with pytest.raises(UserError, match=r"is an unfinished copy: give the same `migrebot move` command again"):
            await move(target, SqliteSide(places.file()), ignored)
    storage = SqliteStorage(file)
    for use in (storage.open, storage.probe):
        with pytest.raises(UserError, match="is an unfinished copy"):
            await use()
    await storage.close()
    for look in (postgres_runner.bring_up_to_date, postgres_runner.probe):
        with pytest.raises(UserError, match="is an unfinished copy"):
            await look(url)


# --- what is refused ---------------------------------------------------------------------------------------------


async def test_a_target_with_data_is_refused_and_left_alone(places: Places) -> None:
    origin = places.file(filled=5)
    for full in await places.both(places.file(filled=5, seed=2)):
        before = await places.arrived(full)
        with pytest.raises(UserError, match="holds data already: give an empty database"):
            await move(SqliteSide(origin), full, ignored)
        assert await places.arrived(full) == before


async def test_a_target_that_was_only_started_is_empty(places: Places) -> None:
    origin, target = places.file(filled=5), places.file()
    storage = SqliteStorage(target)
    await storage.open()
    await storage.begin_run()
    await storage.close()
    await move(SqliteSide(origin), SqliteSide(target), ignored)
    assert content(target) == content(origin)


async def test_an_unfinished_copy_of_something_else_is_refused(places: Places) -> None:
    first, second, target = places.file(filled=5), places.file(filled=5, seed=2), places.postgres()
    with pytest.raises(Stopped):
        await move(SqliteSide(first), target, Steps(1))
    with pytest.raises(UserError, match=rf"holds an unfinished copy of {first}: finish that"):
        await move(SqliteSide(second), target, ignored)


async def test_a_database_in_use_is_neither_source_nor_target(places: Places) -> None:
    file, database = places.file(filled=1), places.database()
    target = PostgresSide(places.server.url(database))
    lock = ProcessLock(file)
    assert lock.acquire()
    with pytest.raises(UserError, match="in use by another process"):
        await move(SqliteSide(file), target, ignored)
    lock.release()
    with places.server.connected(database) as running:
        running.execute(f"SELECT pg_advisory_lock_shared({RUNNING})")
        with pytest.raises(UserError, match="in use by another process"):
            await move(SqliteSide(file), target, ignored)
    await move(SqliteSide(file), target, ignored)


async def test_a_source_that_is_none_is_refused_and_not_made(places: Places, tmp_path: Path) -> None:
    target = places.postgres()
    nothing = tmp_path / "nothing.db"
    with pytest.raises(UserError, match="there is no such file"):
        await move(SqliteSide(nothing), target, ignored)
    assert not nothing.exists()
    with pytest.raises(UserError, match="holds no data of this program"):
        await move(places.postgres(), target, ignored)
    nothing.touch()
    with pytest.raises(UserError, match="holds no data of this program"):
        await move(SqliteSide(nothing), target, ignored)
    with pytest.raises(UserError, match="source and target are the same database"):
        await move(target, target, ignored)


async def test_a_source_of_an_older_schema_is_to_be_migrated_first(places: Places, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    scripts = tmp_path / "scripts"
    later = shutil.ignore_patterns("__pycache__", "000[2-9]_*.py", "00[1-9]*_*.py")
    shutil.copytree(SCRIPTS, scripts, ignore=later)
    sqlite_runner.bring_up_to_date(old, locked=True, newest="0001", scripts=scripts)
    with pytest.raises(UserError, match=r"has the schema 0001, not .*: run `migrebot migrate` on it first"):
        await move(SqliteSide(old), places.postgres(), ignored)


async def test_what_a_target_does_not_take_is_one_line_without_the_content(places: Places) -> None:
    origin = places.file(filled=1)
    with closing(sqlite3.connect(origin)) as database:
        database.execute("UPDATE users SET language = ?", ("nul\0l",))
        database.commit()
    with pytest.raises(UserError, match=r"does not take a row of users; the target is unfinished") as caught:
        await move(SqliteSide(origin), places.postgres(), ignored)
    assert "nul" not in str(caught.value)


# --- the command -------------------------------------------------------------------------------------------------


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "migrebot", "move", *arguments],
        cwd=directory,
        env={name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_move_that_is_killed_goes_on_and_arrives(places: Places, tmp_path: Path) -> None:
    origin, back = places.file(filled=10, long=8_000), tmp_path / "back.db"
    url = places.server.url(places.database(), tcp=True)
    for source, target in ((f"sqlite:///{origin.name}", url), (url, "sqlite:///back.db")):
        with start(tmp_path, source, target) as killed:
            assert killed.stderr is not None
            for line in killed.stderr:
                if line.strip() == "copying":  # is written once the first rows are
                    killed.kill()
        assert killed.returncode == -9
        refused = subprocess.run(
            [sys.executable, "-m", "migrebot", "check"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "MIGREBOT_STORAGE_URL": target},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "is an unfinished copy" in refused.stdout
        with start(tmp_path, source, target) as again:
            out, err = again.communicate(timeout=60)
        assert (again.returncode, err.splitlines()) == (0, ["reading", "copying", "comparing"])
        assert "were copied from" in out
        assert PASSWORD not in out + err
    assert content(back) == content(origin)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("sqlite:///a.db", "mysql://x"), 2, "TARGET: the value is not sqlite:///FILE"),
        (("postgresql://me:p@hunter2@db/x", "sqlite:///a.db"), 2, "SOURCE: the value: in user, password"),
        (("sqlite:///a.db", "sqlite:///b.db"), 1, "a.db: there is no such file"),
        (("postgresql://me:hunter2@127.0.0.1:1/x", "sqlite:///b.db"), 1, "refused the connection"),
    ],
)
def test_wrong_arguments_are_one_readable_line(
    tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    with start(tmp_path, *arguments) as ended:
        out, err = ended.communicate(timeout=60)
    assert (ended.returncode, out, len(err.splitlines())) == (status, "", 1)
    assert said in err
    assert "hunter2" not in err
    assert not (tmp_path / "b.db").exists()


# --- the parts ---------------------------------------------------------------------------------------------------


async def test_memory_does_not_grow_with_what_is_moved(places: Places) -> None:
    origin = places.file(filled=1, long=10_000)
    target = places.postgres()
    tracemalloc.start()
    await move(SqliteSide(origin), target, ignored)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000, "of 20 MB that were moved"


def test_every_table_can_be_moved_in_pieces(sqlite_template: Path) -> None:
    with closing(sqlite3.connect(sqlite_template)) as database:
        for table in tables_of(database):
            assert table.key, f"{table.name} has no primary key: a move could not go on in it"
            kinds = dict(database.execute("SELECT name, type FROM pragma_table_info(?)", (table.name,)))
            assert {kinds[column] for column in table.key} <= {"INTEGER", "TEXT"}


values = st.none() | anything.integers | st.floats(allow_nan=False) | anything.text | st.binary()
some_rows = st.lists(st.tuples(values, values), max_size=5)


@given(rows=some_rows, other=some_rows)
def test_a_seal_tells_rows_apart_but_not_their_order(rows: list[Any], other: list[Any]) -> None:
    def sealed(some: list[Any]) -> object:
        sealing = Sealing()
        sealing.add(some)
        return sealing.seal()

    def known(some: list[Any]) -> list[str]:
        # An integer is not the float of the same value, and SQLite makes no difference between the zeros.
        return sorted(repr(row).replace("-0.0", "0.0") for row in some)

    assert sealed(rows) == sealed(rows[::-1])
    assert (sealed(rows) == sealed(other)) == (known(rows) == known(other))
