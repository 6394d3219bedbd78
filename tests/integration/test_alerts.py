"""What the owner is told when something is wrong, in which words, and how often."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actors.actor import Mailbox
from actors.alerts import Alerts
from migrebot.i18n import translator, translators
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Alert, Profile, Say
from migrebot.reports.alerts import MEANINGS, told
from storage.changes import SaveIdentity, SaveUser, Unit
from storage.interface import Sent
from tests.storage.conftest import backend, postgres_backend, sqlite_backend, sqlite_template, storage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.interface import Storage
    from tests.clock import FakeClock

__all__ = ["backend", "postgres_backend", "sqlite_backend", "sqlite_template", "storage"]

pytestmark = pytest.mark.anyio

OLGA = Address("telegram", "1")


class Desk:
    """The alerts actor with its storage; `owner` is where the owner is written to."""

    def __init__(self, storage: Storage, clock: FakeClock) -> None:
        self.storage = storage
        self.clock = clock
        self.owner: Address | None = OLGA
        self.mailbox: Mailbox[Alert] = Mailbox(100)
        self.delivery: Mailbox[Any] = Mailbox()

    async def _owner(self) -> Address | None:
        return self.owner

    @asynccontextmanager
    async def runs(self) -> AsyncIterator[Desk]:
        """Run the actor."""
        self.mailbox = Mailbox(100)
        actor = Alerts(
            mailbox=self.mailbox, owner=self._owner, storage=self.storage, delivery=self.delivery, clock=self.clock
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.run)
            yield self
            self.mailbox.close()

    async def told(self) -> list[str]:
        """Send what was put into the outbox since; gives its texts."""
        await self.clock.settle()
        ids = [ticket.id for envelope in self.delivery.take(100) for ticket in envelope.message.tickets]
        rows = await self.storage.claim(ids, self.clock.now())
        await self.storage.settle([Sent(row.id) for row in rows], self.clock.now())
        return [row.body.text for row in rows if isinstance(row.body, Say)]

    async def comes(self, language: str = "en") -> None:
        """Let the owner write for the first time."""
        now = self.clock.now()
        [known] = await self.storage.who([(OLGA, Profile(language_code=language))], now)
        changes = (SaveUser(known.user), SaveIdentity(known.identity))
        await self.storage.commit([Unit(changes=changes)], now)


@pytest.fixture
async def desk(storage: Storage, clock: FakeClock) -> Desk:
    return Desk(storage, clock)


def failed(cause: str = "backup", text: str = "No backup could be made: the disk is full") -> Alert:
    return Alert(cause=cause, text=text)


async def test_a_cause_is_told_once_an_hour_also_by_a_program_that_starts_again_and_again(desk: Desk) -> None:
    await desk.comes()
    for run in range(3):
        async with desk.runs():
            await desk.mailbox.put(failed())
            await desk.mailbox.put(failed())
            await desk.mailbox.put(failed("clock"))
            if run == 0:
                assert len(await until(desk, 2)) == 2
    assert await desk.told() == []
    await desk.clock.advance(3600)
    async with desk.runs():
        await desk.mailbox.put(failed())
        assert len(await until(desk, 1)) == 1


async def until(desk: Desk, count: int) -> list[str]:
    """Wait until so many were told."""
    texts: list[str] = []
    with anyio.fail_after(20):
        while len(texts) < count:
            texts += await desk.told()
    return texts


async def test_it_waits_for_an_owner_who_can_be_written_to(desk: Desk) -> None:
    desk.owner = None
    async with desk.runs():
        await desk.mailbox.put(failed())
        assert await desk.told() == []
        desk.owner = OLGA
        await desk.clock.advance(61)
        assert await desk.told() == [], "she has yet to write"
        await desk.comes()
        await desk.clock.advance(61)
        assert len(await until(desk, 1)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_is_told_in_the_owners_language(desk: Desk, language: str) -> None:
    await desk.comes(language)
    async with desk.runs():
        await desk.mailbox.put(failed())
        [text] = await until(desk, 1)
    assert ("It is tried again every hour; look at the disk" in text) == (language == "en")
    assert "<i>No backup could be made: the disk is full</i>" in text


async def test_no_secret_gets_into_it(desk: Desk) -> None:
    await desk.comes()
    async with desk.runs():
        await desk.mailbox.put(failed(text="GET /bot123456789:AAE-abcdefghijklmnopqrstuvwxyz012345/x +15551234567 <b>"))
        [text] = await until(desk, 1)
    assert "AAE-" not in text
    assert "1234567" not in text
    assert "&lt;b&gt;" in text


def test_each_cause_of_the_program_has_its_meaning_in_each_language() -> None:
    causes = [
        *("actor:web", "set_aside:web", "storage", "backup", "backup rehearsal", "backup upload", "erasures", "clock"),
        *("reminder", "reminder paused", "message set aside", "somebody else's button", "whatsapp-window"),
        *("telegram-token-refused", "twilio-account-refused", "whatsapp lost 63016", "telegram lost", "local sender"),
    ]
    seen = set()
    for cause in causes:
        meanings = {str(told(failed(cause), tr)).split("\n")[0] for tr in translators()}
        assert len(meanings) == len(LANGUAGES), cause
        seen |= meanings
    assert len(seen) == len(MEANINGS) * len(LANGUAGES), "no meaning without its cause"
    assert str(told(failed("new cause", "1 < 2"), translator("ru"))) == "⚙️ 1 &lt; 2"


def test_no_part_of_the_program_names_a_cause_without_a_meaning() -> None:
    root = Path(__file__).parents[2]
    found = {
        cause
        for file in (*root.glob("actors/*.py"), *root.glob("migrebot/**/*.py"))
        for cause in re.findall(r'cause="([^"]+)"', file.read_text("utf-8"))
    }
    assert len(found) > 10
    assert found - set(MEANINGS) <= {"bill-refused"}, "a donation's: what Telegram says tells all there is"
