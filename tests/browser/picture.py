"""Take the pictures of the owner's page: `python -m tests.browser.picture [directory]`.

The real program runs beside a fake Telegram with some people at it, and two months that were before. `owner.png` is the
upper part, which the README shows. The others are for looking at: dark, a telephone's width, a wide screen.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
from base64 import b64decode
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.test_chat import PATIENCE, chromium
from tests.e2e.conftest import for_telegram
from tests.e2e.program import Program
from tests.fakes.telegram import RemoteFakeTelegram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

SIZES = {
    "owner": (1100, "light"),
    "light": (1100, "light"),
    "dark": (1100, "dark"),
    "phone": (390, "light"),
    "wide": (1600, "light"),
}
"""The pictures: how many pixels wide, and in which colours."""

TALK = (
    ("/pain", "Today", "3"),
    ("/pain", "Today"),
    ("/pain", "Yesterday"),
    ("/pressure",),
    ("/druguse",),
    ("/pain",),
    ("/pain 7 3h ibuprofen 400",),
    ("/druguse paracetamol 500",),
    ("/pressure 120/80 65",),
    ("/pain 5 2h",),
    ("/add remind me to drink water in 2 hours",),
    ("/add remind me to call Mum in 30 minutes",),
)
"""What each of some people writes, in order."""


@contextmanager
def lively(home: Path) -> Iterator[Program]:
    """Run the program with people at it."""
    with RemoteFakeTelegram.start() as telegram, Program(home, **for_telegram(telegram)) as program:
        program.stop()
        remember(home / "data/migrebot.db")
        program.start()
        telegram.waits_for("getUpdates", timeout=PATIENCE, since=len(telegram.calls()))
        for number, lines in enumerate(TALK):
            person = telegram.user(7_001 + number, first_name=f"P{number}", language_code="en")
            person.says("/start")
            person.sees("/export")
            for line in lines:
                person.says(line)
                person.sees(lambda _: True)
        yield program


def remember(database: Path) -> None:
    """Note two months of days."""
    chance = random.Random(8)
    today = datetime.now(UTC).date()
    with closing(sqlite3.connect(database)) as connection, connection:
        for ago in range(60, 0, -1):
            people = 14 + (60 - ago) // 4 + chance.randrange(5)
            pains, intakes, pressures = (chance.randrange(low, low + 8) for low in (5, 4, 1))
            row = (chance.randrange(3), int(chance.random() < 0.1), people, people - 3, pains, intakes, pressures, 1)
            day = (today - timedelta(days=ago)).isoformat()
            connection.execute("INSERT INTO day_reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (day, *row))


def take(driver: Chrome, program: Program, width: int, colours: str, *, upper_part: bool) -> bytes:
    """Give a picture of the page as high as it is, or of all above what waits to be sent."""
    features = [{"name": "prefers-color-scheme", "value": colours}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(program.url)
    WebDriverWait(driver, PATIENCE).until(lambda page: page.find_elements(By.TAG_NAME, "main"))
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width, "it is wider than the screen"
    size["height"] = driver.execute_script("return document.documentElement.scrollHeight")
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
    if upper_part:
        clip["height"] = driver.execute_script("return arguments[0].getBoundingClientRect().top", sections(driver)[-3])
    return b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip})["data"])


def sections(driver: Chrome) -> list[WebElement]:
    return driver.find_elements(By.CSS_SELECTOR, "main section")


def main(directory: Path) -> None:
    """Take all of them."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as profile,
        lively(Path(home)) as program,
        chromium(Path(profile)) as driver,
    ):
        for name, (width, colours) in SIZES.items():
            picture = take(driver, program, width, colours, upper_part=name == "owner")
            (directory / f"{name}.png").write_bytes(picture)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
