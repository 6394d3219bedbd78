"""The alarms of the scheduler: reminders that are due become messages, each once, however the clock behaves.

In memory there are the timers of the next hour only. Those that are due are looked up, worked out, and claimed: one
unit for each, which fails alone if the reminder was changed, answered or deleted meanwhile, moves the reminder on, and
stores the firing with its message. Delivery is told after the commit. So whatever kills the process leaves a reminder
either due still, or fired with its message in the outbox.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import msgspec
from msgspec import Struct

from actors.actor import attempt
from actors.signals import Signal
from actors.waking import wake
from migrebot.dialogue.menus.firing import message
from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger
from migrebot.messages import Alert, Ticket, ToDelivery
from migrebot.reminders.lateness import Lateness
from migrebot.reminders.planning import fire, repeat
from migrebot.reminders.timers import HORIZON, MOST, NEVER, Timer, Timers
from storage.changes import Enqueue, MoveOccurrence, MoveReminder, SaveOccurrence, SaveReminder, Unit, timers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from actors.actor import Mailbox
    from migrebot.clock import Clock
    from migrebot.reminders.reminder import Reminder
    from storage.changes import Change
    from storage.interface import Result, Storage
    from storage.records import Due

AT_ONCE = 256
"""Reminders fired in one transaction, and worked out in one go: some 10 ms each, for which others wait."""

MOST_READ = 4 * AT_ONCE
"""Reminders that are read at once: while those before are being stored, the next are worked out."""

LONGEST_SLEEP = 30.0
"""Seconds until the wall clock is looked at again: it may be set, or the machine sleep."""

JUMP = timedelta(minutes=1)
"""By how much the wall clock may stray from the time that passed before the owner is told."""

RETRY_AFTER = 1.0
"""Seconds to wait when the storage could not do it."""

log = get_logger("scheduler")


class _Ringing(Struct, frozen=True, gc=False):
    """What a timer comes to."""

    timer: Timer
    unit: Unit


class Alarms:
    """Fires reminders; see the module. `on_trouble` is told in a few words what hinders it, empty when nothing does.

    `lateness` counts the firings since this was made.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        delivery: Mailbox[ToDelivery],
        clock: Clock,
        new_id: Callable[[], int],
        on_alert: Callable[[Alert], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._delivery = delivery
        self._clock = clock
        self._new_id = new_id
        self._on_alert = on_alert
        self._on_trouble = on_trouble
        self._timers = Timers()
        self._read_at = NEVER
        self._added_meanwhile: list[Timer] | None = None
        self._changed = Signal()
        self._ahead = self._wall_ahead()
        self.lateness = Lateness()

    def add(self, timers: Iterable[Timer]) -> None:
        """Take note of reminders that were set or moved."""
        for timer in timers:
            if self._added_meanwhile is not None:
                self._added_meanwhile.append(timer)
            if self._timers.add(timer):
                self._changed.set()

    async def run(self) -> None:
        """Fire what is due, then sleep until something is; until cancelled."""
        while True:
            error = await attempt(self._ring())
            if isinstance(error, StorageUnavailable):
                log.warning("reminders_wait", reason=str(error))
                self._on_trouble("reminders wait for the storage")
                self._read_at = NEVER  # what was taken out of the heap is read again
                await self._clock.sleep(RETRY_AFTER)
            elif error is not None:
                raise error
            else:
                self._on_trouble("")
                await self._sleep()

    async def _ring(self) -> None:
        """Fire all that is due now."""
        while True:
            now = self._clock.now()
            self._watch_clock()
            if self._must_read(now):
                await self._read(now)
            rung = self._timers.ring(now, MOST_READ)
            if not rung:
                return
            await self._fire(rung, now)

    async def _sleep(self) -> None:
        now = self._clock.now()
        next_at = min(self._timers.next_at or self._timers.known_until, self._timers.known_until)
        seconds = max(0.0, min(LONGEST_SLEEP, (next_at - now).total_seconds()))
        with self._clock.move_on_after(seconds):
            await self._changed.wait()

    # --- what is near --------------------------------------------------------------------------------------------

    def _must_read(self, now: datetime) -> bool:
        """Tell whether to read again: twice an hour, when more was there than was read, and when the clock jumped."""
        if not self._read_at <= now < self._read_at + HORIZON / 2:
            return True
        next_at, known_until = self._timers.next_at, self._timers.known_until
        if next_at is None:
            return known_until < self._read_at + HORIZON
        # What is held and due goes first: else thousands would be read again and again where as many are due at once.
        return known_until <= now < next_at

    async def _read(self, now: datetime) -> None:
        until = now + HORIZON
        self._added_meanwhile = []
        timers = await self._storage.timers(until, MOST)
        # What was committed while it was being read may or may not be among it: twice does no harm.
        added, self._added_meanwhile = self._added_meanwhile, None
        self._timers.fill(timers, until if len(timers) < MOST else timers[-1].at)
        self._read_at = now
        for timer in added:
            self._timers.add(timer)

    def _wall_ahead(self) -> timedelta:
        return timedelta(seconds=self._clock.now().timestamp() - self._clock.monotonic())

    def _watch_clock(self) -> None:
        """Tell the owner when the wall clock jumped: it was set, or the machine slept."""
        ahead = self._wall_ahead()
        jump, self._ahead = ahead - self._ahead, ahead
        if abs(jump) < JUMP:
            return
        seconds = round(jump.total_seconds())
        log.warning("clock_jumped", seconds=seconds)
        self._read_at = NEVER
        if jump > timedelta(0):
            text = (
                f"The clock went forward by {seconds} seconds, or the machine slept: what fell due meanwhile goes now"
            )
        else:
            text = f"The clock was set back by {-seconds} s: nothing that has fired fires again"
        self._on_alert(Alert(cause="clock", text=text))

    # --- firing --------------------------------------------------------------------------------------------------

    async def _fire(self, rung: Sequence[Timer], now: datetime) -> None:
        error = await attempt(self._fire_together(rung, now))
        if error is None:
            return
        if isinstance(error, StorageUnavailable):
            raise error
        # A fault of the program in one of them: the others shall not suffer.
        if len(rung) > 1:
            for timer in rung:
                await self._fire([timer], now)
            return
        log.error("reminder_failed", exc_info=error)
        self._on_alert(Alert(cause="reminder", text=f"A reminder could not be fired: {type(error).__name__}"))

    async def _fire_together(self, rung: Sequence[Timer], now: datetime) -> None:
        found = await self._storage.due(rung)
        errors: list[Exception] = []

        async def store(ringing: Sequence[_Ringing]) -> None:
            error = await attempt(self._store(ringing, now))
            if error is not None:
                errors.append(error)

        async with anyio.create_task_group() as storing:
            for start in range(0, len(found), AT_ONCE):
                storing.start_soon(store, await self._worked_out(found[start : start + AT_ONCE], now))
                await anyio.lowlevel.checkpoint()
        if errors:
            raise errors[0]

    async def _store(self, ringing: Sequence[_Ringing], now: datetime) -> None:
        # What is stored has to become known to delivery, even if this actor is being restarted.
        with anyio.CancelScope(shield=True):
            results = await self._storage.commit([one.unit for one in ringing], now)
            await self._stored(ringing, results)
        failed = [one for one, result in zip(ringing, results, strict=True) if result.outcome == "failed"]
        if failed:
            await self._move_on(failed, now)

    async def _stored(self, ringing: Sequence[_Ringing], results: Sequence[Result]) -> None:
        tickets: list[Ticket] = []
        now = self._clock.now()
        for one, result in zip(ringing, results, strict=True):
            if result.outcome == "done":
                tickets.extend(result.tickets)
                self.lateness.note((now - one.timer.at).total_seconds())
                for timer in timers_of(one.unit):
                    self._timers.add(timer)
        await wake(self._delivery, tickets)

    async def _worked_out(self, found: Sequence[Due], now: datetime) -> list[_Ringing]:
        """Work out what is to be stored; a reminder that cannot be worked out is paused, and others go on."""
        ringing = await attempt(self._ringing(found, now))
        if not isinstance(ringing, Exception):
            return ringing
        if len(found) > 1:
            return [one for due in found for one in await self._worked_out([due], now)]
        log.error("reminder_paused", exc_info=ringing)
        text = f"A reminder could not be fired and was paused: {type(ringing).__name__}"
        self._on_alert(Alert(cause="reminder paused", text=text))
        return [_paused(due, now) for due in found]

    async def _ringing(self, found: Sequence[Due], now: datetime) -> list[_Ringing]:
        return [_firing(due, now, self._new_id()) if due.occurrence is None else _repetition(due, now) for due in found]

    async def _move_on(self, failed: Sequence[_Ringing], now: datetime) -> None:
        """Move on what fired at that instant before: a clock that was set back may lead there again."""
        still_due = {due.timer: due for due in await self._storage.due([one.timer for one in failed])}
        units = []
        for one in failed:
            due = still_due.get(one.timer)
            if due is not None and due.reminder.user_id != one.unit.user_id:
                self._read_at = NEVER  # its owner became one with another person meanwhile: it fires for that one
            elif due is not None and due.occurrence is None:
                plan = fire(due.reminder, now, 0)
                units.append(_unit(due, _moved(due.reminder, one.timer.at, plan.next_at, fired=0)))
        if units:
            log.info("fired_before", count=len(units))
            await self._storage.commit(units, now)
            self._read_at = NEVER


def _firing(due: Due, now: datetime, new_id: int) -> _Ringing:
    plan = fire(due.reminder, now, new_id)
    occurrence = plan.occurrence
    move = _moved(due.reminder, occurrence.due_at, plan.next_at, fired=plan.fired)
    unit = _unit(due, move, SaveOccurrence(occurrence), Enqueue(message(due, occurrence, occurrence.due_at, now)))
    return _Ringing(Timer(occurrence.due_at, due.reminder.id), unit)


def _repetition(due: Due, now: datetime) -> _Ringing:
    occurrence, timer = due.occurrence, _timer(due)
    if occurrence is None:
        raise ValueError("nothing to repeat")
    repeated = repeat(due.reminder, occurrence, now)
    move = MoveOccurrence(
        user_id=occurrence.user_id,
        id=occurrence.id,
        due_at=timer.at,
        again_at=repeated.again_at,
        nagged=repeated.nagged,
    )
    return _Ringing(timer, _unit(due, move, Enqueue(message(due, repeated, timer.at, now))))


def _paused(due: Due, now: datetime) -> _Ringing:
    paused = msgspec.structs.replace(due.reminder, next_at=None, paused_at=now)
    return _Ringing(_timer(due), _unit(due, SaveReminder(paused)))


def _moved(reminder: Reminder, due_at: datetime, next_at: datetime | None, *, fired: int) -> MoveReminder:
    return MoveReminder(user_id=reminder.user_id, id=reminder.id, due_at=due_at, next_at=next_at, fired=fired)


def _timer(due: Due) -> Timer:
    if due.timer is None:
        raise ValueError("nothing is due")
    return due.timer


def _unit(due: Due, *changes: Change) -> Unit:
    return Unit(changes=changes, user_id=due.reminder.user_id)
