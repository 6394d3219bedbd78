"""What only Postgres has: a schema of its own in a database of others, a server that refuses, and several processes."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import asyncpg
import pytest

from migrebot.errors import UserError
from storage.migrations import NEWEST
from storage.migrations.postgres_runner import bring_up_to_date, migrate, probe
from storage.migrations.runner import SCRIPTS
from storage.postgres_server import MIGRATING, name_of
from tests.postgres import PASSWORD, PostgresServer

if TYPE_CHECKING:
    from typing import Any

SECOND = """
from storage.migrations.dialects import execute

revision = "9999"
down_revision = "{newest}"


def upgrade():
    execute('''
CREATE TABLE added (id {{integer}}, remark TEXT);
INSERT INTO added SELECT value, '100% of :it' FROM meta;
{last};
''')
"""

OF_THE_ORIGINAL_BOT = """
CREATE TABLE users (telegram_id BIGINT PRIMARY KEY, language TEXT);
CREATE TABLE drugs (id SERIAL PRIMARY KEY, name TEXT);
CREATE TABLE alembic_version (version_num TEXT);
INSERT INTO users VALUES (7, 'ru');
INSERT INTO drugs (name) VALUES ('aspirin');
INSERT INTO alembic_version VALUES ('of the original bot')
"""


class Database:
    """A database with nothing in it."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self.name = name
        self.url = server.url(name)

    def execute(self, sql: str) -> None:
        self.server.execute(sql, self.name)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        return self.server.fetch(sql, self.name)

    def revision(self) -> object:
        return self.fetch("SELECT version_num FROM migrebot.alembic_version")[0][0]

    def tables(self, schema: str) -> set[str]:
        return {name for (name,) in self.fetch(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")}


@pytest.fixture
def blank(postgres_server: PostgresServer, blank_postgres: str) -> Database:
    return Database(postgres_server, blank_postgres)


@pytest.fixture
def with_second(tmp_path: Path) -> Path:
    """The migrations with one more."""
    scripts = tmp_path / "100% scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    write_second(scripts, "SELECT 1")
    return scripts


def write_second(scripts: Path, last: str) -> None:
    (scripts / "versions" / "9999_second.py").write_text(SECOND.format(newest=NEWEST, last=last))


async def test_what_stands_in_the_database_already_is_left_alone(blank: Database) -> None:
    blank.execute(OF_THE_ORIGINAL_BOT)
    assert await migrate(blank.url) == f"{name_of(blank.url)}: the schema is {NEWEST} now, it was empty"
    assert blank.tables("public") == {"users", "drugs", "alembic_version"}
    assert blank.fetch("SELECT * FROM users, drugs, alembic_version") == [
        (7, "ru", 1, "aspirin", "of the original bot")
    ]
    assert {"users", "drugs", "alembic_version"} < blank.tables("migrebot")
    assert blank.revision() == NEWEST
    assert await migrate(blank.url) == f"{name_of(blank.url)}: the schema is {NEWEST} already"


async def test_trying_a_database_tells_what_would_be_done_and_changes_nothing(blank: Database) -> None:
    [(version,)] = blank.fetch("SHOW server_version")
    told = await probe(blank.url)
    assert told == f"PostgreSQL {version}, {name_of(blank.url)}, schema empty, will be {NEWEST}"
    assert blank.tables("migrebot") == set()
    await migrate(blank.url)
    assert (await probe(blank.url)).endswith(f"/{blank.name}, schema {NEWEST}")


async def test_processes_that_start_together_migrate_once(blank: Database, with_second: Path) -> None:
    befores: list[str | None] = []

    async def start() -> None:
        befores.append(await bring_up_to_date(blank.url, newest="9999", scripts=with_second))

    async with anyio.create_task_group() as starting:
        for _ in range(4):
            starting.start_soon(start)
    assert sorted(befores, key=str) == ["9999", "9999", "9999", None]
    assert blank.fetch("SELECT count(*) FROM migrebot.added") == [(0,)]


async def test_a_process_waits_for_another_one_that_migrates(blank: Database) -> None:
    with blank.server.connected(blank.name) as other:
        other.execute(f"SELECT pg_advisory_lock({MIGRATING})")
        async with anyio.create_task_group() as starting:
            starting.start_soon(migrate, blank.url)
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while blank.fetch(waiting) != [(1,)]:
                await anyio.lowlevel.checkpoint()
            assert blank.tables("migrebot") == set()
            other.execute(f"SELECT pg_advisory_unlock({MIGRATING})")
    assert blank.revision() == NEWEST


async def test_a_migration_that_fails_changes_nothing(blank: Database, with_second: Path) -> None:
    await migrate(blank.url)
    blank.execute("INSERT INTO migrebot.meta VALUES ('answer', 42)")
    before = blank.tables("migrebot")
    write_second(with_second, "INSERT INTO nowhere VALUES (1)")
    upgrade = partial(bring_up_to_date, blank.url, newest="9999", scripts=with_second)
    with pytest.raises(asyncpg.UndefinedTableError, match="nowhere"):
        await upgrade()
    assert (blank.tables("migrebot"), blank.revision()) == (before, NEWEST)
    write_second(with_second, "SELECT 1")
    assert await upgrade() == NEWEST
    assert blank.fetch("SELECT * FROM migrebot.added") == [(42, "100% of :it")]


async def test_a_newer_database_is_refused_and_left_alone(blank: Database, with_second: Path) -> None:
    await bring_up_to_date(blank.url, newest="9999", scripts=with_second)
    for refused in (migrate, probe):
        with pytest.raises(UserError, match=rf"by a newer version .* schema is 9999, known here is {NEWEST}$"):
            await refused(blank.url)
    assert blank.revision() == "9999"


async def test_a_schema_of_another_program_is_refused_and_left_alone(blank: Database) -> None:
    blank.execute("CREATE SCHEMA migrebot; CREATE TABLE migrebot.songs (id INT)")
    for refused in (migrate, probe):
        with pytest.raises(UserError, match="its schema migrebot is of another program"):
            await refused(blank.url)
    assert blank.tables("migrebot") == {"songs"}


async def test_a_login_without_rights_is_one_clear_line(blank: Database) -> None:
    blank.execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN")
    guest = blank.url.replace("postgres@", "guest@")
    with pytest.raises(UserError, match="there is no schema migrebot, and this login may not make one"):
        await migrate(guest)
    blank.execute("CREATE SCHEMA migrebot")
    with pytest.raises(UserError, match="the database server refused permission"):
        await migrate(guest)
    blank.execute("ALTER SCHEMA migrebot OWNER TO guest")
    assert "empty" in await migrate(guest), "a schema that was made for it is enough"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (("/test_", "/none_"), "there is no such database"),
        (("p%40ss", "other"), "the database server refused the password"),
        (("postgres:", "nobody:"), "the database server refused the (password|login)"),
        (("@127.0.0.1:", "@127.0.0.1:1"), "the database server refused the connection|cannot be understood"),
        (("@127.0.0.1", "@no.such.host.invalid"), "the database server cannot be reached: "),
    ],
    ids=["database", "password", "user", "port", "host"],
)
async def test_a_server_that_cannot_be_used_is_one_line_without_the_password(
    blank: Database, wrong: tuple[str, str], complaint: str
) -> None:
    url = blank.server.url(blank.name, tcp=True)
    assert "schema empty" in await probe(url), "all is right but for what is made wrong below"
    for refused in (migrate, probe):
        with pytest.raises(UserError, match=complaint) as caught:
            await refused(url.replace(*wrong))
        assert PASSWORD[:4] not in str(caught.value)
        assert "\n" not in str(caught.value)


async def test_an_encoding_that_cannot_hold_every_language_is_refused(postgres_server: PostgresServer) -> None:
    postgres_server.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(UserError, match="its encoding is LATIN1, UTF8 is needed"):
        await probe(postgres_server.url("latin"))
    postgres_server.drop("latin")


async def test_a_database_that_takes_no_changes_is_refused(blank: Database) -> None:
    blank.execute(f'ALTER DATABASE "{blank.name}" SET default_transaction_read_only = on')
    with pytest.raises(UserError, match="it is read-only"):
        await probe(blank.url)


async def test_text_is_compared_byte_by_byte_whatever_the_language_of_the_database(blank: Database) -> None:
    await migrate(blank.url)
    found = blank.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'migrebot' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
    )
    assert found == []
