"""The alerts actor: it owns what the owner is told, and how often.

It receives alerts from every part of the program and puts each into the outbox, in the owner's language and at most
once an hour for each cause. Without an owner to write to, and while the storage fails, alerts wait.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from markupsafe import escape

from actors.actor import Actor, Mailbox, MailboxClosed
from migrebot.errors import StorageUnavailable
from migrebot.logs import get_logger, redact
from migrebot.messages import Address, Alert, OutboxFilled, Outgoing, Profile, Say, ToDelivery
from storage.changes import Enqueue, Unit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from migrebot.clock import Clock
    from storage.interface import Storage

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
        self._told: dict[str, datetime] = {}
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
        now = self._clock.now()
        last = self._told.get(alert.cause)
        if last is None or now - last >= EVERY:
            self._told[alert.cause] = now
            self._waiting.append(alert)

    async def _tell_waiting(self) -> None:
        try:
            owner = await self._owner() if self._waiting else None
            while owner and self._waiting:
                await self._tell(owner, self._waiting[0])
                self._waiting.popleft()
        except StorageUnavailable:
            log.info("alerts_wait", waiting=len(self._waiting))

    async def _tell(self, owner: Address, alert: Alert) -> None:
        now = self._clock.now()
        known = (await self._storage.who([(owner, Profile())], now))[0]
        text = f"⚙️ {escape(redact(alert.text))}"
        user_id = None if known.is_new else known.user.id
        message = Outgoing(address=owner, body=Say(text), user_id=user_id)
        results = await self._storage.commit([Unit(changes=(Enqueue(message),))], now)
        try:
            await self._delivery.put(OutboxFilled(results[0].tickets))
        except MailboxClosed:
            log.info("delivery_is_closed", left=1)  # it is durable, the next run sends it
