"""The schema comes about from nothing, step by step, and no data are lost on the way."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from migrebot.errors import UserError
from storage import migrations
from storage.changes import SaveDrug, Unit
from storage.facts import AllOf
from storage.migrations import NEWEST
from storage.migrations.sqlite_runner import bring_up_to_date, migrate, probe
from storage.queries import named_sql
from storage.sqlite import SqliteStorage
from storage.sqlite_file import ProcessLock
from tests.storage.samples import NOW, ask, drug, person

SCRIPTS = Path(migrations.__file__).parent
EXPECTED = Path(__file__).with_name("schema.sql")

NEXT = f"{int(NEWEST) + 1:04}"
ONE_MORE = """
from alembic import op

revision = "{next}"
down_revision = "{newest}"


def upgrade():
    op.execute("CREATE TABLE added (id INTEGER) STRICT")
    op.execute("{last}")
"""


def one_more(last: str) -> str:
    """Write a revision that follows the newest."""
    return ONE_MORE.format(next=NEXT, newest=NEWEST, last=last)


def schema(path: Path) -> str:
    """Write the schema down, one statement each, Alembic's own table left out."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            " AND tbl_name <> 'alembic_version' ORDER BY tbl_name, type DESC, name"
        )
        return "\n\n".join(sql + ";" for (sql,) in found) + "\n"


def revision(path: Path) -> object:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "migrebot.db"


@pytest.fixture
def with_one_more(tmp_path: Path) -> Path:
    """The migrations with one more."""
    scripts = tmp_path / "100% scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / f"{NEXT}_one_more.py").write_text(one_more("INSERT INTO added SELECT id FROM drugs"))
    return scripts


async def filled(file: Path) -> None:
    storage = SqliteStorage(file)
    await storage.open()
    await person(storage)
    await storage.commit([Unit(changes=(SaveDrug(drug(7)),))], NOW)
    await storage.close()


def test_the_newest_revision_is_the_one_alembic_ends_at() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [NEWEST]


def test_from_nothing_comes_the_schema_written_down(file: Path) -> None:
    assert migrate(file) == f"{file}: the schema is {NEWEST} now, it was empty"
    assert schema(file) == EXPECTED.read_text()
    assert revision(file) == NEWEST


def test_migrating_again_changes_nothing(file: Path) -> None:
    migrate(file)
    before = content_of(file)
    assert migrate(file) == f"{file}: the schema is {NEWEST} already"
    assert content_of(file) == before
    assert not list(file.parent.glob("*.before-*"))


def test_files_and_their_directory_are_made_for_their_owner_alone(file: Path) -> None:
    migrate(file)
    assert mode(file.parent) == 0o700
    assert {path.name: mode(path) for path in file.parent.iterdir()} == {
        "migrebot.db": 0o600,
        "migrebot.db.lock": 0o600,
    }


async def test_the_log_of_an_open_database_is_for_its_owner_alone_too(file: Path) -> None:
    storage = SqliteStorage(file)
    await storage.open()
    assert {mode(path) for path in file.parent.iterdir()} == {0o600}
    await storage.close()


def test_a_current_schema_needs_no_alembic(file: Path) -> None:
    migrate(file)
    program = """
import sys, anyio
from pathlib import Path
from storage.sqlite import SqliteStorage

async def main():
    storage = SqliteStorage(Path(sys.argv[1]))
    await storage.open()
    await storage.close()

anyio.run(main)
assert not {"alembic", "sqlalchemy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program, str(file)], check=True, capture_output=True)


async def test_before_the_schema_changes_a_copy_is_kept(file: Path, with_one_more: Path) -> None:
    await filled(file)
    assert bring_up_to_date(file, locked=True, newest=NEXT, scripts=with_one_more) == NEWEST
    assert revision(file) == NEXT
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT id FROM added").fetchall() == [(7,)]
    copy = file.with_name(f"migrebot.db.before-{NEXT}")
    assert mode(copy) == 0o600
    assert revision(copy) == NEWEST
    storage = SqliteStorage(copy)
    await storage.open()
    assert (await ask(storage, AllOf(1001))).drugs == (drug(7),)
    await storage.close()


async def test_a_migration_that_fails_changes_nothing(file: Path, with_one_more: Path) -> None:
    await filled(file)
    before = schema(file)
    script = with_one_more / "versions" / f"{NEXT}_one_more.py"
    script.write_text(one_more("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(Exception, match="nowhere"):
        bring_up_to_date(file, locked=True, newest=NEXT, scripts=with_one_more)
    assert (schema(file), revision(file)) == (before, NEWEST)
    script.write_text(one_more("INSERT INTO added SELECT id FROM drugs"))
    bring_up_to_date(file, locked=True, newest=NEXT, scripts=with_one_more)
    assert revision(file) == NEXT


async def test_attacks_of_the_first_schema_learn_their_last_day(file: Path, tmp_path: Path) -> None:
    first = tmp_path / "scripts"
    later = shutil.ignore_patterns("__pycache__", "000[2-9]_*.py", "00[1-9]*_*.py")
    shutil.copytree(SCRIPTS, first, ignore=later)
    bring_up_to_date(file, locked=True, newest="0001", scripts=first)
    with closing(sqlite3.connect(file)) as database:
        database.execute("INSERT INTO users (id, language, created_at, zone_offered) VALUES (1001, 'en', 0, 0)")
        for id_, hours in ((1, "NULL"), (2, "30.0")):
            database.execute(
                "INSERT INTO headaches (id, user_id, day, timezone, created_at, duration_h)"
                f" VALUES ({id_}, 1001, '2026-06-10', 'UTC', 0, {hours})"
            )
        database.commit()
    migrate(file)
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT id, last_day FROM headaches ORDER BY id").fetchall()
    assert found == [(1, "2026-06-10"), (2, "2026-06-11")]


def test_no_copy_is_kept_of_nothing(file: Path, with_one_more: Path) -> None:
    assert bring_up_to_date(file, locked=True, newest=NEXT, scripts=with_one_more) is None
    assert not list(file.parent.glob("*.before-*"))


async def test_a_newer_database_is_refused_and_left_alone(file: Path, with_one_more: Path) -> None:
    await filled(file)
    bring_up_to_date(file, locked=True, newest=NEXT, scripts=with_one_more)
    before = content_of(file)
    storage = SqliteStorage(file)
    for refused in (storage.open, storage.probe):
        with pytest.raises(
            UserError, match=rf"written by a newer version .* schema is {NEXT}, known here is {NEWEST}$"
        ):
            await refused()
    await storage.close()
    with pytest.raises(UserError, match="newer version"):
        migrate(file)
    assert content_of(file) == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"not a database at all" * 100, "the file is not a database"),
        (b"SQLite format 3\0" + b"\xff" * 4_080, "the file is not a database"),
    ],
    ids=["text", "a header and nothing else"],
)
async def test_what_is_no_database_is_refused_and_left_alone(file: Path, content: bytes, complaint: str) -> None:
    write(file, content)
    storage = SqliteStorage(file)
    for refused in (storage.open, storage.probe):
        with pytest.raises(UserError, match=complaint):
            await refused()
    await storage.close()
    assert content_of(file) == content


async def test_the_database_of_another_program_is_refused_and_left_alone(file: Path) -> None:
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE songs (id INTEGER)")
    before = content_of(file)
    storage = SqliteStorage(file)
    with pytest.raises(UserError, match="a database of another program"):
        await storage.open()
    await storage.close()
    assert content_of(file) == before


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path, tmp_path / "file" / "migrebot.db"):
        with pytest.raises(UserError, match="cannot be opened: "):
            migrate(place)


def test_an_old_schema_is_not_changed_under_a_running_program(file: Path, with_one_more: Path) -> None:
    migrate(file)
    lock = ProcessLock(file)
    assert lock.acquire()
    with pytest.raises(UserError, match="in use by another process"):
        bring_up_to_date(file, locked=ProcessLock(file).acquire(), newest=NEXT, scripts=with_one_more)
    assert "already" in migrate(file), "there is nothing to do"
    lock.release()
    assert ProcessLock(file).acquire()


def test_trying_a_database_makes_and_changes_nothing(file: Path) -> None:
    assert probe(file).endswith(f"{file} will be made")
    assert not file.parent.exists()
    migrate(file)
    before = content_of(file)
    assert probe(file).endswith(f"{file}, schema {NEWEST}")
    assert content_of(file) == before


# --- the named SQL -----------------------------------------------------------------------------------------------


def test_every_block_of_sql_fits_the_schema(file: Path) -> None:
    migrate(file)
    with closing(sqlite3.connect(file)) as database:
        for sql in named_sql().values():
            database.execute("EXPLAIN " + sql, [None] * sql.count("?"))


def test_every_block_of_sql_is_used() -> None:
    program = "".join(path.read_text() for path in SCRIPTS.parent.glob("*.py"))
    assert [name for name in named_sql() if f'"{name}"' not in program] == []


def test_every_heading_makes_a_block() -> None:
    headings = [
        line
        for path in (SCRIPTS.parent / "queries").glob("*.sql")
        for line in path.read_text().splitlines()
        if line.startswith("--")
    ]
    assert len(headings) == len(named_sql())
