"""Named SQL executed on a connection to Postgres: see `storage.statements` for what it promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage import postgres_sql
from storage.postgres_errors import UNSTORABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.columns import Row
    from storage.postgres_server import Connection


class ParameterTypes:
    """What types the parameters of named SQL have, as the server told when it was asked first; good for all."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    async def of(self, name: str, connection: Connection) -> tuple[str, ...]:
        """Tell the types of a block's parameters."""
        if name not in self._known:
            prepared = await connection.prepare(postgres_sql.single(name))
            self._known[name] = tuple(parameter.name for parameter in prepared.get_parameters())
        return self._known[name]


class PostgresStatements:
    """Executes named SQL on one connection; asyncpg keeps the statements prepared."""

    unstorable: tuple[type[Exception], ...] = UNSTORABLE

    def __init__(self, connection: Connection, types: ParameterTypes) -> None:
        self.with_savepoints = False
        self._connection = connection
        self._types = types

    def told(self, error: Exception) -> str:
        """Name the error and the constraint: the server's text and asyncpg's both quote values."""
        constraint = getattr(error, "constraint_name", None)
        return f"{type(error).__name__}: {constraint}" if constraint else type(error).__name__

    async def fetch(self, name: str, values: Row = ()) -> list[Row]:
        """Execute and give what was found."""
        found: list[Row] = await self._connection.fetch(postgres_sql.single(name), *values)
        return found

    async def execute(self, name: str, values: Row = ()) -> int:
        """Execute and tell how many rows were touched."""
        return _count(await self._connection.execute(postgres_sql.single(name), *values))

    async def fetch_each(self, name: str, values: Sequence[Row]) -> list[list[Row]]:
        """Give what is found for each of these values, in one way to the server and back."""
        if len(values) < 2:
            return [await self.fetch(name, each) for each in values]
        sql = postgres_sql.for_each(name, await self._types.of(name, self._connection))
        if sql is None:
            return [await self.fetch(name, each) for each in values]
        answers: list[list[Row]] = [[] for _ in values]
        for row in await self._connection.fetch(sql, *_columns(values)):
            answers[row[0] - 1].append(row[1:])
        return answers

    async def fetch_many(self, name: str, values: Sequence[Row]) -> list[Row]:
        """Execute for many rows and give what was found."""
        found: list[Row] = await self._connection.fetch(*await self._of_many(name, values)) if values else []
        return found

    async def execute_many(self, name: str, values: Sequence[Row]) -> int:
        """Execute for many rows; tells how many were touched."""
        return _count(await self._connection.execute(*await self._of_many(name, values))) if values else 0

    async def insert(self, name: str, values: Sequence[Row]) -> list[int]:
        """Add rows and give their ids, which the server numbers in the order of the rows."""
        if not values:
            return []
        sql, *arrays = await self._of_many(name, values)
        return [row[0] for row in await self._connection.fetch(f"{sql} RETURNING id", *arrays)]

    async def plain(self, sql: str) -> None:
        """Execute SQL that has no name: what steers transactions."""
        await self._connection.execute(sql)

    async def _of_many(self, name: str, values: Sequence[Row]) -> list[Any]:
        return [postgres_sql.for_rows(name, await self._types.of(name, self._connection)), *_columns(values)]


def _columns(values: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*values, strict=True)]


def _count(status: str) -> int:
    """Read what a statement says of itself when it is done, as `INSERT 0 5` or `UPDATE 5`."""
    return int(status.rpartition(" ")[2])
