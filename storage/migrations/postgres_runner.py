"""Brings a Postgres database to the newest schema, before anybody uses it; all of it is in the schema `migrebot`.

Like SQLite's, only that a lock of the server keeps processes that start together from doing it twice.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio.to_thread
import asyncpg

from migrebot.errors import UserError
from migrebot.logs import get_logger
from storage.migrations.runner import NEWEST, SCRIPTS, UNFINISHED, outcome, refuse_newer, refuse_unfinished
from storage.postgres_server import MIGRATING, SCHEMA, close, connect_or_explain, explained, name_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.postgres_server import Connection

# One row of yes, no and names; reading the revision itself has to wait until its table is known to be there.
_LOOK = """
SELECT
    to_regclass($1 || '.alembic_version') IS NOT NULL AND to_regclass($1 || '.users') IS NOT NULL AS ours,
    to_regclass($1 || '.' || $2) IS NOT NULL AS unfinished,
    EXISTS (SELECT FROM pg_tables WHERE schemaname = $1) AS used,
    to_regnamespace($1) IS NOT NULL AS made,
    has_database_privilege(current_database(), 'CREATE') AS may_make,
    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean AS read_only
"""

log = get_logger("storage")


async def migrate(url: str) -> str:
    """Bring the schema to the newest revision; returns one line on what was done, raises `UserError`."""
    return outcome(name_of(url), await bring_up_to_date(url))


async def probe(url: str) -> str:
    """Tell in one line whether the database could be used, without changing it; raises `UserError`."""
    async with session(url) as connection:
        version = connection.get_settings().server_version.split()[0]
        stored = await known_revision(url, connection)
    schema = f"schema {stored or 'empty'}" + (f", will be {NEWEST}" if stored != NEWEST else "")
    return f"PostgreSQL {version}, {name_of(url)}, {schema}"


async def bring_up_to_date(url: str, *, newest: str = NEWEST, scripts: Path = SCRIPTS) -> str | None:
    """Do so and tell what the revision was before (None: there was no schema); raises `UserError`."""
    async with session(url) as connection:
        stored = await known_revision(url, connection, newest, scripts)
        if stored == newest:
            return stored
        async with _alone(connection):
            # Another process may have done it meanwhile.
            stored = await known_revision(url, connection, newest, scripts)
            if stored != newest:
                await _upgrade(connection, stored, scripts)
                log.info("schema_migrated", before=stored or "none", now=newest)
    return stored


@asynccontextmanager
async def session(url: str) -> AsyncIterator[Connection]:
    """Open a patient connection and close it in the end; raises `UserError` for what the server has to say."""
    # Patient, whatever the role is told to be: a large table takes its time.
    connection = await connect_or_explain(url, statement_timeout="0", lock_timeout="0")
    try:
        yield connection
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise explained(url, error) from error
    finally:
        await close(connection)


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", MIGRATING):
        log.info("schema_migration_awaited")
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATING)
    # The end of the connection lets go of it.
    yield


async def known_revision(
    url: str, connection: Connection, newest: str = NEWEST, scripts: Path = SCRIPTS, *, unfinished: bool = False
) -> str | None:
    """Tell the revision of the schema, None without one; raises `UserError`.

    A copy that a move left unfinished is refused, unless just that is expected.
    """
    found = await connection.fetchrow(_LOOK, SCHEMA, UNFINISHED)
    if found["read_only"]:
        raise UserError(f"{name_of(url)} cannot be used: it is read-only")
    if found["used"] and not found["ours"]:
        raise UserError(f"{name_of(url)}: its schema {SCHEMA} is of another program")
    if not found["made"] and not found["may_make"]:
        raise UserError(f"{name_of(url)}: there is no schema {SCHEMA}, and this login may not make one")
    if found["unfinished"] and not unfinished:
        refuse_unfinished(name_of(url))
    if not found["ours"]:
        return None
    stored = str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    refuse_newer(name_of(url), stored, newest, scripts)
    return stored


async def _upgrade(connection: Connection, stored: str | None, scripts: Path) -> None:
    if stored is None and not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", SCHEMA):
        # Not IF NOT EXISTS: that needs the right to make one even if there is one.
        await connection.execute(f"CREATE SCHEMA {SCHEMA}")
    await anyio.to_thread.run_sync(_run_alembic, connection, scripts)


def _run_alembic(connection: Connection, scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config

    from storage.migrations.postgres_bridge import engine_on

    with engine_on(connection).connect() as bridge:
        config = Config(attributes={"connection": bridge, "schema": SCHEMA})
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        command.upgrade(config, "head")
