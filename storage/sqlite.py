"""The storage in one SQLite file: see `storage.interface` for what it promises."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio

from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger
from storage import work
from storage.migrations import sqlite_runner
from storage.people import People
from storage.sql_storage import SqlStorage
from storage.sqlite_file import ProcessLock
from storage.sqlite_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrebot.messages import Address
    from storage.changes import Unit
    from storage.interface import Result
    from storage.records import Conversation
    from storage.sql_storage import Found
    from storage.statements import Statements, Work

T = TypeVar("T")

STOPPING_S = 5
"""Seconds to wait for another process on the same file that may be about to stop."""

log = get_logger("storage")


class SqliteStorage(SqlStorage):
    """All that is remembered, in the file `path`.

    A person whose messenger tells no language gets `default_language`. A second process on the same file is
    refused, unless it says that it is not `alone`: so do commands that may be used beside the running program.
    """

    def __init__(self, path: Path, *, default_language: str = "en", alone: bool = True) -> None:
        super().__init__(default_language)
        self._path = path
        self._alone = alone
        self._lock = ProcessLock(path)
        self._writer = Writer(path)
        self._people = People()

    async def probe(self) -> str:
        """Tell in one line whether the file could be used; raises `UserError`."""
        return await anyio.to_thread.run_sync(sqlite_runner.probe, self._path)

    async def open(self) -> None:
        """Bring the schema up to date and get ready; raises `UserError` for whatever hinders it."""
        locked = await anyio.to_thread.run_sync(self._lock.acquire, STOPPING_S if self._alone else 0)
        if self._alone and not locked:
            raise UserError(f"{self._path} is in use by another process of this program")
        await anyio.to_thread.run_sync(partial(sqlite_runner.bring_up_to_date, self._path, locked=locked))
        try:
            await self._writer.open(checkpoints=locked)
            self._newcomers.lowest = await self._read(work.lowest_user)
        except StorageUnavailable as error:
            raise UserError(f"{self._path} cannot be opened: {error}") from error
        log.info("storage_opened", sqlite=sqlite3.sqlite_version)

    async def close(self) -> None:
        """Finish what was begun and let go of the file; nothing that was deleted remains in it."""
        await self._writer.close()
        self._lock.release()

    async def _do(self, some: Work[T]) -> T:
        return await self._writer.do(some)

    async def _scrub(self) -> None:
        await self._writer.scrub()

    # --- people, who are kept in memory --------------------------------------------------------------------------

    async def _find(self, addresses: Sequence[Address]) -> Found:
        found = self._people.at(addresses)
        missing = [address for address in addresses if address not in found]
        if not missing:
            return found, set()
        read, taken = await self._read(partial(self._read_people, missing))
        return found | read, taken

    async def _read_people(self, missing: Sequence[Address], sql: Statements) -> Found:
        found, taken = await work.find_people(missing, sql)
        self._people.learn(found.values())
        return found, taken

    async def holder(self, user_id: int) -> Conversation | None:
        """Find a user's open form and the identity it is held at."""
        known, session = self._people.session(user_id)
        if known and session is None:
            return None
        if session is not None:
            conversation = self._people.at([session.address]).get(session.address)
            if conversation is not None and conversation.user.id == user_id:
                return conversation
        return await self._read(partial(self._read_holder, user_id))

    async def _read_holder(self, user_id: int, sql: Statements) -> Conversation | None:
        conversation = await work.find_holder(user_id, sql)
        if conversation is not None:
            self._people.learn([conversation])
        return conversation

    def _follow(self, units: Sequence[Unit], results: list[Result]) -> None:
        for unit, result in zip(units, results, strict=True):
            if result.outcome == "done":
                self._people.follow(unit.changes)

    def _muted(self, addresses: list[Address]) -> None:
        self._people.forget_addresses(addresses)

    def _purged(self, more: bool) -> None:  # noqa: ARG002 - the forms of anybody may be gone
        self._people.forget_persons()
