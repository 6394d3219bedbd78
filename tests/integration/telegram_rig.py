"""A Telegram channel under test: the real actor and sender, a fake Bot API, and a dialogue that does as it is told."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import anyio

import actors.telegram_client  # noqa: F401 - takes seconds: now, while no test waits for something
from actors.actor import Mailbox, MailboxClosed
from actors.channel import Limits
from actors.telegram import TelegramActor, TelegramTask
from actors.telegram_cashier import Cashier
from actors.telegram_link import TelegramLink
from actors.telegram_profile import BotProfile
from actors.telegram_sender import TelegramSender
from migrebot.config import Secret, Telegram
from migrebot.errors import StorageUnavailable
from migrebot.messages import Document, Inbound, Stored, Undecodable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from migrebot.messages import Alert
    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.fakes.telegram import FakeTelegram

PATIENCE = 60.0
"""Seconds of real time a test waits before it fails."""


class ScriptedDialogue:
    """Stands where the dialogue actor is: takes messages in order, and stores or refuses them as the test says.

    `refuses` holds keys it will not store, each so many times; while `gate` is not set it stores nothing.
    """

    def __init__(self) -> None:
        self.mailbox: Mailbox[Any] = Mailbox(1_000)
        self.heard: list[Inbound | Undecodable] = []
        self.stored: dict[str, float] = {}
        self.repeated: list[str] = []
        self.refuses: dict[str, int] = {}
        self.gate = anyio.Event()
        self.gate.set()

    def reopened(self) -> ScriptedDialogue:
        """Give the dialogue of the next start of the program: it has stored the same, and nothing waits."""
        after = ScriptedDialogue()
        after.stored, after.refuses = self.stored, self.refuses
        return after

    async def run(self) -> None:
        while True:
            try:
                envelope = await self.mailbox.get()
            except MailboxClosed:
                return
            self.heard.append(envelope.message)
            await self.gate.wait()
            key = envelope.message.key
            if self.refuses.get(key, 0) > 0:
                self.refuses[key] -= 1
                envelope.fail(StorageUnavailable("the disk is full"))
            elif key in self.stored:
                self.repeated.append(key)
                envelope.answer(Stored("repeated"))
            else:
                self.stored[key] = time.monotonic()
                envelope.answer(Stored("quarantined" if isinstance(envelope.message, Undecodable) else "done"))

    @property
    def contents(self) -> list[object]:
        """What was said, in order; None for what could not be decoded."""
        return [message.content if isinstance(message, Inbound) else None for message in self.heard]


class Rig:
    """All parts of one channel; `delivered` is the mailbox of delivery."""

    def __init__(
        self,
        fake: FakeTelegram,
        clock: FakeClock,
        *,
        mode: str = "polling",
        profile: BotProfile | None = None,
        secret: str = "",
        public_url: str = "http://127.0.0.1:1",
        token: str = "",
        api_base: str = "",
        dialogue: ScriptedDialogue | None = None,
        storage: Storage | None = None,
        provider_token: str = "",
    ) -> None:
        config = Telegram(
            token=Secret(token or fake.token),
            api_base=api_base or fake.base_url,
            mode="webhook" if mode == "webhook" else "polling",
            webhook_secret=Secret(secret),
            messages_per_second=30,
            messages_per_chat_second=1,
            provider_token=Secret(provider_token),
        )
        self.clock = clock
        self.alerts: list[Alert] = []
        self.dialogue = dialogue or ScriptedDialogue()
        self.delivered: Mailbox[Any] = Mailbox(100)
        self.files: dict[str, bytes] = {}
        self.link = TelegramLink(config=config, clock=clock)
        self.sender = TelegramSender(
            link=self.link,
            limits=Limits(per_second=30, per_chat_second=1),
            render=self._render,
            provider_token=config.provider_token,
            delivery=self.delivered,
            on_alert=self.alerts.append,
        )
        self.actor = TelegramActor(
            mailbox=Mailbox(1),
            dialogue=self.dialogue.mailbox,
            cashier=Cashier(storage=cast("Storage", storage), clock=clock),
            sender=self.sender,
            clock=clock,
            task=TelegramTask(config=config, profile=profile or BotProfile(), public_url=lambda: public_url),
            on_alert=self.alerts.append,
        )

    async def _render(self, document: Document, user_id: int) -> bytes:
        return self.files.get(document.recipe, f"{document.recipe} of {user_id}".encode())

    @asynccontextmanager
    async def runs(self) -> AsyncIterator[Rig]:
        """Run the actor and the dialogue as the supervisor would, and stop them in the end."""
        async with AsyncExitStack() as resources, anyio.create_task_group() as tasks:
            tasks.start_soon(self.dialogue.run)
            await self.actor.start(resources)
            ended = anyio.Event()
            tasks.start_soon(self._run, ended)
            try:
                yield self
                await self.actor.stop()
                with anyio.fail_after(PATIENCE):
                    await ended.wait()
            finally:
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await self.link.close()

    async def _run(self, ended: anyio.Event) -> None:
        await self.actor.run()
        ended.set()

    async def until(self, met: Callable[[], object]) -> None:
        """Wait until something is so."""
        with anyio.fail_after(PATIENCE):
            while not met():  # noqa: ASYNC110 - it waits for the network too, which tells no event
                await anyio.sleep(0.001)

    async def in_time(self, met: Callable[[], object], step: float = 1.0) -> None:
        """Let the fake time pass until something is so, at a pace at which the real network keeps up."""
        with anyio.fail_after(PATIENCE):
            while not met():
                await self.clock.advance(step)
                await anyio.sleep(0.002)

    async def hears(self, count: int) -> None:
        """Wait until the dialogue has stored so many messages."""
        await self.until(lambda: len(self.dialogue.stored) >= count)
