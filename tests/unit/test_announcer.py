"""The announcer over a real storage: whose day it is, by pages, once each, and what the owner sees of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from actors.actor import Mailbox
from actors.announcer import PAGE, Announcer
from migrebot.announcements.recipients import is_open, place
from migrebot.dialogue.turn import Setup
from migrebot.messages import Address, AnnouncementSteered, OutboxFilled, Profile
from storage.changes import Mute, SaveIdentity, SaveUser
from storage.facts import AnnouncementCounts, OpenAnnouncements
from storage.interface import GivenUp, Sent
from storage.records import Identity, User
from storage.sqlite import SqliteStorage
from tests.storage.samples import commit
from tests.talk import open_house, plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from migrebot.announcements.announcement import Announcement, Counts
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
OWNER = Address("telegram", "1")


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    async with open_house(storage, clock, Setup(owner=OWNER)) as house:
        yield house
    await storage.close()


class Post:
    """An announcer at work, and what it gave delivery for everybody but the owner: by chat."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.mailbox: Mailbox[AnnouncementSteered] = Mailbox(1)
        self.delivery: Mailbox[OutboxFilled] = Mailbox(10_000)
        self.got: dict[str, list[str]] = {}
        self.blocks: set[str] = set()
        self.most = 0
        self.announcer = Announcer(
            mailbox=self.mailbox,
            storage=house.storage,
            owner=self._owner,
            delivery=self.delivery,  # type: ignore[arg-type]  # it takes more than this one puts in
            clock=house.clock,
            timezone="UTC",
        )

    async def _owner(self) -> Address | None:
        return OWNER

    async def deliver(self) -> None:
        """Send what is there; who blocked the bot is found out."""
        tickets = [ticket for envelope in self.delivery.take(10_000) for ticket in envelope.message.tickets]
        self.most = max(self.most, len(tickets))
        now = self.house.clock.now()
        claimed = await self.house.storage.claim([ticket.id for ticket in tickets], now)
        for row in claimed:
            gone = row.address.value in self.blocks
            if not gone:
                self.got.setdefault(row.address.value, []).append(plain(getattr(row.body, "text", "")))
            settled = GivenUp(id=row.id, reason="blocked", mute=True) if gone else Sent(row.id, str(row.id))
            await self.house.storage.settle([settled], now)

    async def until(self, met: Callable[[], object], step: float = 0.5) -> None:
        """Let time pass, and messages be delivered, until it is so."""
        with anyio.fail_after(60):
            while not met():
                await self.deliver()
                await self.house.clock.advance(step)
                await anyio.sleep(0.002)


@asynccontextmanager
async def posting(house: House) -> AsyncIterator[Post]:
    post = Post(house)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post.announcer.run)
        yield post
        await post.announcer.stop()


async def people(house: House, count: int, *, zone: str | None = None, first: int = 100, language: str = "en") -> None:
    for number in range(first, first + count):
        address = Address("telegram", str(number))
        user = User(id=number, language=language, created_at=NOON, timezone=zone)
        identity = Identity(address=address, user_id=number, profile=Profile(), seen_at=NOON)
        assert (await commit(house.storage, SaveUser(user), SaveIdentity(identity))).outcome == "done"


async def start(house: House, olga: Person | None = None) -> Person:
    """Let the owner send it to everybody."""
    olga = olga or house.person(1, first_name="Olga")
    await olga.says("/announcement")
    for name, text in {"English": "News", "Русский": "Новости"}.items():
        await olga.presses(name)
        await olga.says(text)
    await olga.presses("Choose who gets it")
    await olga.presses(olga.last.labels[0])
    await olga.presses("Send it")
    return olga


async def under_way(house: House) -> list[Announcement]:
    return list((await house.storage.load([OpenAnnouncements(0)]))[OpenAnnouncements(0)])


async def counts(house: House, announcement: Announcement) -> Counts:
    fact = AnnouncementCounts(0, announcement.id)
    found: Counts = (await house.storage.load([fact]))[fact]
    return found


def report(post: Post) -> str:
    """Give the last thing the owner read."""
    return (post.got.get("1") or [""])[-1]


async def test_everybody_gets_it_once_by_pages_and_in_their_language(house: House) -> None:
    await people(house, 150)
    await people(house, 20, first=500, language="uk")
    await people(house, 20, first=600, language="fr")
    async with posting(house) as post:
        post.blocks = {str(number) for number in range(110, 120)}
        await start(house)
        await post.mailbox.put(AnnouncementSteered())
        await post.until(lambda: "finished" in report(post))
    assert report(post).splitlines()[1:] == ["Sent: 181 of 191", "Blocked the bot: 10"]
    own = post.got.pop("1")
    assert own[0].startswith("News"), "the owner is one of them"
    assert len(post.got) == 180
    assert {len(texts) for texts in post.got.values()} == {1}
    assert post.got["100"] == ["News\n\nYou can turn such messages off in /settings."]
    assert post.got["500"][0].startswith("Новости\n\nТакі повідомлення")
    assert post.got["600"][0].startswith("News\n\nVous pouvez")
    assert post.most <= PAGE + 2
    assert await under_way(house) == []


async def test_nobody_is_written_to_at_night(house: House) -> None:
    await people(house, 3, zone="Europe/Paris")
    await people(house, 3, zone="America/Los_Angeles", first=200)
    async with posting(house) as post:
        await start(house)
        await post.mailbox.put(AnnouncementSteered())
        await post.until(lambda: {"100", "101", "102"} <= post.got.keys())
        await post.until(lambda: "Still to come, between 10 and 20 h of their day: 3" in report(post))
        assert "200" not in post.got
        await post.until(lambda: "200" in post.got, step=600)
        assert house.clock.now() >= NOON + timedelta(hours=5), "it is ten there"
        await post.until(lambda: "finished" in report(post))


async def test_what_was_not_sent_by_the_evening_waits_for_the_next_day(house: House) -> None:
    await people(house, 1, zone="Europe/Paris")
    async with posting(house) as post:
        await start(house)
        await post.mailbox.put(AnnouncementSteered())
        with anyio.fail_after(60):
            while len(post.delivery) == 0:  # noqa: ASYNC110 - the storage's thread tells no event
                await anyio.sleep(0.002)
        # Nothing is delivered meanwhile.
        [announcement] = await under_way(house)
        with anyio.fail_after(60):
            while (await counts(house, announcement)).queued:
                await house.clock.advance(600)
                await anyio.sleep(0.002)
        assert house.clock.now() >= NOON + timedelta(hours=6)
        await post.deliver()
        assert "100" not in post.got
        await post.until(lambda: "100" in post.got, step=600)
        assert house.clock.now() >= NOON + timedelta(hours=20), "it is ten the next day"


async def test_pausing_and_cancelling_take_effect_at_once(house: House) -> None:
    await people(house, 250)
    async with posting(house) as post:
        olga = await start(house)
        await post.mailbox.put(AnnouncementSteered())
        await post.until(lambda: len(post.got) >= 90)
        await olga.presses("Pause")
        await post.mailbox.put(AnnouncementSteered())
        seen = len(post.got)
        for _ in range(20):
            await post.deliver()
            await house.clock.advance(0.5)
        assert len(post.got) - ("1" in post.got) <= seen
        await olga.presses("Go on")
        await post.mailbox.put(AnnouncementSteered())
        await post.until(lambda: len(post.got) > seen + 20)
        await olga.presses("Cancel")
        await olga.presses("Cancel the rest")
        await post.mailbox.put(AnnouncementSteered())
        await post.until(lambda: "cancelled" in report(post))
    assert "Not sent" in report(post)
    assert len(post.got) < 250
    assert {len(texts) for chat, texts in post.got.items() if chat != "1"} == {1}
    assert await under_way(house) == []


async def test_whoever_cannot_be_reached_or_wants_none_by_then_is_counted(house: House) -> None:
    await people(house, 3)
    await commit(house.storage, Mute(Address("telegram", "101"), "blocked"))
    phone = Identity(
        address=Address("whatsapp", "whatsapp:+1"), user_id=-5, profile=Profile(), seen_at=NOON - timedelta(days=2)
    )
    await commit(house.storage, SaveUser(User(id=-5, language="en", created_at=NOON)), SaveIdentity(phone))
    olga = await start(house)
    eve = house.person(102)
    await eve.says("/settings")
    await eve.presses("Announcements: turn off")
    async with posting(house) as post:
        await post.until(lambda: "finished" in report(post))
    assert report(post).splitlines()[1:] == [
        "Sent: 2 of 4",
        "Blocked the bot: 1",
        "WhatsApp, silent for a day: 1",
        "Announcements turned off: 1",
    ]
    assert "on its way" in olga.last.text, "the owner's own chat shows it by an edit, which nobody delivered here"


async def test_on_whatsapp_the_owner_gets_the_final_report_alone(house: House) -> None:
    await people(house, 150)
    phone = "whatsapp:+1"
    async with open_house(house.storage, house.clock, Setup(owner=Address("whatsapp", phone))) as own:
        await start(own, own.person(channel="whatsapp", value=phone))
        async with posting(own) as post:
            await post.until(lambda: len(post.got.get(phone, [])) == 2)
            assert [one.splitlines()[0] for one in post.got[phone]] == ["News", "✅ The announcement is finished"]


@pytest.mark.parametrize(("hour", "open_"), [(9, False), (10, True), (19, True), (20, False), (3, False)])
def test_the_hours_are_those_of_the_persons_day(hour: int, open_: bool) -> None:
    assert is_open("Asia/Tokyo", datetime(2026, 6, 15, (hour - 9) % 24, 59, tzinfo=UTC)) is open_


def test_it_goes_where_the_person_was_last_and_it_can_go() -> None:
    def seen(channel: str, hours: float, *, muted: bool = False) -> Identity:
        return Identity(
            address=Address(channel, channel),  # type: ignore[arg-type]
            user_id=1,
            profile=Profile(),
            seen_at=NOON - timedelta(hours=hours),
            muted_at=NOON if muted else None,
        )

    phone, chat = Address("whatsapp", "whatsapp"), Address("telegram", "telegram")
    assert place([seen("whatsapp", 1), seen("telegram", 2)], NOON) == phone
    assert place([seen("whatsapp", 24), seen("telegram", 48)], NOON) == chat
    assert place([seen("whatsapp", 24), seen("telegram", 48, muted=True)], NOON) == "outside"
    assert place([seen("telegram", 48, muted=True)], NOON) == "blocked"
    assert place([], NOON) == "blocked"
