"""The databases that the program is killed on, as the tests look into them afterwards."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import PostgresServer

Rows = list[tuple[Any, ...]]


class Database(Protocol):
    """Where a program stores; `settings` tell it so."""

    settings: dict[str, str]

    def ask(self, sql: str) -> Rows:
        """Give the rows that a query finds."""
        ...

    def is_sound(self) -> bool:
        """Tell whether the database itself finds nothing wrong with it."""
        ...


class SqliteFile:
    """The file that a program makes in its directory."""

    def __init__(self, directory: Path) -> None:
        self.settings: dict[str, str] = {}
        self._file = directory / "data" / "migrebot.db"

    def ask(self, sql: str) -> Rows:
        """Give the rows that a query finds."""
        with closing(sqlite3.connect(self._file)) as database:
            return database.execute(sql).fetchall()

    def is_sound(self) -> bool:
        """Check each page and each index."""
        return self.ask("PRAGMA integrity_check") == [("ok",)]


class PostgresDatabase:
    """A database of a server; `server` can be killed."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server = server
        self.settings = {"MIGREBOT_STORAGE_URL": server.url(name)}
        self._name = name

    def ask(self, sql: str) -> Rows:
        """Give the rows that a query finds."""
        with self.server.connected(self._name) as link:
            link.execute("SET search_path = migrebot")
            return link.fetch(sql)

    def is_sound(self) -> bool:
        """Look at each row: what is damaged cannot be read."""
        tables = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'migrebot'")
        return all(self.ask(f"SELECT count(t::text) FROM {table} AS t") for (table,) in tables)
