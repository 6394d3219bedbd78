"""Every step of the schema, on both kinds of database: all or nothing, nothing lost, and in the end the same schema."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec import Struct

from storage.migrations import NEWEST, postgres_runner, sqlite_runner
from storage.migrations.runner import SCRIPTS
from tests.storage.filling import content, fill, tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import PostgresServer

Rows = dict[str, list[dict[str, Any]]]


def chain() -> list[str]:
    """List all revisions, the first one first."""
    scripts = ScriptDirectory.from_config(
        Config(attributes={}, file_=None, config_args={"script_location": str(SCRIPTS)})
    )
    return [script.revision for script in scripts.walk_revisions()][::-1]


REVISIONS = chain()


class Scripts:
    """The migrations up to a revision."""

    def __init__(self, directory: Path, last: str) -> None:
        self.path = directory / last
        shutil.copytree(SCRIPTS, self.path, ignore=shutil.ignore_patterns("__pycache__"))
        for later in REVISIONS[REVISIONS.index(last) + 1 :]:
            self._file(later).unlink()

    def fail_at_the_end_of(self, revision: str) -> None:
        with self._file(revision).open("a") as script:
            script.write("\n_whole = upgrade\ndef upgrade():\n    _whole()\n    raise ZeroDivisionError\n")

    def _file(self, revision: str) -> Path:
        [file] = (self.path / "versions").glob(f"{revision}_*.py")
        return file


class Database(Protocol):
    """A database whose schema is brought up step by step."""

    def upgrade(self, revision: str, scripts: Path) -> None: ...
    def add(self, rows: Rows) -> None: ...
    def rows(self, like: Rows) -> Rows: ...
    def revision(self) -> str: ...
    def described(self) -> dict[str, Described]: ...


class SqliteFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def upgrade(self, revision: str, scripts: Path) -> None:
        sqlite_runner.bring_up_to_date(self.path, locked=True, newest=revision, scripts=scripts)

    def add(self, rows: Rows) -> None:
        with closing(sqlite3.connect(self.path)) as database:
            for table, some in rows.items():
                names = list(some[0])
                places = ", ".join("?" * len(names))
                insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"
                database.executemany(insert, (tuple(row.values()) for row in some))
            database.commit()

    def rows(self, like: Rows) -> Rows:
        found = content(self.path)
        return {table: alike(found[table], some) for table, some in like.items()}

    def revision(self) -> str:
        with closing(sqlite3.connect(self.path)) as database:
            return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])

    def described(self) -> dict[str, Described]:
        with closing(sqlite3.connect(self.path)) as database:
            return {table: of_sqlite(database, table) for table in tables(database)}


class PostgresDatabase:
    def __init__(self, server: PostgresServer, name: str) -> None:
        self._server = server
        self._name = name

    def upgrade(self, revision: str, scripts: Path) -> None:
        async def upgrade() -> None:
            await postgres_runner.bring_up_to_date(self._server.url(self._name), newest=revision, scripts=scripts)

        anyio.run(upgrade)

    def add(self, rows: Rows) -> None:
        with self._server.connected(self._name) as link:
            for table, some in rows.items():
                link.add(table, list(some[0]), [list(row.values()) for row in some])

    def rows(self, like: Rows) -> Rows:
        found: Rows = {}
        for table, some in like.items():
            rows = self._server.fetch(f"SELECT {', '.join(some[0])} FROM migrebot.{table}", self._name)
            found[table] = alike([dict(zip(some[0], row, strict=True)) for row in rows], some)
        return found

    def revision(self) -> str:
        return str(self._server.fetch("SELECT version_num FROM migrebot.alembic_version", self._name)[0][0])

    def described(self) -> dict[str, Described]:
        def fetch(sql: str) -> list[tuple[Any, ...]]:
            return self._server.fetch(sql, self._name)

        found = fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'migrebot' AND tablename <> 'alembic_version'"
        )
        return {table: of_postgres(fetch, table) for (table,) in found}


@pytest.fixture(params=["SQLite", "Postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "SQLite":
        return SqliteFile(tmp_path / "migrebot.db")
    return PostgresDatabase(request.getfixturevalue("postgres_server"), request.getfixturevalue("blank_postgres"))


def made_up(directory: Path, scripts: Path, revision: str) -> Rows:
    """Give rows that the schema of a revision takes."""
    path = directory / "made up.db"
    sqlite_runner.bring_up_to_date(path, locked=True, newest=revision, scripts=scripts)
    fill(path, rows=5)
    return content(path)


def alike(rows: list[dict[str, Any]], some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rows with the columns of some others, in the same order as `content` has."""
    return sorted(({name: row[name] for name in some[0]} for row in rows), key=repr)


@pytest.mark.parametrize(("before", "after"), list(pairwise(REVISIONS)))
def test_each_step_is_done_as_a_whole_and_keeps_all_that_is_stored(
    database: Database, tmp_path: Path, before: str, after: str
) -> None:
    first, failing = Scripts(tmp_path, before), Scripts(tmp_path, after)
    rows = made_up(tmp_path, first.path, before)
    database.upgrade(before, first.path)
    database.add(rows)
    schema = database.described()
    failing.fail_at_the_end_of(after)
    with pytest.raises(ZeroDivisionError):
        database.upgrade(after, failing.path)
    assert (database.revision(), database.described(), database.rows(rows)) == (before, schema, rows)
    database.upgrade(NEWEST, SCRIPTS)
    assert database.revision() == NEWEST
    assert database.rows(rows) == rows


def test_both_kinds_of_database_have_the_same_schema(
    tmp_path: Path, postgres_server: PostgresServer, postgres: str
) -> None:
    file = SqliteFile(tmp_path / "migrebot.db")
    file.upgrade(NEWEST, SCRIPTS)
    ours, theirs = file.described(), PostgresDatabase(postgres_server, postgres).described()
    assert ours.keys() == theirs.keys()
    for table in ours:
        assert ours[table] == theirs[table], table


# --- schemas in words that both have -----------------------------------------------------------------------------


class Described(Struct, frozen=True, kw_only=True):
    """A table: its columns with type, whether each has to be given, and default; its keys, references and indexes.

    Of checks only the number can be told alike. `counted` columns never take the same number twice.
    """

    columns: dict[str, tuple[str, bool, str | None]]
    key: list[str]
    references: set[tuple[tuple[str, ...], str, tuple[str, ...], str]]
    indexes: set[tuple[str, tuple[str, ...], bool, str]]
    checks: int
    counted: list[str]


KINDS = {"bigint": "INTEGER", "double precision": "REAL", "text": "TEXT", "bytea": "BLOB"}
ACTIONS = {"a": "NO ACTION", "c": "CASCADE", "n": "SET NULL", "r": "RESTRICT"}


def plain(expression: str | None) -> str | None:
    """Write an expression without what one of the databases adds or leaves out."""
    return None if expression is None else " ".join(re.sub(r"::\w+|[()]", " ", expression).split())


def of_sqlite(database: sqlite3.Connection, table: str) -> Described:
    def pragma(name: str, argument: str = table) -> list[tuple[Any, ...]]:
        return database.execute(f"PRAGMA {name}({argument})").fetchall()

    def key_of(table: str) -> list[str]:
        return [row[1] for row in sorted(pragma("table_info", table), key=lambda row: int(row[5])) if row[5]]

    def sql_of(name: str) -> str:
        return str(database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0])

    references: dict[int, list[tuple[Any, ...]]] = {}
    for row in pragma("foreign_key_list"):
        references.setdefault(row[0], []).append(row)
    return Described(
        columns={row[1]: (row[2], bool(row[3] or row[5]), plain(row[4])) for row in pragma("table_info")},
        key=key_of(table),
        references={
            (
                tuple(row[3] for row in rows),
                rows[0][2],
                tuple(row[4] for row in rows) if rows[0][4] else tuple(key_of(rows[0][2])),
                rows[0][6],
            )
            for rows in references.values()
        },
        indexes={
            (
                name if origin == "c" else "",
                tuple(row[2] for row in pragma("index_info", name)),
                bool(unique),
                plain(sql_of(name).partition("WHERE")[2]) or "" if partial else "",
            )
            for _, name, unique, origin, partial in pragma("index_list")
            if origin != "pk"
        },
        checks=len(re.findall(r"\bCHECK\b", sql_of(table))),
        counted=key_of(table) if "AUTOINCREMENT" in sql_of(table) else [],
    )


def of_postgres(fetch: Any, table: str) -> Described:
    of_table = f"'migrebot.{table}'::regclass"

    def names(numbers: str, relation: str) -> str:
        return (
            f"ARRAY(SELECT attname::text FROM unnest({numbers}) WITH ORDINALITY AS part (number, place)"
            f" JOIN pg_attribute ON attrelid = {relation} AND attnum = number ORDER BY place)"
        )

    columns = fetch(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity <> ''"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        f" WHERE attrelid = {of_table} AND attnum > 0 AND NOT attisdropped"
    )
    constraints = fetch(
        f"SELECT contype::text, {names('conkey', 'conrelid')}, confrelid::regclass::text,"
        f" {names('confkey', 'confrelid')}, confdeltype::text FROM pg_constraint WHERE conrelid = {of_table}"
    )
    indexes = fetch(
        f"SELECT CASE WHEN conindid IS NULL THEN relname::text ELSE '' END, {names('indkey', 'indrelid')}, indisunique,"
        " coalesce(pg_get_expr(indpred, indrelid), '')"
        " FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " LEFT JOIN pg_constraint ON conindid = indexrelid AND contype = 'u'"
        f" WHERE indrelid = {of_table} AND NOT indisprimary"
    )
    return Described(
        columns={name: (KINDS[kind], given, plain(default)) for name, kind, given, default, _ in columns},
        key=next((key for kind, key, *_ in constraints if kind == "p"), []),
        references={
            (tuple(own), other.removeprefix("migrebot."), tuple(their), ACTIONS[action])
            for kind, own, other, their, action in constraints
            if kind == "f"
        },
        indexes={(name, tuple(parts), unique, plain(where) or "") for name, parts, unique, where in indexes},
        checks=len([kind for kind, *_ in constraints if kind == "c"]),
        counted=[name for name, *_, identity in columns if identity],
    )
