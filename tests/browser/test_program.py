"""The whole program in a process of its own, used through its chat page in a real Chromium.

With `MIGREBOT_PICTURE=FILE` in the environment the picture of the README is made on the way.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from migrebot.typed import folded
from tests.browser.test_chat import (
    PATIENCE,
    chromium,
    pytestmark,  # noqa: F401 - pytest reads it
)
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome


class Visitor:
    """Somebody at the page, who knows of it only what the contract says: the log, the textbox, the buttons."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def says(self, text: str) -> None:
        box = self.browser.find_element(By.CSS_SELECTOR, "textarea, input[type=text]")
        box.send_keys(text + Keys.ENTER)

    def sees(self, text: str) -> None:
        self._until(lambda: text in self.log, f"{text!r} in the log")

    def presses(self, label: str) -> None:
        def press() -> bool:
            buttons = self.browser.find_elements(By.CSS_SELECTOR, "button")
            for button in reversed(buttons):
                if folded(button.text) == folded(label):
                    button.click()
                    return True
            return False

        self._until(press, f"a button {label!r}")

    @property
    def log(self) -> str:
        return self.browser.find_element(By.CSS_SELECTOR, "[role=log]").text

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        def settled(_: Chrome) -> bool:
            with suppress(StaleElementReferenceException):
                return condition()
            return False

        WebDriverWait(self.browser, PATIENCE).until(settled, what)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program as `make run` starts it: no token, no configuration."""
    (tmp_path / "home").mkdir()
    with Program(tmp_path / "home") as program:
        yield program


@pytest.fixture
def ann(program: Program, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody who opened the page."""
    with chromium(tmp_path / "browser") as browser:
        browser.get(f"{program.url}/chat")
        yield Visitor(browser)


def entries(program: Program) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(program.directory / "data/migrebot.db")) as database:
        return database.execute("SELECT intensity, duration_h, note FROM headaches").fetchall()


def test_a_headache_is_logged_in_the_browser_with_a_kill_and_a_reload_in_the_middle(
    program: Program, ann: Visitor
) -> None:
    ann.says("/start")
    ann.sees("/privacy")
    ann.says("/pain")
    ann.presses("Today")
    ann.presses("3")
    ann.sees("How strong")
    port = program.port
    program.kill()
    ann.presses("7")
    program.start(port)
    ann.sees("Was there an aura")
    ann.browser.refresh()
    ann.sees("Was there an aura")
    ann.presses("No")
    for label in ("Stress", "Bright light", "Next", "Nausea", "Next", "Yes"):
        ann.presses(label)
    ann.says("Ibuprofen")
    ann.presses("400 mg")
    ann.presses("No")
    ann.says("after a long day")
    ann.sees("Pain 7 of 10, 3 h")
    ann.sees("Ibuprofen 400 mg")
    if picture := os.environ.get("MIGREBOT_PICTURE"):
        take_picture(ann, picture)
    assert entries(program) == [(7, 3.0, "after a long day")]


def test_an_attack_takes_three_taps_in_the_browser(program: Program, ann: Visitor) -> None:
    ann.presses("/pain")
    ann.presses("Hurts now")
    ann.presses("6")
    ann.sees("Pain 6 of 10")
    assert entries(program) == [(6, None, None)]


def test_a_login_link_opens_the_owners_page_and_the_chat_where_a_token_is_needed(tmp_path: Path) -> None:
    with Program(tmp_path, MIGREBOT_HTTP_TOKEN="a-long-and-secret-token") as program:
        assert program.get("/chat")[0] == 401
        assert program.get("/chat", {"Authorization": "Bearer a-long-and-secret-token"})[0] == 200
        public = Program(tmp_path, MIGREBOT_HTTP_TOKEN="a-long-and-secret-token", MIGREBOT_HTTP_PUBLIC_URL=program.url)
        link = public.command("login").stdout.strip()
        with chromium(tmp_path / "browser") as browser:
            browser.get(link)
            browser.find_element(By.LINK_TEXT, "Chat").click()
            Visitor(browser).says("/help")
            Visitor(browser).sees("What I can do")
        assert program.get(link.removeprefix(program.url))[0] == 401


def take_picture(ann: Visitor, path: str) -> None:
    ann.browser.set_window_size(900, 1000)
    ann.browser.execute_script("document.querySelector('[role=log]').scrollTo({top: 1e9, behavior: 'instant'})")
    ann.browser.save_screenshot(path)
