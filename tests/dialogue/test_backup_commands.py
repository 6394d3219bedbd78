"""What the owner asks of the backups in a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue.forms import disk_token
from migrebot.dialogue.turn import Setup
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Inbound, Say, Text, Withdraw
from storage.facts import Noted, Wishes
from storage.names import DISK_ACCESS
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from storage.changes import Unit
    from storage.interface import Result, Storage
    from storage.records import Wish
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

TOKEN = "y0_AgAAAABkTheTokenOfTheOwner"


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    async with open_house(storage, clock, Setup(owner=Address("local", "1"))) as house:
        yield house


@pytest.fixture
async def olga(house: House) -> Person:
    person = house.person(1, channel="local")
    await person.says("/start")
    return person


async def wishes(house: House) -> tuple[Wish, ...]:
    fact = Wishes(0)
    found: tuple[Wish, ...] = (await house.storage.load([fact]))[fact]
    return found


async def test_a_backup_is_asked_for_once(house: House, olga: Person) -> None:
    assert await olga.says("/backup") == "I am making a backup. I will write when it is done."
    assert await olga.says("/backup") == "A backup is being made already. I will write when it is done."
    [wish] = await wishes(house)
    assert (wish.kind, wish.address) == ("backup", olga.address)


async def test_a_token_is_taken_behind_the_command_or_when_asked_for(house: House, olga: Person) -> None:
    said = await olga.says(f"/token {TOKEN}")
    assert said.startswith("I am checking the token with Yandex Disk. I cannot delete your message")
    [first] = await wishes(house)
    assert (first.kind, first.token) == ("token", TOKEN)
    await olga.says(f"/token\n{TOKEN}2")
    assert [wish.token for wish in await wishes(house)] == [f"{TOKEN}2"]
    assert (await olga.says("/token")).startswith("Please send me the token")
    assert (await olga.says("two words")).startswith("That is no token")
    assert (await olga.says(f"{TOKEN}2")).startswith("I am checking")
    [second] = await wishes(house)
    assert second.token == f"{TOKEN}2"
    assert await olga.session() is None
    assert not [shown.text for shown in olga.chat if TOKEN in shown.text]


async def test_off_takes_back_what_was_asked_for_too(house: House, olga: Person) -> None:
    await olga.says(f"/token {TOKEN}")
    assert await olga.says("/token OFF") == "The token is deleted. Backups stay on this machine from now on."
    assert await wishes(house) == ()
    fact = Noted(0, DISK_ACCESS)
    assert (await house.storage.load([fact]))[fact] == ""


@pytest.mark.parametrize("text", ["/backup", "/token", f"/token {TOKEN}", "/token off"])
async def test_nobody_else_is_heard(storage: Storage, clock: FakeClock, text: str) -> None:
    async with open_house(storage, clock, Setup(owner=Address("telegram", "1"))) as house:
        bob = house.person(8)
        await bob.says("/start")
        assert (await bob.says(text)).startswith("I do not know that command")
        assert await wishes(house) == ()
        assert await bob.session() is None


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_is_said_in_every_language(storage: Storage, clock: FakeClock, language: str) -> None:
    async with open_house(storage, clock, Setup(owner=Address("local", "1"), has_disk_token=True)) as house:
        olga = house.person(1, channel="local", language=language)
        await olga.says("/start")
        said = [
            await olga.says(text) for text in ("/backup", "/backup", "/token", "x y", f"/token {TOKEN}", "/token off")
        ]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        (Address("telegram", "1"), "I am deleting your message with it."),
        # At Twilio, not on the phone.
        (Address("whatsapp", "whatsapp:+15550001111"), "I cannot delete your message with it in this chat"),
    ],
)
async def test_the_message_with_a_token_is_deleted_where_that_can_be_done(
    storage: Storage, clock: FakeClock, owner: Address, said: str
) -> None:
    async with open_house(storage, clock, Setup(owner=owner)) as house:
        olga = house.person(channel=owner.channel, value=owner.value)
        await olga.says("/start")
        inbound = Inbound(
            address=olga.address,
            key="token",
            content=Text(f"/token {TOKEN}"),
            received_at=clock.now(),
            profile=olga.profile,
            message_id="77",
        )
        await house.mailbox.ask(inbound)
        tickets = [ticket for envelope in house.delivery.take(100) for ticket in envelope.message.tickets]
        bodies = [row.body for row in await storage.claim([ticket.id for ticket in tickets], clock.now())]
    assert Withdraw("77") in bodies
    assert any(isinstance(body, Say) and said in body.text for body in bodies)


@pytest.mark.parametrize("asked_for", [False, True])
async def test_a_token_is_not_kept_with_a_message_that_could_not_be_handled(
    house: House, olga: Person, monkeypatch: pytest.MonkeyPatch, asked_for: bool
) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    stored: list[Unit] = []
    commit = house.storage.commit

    async def noting(units: Sequence[Unit], now: datetime) -> list[Result]:
        stored.extend(units)
        return await commit(units, now)

    if asked_for:
        await olga.says("/token")
    monkeypatch.setattr(disk_token, "Wish", fail)
    monkeypatch.setattr(house.storage, "commit", noting)
    said = TOKEN if asked_for else f"/Token {TOKEN}"
    told = Inbound(
        address=olga.address,
        key="bad",
        content=Text(said),
        received_at=house.clock.now(),
        profile=olga.profile,
        raw=said.encode(),
    )
    assert (await house.mailbox.ask(told)).outcome == "quarantined"
    assert [(unit.quarantine, unit.raw) for unit in stored] == [("ZeroDivisionError", b"")]
