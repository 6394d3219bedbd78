"""Documents for messengers that fetch them: signed links, good for ten minutes and five fetches.

A link carries the recipe, not the file: what it leads to is rendered when it is asked for. It is given to the person's
messenger and to nobody else; no page names it, and nothing on the way may keep what it leads to.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from aiohttp import web

from actors.file_types import file_type
from migrebot.access import FILE_LIFETIME
from migrebot.errors import Refused
from migrebot.messages import Document

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from migrebot.access import Access
    from migrebot.clock import Clock

    Render = Callable[[Document, int], Awaitable[bytes]]

FETCHES = 5
"""How often a link may be opened: Twilio tries again when a fetch fails, and telephones look at links beforehand."""

_REMEMBERED = 10_000
_NOT_HERE = "This link is no longer good. Ask the bot for the file again.\n"


class _File(msgspec.Struct, array_like=True):
    user_id: int
    document: Document


_file = msgspec.json.Decoder(_File)


class FileLinks:
    """Makes links to documents and serves what they lead to."""

    def __init__(self, *, access: Access, render: Render, clock: Clock) -> None:
        self._access = access
        self._render = render
        self._clock = clock
        self._opened: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def link(self, document: Document, user_id: int) -> str:
        """Make a link to a document of a user."""
        return (
            f"{self._access.public_url}/files/{self._access.sign_file(msgspec.json.encode(_File(user_id, document)))}"
        )

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve, open to all who have a link."""
        # A HEAD request, as link previews send it, must not use the link up.
        return [web.get("/files/{token}", self._serve, allow_head=False)]

    async def _serve(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        signed = self._access.signed_file(token)
        if signed is None or not self._may_open(token):
            raise web.HTTPNotFound(text=_NOT_HERE)
        file = _file.decode(signed)
        try:
            content = await self._render(file.document, file.user_id)
        except Refused:
            raise web.HTTPNotFound(text=_NOT_HERE) from None
        name = file.document.filename
        headers = {
            # Always a download: a file shown here would run in the name of the owner's pages.
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Cache-Control": "no-store, private",
            "X-Robots-Tag": "noindex",
        }
        return web.Response(body=content, content_type=file_type(name), headers=headers)

    def _may_open(self, token: str) -> bool:
        """Count an opening of a link; tell whether it was one of the first."""
        now = self._clock.monotonic()
        while self._opened and next(iter(self._opened.values()))[0] < now - FILE_LIFETIME.total_seconds():
            self._opened.popitem(last=False)
        mark = sha256(token.encode()).hexdigest()
        since, count = self._opened.get(mark, (now, 0))
        if count >= FETCHES or len(self._opened) >= _REMEMBERED:
            return False
        self._opened[mark] = (since, count + 1)
        return True
