"""The long poll: asks for updates, has them stored, and only then lets Telegram forget them."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio

from actors import telegram_wire as wire
from actors.actor import Health, MailboxClosed, NotHandled
from actors.pacing import backoff, pause
from actors.telegram_link import Conflict, TokenRefused
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.logs import get_logger
from migrebot.messages import Checkout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from actors.actor import Envelope, Mailbox
    from actors.telegram_cashier import Cashier
    from actors.telegram_client import TelegramClient
    from migrebot.clock import Clock
    from migrebot.messages import Alert, Inbound, ToDialogue, Undecodable

LONG_POLL = 45
"""Seconds; Telegram grants 50, but what stands between may count from an earlier moment."""

BATCH = 100
"""Updates at once, as many as Telegram gives."""

HOPELESS = 3
"""Times that the same unreadable answer must come before it is set aside: one that was cut on the way does not."""

LOOK_AHEAD = 3.0
"""Seconds that storing may take until somebody looks for payments that wait behind: of those each has ten."""

OTHER_POLLER = "another program polls with this token; stop it or use another bot"

_log = get_logger("telegram")


class Poller:
    """Polls until it is stopped. Whatever goes wrong is said in the health and tried again."""

    def __init__(
        self,
        *,
        client: TelegramClient,
        dialogue: Mailbox[ToDialogue],
        cashier: Cashier,
        clock: Clock,
        on_health: Callable[[Health], None],
        on_alert: Callable[[Alert], None],
        on_written: Callable[[Inbound | Undecodable], None],
    ) -> None:
        self.reached = anyio.Event()
        self._client = client
        self._dialogue = dialogue
        self._cashier = cashier
        self._clock = clock
        self._on_health = on_health
        self._on_alert = on_alert
        self._on_written = on_written
        self._offset: int | None = None
        self._limit = BATCH
        self._failures = 0
        self._health: Health | None = None
        self._out_since = ""
        self._unreadable = (b"", 0)
        self._stopped = False
        self._waiting: anyio.CancelScope | None = None

    def stop(self) -> None:
        """Ask for no more updates; those already received are still stored."""
        self._stopped = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def run(self) -> None:
        """Poll until `stop`; `reached` is set when Telegram has answered for the first time."""
        while not self._stopped:
            body = None
            with self._interruptible():
                body = await self._asked()
            if body is not None:
                await self._take(body)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let `stop` end the waiting inside: a long poll or a pause, but never the storing of what came."""
        with anyio.CancelScope() as self._waiting:
            if self._stopped:  # while something was being stored
                self._waiting.cancel()
            yield
        self._waiting = None

    async def _asked(self) -> bytes | None:
        """Ask once; None if there was no answer, after the pause that is due then."""
        # At first and after trouble it waits for nothing, so that how things are now shows at once.
        wait = LONG_POLL if self._health == Health() else 0
        try:
            return await self._client.updates(
                offset=self._offset, limit=self._limit, wait=wait, kinds=wire.ALLOWED_UPDATES
            )
        except TokenRefused as refused:
            self._say(Health(False, refused.reason), refused.reason)
            self._on_alert(refused.alert)
            await self._clock.sleep(pause(refused.retry_after or 0))
        except Conflict as conflict:
            await self._in_conflict(conflict)
        except (NotSent, Uncertain, Refused) as error:
            await self._cut_off(error)
        return None

    async def _in_conflict(self, conflict: Conflict) -> None:
        self._say(Health(True, OTHER_POLLER), conflict.reason)
        if conflict.by_webhook:
            # Left behind by webhook mode, ours or another program's; the updates that wait there are kept.
            try:
                await self._client.delete_webhook()
                _log.info("webhook_deleted")
            except (NotSent, Uncertain, Refused) as error:
                _log.warning("webhook_not_deleted", reason=error.reason)
        await self._back_off()

    async def _cut_off(self, error: NotSent | Uncertain | Refused) -> None:
        if isinstance(error, NotSent) and error.retry_after is not None:
            seconds = pause(error.retry_after)
            self._say(Health(True, f"Telegram asks for a pause of {seconds:.0f} s"), error.reason)
            await self._clock.sleep(seconds)
            return
        self._out_since = self._out_since or f"{self._clock.now():%H:%M} UTC"
        self._say(Health(True, f"cannot reach Telegram since {self._out_since}"), error.reason)
        await self._back_off()

    async def _back_off(self) -> None:
        self._failures += 1
        await self._clock.sleep(backoff(self._failures, "telegram"))

    def _say(self, health: Health, reason: str = "") -> None:
        """Tell how it goes; the log hears of a change only."""
        if health == self._health:
            return
        self._health = health
        self._on_health(health)
        if reason:
            _log.warning("polling_impeded", detail=health.detail, reason=reason)
        else:
            _log.info("polling")

    async def _take(self, body: bytes) -> None:
        """Have the updates stored, and find out what the next question may confirm."""
        try:
            updates = wire.split(body)
        except wire.UnreadableBody as error:
            with self._interruptible():
                await self._isolate(body, error)
            if not self._is_hopeless(body):
                return
            updates = [body]
        self._answered_well()
        results = await self._stored(updates)
        # None if nothing came: all is confirmed then, and a question without an offset is right even if the numbers,
        # which Telegram draws anew after a week without updates, begin below the last one.
        self._offset = wire.next_offset(results)
        if all(stored for _, stored in results) and (self._offset is not None or not results):
            self._failures = 0
            return
        with self._interruptible():
            await self._back_off()

    def _answered_well(self) -> None:
        self.reached.set()
        self._out_since = ""
        self._limit = BATCH
        self._unreadable = (b"", 0)
        self._say(Health())

    async def _isolate(self, body: bytes, error: wire.UnreadableBody) -> None:
        """Ask for one update at a time, so that the one that spoils an answer stands alone in it."""
        same, times = self._unreadable
        digest = hashlib.sha256(body).digest()
        self._unreadable = digest, times + 1 if digest == same else 1
        if self._limit > 1:
            self._limit = 1
            return
        await self._cut_off(Uncertain(f"its answer is not JSON ({error})"))

    def _is_hopeless(self, body: bytes) -> bool:
        """Tell whether the answer is an update that nobody can read, rather than one that was cut on the way."""
        _, times = self._unreadable
        whole = body.rstrip().endswith(b"]}") and wire.update_id(body) is not None
        return self._limit == 1 and times >= HOPELESS and whole

    async def _stored(self, updates: list[bytes]) -> list[tuple[int | None, bool]]:
        """Have them stored, in order and all at once; gives their numbers, each with whether it was."""
        now = self._clock.now()
        messages = [wire.decode(raw, now) for raw in updates]
        async with anyio.create_task_group() as meanwhile:
            meanwhile.start_soon(self._look_ahead)
            stored = await self._keys_stored(messages)
            meanwhile.cancel_scope.cancel()
        return [(_number(message.key), message.key in stored) for message in messages]

    async def _keys_stored(self, messages: list[Inbound | Undecodable | Checkout]) -> set[str]:
        """Hand them over, and answer beside it who is about to pay; gives the keys of what was stored."""
        stored: set[str] = set()
        async with anyio.create_task_group() as tasks:
            asked = []
            for message in messages:
                if isinstance(message, Checkout):
                    tasks.start_soon(self._check_out, message, stored)
                else:
                    asked.append((message.key, await self._asked_to_store(message)))
            for key, envelope in asked:
                if envelope is not None and await _is_stored(envelope):
                    stored.add(key)
        return stored

    async def _asked_to_store(self, message: Inbound | Undecodable) -> Envelope[Any] | None:
        self._on_written(message)
        try:
            return await self._dialogue.post(message)
        except MailboxClosed:
            return None

    async def _check_out(self, checkout: Checkout, stored: set[str]) -> None:
        if await self._cashier.answer(self._client, checkout):
            stored.add(checkout.key)

    async def _look_ahead(self) -> None:
        """While storing takes long, look for payments that wait behind what is stored; nothing is confirmed by that."""
        while True:
            await self._clock.sleep(LOOK_AHEAD)
            try:
                updates = wire.split(
                    await self._client.updates(offset=self._offset, limit=BATCH, wait=0, kinds=wire.ALLOWED_UPDATES)
                )
            except (NotSent, Uncertain, Refused, wire.UnreadableBody) as error:
                _log.warning("could_not_look_ahead", error=type(error).__name__)
                continue
            for raw in updates:
                message = wire.decode(raw, self._clock.now())
                if isinstance(message, Checkout):
                    await self._cashier.answer(self._client, message)


def _number(key: str) -> int | None:
    return int(key) if key.isdecimal() else None


async def _is_stored(envelope: Envelope[Any]) -> bool:
    try:
        await envelope.answered()
    except NotHandled as error:
        _log.warning("update_not_stored", error=type(error.__cause__).__name__)
        return False
    return True
