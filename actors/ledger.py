"""The ledger of delivery: what it asks the storage for, and tells it, in batches and with patience.

Each batch is what came together while the one before was written. While the storage is not available nothing is
forgotten: outcomes stay in memory until they are stored, and their chats stay busy.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct

from actors.lane import Lane, Row
from actors.pacing import backoff
from actors.signals import Signal
from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger
from storage.interface import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from migrebot.clock import Clock
    from migrebot.messages import Alert
    from storage.interface import Settled, Storage
    from storage.records import OutboxRow

log = get_logger("delivery")

LAST_WORDS_SECONDS = 2.0
"""How long a cancelled actor may take to store the outcomes that it knows."""

LONGEST_BACKOFF = 10.0
"""Seconds between two questions to a storage that does not work: shorter than for a messenger, nobody minds them."""


class Outcome(Struct, frozen=True):
    """What became of a claimed row, to be stored; a row that waits again may go at `retry_at` (monotonic).

    `alert` is for the owner if the row is given up indeed: the messenger may be found to have it meanwhile.
    """

    lane: Lane
    row: Row
    settlement: Settlement
    retry_at: float = 0.0
    alert: Alert | None = None


class Ledger:
    """Claims rows and stores outcomes.

    `on_stored` is called with outcomes once they are durable, and with what that changed besides;
    `on_change` when the storage goes out or comes back and whenever there may be more to claim.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        on_stored: Callable[[Sequence[Outcome], Settled], None],
        on_change: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._on_stored = on_stored
        self._on_change = on_change
        self._outcomes: list[Outcome] = []
        self._noted = Signal()
        self._failures = 0
        self.retry_at = -math.inf
        self.out_since: datetime | None = None

    @property
    def pending(self) -> bool:
        """Tell whether there are outcomes that are not stored yet."""
        return bool(self._outcomes)

    async def begin(self) -> None:
        """Store what a run before left in memory; raises `StorageUnavailable`."""
        self._noted = Signal()
        if self._outcomes:
            await self._store()
        self._works()

    async def claim(self, ids: Sequence[int]) -> list[OutboxRow] | None:
        """Claim these rows for sending; None if the storage is not available: ask again at `retry_at`."""
        try:
            # Cut off in the middle, rows would count as sent perhaps that nobody tried to send.
            with anyio.CancelScope(shield=True):
                claimed = await self._storage.claim(ids, self._clock.now())
        except StorageUnavailable as error:
            self._failed(error)
            return None
        self._works()
        return claimed

    def note(self, outcome: Outcome) -> None:
        """Take an outcome, to be stored as soon as can be."""
        self._outcomes.append(outcome)
        self._noted.set()

    async def keep(self) -> None:
        """Store the outcomes as they come, for ever."""
        while True:
            await self._noted.wait()
            try:
                # Cut off in the middle, nobody would know whether they are stored.
                with anyio.CancelScope(shield=True):
                    await self._store()
            except StorageUnavailable as error:
                self._failed(error)
                self._noted.set()
                await self._clock.sleep(self.retry_at - self._clock.monotonic())
            else:
                self._works()

    async def close(self) -> None:
        """Store what is still known when the actor ends, even if it is cancelled.

        What cannot be stored now stays for `begin`; in the storage it counts as sent perhaps.
        """
        if not self._outcomes:
            return
        with self._clock.move_on_after(LAST_WORDS_SECONDS) as scope:
            scope.shield = True
            try:
                await self._store()
            except StorageUnavailable:
                log.exception("outcomes_not_stored", count=len(self._outcomes))

    async def _store(self) -> None:
        outcomes = list(self._outcomes)
        settled = await self._storage.settle([outcome.settlement for outcome in outcomes], self._clock.now())
        del self._outcomes[: len(outcomes)]
        self._on_stored(outcomes, settled)

    def _failed(self, error: StorageUnavailable) -> None:
        self._failures += 1
        self.retry_at = self._clock.monotonic() + min(LONGEST_BACKOFF, backoff(self._failures))
        if self.out_since is None:
            self.out_since = self._clock.now()
            log.error("storage_unavailable", reason=str(error))
        self._on_change()

    def _works(self) -> None:
        self._failures = 0
        self.retry_at = -math.inf
        if self.out_since is not None:
            self.out_since = None
            log.info("storage_available")
            self._on_change()
