"""The connection that is there as long as the process is: it holds its locks, and notices when the server is not there.

By its lock other processes know that this one lives and what it claimed is being sent.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger
from storage.postgres_errors import DRIVER
from storage.postgres_link import CLOSING_S
from storage.postgres_server import RUNNING

if TYPE_CHECKING:
    from storage.postgres_link import Link
    from storage.postgres_server import Connection

LOOK_EVERY_S = 3.0
"""Seconds between two looks at a server that was there."""

LOOK_AGAIN_S = 0.5
"""Seconds between two looks at one that was not."""

PROCESS = int.from_bytes(b"mgbt", "big")
"""The class of the locks by which processes are known, each by its number; `interrupted` looks for them."""

_LOCK = "SELECT pg_try_advisory_lock_shared($1), pg_try_advisory_lock($2, $3)"

# What processes left that were killed.
_TIDY = """
DELETE FROM meta WHERE name LIKE 'writer %' AND NOT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND classid = $1::bigint AND objsubid = 2 AND name = 'writer ' || objid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""

_LEAVE = "DELETE FROM meta WHERE name = $1"

log = get_logger("storage")


def row_of(process: int) -> str:
    """Name the row in which a process keeps the number of its last transaction."""
    return f"writer {process}"


class PostgresKeeper:
    """Keeps the locks of process number `process`, from `open` to `close`."""

    def __init__(self, link: Link, process: int) -> None:
        self._link = link
        self._process = process
        self._locked: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take the locks; raises `StorageUnavailable`, and `UserError` if somebody needs the database alone."""
        await self._look()
        await (await self._link.connection()).execute(_TIDY, PROCESS)
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Let go of the locks."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._link.is_open:
            with anyio.move_on_after(CLOSING_S), suppress(StorageUnavailable, *DRIVER):
                await (await self._link.connection()).execute(_LEAVE, row_of(self._process))
        await self._link.close()

    async def _keep(self) -> None:
        pause = LOOK_EVERY_S
        while True:
            await anyio.sleep(pause)
            try:
                await self._look()
                pause = LOOK_EVERY_S
            except (StorageUnavailable, UserError):
                pause = LOOK_AGAIN_S

    async def _look(self) -> None:
        connection = await self._link.connection()
        try:
            if self._locked is not connection:
                await self._lock(connection)
            await connection.execute("SELECT 1")
        except DRIVER as error:
            raise self._link.unavailable(error) from error
        self._link.works()

    async def _lock(self, connection: Connection) -> None:
        [(running, _)] = await connection.fetch(_LOCK, RUNNING, PROCESS, self._process)
        if not running:
            raise UserError("another process needs the database for itself")
        self._locked = connection
