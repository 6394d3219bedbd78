"""The delivery actor: takes what waits in the outbox to the messengers.

Owns: when and in which order messages are sent, and which of them again. Receives `OutboxFilled` and `ChatOpened`.
Emits: nothing but messages to people, and an `Alert` where one was lost for a reason the owner should know.

In memory there are tickets only. A message is claimed just before it is sent: it is durably marked as being sent
before the network sees it, and its outcome is stored before the next one of its chat goes. So whatever kills the
process in between, the storage knows which messages may have got out.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Literal

import anyio
from msgspec import Struct

from actors.actor import Actor, Health, MailboxClosed, attempt
from actors.lane import Lane, Row
from actors.ledger import Ledger, Outcome
from actors.pacing import backoff, pause
from actors.signals import Signal, Workers
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.logs import get_logger
from migrebot.messages import Alert, Channel, ChatOpened, OutboxFilled, Priority, Ticket
from storage.interface import WAITS_FOR_PERSON, GivenUp, Postponed, Sent
from storage.retrying import may_go_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AsyncExitStack

    from actors.actor import Mailbox
    from actors.channel import Sender
    from migrebot.clock import Clock
    from storage.interface import Settled, Storage
    from storage.records import OutboxRow

log = get_logger("delivery")

FLUSH_SECONDS = 5.0
"""How long messages that can go are still sent after the mailbox was closed; the program ends within ten."""

LONGEST_SLEEP = 30.0
"""Seconds until the wall clock is looked at again while a message is held back: it may be set, or sleep."""

SHORTEST_SLEEP = 0.001
"""Seconds; the loop's timers are no finer, and a shorter wait for a rounding error would spin."""


Why = Literal["recipient_gone", "refused", "outcome_unknown", "rate_limit", "unreachable", "chat_fails", "window"]
"""What kept a message from being sent, in classes that are the same for all messengers."""


class ChannelStatistics(Struct, frozen=True, kw_only=True):
    """How one channel fares: counts since the actor was made, rows waiting now, seconds the oldest has waited.

    `failures` and `postponements` say of how many `failed` and `postponed` ones each `Why` was the reason.
    """

    sent: int
    failed: int
    postponed: int
    waiting: int
    oldest_seconds: float
    failures: dict[Why, int]
    postponements: dict[Why, int]


class _Link:
    """One channel: its sender, what waits for it, how it fared."""

    def __init__(self, channel: Channel, sender: Sender) -> None:
        self.channel: Channel = channel
        self.sender = sender
        self.sent = 0
        self.failures: Counter[Why] = Counter()
        self.postponements: Counter[Why] = Counter()
        self.begin()

    def begin(self) -> None:
        """Forget what waits; the counts stay."""
        self.lane = Lane(self.sender.limits, self.sender.reachable)
        self.out_since: datetime | None = None


class _Errand(Struct, frozen=True):
    """A claimed row that goes now."""

    link: _Link
    row: Row
    claim: OutboxRow


class Delivery(Actor[OutboxFilled | ChatOpened]):
    """Sends what waits, in order per chat, inside the messengers' limits, each message at most twice.

    `senders` are the channels that are set up; what waits for others stays in the outbox.
    """

    name = "delivery"

    def __init__(
        self,
        *,
        mailbox: Mailbox[OutboxFilled | ChatOpened],
        storage: Storage,
        senders: Mapping[Channel, Sender],
        clock: Clock,
        on_alert: Callable[[Alert], None] | None = None,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        super().__init__(mailbox)
        self._storage = storage
        self._clock = clock
        self._on_alert = on_alert
        self._flush_seconds = flush_seconds
        self._links: dict[Channel, _Link] = {channel: _Link(channel, sender) for channel, sender in senders.items()}
        self._ledger = Ledger(storage=storage, clock=clock, on_stored=self._stored, on_change=self._storage_changed)
        self._begin()

    def _begin(self) -> None:
        for link in self._links.values():
            link.begin()
        self._later: list[tuple[datetime, int, Ticket]] = []
        self._stop_at: float | None = None
        self._changed = Signal()

    @property
    def statistics(self) -> dict[Channel, ChannelStatistics]:
        """Tell how each channel fares."""
        now = self._clock.monotonic()
        return {
            channel: ChannelStatistics(
                sent=link.sent,
                failed=link.failures.total(),
                postponed=link.postponements.total(),
                failures=dict(link.failures),
                postponements=dict(link.postponements),
                waiting=len(link.lane),
                oldest_seconds=link.lane.oldest_age(now),
            )
            for channel, link in self._links.items()
        }

    # --- the life of the actor ---

    async def start(self, resources: AsyncExitStack) -> None:  # noqa: ARG002 - it acquires nothing
        """Store what a run before left in memory, and read what waits."""
        await self._ledger.begin()
        self._begin()
        for ticket in await self._storage.recover(self._clock.now()):
            self._add(ticket, recovered=True)
        self._tell_health()

    async def run(self) -> None:
        """Send until the mailbox is closed and nothing is left that can go within the bound."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._listen)
                group.start_soon(self._ledger.keep)
                await self._dispatch(Workers(group, self._send))
                group.cancel_scope.cancel()
        finally:
            await self._ledger.close()

    async def handle(self, message: OutboxFilled | ChatOpened) -> None:
        """Take note of rows that wait, or of a chat that can be reached again."""
        match message:
            case OutboxFilled(tickets):
                for ticket in tickets:
                    self._add(ticket)
            case ChatOpened(address):
                if link := self._links.get(address.channel):
                    link.lane.open_chat(address.value, self._clock.monotonic())
        self._changed.set()

    async def _listen(self) -> None:
        while True:
            try:
                envelope = await self.mailbox.get()
            except MailboxClosed:
                break
            await self.handle_or_set_aside(envelope)
        self._stop_at = self._clock.monotonic() + self._flush_seconds
        self._changed.set()

    # --- what waits ---

    def _add(self, ticket: Ticket, *, recovered: bool = False) -> None:
        link = self._links.get(ticket.address.channel)
        if link is None:
            return
        now, wall = self._clock.monotonic(), self._clock.now()
        if ticket.not_before is None or ticket.not_before <= wall:
            link.lane.add(ticket, now)
        elif recovered and ticket.priority != Priority.QUESTION:
            # Only questions are held back from the first: this one waits to be repeated, and so do those behind it.
            link.lane.add(ticket, now, retry_at=now + (ticket.not_before - wall).total_seconds())
        elif ticket.id not in link.lane:
            heappush(self._later, (ticket.not_before, ticket.id, ticket))

    def _add_due(self) -> None:
        """Let those wait that were held back until now."""
        while self._later and self._later[0][0] <= self._clock.now():
            _, _, ticket = heappop(self._later)
            self._links[ticket.address.channel].lane.add(ticket, self._clock.monotonic())

    # --- sending ---

    async def _dispatch(self, workers: Workers[_Errand]) -> None:
        """Send whatever may go, then wait for what changes that; return when the actor is to end."""
        while True:
            self._add_due()
            now = self._clock.monotonic()
            if picked := self._pick(now):
                await self._claim_and_send(picked, workers)
                continue
            deadline = self._next_deadline(now)
            if self._is_done(deadline, now):
                return
            await self._wait(deadline, now)

    def _pick(self, now: float) -> dict[int, tuple[_Link, Row]]:
        if now < self._ledger.retry_at or self._is_over(now):
            return {}
        return {row.id: (link, row) for link in self._links.values() for row in link.lane.pick(now)}

    def _next_deadline(self, now: float) -> float:
        """Tell when the next message can go, as far as is known; infinity if only an event can bring one."""
        deadline = math.inf
        for link in self._links.values():
            at = link.lane.next_deadline(now)
            if at is not None:
                deadline = min(deadline, at)
        if self._later:
            seconds = (self._later[0][0] - self._clock.now()).total_seconds()
            deadline = min(deadline, now + min(LONGEST_SLEEP, seconds))
        return max(deadline, self._ledger.retry_at)

    async def _wait(self, deadline: float, now: float) -> None:
        if self._stop_at is not None:
            # Past the bound only what is under way is waited for.
            deadline = math.inf if self._is_over(now) else min(deadline, self._stop_at)
        if math.isinf(deadline):
            await self._changed.wait()
            return
        with self._clock.move_on_after(max(SHORTEST_SLEEP, deadline - now)):
            await self._changed.wait()

    def _is_over(self, now: float) -> bool:
        return self._stop_at is not None and now >= self._stop_at

    def _is_done(self, deadline: float, now: float) -> bool:
        if self._stop_at is None or any(link.lane.in_flight for link in self._links.values()):
            return False
        if self._ledger.pending:
            return self._is_over(now) and self._ledger.out_since is not None
        return self._is_over(now) or deadline > self._stop_at

    async def _claim_and_send(self, picked: dict[int, tuple[_Link, Row]], workers: Workers[_Errand]) -> None:
        claimed = await self._ledger.claim(list(picked))
        now = self._clock.monotonic()
        cancelled = anyio.current_effective_deadline() == -math.inf
        for claim in claimed or ():
            link, row = picked.pop(claim.id)
            if cancelled:
                link.lane.landed(row)
            elif link.lane.admit(row, claim.body, now):
                workers.do(_Errand(link, row, claim))
                continue
            # It was not tried: its place within the messenger's limits is not there yet, or there is no time left.
            waits = Postponed(id=row.id, not_before=self._clock.now(), reason="not its turn", reached=False)
            self._ledger.note(Outcome(link.lane, row, waits))
        for link, row in picked.values():
            link.lane.landed(row)
            if claimed is None:
                link.lane.repeat(row, row.retry_at, now)
            else:
                # It was taken back, erased or muted meanwhile.
                link.lane.forget(row, now)

    async def _send(self, errand: _Errand) -> None:
        link, row = errand.link, errand.row
        result = await attempt(link.sender.send(errand.claim))
        outcome = self._judge(errand, result)
        link.lane.landed(row)
        self._ledger.note(outcome)

    # --- what became of it ---

    def _judge(self, errand: _Errand, result: str | Exception) -> Outcome:
        link, row = errand.link, errand.row
        match result:
            case str(message_id):
                self._answered(link, row)
                link.sent += 1
                return Outcome(link.lane, row, Sent(row.id, message_id, errand.claim.to_offer))
            case NotSent() if result.until_person_writes and row.priority == Priority.ANNOUNCEMENT:
                # The day on which it was to go is over before the person writes again, perhaps.
                self._answered(link, row)
                return self._give_up(errand, WAITS_FOR_PERSON, why="window")
            case NotSent() if result.until_person_writes:
                return self._hold(errand)
            case NotSent():
                until = self._not_sent(link, row, result)
                return self._postpone(errand, result.reason, why=_why(result), until=until, reached=False)
            case Refused():
                self._answered(link, row)
                why: Why = "recipient_gone" if result.recipient_gone else "refused"
                return self._give_up(errand, result.reason, why=why, mute=result.recipient_gone)
            case Uncertain():
                return self._uncertain(errand, result.reason)
            case _:
                log.error("sender_failed", channel=link.channel, row=row.id, exc_info=result)
                text = f"Sending by {link.channel} met an unforeseen error."
                self._alert(Alert(cause=f"{link.channel} sender", text=text))
                return self._uncertain(errand, type(result).__name__)

    def _not_sent(self, link: _Link, row: Row, error: NotSent) -> float:
        """Pause what has to be paused; tell until when."""
        now = self._clock.monotonic()
        if error.retry_after is not None:
            self._answered(link, row)
            seconds = pause(error.retry_after)
            log.warning("paused_by_messenger", channel=link.channel, seconds=seconds, whole=error.whole_channel)
            if not error.whole_channel:
                return link.lane.limited(row, seconds, now)
            link.lane.pause(now + seconds)
            return now + seconds
        if not error.whole_channel:
            return link.lane.failed(row, now)
        if link.out_since is None:
            link.out_since = self._clock.now()
            log.warning("messenger_unreachable", channel=link.channel, reason=error.reason)
            self._tell_health()
        return link.lane.unreachable(now)

    def _hold(self, errand: _Errand) -> Outcome:
        """Let the row wait, for all to see, until the person writes."""
        self._answered(errand.link, errand.row)
        errand.link.lane.close_chat(errand.row)
        return self._postpone(errand, WAITS_FOR_PERSON, why="window", until=self._clock.monotonic(), reached=False)

    def _uncertain(self, errand: _Errand, reason: str) -> Outcome:
        claim, link = errand.claim, errand.link
        log.warning("outcome_unknown", channel=link.channel, row=claim.id, attempt=claim.attempts, reason=reason)
        if not may_go_again(claim):
            return self._give_up(errand, "outcome unknown", why="outcome_unknown")
        until = self._clock.monotonic() + backoff(claim.attempts, claim.address.value)
        return self._postpone(errand, reason, why="outcome_unknown", until=until, reached=True)

    def _postpone(self, errand: _Errand, reason: str, *, why: Why, until: float, reached: bool) -> Outcome:
        errand.link.postponements[why] += 1
        not_before = self._clock.now() + timedelta(seconds=until - self._clock.monotonic())
        waits = Postponed(id=errand.row.id, not_before=not_before, reason=reason, reached=reached)
        return Outcome(errand.link.lane, errand.row, waits, until)

    def _give_up(self, errand: _Errand, reason: str, *, why: Why, mute: bool = False) -> Outcome:
        link, row = errand.link, errand.row
        link.failures[why] += 1
        log.warning("given_up", channel=link.channel, row=row.id, reason=reason, recipient_gone=mute)
        alert = None
        if not mute and why != "window":
            text = f"A message by {link.channel} was given up: {reason}"
            alert = Alert(cause=f"{link.channel} lost", text=text)
        return Outcome(link.lane, row, GivenUp(id=row.id, reason=reason, mute=mute), alert=alert)

    def _answered(self, link: _Link, row: Row) -> None:
        """Note that the messenger is there."""
        link.lane.succeeded(row)
        if link.out_since is not None:
            link.out_since = None
            log.info("messenger_reachable", channel=link.channel)
            self._tell_health()
            self._changed.set()

    def _stored(self, outcomes: Sequence[Outcome], settled: Settled) -> None:
        """Free the chats whose outcome is durable; take note of what goes to other chats instead."""
        now = self._clock.monotonic()
        for outcome in outcomes:
            if outcome.alert is not None and outcome.row.id not in settled.arrived:
                self._alert(outcome.alert)
            match outcome.settlement:
                case Postponed():
                    outcome.lane.repeat(outcome.row, outcome.retry_at, now)
                case GivenUp(mute=True):
                    outcome.lane.drop_chat(outcome.row, now)
                case Sent() | GivenUp():
                    outcome.lane.forget(outcome.row, now)
        for ticket in settled.rerouted:
            self._add(ticket)
        self._changed.set()

    # --- telling ---

    def _storage_changed(self) -> None:
        self._tell_health()
        self._changed.set()

    def _tell_health(self) -> None:
        details = [
            f"{channel}: cannot be reached since {link.out_since:%H:%M}"
            for channel, link in self._links.items()
            if link.out_since is not None
        ]
        if self._ledger.out_since is not None:
            details.insert(0, f"storage: not available since {self._ledger.out_since:%H:%M}")
        self.health = Health(serving=self._ledger.out_since is None, detail="; ".join(details) or "ok")

    def _alert(self, alert: Alert) -> None:
        if self._on_alert is not None:
            self._on_alert(alert)


def _why(error: NotSent) -> Why:
    if error.retry_after is not None:
        return "rate_limit"
    return "unreachable" if error.whole_channel else "chat_fails"
