"""What both drivers do alike: each call of the interface is worked out, and handed over as work for a transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from storage import columns, work
from storage.answering import question
from storage.applying import Foreign, prepare, settling, withdrawing
from storage.changes import EraseUser, users_of
from storage.interface import Result
from storage.newcomers import Newcomers, telegram_id
from storage.statements import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from datetime import date, datetime

    from migrebot.messages import Address, Channel, FormExpired, Profile, QuestionDue, Ticket
    from migrebot.reminders.questions import Asking
    from migrebot.reminders.reminder import Reminder
    from migrebot.reminders.timers import Timer
    from migrebot.reports.daily import Day, Span, Totals
    from storage.applying import PreparedUnit
    from storage.changes import Unit
    from storage.facts import Fact
    from storage.interface import Retention, Settled, Settlement
    from storage.records import Conversation, Due, InboxKey, OutboxRow, Recipient
    from storage.statements import Statements

    Found = tuple[dict[Address, Conversation], set[int]]

T = TypeVar("T")

LEASE = timedelta(minutes=5)
"""For how long a claim holds while the process that made it lives: longer than it takes to send anything."""


class SqlStorage(ABC):
    """The storage over named SQL. A driver opens and closes, does the work, and may keep copies of what is stored."""

    _claimant: int | None = None
    """Who claims messages, where there may be others who do."""

    def __init__(self, default_language: str) -> None:
        self._newcomers = Newcomers(default_language)

    @property
    def trouble(self) -> str:
        """Why the database does not work, if that is known without asking it."""
        return ""

    # --- what a driver adds --------------------------------------------------------------------------------------

    @abstractmethod
    async def _do(self, some: Work[T]) -> T:
        """Have the work done within a transaction; raises `StorageUnavailable`."""

    async def _find(self, addresses: Sequence[Address]) -> Found:
        """Find who is known to write from these addresses, and which ids of Telegram's are taken among the others."""
        return await self._read(partial(work.find_people, addresses))

    async def _expect_newcomers(self, count: int) -> None:
        """Make sure that the next so many negative ids are nobody's; called where there are any."""

    def _follow(self, units: Sequence[Unit], results: list[Result]) -> None:
        """Take note of what was stored."""

    def _stored_unheard(self, units: Sequence[Unit], results: list[Result]) -> None:
        """Take note of what was stored though the caller believes it was not."""

    def _claimed_unheard(self, claimed: list[OutboxRow]) -> None:
        """Take note of what was claimed though the caller believes it was not: nobody sends it."""

    def _muted(self, addresses: list[Address]) -> None:
        """Take note of addresses that were muted."""

    def _purged(self, more: bool) -> None:
        """Take note that forms were deleted, no matter whose."""

    async def _scrub(self) -> None:
        """Leave no trace of what was deleted."""

    async def _read(self, run: Callable[[Statements], Coroutine[Any, Any, T]], *, several: bool = False) -> T:
        return await self._do(Work(run, writes=False, several=several))

    async def _write(self, run: Callable[[Statements], Coroutine[Any, Any, T]], **how: Any) -> T:
        return await self._do(Work(run, writes=True, **how))

    # --- the run -------------------------------------------------------------------------------------------------

    async def begin_run(self) -> bool:
        """Note that the program runs; tell whether the run before ended cleanly."""
        return await self._write(work.begin_run)

    async def end_run(self) -> None:
        """Note that the run ended cleanly."""
        await self._write(work.end_run)

    # --- people and forms ----------------------------------------------------------------------------------------

    async def who(self, addresses: Sequence[tuple[Address, Profile]], now: datetime) -> list[Conversation]:
        """Find who writes from each address, in order; one not known yet yields a new user."""
        found, taken = await self._find(list({address: None for address, _ in addresses}))
        new: dict[Address, Profile] = {}
        for address, profile in addresses:
            if address not in found:
                new.setdefault(address, profile)
        ids = {address: user_id for address in new if (user_id := telegram_id(address)) not in taken}
        if nameless := sum(ids.get(address) is None for address in new):
            await self._expect_newcomers(nameless)
        for address, profile in new.items():
            found[address] = self._newcomers.meet(address, profile, now, ids.get(address))
        return [found[address] for address, _ in addresses]

    async def holder(self, user_id: int) -> Conversation | None:
        """Find a user's open form and the identity it is held at."""
        return await self._read(partial(work.find_holder, user_id), several=True)

    async def latest_address(self, channel: Channel) -> Address | None:
        """Tell the address of a channel that was seen last."""
        return await self._read(partial(work.latest_address, channel))

    async def next_expiry(self) -> datetime | None:
        """Tell when the first open form expires."""
        return await self._read(work.next_expiry)

    async def expired(self, now: datetime, limit: int) -> list[FormExpired]:
        """List forms that have expired, the oldest first."""
        return await self._read(partial(work.expired, columns.micros(now), limit))

    async def active_forms(self, since: datetime) -> list[tuple[int, str, datetime]]:
        """List the forms touched after `since`, the longest idle first."""
        return await self._read(partial(work.active_forms, columns.micros(since)))

    async def timers(self, until: datetime, limit: int) -> list[Timer]:
        """List the reminders that are due, and the firings to be repeated, up to an instant."""
        return await self._read(partial(work.timers, columns.micros(until), limit))

    async def due(self, timers: Sequence[Timer]) -> list[Due]:
        """Give those of them that still hold."""
        return await self._read(partial(work.due, timers))

    async def planned_reminders(self, at: datetime, beyond: int, limit: int) -> list[Reminder]:
        """List the reminders that are still to fire, beyond that time and id."""
        return await self._read(partial(work.planned_reminders, (columns.micros(at), beyond), limit))

    async def planned_questions(self, at: datetime, beyond: int, limit: int) -> list[tuple[Asking, str]]:
        """List the regular questions that are planned, beyond that time and user."""
        return await self._read(partial(work.planned_questions, (columns.micros(at), beyond), limit))

    async def pending_reminders(self) -> int:
        """Count the reminders that are still to fire."""
        return await self._read(work.pending_reminders)

    # --- the regular question ------------------------------------------------------------------------------------

    async def reachable(self, user_id: int) -> Conversation | None:
        """Find a user at the address seen last of those that can be written to."""
        return await self._read(partial(work.find_reachable, user_id))

    async def next_question(self) -> datetime | None:
        """Tell when the first regular question is due."""
        return await self._read(work.next_question)

    async def due_questions(self, now: datetime, limit: int) -> list[QuestionDue]:
        """List regular questions that are due, the oldest first."""
        return await self._read(partial(work.due_questions, columns.micros(now), limit))

    # --- messages in, and all they change ------------------------------------------------------------------------

    async def handled(self, keys: Sequence[InboxKey]) -> set[InboxKey]:
        """Tell which of these were handled or set aside before."""
        return await self._read(partial(work.handled, keys))

    async def attempt(self, key: InboxKey, now: datetime) -> int:
        """Count an attempt at handling this message durably; returns the count, from 1."""
        return await self._write(partial(work.attempt, key, columns.micros(now)))

    async def load(self, facts: Iterable[Fact[Any]]) -> dict[Fact[Any], Any]:
        """Answer each question."""
        questions = {fact: question(fact) for fact in facts}
        several = any(len(asked.queries) > 1 for asked in questions.values())
        return await self._read(partial(work.answer, questions), several=several)

    async def commit(self, units: Sequence[Unit], now: datetime) -> list[Result]:
        """Store the units in one transaction, each all or nothing, in order; one result each."""
        # What values look like is worked out here: a unit that cannot be stored raises where it came from.
        prepared = [_prepared(unit, columns.micros(now)) for unit in units]
        results: list[Result] = await self._write(
            partial(work.store, prepared),
            users=users_of(units),
            committed=partial(self._follow, units),
            unheard=partial(self._stored_unheard, units),
        )
        if any(type(change) is EraseUser for unit in units for change in unit.changes):
            await self._scrub()
        return results

    # --- messages out --------------------------------------------------------------------------------------------

    async def recover(self, now: datetime) -> list[Ticket]:
        """Settle what an unclean stop left in the middle of sending, then list all that waits."""
        return await self._write(partial(work.recover, columns.micros(now), self._claimant))

    async def claim(self, ids: Sequence[int], now: datetime) -> list[OutboxRow]:
        """Mark these waiting messages as being sent and give them."""
        until = None if self._claimant is None else columns.micros(now + LEASE)
        run = partial(work.claim, ids, columns.micros(now), (self._claimant, until))
        return await self._write(run, unheard=self._claimed_unheard)

    async def settle(self, settlements: Sequence[Settlement], now: datetime) -> Settled:
        """Note what became of claimed messages."""
        moment = columns.micros(now)
        statements = [statement for settlement in settlements for statement in settling(settlement, moment)]
        return await self._write(partial(work.settle, statements), committed=lambda it: self._muted(it.muted))

    async def confirm(self, row_id: int, address: Address, message_id: str, now: datetime) -> None:
        """Note that the messenger has the message of a row."""
        await self._write(partial(work.confirm, row_id, address, message_id, columns.micros(now)))

    # --- announcements -------------------------------------------------------------------------------------------

    async def settle_announcement(self, announcement_id: int) -> int:
        """Note what became of what was sent of an announcement; tells how much of it waits."""
        return await self._write(partial(work.settle_announcement, announcement_id))

    async def withdraw_announcement(self, announcement_id: int, now: datetime) -> None:
        """Take back what of an announcement waits to be sent."""
        await self._write(partial(work.execute_all, withdrawing(announcement_id, columns.micros(now))))

    async def recipient_zones(self, announcement_id: int) -> list[str]:
        """List the time zones of those who have yet to get an announcement."""
        return await self._read(partial(work.recipient_zones, announcement_id))

    async def waiting_recipients(self, announcement_id: int, zones: Sequence[str], limit: int) -> list[Recipient]:
        """List some who wait for an announcement in these zones."""
        return await self._read(partial(work.waiting_recipients, announcement_id, zones, limit))

    # --- the daily report ----------------------------------------------------------------------------------------

    async def span(self, since: datetime, until: datetime) -> Span:
        """Tell what happened from one instant up to another."""
        return await self._read(partial(work.span, columns.micros(since), columns.micros(until)))

    async def totals(self, lately: datetime) -> Totals:
        """Tell how many people and entries there are."""
        return await self._read(partial(work.totals, columns.micros(lately)))

    async def closed_days(self, first: date, last: date) -> list[Day]:
        """List the closed days of a span, both ends included, in order."""
        return await self._read(partial(work.closed_days, first, last))

    # --- housekeeping --------------------------------------------------------------------------------------------

    async def purge(self, retention: Retention) -> None:
        """Delete what is no longer needed, in several short transactions."""
        while await self._write(partial(work.purge_some, retention), committed=self._purged):
            pass
        await self._scrub()


def _prepared(unit: Unit, now: int) -> PreparedUnit | Result:
    try:
        return prepare(unit, now)
    except Foreign as error:
        return Result(outcome="failed", error=str(error))
