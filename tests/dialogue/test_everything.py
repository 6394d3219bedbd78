"""Everything there is to press, on every channel and in every language."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

import migrebot
from actors import twilio_text
from migrebot.dialogue.outcome import TEXT_LIMITS
from migrebot.dialogue.router import COMMANDS, MENUS
from migrebot.dialogue.turn import Setup
from migrebot.i18n import translator
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Edit, Say
from tests.dialogue.walking import NO_FLOOD, Walker, buttons_of
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.sqlite import SqliteStorage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio

CHANNELS = {"telegram": "7001", "whatsapp": "whatsapp:+4917000001", "local": "browser"}
NAMES = {"en": "English", "ru": "Русский", "uk": "Українська", "fr": "Français", "es": "Español"}
FORMS = {"pain", "druguse", "pressure", "medications", "add", "settings"}

NOT_ASKED_FOR = {"r", "ask", "l", "w", "y"}
"""Menus that come by themselves, or from somebody else: see `test_strangers.py`."""

LONGEST_LABEL = 64
MOST_BUTTONS = 100
LONGEST_DATA = 64

SETUP = Setup(owner=Address("telegram", "1"), donate_url="https://xylo.zomig/", currency="EUR")

OWN_WORDS = {"Xylo", "Zomig", "Berlin", "Zolmitriptan", "ibuprofen", "rest"}
"""What the person wrote."""


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_command_can_be_walked_through_in_every_language(
    sqlite: SqliteStorage, clock: FakeClock, channel: str, language: str
) -> None:
    async with open_house(sqlite, clock, SETUP, flood=NO_FLOOD) as house:
        await house.person(1).says("/start")
        ann = Walker.enters(house, 7001, channel=channel, value=CHANNELS[channel], first_name="Xylo")
        for text in ("/settings", "Language", NAMES[language]):
            await ann.says(text)
        ann.said.clear()
        ann.avoids = ("f:erase", "s:language")
        await everything(ann)
    assert {data.partition(":")[0] for data in ann.offered} >= set(MENUS) - {*NOT_ASKED_FOR}, "it went everywhere"
    assert house.alerts == []
    assert untranslated(ann.said, language) == {}
    too_long = [body for body in ann.bodies if isinstance(body, Say | Edit) and not fits(body, channel)]
    assert too_long == []


async def everything(ann: Walker) -> None:
    """Walk through all commands, and through forgetting last."""
    for text in ("/pain 7 3h ibuprofen 400", "/druguse ibuprofen 400", "/pressure 185/110 65", "/calendar"):
        await ann.says(text)
    for command in COMMANDS:
        for _ in range(2):
            await ann.walks(f"/{command}", 20 if command in FORMS else 10)
    await ann.says("/cancel")
    await ann.walks("…", 2)
    await ann.says("/cancel")
    await ann.says("/forget")
    for data in ("f:sure", "f:erase"):
        await ann.presses_data(data)
    assert (await ann.known()).is_new


def fits(body: Say | Edit, channel: str) -> bool:
    """Tell whether a messenger takes it."""
    buttons = list(buttons_of(body))
    if any(len(one.data.encode()) > LONGEST_DATA or not 0 < len(one.label) <= LONGEST_LABEL for one in buttons):
        return False
    if channel == "whatsapp":
        parts = twilio_text.parts(body.text, body.keyboard)
        return len(parts) <= 2 and all(len(part) <= twilio_text.LONGEST for part in parts)
    return len(buttons) <= MOST_BUTTONS and len(body.text.encode("utf-16-le")) // 2 <= TEXT_LIMITS[channel]


# --- what is not translated ------------------------------------------------------------------------------------------


def untranslated(said: list[str], language: str) -> dict[str, str]:
    """Give the words that the English catalogue has, this one has not, and that were said nevertheless, and where."""
    strange = english(language)
    return {word: text for text in said for word in words(text) & strange}


@cache
def english(language: str) -> frozenset[str]:
    locale = translator(language).locale
    names = [name for kinds in (locale.days, locale.months) for widths in kinds.values() for name in widths.values()]
    dates = [name for width in names for name in width.values()]
    known = {word for text in (*catalogue(language), *dates, *OWN_WORDS) for word in words(text)}
    return frozenset(word for text in catalogue("en") for word in words(text)) - known


def catalogue(language: str) -> Iterator[str]:
    path = Path(migrebot.__path__[0]) / "locales" / language / "LC_MESSAGES" / "migrebot.po"
    with path.open("rb") as file:
        for message in read_po(file, locale=language):
            forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
            yield from (re.sub(r"%\(\w+\)s|<[^>]+>", " ", unescape(str(form))) for form in forms if message.id)


def words(text: str) -> set[str]:
    """Give the words of a text, without codes and without the names of time zones, which are English everywhere."""
    bare = re.sub(r"\b[A-Z]\w+/[\w/-]+|/link [\w-]+|\w*\d\w*", " ", text)
    return set(re.findall(r"[^\W\d_]{2,}", bare.casefold()))
