"""The reporter: it owns what happened since the last daily report.

Nothing is counted beside the diary: a report is asked of the storage, so that a restart loses nothing and nothing is
counted twice. It receives word that something was recorded, and then tells listeners outside the new state of the
report, at most once a second. When a report is due it closes the day and writes to the owner, both in one transaction;
one that was missed while the program was down is made up for at the start, once, and says so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from actors.actor import Actor, Health, MailboxClosed, seconds_until
from actors.waking import wake
from migrebot.errors import StorageUnavailable
from migrebot.i18n import translator
from migrebot.logs import get_logger
from migrebot.messages import Outgoing, Profile, ReportChanged, Say
from migrebot.reminders.occurrences import firings
from migrebot.reminders.schedule import Cron, Schedule
from migrebot.reports.backups import remembered, summary
from migrebot.reports.daily import CLOSED_UNTIL, LATELY, Report, closed, told
from storage.changes import CloseDay, Enqueue, NoteInstant, Unit
from storage.facts import Noted, NotedInstant
from storage.names import BACKUP_FIGURES
from storage.records import InboxKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from actors.actor import Mailbox
    from migrebot.clock import Clock
    from migrebot.messages import Address, Recorded, ToDelivery, ToMirror
    from migrebot.reports.daily import Span
    from storage.changes import Change
    from storage.interface import Storage

GATHER_S = 1.0
"""Seconds in which what was recorded is gathered before the report is worked out anew."""

LOOK_S = 30.0
"""Seconds after which the wall clock is looked at again, at the latest: it may have been set."""

SLACK = timedelta(minutes=5)
"""A report later than this was missed."""

log = get_logger("reporter")


class Reporting(Struct, frozen=True, kw_only=True):
    """When reports are due: a cron expression in a zone. Without one the day is closed at midnight and nobody told."""

    cron: str
    timezone: str

    @property
    def schedule(self) -> Schedule:
        """Give the instants at which days are closed."""
        return Schedule(pattern=Cron(self.cron or "0 0 * * *"), timezone=self.timezone)


class Reporter(Actor["Recorded"]):
    """Makes the daily report; see the module."""

    name: ClassVar[str] = "reporter"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Recorded],
        storage: Storage,
        owner: Callable[[], Awaitable[Address | None]],
        delivery: Mailbox[ToDelivery],
        mirror: Mailbox[ToMirror],
        clock: Clock,
        reporting: Reporting,
    ) -> None:
        super().__init__(mailbox)
        self._storage = storage
        self._owner = owner
        self._delivery = delivery
        self._mirror = mirror
        self._clock = clock
        self._reporting = reporting
        self._since: datetime | None = None
        self._told: Report | None = None
        self._changed = True

    @property
    def closed_until(self) -> datetime | None:
        """Until when days are closed, as far as it is known yet."""
        return self._since

    async def current(self) -> Report:
        """Give today's report; raises `StorageUnavailable`."""
        return (await self._span(self._clock.now())).report

    async def run(self) -> None:
        """Tell what changes, and close days, until the mailbox is closed."""
        self._changed = True
        while True:
            due = None
            try:
                due = await self._catch_up()
                if self._changed:
                    await self._tell()
                self.health = Health()
            except StorageUnavailable as error:
                self.health = Health(detail=f"storage: {error}")
            try:
                await self._wait(due)
            except MailboxClosed:
                return

    async def _wait(self, due: datetime | None) -> None:
        """Wait until something was recorded, or a report is due, or it is time to look at the clock."""
        seconds = LOOK_S if due is None else min(LOOK_S, (due - self._clock.now()).total_seconds())
        with self._clock.move_on_after(seconds_until(seconds, 0.0)):
            await self.mailbox.get()
            self._changed = True
            await self._clock.sleep(GATHER_S)
        # Word may have come at the very moment the wait ended.
        self._changed |= bool(self.mailbox.take(len(self.mailbox)))

    # --- closing days --------------------------------------------------------------------------------------------

    async def _catch_up(self) -> datetime:
        """Close what is due; gives the instant at which the next report is due."""
        now = self._clock.now()
        since = await self._closed_until()
        last: datetime | None = None
        for instant in firings(self._reporting.schedule, since):
            if instant > now:
                if last is not None:
                    await self._close(last, missed=now - last > SLACK)
                return instant
            last = instant
        raise TypeError("a cron expression fires for ever")

    async def _close(self, until: datetime, *, missed: bool) -> None:
        span = await self._span(until)
        day = (until - timedelta(microseconds=1)).astimezone(ZoneInfo(self._reporting.timezone)).date()
        changes: list[Change] = [CloseDay(closed(day, span), until), NoteInstant(CLOSED_UNTIL, until)]
        owner = await self._owner() if self._reporting.cron else None
        if owner is not None:
            changes.append(await self._message(owner, span, missed=missed))
        unit = Unit(changes=tuple(changes), key=InboxKey("timer", f"report:{until:%Y%m%dT%H%M%S}"))
        result = (await self._storage.commit([unit], self._clock.now()))[0]
        self._since, self._changed = until, True
        log.info("day_closed", day=day.isoformat(), missed=missed, told=owner is not None)
        await wake(self._delivery, result.tickets)

    async def _message(self, owner: Address, span: Span, *, missed: bool) -> Enqueue:
        now = self._clock.now()
        known = (await self._storage.who([(owner, Profile())], now))[0]
        day = (span.until - timedelta(microseconds=1)).astimezone(ZoneInfo(self._reporting.timezone)).date()
        totals = await self._storage.totals(now - LATELY)
        tr = translator(known.user.language)
        fact = Noted(0, BACKUP_FIGURES)
        figures = remembered((await self._storage.load([fact]))[fact])
        backups = summary(figures, ZoneInfo(self._reporting.timezone), tr)
        text = told(span.report, totals, day, tr, missed=missed) + "\n\n" + backups
        user_id = None if known.is_new else known.user.id
        return Enqueue(Outgoing(address=owner, body=Say(str(text)), user_id=user_id))

    # --- today ---------------------------------------------------------------------------------------------------

    async def _closed_until(self) -> datetime:
        """Tell until when days are closed; the first day begins with the first run."""
        if self._since is None:
            fact = NotedInstant(0, CLOSED_UNTIL)
            self._since = (await self._storage.load([fact]))[fact]
        if self._since is None:
            self._since = self._clock.now()
            await self._storage.commit([Unit(changes=(NoteInstant(CLOSED_UNTIL, self._since),))], self._since)
        return self._since

    async def _span(self, until: datetime) -> Span:
        return await self._storage.span(await self._closed_until(), until)

    async def _tell(self) -> None:
        report = await self.current()
        if report != self._told and self._mirror.offer(ReportChanged(msgspec.json.encode(report))):
            self._told = report
        self._changed = False
