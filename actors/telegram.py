"""The Telegram channel, its inward half: takes updates and confirms them only once they are stored.

Owns the way updates come, the poll or the webhook. Receives nothing; asks the dialogue to store each `Inbound` or
`Undecodable` and waits for its `Stored`. Emits alerts. The outward half is `actors.telegram_sender`.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Never

import anyio
from aiohttp import web
from msgspec import Struct

from actors import telegram_wire as wire
from actors.actor import Actor, Health, Mailbox, MailboxClosed, NotHandled
from actors.pacing import pause
from actors.telegram_link import TokenRefused
from actors.telegram_poller import Poller
from actors.telegram_profile import introduce, introduce_to_owner
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.logs import get_logger
from migrebot.messages import Checkout, Inbound

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from actors.telegram_cashier import Cashier
    from actors.telegram_client import TelegramClient, Webhook
    from actors.telegram_profile import BotProfile
    from actors.telegram_sender import TelegramSender
    from migrebot.clock import Clock
    from migrebot.config import Telegram
    from migrebot.messages import Alert, ToDialogue, Undecodable

STORING_LIMIT = 8.0
"""Seconds a posted update may take to be stored; after that Telegram is asked to post it again."""

WEBHOOK_CHECK = 600.0
"""Seconds between two looks at how the webhook fares: only there Telegram tells that it cannot reach us."""

WEBHOOK_RETRY = 30.0
"""Seconds until setting the webhook is tried again."""

WEBHOOK_PATH = "/webhooks/telegram"
"""Where Telegram posts updates to, below the program's public address."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a name, not a secret
"""What proves that it is Telegram who posts."""

_log = get_logger("telegram")


class TelegramTask(Struct, frozen=True, kw_only=True):
    """What the actor is to do: its slice of the configuration, and what the bot says of itself.

    `public_url` tells the program's address as seen from outside; it is asked in webhook mode only, once the actor
    runs, since the port may not be known before.
    """

    config: Telegram
    profile: BotProfile
    public_url: Callable[[], str]


class TelegramActor(Actor[Never]):
    """Takes what people write to the bot: each update at least once, none confirmed before it is stored."""

    name = "telegram"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Never],
        dialogue: Mailbox[ToDialogue],
        cashier: Cashier,
        sender: TelegramSender,
        clock: Clock,
        task: TelegramTask,
        on_alert: Callable[[Alert], None],
    ) -> None:
        super().__init__(mailbox)
        self._dialogue = dialogue
        self._cashier = cashier
        self._sender = sender
        self._clock = clock
        self._task = task
        self._on_alert = on_alert
        self._secret = task.config.webhook_secret.reveal() or secrets.token_urlsafe(32)
        self._stopped = anyio.Event()
        self._owner_wrote = anyio.Event()
        self._halt: Callable[[], None] = self._stopped.set
        self._secret_given = False
        self._next_look = WEBHOOK_CHECK

    async def start(self, resources: AsyncExitStack) -> None:
        """Nothing to wait for: the client, which takes seconds to load, is opened by `run`."""
        del resources
        self.health = Health(False, "starting")

    async def run(self) -> None:
        """Open the client, then take updates until `stop`; what has been received by then is still stored."""
        client = await self._opened()
        if client is None:
            await self._stopped.wait()
        elif self._task.config.mode == "webhook":
            await self._keep_webhook(client)
        else:
            await self._poll(client)

    async def stop(self) -> None:
        """Take no more updates."""
        await super().stop()
        self._stopped.set()
        self._halt()

    async def _opened(self) -> TelegramClient | None:
        try:
            client = await self._sender.link.open()
        except TokenRefused as refused:
            self._tell_refused(refused)
            return None
        await self._sender.opened()
        return client

    def _tell_refused(self, refused: TokenRefused) -> None:
        self.health = Health(False, refused.reason)
        self._on_alert(refused.alert)

    # --- polling ---

    async def _poll(self, client: TelegramClient) -> None:
        poller = Poller(
            client=client,
            dialogue=self._dialogue,
            cashier=self._cashier,
            clock=self._clock,
            on_health=self._set_health,
            on_alert=self._on_alert,
            on_written=self._note_sender,
        )
        self._halt = poller.stop
        if self._stopped.is_set():
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._introduce_once, client, poller.reached)
            await poller.run()
            tasks.cancel_scope.cancel()

    def _set_health(self, health: Health) -> None:
        self.health = health

    async def _introduce_once(self, client: TelegramClient, reached: anyio.Event) -> None:
        await reached.wait()
        await self._introduce(client)

    async def _introduce(self, client: TelegramClient) -> None:
        await introduce(client, self._task.profile)
        if not await introduce_to_owner(client, self._task.profile):
            await self._owner_wrote.wait()
            await introduce_to_owner(client, self._task.profile)

    def _note_sender(self, message: Inbound | Undecodable) -> None:
        if isinstance(message, Inbound) and message.address.value == self._task.profile.owner:
            self._owner_wrote.set()

    # --- the webhook ---

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve in webhook mode; nothing otherwise."""
        return [web.post(WEBHOOK_PATH, self._posted)] if self._task.config.mode == "webhook" else []

    async def _posted(self, request: web.Request) -> web.Response:
        """Store an update that Telegram posts, then say so; what is not answered with 200 is posted again."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret.encode()):
            return web.Response(status=403)
        body = await request.read()
        if not wire.is_update(body):
            return web.Response(status=400)
        with self._clock.move_on_after(STORING_LIMIT):
            try:
                if await self._is_stored(wire.decode(body, self._clock.now())):
                    return web.Response()
            except (NotHandled, MailboxClosed) as error:
                _log.warning("update_not_stored", error=type(error).__name__)
        return web.Response(status=503)

    async def _is_stored(self, message: Inbound | Undecodable | Checkout) -> bool:
        if not isinstance(message, Checkout):
            self._note_sender(message)
            await self._dialogue.ask(message)
            return True
        client = self._sender.link.client
        return client is not None and await self._cashier.answer(client, message)

    async def _keep_webhook(self, client: TelegramClient) -> None:
        with anyio.CancelScope() as scope:
            self._halt = scope.cancel
            if self._stopped.is_set():
                return
            while not await self._is_webhook_set(client):
                await self._clock.sleep(self._next_look)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._introduce, client)
                while True:
                    await self._clock.sleep(self._next_look)
                    await self._is_webhook_set(client)

    async def _is_webhook_set(self, client: TelegramClient) -> bool:
        """Set the webhook unless it is; tell whether it is now, and note when to look again."""
        self._next_look = WEBHOOK_CHECK
        try:
            await self._set_webhook(client)
        except TokenRefused as refused:
            self._tell_refused(refused)
            return False
        except (NotSent, Uncertain, Refused) as error:
            asked = error.retry_after if isinstance(error, NotSent) else None
            self._next_look = WEBHOOK_RETRY if asked is None else pause(asked)
            self.health = Health(True, f"the webhook is not set: {error.reason}")
            _log.warning("webhook_not_set", reason=error.reason)
            return False
        self.health = Health()
        return True

    async def _set_webhook(self, client: TelegramClient) -> None:
        url = self._task.public_url().rstrip("/") + WEBHOOK_PATH
        known = await client.webhook()
        as_wished = known.url == url and known.allowed_updates == set(wire.ALLOWED_UPDATES)
        if as_wished and (self._secret_given or not self._secret_may_differ(known)):
            return
        await client.set_webhook(url, self._secret, wire.ALLOWED_UPDATES)
        self._secret_given = True
        _log.info("webhook_set")

    def _secret_may_differ(self, known: Webhook) -> bool:
        """Tell whether Telegram may hold another secret: it never shows it, but it does say that we refused it."""
        return not self._task.config.webhook_secret or "403" in known.last_error
