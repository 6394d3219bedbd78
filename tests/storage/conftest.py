"""The databases the contract is checked on: another one is one more line in `BACKENDS`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Protocol

import pytest

from storage.migrations.sqlite_runner import migrate
from storage.postgres import PostgresStorage
from storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.interface import Storage
    from tests.postgres import PostgresServer


class Backend(Protocol):
    """One database, empty at first, that can be opened again and again."""

    def storage(self, default_language: str = "en") -> Storage:
        """Give a storage on the database, not opened yet."""
        ...


class SqliteBackend:
    """A file; its schema is copied, since making it takes longer than most tests."""

    def __init__(self, template: Path, directory: Path) -> None:
        self.path = directory / "data" / "migrebot.db"
        self.path.parent.mkdir()
        shutil.copy(template, self.path)

    def storage(self, default_language: str = "en") -> SqliteStorage:
        return SqliteStorage(self.path, default_language=default_language)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    migrate(path)
    return path


@pytest.fixture
def sqlite_backend(sqlite_template: Path, tmp_path: Path) -> SqliteBackend:
    return SqliteBackend(sqlite_template, tmp_path)


class PostgresBackend:
    """A database of the one server, emptied for each test."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self.name = name

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def storage(self, default_language: str = "en") -> PostgresStorage:
        return PostgresStorage(self.url, default_language=default_language)


@pytest.fixture
def postgres_backend(postgres_server: PostgresServer, postgres: str) -> PostgresBackend:
    return PostgresBackend(postgres_server, postgres)


BACKENDS = ["sqlite_backend", "postgres_backend"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
async def storage(backend: Backend) -> AsyncIterator[Storage]:
    opened = backend.storage()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(sqlite_backend: SqliteBackend) -> AsyncIterator[SqliteStorage]:
    """For what only SQLite promises."""
    opened = sqlite_backend.storage()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def postgres_storage(postgres_backend: PostgresBackend) -> AsyncIterator[PostgresStorage]:
    """For what only Postgres promises."""
    opened = postgres_backend.storage()
    await opened.open()
    yield opened
    await opened.close()
