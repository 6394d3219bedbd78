"""A local chat on loopback with everything real but the bot: what it answers is scripted, what it sends is simple."""

from __future__ import annotations

from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio

from actors.actor import Mailbox, MailboxClosed
from actors.local_chat import LocalChat
from actors.local_chat_sender import LocalChatSender
from actors.web import Web
from migrebot.access import Access, load_secret
from migrebot.clock import SystemClock
from migrebot.errors import NotSent
from migrebot.messages import Address, Body, Document, Inbound, Priority, Stored, ToDelivery, ToDialogue
from storage.records import OutboxRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from migrebot.clock import Clock

    Script = Callable[[Inbound], Iterable[Body]]


def make_access(folder: Path, clock: Clock, *, token: str = "", public_url: str = "http://127.0.0.1:8080") -> Access:
    return Access(
        token=token,
        public_url=public_url,
        secret=load_secret(folder / "secret.key"),
        used_links=folder / "used-links",
        clock=clock,
    )


async def render(document: Document, user_id: int) -> bytes:
    """Make what a test can recognise."""
    return f"{document.recipe} for {user_id}".encode()


def say_nothing(_inbound: Inbound) -> Iterable[Body]:
    return ()


class ScriptedBot:
    """Stores every message once and answers it by the script; `heard` is what it was told, `sent` what arrived."""

    def __init__(self, script: Script, sender: LocalChatSender) -> None:
        self.inbox: Mailbox[ToDialogue] = Mailbox()
        self.openings: Mailbox[ToDelivery] = Mailbox()
        self.heard: list[Inbound] = []
        self.sent: list[tuple[OutboxRow, str]] = []
        self.failures: list[str] = []
        self.changed = anyio.Event()
        self._script = script
        self._sender = sender
        self._rows: dict[str, deque[OutboxRow]] = {}
        self._keys: set[str] = set()
        self._last_id = 0

    async def listen(self) -> None:
        while True:
            try:
                envelope = await self.inbox.get()
            except MailboxClosed:
                return
            inbound = envelope.message
            assert isinstance(inbound, Inbound)
            repeated = inbound.key in self._keys
            self._keys.add(inbound.key)
            if not repeated:
                self.heard.append(inbound)
                for body in self._script(inbound):
                    self.queue(inbound.address, body)
            envelope.answer(Stored("repeated" if repeated else "done"))
            self._note()

    def queue(self, address: Address, body: Body) -> OutboxRow:
        self._last_id += 1
        row = OutboxRow(
            id=self._last_id,
            address=address,
            body=body,
            priority=Priority.REPLY,
            attempts=1,
            created_at=datetime(2026, 6, 15, 12, tzinfo=UTC),
            user_id=-7,
        )
        self._rows.setdefault(address.value, deque()).append(row)
        self._note()
        return row

    async def deliver(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._note_openings)
            while True:
                changed = self.changed
                for chat, rows in self._rows.items():
                    while rows and self._sender.reachable(chat):
                        await self._send(rows)
                await changed.wait()

    async def _send(self, rows: deque[OutboxRow]) -> None:
        try:
            message_id = await self._sender.send(rows[0])
        except NotSent as error:
            self.failures.append(error.reason)
        else:
            self.sent.append((rows.popleft(), message_id))
        self._note()

    async def _note_openings(self) -> None:
        while True:
            try:
                await self.openings.get()
            except MailboxClosed:
                return
            self._note()

    async def until(self, condition: Callable[[], Any], seconds: float = 10) -> None:
        """Wait for something the bot notices."""
        with anyio.fail_after(seconds):
            while not condition():
                await self.changed.wait()

    def _note(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


class LocalChatWorld:
    """The running server and who is behind it."""

    def __init__(self, bot: ScriptedBot, web: Web, chat: LocalChat, sender: LocalChatSender, access: Access) -> None:
        self.bot = bot
        self.web = web
        self.chat = chat
        self.sender = sender
        self.access = access


@asynccontextmanager
async def local_chat(
    folder: Path, script: Script = say_nothing, *, clock: Clock | None = None, token: str = "", port: int = 0
) -> AsyncIterator[LocalChatWorld]:
    """Serve a local chat whose bot answers by the script."""
    clock = clock or SystemClock()
    access = make_access(folder, clock, token=token)
    sender = LocalChatSender(render=render, clock=clock)
    bot = ScriptedBot(script, sender)
    chat = LocalChat(
        mailbox=Mailbox(), sender=sender, dialogue=bot.inbox, delivery=bot.openings, access=access, clock=clock
    )
    web = Web(
        mailbox=Mailbox(),
        host="127.0.0.1",
        port=port,
        routes=chat.routes(),
        readiness=lambda: (True, {"web": "ok"}),
        access=access,
    )
    async with anyio.create_task_group() as tasks, AsyncExitStack() as resources:
        await chat.start(resources)
        await web.start(resources)
        tasks.start_soon(bot.listen)
        tasks.start_soon(bot.deliver)
        yield LocalChatWorld(bot, web, chat, sender, access)
        await web.stop()
        await resources.aclose()
        tasks.cancel_scope.cancel()
