"""The conversations in docs/whatsapp.md, held with the program and compared word for word.

What a person writes stands behind `>`, in parentheses when it goes on; the rest is what the bot sends. The codes of
reminders are drawn by lot, so any one is as good as the one in the text.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from migrebot.reminders.timers import RemindersMoved, Timer
from storage.migrations.sqlite_runner import migrate
from tests.fakes.twilio import FakeTwilio
from tests.integration.twilio_rig import Rig, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs/whatsapp.md"
CONVERSATIONS = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
START = datetime(2026, 6, 15, 10, tzinfo=ZoneInfo("Europe/Kyiv"))
"""A Monday."""

SETTINGS = (
    ("/start", "Hello"),
    ("/settings", "Settings"),
    ("2", "Where"),
    ("Kyiv", "Kyiv"),
    ("/settings", "Settings"),
    ("3", "How often"),
    ("never", "Changed"),
)
"""What was said before: where the person lives, and that no question is to come in between."""


class Told:
    """A clock that stands still until it is told the time, for people; timers run on as ever."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        self._rig = rig
        monkeypatch.setattr(rig.clock, "now", lambda: self.now.astimezone(ZoneInfo("UTC")))

    async def goes_on(self, told: str) -> None:
        """Let it be that time of that day, the next one of the kind; what is due then is."""
        while f"{self.now:%A}, {self.now.hour}:{self.now:%M}" != told:
            self.now += timedelta(minutes=1)
        await self._rig.program._scheduler.put(RemindersMoved((Timer(self._rig.clock.now(), 0),)))


async def held(conversation: str, rig: Rig, told: Told) -> str:
    """Hold a conversation; gives it as it was."""
    ann = rig.fake.person()
    for text, seen in SETTINGS:
        await ann.says(text)
        await ann.sees(seen)
    was: list[str] = []
    for line in acts(conversation):
        before = len(ann.messages)
        await (ann.says(line[2:]) if line.startswith("> ") else told.goes_on(line[1:-1]))
        await rig.until(lambda before=before: len(ann.messages) > before and all_went(rig))  # type: ignore[misc]
        was += [line, *(message.text for message in ann.messages[before:]), ""]
    return "\n".join(was)


def all_went(rig: Rig) -> bool:
    with closing(sqlite3.connect(rig.directory / "data/migrebot.db")) as database:
        return not database.execute("SELECT 1 FROM outbox WHERE settled_at IS NULL").fetchall()


def acts(conversation: str) -> Iterator[str]:
    return (line for line in conversation.splitlines() if line.startswith(("> ", "(")))


def without_codes(text: str) -> str:
    return re.sub(r"(Code: \*|· )[a-z][0-9]\b", r"\1k7", text).strip()


@pytest.mark.parametrize("conversation", CONVERSATIONS)
async def test_the_conversation_is_as_it_is_told(
    conversation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    migrate(tmp_path / "data/migrebot.db")
    async with FakeTwilio() as fake, running(fake, tmp_path) as rig:
        was = await held(conversation, rig, Told(rig, monkeypatch))
    assert without_codes(was) == without_codes(conversation)


def test_there_are_some() -> None:
    assert len(CONVERSATIONS) == 3
