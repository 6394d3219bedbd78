"""The scheduler: it owns what happens at a time rather than because of a message.

Reminders that are due become messages in the outbox, which delivery is told of. Forms that were left alone go to the
dialogue actor when their time is out, and so do regular questions that are due; what may not be kept any longer is
purged every hour. When the rules of time zones have changed, it plans anew first. It sleeps until the next of all these
is due, or until it hears that plans changed or reminders were set or moved.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import anyio
from msgspec import Struct

from actors.actor import Actor, Health, Mailbox, MailboxClosed, NotHandled, attempt
from actors.alarms import LONGEST_SLEEP, Alarms
from actors.replanning import Replanning
from actors.signals import Signal
from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger
from migrebot.messages import PlansChanged, QuestionDue, Stored, ToScheduler
from migrebot.reminders.timers import RemindersMoved
from storage.interface import Retention

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from migrebot.clock import Clock
    from migrebot.messages import Alert, Outcome, ToDelivery, ToDialogue
    from migrebot.reminders.lateness import Lateness
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


class Scheduler(Actor["ToScheduler | RemindersMoved"]):
    """Fires reminders, ends forms left alone, asks the regular questions and purges; see the module.

    `purged_at` is when it purged last in this run; None before the first time.
    """

    name: ClassVar[str] = "scheduler"

    def __init__(
        self,
        *,
        mailbox: Mailbox[ToScheduler | RemindersMoved],
        delivery: Mailbox[ToDelivery],
        dialogue: Mailbox[ToDialogue],
        storage: Storage,
        clock: Clock,
        keeping: Keeping,
        new_id: Callable[[], int],
        on_alert: Callable[[Alert], None],
        zone_rules: Callable[[], int],
    ) -> None:
        super().__init__(mailbox)
        self._dialogue = dialogue
        self._storage = storage
        self._clock = clock
        self._keeping = keeping
        self._purge_at = clock.now()
        self.purged_at: datetime | None = None
        self._plans_changed = Signal()
        self._troubles: dict[str, str] = {}
        self._alarms = Alarms(
            storage=storage,
            delivery=delivery,
            clock=clock,
            new_id=new_id,
            on_alert=on_alert,
            on_trouble=partial(self._tell_trouble, "reminders"),
        )
        self._zone_rules = zone_rules

    @property
    def lateness(self) -> Lateness:
        """How late reminders fired since the program started."""
        return self._alarms.lateness

    async def run(self) -> None:
        """Do what is due when it is due; ends with the mailbox."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._do_what_is_due)
            await self._listen()
            group.cancel_scope.cancel()

    async def _do_what_is_due(self) -> None:
        """Plan anew first if the rules of time zones have changed: what rang at an hour of old would ring once more."""
        replanning = Replanning(
            storage=self._storage, clock=self._clock, rules=self._zone_rules, on_moved=self._alarms.add
        )
        async with anyio.create_task_group() as group:
            group.start_soon(replanning.run)
            await replanning.near_done.wait()
            group.start_soon(self._alarms.run)
            group.start_soon(self._keep_house)

    async def handle(self, message: ToScheduler | RemindersMoved) -> None:
        """Take note of reminders that were set or moved, or look at the plans again."""
        match message:
            case RemindersMoved(timers):
                self._alarms.add(timers)
            case PlansChanged():
                self._plans_changed.set()

    async def _listen(self) -> None:
        while True:
            try:
                envelope = await self.mailbox.get()
            except MailboxClosed:
                return
            await self.handle_or_set_aside(envelope)

    def _tell_trouble(self, part: str, trouble: str) -> None:
        self._troubles[part] = trouble
        self.health = Health(detail="; ".join(filter(None, self._troubles.values())) or "ok")

    async def _keep_house(self) -> None:
        while True:
            wake_at = await self._work()
            seconds = min(LONGEST_SLEEP, (wake_at - self._clock.now()).total_seconds())
            with self._clock.move_on_after(max(0.0, seconds)):
                await self._plans_changed.wait()

    async def _work(self) -> datetime:
        """Do what is due now; tell when to look again."""
        now = self._clock.now()
        try:
            all_ended = await self._end_forms(now)
            if now >= self._purge_at:
                await self._storage.purge(self._retention(now))
                self._purge_at = now + PURGE_EVERY
                self.purged_at = now
            all_asked = await self._ask_questions(now)
            planned = (await self._storage.next_expiry(), await self._storage.next_question())
        except (StorageUnavailable, NotHandled, MailboxClosed) as error:
            self._tell_trouble("house", "waiting for the storage")
            log.warning("scheduler_waits", reason=type(error).__name__)
            return now + RETRY_AFTER
        self._tell_trouble("house", "")
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
            if "done" not in await self._hand_over(due):
                return False
        return True

    async def _hand_over(self, questions: Sequence[QuestionDue]) -> list[Outcome]:
        """Hand them over together, so that they share transactions: many people are asked at the same hour."""
        results: list[Stored | Exception] = []

        async def ask(question: QuestionDue) -> None:
            results.append(await attempt(self._dialogue.ask(question)))

        async with anyio.create_task_group() as tasks:
            for question in questions:
                tasks.start_soon(ask, question)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [result.outcome for result in results if isinstance(result, Stored)]

    def _retention(self, now: datetime) -> Retention:
        keeping = self._keeping
        return Retention(
            forms=now - keeping.forms,
            quarantine=now - keeping.quarantine,
            settled=now - keeping.settled,
            inbox=now - keeping.inbox,
            deleted=now - keeping.deleted,
        )
