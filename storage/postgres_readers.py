"""The connections that read, each for one caller at a time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

import anyio

from migrebot.errors import StorageUnavailable
from storage.postgres_errors import DRIVER, may_succeed_at_once, unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.postgres_link import Link
    from storage.statements import Work

T = TypeVar("T")


class PostgresReaders:
    """Reads for as many callers at a time as there are links."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = links
        self._idle = deque(links)
        self._free = anyio.Semaphore(len(links))
        self._open = False

    def open(self) -> None:
        """Take work from now on."""
        self._open = True

    async def close(self) -> None:
        """Disconnect."""
        self._open = False
        async with anyio.create_task_group() as tasks:
            for link in self._links:
                tasks.start_soon(link.close)

    async def do(self, work: Work[T]) -> T:
        """Have the work done and give its result; raises `StorageUnavailable`."""
        async with self._free:
            # The one used last: those that are not needed are not even opened.
            link = self._idle.pop()
            try:
                return await self._attempt(link, work)
            finally:
                self._idle.append(link)

    async def _attempt(self, link: Link, work: Work[T]) -> T:
        """Read, and once more if the connection was lost meanwhile."""
        if not self._open:
            raise StorageUnavailable("the storage is closed")
        try:
            return await self._execute(link, work)
        except DRIVER as error:
            if not may_succeed_at_once(error):
                raise _translated(link, error) from error
        try:
            return await self._execute(link, work)
        except DRIVER as error:
            raise _translated(link, error) from error

    async def _execute(self, link: Link, work: Work[T]) -> T:
        connection = await link.connection()
        try:
            if not work.several:
                return await work.run(link.statements(connection))
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            result = await work.run(link.statements(connection))
            await connection.execute("COMMIT")
        except BaseException:
            # Whatever state it is in; it hardly ever happens.
            link.drop()
            raise
        return result


def _translated(link: Link, error: Exception) -> Exception:
    if unavailable(error) is None:
        return RuntimeError("the storage met a fault of the program")
    return link.unavailable(error)
