"""The way to a server as it can be: a TCP proxy that breaks, stands still or loses what is on its way, when told to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Moment = Literal["before", "after", "unnoticed"]


class Cable:
    """Passes on what comes, from `port` to the server's.

    `is_down` refuses connections; `flows` is cleared to let everything stand still.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._word = b""
        self._moment: Moment = "before"
        self._cut_at_answer = False
        self.port = 0
        self.cuts = 0
        self.is_down = False
        self.flows = asyncio.Event()
        self.flows.set()

    def cut(self) -> None:
        """Break all connections."""
        self.cuts += 1
        for end in self._ends - self._forgotten:
            end.transport.abort()

    def repair(self) -> None:
        """Let the server notice what it had not."""
        for end in self._forgotten:
            end.transport.abort()
        self._forgotten.clear()

    def cut_at(self, word: bytes, moment: Moment) -> None:
        """Break all connections once the word comes by: before it reaches the server, or after its answer has left it.

        "unnoticed" is before, and the server is not told either that there is nobody any more at the other end.
        """
        self._word, self._moment = word, moment

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        there, onwards = await asyncio.open_connection("127.0.0.1", self._target)
        ends = {writer, onwards}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, onwards))
                tasks.create_task(self._pass_back(there, writer))
        except* (OSError, RuntimeError):
            pass  # one of them is gone, as it may be; uvloop says so in either way
        finally:
            self._ends -= ends
            for end in ends - self._forgotten:
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self.flows.wait()
            if self._word and self._word in data:
                self._word = b""
                if self._moment == "unnoticed":
                    self._forgotten.add(writer)
                if self._moment != "after":
                    self.cut()
                    return
                self._cut_at_answer = True
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self.flows.wait()
            if self._cut_at_answer:
                self._cut_at_answer = False
                self.cut()
                return
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


@asynccontextmanager
async def laid_to(target: int) -> AsyncIterator[Cable]:
    """Lay a cable to a port of this machine."""
    cable = Cable(target)
    server = await asyncio.start_server(cable._connected, "127.0.0.1", 0)
    cable.port = server.sockets[0].getsockname()[1]
    try:
        yield cable
    finally:
        server.close()
        cable.repair()
        cable.cut()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 5)
