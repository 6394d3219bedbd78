"""The storage in a Postgres database: see `storage.interface` for what it promises.

Nothing is kept in memory from one call to the next: other processes may write too.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio

from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger
from storage import work
from storage.interface import Postponed
from storage.migrations import postgres_runner
from storage.postgres_keeper import PostgresKeeper, row_of
from storage.postgres_link import Link
from storage.postgres_readers import PostgresReaders
from storage.postgres_server import name_of
from storage.postgres_statements import ParameterTypes
from storage.postgres_writer import PostgresWriter
from storage.sql_storage import SqlStorage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.changes import Unit
    from storage.interface import Result
    from storage.records import InboxKey, OutboxRow
    from storage.statements import Work

T = TypeVar("T")

FEWEST_CONNECTIONS = 3
"""One that keeps the locks, one that writes, one that reads."""

log = get_logger("storage")


class PostgresStorage(SqlStorage):
    """All that is remembered, in the database at `url`, by at most so many `connections`.

    A person whose messenger tells no language gets `default_language`.
    """

    def __init__(self, url: str, *, connections: int = FEWEST_CONNECTIONS, default_language: str = "en") -> None:
        super().__init__(default_language)
        self._url = url
        self._trouble: StorageUnavailable | None = None
        self._claimant = secrets.randbelow(2**31)
        types = ParameterTypes()
        links = [Link(url, types, self._notice) for _ in range(max(connections, FEWEST_CONNECTIONS))]
        self._keeper = PostgresKeeper(links[0], self._claimant)
        self._writer = PostgresWriter(links[1], row_of(self._claimant))
        self._readers = PostgresReaders(links[2:])
        self._unheard_results: dict[InboxKey, Result] = {}
        self._unheard_claims: list[int] = []

    @property
    def trouble(self) -> str:
        """Why the database does not work, as of the last use or look."""
        return "" if self._trouble is None else str(self._trouble)

    async def probe(self) -> str:
        """Tell in one line whether the database could be used; raises `UserError`."""
        return await postgres_runner.probe(self._url)

    async def open(self) -> None:
        """Bring the schema up to date and get ready; raises `UserError` for whatever hinders it."""
        await postgres_runner.bring_up_to_date(self._url)
        try:
            await self._keeper.open()
        except (StorageUnavailable, UserError) as error:
            raise UserError(f"{name_of(self._url)} cannot be used: {error}") from error
        self._writer.open()
        self._readers.open()
        log.info("storage_opened", database=name_of(self._url))

    async def close(self) -> None:
        """Finish what was begun and disconnect."""
        with anyio.CancelScope(shield=True):
            await self._writer.close()
            await self._readers.close()
            await self._keeper.close()

    async def _do(self, some: Work[T]) -> T:
        return await self._writer.do(some) if some.writes else await self._readers.do(some)

    async def _expect_newcomers(self, count: int) -> None:
        self._newcomers.lowest = await self._write(partial(work.promise_newcomers, count))

    def _notice(self, error: StorageUnavailable | None) -> None:
        if (error is None) != (self._trouble is None):
            log.warning("database_out", reason=str(error)) if error else log.info("database_back")
        self._trouble = error

    # --- what was stored though it had to be said that it was not --------------------------------------------------

    def _stored_unheard(self, units: Sequence[Unit], results: list[Result]) -> None:
        for unit, result in zip(units, results, strict=True):
            if unit.key is not None and result.outcome == "done":
                self._unheard_results[unit.key] = result

    def _claimed_unheard(self, claimed: list[OutboxRow]) -> None:
        self._unheard_claims += [row.id for row in claimed]

    async def commit(self, units: Sequence[Unit], now: datetime) -> list[Result]:
        """Store the units in one transaction, each all or nothing, in order; one result each."""
        results = await super().commit(units, now)
        if not self._unheard_results:
            return results
        # Whoever comes again because it was not told has never seen the tickets.
        return [
            self._unheard_results.pop(unit.key, result) if unit.key and result.outcome == "repeated" else result
            for unit, result in zip(units, results, strict=True)
        ]

    async def claim(self, ids: Sequence[int], now: datetime) -> list[OutboxRow]:
        """Mark these waiting messages as being sent and give them."""
        claimed = await super().claim(ids, now)
        if self._unheard_claims:
            # Nobody has sent them: they wait again, and can be claimed with the rest.
            back, self._unheard_claims = self._unheard_claims, []
            await self.settle([Postponed(id=id_, not_before=now, reason="", reached=False) for id_ in back], now)
            claimed += await super().claim(sorted(set(back) & set(ids)), now)
        return claimed
