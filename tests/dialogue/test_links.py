"""One diary on several messengers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from migrebot.languages import LANGUAGES
from migrebot.messages import Press, StateChanged, Withdraw
from storage.facts import AllOf
from tests.clock import FakeClock
from tests.talk import open_house

if TYPE_CHECKING:
    from datetime import datetime

    from storage.facts import Everything
    from storage.interface import Storage
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio


@pytest.fixture
async def wanda(house: House) -> Person:
    """Ann on WhatsApp."""
    wanda = house.person(value="whatsapp:+491511234567", channel="whatsapp", first_name="Ann W.")
    await wanda.says("/start")
    await wanda.says("/pain yesterday 3 2h paracetamol 500")
    wanda.chat.clear()
    return wanda


async def code_of(person: Person) -> str:
    await person.says("/link")
    found = re.search(r"/link ([A-Z2-9-]{14})", person.last.text)
    assert found, person.last.text
    return found[1]


async def enter(person: Person, code: str) -> None:
    """Write the code; whoever has a diary already is asked whether that is what is wanted."""
    await person.says(f"/link {code}")
    if "Is the other messenger your own?" in person.last.text:
        await person.presses("Yes, join")


async def join(issuer: Person, other: Person) -> None:
    await enter(other, await code_of(issuer))
    await issuer.presses("Yes, join")


async def everything_of(house: House, person: Person) -> Everything:
    fact = AllOf((await person.known()).user.id)
    everything: Everything = (await house.storage.load([fact]))[fact]
    return everything


async def test_after_the_confirmation_both_have_one_diary(house: House, ann: Person, wanda: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    code = await code_of(ann)
    assert "can read and delete your diary" in ann.last.text
    await enter(wanda, code.lower())
    assert "confirm it where you got the code" in wanda.last.text
    assert "entered in WhatsApp by Ann W." in ann.last.text
    assert "+49" not in ann.last.text
    assert (await wanda.known()).user.id < 0, "nothing is joined before it is confirmed"
    await ann.presses("Yes, join")
    assert "Joined" in ann.last.text
    assert "Joined" in wanda.last.text
    assert (await wanda.known()).user == (await ann.known()).user
    everything = await everything_of(house, wanda)
    assert sorted(headache.intensity or 0 for headache in everything.headaches) == [3, 7]
    assert {intake.drug for intake in everything.intakes} == {"ibuprofen", "paracetamol"}
    attacks = {headache.id for headache in everything.headaches}
    assert {intake.headache_id for intake in everything.intakes} == attacks


async def test_the_telegram_id_stays_whoever_asked_for_the_code(house: House, ann: Person, wanda: Person) -> None:
    await join(wanda, ann)
    assert (await wanda.known()).user.id == 7001
    assert (await wanda.known()).user.timezone == "Europe/Berlin"
    await wanda.says("/pain 5 1h")
    assert len((await everything_of(house, ann)).headaches) == 2


async def test_without_telegram_the_older_one_stays(house: House, wanda: Person) -> None:
    older = (await wanda.known()).user.id
    await house.clock.advance(60)
    carl = house.person(value="carl", channel="local")
    await carl.says("/start")
    await join(carl, wanda)
    assert (await carl.known()).user.id == older


async def test_a_new_messenger_can_join_with_its_first_words(house: House, ann: Person) -> None:
    carl = house.person(value="carl", channel="local", first_name="Carl")
    await join(ann, carl)
    assert (await carl.known()).user.id == 7001
    await carl.says("/pain")
    assert await ann.session() is not None, "there is one form for both"


async def test_who_has_a_diary_is_told_who_will_read_it_before_anybody_can(ann: Person, wanda: Person) -> None:
    await wanda.says(f"/link {await code_of(ann)}")
    assert "they can read and delete all of it" in wanda.last.text
    await ann.sends(Press("y:yes", ""))
    assert "too late" in ann.last.text, "nothing was entered yet"
    await wanda.presses("No")
    assert "Nothing was joined" in wanda.last.text
    await ann.sends(Press("y:yes", ""))
    assert "too late" in ann.last.text
    assert (await wanda.known()).user.id < 0


async def test_no_joins_nothing(ann: Person, wanda: Person) -> None:
    await enter(wanda, await code_of(ann))
    await ann.presses("No")
    assert "Nothing was joined" in ann.last.text
    assert (await wanda.known()).user.id < 0


async def test_a_code_works_once_and_ten_minutes(house: House, ann: Person, wanda: Person) -> None:
    code = await code_of(ann)
    await house.clock.advance(601)
    await wanda.says(f"/link {code}")
    assert "wrong or too old" in wanda.last.text
    code = await code_of(ann)
    await enter(wanda, code)
    carl = house.person(value="carl", channel="local")
    await carl.says(f"/link {code}")
    assert "wrong or too old" in carl.last.text
    await house.clock.advance(601)
    await ann.presses("Yes, join")
    assert "too late" in ann.last.text
    assert (await wanda.known()).user.id < 0


async def test_a_new_code_makes_the_old_one_void(ann: Person, wanda: Person) -> None:
    old = await code_of(ann)
    assert await code_of(ann) != old
    await wanda.says(f"/link {old}")
    assert "wrong or too old" in wanda.last.text


async def test_guesses_are_few_for_one_person(house: House, ann: Person, wanda: Person) -> None:
    code = await code_of(ann)
    for _ in range(5):
        await wanda.says("/link AAAA-AAAA-AAAA")
        assert "wrong or too old" in wanda.last.text
    await wanda.says(f"/link {code}")
    assert "too many wrong codes" in wanda.last.text
    await house.clock.advance(3601)
    await enter(wanda, await code_of(ann))
    assert "confirm" in wanda.last.text


async def test_guesses_are_few_in_all_and_forgetting_oneself_starts_no_new_count(house: House, ann: Person) -> None:
    guesser = house.person(666)
    for number in range(100):
        if number % 5 == 0:
            guesser = house.person(700 + number)
        await guesser.says("/link AAAA-AAAA-AAAA")
    await guesser.says("/forget")
    await guesser.presses("Delete everything")
    await guesser.presses("Yes, delete")
    code = await code_of(ann)
    await guesser.says(f"/link {code}")
    assert "too many wrong codes" in guesser.last.text


async def test_the_code_is_not_stored(house: House, ann: Person) -> None:
    code = (await code_of(ann)).replace("-", "")
    fact = AllOf(7001)
    assert code not in repr((await house.storage.load([fact]))[fact])


async def test_ones_own_code_and_a_second_telegram_account_are_refused(house: House, ann: Person) -> None:
    code = await code_of(ann)
    await ann.says(f"/link {code}")
    assert "the diary you are in already" in ann.last.text
    bob = house.person(8)
    await bob.says(f"/link {code}")
    assert "Two Telegram accounts" in bob.last.text


async def test_nobody_confirms_for_somebody_else(ann: Person, wanda: Person) -> None:
    await enter(wanda, await code_of(ann))
    await wanda.sends(Press("y:yes", ""))
    assert "too late" in wanda.last.text
    assert (await wanda.known()).user.id < 0


async def test_unlinking_leaves_the_diary_where_it_is_said_to_stay(house: House, ann: Person, wanda: Person) -> None:
    await join(ann, wanda)
    await wanda.says("/unlink")
    assert "begins anew" in wanda.last.text
    assert "+49" not in wanda.last.text
    await wanda.presses("WhatsApp: Ann W. (this chat)")
    assert "WhatsApp: Ann W. (this chat) has left" in wanda.last.text
    assert "stays with Telegram: Ann" in wanda.last.text
    assert (await wanda.known()).is_new
    assert len((await everything_of(house, ann)).headaches) == 1
    await wanda.says("/pain 5 1h")
    assert len((await everything_of(house, ann)).headaches) == 1
    assert len((await everything_of(house, wanda)).headaches) == 1


async def test_what_leaves_takes_its_open_form_and_what_twilio_keeps_along(
    house: House, ann: Person, wanda: Person
) -> None:
    await join(ann, wanda)
    await ann.says("/unlink")
    await wanda.says("/pain")
    house.mirror.take(10_000)
    await ann.presses("WhatsApp: Ann W.")
    told = [change for envelope in house.mirror.take(10_000) for change in envelope.message.changes]
    assert told == [StateChanged(7001, None)]
    [ticket] = [ticket for ticket in house.held_back if ticket.address == wanda.address]
    await house.clock.advance(3600)
    [row] = await house.storage.claim([ticket.id], house.clock.now())
    assert row.body == Withdraw()


async def test_the_telegram_chat_can_leave_too_and_is_somebody_new_then(
    house: House, ann: Person, wanda: Person
) -> None:
    await join(ann, wanda)
    await wanda.says("/unlink")
    await wanda.presses("Telegram: Ann")
    assert (await wanda.known()).user.id == 7001
    await ann.says("/start")
    assert (await ann.known()).user.id < 0
    assert (await everything_of(house, ann)).headaches == ()


async def test_alone_there_is_nothing_to_unlink(ann: Person) -> None:
    await ann.says("/unlink")
    assert "in this messenger alone" in ann.last.text
    await ann.sends(Press("y:drop:0123456789abcdef", ""))
    assert not (await ann.known()).is_new


async def test_keep_all_keeps_all(ann: Person, wanda: Person) -> None:
    await join(ann, wanda)
    await ann.says("/unlink")
    await ann.presses("Keep all")
    assert (await wanda.known()).user.id == 7001


async def test_forgetting_deletes_what_both_have(ann: Person, wanda: Person) -> None:
    await join(ann, wanda)
    await wanda.says("/forget")
    await wanda.presses("Delete everything")
    await wanda.presses("Yes, delete")
    assert (await ann.known()).is_new


@pytest.mark.parametrize("data", ["y:drop", "y:yes:1", "y:what", "y:drop:1:2", "y:enter"])
async def test_a_button_nobody_made_does_nothing(ann: Person, data: str) -> None:
    await ann.sends(Press(data, "1", "callback"))
    assert ann.toasts
    assert ann.chat == []


@pytest.mark.parametrize("text", ["x", "1" * 4000, "/link", "АБВГ-ДЕЖЗ-ИКЛМ", "%s", "💥"])
async def test_whatever_is_entered_as_a_code_is_only_wrong(ann: Person, text: str) -> None:
    await ann.says(f"/link {text}")
    assert "wrong or too old" in ann.last.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_side_reads_it_in_its_own_language(house: House, ann: Person, language: str) -> None:
    carl = house.person(value="carl", channel="local", language=language, first_name="Carl")
    await carl.says(f"/link {await code_of(ann)}")
    assert "Chat in the browser" in ann.last.text
    assert ("Right. Now please confirm" in carl.last.text) == (language == "en")
    await ann.presses("Yes, join")
    assert ("Joined" in carl.last.text) == (language == "en")


class RunningClock(FakeClock):
    """One on which time passes between any two looks, as on every real one."""

    def now(self) -> datetime:
        self._elapsed += 0.001
        return super().now()


async def test_a_code_is_found_while_time_goes_on(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, RunningClock(clock.now())) as house:
        ann = house.person(first_name="Ann")
        wanda = house.person(value="whatsapp:+491511234567", channel="whatsapp", first_name="Ann W.")
        await join(ann, wanda)
        assert "Joined" in wanda.last.text
        assert not house.alerts
