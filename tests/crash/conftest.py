"""The same program and the same fake Telegram as in the end-to-end tests, over each of the databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.databases import Database, PostgresDatabase, SqliteFile
from tests.e2e.conftest import for_telegram, telegram
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.telegram import RemoteFakeTelegram
    from tests.postgres import PostgresServer

__all__ = ["telegram"]


@pytest.fixture
def sqlite_file(tmp_path: Path) -> SqliteFile:
    return SqliteFile(tmp_path)


@pytest.fixture
def postgres_database(postgres_server: PostgresServer, postgres: str) -> PostgresDatabase:
    return PostgresDatabase(postgres_server, postgres)


@pytest.fixture(params=["sqlite_file", "postgres_database"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each of the databases."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def program(tmp_path: Path, telegram: RemoteFakeTelegram, database: Database) -> Iterator[Program]:
    """The program with a Telegram token, not started yet."""
    program = Program(tmp_path, **for_telegram(telegram), **database.settings)
    yield program
    program.__exit__()
