"""A Postgres database as a side of a move."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from migrebot.errors import UserError
from storage.migrations import postgres_runner
from storage.migrations.runner import insist_on_newest
from storage.moving.side import BATCH, PATIENCE_S
from storage.moving.table import NOT_MOVED, Table, quoted
from storage.postgres_server import RUNNING, SCHEMA, name_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from storage.moving.table import Key, Row
    from storage.postgres_server import Connection

_TABLES = """
SELECT
    relname AS name,
    ARRAY(
        SELECT attname::text FROM pg_attribute WHERE attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        ORDER BY attname::text COLLATE "C"
    ) AS columns,
    ARRAY(
        SELECT attname::text FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS part (number, place), pg_attribute
        WHERE conrelid = tables.oid AND contype = 'p' AND attrelid = tables.oid AND attnum = number ORDER BY place
    ) AS key,
    ARRAY(
        SELECT DISTINCT others.relname::text FROM pg_constraint JOIN pg_class AS others ON others.oid = confrelid
        WHERE conrelid = tables.oid AND contype = 'f'
    ) AS refers_to,
    (SELECT attname FROM pg_attribute WHERE attrelid = tables.oid AND attidentity <> '') AS counter
FROM pg_class AS tables WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')
"""


class PostgresSide:
    """The database at the address `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._sql: Connection

    @property
    def name(self) -> str:
        """What the database is called."""
        return name_of(self._url)

    @asynccontextmanager
    async def as_source(self) -> AsyncIterator[None]:
        """Open a database that has the newest schema."""
        async with postgres_runner.session(self._url) as self._sql:
            await self._lock()
            insist_on_newest(self.name, await postgres_runner.known_revision(self._url, self._sql))
            yield

    @asynccontextmanager
    async def as_target(self) -> AsyncIterator[None]:
        """Open the database, and make its schema if need be."""
        async with postgres_runner.session(self._url) as self._sql:
            await self._lock()
            if await self.state() is None:
                await postgres_runner.bring_up_to_date(self._url)
            else:
                revision = await postgres_runner.known_revision(self._url, self._sql, unfinished=True)
                insist_on_newest(self.name, revision)
            # Rows and state are lost together: it is enough that they are on the disk when the move is finished.
            await self._sql.execute("SET synchronous_commit = off")
            yield

    async def tables(self) -> list[Table]:
        """List the tables there are to be moved."""
        return [
            Table(
                name=found["name"],
                columns=tuple(found["columns"]),
                key=tuple(found["key"]),
                refers_to=frozenset(found["refers_to"]),
                counter=found["counter"],
            )
            for found in await self._sql.fetch(_TABLES, SCHEMA)
            if found["name"] not in NOT_MOVED
        ]

    async def count(self, table: Table) -> int:
        """Count the rows of a table."""
        return int(await self._sql.fetchval(f"SELECT count(*) FROM {quoted(table.name)}"))

    async def batches(self, table: Table, after: Key = ()) -> AsyncGenerator[Sequence[Row], None]:
        """Give the rows of a table in the order of their keys."""
        key = quoted(*table.key)
        places = ", ".join(f"${number}" for number in range(1, len(after) + 1))
        behind = f"WHERE ({key}) > ({places})" if after else ""
        select = f"SELECT {quoted(*table.columns)} FROM {quoted(table.name)} {behind} ORDER BY {key}"
        async with self._sql.transaction(readonly=True):
            found = await self._sql.cursor(select, *after)
            while batch := await found.fetch(BATCH):
                yield [tuple(row) for row in batch]

    async def last_number(self, table: Table) -> int:
        """Tell the highest number that the table's counter ever gave out."""
        sequence = "pg_get_serial_sequence($1, $2)::regclass"
        return int(
            await self._sql.fetchval(f"SELECT pg_sequence_last_value({sequence})", table.name, table.counter) or 0
        )

    async def state(self) -> str | None:
        """Give what was noted last of an unfinished move to this database."""
        if not await self._sql.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{SCHEMA}.moving"):
            return None
        return str(await self._sql.fetchval("SELECT state FROM moving"))

    async def begin(self, tables: Sequence[Table], state: str) -> None:
        """Delete all rows and note that a move began."""
        async with self._sql.transaction():
            await self._sql.execute(f"TRUNCATE {quoted(*(table.name for table in tables))}")
            await self._sql.execute("CREATE TABLE IF NOT EXISTS moving (state TEXT NOT NULL)")
            await self._sql.execute("DELETE FROM moving")
            await self._sql.execute("INSERT INTO moving (state) VALUES ($1)", state)

    async def write(self, table: Table, rows: Sequence[Row], state: str) -> None:
        """Add rows and note the state."""
        async with self._sql.transaction():
            await self.add(table, rows)
            await self.note(state)

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows."""
        try:
            await self._sql.copy_records_to_table(table.name, schema_name=SCHEMA, columns=table.columns, records=rows)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.exceptions.DataError) as error:
            # Not the words of the error: they quote the row.
            raise UserError(f"{self.name} does not take a row of {table.name}") from error

    async def settle(self) -> None:
        """Let each transaction reach the disk from now on, and those before along with the next."""
        await self._sql.execute("SET synchronous_commit = on")

    async def note(self, state: str) -> None:
        """Note the state alone."""
        await self._sql.execute("UPDATE moving SET state = $1", state)

    async def finish(self, numbers: dict[Table, int]) -> None:
        """Let the counters go on behind these numbers, and note that the move is finished."""
        async with self._sql.transaction():
            for table, number in numbers.items():
                sequence = await self._sql.fetchval("SELECT pg_get_serial_sequence($1, $2)", table.name, table.counter)
                # What is given out first is 1; a sequence cannot be told that 0 was the last.
                await self._sql.execute("SELECT setval($1, $2, $3)", sequence, max(number, 1), number > 0)
            await self._sql.execute("DROP TABLE moving")

    async def _lock(self) -> None:
        async with self._sql.transaction():
            await self._sql.execute(f"SET LOCAL lock_timeout = '{PATIENCE_S}s'")
            try:
                await self._sql.execute("SELECT pg_advisory_lock($1)", RUNNING)
            except asyncpg.LockNotAvailableError as error:
                raise UserError(
                    f"{self.name} is in use by another process of this program: stop that one first"
                ) from error
