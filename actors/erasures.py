"""The actor of erasures: it owns the file beside the backups in which those who were erased are marked.

What the database remembers is what counts: all of it is written down at the start and whenever the actor receives word
that somebody was erased, so that nothing is missing for longer than the program was down. A failure is told to the
owner, and tried again every hour.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import anyio.to_thread

from actors.actor import Actor, Health, MailboxClosed
from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger
from migrebot.messages import Alert
from storage.backups.marks import keep
from storage.facts import ErasureMarks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from actors.actor import Mailbox
    from migrebot.clock import Clock
    from migrebot.messages import Erased
    from storage.interface import Storage

RETRY_S = 3_600.0
"""Seconds after which it is tried again to write."""

LOOK_S = 30.0
"""Seconds after which a storage that did not work is asked again."""

log = get_logger("erasures")


class Erasures(Actor["Erased"]):
    """Keeps the marks in `directory`; `key` is what they are made with."""

    name: ClassVar[str] = "erasures"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Erased],
        storage: Storage,
        directory: Path,
        key: bytes,
        clock: Clock,
        on_alert: Callable[[Alert], None],
    ) -> None:
        super().__init__(mailbox)
        self._storage = storage
        self._directory = directory
        self._key = key
        self._clock = clock
        self._on_alert = on_alert

    async def run(self) -> None:
        """Write down who is marked, again after each word, until the mailbox is closed."""
        while True:
            patience = await self._write()
            try:
                with self._clock.move_on_after(patience):
                    await self.mailbox.get()
            except MailboxClosed:
                return
            self.mailbox.take(len(self.mailbox))

    async def _write(self) -> float | None:
        """Write down all marks; gives the seconds after which to try again, None if all is well."""
        fact = ErasureMarks(0)
        try:
            marks = (await self._storage.load([fact]))[fact]
            # It is read and flushed: the event loop is not held for that.
            await anyio.to_thread.run_sync(partial(keep, self._directory, marks, self._key, self._clock.now()))
        except StorageUnavailable as error:
            self.health = Health(detail=f"storage: {error}")
            return LOOK_S
        except UserError as error:
            self._failed(str(error))
            return RETRY_S
        self.health = Health()
        return None

    def _failed(self, reason: str) -> None:
        log.error("erasures_not_kept", reason=reason)
        self.health = Health(detail=f"who was erased is not noted beside the backups: {reason}")
        text = f"Who asked to be forgotten could not be noted beside the backups, it is tried every hour: {reason}"
        self._on_alert(Alert(cause="erasures", text=text))
