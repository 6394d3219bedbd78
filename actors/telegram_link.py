"""The way to Telegram that poller and sender share: opened once, late and in the background.

aiogram takes seconds to import and must hold up nobody, so nothing here or in those who use this imports it; its one
user, `actors.telegram_client`, is imported by a worker thread.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from anyio import to_thread

from migrebot.errors import NotSent
from migrebot.messages import Alert

if TYPE_CHECKING:
    from actors.telegram_client import TelegramClient
    from migrebot.clock import Clock
    from migrebot.config import Telegram

TOKEN_REFUSED_PAUSE = 600.0
"""Seconds until a token that was refused is tried again: it does not mend itself, only its owner can."""


class TokenRefused(NotSent):
    """Telegram does not know the token: revoked, mistyped, or the bot was deleted."""

    def __init__(self) -> None:
        super().__init__("token refused", retry_after=TOKEN_REFUSED_PAUSE, whole_channel=True)

    @property
    def alert(self) -> Alert:
        """Say it to the owner."""
        return Alert(
            cause="telegram-token-refused",
            text="Telegram refuses the bot's token. Ask BotFather for the right one, put it into telegram.token and "
            "start the program again; until then nothing comes from or goes to Telegram.",
        )


class Conflict(NotSent):
    """Somebody else takes this bot's updates: another program that polls, or a webhook (`by_webhook`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.by_webhook = "webhook" in reason


class TelegramLink:
    """Holds the client once it stands. It outlives the actor, so that a restart or a stop cuts no send off."""

    def __init__(self, *, config: Telegram, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._client: TelegramClient | None = None

    @property
    def client(self) -> TelegramClient | None:
        """Give the client; None until it stands."""
        return self._client

    async def open(self) -> TelegramClient:
        """Make the client, or give the one there is; raises `TokenRefused` if the token cannot be one."""
        if self._client is None:
            self._client = await to_thread.run_sync(_made, self._config, self._clock)
        return self._client

    async def close(self) -> None:
        """Close the connections; called once, when nobody sends any more."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _made(config: Telegram, clock: Clock) -> TelegramClient:
    is_first = "aiogram" not in sys.modules
    from actors.telegram_client import TelegramClient

    if is_first:
        # What was imported stays for good: no later collection need walk through a hundred megabytes of it.
        gc.collect()
        gc.freeze()
    return TelegramClient(token=config.token.reveal(), api_base=config.api_base, clock=clock)
