"""First contact, help, settings, one's own data, and everything that is not understood."""

from __future__ import annotations

import hmac
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from actors.rendering import Renderer
from migrebot.dialogue.router import COMMANDS
from migrebot.dialogue.turn import Setup, Uploads
from migrebot.erasures import mark
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Document, InGroup, Left, Location, Press, Profile, Returned, Text, Unreadable
from storage.changes import Note, Unit
from storage.names import DISK_ACCESS
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio


async def test_the_first_words_tell_what_is_stored_and_who_can_read_it(house: House) -> None:
    bob = house.person(8)
    await bob.says("/start")
    text = bob.last.text
    assert "/export" in text
    assert "/forget" in text
    assert "/privacy" in text
    assert "180 days" in text
    assert "can technically read" in text
    assert bob.last.labels == ["Record a headache"]


async def test_whoever_begins_with_an_entry_is_told_first_what_is_stored(house: House) -> None:
    bob = house.person(8)
    await bob.says("/pain")
    assert len(bob.chat) == 2
    assert "/forget" in bob.chat[0].text
    assert "When did your head hurt?" in bob.chat[1].text
    await bob.says("/pain")
    assert sum("/forget" in shown.text for shown in bob.chat) == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_help_lists_every_command_and_the_emergency_signs(house: House, language: str) -> None:
    bob = house.person(8, language=language)
    await bob.says("/help")
    for command in COMMANDS.keys() - {"start", "help"}:
        assert f"/{command}" in bob.last.text
    assert "SNNOOP10" in bob.last.text


async def test_other_text_gets_one_kind_line(ann: Person) -> None:
    await ann.says("my head is killing me")
    assert "/pain" in ann.last.text
    assert "/help" in ann.last.text
    assert len(ann.chat) == 1


@pytest.mark.parametrize("text", ["/announcement", "/token 1:x", "/backup", "/nothing", "/", "/../../etc/passwd"])
async def test_an_unknown_command_gets_one_kind_line(ann: Person, text: str) -> None:
    await ann.says(text)
    assert "I do not know that command" in ann.last.text


@pytest.mark.parametrize("text", ["/PAIN", "/Pain", "/pain@MigreBot", " /pain "])
async def test_a_command_is_known_however_it_is_written(ann: Person, text: str) -> None:
    await ann.says(text)
    assert "When did your head hurt?" in ann.last.text


@pytest.mark.parametrize("content", [Unreadable("sticker"), Unreadable("photo"), Location(50.0, 30.0)])
async def test_what_cannot_be_read_repeats_the_open_question(ann: Person, content: Unreadable | Location) -> None:
    await ann.says("/pain")
    await ann.sends(content)
    assert "When did your head hurt?" in ann.last.text
    assert ann.last.keyboard


@pytest.mark.parametrize(
    "text",
    [
        "<b>x</b>",
        "&lt;",
        "=HYPERLINK(1)",
        "a\x00b",
        "\ud800",
        "\u202eevil",
        "1" * 10_000,
        "'; DROP TABLE users;--",
        "%s",
    ],
)
async def test_hostile_text_is_only_text(ann: Person, text: str) -> None:
    for answer in ("/pain", "today", "3", "7", "skip", text, "save now"):
        await ann.says(answer)
    assert ann.last.text
    assert await ann.session() is None


async def test_the_language_is_chosen_by_button_and_spoken_at_once(ann: Person) -> None:
    await ann.says("/settings")
    for label in ("Language", "Français"):
        await ann.presses(label)
    assert "français" in ann.last.text.casefold()
    await ann.says("/pain")
    assert "Aujourd’hui" in ann.last.labels


@pytest.mark.parametrize(("code", "language"), [("ru", "ru"), ("kk", "ru"), ("uk-UA", "uk"), ("pt", "en"), ("", "en")])
async def test_the_language_comes_from_the_messenger_at_first(house: House, code: str, language: str) -> None:
    bob = house.person(8, language=code)
    await bob.says("/start")
    assert (await bob.known()).user.language == language


async def test_a_zone_is_typed_as_a_city_and_several_are_offered(ann: Person) -> None:
    await ann.says("/settings")
    await ann.presses("Time zone")
    await ann.says("Spain")
    assert any("Madrid" in label for label in ann.question.labels)
    await ann.presses(next(label for label in ann.question.labels if "Madrid" in label))
    assert (await ann.known()).user.timezone == "Europe/Madrid"


@pytest.mark.parametrize("text", ["+3", "MSK", "EST", "../../etc/passwd", "Eden", "a" * 300, "localtime", "Nowhere"])
async def test_what_is_no_place_is_asked_again(ann: Person, text: str) -> None:
    await ann.says("/settings")
    await ann.presses("Time zone")
    await ann.says(text)
    assert "I do not know that place" in ann.last.text
    assert (await ann.known()).user.timezone == "Europe/Berlin"


async def test_export_is_a_file_with_all_of_ones_own_data_and_nobody_elses(house: House, ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    eve = house.person(666)
    await eve.says("/pain 2 1h eves-secret 1")
    await ann.says("/export json")
    document = ann.last.document
    assert isinstance(document, Document)
    data = json.loads(await Renderer(house.storage)(document, (await ann.known()).user.id))
    assert [entry["intensity"] for entry in data["headaches"]] == [7]
    assert data["user"]["timezone"] == "Europe/Berlin"
    assert "eves-secret" not in json.dumps(data)


async def test_forget_asks_twice_and_deletes_for_real(ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    await ann.says("/forget")
    await ann.presses("Delete everything")
    assert not (await ann.known()).is_new
    await ann.presses("Yes, delete")
    assert (await ann.known()).is_new
    assert "deleted" in ann.last.text
    await ann.says("/start")
    assert "I store the entries you make" in ann.last.text


async def test_forget_shows_every_kind_of_what_is_stored(ann: Person) -> None:
    for text in ("/pain 7 3h ibuprofen 400", "/pressure 120/80 65", "/druguse aspirin 500"):
        await ann.says(text)
    await ann.says("/add remind me to rest tomorrow at 9")
    await ann.says("/forget")
    lines = [line for line in ann.last.text.splitlines() if line.startswith("•")]
    assert lines == [
        "• headaches: 1",
        "• medicines taken: 2",
        "• blood pressures: 1",
        "• reminders: 1",
        "• your name in each messenger (Telegram: Ann)",
        "• your settings",
    ]


async def test_forgetting_tells_what_remains_and_leaves_a_mark_of_each_messenger(house: House) -> None:
    ann = house.person(value="+4917000001", channel="whatsapp")
    await ann.says("/pain 7 3h ibuprofen 400")
    await ann.says("/forget")
    await ann.says("Delete everything")
    await ann.says("Yes, delete")
    for words in ("this chat", "180 days", "at Twilio", "a mark"):
        assert words in ann.last.text
    assert "has already read" not in ann.last.text, "nothing was written to the owner"
    assert (await ann.known()).is_new
    await ann.says("/forget")
    assert "nothing stored" in ann.last.text


def test_the_mark_of_an_erased_address_takes_the_key_to_tell_whose_it_is() -> None:
    address = Address("whatsapp", "+4917000001")
    expected = hmac.new(b"key", b"whatsapp:+4917000001", "sha256").hexdigest()
    assert mark(b"key", address) == expected
    assert mark(b"another", address) != expected


async def test_keep_it_deletes_nothing(ann: Person) -> None:
    await ann.says("/forget")
    await ann.presses("Keep it")
    assert not (await ann.known()).is_new


async def test_a_button_pressed_after_forgetting_leaves_no_trace(ann: Person) -> None:
    await ann.says("/pain 7 3h ibuprofen 400")
    card = ann.question
    await ann.says("/forget")
    await ann.presses("Delete everything")
    await ann.presses("Yes, delete")
    await ann.sends(Press(card.keyboard[0][0].data, card.id, "callback"))
    assert ann.toasts
    assert (await ann.known()).is_new


async def test_nothing_is_sent_to_whoever_blocked_the_bot_until_they_return(house: House, ann: Person) -> None:
    await ann.says("/pain")
    await ann.presses("Hurts now")
    await ann.presses("6")
    await ann.sends(Left())
    before = len(ann.chat)
    await house.clock.advance(5 * 3600)
    await house.deliver()
    assert len(ann.chat) == before
    await ann.sends(Returned())
    await ann.says("/start")
    assert len(ann.chat) == before + 1


async def test_a_group_gets_one_polite_line_and_is_left(house: House) -> None:
    group = house.person(value="-100500")
    await group.sends(InGroup())
    assert "private chats only" in group.last.text
    assert group.left
    assert (await group.known()).is_new


async def test_a_flood_is_told_once_and_hurts_nobody_else(house: House, ann: Person) -> None:
    for _ in range(150):
        await ann.says("hello")
    told = [shown for shown in ann.chat if "a lot at once" in shown.text]
    assert len(told) == 1
    assert len(ann.chat) < 120
    bob = house.person(8)
    await bob.says("/pain 5 1h")
    assert any("Saved" in shown.text for shown in bob.chat)
    await house.clock.advance(60)
    await ann.says("/help")
    assert "What I can do" in ann.last.text


async def test_what_piled_up_while_the_bot_was_down_is_no_flood(house: House, ann: Person) -> None:
    down_since = house.clock.now()
    await house.clock.advance(36_000)
    for minute in range(150):
        await house.hand_in(ann, Text("hello"), written_at=down_since + timedelta(minutes=minute))
    assert not any("a lot at once" in shown.text for shown in ann.chat)
    for _ in range(150):
        await house.hand_in(ann, Text("hello"), written_at=down_since)
    assert any("a lot at once" in shown.text for shown in ann.chat), "what was written at once is one, however late"


async def test_two_channels_are_two_people_until_they_are_linked(house: House) -> None:
    web = house.person(value="browser-1", channel="local")
    await web.says("/pain 5 1h")
    known = await web.known()
    assert known.user.id < 0
    telegram = house.person(9)
    await telegram.says("/start")
    assert (await telegram.known()).user.id == 9


async def test_a_name_is_kept_when_a_message_comes_without_one(ann: Person) -> None:
    ann.profile = Profile()
    await ann.says("/help")
    assert (await ann.known()).identity.profile.first_name == "Ann"


@pytest.mark.parametrize(("uploads", "words"), [("never", ""), ("encrypted", "cannot read"), ("plain", "could read")])
async def test_privacy_tells_that_backups_go_to_a_disk_and_who_can_read_them_there(
    storage: Storage, clock: FakeClock, uploads: Uploads, words: str
) -> None:
    async with open_house(storage, clock, Setup(uploads=uploads)) as house:
        people = [house.person(number, language=language) for number, language in enumerate(LANGUAGES, 1)]
        for each in people:
            assert not re.search("Yandex|Яндекс", await each.says("/privacy"))
        await storage.commit([Unit(changes=(Note(DISK_ACCESS, "y0_token"),))], clock.now())
        said = [await each.says("/privacy") for each in people]
    assert words in said[0]
    assert not any("y0_token" in text for text in said)
    told = [re.search("Yandex Disk|Яндекс Диск", text) for text in said]
    assert all(told) if words else not any(told)
