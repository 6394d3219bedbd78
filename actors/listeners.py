"""Who is told of what the dialogue stored: each part of the program that something of it concerns.

Nothing depends on a word that is lost: all of it is durable, and whoever listens reads it at the next start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.actor import MailboxClosed
from migrebot.logs import get_logger
from migrebot.messages import AnnouncementSteered, Erased, PlansChanged, Recorded, StatesChanged, Wished
from migrebot.reminders.timers import RemindersMoved
from storage.changes import (
    COUNTED,
    EraseUser,
    SaveAsking,
    SaveWish,
    StartAnnouncement,
    SteerAnnouncement,
    states_of,
    timers_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.actor import Mailbox
    from migrebot.messages import ToMirror, ToScheduler
    from storage.changes import Change, Unit

PLANS = (SaveAsking,)
"""The changes by which something may be due earlier than the scheduler knows."""

STEERS = (StartAnnouncement, SteerAnnouncement)
"""The changes that the announcer has to hear of."""

log = get_logger("dialogue")


class Listeners:
    """The mailboxes of those who listen; None where there is nobody.

    The scheduler is waited for. The mirror never is, and hears when it missed something. Of all others, each reads what
    is stored: where its mailbox has no room for another word, one waits there already.
    """

    def __init__(
        self,
        *,
        scheduler: Mailbox[ToScheduler | RemindersMoved] | None = None,
        mirror: Mailbox[ToMirror] | None = None,
        reporter: Mailbox[Recorded] | None = None,
        erasures: Mailbox[Erased] | None = None,
        announcer: Mailbox[AnnouncementSteered] | None = None,
        backup: Mailbox[Wished] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._mirror = mirror
        self._mirror_missed = False
        self._reporter = reporter
        self._erasures = erasures
        self._announcer = announcer
        self._backup = backup

    async def tell(self, units: Sequence[Unit]) -> None:
        """Tell each listener of the committed units what concerns it."""
        changes = [change for unit in units for change in unit.changes]
        await self._tell_scheduler(units, changes)
        self._tell_mirror(units)
        if self._reporter is not None and _any(changes, COUNTED):
            self._reporter.offer(Recorded())
        if self._erasures is not None and _any(changes, EraseUser):
            self._erasures.offer(Erased())
        if self._announcer is not None and _any(changes, STEERS):
            self._announcer.offer(AnnouncementSteered())
        if self._backup is not None and _any(changes, SaveWish):
            self._backup.offer(Wished())

    async def _tell_scheduler(self, units: Sequence[Unit], changes: Sequence[Change]) -> None:
        if self._scheduler is None:
            return
        timers = tuple(timer for unit in units for timer in timers_of(unit))
        try:
            if timers:
                await self._scheduler.put(RemindersMoved(timers))
            if _any(changes, PLANS):
                await self._scheduler.put(PlansChanged())
        except MailboxClosed:
            log.info("scheduler_is_closed")

    def _tell_mirror(self, units: Sequence[Unit]) -> None:
        changes = tuple(change for unit in units for change in states_of(unit))
        if self._mirror is not None and changes:
            told = self._mirror.offer(StatesChanged(changes, self._mirror_missed))
            self._mirror_missed = not told


def _any(changes: Sequence[Change], kinds: type | tuple[type, ...]) -> bool:
    return any(isinstance(change, kinds) for change in changes)
