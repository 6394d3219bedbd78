"""The HTTP server with a real listener on loopback and real clients, well-behaved and otherwise."""

from __future__ import annotations

import gzip
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from aiohttp import ClientSession, CookieJar, web

from actors import web as web_module
from actors.actor import Mailbox, MailboxClosed
from actors.web import MAX_BODY, Web
from migrebot.clock import SystemClock
from migrebot.errors import StorageUnavailable, UserError
from tests.local_chat import make_access

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from migrebot.access import Access

DEADLINE = 0.4
"""Seconds; what is 10 s in earnest."""


class Handlers:
    """What a test's server serves: an echo, a form, a stream, and all that can go wrong."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.streaming = anyio.Event()
        self.stream_ended = anyio.Event()
        self.working = anyio.Event()
        self.may_finish = anyio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/chat", self.page),
            web.post("/echo", self.echo),
            web.post("/webhooks/form", self.form),
            web.get("/stream", self.stream),
            web.get("/slow", self.slow),
            web.get("/fails/{how}", self.fail),
        ]

    async def page(self, request: web.Request) -> web.Response:
        self.seen.append(request.path)
        return web.Response(text="the chat")

    async def echo(self, request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def form(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.seen.append("form")
        return web.json_response({name: str(value) for name, value in form.items()})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: hello\n\n")
        self.streaming.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.stream_ended.set()
        return response

    async def slow(self, _request: web.Request) -> web.Response:
        self.working.set()
        await self.may_finish.wait()
        return web.Response(text="finished")

    async def fail(self, request: web.Request) -> web.Response:
        match request.match_info["how"]:
            case "storage":
                raise StorageUnavailable("disk full at /secret/path")
            case "stopping":
                raise MailboxClosed
            case "late":
                await anyio.sleep_forever()
            case _:
                pass
        raise RuntimeError("the secret thing she wrote")


class Served:
    def __init__(self, actor: Web, handlers: Handlers, access: Access) -> None:
        self.actor = actor
        self.handlers = handlers
        self.access = access
        self.ready: tuple[bool, dict[str, str]] = (True, {"web": "ok"})

    @property
    def url(self) -> str:
        return self.actor.url


@asynccontextmanager
async def serving(folder: Path, *, token: str = "", public_url: str = "http://127.0.0.1:8080") -> AsyncIterator[Served]:
    handlers = Handlers()
    access = make_access(folder, SystemClock(), token=token, public_url=public_url)
    actor = Web(
        mailbox=Mailbox(),
        host="127.0.0.1",
        port=0,
        routes=handlers.routes(),
        readiness=lambda: running.ready,
        access=access,
    )
    actor.request_seconds = DEADLINE
    actor.idle_seconds = DEADLINE
    running = Served(actor, handlers, access)
    async with AsyncExitStack() as resources:
        await actor.start(resources)
        yield running
        await actor.stop()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    # Cookies of an address that is no name are kept too.
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def raw(url: str, request: bytes) -> bytes:
    """Send these bytes and read all that comes back until the server hangs up."""
    host, _, port = url.removeprefix("http://").partition(":")
    answer = b""
    async with await anyio.connect_tcp(host, int(port)) as stream:
        await stream.send(request)
        with anyio.fail_after(5):
            try:
                async for piece in stream:
                    answer += piece
            except anyio.BrokenResourceError:
                pass
    return answer


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", *fields, "", ""]).encode()


LOCAL = "Host: localhost"


# --- health ---


async def test_healthz_answers_anybody(served: Served, client: ClientSession) -> None:
    async with client.get(f"{served.url}/healthz", headers={"Host": "diary.example"}) as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "ok"}


async def test_readyz_tells_how_each_actor_fares(served: Served, client: ClientSession) -> None:
    async with client.get(f"{served.url}/readyz", headers={"Via": "proxy"}) as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ready", "actors": {"web": "ok"}})
    served.ready = (False, {"web": "ok", "telegram": "the token was refused"})
    async with client.get(f"{served.url}/readyz") as answer:
        assert answer.status == 503
        assert await answer.json() == {
            "status": "not ready",
            "actors": {"web": "ok", "telegram": "the token was refused"},
        }


# --- who may enter ---


async def test_a_local_request_enters(served: Served, client: ClientSession) -> None:
    async with client.get(f"{served.url}/chat") as answer:
        assert (answer.status, await answer.text()) == (200, "the chat")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"x-forwarded-host": "localhost"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Authorization": "Bearer anything", "Host": "diary.example"},
        {"Cookie": "migrebot-session=made-up", "Host": "diary.example"},
    ],
)
async def test_a_request_that_is_not_local_stays_out(
    served: Served, client: ClientSession, headers: dict[str, str]
) -> None:
    async with client.get(f"{served.url}/chat", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "migrebot login" in await answer.text()
    assert not served.handlers.seen


async def test_two_host_headers_do_not_make_a_request_local(served: Served) -> None:
    for hosts in (["Host: localhost", "Host: evil.example"], ["Host: evil.example", "Host: localhost"]):
        answer = await raw(served.url, head("GET /chat", *hosts, "Connection: close"))
        assert answer.split()[1] in {b"400", b"401"}
    assert not served.handlers.seen


async def test_a_request_without_a_host_is_not_local(served: Served) -> None:
    answer = await raw(served.url, b"GET /chat HTTP/1.0\r\n\r\n")
    assert answer.split()[1] == b"401"


async def test_an_absolute_target_does_not_make_a_request_local(served: Served) -> None:
    request = head("GET http://localhost/chat", "Host: evil.example", "Connection: close")
    assert (await raw(served.url, request)).split()[1] == b"401"


async def test_a_stranger_does_not_learn_which_paths_exist(served: Served, client: ClientSession) -> None:
    for path in ("/chat", "/nothing", "/webhooks/nothing"):
        async with client.get(f"{served.url}{path}", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    "path",
    ["/webhooks/../chat", "/webhooks/%2e%2e/chat", "/healthz/../chat", "//chat", "/healthz%2f..%2fchat", "/healthz/"],
)
async def test_no_spelling_of_a_path_makes_it_open(served: Served, path: str) -> None:
    answer = await raw(served.url, head(f"GET {path}", "Host: evil.example", "Connection: close"))
    assert answer.split()[1] == b"401"
    assert not served.handlers.seen


async def test_the_token_enters_from_anywhere_and_local_requests_need_it(tmp_path: Path, client: ClientSession) -> None:
    async with serving(tmp_path, token="s3cret") as served:
        async with client.get(f"{served.url}/chat") as answer:
            assert answer.status == 401
        bearer = {"Host": "diary.example", "Authorization": "Bearer s3cret"}
        async with client.get(f"{served.url}/chat", headers=bearer) as answer:
            assert answer.status == 200


async def test_whoever_guesses_tokens_has_to_wait(tmp_path: Path, client: ClientSession) -> None:
    async with serving(tmp_path, token="s3cret") as served:
        statuses = []
        for number in range(12):
            headers = {"Authorization": f"Bearer {number}"}
            async with client.get(f"{served.url}/chat", headers=headers) as answer:
                statuses.append((answer.status, 0 < int(answer.headers.get("Retry-After", 0)) <= 60))
        assert statuses == [(401, False)] * 10 + [(429, True)] * 2


async def test_a_browser_gets_a_page_that_says_how_to_get_in(served: Served, client: ClientSession) -> None:
    headers = {"Host": "diary.example", "Accept": "text/html,*/*"}
    async with client.get(f"{served.url}/chat", headers=headers) as answer:
        assert answer.status == 401
        assert answer.content_type == "text/html"
        assert "Please sign in" in await answer.text()


# --- login ---


def local_link(served: Served) -> str:
    return served.access.login_link().replace("http://127.0.0.1:8080", served.url)


async def test_a_login_link_opens_everything_from_anywhere_once(served: Served, client: ClientSession) -> None:
    link = local_link(served)
    # Whatever makes a request not local will do; a cookie jar wants the real address.
    proxied = {"X-Forwarded-For": "198.51.100.1"}
    async with client.get(link, headers=proxied, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Max-Age=2592000" in cookie
        assert "Path=/" in cookie
    async with client.get(f"{served.url}/chat", headers=proxied) as answer:
        assert answer.status == 200
    async with client.get(link, headers=proxied, allow_redirects=False) as answer:
        assert answer.status == 401
        assert "used before" in await answer.text()


async def test_over_tls_the_session_cookie_is_bound_to_the_host(tmp_path: Path, client: ClientSession) -> None:
    async with serving(tmp_path, public_url="https://diary.example") as served:
        link = served.access.login_link().replace("https://diary.example", served.url)
        async with client.get(link, allow_redirects=False) as answer:
            assert answer.headers["Set-Cookie"].startswith("__Host-")
            assert "Secure" in answer.headers["Set-Cookie"]
            assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_a_link_preview_does_not_use_the_link_up(served: Served, client: ClientSession) -> None:
    link = local_link(served)
    async with client.head(link) as answer:
        assert answer.status == 405
    async with client.get(link, allow_redirects=False) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("query", ["", "?code=", "?code=made.up.code", "?other=1", "?code=%ff%fe%00"])
async def test_a_made_up_link_stays_out_with_a_readable_line(served: Served, client: ClientSession, query: str) -> None:
    async with client.get(f"{served.url}/login{query}", allow_redirects=False) as answer:
        assert answer.status == 401
        assert "migrebot login" in await answer.text()


async def test_whoever_guesses_links_has_to_wait(served: Served, client: ClientSession) -> None:
    statuses = []
    for number in range(12):
        async with client.get(f"{served.url}/login?code={number}") as answer:
            statuses.append(answer.status)
    assert statuses == [401] * 10 + [429] * 2


async def test_a_link_whose_use_cannot_be_noted_is_not_opened(
    served: Served, client: ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "used-links").write_text("in the way")
    async with client.get(local_link(served), allow_redirects=False) as answer:
        assert answer.status == 503
        assert "Set-Cookie" not in answer.headers


# --- every answer ---


@pytest.mark.parametrize("path", ["/healthz", "/chat", "/nothing", "/fails/somehow", "/login", "/echo", "/stream"])
async def test_every_answer_carries_the_security_headers(served: Served, client: ClientSession, path: str) -> None:
    async with client.get(f"{served.url}{path}") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Server"] == "migrebot"
        assert "Strict-Transport-Security" not in answer.headers


async def test_what_is_not_even_http_is_refused_with_the_same_headers(served: Served) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET\r\n\r\n", head("GET /chat", "Host : x", "A\0: b")):
        answer = await raw(served.url, garbage)
        assert answer.split()[1] == b"400"
        assert b"Content-Security-Policy" in answer
        assert b"aiohttp" not in answer


async def test_an_unknown_path_is_not_found_and_a_wrong_method_not_allowed(
    served: Served, client: ClientSession
) -> None:
    async with client.get(f"{served.url}/nothing") as answer:
        assert answer.status == 404
    async with client.delete(f"{served.url}/chat") as answer:
        assert answer.status == 405


@pytest.mark.parametrize(("how", "status"), [("somehow", 500), ("storage", 503), ("stopping", 503), ("late", 503)])
async def test_an_error_is_told_without_its_words(served: Served, client: ClientSession, how: str, status: int) -> None:
    async with client.get(f"{served.url}/fails/{how}") as answer:
        assert answer.status == status
        text = await answer.text()
        assert "secret" not in text
        assert "Traceback" not in text


async def test_heads_without_end_are_refused(served: Served) -> None:
    for request in (
        head(f"GET /healthz?{'q' * 20_000}", LOCAL),
        head("GET /healthz", LOCAL, f"X-Long: {'x' * 20_000}"),
        head("GET /healthz", LOCAL, *(f"X-{number}: x" for number in range(500))),
    ):
        assert (await raw(served.url, request)).split()[1] in {b"400", b"431"}


# --- bodies ---


async def post_form(client: ClientSession, served: Served, body: Any, content_type: str = "") -> int:
    headers = {"Content-Type": content_type or "application/x-www-form-urlencoded", "Host": "hook.example"}
    async with client.post(f"{served.url}/webhooks/form", data=body, headers=headers) as answer:
        return answer.status


async def test_a_form_reaches_its_handler(served: Served, client: ClientSession) -> None:
    assert await post_form(client, served, b"Body=caf%C3%A9&From=x") == 200


async def test_a_body_at_the_limit_is_taken_and_one_above_is_too_large(served: Served, client: ClientSession) -> None:
    for size, status in ((MAX_BODY, 200), (MAX_BODY + 1, 413), (5_000_000, 413)):
        async with client.post(f"{served.url}/echo", data=BytesIO(b"x" * size)) as answer:
            assert answer.status == status


async def test_a_body_that_does_not_tell_its_size_is_limited_too(served: Served, client: ClientSession) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 4096

    async with client.post(f"{served.url}/echo", data=endless()) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"Body=\xff\xfe", ""),
        (b"Body=x", "application/x-www-form-urlencoded; charset=klingon"),
        (b"Body=x", "application/x-www-form-urlencoded; charset=zlib"),
        (b"Body=x", "application/x-www-form-urlencoded; charset=idna"),
        (b"Body=x", "application/x-www-form-urlencoded; charset=utf-16"),
        (b"--x\r\n", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary="),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"a=&" * 1_000, ""),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(
    served: Served, client: ClientSession, body: bytes, content_type: str
) -> None:
    assert await post_form(client, served, body, content_type) == 400
    assert not served.handlers.seen


async def test_a_hundred_thousand_fields_are_too_large(served: Served, client: ClientSession) -> None:
    assert await post_form(client, served, b"&".join(b"f%d=x" % number for number in range(100_000))) == 413


async def test_a_gzip_bomb_is_not_unpacked(served: Served, client: ClientSession) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    async with client.post(f"{served.url}/webhooks/form", data=bomb, headers=headers) as answer:
        assert answer.status == 415
    assert not served.handlers.seen


async def test_two_hundred_slow_bodies_are_sent_away_while_others_are_served(
    served: Served, client: ClientSession
) -> None:
    request = head("POST /webhooks/form", LOCAL, "Content-Length: 1000", "Content-Type: text/plain") + b"drip"
    statuses: list[bytes] = []
    async with anyio.create_task_group() as tasks:

        async def drip() -> None:
            statuses.append((await raw(served.url, request)).split()[1])

        for _ in range(200):
            tasks.start_soon(drip)
        async with client.get(f"{served.url}/healthz") as answer:
            assert answer.status == 200
    assert statuses == [b"408"] * 200


async def test_a_head_that_never_ends_is_hung_up_on(served: Served) -> None:
    assert await raw(served.url, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") == b""
    assert await raw(served.url, b"") == b""


async def test_connections_without_number_leave_the_server_alive(
    served: Served, client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_module, "MAX_CONNECTIONS", 3)
    served.actor.idle_seconds = 60
    host, port = "127.0.0.1", served.actor.port
    async with AsyncExitStack() as held:
        for _ in range(3):
            stream = await held.enter_async_context(await anyio.connect_tcp(host, port))
            await stream.send(head("GET /healthz", LOCAL))
            assert b"200" in await stream.receive()
        assert await raw(served.url, b"") == b""
    with anyio.fail_after(5):
        while True:
            try:
                async with client.get(f"{served.url}/healthz") as answer:
                    assert answer.status == 200
                    return
            except OSError:  # those three are still being said goodbye to
                continue


# --- streams, start and stop ---


async def test_an_event_stream_may_take_longer_than_a_request(served: Served, client: ClientSession) -> None:
    async with client.get(f"{served.url}/stream") as answer:
        assert await answer.content.readline() == b"data: hello\n"
        with anyio.move_on_after(DEADLINE * 2):
            await served.handlers.stream_ended.wait()
        assert not served.handlers.stream_ended.is_set()


async def test_a_stream_notices_at_once_that_its_listener_left(served: Served, client: ClientSession) -> None:
    async with client.get(f"{served.url}/stream"):
        await served.handlers.streaming.wait()
    with anyio.fail_after(5):
        await served.handlers.stream_ended.wait()


async def test_stopping_ends_streams_at_once_and_finishes_requests(tmp_path: Path, client: ClientSession) -> None:
    answers: list[str] = []
    async with serving(tmp_path) as served, anyio.create_task_group() as tasks:
        served.actor.request_seconds = 10

        async def ask() -> None:
            async with client.get(f"{served.url}/slow") as answer:
                answers.append(await answer.text())

        tasks.start_soon(ask)
        async with client.get(f"{served.url}/stream"):
            await served.handlers.streaming.wait()
            await served.handlers.working.wait()
            await served.actor.stop()
            with anyio.fail_after(1):
                await served.handlers.stream_ended.wait()
        served.handlers.may_finish.set()
    assert answers == ["finished"]


async def test_after_stopping_nobody_is_let_in_any_more(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.actor.stop()
        with pytest.raises(OSError, match="onnect"):
            await anyio.connect_tcp("127.0.0.1", served.actor.port)


async def test_a_port_in_use_is_one_readable_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        actor = Web(
            mailbox=Mailbox(),
            host="127.0.0.1",
            port=port,
            routes=[],
            readiness=lambda: (True, {}),
            access=make_access(tmp_path, SystemClock()),
        )
        async with AsyncExitStack() as resources:
            with pytest.raises(UserError, match=f"127.0.0.1:{port}.*in use") as caught:
                await actor.start(resources)
        assert "\n" not in str(caught.value)


async def test_a_host_that_is_not_ours_is_one_readable_line(tmp_path: Path) -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):
        actor = Web(
            mailbox=Mailbox(),
            host=host,
            port=0,
            routes=[],
            readiness=lambda: (True, {}),
            access=make_access(tmp_path, SystemClock()),
        )
        async with AsyncExitStack() as resources:
            with pytest.raises(UserError, match=r"http\.host"):
                await actor.start(resources)


async def test_a_restart_listens_on_the_same_port(tmp_path: Path, client: ClientSession) -> None:
    async with serving(tmp_path) as served:
        port = served.actor.port
        await served.actor.stop()
    async with AsyncExitStack() as resources:
        await served.actor.start(resources)
        assert served.actor.port == port
        async with client.get(f"{served.url}/healthz") as answer:
            assert answer.status == 200
