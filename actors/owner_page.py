"""The owner's page at `/`, and what it shows as JSON: `/api/status` and `/api/log`.

Who may see them is judged by the web server.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from msgspec import Struct

from migrebot.errors import StorageUnavailable
from migrebot.i18n import translator
from migrebot.pages.owner import DAYS, View, page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import date

    from migrebot.clock import Clock
    from migrebot.reports.daily import Day, Report
    from migrebot.reports.status import Status

_ASSETS = {"owner.css": "text/css", "owner.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Shown(Struct, frozen=True, kw_only=True):
    """How the page is to be written: in which language and time zone, and whether there is a chat to link to."""

    language: str
    timezone: str
    chat: bool


class OwnerPage:
    """The routes of the page.

    Each part of what it shows comes from a function. `report` and `days` may raise `StorageUnavailable`: the page says
    so and shows the rest.
    """

    def __init__(
        self,
        *,
        status: Callable[[], Awaitable[Status]],
        forms: Callable[[], Mapping[str, int]],
        report: Callable[[], Awaitable[Report]],
        days: Callable[[date, date], Awaitable[Sequence[Day]]],
        log: Callable[[], Sequence[str]],
        shown: Shown,
        clock: Clock,
    ) -> None:
        self._status = status
        self._forms = forms
        self._report = report
        self._days = days
        self._log = log
        self._shown = shown
        self._zone = ZoneInfo(shown.timezone)
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve."""
        return [
            web.get("/", self._show),
            web.get("/page/assets/{name}", _asset),
            web.get("/api/status", self._show_status),
            web.get("/api/log", self._show_log),
        ]

    async def _show(self, _request: web.Request) -> web.Response:
        report, days = await self._remembered()
        view = View(
            status=await self._status(),
            forms=self._forms(),
            report=report,
            days=days,
            log=self._log(),
            chat=self._shown.chat,
            version=_version(),
            zone=self._zone,
        )
        return web.Response(text=page(view, translator(self._shown.language)), content_type="text/html")

    async def _remembered(self) -> tuple[Report | None, Sequence[Day]]:
        today = self._clock.now().astimezone(self._zone).date()
        try:
            return await self._report(), await self._days(today - timedelta(days=DAYS), today)
        except StorageUnavailable:
            return None, ()

    async def _show_status(self, _request: web.Request) -> web.Response:
        return _json(await self._status())

    async def _show_log(self, _request: web.Request) -> web.Response:
        return _json({"lines": self._log()})


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


async def _asset(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise web.HTTPNotFound
    # The page names its files with their version, so that a new one is fetched at once and an old one never again.
    current = request.query.get("v") == _version()
    caching = {"Cache-Control": "private, max-age=31536000, immutable" if current else "no-cache"}
    return web.Response(body=_files()[name], content_type=_ASSETS[name], charset="utf-8", headers=caching)


@cache
def _files() -> dict[str, bytes]:
    folder = files("migrebot.pages")
    return {name: (folder / name).read_bytes() for name in _ASSETS}


@cache
def _version() -> str:
    return sha256(b"".join(_files().values())).hexdigest()[:12]
