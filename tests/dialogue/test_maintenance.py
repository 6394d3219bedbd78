"""Maintenance: what others write waits, and is handled afterwards, once and in order."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from migrebot.dialogue import router
from migrebot.dialogue.turn import Setup
from migrebot.flood import FloodGate
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Left, Location, Press, Text, Unreadable
from migrebot.reminders.reminder import Reminder
from migrebot.reminders.schedule import Once, Schedule
from storage.changes import MergeUsers, SaveReminder, Unit
from storage.facts import AllOf, HeldInAll
from tests.talk import make_scheduler, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from migrebot.dialogue.turn import Answer, Turn
    from storage.facts import Everything
    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

SETUP = Setup(owner=Address("telegram", "1"))
WAIT = "I am being looked after just now"
BACK = "I am back, thank you"


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A bot that somebody runs."""
    async with open_house(storage, clock, SETUP) as house:
        yield house


@pytest.fixture
async def olga(house: House) -> Person:
    """The owner."""
    return await comes(house.person(1, first_name="Olga"))


@pytest.fixture
async def bob(house: House) -> Person:
    return await comes(house.person(8, first_name="Bob"))


async def comes(person: Person) -> Person:
    await person.says("/start")
    person.chat.clear()
    return person


async def held(house: House) -> int:
    fact = HeldInAll(0)
    count: int = (await house.storage.load([fact]))[fact]
    return count


async def goes_on(house: House, olga: Person) -> None:
    """End maintenance and wait until all is handled."""
    await olga.says("/maintenance_off")
    await all_handled(house)


async def all_handled(house: House) -> None:
    await house.clock.settle()
    while await held(house):
        await house.clock.settle()
    await house.clock.settle()
    await house.deliver()


async def everything(house: House, user_id: int) -> Everything:
    found: Everything = (await house.storage.load([AllOf(user_id)]))[AllOf(user_id)]
    return found


def recorded(person: Person) -> list[str]:
    """Tell how much each headache hurt that somebody saw was recorded, in order."""
    return [found[1] for text in texts(person) if (found := re.search(r"Pain (\d+) of 10", text))]


def texts(person: Person) -> list[str]:
    return [shown.text for shown in person.chat]


# --- what waits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "local"])
async def test_what_is_written_meanwhile_is_handled_afterwards_in_order(
    house: House, olga: Person, channel: str
) -> None:
    bob = await comes(house.person(8, channel=channel, value={"whatsapp": "whatsapp:+4917"}.get(channel, "8")))
    await olga.says("/maintenance_on")
    assert "Maintenance is on" in olga.last.text
    for text in ("/pain", "today", "3", "7", "/pain 5 1h", "/druguse ibuprofen 400"):
        await bob.says(text)
    assert len(bob.chat) == 1, "told once, not for each message"
    assert WAIT in bob.last.text
    user_id = (await bob.known()).user.id
    assert (await everything(house, user_id)).headaches == ()
    await goes_on(house, olga)
    assert "6 messages waited" in olga.last.text
    assert BACK in bob.chat[1].text
    assert sum(BACK in text for text in texts(bob)) == 1
    assert recorded(bob) == ["7", "5"], "the form left half way, then the line"
    assert [intake.drug for intake in (await everything(house, user_id)).intakes] == ["ibuprofen"]
    assert "ibuprofen" in bob.last.text
    await bob.says("/pressure 120/80 65")
    assert "120/80" in bob.last.text, "and everything is as always"


async def test_help_still_answers_with_the_emergency_signs(house: House, olga: Person, bob: Person) -> None:
    await olga.says("/maintenance_on")
    eve = house.person(9)
    for person in (bob, eve):
        await person.says("/help@migrebot")
        said = "\n".join(texts(person))
        assert WAIT in said
        assert "SNNOOP10" in said
    assert await held(house) == 0


async def test_a_button_is_answered_for_a_moment_and_does_nothing(house: House, olga: Person, bob: Person) -> None:
    await bob.says("/pain")
    asked = bob.last.text
    await olga.says("/maintenance_on")
    await bob.presses("Today")
    assert WAIT in bob.toasts[-1]
    assert bob.last.text == asked
    assert await held(house) == 0
    await goes_on(house, olga)
    assert "Nobody wrote meanwhile" in olga.last.text
    await bob.presses("Today")
    assert bob.last.text != asked


async def test_the_owner_works_as_always(olga: Person) -> None:
    await olga.says("/maintenance_on")
    await olga.says("/pain 7 3h")
    assert "Saved" in "".join(texts(olga))
    await olga.says("/maintenance_on")
    assert "Maintenance is on since 15 June, 12:00. Messages that wait: 0." in olga.last.text
    await olga.says("/report")
    assert olga.last.text.startswith("Maintenance is on since 15 June, 12:00.")
    await olga.says("/maintenance_off")
    await olga.says("/maintenance_off")
    assert "no maintenance going on" in olga.last.text


async def test_somebody_new_is_told_too_and_introduced_afterwards(house: House, olga: Person) -> None:
    await olga.says("/maintenance_on")
    eve = house.person(9, first_name="Eve")
    await eve.says("/start")
    assert texts(eve) == [eve.last.text]
    assert WAIT in eve.last.text
    await goes_on(house, olga)
    assert BACK in eve.chat[1].text
    assert "/forget" in eve.chat[2].text


async def test_places_and_what_cannot_be_read_wait_as_well(house: House, olga: Person, bob: Person) -> None:
    await bob.says("/settings")
    await bob.presses("Time zone")
    await olga.says("/maintenance_on")
    await bob.sends(Location(52.5, 13.4))
    await bob.sends(Unreadable("sticker"))
    await bob.sends(Unreadable("live_location"))
    assert await held(house) == 2
    await goes_on(house, olga)
    assert (await bob.known()).user.timezone == "Europe/Berlin"
    assert "I can only read text" in bob.last.text


async def test_what_no_database_holds_waits_as_well(house: House, olga: Person, bob: Person) -> None:
    await olga.says("/maintenance_on")
    await bob.sends(Text("/pain 7 3h \ud800\0 ibuprofen"))
    await goes_on(house, olga)
    assert await held(house) == 0
    assert len(bob.chat) >= 3


async def test_whoever_leaves_is_written_to_no_more(house: House, olga: Person, bob: Person) -> None:
    await olga.says("/maintenance_on")
    await bob.sends(Left())
    await goes_on(house, olga)
    await olga.says("/write 8 hello")
    assert "has blocked the bot" in olga.last.text


async def test_what_comes_twice_is_handled_once(house: House, olga: Person, bob: Person) -> None:
    await olga.says("/maintenance_on")
    for _ in range(2):
        await bob.sends(Text("/pain 7 3h"), key="same")
    await goes_on(house, olga)
    await bob.sends(Text("/pain 7 3h"), key="same")
    assert len((await everything(house, 8)).headaches) == 1


async def test_a_flood_is_no_greater_for_having_waited(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, SETUP, flood=FloodGate(burst=3, per_second=0.1)) as house:
        olga = await comes(house.person(1))
        bob = house.person(8)
        await olga.says("/maintenance_on")
        for number in range(6):
            await bob.says(f"/pain {number + 1} 1h")
        await goes_on(house, olga)
        assert len((await everything(house, 8)).headaches) == 3


async def test_reminders_fire_meanwhile(house: House, olga: Person, bob: Person) -> None:
    await olga.says("/maintenance_on")
    now = house.clock.now()
    at = now + timedelta(minutes=1)
    reminder = Reminder(
        id=1,
        code="k1",
        user_id=8,
        address=bob.address,
        task="drink water",
        schedule=Schedule(pattern=Once(at.replace(tzinfo=None)), timezone="UTC"),
        created_at=now,
        next_at=at,
    )
    await house.storage.commit([Unit(changes=(SaveReminder(reminder),))], now)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(make_scheduler(house).run)
        await house.clock.advance(120)
        await house.deliver()
        while not bob.chat:
            await house.clock.settle()
            await house.deliver()
        tasks.cancel_scope.cancel()
    assert "drink water" in bob.last.text
    await bob.presses(bob.last.labels[0])
    assert WAIT in bob.toasts[-1]


# --- people ------------------------------------------------------------------------------------------------------


async def test_forget_takes_what_waits_behind_it_too(house: House, olga: Person, bob: Person) -> None:
    await bob.says("/forget")
    await bob.presses("Delete everything")
    await olga.says("/maintenance_on")
    for text in ("Yes, delete", "/pain 7 3h", "secret"):
        await bob.says(text)
    await goes_on(house, olga)
    assert (await bob.known()).is_new
    assert await held(house) == 0


async def test_the_messages_of_two_messengers_go_to_the_diary_they_have_in_common(house: House, olga: Person) -> None:
    bob = await comes(house.person(8))
    phone = await comes(house.person(channel="whatsapp", value="whatsapp:+4917"))
    await olga.says("/maintenance_on")
    await phone.says("/pain 7 3h")
    await bob.says("/pain 5 1h")
    joined = MergeUsers(8, (await phone.known()).user.id)
    await house.storage.commit([Unit(changes=(joined,))], house.clock.now())
    await goes_on(house, olga)
    assert sorted(attack.intensity or 0 for attack in (await everything(house, 8)).headaches) == [5, 7]
    assert recorded(phone) == ["7"]
    assert recorded(bob) == ["5"]


# --- restarts, bugs, crowds --------------------------------------------------------------------------------------


async def test_a_restart_forgets_neither_maintenance_nor_what_waits(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, SETUP) as house:
        await comes(house.person(1))
        olga, bob = house.person(1), await comes(house.person(8))
        await olga.says("/maintenance_on")
        await bob.says("/pain 7 3h")
    async with open_house(storage, clock, SETUP) as house:
        olga, bob = house.person(1), house.person(8)
        await bob.sends(Text("/pain 5 1h"), key="b2")
        assert bob.chat == [], "told before"
        await olga.sends(Text("/maintenance_off"), key="o2")
    async with open_house(storage, clock, SETUP) as house:
        for number in (1, 8):
            house.person(number)
        await all_handled(house)
        attacks = (await everything(house, 8)).headaches
        assert sorted(attack.intensity or 0 for attack in attacks) == [5, 7]


async def test_without_an_owner_any_more_nobody_waits_for_ever(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, SETUP) as house:
        olga, bob = await comes(house.person(1)), await comes(house.person(8))
        await olga.says("/maintenance_on")
        await bob.says("/pain 7 3h")
    async with open_house(storage, clock) as house:
        house.person(1)
        bob = house.person(8)
        await bob.sends(Text("/pain 5 1h"), key="b2")
        await all_handled(house)
        attacks = (await everything(house, 8)).headaches
        assert sorted(attack.intensity or 0 for attack in attacks) == [5, 7]


async def test_one_that_cannot_be_handled_holds_up_nobody(
    house: House, olga: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(turn: Turn, arguments: str) -> Answer:
        raise RuntimeError(f"{turn}{arguments}")

    monkeypatch.setitem(router.COMMANDS, "poison", router.Command(explode, ""))
    eve = await comes(house.person(9))
    await olga.says("/maintenance_on")
    for text in ("/poison", "/pain 7 3h"):
        await bob.says(text)
    await eve.says("/pain 5 1h")
    await goes_on(house, olga)
    assert len((await everything(house, 8)).headaches) == 1
    assert len((await everything(house, 9)).headaches) == 1
    assert [alert.cause for alert in house.alerts] == ["message set aside"]


async def test_while_thousands_are_worked_off_others_are_answered_and_nobody_overtakes_oneself(
    storage: Storage, clock: FakeClock
) -> None:
    async with open_house(storage, clock, SETUP, flood=FloodGate(burst=10_000)) as house:
        olga = await comes(house.person(1))
        bob, eve = await comes(house.person(8)), await comes(house.person(9))
        await olga.says("/maintenance_on")
        for number in range(300):
            await bob.says(f"/pain {number % 10 + 1} 1h")
        await olga.says("/maintenance_off")
        await eve.says("/pain 5 1h")
        assert "Saved" in "".join(texts(eve))
        assert await held(house) > 0, "she did not wait for his"
        await bob.says("/pain 10 2h")
        await bob.sends(Press("c:pain", "1", "callback"))
        assert "reading what you wrote" in bob.toasts[-1]
        await all_handled(house)
        assert len((await everything(house, 8)).headaches) == 301
        assert recorded(bob) == [str(number % 10 + 1) for number in range(300)] + ["10"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_all_of_it_is_said_in_the_persons_language(house: House, language: str) -> None:
    olga, bob = house.person(1, language=language), house.person(8, language=language)
    await olga.says("/start")
    await olga.says("/maintenance_on")
    await bob.says("/start")
    assert (WAIT in bob.last.text) == (language == "en")
    await goes_on(house, olga)
    assert (BACK in bob.chat[1].text) == (language == "en")
    assert ("1 message waited and" in olga.last.text) == (language == "en")
