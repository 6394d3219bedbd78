"""The storage in one SQLite file: see `storage.interface` for what it promises."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger
from migrebot.messages import FormExpired
from storage import columns, migrations, rows, sqlite_work
from storage.answering import question
from storage.applying import Foreign, prepare, settling
from storage.changes import EraseUser
from storage.interface import Result
from storage.newcomers import Newcomers, telegram_id
from storage.people import People
from storage.sqlite_file import ProcessLock
from storage.sqlite_writer import Statements, Work, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from migrebot.messages import Address, Channel, Profile, Ticket
    from storage.applying import PreparedUnit
    from storage.changes import Unit
    from storage.facts import Fact
    from storage.interface import Retention, Settlement
    from storage.records import Conversation, InboxKey, OutboxRow

T = TypeVar("T")

STOPPING_S = 5
"""Seconds to wait for another process on the same file that may be about to stop."""

log = get_logger("storage")


class SqliteStorage:
    """All that is remembered, in the file `path`.

    A person whose messenger tells no language gets `default_language`. A second process on the same file is
    refused, unless it says that it is not `alone`: so do commands that may be used beside the running program.
    """

    def __init__(self, path: Path, *, default_language: str = "en", alone: bool = True) -> None:
        self._path = path
        self._alone = alone
        self._lock = ProcessLock(path)
        self._writer = Writer(path)
        self._people = People()
        self._newcomers = Newcomers(default_language)

    async def probe(self) -> str:
        """Tell in one line whether the file could be used; raises `UserError`."""
        return await anyio.to_thread.run_sync(migrations.probe, self._path)

    async def open(self) -> None:
        """Bring the schema up to date and get ready; raises `UserError` for whatever hinders it."""
        locked = await anyio.to_thread.run_sync(self._lock.acquire, STOPPING_S if self._alone else 0)
        if self._alone and not locked:
            raise UserError(f"{self._path} is in use by another process of this program")
        await anyio.to_thread.run_sync(partial(migrations.bring_up_to_date, self._path, locked=locked))
        try:
            await self._writer.open(checkpoints=locked)
            self._newcomers.lowest = await self._read(sqlite_work.lowest_user)
        except StorageUnavailable as error:
            raise UserError(f"{self._path} cannot be opened: {error}") from error
        log.info("storage_opened", sqlite=sqlite3.sqlite_version)

    async def close(self) -> None:
        """Finish what was begun and let go of the file; nothing that was deleted remains in it."""
        await self._writer.close()
        self._lock.release()

    async def begin_run(self) -> bool:
        """Note that the program runs; tell whether the run before ended cleanly."""
        return await self._write(sqlite_work.begin_run)

    async def end_run(self) -> None:
        """Note that the run ended cleanly."""
        await self._write(lambda sql: sql("end_run").rowcount)

    # --- people and forms ----------------------------------------------------------------------------------------

    async def who(self, addresses: Sequence[tuple[Address, Profile]], now: datetime) -> list[Conversation]:
        """Find who writes from each address, in order; one not known yet yields a new user."""
        wanted = {address for address, _ in addresses}
        found = self._people.at(wanted)
        taken: set[int] = set()
        if missing := [address for address in wanted if address not in found]:
            read, taken = await self._read(partial(self._read_people, missing))
            found |= read
        conversations = []
        for address, profile in addresses:
            if address not in found:
                user_id = telegram_id(address)
                new_id = None if user_id in taken else user_id
                found[address] = self._newcomers.meet(address, profile, now, new_id)
            conversations.append(found[address])
        return conversations

    def _read_people(self, missing: list[Address], sql: Statements) -> tuple[dict[Address, Conversation], set[int]]:
        found, taken = sqlite_work.find_people(missing, sql)
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

    def _read_holder(self, user_id: int, sql: Statements) -> Conversation | None:
        conversation = sqlite_work.find_holder(user_id, sql)
        if conversation is not None:
            self._people.learn([conversation])
        return conversation

    async def latest_address(self, channel: Channel) -> Address | None:
        """Tell the address of a channel that was seen last."""
        found = await self._read(lambda sql: sql("latest_identity", (channel,)).fetchall())
        return rows.identity(found[0]).address if found else None

    async def next_expiry(self) -> datetime | None:
        """Tell when the first open form expires."""
        first = await self._read(lambda sql: sql("next_expiry").fetchall()[0][0])
        return None if first is None else columns.instant(first)

    async def expired(self, now: datetime, limit: int) -> list[FormExpired]:
        """List forms that have expired, the oldest first."""
        found = await self._read(lambda sql: sql("expired", (columns.micros(now), limit)).fetchall())
        return [FormExpired(user_id=user_id, token=token) for user_id, token in found]

    # --- messages in, and all they change ------------------------------------------------------------------------

    async def handled(self, keys: Sequence[InboxKey]) -> set[InboxKey]:
        """Tell which of these were handled or set aside before."""
        return await self._read(partial(sqlite_work.handled, keys))

    async def attempt(self, key: InboxKey, now: datetime) -> int:
        """Count an attempt at handling this message durably; returns the count, from 1."""
        return await self._write(partial(sqlite_work.attempt, key, columns.micros(now)))

    async def load(self, facts: Iterable[Fact[Any]]) -> dict[Fact[Any], Any]:
        """Answer each question."""
        questions = {fact: question(fact) for fact in facts}
        return await self._read(partial(sqlite_work.answer, questions))

    async def commit(self, units: Sequence[Unit], now: datetime) -> list[Result]:
        """Store the units in one transaction, each all or nothing, in order; one result each."""
        # What values look like is worked out here: a unit that cannot be stored raises where it came from.
        prepared = [_prepared(unit, columns.micros(now)) for unit in units]
        follow = partial(self._follow, units)
        results: list[Result] = await self._write(partial(sqlite_work.store, prepared), follow)
        if any(type(change) is EraseUser for unit in units for change in unit.changes):
            await self._writer.scrub()
        return results

    def _follow(self, units: Sequence[Unit], results: list[Result]) -> None:
        for unit, result in zip(units, results, strict=True):
            if result.outcome == "done":
                self._people.follow(unit.changes)

    # --- messages out --------------------------------------------------------------------------------------------

    async def recover(self, now: datetime) -> list[Ticket]:
        """Settle what an unclean stop left in the middle of sending, then list all that waits."""
        return await self._write(partial(sqlite_work.recover, columns.micros(now)))

    async def claim(self, ids: Sequence[int], now: datetime) -> list[OutboxRow]:
        """Mark these waiting messages as being sent and give them."""
        return await self._write(partial(sqlite_work.claim, ids, columns.micros(now)))

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """Note what became of claimed messages."""
        moment = columns.micros(now)
        statements = [statement for settlement in settlements for statement in settling(settlement, moment)]
        await self._write(partial(sqlite_work.settle, statements), self._people.forget_addresses)

    # --- housekeeping --------------------------------------------------------------------------------------------

    async def purge(self, retention: Retention) -> None:
        """Delete what is no longer needed, in several short transactions."""
        some = partial(sqlite_work.purge_some, retention)
        while await self._write(some, lambda _: self._people.forget_persons()):
            pass
        await self._writer.scrub()

    async def _read(self, run: Callable[[Statements], T]) -> T:
        return await self._writer.do(Work(run, writes=False))

    async def _write(self, run: Callable[[Statements], T], committed: Callable[[T], object] | None = None) -> T:
        return await self._writer.do(Work(run, writes=True, committed=committed))


def _prepared(unit: Unit, now: int) -> PreparedUnit | Result:
    try:
        return prepare(unit, now)
    except Foreign as error:
        return Result(outcome="failed", error=str(error))
