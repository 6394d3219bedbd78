"""The alerts actor: it owns what the owner is told, and how often.

It receives alerts from every part of the program and puts each into the outbox, in the owner's language and at most
once an hour for each cause; when that was is stored along with it, so that a program that starts again and again does
not repeat itself. Without an owner to write to, and while the storage fails, alerts wait.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from msgspec import structs

from actors.actor import Actor, Mailbox, MailboxClosed
from actors.waking import wake
from migrebot.errors import StorageUnavailable
from migrebot.i18n import translator
from migrebot.logs import get_logger, redact
from migrebot.messages import Address, Alert, Outgoing, Profile, Say, ToDelivery
from migrebot.reports.alerts import told
from storage.changes import Enqueue, NoteInstant, Unit
from storage.facts import NotedInstant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrebot.clock import Clock
    from storage.interface import Storage
    from storage.records import Conversation

EVERY = timedelta(hours=1)
"""The owner hears of one cause at most so often."""

WAITING = 50
"""Alerts that wait for an owner or for the storage; the oldest go first."""

RETRY_SECONDS = 60.0

log = get_logger("alerts")


class Alerts(Actor[Alert]):
    """Tells the owner; see the module."""

    name: ClassVar[str] = "alerts"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Alert],
        owner: Callable[[], Awaitable[Address | None]],
        storage: Storage,
        delivery: Mailbox[ToDelivery],
        clock: Clock,
    ) -> None:
        super().__init__(mailbox)
        self._owner = owner
        self._storage = storage
        self._delivery = delivery
        self._clock = clock
        self._waiting: deque[Alert] = deque(maxlen=WAITING)

    async def run(self) -> None:
        """Tell what comes in, and again and again what could not be told yet, until the mailbox is closed."""
        while True:
            with self._clock.move_on_after(RETRY_SECONDS if self._waiting else None):
                try:
                    self._note((await self.mailbox.get()).message)
                except MailboxClosed:
                    await self._tell_waiting()
                    return
            await self._tell_waiting()

    def _note(self, alert: Alert) -> None:
        log.warning("alert", cause=alert.cause, text=alert.text)
        if alert.cause not in {waiting.cause for waiting in self._waiting}:
            self._waiting.append(alert)

    async def _tell_waiting(self) -> None:
        try:
            owner = await self._owner() if self._waiting else None
            # Whoever has yet to write cannot be written to.
            while owner and self._waiting and not (await self._known(owner)).is_new:
                if not await self._was_told(self._waiting[0]):
                    await self._tell(owner, self._waiting[0])
                self._waiting.popleft()
        except StorageUnavailable:
            log.info("alerts_wait", waiting=len(self._waiting))

    async def _known(self, owner: Address) -> Conversation:
        return (await self._storage.who([(owner, Profile())], self._clock.now()))[0]

    async def _was_told(self, alert: Alert) -> bool:
        """Tell whether the owner heard of this cause within the hour; the clock may have been set back since."""
        fact = NotedInstant(0, _noted(alert))
        last = (await self._storage.load([fact]))[fact]
        return last is not None and timedelta(0) <= self._clock.now() - last < EVERY

    async def _tell(self, owner: Address, alert: Alert) -> None:
        now = self._clock.now()
        reader = (await self._known(owner)).user
        harmless = structs.replace(alert, text=redact(alert.text))
        text = str(told(harmless, translator(reader.language)))
        # Of one cause no more than one waits, should the owner's messenger be out for long.
        message = Outgoing(address=owner, body=Say(text), user_id=reader.id, key=_noted(alert))
        unit = Unit(changes=(Enqueue(message), NoteInstant(_noted(alert), now)))
        results = await self._storage.commit([unit], now)
        await wake(self._delivery, results[0].tickets)


def _noted(alert: Alert) -> str:
    """Name the instant at which the owner was told of this cause last, and the message that tells of it."""
    return f"alert {alert.cause}"
