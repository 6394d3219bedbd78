"""The named SQL on Postgres: all of it can be prepared there, and the few blocks of its own fit in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage import postgres_sql
from storage.postgres_keeper import PROCESS
from storage.postgres_server import connect
from storage.queries import VALUES, named_sql, only_for_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.postgres_server import Connection
    from tests.storage.conftest import PostgresBackend


@pytest.fixture
async def connection(postgres_backend: PostgresBackend) -> AsyncIterator[Connection]:
    opened = await connect(postgres_backend.url, {})
    yield opened
    await opened.close()


async def types_of(name: str, connection: Connection) -> tuple[str, ...]:
    prepared = await connection.prepare(postgres_sql.single(name))
    return tuple(parameter.name for parameter in prepared.get_parameters())


def test_the_blocks_that_postgres_cannot_share_are_these_and_take_the_same_parameters() -> None:
    assert set(only_for_postgres()) == {"sendable", "interrupted"}
    for name, sql in only_for_postgres().items():
        assert sql.count("?") == named_sql()[name].count("?")
        assert sql.partition("FROM")[0] == named_sql()[name].partition("FROM")[0], "the same columns"


async def test_postgres_takes_every_block_and_knows_what_its_parameters_are(connection: Connection) -> None:
    failed = {}
    for name in named_sql():
        try:
            types = await types_of(name, connection)
        except Exception as error:  # noqa: BLE001 - all of them are to be told together
            failed[name] = f"{error}: is a CAST(? AS BIGINT) missing?"
        else:
            assert set(types) <= {"int8", "float8", "text", "bytea", "int4"}, name
    assert not failed


async def test_postgres_takes_every_block_for_many_rows_that_is_made_for_them(connection: Connection) -> None:
    made = [name for name, sql in named_sql().items() if VALUES.search(sql) and "?" in VALUES.findall(sql)[0]]
    assert len(made) > 10
    for name in made:
        values = VALUES.findall(named_sql()[name])[0]
        if values.count("?") == named_sql()[name].count("?"):
            await connection.prepare(postgres_sql.for_rows(name, await types_of(name, connection)))


async def test_postgres_takes_every_query_for_many_people_at_once(connection: Connection) -> None:
    for name, sql in named_sql().items():
        if sql.startswith("SELECT") and "?" in sql and not VALUES.search(sql):
            each = postgres_sql.for_each(name, await types_of(name, connection))
            if each is not None:
                await connection.prepare(each)


def test_values_for_many_rows_travel_as_one_array_for_each_column() -> None:
    assert postgres_sql.single("clear_free").endswith("IN (VALUES (CAST($1 AS BIGINT), $2))")
    assert postgres_sql.for_rows("clear_free", ("int8", "text")).endswith(
        "IN (SELECT CAST(given.v1 AS BIGINT) AS column1, given.v2 AS column2 "
        "FROM unnest($1::int8[], $2::text[]) AS given (v1, v2))"
    )
    with pytest.raises(ValueError, match="free_days is not made for many rows"):
        postgres_sql.for_rows("free_days", ("int8",))


def test_a_query_that_takes_no_column_is_not_asked_for_many_at_once() -> None:
    assert postgres_sql.for_each("expired", ("int8", "int8")) is None


def test_the_locks_by_which_processes_are_known_are_those_that_are_looked_for() -> None:
    assert f"classid = {PROCESS} " in only_for_postgres()["interrupted"]
