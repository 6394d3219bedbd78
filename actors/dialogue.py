"""The dialogue actor: it owns the conversations.

It receives what the channels took in, forms that expired and regular questions that are due. All that waits is handled
together: one transaction stores, for each message on its own savepoint, the inbox row, the user, the form, the diary
entries and the replies. Only after the commit is the channel told that the message is safe, delivery that there is
something to send, and the scheduler that something may be due earlier.

While one batch is stored, the next one is worked out: the processor has no need to wait for a server or a disk. At most
one message of a person is in both of them: the next one has to see what the first one changed. A message whose
handling raises is tried again twice and then set aside. After an unclean stop the messages that come again are
handled one by one, with the attempt committed first: one that kills the process is set aside too.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, get_args

import anyio.lowlevel
import msgspec
import structlog

from actors import places
from actors.actor import MAX_TRIES, Actor, Envelope, Health, Mailbox, MailboxClosed, attempt
from actors.answering import Answering
from actors.backlog import Backlog
from actors.batch import Batch, Item, key_of, quarantined, whose
from actors.listeners import Listeners
from actors.map_room import MapRoom
from actors.waking import wake
from migrebot.dialogue.router import may_be_secret
from migrebot.dialogue.turn import Setup
from migrebot.errors import StorageUnavailable
from migrebot.flood import FloodGate, Verdict
from migrebot.messages import (
    Address,
    Alert,
    Channel,
    FormExpired,
    Inbound,
    Paid,
    QuestionDue,
    Refunded,
    Stored,
    ToDelivery,
    ToDialogue,
    Undecodable,
)
from storage.changes import (
    EndSession,
    SaveAsking,
    Unit,
)
from storage.facts import AskingOf
from storage.records import Conversation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from collections.abc import Set as AbstractSet
    from contextlib import AsyncExitStack
    from datetime import datetime

    from anyio.abc import TaskGroup

    from migrebot.clock import Clock
    from storage.interface import Storage

BATCH = 64
"""Messages in one transaction: at 64 the cost of a commit is spread thin, and nobody waits long for the others."""

CAREFUL_PER_CHANNEL = 100
"""Messages per channel handled one by one after an unclean stop: as many as Telegram hands over again at once."""

COMES_AGAIN_S = 60.0
"""Seconds for which a message that could not be stored is waited for, before later ones of the sender are taken."""

TRY_AGAIN_S = 5.0
"""Seconds before what waited during maintenance is handled again after the storage failed."""

CHANNELS: tuple[str, ...] = get_args(Channel)

log = structlog.get_logger("dialogue")


class Dialogue(Actor[ToDialogue]):
    """Answers messages; see the module."""

    name: ClassVar[str] = "dialogue"

    def __init__(
        self,
        *,
        mailbox: Mailbox[ToDialogue],
        storage: Storage,
        delivery: Mailbox[ToDelivery],
        listeners: Listeners | None = None,
        clock: Clock,
        setup: Setup,
        new_id: Callable[[], int],
        on_alert: Callable[[Alert], None],
        flood: FloodGate | None = None,
        zones_at: Callable[[float, float], Awaitable[tuple[str, ...]]] = places.zones_at,
        login_link: Callable[[bool], str] = lambda _: "",
    ) -> None:
        super().__init__(mailbox)
        self._storage = storage
        self._delivery = delivery
        self._listeners = listeners or Listeners()
        self._clock = clock
        self._on_alert = on_alert
        self._flood = flood or FloodGate()
        self._map_room = MapRoom(mailbox, zones_at)
        self._careful: Counter[str] | None = None
        self._backlog = Backlog(storage=storage, clock=clock, on_alert=on_alert, has_owner=setup.owner is not None)
        self._answering = Answering(
            storage=storage,
            clock=clock,
            setup=setup,
            new_id=new_id,
            backlog=self._backlog,
            map_room=self._map_room,
            login_link=login_link,
        )
        self._foreign = 0
        self._first_again: dict[Address, tuple[str, float]] = {}
        self._under_way: Batch | None = None
        self._held: list[Envelope[ToDialogue]] = []
        self._faults: list[Exception] = []

    async def start(self, resources: AsyncExitStack) -> None:  # noqa: ARG002 - nothing to release
        """Learn whether the run before ended cleanly."""
        if self._careful is None:
            ended_cleanly = await self._storage.begin_run()
            self._careful = Counter() if ended_cleanly else Counter(dict.fromkeys(CHANNELS, CAREFUL_PER_CHANNEL))
            if not ended_cleanly:
                self._backlog.doubt()
        await self._backlog.learn()

    async def run(self) -> None:
        """Answer batch after batch until the mailbox is closed and empty."""
        async with anyio.create_task_group() as self._lookups:
            async with anyio.create_task_group() as tasks:
                await self._batches(tasks)
            self._lookups.cancel_scope.cancel()
        self._map_room.close()
        if self._faults:
            raise self._faults.pop()

    async def _batches(self, tasks: TaskGroup) -> None:
        """Work out one batch after the other, and have it stored as soon as the one before is."""
        while (envelopes := await self._next()) is not None:
            items = await attempt(self._work_out(envelopes))
            await self._stored()
            if isinstance(items, Exception):
                self._failed(envelopes, items)
            elif self._faults:
                self.mailbox.give_back([item.envelope for item in items])
            elif items:
                self._under_way = Batch(items)
                tasks.start_soon(self._store_batch, self._under_way)
            else:
                self._release()
            if self._backlog.is_maintenance or self._backlog.is_releasing:
                await self._stored()  # what is held now must not be missed by the end of the maintenance
                await self._work_off()

    async def _work_off(self) -> None:
        """Handle some of what waited, if the maintenance is over."""
        if self._faults or not self._backlog.is_releasing:
            return
        error = await attempt(self._release_some())
        if error is not None:
            self._failed([], error)
        else:
            self.health = Health()

    async def _next(self) -> list[Envelope[ToDialogue]] | None:
        """Wait for messages; None once the mailbox is closed and empty, or after a fault of the program."""
        while not self._faults:
            if len(self._held) >= BATCH:
                await self._stored()  # those count as taken no longer, and would come to be ever more
            try:
                envelopes = await self._take()
            except MailboxClosed:
                if self._under_way is None:
                    if await self._map_room.somebody_leaves():
                        continue
                    break
                await self._stored()  # it may give some back
                continue
            if not self._faults:
                return envelopes
            self.mailbox.give_back(envelopes)
        return None

    async def _store_batch(self, batch: Batch) -> None:
        try:
            again = await attempt(self._store(batch.items))
        finally:
            self._under_way = None
            self._release()
            batch.is_over.set()
        if isinstance(again, Exception):
            self._failed([item.envelope for item in batch.items], again)
        else:
            self.mailbox.give_back(again)
            self.health = Health()

    async def _stored(self) -> None:
        """Wait until nothing is under way."""
        if self._under_way is not None:
            await self._under_way.is_over.wait()

    def _release(self) -> None:
        """Let those be handled that had to wait for others of the same people."""
        held, self._held = self._held, []
        self.mailbox.give_back(held)

    def _failed(self, envelopes: list[Envelope[ToDialogue]], error: Exception) -> None:
        """Note that a batch came to nothing, while nothing is under way."""
        self._release()
        if isinstance(error, StorageUnavailable):
            self._storage_failed(envelopes, error)
        else:
            self._give_back_unsettled(envelopes)
            self._backlog.doubt()
            self._faults.append(error)

    async def _take(self) -> list[Envelope[ToDialogue]]:
        """Wait for messages; while those of a maintenance are worked off, take only what is there."""
        if self._backlog.is_releasing:
            if not self.health.serving:
                await self._clock.sleep(TRY_AGAIN_S)
            await anyio.lowlevel.checkpoint()
            if self.mailbox.is_over:
                raise MailboxClosed
            return self.mailbox.take(BATCH)
        return [await self.mailbox.get(), *self.mailbox.take(BATCH - 1)]

    def _give_back_unsettled(self, envelopes: Sequence[Envelope[ToDialogue]]) -> None:
        """A bug took the whole batch down: each of its messages is tried alone next, which finds the culprit."""
        unsettled = [envelope for envelope in envelopes if not envelope.is_settled]
        for envelope in unsettled:
            envelope.tries += 1
        waiting = self.mailbox.take(len(self.mailbox))
        again = [envelope for envelope in waiting if envelope not in unsettled]
        self.mailbox.give_back([*unsettled, *again])

    def _storage_failed(self, envelopes: list[Envelope[ToDialogue]], error: StorageUnavailable) -> None:
        """Nothing was stored, so nothing is acknowledged: the channels hand all of it in again.

        So it is with all that waits: what comes again must not find a later message of the same person done.
        """
        log.error("storage_unavailable", reason=str(error))
        self._backlog.forget()
        self.health = Health(serving=False, detail=f"storage: {error}")
        self._on_alert(Alert(cause="storage", text=f"The storage does not work: {error}"))
        waiting = self.mailbox.take(len(self.mailbox))
        # What was in a batch is older than all that waited, some of which the batch before may have failed already.
        self._first_again = self._firsts(waiting) | self._first_again | self._firsts(envelopes)
        for envelope in (*envelopes, *waiting):
            envelope.fail(error)

    def _firsts(self, envelopes: Sequence[Envelope[ToDialogue]]) -> dict[Address, tuple[str, float]]:
        """Tell which message of each sender has to come again first, and until when it is waited for."""
        until = self._clock.monotonic() + COMES_AGAIN_S
        found: dict[Address, tuple[str, float]] = {}
        for envelope in envelopes:
            if isinstance(envelope.message, Inbound) and not envelope.is_settled:
                found.setdefault(envelope.message.address, (envelope.message.key, until))
        return found

    def _comes_too_early(self, message: Inbound) -> bool:
        """Tell whether an earlier message of the same sender, which could not be stored, has yet to come again."""
        key, until = self._first_again.get(message.address, (message.key, 0.0))
        if key == message.key or self._clock.monotonic() > until:
            self._first_again.pop(message.address, None)
            return False
        return True

    async def _work_out(self, envelopes: list[Envelope[ToDialogue]]) -> list[Item]:
        """Work out what is to be stored; what has to be handled alone is handled here."""
        await self._backlog.learn()
        together = []
        for envelope in envelopes:
            if self._map_room.takes(envelope):
                continue
            if envelope.tries or self._is_careful(envelope.message):
                await self._handle_alone(envelope)
            else:
                together.append(envelope)
        return await self._worked_out(together) if together else []

    def _is_careful(self, message: ToDialogue) -> bool:
        return isinstance(message, Inbound) and bool(self._careful and self._careful[message.address.channel])

    async def _handle_alone(self, envelope: Envelope[ToDialogue]) -> None:
        await self._stored()
        message = envelope.message
        if envelope.tries >= MAX_TRIES:
            await self._set_aside(envelope, "it failed each time")
            return
        if isinstance(message, Inbound) and self._careful and self._careful[message.address.channel]:
            self._careful[message.address.channel] -= 1
            key = key_of(message)
            if key in await self._storage.handled([key]):
                envelope.answer(Stored("repeated"))
                return
            if await self._storage.attempt(key, self._clock.now()) > MAX_TRIES:
                await self._set_aside(envelope, "it ended the program each time")
                return
        self.mailbox.give_back(await self._store(await self._worked_out([envelope])))
        self.health = Health()

    async def _release_some(self) -> None:
        """Handle some of what waited during maintenance."""
        held = await self._backlog.next()
        senders = [(one.message.address, one.message.profile) for one in held]
        conversations = await self._storage.who(senders, self._clock.now()) if senders else []
        people: dict[int, Item] = {}
        for one, conversation in zip(held, conversations, strict=True):
            envelope: Envelope[ToDialogue] = Envelope(one.message, wants_answer=False)
            people.setdefault(conversation.user.id, Item(envelope, conversation=conversation, held=one))
        items = list(people.values())
        await self._answering.answer(items)
        await self._store(items)

    async def _worked_out(self, envelopes: list[Envelope[ToDialogue]]) -> list[Item]:
        items = await self._one_each(envelopes)
        await self._answering.answer(items)
        for item in items:
            if item.place is not None and isinstance(item.envelope.message, Inbound):
                self._map_room.hold(item.envelope.message.address, item.envelope, item.place, self._lookups)
        # What is found may go back before those that are held here do, and would be overtaken by its sender's others.
        self._held = [envelope for envelope in self._held if not self._map_room.takes(envelope)]
        return [item for item in items if item.place is None]

    async def _store(self, items: list[Item]) -> list[Envelope[ToDialogue]]:
        """Store a batch and tell everybody; gives the messages that are to be tried again."""
        ready = [item for item in items if item.unit is not None]
        results = await self._storage.commit([item.unit for item in ready if item.unit], self._clock.now())
        tickets = tuple(ticket for result in results for ticket in result.tickets)
        await wake(self._delivery, tickets)
        done = [
            item.unit for item, result in zip(ready, results, strict=True) if item.unit and result.outcome == "done"
        ]
        self._backlog.follow(done)
        await self._listeners.tell(done)
        for item, result in zip(ready, results, strict=True):
            if result.outcome == "failed":
                item.error = result.error
            else:
                item.envelope.answer(Stored(item.outcome if result.outcome == "done" else "repeated"))
        self._tell_of_strangers([item for item in ready if item.is_foreign and not item.error])
        return await self._to_try_again(items)

    def _tell_of_strangers(self, refused: Sequence[Item]) -> None:
        """Tell the owner of buttons that were refused, because what they are about belongs to somebody else."""
        self._foreign += len(refused)
        if refused:
            text = (
                "Somebody pressed a button that belongs to somebody else's diary. It was refused."
                f" Refused since the start: {self._foreign}."
            )
            self._on_alert(Alert(cause="somebody else's button", text=text))

    # --- who writes, one message each ----------------------------------------------------------------------------

    async def _one_each(self, envelopes: list[Envelope[ToDialogue]]) -> list[Item]:
        """Find out who writes; a second message of somebody is held until the first one is stored."""
        items: list[Item] = []
        people: list[Item] = []
        timers: list[tuple[Envelope[ToDialogue], FormExpired | QuestionDue]] = []
        addresses: set[Address] = set()
        busy = self._under_way.people if self._under_way is not None else frozenset()
        # Nothing is waited for on this way, so that what is held stays in order.
        for envelope in envelopes:
            message = envelope.message
            if isinstance(message, Undecodable):
                items.append(Item(envelope, unit=quarantined(message, message.reason), outcome="quarantined"))
            elif whose(message) in busy:
                self._held.append(envelope)
            elif isinstance(message, FormExpired | QuestionDue):
                timers.append((envelope, message))
            elif self._comes_too_early(message):
                envelope.fail(StorageUnavailable("an earlier message comes first"))
            elif self._judged(envelope, message) == "drop":
                items.append(Item(envelope, unit=Unit(key=key_of(message))))
            elif message.address in addresses:
                self._held.append(envelope)
            else:
                addresses.add(message.address)
                people.append(Item(envelope))
        for envelope, timer in timers:
            items.extend(await self._of_timer(envelope, timer))
        users = {timer.user_id for _, timer in timers}
        items.extend(await self._identified(people, users | busy))
        if self._under_way is None:
            self._release()
        return items

    def _judged(self, envelope: Envelope[ToDialogue], message: Inbound) -> Verdict:
        if isinstance(message.content, Paid | Refunded):
            return "fine"  # Telegram wrote it, and it is about money
        if envelope.mark is None:
            envelope.mark = self._flood.judge(message.address, message.written_at or message.received_at)
        verdict: Verdict = envelope.mark
        return verdict

    async def _identified(self, items: list[Item], others: AbstractSet[Address | int]) -> list[Item]:
        """Find out who the senders are; those who are among the `others`, or there twice, have to wait."""
        messages = [item.envelope.message for item in items]
        senders = [(message.address, message.profile) for message in messages if isinstance(message, Inbound)]
        conversations = await self._storage.who(senders, self._clock.now()) if senders else []
        identified: dict[int, Item] = {}
        later: list[Envelope[ToDialogue]] = []
        for item, conversation in zip(items, conversations, strict=True):
            user_id = conversation.user.id
            if user_id in identified or user_id in others:
                later.append(item.envelope)
            else:
                item.conversation = conversation
                identified[user_id] = item
        # In front: a later message from the same address may be held already.
        self._held = [*later, *self._held]
        return list(identified.values())

    async def _of_timer(self, envelope: Envelope[ToDialogue], message: FormExpired | QuestionDue) -> list[Item]:
        """Find out whom it is about, if it is still so."""
        if isinstance(message, FormExpired):
            conversation = await self._expired(message)
        else:
            conversation = await self._storage.reachable(message.user_id)
        if conversation is None:
            envelope.answer(Stored("repeated"))
            return []
        return [Item(envelope, conversation=conversation)]

    async def _expired(self, message: FormExpired) -> Conversation | None:
        conversation = await self._storage.holder(message.user_id)
        session = conversation.session if conversation else None
        if session is None or session.token != message.token or session.expires_at > self._clock.now():
            return None
        return conversation

    # --- what failed ---------------------------------------------------------------------------------------------

    async def _to_try_again(self, items: Sequence[Item]) -> list[Envelope[ToDialogue]]:
        """Set aside what was tried in vain too often; gives the rest of what failed."""
        again = []
        for item in items:
            if not item.error:
                continue
            if item.held is not None:
                await self._backlog.may_be_tried(item.held)  # it is still the next one of its sender
                continue
            item.envelope.tries += 1
            if item.envelope.tries >= MAX_TRIES:
                await self._set_aside(item.envelope, item.error)
            else:
                again.append(item.envelope)
        return again

    async def _set_aside(self, envelope: Envelope[ToDialogue], reason: str) -> None:
        message = envelope.message
        log.error("message_set_aside", message=type(message).__name__, reason=reason)
        now = self._clock.now()
        if isinstance(message, Inbound):
            # Known to be somebody's, so that it goes when that person asks to be forgotten.
            known = (await self._storage.who([(message.address, message.profile)], now))[0]
            unit = quarantined(message, reason, None if known.is_new else known.user.id)
            if may_be_secret(message.content, known.session):
                unit = msgspec.structs.replace(unit, raw=b"")  # what is set aside is in backups
            await self._storage.commit([unit], now)
        elif isinstance(message, FormExpired):
            await self._storage.commit([Unit(changes=(EndSession(message.user_id),))], now)
        elif isinstance(message, QuestionDue):
            await self._skip_question(message, now)
        self._on_alert(Alert(cause="message set aside", text=f"A message could not be handled: {reason}"))
        envelope.answer(Stored("quarantined"))

    async def _skip_question(self, message: QuestionDue, now: datetime) -> None:
        """Leave out a question that cannot be put, so that it is not due for ever."""
        fact = AskingOf(message.user_id)
        asking = (await self._storage.load([fact]))[fact]
        tomorrow = msgspec.structs.replace(asking, next_at=now + timedelta(days=1))
        await self._storage.commit([Unit(changes=(SaveAsking(tomorrow),), user_id=message.user_id)], now)
