"""Replanning: when the rules of time zones have changed, what is planned is planned anew, in the order of its time.

Which rules the plans were made by is noted in the storage, once all is done: a run that is cut off begins again, and
finds most of it done. Each change is a compare-and-set, so that whatever a person or the alarms do meanwhile wins.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ParamSpec

import anyio
from anyio import to_thread

from actors.actor import attempt
from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger
from migrebot.reminders.replanning import FARTHEST, question_replanned, replanned
from storage.changes import MoveQuestion, MoveReminder, NoteNumber, Unit, timers_of
from storage.facts import NotedNumber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from migrebot.clock import Clock
    from migrebot.reminders.questions import Asking
    from migrebot.reminders.reminder import Reminder
    from migrebot.reminders.timers import Timer
    from storage.interface import Storage

P = ParamSpec("P")

AT_ONCE = 25
"""Plans looked at in one go: a few milliseconds, with cron expressions some 25, for which others wait."""

NEAR = timedelta(hours=1)
"""What is due within this time is planned anew before anything may ring; the rest long before its time comes."""

RETRY_AFTER = 5.0
"""Seconds to wait when the storage could not do it."""

_NOTED = "zone rules"
_START = datetime.fromtimestamp(0, UTC)
_PLANS = NotedNumber(0, _NOTED)

log = get_logger("scheduler")


class Replanning:
    """Plans anew what was planned by other rules than `rules` gives now; `on_moved` is told of timers.

    `near_done` is set once nothing that is due soon can have been planned by other rules.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        rules: Callable[[], int],
        on_moved: Callable[[Iterable[Timer]], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._rules = rules
        self._on_moved = on_moved
        self._moved = 0
        self.near_done = anyio.Event()

    async def run(self) -> None:
        """Look whether the rules are others, and plan anew; ends when all is done."""
        mark = await to_thread.run_sync(self._rules)
        while True:
            error = await attempt(self._replan(mark))
            if error is None:
                return
            if not isinstance(error, StorageUnavailable):
                raise error
            log.warning("replanning_waits", reason=str(error))
            await self._clock.sleep(RETRY_AFTER)

    async def _replan(self, mark: int) -> None:
        if (await self._storage.load([_PLANS]))[_PLANS] != mark:
            soon = self._clock.now() + NEAR + FARTHEST
            rest = (await self._reminders(_START, soon), await self._questions(_START, soon))
            self.near_done.set()
            await self._reminders(rest[0], None)
            await self._questions(rest[1], None)
            log.info("replanned_by_new_zone_rules", moved=self._moved)
            await self._storage.commit([Unit(changes=(NoteNumber(_NOTED, mark),))], self._clock.now())
        self.near_done.set()

    async def _reminders(self, since: datetime, until: datetime | None) -> datetime:
        """Plan the reminders anew that are due from one instant up to another; tell up to when it is done."""
        at, beyond = since, _LOWEST
        while until is None or at <= until:
            page = await self._storage.planned_reminders(at, beyond, AT_ONCE)
            await self._commit(_moves(page))
            if len(page) < AT_ONCE:
                break
            at, beyond = page[-1].next_at or at, page[-1].id
        return at

    async def _questions(self, since: datetime, until: datetime | None) -> datetime:
        """Do so with the regular questions."""
        at, beyond = since, _LOWEST
        while until is None or at <= until:
            page = await self._storage.planned_questions(at, beyond, AT_ONCE)
            await self._commit(_question_moves(page))
            if len(page) < AT_ONCE:
                break
            last = page[-1][0]
            at, beyond = last.next_at or at, last.user_id
        return at

    async def _commit(self, units: Iterable[Unit]) -> None:
        some = list(units)
        if not some:
            return
        # What is stored has to become known to the alarms, even if this is being cancelled.
        with anyio.CancelScope(shield=True):
            results = await self._storage.commit(some, self._clock.now())
            done = [unit for unit, result in zip(some, results, strict=True) if result.outcome == "done"]
            self._moved += len(done)
            self._on_moved([timer for unit in done for timer in timers_of(unit)])


_LOWEST = -(2**62)


def _moves(reminders: Iterable[Reminder]) -> Iterator[Unit]:
    for reminder in reminders:
        planned = reminder.next_at
        again = None if planned is None else _worked_out(replanned, reminder.schedule, planned)
        if planned is not None and again is not None and again != planned:
            move = MoveReminder(user_id=reminder.user_id, id=reminder.id, due_at=planned, next_at=again, fired=0)
            yield Unit(changes=(move,), user_id=reminder.user_id)


def _question_moves(questions: Iterable[tuple[Asking, str]]) -> Iterator[Unit]:
    for asking, timezone in questions:
        planned = asking.next_at
        again = None if planned is None else _worked_out(question_replanned, asking, timezone, planned)
        if planned is not None and again is not None and again != planned:
            yield Unit(changes=(MoveQuestion(asking.user_id, planned, again),), user_id=asking.user_id)


def _worked_out(rule: Callable[P, datetime], *given: P.args, **named: P.kwargs) -> datetime | None:
    """Apply a rule; None if it cannot be: a zone that is gone stays for the alarms, which pause what cannot fire."""
    try:
        return rule(*given, **named)
    except (KeyError, ValueError, OverflowError):
        log.exception("not_replanned")
        return None
