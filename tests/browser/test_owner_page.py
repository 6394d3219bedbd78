"""The owner's page in a real Chromium: what it shows, how fast it follows, and that it can be used by everybody."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from actors.actor import Actor, Mailbox
from actors.api import Api
from actors.feed import Feed
from actors.overview import Overview
from actors.owner_page import OwnerPage, Shown
from actors.supervisor import Supervisor
from actors.web import Web
from migrebot.clock import SystemClock
from migrebot.reminders.lateness import Lateness
from migrebot.reports.daily import Report
from storage.sqlite import SqliteStorage
from tests.browser.test_chat import (
    PATIENCE,
    chromium,
    pytestmark,  # noqa: F401 - pytest reads it
)
from tests.e2e.program import Program
from tests.local_chat import make_access
from tests.unit.test_owner_page import day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from anyio.from_thread import BlockingPortal
    from selenium.webdriver import Chrome

    from actors.supervisor import ActorState
    from migrebot.reports.daily import Day


class Probe(Actor[str]):
    """Dies of any message."""

    name: ClassVar[str] = "probe"

    async def run(self) -> None:
        await self.mailbox.get()
        raise OSError


class House:
    """A program of two actors, its page, and what it tells listeners."""

    def __init__(self, folder: Path, storage: SqliteStorage) -> None:
        clock = SystemClock()
        self.feed = Feed()
        self.probe = Probe(Mailbox(5))
        self.lines: list[str] = [f"line {number}" for number in range(60)]
        self.forms = {"AddDrugForm:0:name": 0}
        overview = Overview(
            actors=self.states,
            channels=dict,
            lateness=Lateness,
            redis=lambda: None,
            jobs={},
            storage=storage,
            kind="sqlite",
            clock=clock,
        )
        owner_page = OwnerPage(
            status=overview.status,
            forms=lambda: self.forms,
            report=self.report,
            days=self.days,
            log=lambda: self.lines,
            shown=Shown(language="en", timezone="UTC", chat=False),
            clock=clock,
        )
        api = Api(states=dict, report=self.report, days=self.days, feed=self.feed, anew=list, clock=clock)
        self.web = Web(
            mailbox=Mailbox(1),
            host="127.0.0.1",
            port=0,
            routes=[*owner_page.routes(), *api.routes()],
            readiness=lambda: (True, {}),
            access=make_access(folder, clock),
        )
        self.supervisor = Supervisor(
            actors=[self.probe, self.web],
            clock=clock,
            on_alert=lambda _: None,
            on_change=lambda name, _: self.feed.tell("actors", name.encode()),
        )

    def states(self) -> dict[str, ActorState]:
        return self.supervisor.states()

    async def report(self) -> Report:
        return Report(n_pains=3)

    async def days(self, _first: date, _last: date) -> Sequence[Day]:
        return [day(ago) for ago in range(60, 0, -1)]

    def enter(self, form: str) -> None:
        self.forms[form] = 1
        self.feed.tell("states", b"{}")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[House]:
    storage = SqliteStorage(folder / "migrebot.db")
    await storage.open()
    house = House(folder, storage)
    async with anyio.create_task_group() as tasks:
        await tasks.start(house.supervisor.run)
        yield house
        await house.supervisor.stop()
    await storage.close()


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def house(portal: BlockingPortal, tmp_path: Path) -> Iterator[House]:
    with portal.wrap_async_context_manager(running(tmp_path)) as house:
        yield house


@pytest.fixture
def browser(house: House, tmp_path: Path) -> Iterator[Chrome]:
    with chromium(tmp_path / "browser") as browser:
        browser.get(house.web.url)
        yield browser


def text(browser: Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def until(browser: Chrome, condition: Callable[[], Any]) -> None:
    waiting = WebDriverWait(browser, PATIENCE, 0.02, [StaleElementReferenceException])
    waiting.until(lambda _: condition())


def test_an_actor_that_died_and_was_restarted_is_shown_within_two_seconds(
    house: House, browser: Chrome, portal: BlockingPortal
) -> None:
    until(browser, lambda: "All is well" in text(browser, "overall"))
    # A first answer of the server makes sure that the page listens by now.
    portal.call(house.enter, "AddDrugForm:1:daily_max")
    until(browser, lambda: "daily_max" in text(browser, "forms"))
    begun = time.monotonic()
    portal.call(house.probe.mailbox.put, "die")
    until(browser, lambda: "works" in row(browser, "probe") and " 1 " in row(browser, "probe"))
    took = time.monotonic() - begun
    assert took < 2, f"{took:.2f} s"


def row(browser: Chrome, name: str) -> str:
    found = browser.find_element(By.XPATH, f"//*[@id='health']//tr[.//code='{name}']")
    return f"{found.text} "


def test_an_actor_that_stays_down_is_told_at_the_top(house: House, browser: Chrome, portal: BlockingPortal) -> None:
    for _ in range(5):
        portal.call(house.probe.mailbox.put, "die")
    until(browser, lambda: "1 part does not work" in text(browser, "overall"))
    assert "failed with OSError" in row(browser, "probe")


def test_what_somebody_has_opened_scrolled_or_focused_stays_so_while_the_page_follows(
    house: House, browser: Chrome, portal: BlockingPortal
) -> None:
    log = browser.find_element(By.ID, "lines")
    at = "return document.getElementById('lines').scrollTop"
    assert browser.execute_script(at) > 0, "the newest lines are shown first"
    browser.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    until(browser, lambda: browser.find_element(By.CSS_SELECTOR, "details table").is_displayed())
    browser.execute_script("document.getElementById('lines').scrollTop = 7")
    house.lines.append("the newest line")
    portal.call(house.enter, "AddDrugForm:1:daily_max")
    until(browser, lambda: "the newest line" in str(log.get_property("textContent")))
    assert browser.execute_script(at) == 7
    assert browser.find_element(By.CSS_SELECTOR, "details table").is_displayed()
    assert browser.switch_to.active_element.tag_name == "summary"


def test_a_server_that_is_gone_is_told(browser: Chrome, house: House, portal: BlockingPortal) -> None:
    until(browser, lambda: "All is well" in text(browser, "overall"))
    portal.call(house.supervisor.stop)
    until(browser, lambda: "No connection" in text(browser, "connection"))


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
def test_it_fits_every_screen(browser: Chrome, width: int) -> None:
    measures = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    for section in browser.find_elements(By.TAG_NAME, "section"):
        assert section.rect["x"] >= 0
        assert section.rect["x"] + section.rect["width"] <= width


def test_everything_has_a_name_for_those_who_do_not_see_it(browser: Chrome) -> None:
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]]
    regions = [name for role, name in found if role == "region"]
    assert regions == [
        "Health",
        "Since the last report",
        "Over time",
        "In forms now",
        "Reminders",
        "Sending",
        "Upkeep",
        "Log",
    ]
    pictures = [name for role, name in found if role == "image"]
    assert [name.split(",")[0] for name in pictures] == ["Entries a day", "People a day"]
    assert ("columnheader", "Restarts") in found
    assert ("rowheader", "probe") in found


def test_the_whole_program_shows_its_page_and_the_browser_complains_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with Program(tmp_path / "home", MIGREBOT_BOT_LANGUAGE="fr") as program, chromium(tmp_path / "browser") as browser:
        browser.get(program.url)
        until(browser, lambda: "Tout va bien" in text(browser, "overall"))
        assert "dialogue" in text(browser, "health")
        assert "actor_started" in text(browser, "lines")
        browser.find_element(By.LINK_TEXT, "Discussion").click()
        until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "[role=log]"))
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]
