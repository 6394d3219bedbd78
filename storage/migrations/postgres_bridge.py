"""Lets Alembic, which calls its driver and waits, speak by asyncpg: from a thread beside the loop of the connection.

SQLAlchemy's own way to asyncpg takes greenlets, one more compiled library for the sake of a few statements a year. This
is the part of PEP 249 that SQLAlchemy needs for them.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio.from_thread
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Engine

    from storage.postgres_server import Connection


def engine_on(connection: Connection) -> Engine:
    """Give an engine that uses this connection, from a worker thread of its event loop."""
    registry.register("postgresql.bridge", __name__, "Dialect")
    return create_engine("postgresql+bridge://", creator=lambda: _Connection(connection), poolclass=NullPool)


class Dialect(PGDialect):
    """SQLAlchemy's Postgres, with the placeholders of asyncpg."""

    driver = "bridge"
    default_paramstyle = "numeric_dollar"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """Give what SQLAlchemy asks the module of a driver for; errors of asyncpg pass through it as they are."""
        return SimpleNamespace(paramstyle=cls.default_paramstyle, Error=_NoError)


class _NoError(Exception):
    pass


class _Connection:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def close(self) -> None:
        """Whoever opened the connection closes it."""

    def _end(self, how: str) -> None:
        if self._connection.is_in_transaction():
            anyio.from_thread.run(self._connection.execute, how)


class _Cursor:
    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        anyio.from_thread.run(self._execute, sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        for values in rows:
            self.execute(sql, values)

    async def _execute(self, sql: str, values: Sequence[Any]) -> None:
        if not self._connection.is_in_transaction():
            await self._connection.execute("BEGIN")
        statement = await self._connection.prepare(sql)
        self._rows = [tuple(row) for row in await statement.fetch(*values)]
        columns = statement.get_attributes()
        self.description = [(column.name, *[None] * 6) for column in columns] if columns else None
        # The last word of the server's answer is the number of rows, if there is one: UPDATE 3.
        count = statement.get_statusmsg().rpartition(" ")[2]
        self.rowcount = int(count) if count.isdigit() else -1

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = arraysize) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.fetchmany(len(self._rows))

    def close(self) -> None:
        self._rows = []
