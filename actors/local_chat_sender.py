"""The outward half of the local chat: tells its pages what the bot says, and keeps documents until they are fetched."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from msgspec import Struct

from actors.channel import Limits
from migrebot.errors import NotSent, Refused
from migrebot.messages import Document, Edit, Invoice, Keyboard, Leave, Say, Toast, Withdraw

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrebot.clock import Clock
    from storage.records import OutboxRow

    Render = Callable[[Document, int], Awaitable[bytes]]

ACKNOWLEDGE_SECONDS = 10.0
"""How long a page may take to say that it shows a message."""

RENDER_SECONDS = 60.0
"""How long making a document may take."""

MAX_PAGES = 3
"""Pages of one chat that listen at once: a browser has six connections for a server, and needs some to write."""

MAX_BACKLOG = 64
"""Events a page may be behind before it is taken for dead."""

FILE_SECONDS = 3_600.0
MAX_FILE_BYTES = 64 * 1024 * 1024
"""For how long, and how much altogether, documents are kept for the browsers to fetch."""


class File(Struct, frozen=True):
    """A document on its way: the chat that may fetch it, its name, and until when (monotonic) it is kept."""

    chat: str
    name: str
    content: bytes
    kept_until: float


class Page:
    """One page that listens: the events it has yet to be told, and the way to hang up on it."""

    def __init__(self, hang_up: Callable[[], None]) -> None:
        self.hang_up = hang_up
        self._events: deque[bytes | None] = deque()
        self._ready = anyio.Event()

    def tell(self, event: bytes) -> None:
        """Queue an event; a page that is too far behind is hung up on, and asks anew if it is alive."""
        if len(self._events) >= MAX_BACKLOG:
            self.hang_up()
            return
        self._events.append(event)
        self._ready.set()

    def finish(self) -> None:
        """Let the page go once it was told all that is queued."""
        self._events.append(None)
        self._ready.set()

    async def next(self) -> bytes | None:
        """Take the next event; None at the end."""
        while not self._events:
            self._ready = anyio.Event()
            await self._ready.wait()
        return self._events.popleft()


class LocalChatSender:
    """Sends to the pages that listen; a message counts as sent once one of them says that it shows it.

    `render` makes the content of a document for a user.
    """

    limits = Limits(per_second=1_000.0, per_chat_second=100.0, burst=100)

    def __init__(self, *, render: Render, clock: Clock) -> None:
        self._render = render
        self._clock = clock
        self._pages: dict[str, list[Page]] = {}
        self._files: OrderedDict[str, File] = OrderedDict()
        self._awaited: dict[tuple[str, int], asyncio.Future[bool]] = {}
        self._unsure: set[int] = set()

    def reachable(self, chat: str) -> bool:
        """Tell whether a page of this chat listens."""
        return chat in self._pages

    async def send(self, row: OutboxRow) -> str:
        """Show the message on the pages of its chat; gives the row's id, of an edit that of the edited message.

        No acknowledgement is `NotSent`, not `Uncertain`: a message that comes again says so, and a page that has it
        already drops it, so sending again cannot double it, while giving up after two tries, with the lid of a laptop
        closed, would lose it.
        """
        event = await self._event(row)
        chat = row.address.value
        pages = list(self._pages.get(chat, ()))
        if not pages:
            raise NotSent("no page listens")
        acknowledged = self._awaited[chat, row.id] = asyncio.get_running_loop().create_future()
        self._unsure.add(row.id)
        try:
            for page in pages:
                page.tell(event)
            with self._clock.move_on_after(ACKNOWLEDGE_SECONDS) as scope:
                await acknowledged
        finally:
            del self._awaited[chat, row.id]
        if scope.cancelled_caught:
            # Whoever is asleep or half gone stops to count as listening, and asks anew when it wakes.
            for page in pages:
                page.hang_up()
            raise NotSent("no page said that it shows it")
        if not acknowledged.result():
            raise NotSent("the page was closed")
        self._unsure.discard(row.id)
        return row.body.message_id if isinstance(row.body, Edit) else str(row.id)

    def join(self, chat: str, hang_up: Callable[[], None]) -> Page:
        """Note that a page listens; the oldest gives way if there are too many."""
        pages = self._pages.setdefault(chat, [])
        page = Page(hang_up)
        pages.append(page)
        for surplus in pages[:-MAX_PAGES]:
            surplus.tell(encode("parked", {}))
            surplus.finish()
        return page

    def leave(self, chat: str, page: Page) -> None:
        """Note that a page no longer listens."""
        pages = self._pages.get(chat, [])
        if page in pages:
            pages.remove(page)
        if pages:
            return
        self._pages.pop(chat, None)
        for (awaited_chat, _row), acknowledged in self._awaited.items():
            if awaited_chat == chat and not acknowledged.done():
                acknowledged.set_result(False)

    def acknowledge(self, chat: str, row_id: int) -> None:
        """Note that a page of this chat shows this message."""
        acknowledged = self._awaited.get((chat, row_id))
        if acknowledged is not None and not acknowledged.done():
            acknowledged.set_result(True)

    def file(self, chat: str, file_id: str) -> File | None:
        """Give a file that was sent to this chat, while it is kept."""
        self._forget_files()
        file = self._files.get(file_id)
        return file if file is not None and file.chat == chat else None

    async def _event(self, row: OutboxRow) -> bytes:
        head: dict[str, Any] = {"row": str(row.id), "again": row.attempts > 1 or row.id in self._unsure}
        match row.body:
            case Say(text, keyboard):
                return encode("message", head | {"id": str(row.id), "html": text, "buttons": _buttons(keyboard)})
            case Edit(message_id, text, keyboard):
                return encode("edit", head | {"message_id": message_id, "html": text, "buttons": _buttons(keyboard)})
            case Toast(text):
                return encode("toast", head | {"text": text})
            case Leave():
                return encode("left", head)
            case Invoice():
                raise Refused("only Telegram takes payments")
            case Withdraw():
                raise Refused("the browser's copy is the person's own")
            case Document():
                url = await self._keep(row, row.body)
                about = {"id": str(row.id), "filename": row.body.filename, "caption": row.body.caption, "url": url}
                return encode("document", head | about)

    async def _keep(self, row: OutboxRow, document: Document) -> str:
        if row.user_id is None:
            raise Refused("a document for nobody")
        content = b""
        with self._clock.move_on_after(RENDER_SECONDS) as scope:
            content = await self._render(document, row.user_id)
        if scope.cancelled_caught:
            raise NotSent("the document took too long to make")
        file_id = secrets.token_urlsafe(24)
        until = self._clock.monotonic() + FILE_SECONDS
        self._files[file_id] = File(row.address.value, document.filename, content, until)
        self._forget_files()
        return f"/chat/files/{file_id}"

    def _forget_files(self) -> None:
        now = self._clock.monotonic()
        size = sum(len(file.content) for file in self._files.values())
        while self._files:
            file = next(iter(self._files.values()))
            if file.kept_until > now and (size <= MAX_FILE_BYTES or len(self._files) == 1):
                break
            self._files.popitem(last=False)
            size -= len(file.content)


def _buttons(keyboard: Keyboard) -> list[list[dict[str, str]]]:
    return [[{"label": button.label, "data": button.data} for button in row] for row in keyboard]


def encode(event: str, data: dict[str, Any]) -> bytes:
    """Write a server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
