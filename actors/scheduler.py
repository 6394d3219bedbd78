"""The scheduler: it owns what happens at a time rather than because of a message.

Forms that were left alone go to the dialogue actor when their time is out, and so do regular questions that are due;
what may not be kept any longer is purged every hour. It sleeps until the next of these is due, or until it hears that
the plans changed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from actors.actor import Actor, Health, Mailbox, MailboxClosed, NotHandled
from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger
from migrebot.messages import ToScheduler
from storage.interface import Retention

if TYPE_CHECKING:
    from datetime import datetime

    from migrebot.clock import Clock
    from migrebot.messages import ToDialogue
    from storage.interface import Storage

PURGE_EVERY = timedelta(hours=1)
RETRY_AFTER = timedelta(seconds=30)
"""How soon to try again when the storage or the dialogue could not do it."""

AT_ONCE = 100
"""Forms that are ended, and questions that are asked, before the clock is looked at again."""

log = get_logger("scheduler")


class Keeping(Struct, frozen=True, kw_only=True):
    """How long things are kept, and after how long a form left alone ends."""

    form_timeout: timedelta = timedelta(hours=24)
    forms: timedelta = timedelta(hours=48)
    quarantine: timedelta = timedelta(days=14)
    settled: timedelta = timedelta(days=30)
    inbox: timedelta = timedelta(days=366)
    deleted: timedelta = timedelta(hours=48)


class Scheduler(Actor[ToScheduler]):
    """Ends forms left alone, asks the regular questions and purges; see the module."""

    name: ClassVar[str] = "scheduler"

    def __init__(
        self,
        *,
        mailbox: Mailbox[ToScheduler],
        dialogue: Mailbox[ToDialogue],
        storage: Storage,
        clock: Clock,
        keeping: Keeping,
    ) -> None:
        super().__init__(mailbox)
        self._dialogue = dialogue
        self._storage = storage
        self._clock = clock
        self._keeping = keeping
        self._purge_at = clock.now()

    async def run(self) -> None:
        """Do what is due, then sleep until something is; ends with the mailbox."""
        while True:
            wake_at = await self._work()
            with self._clock.move_on_after(max(0.0, (wake_at - self._clock.now()).total_seconds())):
                try:
                    await self.mailbox.get()
                except MailboxClosed:
                    return

    async def _work(self) -> datetime:
        """Do what is due now; tell when to look again."""
        now = self._clock.now()
        try:
            all_ended = await self._end_forms(now)
            if now >= self._purge_at:
                await self._storage.purge(self._retention(now))
                self._purge_at = now + PURGE_EVERY
            all_asked = await self._ask_questions(now)
            planned = (await self._storage.next_expiry(), await self._storage.next_question())
        except (StorageUnavailable, NotHandled, MailboxClosed) as error:
            self.health = Health(serving=True, detail="waiting for the storage")
            log.warning("scheduler_waits", reason=type(error).__name__)
            return now + RETRY_AFTER
        self.health = Health()
        if not (all_ended and all_asked):
            return now + RETRY_AFTER
        # A form opened from now on expires after the time-out at the earliest, so nothing is missed by sleeping.
        return min(self._purge_at, now + self._keeping.form_timeout, *(at for at in planned if at is not None))

    async def _end_forms(self, now: datetime) -> bool:
        """End what has expired; tells whether all of it ended: the dialogue may see another time on its clock."""
        while expired := await self._storage.expired(now, AT_ONCE):
            outcomes = [(await self._dialogue.ask(form)).outcome for form in expired]
            if "done" not in outcomes:
                return False
        return True

    async def _ask_questions(self, now: datetime) -> bool:
        """Hand over the regular questions that are due; tells whether none is left."""
        while due := await self._storage.due_questions(now, AT_ONCE):
            outcomes = [(await self._dialogue.ask(question)).outcome for question in due]
            if "done" not in outcomes:
                return False
        return True

    def _retention(self, now: datetime) -> Retention:
        keeping = self._keeping
        return Retention(
            forms=now - keeping.forms,
            quarantine=now - keeping.quarantine,
            settled=now - keeping.settled,
            inbox=now - keeping.inbox,
            deleted=now - keeping.deleted,
        )
