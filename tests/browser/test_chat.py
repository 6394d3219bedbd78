"""The chat page in a real Chromium, with everything real behind it but the bot's words."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import start_blocking_portal
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from migrebot.messages import INERT, Button, Document, Edit, Leave, Press, Say, Text, Toast
from tests.local_chat import local_chat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from anyio.from_thread import BlockingPortal
    from selenium.webdriver.remote.webelement import WebElement

    from migrebot.messages import Body, Inbound, Keyboard
    from tests.local_chat import LocalChatWorld

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(
        not (shutil.which(CHROMIUM) and shutil.which(DRIVER)),
        reason="needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver",
    ),
]

PATIENCE = 60
"""Seconds; a page at work on a busy machine takes some."""


def keyboard(*rows: str) -> Keyboard:
    """Lay out buttons from lines of labels; the data of each is its label."""
    return tuple(tuple(Button(label, label[:20]) for label in row.split("|")) for row in rows)


CALENDAR = keyboard("June 2026", "Mo|Tu|We|Th|Fr|Sa|Su", *["1|2|3|4|5|6|7"] * 5, "‹ May|Recent days|Jul ›", "Cancel")
FACTORS = keyboard("✅ Стресс|После стресса", "Яркий свет|Сильные запахи|Физическая нагрузка", "Далее", "Назад|Отмена")
SCALE = keyboard("1|2|3|4|5", "6|7|8|9|10", "Back|Skip", "Save now")

HOSTILE = (
    "<b>bold</b> <i>slanted <b>both</b></i> <a href='https://example.org/'>far</a> "
    "<script>window.hurt=1</script><img src=x onerror='window.hurt=1'><b onclick='window.hurt=1'>plain b</b>"
    "<a href='javascript:window.hurt=1'>trap</a><iframe src='/chat'></iframe><style>body{display:none}</style>"
    "<svg><a href='javascript:1'>deep</a></svg>&lt;i&gt; a &amp; b"
)

ANSWERS: dict[str, tuple[Body, ...]] = {
    "/start": (Say("Hello. All signs: /help"),),
    "/pain": (Say("How strong?", SCALE),),
    "calendar": (Say("Which day?", CALENDAR),),
    "factors": (Say("Что могло вызвать?", FACTORS),),
    "hostile": (Say(HOSTILE),),
    "document": (Document("workbook", "Diary.csv", "Here it <b>is</b>"),),
    "toast": (Toast("This question was answered before."),),
    "edit of nothing": (Edit("77", "appeared", keyboard("Yes|No")),),
    "grid": (Say("A week", ((Button("Mo", INERT), Button("·", INERT)), (Button("7", "7"),))),),
    "leave": (Leave(),),
    "flood": tuple(Say(f"message {number}\n\n\n\n") for number in range(30)),
}


def script(inbound: Inbound) -> Iterable[Body]:
    """Answer a command from the table, a press with an edit, and anything else with itself."""
    match inbound.content:
        case Text(text):
            return ANSWERS.get(text, (Say(f"heard {text.replace('<', '')}"),))
        case Press(data, message_id):
            return (Edit(message_id, f"You chose <b>{data}</b>.", keyboard(f"✓ {data}|other")),)
        case _:
            return ()


@contextmanager
def chromium(folder: Path, language: str = "en", *arguments: str) -> Iterator[webdriver.Chrome]:
    """Start a browser with nothing in it."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        f"--user-data-dir={folder}",
        f"--lang={language}",
        f"--accept-lang={language}",
        "--window-size=1280,800",
        *arguments,
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


class Server:
    """The program behind the page; it can be stopped and started again on its port."""

    def __init__(self, portal: BlockingPortal, folder: Path, token: str) -> None:
        self._portal = portal
        self._folder = folder
        self._token = token
        self._running: Any = None
        self.world: LocalChatWorld
        self.port = 0

    def start(self) -> None:
        context = local_chat(self._folder, script, token=self._token, port=self.port)
        self._running = self._portal.wrap_async_context_manager(context)
        self.world = self._running.__enter__()
        self.port = self.world.web.port

    def stop(self) -> None:
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None

    def send(self, body: Body) -> None:
        """Let the bot say something to who spoke last."""
        to = self.world.bot.heard[-1].address
        self._portal.call(self.world.bot.queue, to, body)

    def hears(self, condition: Callable[[], Any]) -> None:
        """Wait until the bot has noticed something."""
        self._portal.call(self.world.bot.until, condition, PATIENCE)

    @property
    def heard(self) -> list[Any]:
        return [inbound.content for inbound in self.world.bot.heard]


class Chat:
    """What a person sees of the page and does with it."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self) -> None:
        self.driver.get(f"{self.url}/chat")

    def until(self, condition: Callable[[], Any]) -> Any:
        waiting = WebDriverWait(self.driver, PATIENCE, 0.05, [StaleElementReferenceException])
        return waiting.until(lambda _driver: condition())

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        (found,) = self.all(selector)
        return found

    def run(self, code: str) -> Any:
        return self.driver.execute_script(code)

    @property
    def texts(self) -> list[str]:
        """All that is said in the log, in order."""
        said = self.run("return [...document.querySelectorAll('#log article .text')].map((text) => text.innerText)")
        return [str(text) for text in said]

    def shows(self, text: str) -> None:
        self.until(lambda: text in self.texts)

    @property
    def settled(self) -> bool:
        return not any("sending" in about.text for about in self.all("article.own .about"))

    def type(self, text: str) -> None:
        self.one("#line").send_keys(text)

    def say(self, text: str) -> None:
        self.type(text + Keys.ENTER)

    def button(self, label: str) -> WebElement:
        found: WebElement = self.until(
            lambda: next((button for button in self.all("#log button") if button.text == label), None)
        )
        return found

    @property
    def focused(self) -> str:
        return str(self.run("return document.activeElement.id || document.activeElement.textContent"))

    @property
    def complaints(self) -> list[str]:
        """What the browser found wrong, broken connections apart."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if "ERR_" not in entry["message"]]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal("asyncio", {"use_uvloop": True}) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One browser for all tests: each has a port, and with it a memory, of its own."""
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def server(portal: BlockingPortal, tmp_path: Path) -> Iterator[Server]:
    running = Server(portal, tmp_path, "")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def chat(browser: webdriver.Chrome, server: Server) -> Iterator[Chat]:
    opened = Chat(browser, server.world.web.url)
    opened.open()
    yield opened
    complaints = opened.complaints
    browser.get("about:blank")
    assert not complaints


DEAF = """
const fetched = window.fetch;
window.fetch = (url, options) => (url.endsWith("received") ? new Promise(() => {}) : fetched(url, options));
"""
"""Loses the page's own acknowledgements: the bot has to send again."""


def test_a_first_visit_says_nothing_and_offers_how_to_begin(chat: Chat, server: Server) -> None:
    assert [button.text for button in chat.all("#empty button")] == ["/start", "/pain"]
    assert chat.one("#empty").is_displayed()
    assert chat.texts == []
    assert chat.focused == "line"
    assert server.heard == []


def test_a_suggestion_sends_its_command_and_goes_away(chat: Chat, server: Server) -> None:
    chat.all("#empty button")[0].click()
    chat.shows("Hello. All signs: /help")
    assert server.heard == [Text("/start")]
    assert not chat.one("#empty").is_displayed()


def test_a_line_is_shown_at_once_and_marked_once_it_is_stored(chat: Chat) -> None:
    chat.run(
        "window.early = null; document.getElementById('composer').addEventListener('submit', () => "
        "{ window.early = document.querySelector('article.own').innerText })"
    )
    chat.say("good evening")
    chat.shows("heard good evening")
    assert "sending…" in chat.run("return window.early")
    assert "stored" in chat.run("return document.querySelector('article.own').textContent")
    assert chat.texts == ["good evening", "heard good evening"]
    assert chat.run("return document.getElementById('line').value") == ""


def test_enter_sends_and_shift_enter_breaks_the_line(chat: Chat, server: Server) -> None:
    chat.type("two" + Keys.SHIFT + Keys.ENTER + Keys.NULL + "lines" + Keys.ENTER)
    server.hears(lambda: server.heard)
    assert server.heard == [Text("two\nlines")]


def test_an_empty_line_is_not_sent(chat: Chat, server: Server) -> None:
    chat.say("   ")
    chat.say("x")
    chat.shows("heard x")
    assert server.heard == [Text("x")]


def test_a_button_says_exactly_its_label_and_an_edit_comes_in_its_place(chat: Chat, server: Server) -> None:
    chat.say("/pain")
    chat.button("7").click()
    chat.shows("You chose 7.")
    assert server.heard == [Text("/pain"), Press("7", "1")]
    assert chat.texts == ["/pain", "You chose 7."]
    assert [button.text for button in chat.all("#log button")] == ["✓ 7", "other"]


def test_what_only_fills_a_place_in_a_grid_cannot_be_pressed(chat: Chat, server: Server) -> None:
    chat.say("grid")
    assert [button.is_enabled() for button in map(chat.button, ("Mo", "·", "7"))] == [False, False, True]
    chat.button("Mo").click()
    chat.button("7").click()
    chat.shows("You chose 7.")
    assert [content for content in server.heard if isinstance(content, Press)] == [Press("7", "1")]
    assert all(button.is_enabled() for button in chat.all("#log button"))


def test_pressing_a_button_leaves_the_cursor_in_the_textbox(chat: Chat) -> None:
    chat.say("/pain")
    chat.button("1").click()
    chat.shows("You chose 1.")
    assert chat.focused == "line"


def test_the_keyboard_reaches_every_button_and_keeps_its_place_after_an_edit(chat: Chat) -> None:
    chat.say("/pain")
    chat.button("1")
    chat.run("document.getElementById('log').focus()")
    chat.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert chat.focused == "1"
    outline = chat.run("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    chat.driver.switch_to.active_element.send_keys(Keys.ENTER)
    chat.shows("You chose 1.")
    assert chat.focused == "✓ 1"


def test_a_command_in_the_text_can_be_pressed(chat: Chat, server: Server) -> None:
    chat.say("/start")
    chat.shows("Hello. All signs: /help")
    chat.one("a.command").click()
    server.hears(lambda: Text("/help") in server.heard)


def test_of_hostile_markup_only_words_and_three_tags_remain(chat: Chat) -> None:
    chat.say("hostile")
    chat.until(lambda: len(chat.texts) == 2)
    html = chat.run("return document.querySelector('article.bot .text').innerHTML")
    assert html.startswith('<b>bold</b> <i>slanted <b>both</b></i> <a href="https://example.org/" ')
    assert "<b>plain b</b>trap" in html
    assert "&lt;i&gt; a &amp; b" in html
    for forbidden in ("<script", "<img", "<iframe", "<style", "<svg", "javascript:", "onclick", "onerror"):
        assert forbidden not in html
    assert chat.run("return window.hurt === undefined && document.body.offsetHeight > 0")
    # Parsing alone makes the browser say that it would not have run any of it.
    assert all("The action has been blocked" in complaint for complaint in chat.complaints)


def test_what_a_person_types_is_text_and_never_markup(chat: Chat) -> None:
    chat.say("<b>not bold</b>")
    chat.shows("<b>not bold</b>")
    assert not chat.all("article.own .text *")


def test_a_reload_loses_nothing(chat: Chat) -> None:
    chat.say("/pain")
    chat.button("3").click()
    chat.shows("You chose 3.")
    chat.type("half a thought")
    chat.open()
    chat.shows("You chose 3.")
    assert chat.texts == ["/pain", "You chose 3."]
    assert chat.run("return document.getElementById('line').value") == "half a thought"
    chat.button("other").click()
    chat.shows("You chose other.")


def test_what_is_written_while_the_bot_is_away_arrives_once_and_in_order(chat: Chat, server: Server) -> None:
    chat.say("before")
    chat.shows("heard before")
    server.stop()
    chat.say("first")
    chat.say("second")
    chat.until(lambda: "No connection" in chat.one("#connection").text)
    assert [about.text for about in chat.all("article.own .about")][1:] == ["sending…", "sending…"]
    server.start()
    chat.shows("heard second")
    chat.until(lambda: chat.settled)
    assert server.heard == [Text("first"), Text("second")]
    chat.until(lambda: chat.one("#connection").text == "")


def test_a_line_left_unsent_by_a_closed_page_is_sent_by_the_next(chat: Chat, server: Server) -> None:
    chat.say("before")
    chat.shows("heard before")
    server.stop()
    chat.say("left behind")
    chat.until(lambda: not chat.settled)
    chat.driver.get("about:blank")
    server.start()
    chat.open()
    chat.shows("heard left behind")
    assert server.heard == [Text("left behind")]


def test_what_the_bot_says_while_no_page_is_open_waits(chat: Chat, server: Server) -> None:
    chat.say("x")
    chat.shows("heard x")
    chat.driver.get("about:blank")
    server.hears(lambda: not server.world.sender._pages)
    server.send(Say("a reminder"))
    chat.open()
    chat.shows("a reminder")
    server.hears(lambda: len(server.world.bot.sent) == 2)


def test_a_message_that_comes_again_is_shown_once(chat: Chat, server: Server) -> None:
    chat.say("/start")
    chat.shows("Hello. All signs: /help")
    chat.until(lambda: chat.settled)
    chat.run(DEAF)
    server.send(Say("only once"))
    chat.shows("only once")
    chat.say("later")
    chat.until(lambda: chat.settled)
    chat.open()
    chat.shows("heard later")
    assert server.world.bot.failures
    assert chat.texts[-3:] == ["only once", "later", "heard later"]


def test_a_known_number_on_a_new_message_is_another_message(chat: Chat, server: Server) -> None:
    """The database was begun anew, and its numbers with it."""
    chat.say("one")
    chat.shows("heard one")
    server.stop()
    server.start()
    chat.say("two")
    chat.shows("heard two")
    assert chat.texts[-2:] == ["two", "heard two"]


def test_an_edit_of_a_message_the_page_does_not_have_is_a_new_message(chat: Chat, server: Server) -> None:
    chat.say("edit of nothing")
    chat.shows("appeared")
    chat.button("Yes").click()
    chat.shows("You chose Yes.")
    assert server.heard[-1] == Press("Yes", "77")


def test_a_document_can_be_downloaded(chat: Chat) -> None:
    chat.say("document")
    chat.shows("Here it is")
    link = chat.one("a.file")
    assert link.text == "Diary.csv"
    fetched = chat.driver.execute_async_script(
        "fetch(arguments[0]).then((answer) => answer.text()).then(arguments[1])", link.get_attribute("href")
    )
    assert fetched == "workbook for -7"


def test_a_toast_is_shown_beside_the_conversation(chat: Chat) -> None:
    chat.say("toast")
    chat.until(lambda: chat.one("#toast").text == "This question was answered before.")
    assert chat.texts == ["toast"]


def test_the_bot_leaving_is_told(chat: Chat) -> None:
    chat.say("leave")
    chat.shows("The bot has left this chat.")


def test_the_screen_can_be_cleared_and_stays_clear(chat: Chat) -> None:
    chat.say("/start")
    chat.shows("Hello. All signs: /help")
    chat.until(lambda: chat.settled)
    chat.one("#about summary").click()
    assert "kept in this browser only" in chat.one(".panel").text
    chat.one("#clear").click()
    chat.driver.switch_to.alert.accept()
    chat.until(lambda: chat.texts == [])
    chat.open()
    assert chat.texts == []
    assert chat.one("#empty").is_displayed()


def test_what_was_cleared_does_not_come_back_when_the_bot_has_to_send_it_again(chat: Chat, server: Server) -> None:
    chat.say("x")
    chat.shows("heard x")
    chat.until(lambda: chat.settled)
    chat.run(DEAF)
    server.send(Say("seen and cleared"))
    chat.shows("seen and cleared")
    chat.one("#about summary").click()
    chat.one("#clear").click()
    chat.driver.switch_to.alert.accept()
    chat.until(lambda: chat.texts == [])
    chat.open()
    server.hears(lambda: len(server.world.bot.sent) == 2)
    assert chat.texts == []


def test_two_tabs_show_the_same(chat: Chat, server: Server) -> None:
    first = chat.driver.current_window_handle
    chat.say("/pain")
    chat.button("3")
    chat.driver.switch_to.new_window("tab")
    try:
        chat.open()
        chat.button("3").click()
        chat.shows("You chose 3.")
        chat.say("from the second")
        chat.shows("heard from the second")
        second = chat.texts
        chat.driver.switch_to.window(first)
        chat.until(lambda: chat.texts == second)
        chat.until(lambda: chat.settled)
        assert len(server.heard) == 3
    finally:
        for window in chat.driver.window_handles:
            if window != first:
                chat.driver.switch_to.window(window)
                chat.driver.close()
        chat.driver.switch_to.window(first)


def test_who_reads_at_the_end_stays_there_and_who_scrolled_up_is_not_disturbed(chat: Chat, server: Server) -> None:
    chat.say("flood")
    chat.until(lambda: any("message 29" in text for text in chat.texts))
    bottom = "const log = document.getElementById('log'); return log.scrollHeight - log.clientHeight - log.scrollTop"
    chat.until(lambda: chat.run(bottom) < 2)
    chat.run("document.getElementById('log').scrollTop = 0")
    chat.until(lambda: chat.one("#newest").is_displayed())
    server.send(Say("late news"))
    chat.shows("late news")
    assert chat.run("return document.getElementById('log').scrollTop") == 0
    chat.one("#newest").click()
    chat.until(lambda: chat.run(bottom) < 2)
    assert not chat.one("#newest").is_displayed()


def test_only_the_last_two_hundred_messages_are_kept(chat: Chat, server: Server) -> None:
    chat.say("x")
    chat.shows("heard x")
    for number in range(210):
        server.send(Say(f"number {number}"))
    chat.shows("number 209")
    assert len(chat.texts) == 200
    assert chat.run("return Object.keys(localStorage).filter((key) => key.includes('.entry.')).length") == 200


def test_assistive_technology_finds_one_log_one_textbox_and_named_buttons(chat: Chat) -> None:
    chat.say("/pain")
    chat.button("Save now")
    tree = chat.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    seen: dict[str, list[str]] = {}
    for node in tree:
        if not node.get("ignored"):
            name = node.get("name", {}).get("value", "")
            seen.setdefault(node.get("role", {}).get("value", ""), []).append(name)
    assert seen["log"] == ["Conversation"]
    assert seen["textbox"] == ["Your message"]
    assert sorted(seen["button"]) == sorted([*"123456789", "10", "Back", "Skip", "Save now", "Send"])
    assert chat.one("#log").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_sticks_out_of_the_screen(chat: Chat, width: int) -> None:
    chat.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    try:
        for line in ("/pain", "calendar", "factors", "document", "w" * 300):
            chat.say(line)
        chat.until(lambda: len(chat.texts) == 10)
        outside = chat.run(
            "return [...document.querySelectorAll('body *')].filter((part) => !part.closest('.unseen, [hidden]') && "
            "part.getBoundingClientRect().right > innerWidth + 1).map((part) => part.outerHTML)"
        )
        assert outside == []
        # On the narrowest screens rows of long words may wrap, a calendar or a scale may not.
        crowded = ".crowded" if width < 390 else ""
        rows = chat.run(
            f"return [...document.querySelectorAll('#log .row{crowded}')].map((row) => "
            "new Set([...row.children].map((button) => button.getBoundingClientRect().top)).size)"
        )
        assert set(rows) == {1}
        heights = chat.run("return [...document.querySelectorAll('#log button')].map((button) => button.offsetHeight)")
        assert min(heights) >= 44
    finally:
        chat.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


LUMINANCE = """
const parts = (name) => getComputedStyle(arguments[0])[name].match(/[\\d.]+/g).slice(0, 3).map((value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});
return ["color", "backgroundColor"].map((name) => {
  const [red, green, blue] = parts(name);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
});
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_and_the_dark_is_dark(chat: Chat, scheme: str) -> None:
    chat.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    try:
        chat.say("/pain")
        for part in (chat.button("3"), chat.one("article.own"), chat.one("article.bot"), chat.one("body")):
            text, ground = chat.driver.execute_script(LUMINANCE, part)
            assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) >= 4.5
            if scheme == "dark":
                assert ground < 0.02
                assert text < 0.6
    finally:
        chat.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_an_open_page_of_another_version_loads_itself_anew(
    chat: Chat, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.say("x")
    chat.shows("heard x")
    chat.run("window.old = true")
    server.stop()
    monkeypatch.setattr("actors.local_chat._version", lambda: "another-one")
    server.start()
    chat.until(lambda: chat.run("return window.old === undefined"))
    chat.shows("heard x")


def test_a_login_link_lets_into_the_chat_and_without_it_the_way_in_is_told(
    browser: webdriver.Chrome, portal: BlockingPortal, tmp_path: Path
) -> None:
    server = Server(portal, tmp_path, "s3cret")
    server.start()
    try:
        chat = Chat(browser, server.world.web.url)
        chat.open()
        assert "migrebot login" in chat.one("body").text
        browser.get(server.world.access.login_link().replace("http://127.0.0.1:8080", chat.url))
        chat.open()
        chat.say("hello")
        chat.shows("heard hello")
    finally:
        with suppress(Exception):
            browser.get("about:blank")
        server.stop()
        browser.get_log("browser")  # type: ignore[no-untyped-call]


def test_the_page_speaks_the_language_of_the_browser(
    portal: BlockingPortal, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = Server(portal, tmp_path, "")
    server.start()
    try:
        with chromium(tmp_path_factory.mktemp("chromium"), "ru") as driver:
            chat = Chat(driver, server.world.web.url)
            chat.open()
            assert chat.one("html").get_attribute("lang") == "ru"
            assert chat.one("#line").accessible_name == "Ваше сообщение"
            chat.say("привет")
            chat.shows("heard привет")
            chat.until(lambda: "сохранено" in chat.run("return document.querySelector('article.own').textContent"))
            assert not chat.complaints
    finally:
        server.stop()
