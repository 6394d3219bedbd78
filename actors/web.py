"""The HTTP server: one listener, and the rules that hold for every request whoever answers it.

Owns the listener and its connections. Receives nothing. Routes are handed to it by the composition root; before any of
them is called, the request was judged (`migrebot.access`), its body read whole within bounds and found to be text.
Event streams alone may take as long as they like.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Never

import anyio
from aiohttp import web
from markupsafe import escape

from actors.actor import Actor, MailboxClosed, NotHandled, attempt
from migrebot.access import SESSION_LIFETIME, is_open
from migrebot.errors import StorageUnavailable, UserError
from migrebot.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    from aiohttp.web_request import BaseRequest

    from actors.actor import Mailbox
    from migrebot.access import Access

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Readiness = Callable[[], tuple[bool, dict[str, str]]]
"""Tells whether all actors serve, and of each how it fares."""

MAX_BODY = 256 * 1024
"""Bytes; the longest body is an update of Telegram with a long message and the long one it answers, all escaped."""

MAX_FIELDS = 1_000
"""Fields of a form; Twilio sends some thirty."""

MAX_CONNECTIONS = 500
"""At once; beyond, whoever connects is hung up on, so that files and sockets remain for the rest of the program."""

IDLE_SECONDS = 30.0
"""How long a connection may take to send the head of a request, the first one included."""

REQUEST_SECONDS = 10.0
"""How long reading a request's body and answering it may take; Twilio gives up after 15."""

LINGER_SECONDS = 1.0
"""How long an unread body is thrown away, so that the client gets to read why it was not wanted."""

STOP_SECONDS = 3.0
"""How long requests in work may take once the server stops."""

# A codec with a name from outside is an attack surface (some are quadratic, some warn): these are all we can be sent.
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1"})

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "migrebot",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS = "max-age=31536000"

_SCOPE = web.RequestKey("scope", anyio.CancelScope)
_READ = web.RequestKey("read", bool)
_WAY_IN = "Run `migrebot login` where this bot runs and open the link it prints; or send http.token as a bearer token."
_log = get_logger("web")


class Web(Actor[Never]):
    """Serves `routes` on `host` and `port`; `port` 0 picks a free one.

    After `start`, `port` is the real one and `url` the server's address. Everything but `/healthz`, `/readyz`,
    `/login` and `/webhooks/…` is for those only whom `access` lets in.
    """

    name = "web"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Never],
        host: str,
        port: int,
        routes: Sequence[web.RouteDef],
        readiness: Readiness,
        access: Access,
    ) -> None:
        super().__init__(mailbox)
        self.host = host
        self.port = port
        self.request_seconds = REQUEST_SECONDS
        self.idle_seconds = IDLE_SECONDS
        self._routes = list(routes)
        self._readiness = readiness
        self._access = access
        self._headers = _HEADERS | ({"Strict-Transport-Security": _HSTS} if access.secure else {})
        self._listener: asyncio.Server | None = None
        self._streams: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """Tell the address the server listens on, as a browser wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def start(self, resources: AsyncExitStack) -> None:
        """Listen; raises `UserError` if that address cannot be listened on."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY)
        app.on_response_prepare.append(self._prepare)
        app.add_routes(self._routes)
        app.router.add_get("/healthz", _healthz)
        app.router.add_get("/readyz", self._readyz)
        # A HEAD request, as link previews send it, must not use the link up.
        app.router.add_get("/login", self._login, allow_head=False)
        # Handlers of a connection that is gone are cancelled: an event stream would not notice before its next word.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        resources.push_async_callback(runner.cleanup)
        self._listener = await self._listen(runner)
        resources.callback(self._listener.close)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more connections and end the event streams; requests in work are finished."""
        if self._listener is not None:
            self._listener.close()
        for transport in list(self._streams):
            transport.close()
        await super().stop()

    # --- connections -------------------------------------------------------------------------------------------

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server:
        server = runner.server
        assert server is not None  # noqa: S101 - the runner was set up a moment ago
        loop = asyncio.get_running_loop()

        def connect() -> asyncio.BaseProtocol:
            if len(server.connections) >= MAX_CONNECTIONS:
                return _TurnedAway()
            return _Connection(server, headers=self._headers, idle_seconds=self.idle_seconds)

        try:
            return await loop.create_server(connect, self.host, self.port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise UserError(f"http.host, http.port: cannot listen on {self.url}: {reason}") from error

    # --- every request -----------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        with anyio.CancelScope(deadline=anyio.current_time() + self.request_seconds) as scope:
            request[_SCOPE] = scope
            try:
                result = await attempt(self._answer(request, handler))
            finally:
                if request.transport is not None:
                    self._streams.discard(request.transport)
        if scope.cancelled_caught:
            result = web.HTTPServiceUnavailable() if _READ in request else _too_slow()
        if isinstance(result, Exception):
            raise _told(result, request)
        return result

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._check_entry(request)
        await _read_whole(request)
        request[_READ] = True
        return await handler(request)

    def _check_entry(self, request: web.Request) -> None:
        resource = request.match_info.route.resource
        if resource is not None and is_open(resource.canonical):
            return
        session = request.cookies.get(self._access.session_cookie, "")
        match self._access.judge(peer=request.remote or "", headers=request.headers, session=session):
            case "stay out":
                raise _stay_out(request, _WAY_IN)
            case "wait":
                raise self._wait(request)
            case "enter":
                pass

    async def _prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(self._headers)
        response.headers.setdefault("Cache-Control", "no-store")
        if response.content_type == "text/event-stream" and _SCOPE in request:
            request[_SCOPE].deadline = math.inf
            if request.transport is not None:
                self._streams.add(request.transport)

    # --- its own pages -----------------------------------------------------------------------------------------

    async def _readyz(self, _request: web.Request) -> web.Response:
        ready, actors = self._readiness()
        body = {"status": "ready" if ready else "not ready", "actors": actors}
        return web.json_response(body, status=200 if ready else 503)

    async def _login(self, request: web.Request) -> web.Response:
        peer = request.remote or ""
        if self._access.seconds_to_wait(peer):
            raise self._wait(request)
        session = self._access.open_session(request.query.get("code", ""), peer)
        if session is None:
            raise _stay_out(request, "This link was used before, or is too old or incomplete. " + _WAY_IN)
        response = web.Response(status=303, headers={"Location": "/"})
        # Lax, not Strict: after a link in a mail or a chat, a Strict cookie is not sent along with this redirect, and
        # the person just let in stands before the door again. Nothing is changed by a GET, so Lax gives nothing away.
        response.set_cookie(
            self._access.session_cookie,
            session,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            secure=self._access.secure,
            samesite="Lax",
        )
        return response

    def _wait(self, request: web.Request) -> web.HTTPException:
        seconds = math.ceil(self._access.seconds_to_wait(request.remote or ""))
        text = f"Too many wrong tries from your address. Try again in {seconds} s.\n"
        return web.HTTPTooManyRequests(text=text, headers={"Retry-After": str(seconds)})


async def _healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _read_whole(request: web.Request) -> None:
    """Read the body, so that whatever a handler makes of it neither waits nor meets what cannot be decoded."""
    if not request.can_read_body:
        return
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType(text="Compressed bodies are not accepted.\n")
    if request.content_type.startswith("multipart/"):
        raise web.HTTPBadRequest(text="Multipart bodies are not accepted.\n")
    charset = (request.charset or "utf-8").lower()
    if charset not in _CHARSETS:
        raise web.HTTPBadRequest(text="Unknown charset.\n")
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
    body = await request.read()
    try:
        body.decode(charset)
    except UnicodeDecodeError:
        raise web.HTTPBadRequest(text=f"The body is not {charset}.\n") from None
    if request.content_type == "application/x-www-form-urlencoded" and body.count(b"&") >= MAX_FIELDS:
        raise web.HTTPBadRequest(text="Too many fields.\n")


def _told(error: Exception, request: web.Request) -> Exception:
    """Choose what the client is told of an error: never what it says."""
    if request.writer.output_size:
        # The answer has begun: all that can still be said is that it ended too soon.
        return ConnectionResetError("broken off") if not isinstance(error, ConnectionError) else error
    match error:
        case web.HTTPException() | ConnectionError():
            return error
        case StorageUnavailable() | MailboxClosed() | NotHandled():
            return web.HTTPServiceUnavailable(text="Not now; try again later.\n", headers={"Retry-After": "2"})
        case _:
            resource = request.match_info.route.resource
            _log.error("request_failed", route=resource.canonical if resource else "", exc_info=error)
            return web.HTTPInternalServerError()


def _too_slow() -> web.HTTPException:
    late = web.HTTPRequestTimeout()
    late.force_close()
    return late


def _stay_out(request: web.Request, why: str) -> web.HTTPException:
    headers = {"WWW-Authenticate": 'Bearer realm="migrebot"'}
    if "text/html" not in request.headers.get("Accept", ""):
        return web.HTTPUnauthorized(text=f"{why}\n", headers=headers)
    return web.HTTPUnauthorized(text=_DOOR.replace("$why", escape(why)), content_type="text/html", headers=headers)


_DOOR = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Migrebot: please sign in</title>
<h1>Please sign in</h1>
<p>$why</p>
</html>
"""


class _Connection(web.RequestHandler):
    """A connection whose answers to what is not even HTTP carry the same headers, and give no detail."""

    __slots__ = ("_headers",)

    def __init__(self, server: web.Server, *, headers: dict[str, str], idle_seconds: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # that is how aiohttp turns it off
            keepalive_timeout=idle_seconds,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,
        )
        self._headers = headers

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that never got as far as the routes; nothing of it is repeated or logged."""
        del message
        if request.writer.output_size:
            raise ConnectionResetError("broken off")
        if status >= 500:
            _log.error("connection_failed", exc_info=exc)
        response = web.Response(status=status, text=f"{status}: {HTTPStatus(status).phrase}\n", headers=self._headers)
        response.force_close()
        return response


class _TurnedAway(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.close()
