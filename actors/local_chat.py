"""The local chat: a messenger of our own, whose one client is the page at `/chat`. This is its inward half.

Owns the routes under `/chat`. Receives nothing; asks the dialogue to store each
`Inbound`, and answers the browser only then. Emits `ChatOpened` when a page begins to listen. The browser is the whole
memory of this messenger: nothing of a conversation is kept here. The outward half is `actors.local_chat_sender`.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Never, TypeVar
from urllib.parse import quote

import msgspec
from aiohttp import web
from markupsafe import escape
from msgspec import Meta, Struct

from actors.actor import Actor, MailboxClosed, NotHandled
from actors.file_types import file_type
from actors.local_chat_sender import encode
from migrebot.access import CHAT_LIFETIME
from migrebot.languages import choose
from migrebot.messages import Address, ChatOpened, Inbound, Press, Profile, Stored, Text
from migrebot.pages.words import WORDS

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from actors.actor import Mailbox
    from actors.local_chat_sender import LocalChatSender, Page
    from migrebot.access import Access, ChatPass
    from migrebot.clock import Clock
    from migrebot.messages import ToDelivery, ToDialogue

HEARTBEAT_SECONDS = 15.0
"""Between two signs of life; proxies cut connections that are silent for 30 to 60."""

_ASSETS = {
    "chat.css": "text/css",
    "chat.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

# --- what the page sends -------------------------------------------------------------------------------------------

_Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,64}\Z")]
_RowId = Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]


class _Said(Struct, forbid_unknown_fields=True):
    key: _Key
    text: Annotated[str, Meta(min_length=1)]


class _Pressed(Struct, forbid_unknown_fields=True):
    key: _Key
    message_id: _RowId
    data: Annotated[str, Meta(min_length=1, max_length=64)]


class _Received(Struct, forbid_unknown_fields=True):
    rows: Annotated[list[_RowId], Meta(max_length=100)]


B = TypeVar("B", _Said, _Pressed, _Received)


class LocalChat(Actor[Never]):
    """Serves the page and takes what is written and pressed there; `routes` are for the web server.

    `default_language` is for browsers whose languages the bot does not speak.
    """

    name = "local_chat"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Never],
        sender: LocalChatSender,
        dialogue: Mailbox[ToDialogue],
        delivery: Mailbox[ToDelivery],
        access: Access,
        clock: Clock,
        default_language: str = "en",
    ) -> None:
        super().__init__(mailbox)
        self._sender = sender
        self._dialogue = dialogue
        self._delivery = delivery
        self._access = access
        self._clock = clock
        self._default_language = default_language
        self._open = True

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve."""
        return [
            web.get("/chat", self._show),
            web.get("/chat/assets/{name}", _asset),
            web.post("/chat/say", self._say),
            web.post("/chat/press", self._press),
            web.post("/chat/received", self._receive),
            web.get("/chat/events", self._tell, allow_head=False),
            web.get("/chat/files/{file}", self._file),
        ]

    async def start(self, resources: AsyncExitStack) -> None:
        """Read the page's files."""
        del resources
        _pages()

    async def stop(self) -> None:
        """Take no more messages; the pages are still told what is on its way, until the web server stops."""
        self._open = False
        await super().stop()

    # --- pages -------------------------------------------------------------------------------------------------

    async def _show(self, request: web.Request) -> web.Response:
        visitor = self._known(request) or self._access.new_chat()
        language = choose(_first_language(request), self._default_language)
        response = web.Response(text=self._page(visitor, language), content_type="text/html")
        # Lax, not Strict: a Strict cookie is not sent when somebody follows a link to the chat from elsewhere; they
        # would be taken for a new person, and the answer would overwrite the cookie that leads to their diary. What
        # changes anything is guarded by `own_request`.
        response.set_cookie(
            self._access.chat_cookie,
            visitor.cookie,
            max_age=int(CHAT_LIFETIME.total_seconds()),
            httponly=True,
            secure=self._access.secure,
            samesite="Lax",
        )
        return response

    def _page(self, visitor: ChatPass, language: str) -> str:
        words = WORDS[language]
        values = {
            "language": language,
            "version": _version(),
            "csrf": visitor.csrf,
            "store": f"migrebot.{self._access.installation}.{visitor.chat[:12]}",
            "words": msgspec.json.encode(words).decode(),
            **words,
        }
        page = _pages()["chat.html"].decode()
        for name, value in values.items():
            page = page.replace(f"{{{{{name}}}}}", escape(value))
        return page

    async def _file(self, request: web.Request) -> web.Response:
        file = self._sender.file(self._visitor(request).chat, request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound(text="This file is no longer kept. Ask the bot for it again.\n")
        kind = file_type(file.name)
        # Always a download: an HTML or SVG file shown here would run in the name of this page.
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        return web.Response(body=file.content, content_type=kind, headers={"Content-Disposition": disposition})

    # --- what is said ------------------------------------------------------------------------------------------

    async def _say(self, request: web.Request) -> web.Response:
        visitor, said = await self._changing(request, _Said)
        return await self._store(request, visitor, said.key, Text(said.text))

    async def _press(self, request: web.Request) -> web.Response:
        visitor, pressed = await self._changing(request, _Pressed)
        return await self._store(request, visitor, pressed.key, Press(pressed.data, pressed.message_id))

    async def _receive(self, request: web.Request) -> web.Response:
        visitor, received = await self._changing(request, _Received)
        for row in received.rows:
            self._sender.acknowledge(visitor.chat, int(row))
        return web.json_response({})

    async def _store(self, request: web.Request, visitor: ChatPass, key: str, content: Text | Press) -> web.Response:
        inbound = Inbound(
            address=Address("local", visitor.chat),
            # With the chat in front: nobody can use up another's keys.
            # A hash: the key is kept for long, and shall not tell whose chat it was.
            key=sha256(f"{visitor.chat}:{key}".encode()).hexdigest()[:40],
            content=content,
            received_at=self._clock.now(),
            profile=Profile(language_code=_first_language(request)),
            raw=await request.read(),
        )
        try:
            stored: Stored | None = await self._dialogue.ask(inbound) if self._open else None
        except (MailboxClosed, NotHandled):
            stored = None
        if stored is None:
            reason = {"reason": "The bot cannot take this now; try again in a moment."}
            return web.json_response(reason, status=503, headers={"Retry-After": "2"})
        return web.json_response({"outcome": stored.outcome})

    async def _changing(self, request: web.Request, kind: type[B]) -> tuple[ChatPass, B]:
        visitor = self._visitor(request)
        if not self._access.own_request(visitor, request.headers):
            raise web.HTTPForbidden(text="This did not come from the chat's own page.\n")
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="Expected JSON.\n")
        try:
            return visitor, msgspec.json.decode(await request.read(), type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise web.HTTPBadRequest(text="Not what the chat's page sends.\n") from None

    def _known(self, request: web.Request) -> ChatPass | None:
        return self._access.open_chat(request.cookies.get(self._access.chat_cookie, ""))

    def _visitor(self, request: web.Request) -> ChatPass:
        visitor = self._known(request)
        if visitor is None:
            raise web.HTTPForbidden(text="Open /chat first.\n")
        return visitor

    # --- what is told ------------------------------------------------------------------------------------------

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        visitor = self._visitor(request)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden(text="This did not come from the chat's own page.\n")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        transport = request.transport
        page = self._sender.join(visitor.chat, transport.abort if transport is not None else _nothing)
        try:
            await response.write(b"retry: 1000\n" + encode("hello", {"version": _version()}))
            await self._announce(visitor.chat)
            await self._pass_on(page, response)
        finally:
            self._sender.leave(visitor.chat, page)
        return response

    async def _announce(self, chat: str) -> None:
        # A closed mailbox means that the program stops; the page will come again, to the next one.
        with suppress(MailboxClosed):
            await self._delivery.put(ChatOpened(Address("local", chat)))

    async def _pass_on(self, page: Page, response: web.StreamResponse) -> None:
        while True:
            event: bytes | None = b": still here\n\n"
            with self._clock.move_on_after(HEARTBEAT_SECONDS):
                event = await page.next()
            if event is None:
                return
            await response.write(event)


async def _asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise web.HTTPNotFound
    # The page names its files with their version, so that a new one is fetched at once and an old one never again.
    current = request.query.get("v") == _version()
    caching = {"Cache-Control": "private, max-age=31536000, immutable" if current else "no-cache"}
    return web.Response(body=_pages()[name], content_type=_ASSETS[name], charset="utf-8", headers=caching)


def _first_language(request: web.Request) -> str:
    """Give the language the browser likes best, or nothing."""
    best, best_weight = "", 0.0
    for entry in request.headers.get("Accept-Language", "").split(","):
        tag, _, parameters = entry.partition(";")
        tag = tag.strip()
        try:
            weight = float(parameters.partition("=")[2] or 1)
        except ValueError:
            continue
        if weight > best_weight and tag.replace("-", "").isalnum() and tag.isascii() and len(tag) <= 35:
            best, best_weight = tag, weight
    return best


@cache
def _pages() -> dict[str, bytes]:
    folder = files("migrebot.pages")
    return {name: (folder / name).read_bytes() for name in ("chat.html", *_ASSETS)}


@cache
def _version() -> str:
    """Name this version of the page: an open page of another one loads itself anew."""
    return sha256(b"".join(_pages().values())).hexdigest()[:12]


def _nothing() -> None:
    """Hang up on a connection that is gone already."""
