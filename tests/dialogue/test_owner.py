"""What the person who runs the bot alone can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue.router import COMMANDS, OWNER_COMMANDS
from migrebot.dialogue.turn import Setup
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, InGroup, Unreadable
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

UNKNOWN = "I do not know that command"
BUTTONS_GONE = "This button no longer does anything. /help tells what I can do."


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A bot that somebody runs."""
    async with open_house(storage, clock, Setup(owner=Address("telegram", "1"))) as house:
        yield house


@pytest.fixture
async def olga(house: House) -> Person:
    """The owner."""
    return await comes(house.person(1, first_name="Olga", username="olga"))


@pytest.fixture
async def bob(house: House) -> Person:
    return await comes(house.person(8, first_name="Bob", username="bobby"))


async def comes(person: Person) -> Person:
    await person.says("/start")
    person.chat.clear()
    return person


# --- who that is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", OWNER_COMMANDS)
async def test_for_anybody_else_it_is_an_unknown_command(bob: Person, command: str) -> None:
    for text in (f"/{command}", f"/{command.upper()}@migrebot", f"/{command} 8 hello"):
        await bob.says(text)
        assert UNKNOWN in bob.last.text
    assert await bob.session() is None


@pytest.mark.parametrize("command", OWNER_COMMANDS)
async def test_by_name_nobody_is_the_owner(house: House, olga: Person, command: str) -> None:
    eve = house.person(666, first_name=olga.profile.first_name, username=olga.profile.username)
    assert UNKNOWN in await eve.says(f"/{command}")


@pytest.mark.parametrize("command", OWNER_COMMANDS)
async def test_an_owner_of_that_number_on_another_messenger_is_somebody_else(house: House, command: str) -> None:
    eve = house.person(1, channel="local")
    assert UNKNOWN in await eve.says(f"/{command}")


@pytest.mark.parametrize("command", OWNER_COMMANDS)
async def test_without_an_owner_nobody_has_these_commands(storage: Storage, clock: FakeClock, command: str) -> None:
    async with open_house(storage, clock) as house:
        assert UNKNOWN in await house.person(1).says(f"/{command}")


async def test_in_a_group_and_forwarded_no_command_is_carried_out(house: House, olga: Person) -> None:
    group = house.person(-1, first_name="Olga")
    await group.sends(InGroup())
    assert "private chats only" in group.last.text
    await olga.sends(Unreadable("forward"))
    assert olga.last.text == "I can only read text and buttons."


async def test_from_another_messenger_that_was_linked_the_owner_is_the_owner(house: House, olga: Person) -> None:
    phone = house.person(channel="whatsapp", value="whatsapp:+4917")
    await phone.says("/start")
    await olga.says("/link")
    code = olga.last.text.split("/link ")[1].split()[0]
    await phone.says(f"/link {code}")
    await olga.presses("Yes, join")
    await phone.says("/help")
    assert "/trigger" in "".join(shown.text for shown in phone.chat[-2:])


# --- help --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
async def test_help_tells_the_owner_of_the_owners_commands_and_nobody_else(house: House, language: str) -> None:
    olga = house.person(1, language=language)
    bob = house.person(8, language=language)
    for person in (olga, bob):
        await person.says("/help")
        assert all(f"/{command}" in person.last.text for command in COMMANDS.keys() - {"start", "help"})
        assert "SNNOOP10" in person.last.text
    for command in OWNER_COMMANDS:
        assert f"/{command}" in olga.last.text
        assert f"/{command}" not in bob.last.text


# --- the regular question ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "local"])
async def test_trigger_puts_the_regular_question_at_once(storage: Storage, clock: FakeClock, channel: str) -> None:
    value = {"telegram": "1", "whatsapp": "whatsapp:+4917", "local": "carl"}[channel]
    async with open_house(storage, clock, Setup(owner=Address(channel, value))) as house:  # type: ignore[arg-type]
        olga = await comes(house.person(channel=channel, value=value))
        bob = await comes(house.person(8))
        await olga.says("/trigger")
        assert "Did you have a headache" in olga.last.text
        assert olga.last.labels == ["Yes", "No", "Already recorded"]
        assert bob.chat == []
        await olga.says("no") if channel == "whatsapp" else await olga.presses("No")
        assert "Noted without headache" in olga.last.text


async def test_trigger_asks_again_what_is_known_and_changes_no_plan(house: House, olga: Person) -> None:
    for text in ("/settings", "Time zone", "Berlin", "/cancel"):
        await olga.says(text)
    planned = await house.storage.next_question()
    await olga.says("/trigger")
    await olga.presses("No")
    await olga.says("/trigger")
    assert "Did you have a headache" in olga.last.text
    await olga.presses("No")
    assert "recorded already" in olga.last.text
    assert await house.storage.next_question() == planned
