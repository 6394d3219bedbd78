"""The backup actor: it owns when a backup is made.

It receives nothing. When a backup is due it has one made, and the superfluous ones deleted, by a process beside this
one; one that was missed while the program was down is made up for at the start. A failure is told to the owner, once a
day, and tried again every hour.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Never

import anyio

from actors.actor import Actor, Health, MailboxClosed
from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger
from migrebot.messages import Alert
from migrebot.reminders.occurrences import next_firing
from storage.changes import NoteInstant, Unit
from storage.facts import NotedInstant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from actors.actor import Mailbox
    from migrebot.clock import Clock
    from migrebot.reminders.schedule import Schedule
    from storage.backups.order import Made
    from storage.interface import Storage

LOOK = timedelta(seconds=30)
"""The wall clock is looked at again after it, at the latest: it may have been set."""

RETRY = timedelta(hours=1)
"""Between two attempts at the same backup."""

TELL_AGAIN = timedelta(days=1)
"""Between two words to the owner about backups that fail."""

BACKED_UP = "backed up at"
"""The name of the instant at which the last backup was begun."""

log = get_logger("backup")


class Backup(Actor["Never"]):
    """Has backups made by `make`, which takes the instant; without a schedule it makes none."""

    name: ClassVar[str] = "backup"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Never],
        storage: Storage,
        make: Callable[[datetime], Awaitable[Made]],
        schedule: Schedule | None,
        clock: Clock,
        on_alert: Callable[[Alert], None],
    ) -> None:
        super().__init__(mailbox)
        self._storage = storage
        self._make = make
        self._schedule = schedule
        self._clock = clock
        self._on_alert = on_alert
        self._last: datetime | None = None
        self._told_at: datetime | None = None
        self._not_before: datetime | None = None

    async def run(self) -> None:
        """Make what is due until the mailbox is closed; a backup that is under way then is given up."""
        async with anyio.create_task_group() as tasks:
            if self._schedule is not None:
                tasks.start_soon(self._keep, self._schedule)
            try:
                await self.mailbox.get()
            except MailboxClosed:
                tasks.cancel_scope.cancel()

    async def _keep(self, schedule: Schedule) -> None:
        while True:
            try:
                wake_at = await self._work(schedule)
            except StorageUnavailable as error:
                self.health = Health(detail=f"storage: {error}")
                wake_at = self._clock.now() + LOOK
            pause = min(LOOK, wake_at - self._clock.now())
            await self._clock.sleep(max(0.0, pause.total_seconds()))

    async def _work(self, schedule: Schedule) -> datetime:
        """Make a backup if one is due; tells when to look again."""
        now = self._clock.now()
        # A last time that is still to come was noted by a clock that has been set back since.
        due = next_firing(schedule, min(await self._last_time(), now))
        if due is None:
            return now + LOOK
        if due > now:
            return due
        if self._not_before is not None and now < self._not_before:
            return self._not_before
        try:
            made = await self._make(now)
        except UserError as error:
            return self._failed(str(error))
        await self._storage.commit([Unit(changes=(NoteInstant(BACKED_UP, now),))], now)
        self._last, self._not_before, self._told_at, self.health = now, None, None, Health()
        log.info("backup_made", file=made.path, rows=made.rows, bytes=made.size, removed=made.removed)
        return now

    def _failed(self, reason: str) -> datetime:
        """Tell that there is no backup; gives the instant of the next attempt."""
        log.error("backup_failed", reason=reason)
        now = self._clock.now()
        self.health = Health(detail=f"the last backup failed: {reason}")
        if self._told_at is None or now - self._told_at >= TELL_AGAIN:
            self._told_at = now
            self._on_alert(Alert(cause="backup", text=f"No backup could be made, it is tried every hour: {reason}"))
        self._not_before = now + RETRY
        return self._not_before

    async def _last_time(self) -> datetime:
        """Tell when the last backup was made; before the first one, when the program ran first."""
        if self._last is None:
            fact = NotedInstant(0, BACKED_UP)
            self._last = (await self._storage.load([fact]))[fact]
        if self._last is None:
            self._last = self._clock.now()
            await self._storage.commit([Unit(changes=(NoteInstant(BACKED_UP, self._last),))], self._last)
        return self._last
