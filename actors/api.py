"""What programs may ask over HTTP: states, the report, statistics by day, and a stream of what changes.

Who may ask is judged by the web server.
"""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from migrebot.pages.openapi import document

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.feed import Event, Feed
    from migrebot.clock import Clock

HEARTBEAT_SECONDS = 15.0
"""Between two signs of life; proxies cut connections that are silent for 30 to 60."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})")


class Api:
    """The routes under `/api`.

    `states`, `report` and `days` give what `/api/states`, `/api/report` and `/api/statistics` answer, `anew` what a
    listener gets who missed some.

    Event ids carry the name of this run: numbers of another one mean nothing here.
    """

    def __init__(
        self,
        *,
        states: Callable[[], object],
        report: Callable[[], Awaitable[object]],
        days: Callable[[date, date], Awaitable[object]],
        feed: Feed,
        anew: Callable[[], list[tuple[str, bytes]]],
        clock: Clock,
    ) -> None:
        self._states = states
        self._report = report
        self._days = days
        self._feed = feed
        self._anew = anew
        self._clock = clock
        self._run = secrets.token_hex(4)

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve."""
        return [
            web.get("/api/states", self._show_states),
            web.get("/api/report", self._show_report),
            web.get("/api/statistics", self._show_days),
            web.get("/api/events", self._stream, allow_head=False),
            web.get("/api/openapi.json", _describe),
        ]

    async def _show_states(self, _request: web.Request) -> web.Response:
        return _json(self._states())

    async def _show_report(self, _request: web.Request) -> web.Response:
        return _json(await self._report())

    async def _show_days(self, request: web.Request) -> web.Response:
        first, last = (_date(request, name, otherwise) for name, otherwise in (("from", date.min), ("to", date.max)))
        return _json({"days": await self._days(first, last)})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await response.write(b"retry: 1000\n\n")
        number = self._seen(request.headers.get("Last-Event-ID", ""))
        while True:
            if number is None or not self._feed.remembers(number):
                number = self._feed.last
                for kind, data in self._anew():
                    await response.write(self._encoded(kind, data, number))
            number = await self._pass_on(number, response)

    async def _pass_on(self, number: int, response: web.StreamResponse) -> int:
        """Pass on what comes next, or a sign of life; gives the number of the last event."""
        events: list[Event] = []
        with self._clock.move_on_after(HEARTBEAT_SECONDS):
            events = await self._feed.after(number)
        if not events:
            await response.write(b": still here\n\n")
            return number
        await response.write(b"".join(self._encoded(event.kind, event.data, event.number) for event in events))
        return events[-1].number

    def _seen(self, last_event_id: str) -> int | None:
        """Read which event a listener saw last; None if it tells of another run.

        A new listener begins with what comes next: it reads the rest for itself.
        """
        if not last_event_id:
            return self._feed.last
        found = _ID.fullmatch(last_event_id)
        return int(found[2]) if found and found[1] == self._run else None

    def _encoded(self, kind: str, data: bytes, number: int) -> bytes:
        return b"event: %s\nid: %s-%d\ndata: %s\n\n" % (kind.encode(), self._run.encode(), number, data)


async def _describe(_request: web.Request) -> web.Response:
    return web.Response(body=document(), content_type="application/json")


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _date(request: web.Request, name: str, otherwise: date) -> date:
    written = request.query.get(name)
    if written is None:
        return otherwise
    try:
        # Python reads weeks too, and dates without dashes.
        if _DATE.fullmatch(written):
            return date.fromisoformat(written)
    except ValueError:
        pass
    raise web.HTTPBadRequest(text=f"{name}: a date is written YYYY-MM-DD.\n")
