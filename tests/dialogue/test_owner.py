"""What the person who runs the bot alone can do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue.router import COMMANDS, OWNER_COMMANDS
from migrebot.dialogue.turn import Setup
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, InGroup, Left, Unreadable
from migrebot.reports.daily import CLOSED_UNTIL
from storage.changes import NoteInstant, Unit
from storage.facts import NotedInstant
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
    said = {}
    for person in (olga, bob):
        await person.says("/help")
        said[person] = "".join(shown.text for shown in person.chat)
        assert all(f"/{command}" in said[person] for command in COMMANDS.keys() - {"start", "help"})
        assert "SNNOOP10" in said[person]
    for command in OWNER_COMMANDS:
        assert f"/{command}" in said[olga]
        assert not re.search(rf"/{command}\b", said[bob])


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


# --- the report --------------------------------------------------------------------------------------------------


async def test_report_tells_what_happened_so_far_and_closes_nothing(house: House, olga: Person, bob: Person) -> None:
    begun = house.clock.now() - timedelta(hours=3)
    await house.storage.commit([Unit(changes=(NoteInstant(CLOSED_UNTIL, begun),))], begun)
    await bob.says("/pain 7 3h ibuprofen 400")
    await house.clock.advance(1)
    for _ in range(2):
        await olga.says("/report")
        assert "Report, 15 June 2026" in olga.last.text
        assert "So far, since 15 June, 09:00." in olga.last.text
        assert "New people: 2" in olga.last.text
        assert "Bob @bobby (8, en): 2" in olga.last.text
        assert "Headaches: 1, 1 in all" in olga.last.text
    assert (await house.storage.load([fact := NotedInstant(0, CLOSED_UNTIL)]))[fact] == begun
    assert await house.storage.closed_days(begun.date(), begun.date()) == []


async def test_a_report_before_anything_was_noted_is_empty(olga: Person) -> None:
    await olga.says("/report")
    assert "New people: 0" in olga.last.text


async def test_report_opens_the_owners_page_where_it_can_be_opened(house: House, olga: Person) -> None:
    await olga.says("/report")
    assert "Open your page – good for 10 minutes" in olga.last.text
    house.has_page = False
    await olga.says("/report")
    assert "“migrebot login” there prints a link" in olga.last.text


async def test_in_the_local_chat_the_page_is_always_there(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(owner=Address("local", ""))) as house:
        house.has_page = False
        carl = await comes(house.person(value="carl", channel="local"))
        await carl.says("/report")
        assert "Open your page" in carl.last.text


# --- writing to somebody -----------------------------------------------------------------------------------------


async def test_what_the_owner_writes_comes_where_its_reader_wrote_last(house: House, olga: Person, bob: Person) -> None:
    assert "on its way" in await olga.says("/write 8 Hello, Bob <3\nAll well?")
    assert bob.last.text == "✉️ The person who runs this bot writes to you:\nHello, Bob <3\nAll well?"
    phone = house.person(channel="whatsapp", value="whatsapp:+4917")
    await phone.says("/start")
    await bob.says("/link")
    await phone.says(f"/link {bob.last.text.split('/link ')[1].split()[0]}")
    await bob.presses("Yes, join")
    await house.clock.advance(3600)
    await phone.says("/help")
    await olga.says("/write 8 still there?")
    assert "still there?" in phone.last.text
    assert "write here while no question is open" in phone.last.text


async def test_its_reader_can_answer_by_its_button(olga: Person, bob: Person) -> None:
    await olga.says("/write 8 How are you?")
    await bob.presses("Answer")
    assert "sees your name" in bob.last.text
    await bob.says("Fine, thanks")
    assert olga.last.text == "✉️ Bob @bobby (id 8) writes:\nFine, thanks"
    assert "may read it later" in bob.last.text
    assert (await bob.says("And you?")).startswith("Send this"), "it was agreed to that answer alone"


async def test_somebody_of_another_messenger_has_a_negative_number(house: House, olga: Person) -> None:
    carl = await comes(house.person(value="carl", channel="local"))
    number = (await carl.known()).user.id
    assert number < 0
    await olga.says(f"/write {number} hello")
    assert carl.last.text.endswith("hello")
    await olga.says(f"/write −{-number} again")
    assert carl.last.text.endswith("again")


@pytest.mark.parametrize("text", ["", "8", "8 ", "hello", "8hello there", "bobby hello", "99999999999999999999 x"])
async def test_without_number_or_text_it_says_how_to_write(olga: Person, bob: Person, text: str) -> None:
    assert "/write 8 Hello!" in await olga.says(f"/write {text}")
    assert bob.chat == []


async def test_nobody_unknown_or_gone_or_forgotten_gets_anything(olga: Person, bob: Person) -> None:
    assert "I know nobody with the id 4711" in await olga.says("/write 4711 hello")
    await bob.sends(Left())
    assert "has blocked the bot" in await olga.says("/write 8 hello")
    await bob.says("/forget")
    await bob.presses("Delete everything")
    await bob.presses("Yes, delete")
    assert "I know nobody" in await olga.says("/write 8 hello")


async def test_outside_whatsapps_window_it_says_that_it_waits(house: House, olga: Person) -> None:
    phone = await comes(house.person(channel="whatsapp", value="whatsapp:+4917"))
    number = (await phone.known()).user.id
    assert "on its way" in await olga.says(f"/write {number} hello")
    await house.clock.advance(25 * 3600)
    assert "until they write again WhatsApp lets nothing through" in await olga.says(f"/write {number} hello")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_is_written_comes_in_its_readers_language(house: House, olga: Person, language: str) -> None:
    carl = await comes(house.person(55, language=language))
    await olga.says("/write 55 🙂🙂")
    assert carl.last.text.endswith("🙂🙂")
    assert ("writes to you" in carl.last.text) == (language == "en")
