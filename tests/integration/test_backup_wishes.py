"""What the owner asks of the backups is answered once, whatever happens in between, and uploads are tried again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC
from typing import TYPE_CHECKING, get_args

import anyio
import pytest

from actors.backup_records import BACKED_UP
from migrebot.i18n import translator
from migrebot.languages import LANGUAGES
from migrebot.logs import redact
from migrebot.messages import Address, OutboxFilled, Profile, Say, Wished
from migrebot.reports import backups as told
from migrebot.reports.backups import Figures, Kind, Trouble
from storage.backups.order import Place
from storage.changes import NoteInstant, SaveIdentity, SaveUser, SaveWish, Unit
from storage.facts import Noted, Wishes
from storage.names import BACKUP_FIGURES, DISK_ACCESS
from storage.records import Wish
from storage.sqlite import SqliteStorage
from tests.fakes.telegram import Fault
from tests.fakes.yandex_disk import TOKEN, FakeDisk
from tests.integration.test_backup import Keeper
from tests.talk import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from storage.interface import Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio

OLGA = Address("telegram", "1001")


class Owner:
    """The owner, who asks and is answered."""

    def __init__(self, keeper: Keeper, storage: Storage, clock: FakeClock) -> None:
        self.keeper = keeper
        self._storage = storage
        self._clock = clock
        self._number = 0

    async def asks(self, kind: Any, token: str = "") -> None:
        """Store a wish as the dialogue does, and tell the actor."""
        self._number += 1
        wish = Wish(kind=kind, id=self._number, user_id=1001, address=OLGA, asked_at=self._clock.now(), token=token)
        await self._storage.commit([Unit(changes=(SaveWish(wish),))], self._clock.now())
        self.keeper.actor.mailbox.offer(Wished())

    async def hears(self) -> str:
        """Wait for the next answer."""
        with anyio.fail_after(60):
            filled = (await self.keeper.delivery.get()).message
        assert isinstance(filled, OutboxFilled)
        [row] = await self._storage.claim([ticket.id for ticket in filled.tickets], self._clock.now())
        assert isinstance(row.body, Say)
        return plain(row.body.text)

    async def note(self, name: str) -> str:
        fact = Noted(0, name)
        text: str = (await self._storage.load([fact]))[fact]
        return text

    async def wishes(self) -> tuple[Wish, ...]:
        fact = Wishes(0)
        wishes: tuple[Wish, ...] = (await self._storage.load([fact]))[fact]
        return wishes


@pytest.fixture
async def disk() -> AsyncIterator[FakeDisk]:
    async with FakeDisk() as disk:
        yield disk


@pytest.fixture
async def storage(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Storage]:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    [olga] = await storage.who([(OLGA, Profile(language_code="en"))], clock.now())
    changes = (SaveUser(olga.user), SaveIdentity(olga.identity), NoteInstant(BACKED_UP, clock.now()))
    await storage.commit([Unit(changes=changes)], clock.now())
    yield storage
    await storage.close()


@asynccontextmanager
async def at_work(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk, *, token: str = "", allowed: bool = True
) -> AsyncIterator[Owner]:
    place = Place(file=str(tmp_path / "migrebot.db"), work=str(tmp_path))
    keeper = Keeper(storage, place, tmp_path / "backups", clock, disk=disk, token=token, allowed=allowed, schedule=None)
    async with keeper.at_work():
        yield Owner(keeper, storage, clock)


async def test_a_token_is_checked_kept_and_used_at_once(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk
) -> None:
    async with at_work(storage, tmp_path, clock, disk) as olga:
        await olga.asks("backup")
        said = await olga.hears()
        assert said.startswith("The backup is ready: ")
        assert "It stays on this machine." in said
        await olga.asks("token", TOKEN)
        assert await olga.hears() == (
            "The token works, and I keep it. Free on Yandex Disk: 10 GB. Backups go there from now on."
        )
        with anyio.fail_after(60):
            while not olga.keeper.actor.figures.uploaded:
                await clock.advance(1)
                await anyio.sleep(0.01)
        assert disk.names == olga.keeper.names
        assert await olga.note(DISK_ACCESS) == TOKEN
        assert await olga.wishes() == ()
        assert redact(f"x{TOKEN}x") == "x[secret]x"
        await olga.asks("backup")
        assert "It is on Yandex Disk as well, and arrived unchanged." in await olga.hears()
    assert olga.keeper.actor.health.detail == "ok"


async def test_a_token_that_is_not_taken_is_not_kept(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk
) -> None:
    async with at_work(storage, tmp_path, clock, disk) as olga:
        await olga.asks("token", "y0_mistyped")
        assert (await olga.hears()).startswith("Yandex Disk does not know this token.")
        disk.scopes = {"info"}
        await olga.asks("token", TOKEN)
        assert (await olga.hears()).startswith("The token does not open files")
        disk.scopes = {"info", "files"}
        rule = disk.goes_wrong(Fault.bad_gateway())
        await olga.asks("token", TOKEN)
        assert (await olga.hears()).startswith("I could not check the token, so I did not keep it.")
        disk.heals(rule)
        assert await olga.note(DISK_ACCESS) == ""


async def test_a_backup_whose_upload_fails_is_one_and_goes_up_later(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk
) -> None:
    async with at_work(storage, tmp_path, clock, disk, token=TOKEN) as olga:
        disk.used = disk.total
        await olga.asks("backup")
        said = await olga.hears()
        assert "It is not on Yandex Disk. Yandex Disk is full: " in said
        assert "I will try again every hour." in said
        assert olga.keeper.actor.health.detail == "the last backup was not uploaded: full"
        assert [alert.cause for alert in olga.keeper.alerts] == ["backup upload"]
        disk.used = 0
        asked = disk.count("disk")
        await olga.keeper.pass_time(3_000)
        assert disk.count("disk") == asked, "not before the hour is over"
        with anyio.fail_after(60):
            while not disk.files:
                await clock.advance(10)
                await anyio.sleep(0.01)
        await olga.keeper.pass_time(60)
        with anyio.fail_after(60):
            while olga.keeper.actor.health.detail != "ok":
                await clock.advance(10)
                await anyio.sleep(0.01)
        assert disk.names == olga.keeper.names


async def test_a_plain_backup_is_not_uploaded_unless_that_is_allowed(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk
) -> None:
    async with at_work(storage, tmp_path, clock, disk, token=TOKEN, allowed=False) as olga:
        await olga.asks("backup")
        said = await olga.hears()
        assert "set backup.recipient" in said
        assert "every hour" not in said
        await olga.asks("token", TOKEN)
        assert "set backup.recipient" in await olga.hears()
        await olga.keeper.pass_time(60)
        assert disk.count("link") == 0
        assert not olga.keeper.alerts


async def test_what_was_asked_for_before_a_stop_is_done_after_it(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk
) -> None:
    rule = disk.goes_wrong(Fault.hang(), "put")
    async with at_work(storage, tmp_path, clock, disk, token=TOKEN) as olga:
        await olga.asks("backup")
        await disk.waits_for("put")
    disk.heals(rule)
    assert [wish.kind for wish in await olga.wishes()] == ["backup"]
    await clock.advance(60)
    async with at_work(storage, tmp_path, clock, disk, token=TOKEN) as olga:
        assert "It is on Yandex Disk as well" in await olga.hears()
        assert await olga.wishes() == ()
        figures = olga.keeper.actor.figures
    assert figures.uploaded == figures.file
    assert await olga.note(BACKUP_FIGURES)


async def test_a_backup_that_cannot_be_made_is_told_with_its_reason(
    storage: Storage, tmp_path: Path, clock: FakeClock, disk: FakeDisk
) -> None:
    (tmp_path / "backups").touch()
    async with at_work(storage, tmp_path, clock, disk) as olga:
        await olga.asks("backup")
        assert (await olga.hears()).endswith(": File exists")
        assert olga.keeper.actor.figures.failure


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_is_told_in_every_language(language: str, clock: FakeClock) -> None:
    tr = translator(language)
    kinds = get_args(Kind)
    sentences = {told.told(Trouble(kind=kind, missing=2_500_000 * (kind == "full")), tr) for kind in kinds}
    assert len(sentences) == len(kinds)
    now = clock.now()
    figures = Figures(made_at=now, size=1_234_567, failed_at=now, failure="no", same_disk=True, uploaded_at=now)
    lines = told.summary(figures, UTC, tr).split("\n")
    assert len(lines) == 4
