"""The local chat over real HTTP, with a client that speaks as the page does."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from aiohttp import ClientError, ClientSession, CookieJar

from actors import local_chat_sender
from actors.local_chat import HEARTBEAT_SECONDS
from actors.local_chat_sender import ACKNOWLEDGE_SECONDS, FILE_SECONDS, MAX_PAGES, RENDER_SECONDS
from migrebot.errors import NotSent, Refused
from migrebot.messages import (
    Address,
    Button,
    Document,
    Edit,
    Leave,
    Press,
    Priority,
    Say,
    Text,
    Toast,
)
from migrebot.pages.words import WORDS
from storage.records import OutboxRow
from tests.clock import FakeClock
from tests.local_chat import local_chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import ClientResponse

    from migrebot.messages import Body
    from tests.local_chat import LocalChatWorld

KEY = "A" * 24


class Browser:
    """One browser: its cookie, and what the page does."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.csrf = ""
        self.page = ""

    async def open(self, **headers: str) -> None:
        async with self.session.get(f"{self.url}/chat", headers=headers) as answer:
            assert answer.status == 200
            self.page = await answer.text()
        self.csrf = self.meta("csrf")

    def meta(self, name: str) -> str:
        found = re.search(rf'<meta name="{name}" content="([^"]*)">', self.page)
        assert found is not None
        return unescape(found[1])

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        async with self.session.post(
            f"{self.url}/chat/{path}", json=body, headers={"X-CSRF-Token": self.csrf} | headers
        ) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()

    async def say(self, text: str, key: str = KEY, **headers: str) -> tuple[int, Any]:
        return await self.post("say", {"key": key, "text": text}, **headers)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Page]:
        async with self.session.get(f"{self.url}/chat/events", timeout=None) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/event-stream"
            page = Page(self, answer)
            assert (await page.event())[0] == "hello"
            yield page


class Page:
    """A page that listens."""

    def __init__(self, browser: Browser, answer: ClientResponse) -> None:
        self._browser = browser
        self._answer = answer

    async def line(self) -> str:
        with anyio.fail_after(5):
            return (await self._answer.content.readline()).decode().rstrip("\n")

    async def event(self) -> tuple[str, Any]:
        """Read the next event."""
        name = data = ""
        while line := await self.line():
            field, _, value = line.partition(": ")
            name, data = (value, data) if field == "event" else (name, value if field == "data" else data)
        return name, json.loads(data) if data else None

    async def take(self) -> tuple[str, Any]:
        """Read the next event and say that it is shown."""
        name, data = await self.event()
        assert (await self._browser.post("received", {"rows": [data["row"]]}))[0] == 200
        return name, data

    async def hung_up(self) -> None:
        """Wait until the server has ended this stream, politely or not."""
        with anyio.fail_after(5), suppress(ClientError):
            await self._answer.content.read()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def world(tmp_path: Path, clock: FakeClock) -> AsyncIterator[LocalChatWorld]:
    async with local_chat(tmp_path, clock=clock) as running:
        yield running


@asynccontextmanager
async def a_browser(world: LocalChatWorld, **headers: str) -> AsyncIterator[Browser]:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        opened = Browser(session, world.web.url)
        await opened.open(**headers)
        yield opened


@pytest.fixture
async def browser(world: LocalChatWorld) -> AsyncIterator[Browser]:
    async with a_browser(world) as opened:
        yield opened


async def address(world: LocalChatWorld, browser: Browser) -> Address:
    """Find the address the bot knows this browser by."""
    await browser.say("/start", key="find-my-address-" + "0" * 8)
    return world.bot.heard[-1].address


def a_row(to: Address, body: Body, row_id: int = 1, attempts: int = 1, user_id: int | None = -7) -> OutboxRow:
    return OutboxRow(
        id=row_id,
        address=to,
        body=body,
        priority=Priority.REPLY,
        attempts=attempts,
        created_at=datetime(2026, 6, 15, 12, tzinfo=UTC),
        user_id=user_id,
    )


class Sending:
    """A message on its way: what became of it."""

    def __init__(self) -> None:
        self.message_id = ""
        self.error: Exception | None = None
        self.over = anyio.Event()

    async def run(self, world: LocalChatWorld, row: OutboxRow) -> None:
        try:
            self.message_id = await world.sender.send(row)
        except (NotSent, Refused) as error:
            self.error = error
        self.over.set()


@asynccontextmanager
async def sending(world: LocalChatWorld, row: OutboxRow) -> AsyncIterator[Sending]:
    under_way = Sending()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(under_way.run, world, row)
        yield under_way
        with anyio.fail_after(5):
            await under_way.over.wait()


# --- the page ---


async def test_the_page_has_one_log_one_labelled_textbox_and_nothing_from_elsewhere(browser: Browser) -> None:
    assert browser.page.count('role="log"') == 1
    assert browser.page.count("<textarea") == 1
    assert '<label class="unseen" for="line">' in browser.page
    assert "http" not in browser.page
    assert "style=" not in browser.page
    assert " on" not in re.sub(r">[^<]*<|content=\"[^\"]*\"", "", browser.page)
    assert "{{" not in browser.page


async def test_the_chat_cookie_is_kept_from_scripts_and_lasts(browser: Browser) -> None:
    async with browser.session.get(f"{browser.url}/chat") as answer:
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=34560000" in cookie


async def test_every_file_of_the_page_is_served_and_kept_while_it_is_current(browser: Browser) -> None:
    files = set(re.findall(r'"(/chat/assets/[^"]+)"', browser.page))
    assert len(files) == 3
    for file in files:
        async with browser.session.get(browser.url + file) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with browser.session.get(browser.url + file.partition("?")[0]) as answer:
            assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["chat.html", "words.py", "__init__.py", "..%2faccess.py", "%2e%2e/access.py", "../access.py", "chat.js%00", ""],
)
async def test_no_other_file_is_served(world: LocalChatWorld, path: str) -> None:
    from tests.integration.test_web import head, raw

    request = head(f"GET /chat/assets/{path}", "Host: localhost", "Connection: close")
    assert (await raw(world.web.url, request)).split()[1] == b"404"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en;q=0.3, uk;q=0.7", "uk"),
        ("fr-CA", "fr"),
        ("es-419", "es"),
        ("kk", "ru"),
        ("de", "en"),
        ("*;q=1, %%%, fr;q=x, es;q=0.1", "es"),
    ],
)
async def test_the_page_speaks_the_language_of_the_browser(world: LocalChatWorld, accepted: str, language: str) -> None:
    async with a_browser(world, **{"Accept-Language": accepted}) as browser:
        assert f'<html lang="{language}">' in browser.page
        assert unescape(WORDS[language]["your_message"]) in unescape(browser.page)
        assert json.loads(browser.meta("words")) == WORDS[language]


def test_every_word_of_the_page_exists_in_all_languages() -> None:
    assert set(WORDS) == {"en", "ru", "uk", "fr", "es"}
    for words in WORDS.values():
        assert words.keys() == WORDS["en"].keys()
        assert all(words.values())


# --- what is said ---


async def test_a_line_reaches_the_dialogue_before_it_is_confirmed(world: LocalChatWorld, browser: Browser) -> None:
    assert await browser.say("  /pain 7 3h\nибупрофен ", **{"Accept-Language": "uk-UA"}) == (200, {"outcome": "done"})
    (heard,) = world.bot.heard
    assert heard.content == Text("  /pain 7 3h\nибупрофен ")
    assert heard.address.channel == "local"
    assert heard.profile.language_code == "uk-UA"
    assert heard.key
    assert heard.address.value not in heard.key


async def test_a_press_reaches_the_dialogue_with_its_message(world: LocalChatWorld, browser: Browser) -> None:
    press = {"key": KEY, "message_id": "17", "data": "a:ж"}
    assert await browser.post("press", press) == (200, {"outcome": "done"})
    assert world.bot.heard[0].content == Press("a:ж", "17")


async def test_a_line_that_comes_again_is_not_heard_again(world: LocalChatWorld, browser: Browser) -> None:
    await browser.say("/start")
    assert await browser.say("/start") == (200, {"outcome": "repeated"})
    assert len(world.bot.heard) == 1


async def test_one_cookie_is_one_user_and_nobody_uses_up_the_keys_of_another(world: LocalChatWorld) -> None:
    async with a_browser(world) as mine, a_browser(world) as other:
        await mine.say("first")
        await mine.open()
        await mine.say("second", key="B" * 24)
        assert await other.say("third") == (200, {"outcome": "done"})
    first, second, third = world.bot.heard
    assert first.address == second.address != third.address


async def test_the_bot_never_sees_what_opens_a_chat(world: LocalChatWorld, browser: Browser) -> None:
    await browser.say("hello")
    (cookie,) = browser.session.cookie_jar
    seen = repr(world.bot.heard)
    for piece in [cookie.value, *cookie.value.split(".")]:
        assert piece not in seen
    assert world.bot.heard[0].address.value not in cookie.value


async def test_while_the_bot_stops_the_page_is_told_to_try_again(world: LocalChatWorld, browser: Browser) -> None:
    await world.chat.stop()
    status, body = await browser.say("hello")
    assert status == 503
    assert "try again" in body["reason"]
    assert not world.bot.heard


async def test_what_the_dialogue_could_not_store_is_not_confirmed(world: LocalChatWorld, browser: Browser) -> None:
    world.bot.inbox.close()
    assert (await browser.say("hello"))[0] == 503


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"key":"AAAAAAAAAAAAAAAAAAAAAAAA"}',
        b'{"key":"AAAAAAAAAAAAAAAAAAAAAAAA","text":""}',
        b'{"key":"AAAAAAAAAAAAAAAAAAAAAAAA","text":7}',
        b'{"key":"AAAAAAAAAAAAAAAAAAAAAAAA","text":"\\ud800"}',
        b'{"key":"AAAAAAAAAAAAAAAAAAAAAAAA","text":"x","admin":true}',
        b'{"key":"short","text":"x"}',
        b'{"key":"' + b"A" * 65 + b'","text":"x"}',
        b'{"key":"AAAAAAAAAAAAAAAAAAAAAAAA\\n","text":"x"}',
        b'{"key":"AAAAAAAAAAAA:AAAAAAAAAAA","text":"x"}',
        b'{"key":' + b"[" * 50_000,
        b'{"text":"\xff\xfe"}',
    ],
)
async def test_a_line_that_is_none_is_a_bad_request(world: LocalChatWorld, browser: Browser, body: bytes) -> None:
    headers = {"X-CSRF-Token": browser.csrf, "Content-Type": "application/json"}
    async with browser.session.post(f"{browser.url}/chat/say", data=body, headers=headers) as answer:
        assert answer.status == 400
    assert not world.bot.heard


@pytest.mark.parametrize(
    "press",
    [
        {"key": KEY, "message_id": "17", "data": ""},
        {"key": KEY, "message_id": "17", "data": "x" * 65},
        {"key": KEY, "message_id": "x", "data": "y"},
        {"key": KEY, "message_id": "-1", "data": "y"},
        {"key": KEY, "message_id": "1" * 20, "data": "y"},
        {"key": KEY, "message_id": "", "data": "y"},
    ],
)
async def test_a_press_that_no_button_of_ours_makes_is_a_bad_request(
    world: LocalChatWorld, browser: Browser, press: dict[str, str]
) -> None:
    assert (await browser.post("press", press))[0] == 400
    assert not world.bot.heard


async def test_a_line_that_is_too_long_is_too_large(browser: Browser) -> None:
    assert (await browser.say("x" * 300_000))[0] == 413


# --- strangers ---


@pytest.mark.parametrize("path", ["say", "press", "received"])
@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 32},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_a_page_of_a_stranger_cannot_speak_for_its_visitor(
    world: LocalChatWorld, browser: Browser, path: str, headers: dict[str, str]
) -> None:
    body = {"say": {"key": KEY, "text": "x"}, "press": {"key": KEY, "message_id": "1", "data": "x"}}
    assert (await browser.post(path, body.get(path, {"rows": []}), **headers))[0] == 403
    assert not world.bot.heard


async def test_a_form_of_a_stranger_is_no_line(world: LocalChatWorld, browser: Browser) -> None:
    headers = {"X-CSRF-Token": browser.csrf, "Content-Type": "text/plain"}
    body = json.dumps({"key": KEY, "text": "x"})
    async with browser.session.post(f"{browser.url}/chat/say", data=body, headers=headers) as answer:
        assert answer.status == 415
    assert not world.bot.heard


async def test_the_token_of_another_browser_does_not_serve(world: LocalChatWorld, browser: Browser) -> None:
    async with a_browser(world) as other:
        browser.csrf = other.csrf
        assert (await browser.say("x"))[0] == 403


async def test_nobody_speaks_or_listens_without_a_cookie_of_ours(world: LocalChatWorld, browser: Browser) -> None:
    (cookie,) = browser.session.cookie_jar
    for value in ("", "x", cookie.value[:-1], cookie.value[1:], "IjEi." + cookie.value.partition(".")[2]):
        jar = {cookie.key: value}
        async with ClientSession(cookies=jar) as session:
            forged = Browser(session, browser.url)
            forged.csrf = browser.csrf
            assert (await forged.say("x"))[0] == 403
            async with session.get(f"{browser.url}/chat/events") as answer:
                assert answer.status == 403
    assert not world.bot.heard


async def test_a_page_of_a_stranger_cannot_listen(browser: Browser) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with browser.session.get(f"{browser.url}/chat/events", headers=headers) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Host": "rebound.example"}])
@pytest.mark.parametrize("path", ["", "/events", "/assets/chat.js", "/files/x"])
async def test_nothing_of_the_chat_is_open_to_other_machines(
    browser: Browser, path: str, headers: dict[str, str]
) -> None:
    async with browser.session.get(f"{browser.url}/chat{path}", headers=headers) as answer:
        assert answer.status == 401
    assert (await browser.say("x", **headers))[0] == 401


# --- what the bot says ---


async def test_a_page_that_begins_to_listen_opens_its_chat(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    assert not world.sender.reachable(to.value)
    world.bot.queue(to, Say("waited for you"))
    async with browser.listening() as page:
        assert world.sender.reachable(to.value)
        assert (await page.take())[1]["html"] == "waited for you"
    await world.bot.until(lambda: world.bot.sent)


async def test_each_kind_of_message_arrives_as_its_own_event(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    keyboard = ((Button("Да", "y"), Button("No", "n")), (Button("·", "x"),))
    shown = [[{"label": "Да", "data": "y"}, {"label": "No", "data": "n"}], [{"label": "·", "data": "x"}]]
    events: list[tuple[Body, str, dict[str, Any]]] = [
        (Say("<b>Так?</b>", keyboard), "message", {"id": "1", "html": "<b>Так?</b>", "buttons": shown}),
        (Edit("1", "Yes\nindeed"), "edit", {"message_id": "1", "html": "Yes\nindeed", "buttons": []}),
        (Toast("too late"), "toast", {"text": "too late"}),
        (Leave(), "left", {}),
    ]
    async with browser.listening() as page:
        for body, name, said in events:
            row = world.bot.queue(to, body)
            assert await page.take() == (name, {"row": str(row.id), "again": False} | said)
        await world.bot.until(lambda: len(world.bot.sent) == 4)
    assert [message_id for _row, message_id in world.bot.sent] == ["1", "1", "3", "4"]


async def test_without_a_page_nothing_is_sent(world: LocalChatWorld) -> None:
    with pytest.raises(NotSent):
        await world.sender.send(a_row(Address("local", "nobody"), Say("hello")))


async def test_a_message_is_sent_once_one_of_the_pages_shows_it(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    async with browser.listening() as one, browser.listening() as two, sending(world, a_row(to, Say("x"))) as sent:
        assert (await one.event())[0] == "message"
        assert not sent.over.is_set()
        assert (await two.take())[0] == "message"
        with anyio.fail_after(5):
            await sent.over.wait()
    assert sent.message_id == "1"


async def test_without_an_acknowledgement_a_message_comes_again_and_says_so(
    world: LocalChatWorld, browser: Browser, clock: FakeClock
) -> None:
    to = await address(world, browser)
    row = a_row(to, Say("x"), row_id=7)
    async with browser.listening() as page, sending(world, row) as sent:
        assert (await page.event())[1]["again"] is False
        await clock.advance(ACKNOWLEDGE_SECONDS - 0.1)
        assert not sent.over.is_set()
        await clock.advance(0.1)
    assert isinstance(sent.error, NotSent)
    async with browser.listening() as page, sending(world, row) as sent:
        assert (await page.take())[1]["again"] is True
    assert sent.message_id == "7"
    async with browser.listening() as page, sending(world, row) as sent:
        assert (await page.take())[1]["again"] is False


async def test_after_a_crash_a_message_says_that_it_comes_again(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    async with browser.listening() as page, sending(world, a_row(to, Say("x"), attempts=2)):
        assert (await page.take())[1]["again"] is True


async def test_a_page_that_does_not_answer_no_longer_counts_as_listening(
    world: LocalChatWorld, browser: Browser, clock: FakeClock
) -> None:
    to = await address(world, browser)
    async with browser.listening() as page, sending(world, a_row(to, Say("x"))):
        await page.event()
        await clock.advance(ACKNOWLEDGE_SECONDS)
        await page.hung_up()
    with anyio.fail_after(5):
        while world.sender.reachable(to.value):
            await anyio.lowlevel.checkpoint()


async def test_closing_the_only_page_ends_the_wait_for_it(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    async with sending_after_listening(world, browser, a_row(to, Say("x"))) as sent:
        pass
    assert isinstance(sent.error, NotSent)
    assert not world.sender.reachable(to.value)


@asynccontextmanager
async def sending_after_listening(world: LocalChatWorld, browser: Browser, row: OutboxRow) -> AsyncIterator[Sending]:
    """Send to a page that closes without a word."""
    under_way = Sending()
    async with anyio.create_task_group() as tasks:
        async with browser.listening() as page:
            tasks.start_soon(under_way.run, world, row)
            await page.event()
        with anyio.fail_after(5):
            await under_way.over.wait()
        yield under_way


async def test_nobody_acknowledges_for_another(world: LocalChatWorld, browser: Browser, clock: FakeClock) -> None:
    to = await address(world, browser)
    async with a_browser(world) as other, browser.listening() as page, sending(world, a_row(to, Say("x"))) as sent:
        name, data = await page.event()
        assert name == "message"
        assert (await other.post("received", {"rows": [data["row"]]}))[0] == 200
        await clock.advance(ACKNOWLEDGE_SECONDS)
    assert isinstance(sent.error, NotSent)


async def test_nobody_hears_what_is_said_to_another(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    async with a_browser(world) as other, other.listening() as theirs, browser.listening() as mine:
        world.bot.queue(to, Say("for you alone"))
        assert (await mine.take())[1]["html"] == "for you alone"
        world.bot.queue(await address(world, other), Say("for the other"))
        assert (await theirs.take())[1]["html"] == "for the other"


async def test_too_many_pages_of_a_chat_park_the_oldest(browser: Browser) -> None:
    async with browser.listening() as oldest, anyio.create_task_group() as tasks:
        for _ in range(MAX_PAGES):
            tasks.start_soon(_listen_for_ever, browser)
        assert (await oldest.event())[0] == "parked"
        await oldest.hung_up()
        tasks.cancel_scope.cancel()


async def _listen_for_ever(browser: Browser) -> None:
    async with browser.listening():
        await anyio.sleep_forever()


async def test_a_silent_stream_shows_a_sign_of_life(world: LocalChatWorld, browser: Browser, clock: FakeClock) -> None:
    async with browser.listening() as page:
        await address(world, browser)
        await clock.advance(HEARTBEAT_SECONDS)
        assert (await page.line()).startswith(":")


async def test_an_endless_backlog_hangs_up_on_the_page(world: LocalChatWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_chat_sender, "MAX_BACKLOG", 3)
    hung_up: list[bool] = []
    page = world.sender.join("somebody", lambda: hung_up.append(True))
    for _ in range(3):
        page.tell(b"x")
    assert not hung_up
    page.tell(b"x")
    assert hung_up


# --- documents ---


async def test_a_document_can_be_fetched_by_its_chat_alone(world: LocalChatWorld, browser: Browser) -> None:
    to = await address(world, browser)
    document = Document("workbook", 'Журнал "1".xlsx', "<b>Yours</b>")
    async with browser.listening() as page, sending(world, a_row(to, document)):
        name, data = await page.take()
    assert (name, data["filename"], data["caption"]) == ("document", 'Журнал "1".xlsx', "<b>Yours</b>")
    async with browser.session.get(browser.url + data["url"]) as answer:
        assert await answer.text() == "workbook for -7"
        assert answer.content_type.endswith("spreadsheetml.sheet")
        assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D0%96")
        assert answer.headers["Cache-Control"] == "no-store"
    async with a_browser(world) as other, other.session.get(other.url + data["url"]) as answer:
        assert answer.status == 404


async def test_a_page_among_the_documents_is_downloaded_and_never_shown(
    world: LocalChatWorld, browser: Browser
) -> None:
    to = await address(world, browser)
    async with browser.listening() as page, sending(world, a_row(to, Document("page", "x.html", ""))):
        data = (await page.take())[1]
    async with browser.session.get(browser.url + data["url"]) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")


async def test_a_document_is_forgotten_after_an_hour(world: LocalChatWorld, browser: Browser, clock: FakeClock) -> None:
    to = await address(world, browser)
    async with browser.listening() as page, sending(world, a_row(to, Document("page", "x.csv", ""))):
        data = (await page.take())[1]
    await clock.advance(FILE_SECONDS)
    async with browser.session.get(browser.url + data["url"]) as answer:
        assert answer.status == 404
        assert "Ask the bot" in await answer.text()


async def test_documents_kept_are_bounded_and_the_newest_always_stays(
    world: LocalChatWorld, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_chat_sender, "MAX_FILE_BYTES", 20)
    to = await address(world, browser)
    urls = []
    async with browser.listening() as page:
        for number in range(3):
            async with sending(world, a_row(to, Document("workbook", "x.csv", ""), row_id=number + 1)):
                urls.append((await page.take())[1]["url"])
    found = []
    for url in urls:
        async with browser.session.get(browser.url + url) as answer:
            found.append(answer.status)
    assert found == [404, 404, 200]


async def test_a_document_that_takes_too_long_to_make_is_not_sent(
    world: LocalChatWorld, browser: Browser, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def render(_document: Document, _user_id: int) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(world.sender, "_render", render)
    to = await address(world, browser)
    async with browser.listening(), sending(world, a_row(to, Document("slow", "x.csv", ""))) as sent:
        await anyio.wait_all_tasks_blocked()
        await clock.advance(RENDER_SECONDS)
    assert isinstance(sent.error, NotSent)


async def test_a_document_for_nobody_is_refused(world: LocalChatWorld) -> None:
    with pytest.raises(Refused):
        await world.sender.send(a_row(Address("local", "x"), Document("page", "x.csv", ""), user_id=None))


# --- restarts ---


async def test_after_a_restart_the_same_cookie_is_the_same_user(tmp_path: Path) -> None:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        seen = []
        for number in range(2):
            async with local_chat(tmp_path) as world:
                browser = Browser(session, world.web.url)
                await browser.open()
                await browser.say("hello", key=KEY + str(number))
                seen.append(world.bot.heard[0].address)
        assert seen[0] == seen[1]


async def test_stopping_the_server_ends_the_streams_at_once(tmp_path: Path) -> None:
    async with local_chat(tmp_path) as world, a_browser(world) as browser, browser.listening() as page:
        await world.chat.stop()
        await world.web.stop()
        await page.hung_up()
