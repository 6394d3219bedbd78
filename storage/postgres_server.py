"""How a Postgres server is reached, and what every connection of ours to it has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from migrebot.errors import UserError
from storage import postgres_errors

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection

SCHEMA = "migrebot"
"""All that is ours stands in it: the original bot has tables of the same names in `public`."""

OLDEST_POSTGRES = 130000
"""The first version that is tried, as `server_version_num` tells it."""

CONNECTING_S = 10
"""Seconds within which a server has to take a connection."""

STATEMENTS = 500
"""How many statements stay prepared: more than there are."""

MIGRATING = int.from_bytes(b"migrebot", "big")
"""The advisory lock of the one process that changes the schema."""

RUNNING = MIGRATING + 1
"""The advisory lock that every running process holds, shared; who needs the database for itself takes it alone."""

# Whatever the server or the role has as its own defaults: the schema, so that nothing in `public` is ever touched, and
# the zone and the forms in which values are written, so that they read the same everywhere.
SETTINGS = {
    "application_name": "migrebot",
    "search_path": SCHEMA,
    "timezone": "UTC",
    "datestyle": "ISO",
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
}


async def connect(url: str, settings: dict[str, str], *, answer_within_s: float | None = None) -> Connection:
    """Open a connection with our settings and these; raises what asyncpg does."""
    connection: Connection = await asyncpg.connect(
        url,
        timeout=CONNECTING_S,
        command_timeout=answer_within_s,
        server_settings=SETTINGS | settings,
        statement_cache_size=STATEMENTS,
        max_cached_statement_lifetime=0,
    )
    return connection


def name_of(url: str) -> str:
    """Give the address as it may be shown: without the login and the options."""
    parts = urlsplit(url)
    host = unquote(parts.netloc.rpartition("@")[2]) or ",".join(parse_qs(parts.query).get("host", []))
    database = parts.path.strip("/") or parts.username or ""
    return f"postgresql://{host}/{database}"


async def connect_or_explain(url: str, **settings: str) -> Connection:
    """Open a connection that is fit for use; raises `UserError` for whatever hinders it."""
    try:
        connection = await connect(url, settings)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise explained(url, error) from error
    try:
        _insist_on_fitness(url, connection)
    except UserError:
        await close(connection)
        raise
    return connection


async def close(connection: Connection) -> None:
    """Close it, and wait no longer for a server that does not answer than for one that does not take a connection."""
    try:
        await connection.close(timeout=CONNECTING_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


def explained(url: str, error: Exception) -> UserError:
    """Give the one line on an error of the server; an error of the program is raised as it is."""
    words = postgres_errors.reason(error)
    if words is None:
        raise error
    return UserError(f"{name_of(url)} cannot be used: {words}")


def _insist_on_fitness(url: str, connection: Connection) -> None:
    settings, version = connection.get_settings(), connection.get_server_version()
    if version.major * 10_000 < OLDEST_POSTGRES:
        raise UserError(f"{name_of(url)}: PostgreSQL {version.major} is too old: 13 or newer is needed")
    if settings.server_encoding != "UTF8":
        raise UserError(f"{name_of(url)}: its encoding is {settings.server_encoding}, UTF8 is needed")
