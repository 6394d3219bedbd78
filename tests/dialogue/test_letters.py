"""Messages to the person who runs the bot, and the answers to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue.turn import Setup
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, FormExpired, Left, Press, Text, Unreadable
from storage.facts import AllOf
from storage.interface import Retention
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A bot that somebody runs."""
    async with open_house(storage, clock, Setup(owner=Address("telegram", "1"))) as house:
        yield house


@pytest.fixture
async def olga(house: House) -> Person:
    """The owner."""
    olga = house.person(1, language="fr", first_name="Olga")
    await olga.says("/start")
    olga.chat.clear()
    return olga


@pytest.fixture
async def bob(house: House) -> Person:
    bob = house.person(8, first_name="Bob", last_name="+49 151 1234567", username="bobby")
    await bob.says("/start")
    bob.chat.clear()
    return bob


async def agreed(person: Person, text: str = "Thank you!") -> None:
    await person.says(text)
    await person.presses("Yes, send it")


async def test_the_first_time_it_asks_and_then_sends(bob: Person, olga: Person) -> None:
    await bob.says("Thank you!")
    assert "Send this to the person who runs the bot?" in bob.last.text
    assert olga.chat == []
    await bob.presses("Yes, send it")
    assert "may read it later" in bob.last.text
    assert "emergency services" in bob.last.text
    assert olga.last.text == "✉️ Bob @bobby (id 8) écrit\u00a0:\nThank you!"
    await bob.says("One more thing")
    assert olga.last.text.endswith("One more thing")
    assert "emergency services" in bob.last.text


async def test_who_does_not_want_it_sent_leaves_no_trace(house: House, bob: Person, olga: Person) -> None:
    await bob.says("Thank you!")
    await bob.says("no")
    assert "Not sent, and not kept" in bob.last.text
    assert olga.chat == []
    assert (await house.storage.load([AllOf(8)]))[AllOf(8)].correspondence is None
    await bob.says("Hm")
    assert "Send this" in bob.last.text, "it was no for this one"


async def test_a_phone_number_never_shows(bob: Person, olga: Person) -> None:
    await agreed(bob)
    assert "1234567" not in olga.last.text


async def test_the_owners_reply_goes_back_to_its_sender_alone(house: House, bob: Person, olga: Person) -> None:
    eve = house.person(9, first_name="Eve")
    await agreed(bob, "from Bob")
    await agreed(eve, "from Eve")
    copy = next(shown for shown in olga.chat if "from Bob" in shown.text)
    await olga.sends(Text("You are welcome <b>x</b>", reply_to=copy.id))
    assert "en route" in olga.last.text
    assert bob.last.text == "✉️ The person who runs this bot answers:\nYou are welcome <b>x</b>"
    assert "welcome" not in eve.last.text


async def test_a_new_owners_reply_is_none_to_a_copy_in_the_old_ones_chat(
    house: House, bob: Person, olga: Person
) -> None:
    await agreed(bob, "from Bob")
    async with open_house(house.storage, house.clock, Setup(owner=Address("telegram", "2"))) as new:
        nina = new.person(2, first_name="Nina")
        await nina.sends(Text("/start"), key="n1")
        # Two chats may have messages of the same number.
        await nina.sends(Text("to somebody else", reply_to=olga.last.id), key="n2")
        assert "on its way" not in nina.last.text
        assert new.held_back == []


async def test_the_button_on_the_copy_does_the_same(bob: Person, olga: Person) -> None:
    await agreed(bob)
    await olga.presses("Répondre")
    await olga.says("You are welcome")
    assert bob.last.text.endswith("You are welcome")


async def test_a_reply_in_the_middle_of_a_form_answers_no_question(bob: Person, olga: Person) -> None:
    await agreed(bob)
    copy = olga.last
    await olga.says("/pain")
    await olga.sends(Text("7", reply_to=copy.id))
    assert bob.last.text.endswith("7")
    assert await olga.session() is not None


async def test_on_the_local_chat_the_answer_comes_where_the_message_was_written(house: House, olga: Person) -> None:
    carl = house.person(value="carl", channel="local", first_name="Carl")
    await agreed(carl)
    await olga.presses("Répondre")
    await olga.says("Bonjour")
    assert carl.last.text.endswith("Bonjour")


async def test_nobody_else_can_answer_or_look(house: House, bob: Person, olga: Person) -> None:
    await agreed(bob)
    copy = olga.last
    eve = house.person(666)
    await eve.says("/start")
    eve.chat.clear()
    await eve.sends(Press(copy.keyboard[0][0].data, "1", "callback"))
    assert eve.toasts == ["This button no longer does anything. /help tells what I can do."]
    await eve.sends(Text("evil", reply_to=copy.id))
    assert "evil" not in bob.last.text


@pytest.mark.parametrize("data", ["l:answer:x", "l:answer", "l:answer:1:2", "l:read:1", "l:answer:-1"])
async def test_a_button_nobody_made_does_nothing(olga: Person, data: str) -> None:
    await olga.sends(Press(data, "1", "callback"))
    assert olga.toasts
    assert olga.chat == []


@pytest.mark.parametrize("text", ["/nothing", "/announcement hello", "remind me to drink", "Напомни мне", "recuérdame"])
async def test_commands_and_what_sounds_like_a_reminder_are_not_sent(bob: Person, olga: Person, text: str) -> None:
    await agreed(bob)
    before = len(olga.chat)
    await bob.says(text)
    assert "/help" in bob.last.text
    assert len(olga.chat) == before


async def test_an_answer_to_a_form_that_expired_is_not_sent(house: House, bob: Person, olga: Person) -> None:
    await agreed(bob)
    before = len(olga.chat)
    await bob.says("/pain")
    session = await bob.session()
    assert session is not None
    await house.clock.advance(25 * 3600)
    await house.mailbox.ask(FormExpired(user_id=8, token=session.token))
    await bob.says("sumatriptan 50")
    assert "the question is closed by now" in bob.last.text
    assert len(olga.chat) == before
    await bob.says("Hello again")
    assert len(olga.chat) == before + 1


async def test_without_an_owner_nobody_reads_and_it_says_so(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock) as house:
        bob = house.person(8)
        await bob.says("/start")
        await bob.says("my head is killing me")
        assert "Nobody reads here" in bob.last.text
        assert await bob.session() is None


async def test_an_owner_who_never_wrote_or_blocked_the_bot_reads_nothing_either(house: House, bob: Person) -> None:
    await bob.says("hello")
    assert "Nobody reads here" in bob.last.text
    olga = house.person(1)
    await olga.says("/start")
    await olga.sends(Left())
    await bob.says("hello")
    assert "Nobody reads here" in bob.last.text


async def test_while_no_messenger_is_set_up_the_local_chat_is_the_owner(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(owner=Address("local", ""))) as house:
        carl = house.person(value="carl", channel="local")
        await carl.says("/start")
        await carl.says("hello")
        assert "To answer somebody" in carl.last.text
        bob = house.person(8)
        await agreed(bob)
        assert carl.last.text.endswith("Thank you!")


async def test_the_owners_own_text_is_sent_to_nobody(olga: Person) -> None:
    await olga.says("hello")
    assert len(olga.chat) == 1
    await olga.sends(Text("hello", reply_to="999999"))
    assert len(olga.chat) == 2


async def test_a_long_message_comes_in_parts_and_each_can_be_replied_to(bob: Person, olga: Person) -> None:
    await agreed(bob, "word " * 819)
    assert len(olga.chat) == 2
    await olga.sends(Text("read", reply_to=olga.chat[0].id))
    assert bob.last.text.endswith("read")


async def test_forget_takes_the_copies_that_wait_and_the_link(house: House, bob: Person, olga: Person) -> None:
    await agreed(bob)
    copy = olga.last
    everything = (await house.storage.load([AllOf(8)]))[AllOf(8)]
    assert len(everything.letters) == 1
    await bob.says("/forget")
    await bob.presses("Delete everything")
    await bob.presses("Yes, delete")
    seen = len(bob.chat)
    await olga.sends(Text("hello?", reply_to=copy.id))
    assert len(bob.chat) == seen
    await olga.presses("Répondre")
    assert "trop ancien" in olga.last.text


async def test_the_link_goes_with_time(house: House, bob: Person, olga: Person) -> None:
    await agreed(bob)
    copy = olga.last
    now = house.clock.now() + timedelta(days=1)
    await house.storage.purge(Retention(forms=now, quarantine=now, settled=now, inbox=now, deleted=now))
    seen = len(bob.chat)
    await olga.sends(Text("late", reply_to=copy.id))
    assert len(bob.chat) == seen


@pytest.mark.parametrize(("kind", "said"), [("edit", "You changed a message"), ("photo", "I can only read text")])
async def test_what_cannot_be_passed_on_gets_an_honest_answer(bob: Person, olga: Person, kind: str, said: str) -> None:
    await agreed(bob)
    before = len(olga.chat)
    await bob.sends(Unreadable(kind))
    assert said in bob.last.text
    assert len(olga.chat) == before


@pytest.mark.parametrize("language", LANGUAGES)
async def test_all_of_it_is_said_in_the_persons_language(house: House, olga: Person, language: str) -> None:
    carl = house.person(55, language=language)
    await carl.says("/start")
    await carl.says("🙂🙂")
    english = "Send this to the person who runs the bot?"
    assert (english in carl.last.text) == (language == "en")
    await carl.presses(carl.last.labels[0])
    assert ("emergency services" in carl.last.text) == (language == "en")
    assert "🙂🙂" in olga.last.text
