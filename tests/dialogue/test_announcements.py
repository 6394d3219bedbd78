"""Announcements: the owner's texts, preview and audience, and what everybody else meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrebot.announcements.texts import Fault, read
from migrebot.dialogue.turn import Setup
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Edit, InGroup, Press, Say, Unreadable
from storage.facts import AllOf, AnnouncementCounts, OpenAnnouncements
from tests.dialogue.test_everything import NAMES, fits, untranslated
from tests.dialogue.walking import NO_FLOOD, Walker
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from migrebot.announcements.announcement import Announcement, Counts
    from storage.interface import Storage
    from storage.sqlite import SqliteStorage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

UNKNOWN = "I do not know that command. /help lists those I know."


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A bot that somebody runs."""
    async with open_house(storage, clock, Setup(owner=Address("telegram", "1"))) as house:
        yield house


@pytest.fixture
async def olga(house: House) -> Person:
    """The owner."""
    olga = house.person(1, first_name="Olga")
    await olga.says("/start")
    olga.chat.clear()
    return olga


async def under_way(house: House) -> list[Announcement]:
    return list((await house.storage.load([OpenAnnouncements(0)]))[OpenAnnouncements(0)])


async def counts(house: House) -> Counts:
    [announcement] = await under_way(house)
    fact = AnnouncementCounts(0, announcement.id)
    found: Counts = (await house.storage.load([fact]))[fact]
    return found


async def written(olga: Person, **texts: str) -> None:
    """Prepare these texts."""
    await olga.says("/announcement")
    for language, text in texts.items():
        await olga.presses(NAMES[language])
        await olga.says(text)


async def test_texts_are_prepared_by_language_and_one_can_do_for_others(house: House, olga: Person) -> None:
    await olga.says("/announcements")
    assert olga.last.text.splitlines()[1:] == [f"{name}: no text yet" for name in NAMES.values()]
    assert "Preview" not in " ".join(olga.last.labels)
    await olga.presses("Русский")
    await olga.says("<b>Новое</b>: 1 < 2 & 3")
    assert olga.last.text.splitlines()[1:] == [
        "English: no text yet",
        "Русский: ready",
        "Українська: get the text in Русский",
        "Français: no text yet",
        "Español: no text yet",
    ]
    assert "Choose who gets it" not in " ".join(olga.last.labels), "some would get nothing"
    await olga.presses("English")
    await olga.presses("The same as in Русский")
    assert "Français: get the text in English" in olga.last.text
    [draft] = await under_way(house)
    assert draft.texts == dict.fromkeys(("en", "ru"), "<b>Новое</b>: 1 &lt; 2 &amp; 3")
    await olga.presses("English")
    await olga.presses("Remove this text")
    assert "English: no text yet" in olga.last.text


async def test_the_preview_is_what_is_sent(olga: Person) -> None:
    await written(olga, en="<b>News</b>", ru="Новости")
    await olga.presses("Preview")
    await olga.presses("Français")
    seen, below = olga.chat[-2:]
    assert seen.text == "News\n\nVous pouvez désactiver ces messages dans /settings."
    assert seen.keyboard == ()
    assert below.text == "Above is what people who speak Français will see."


async def test_it_goes_to_those_who_are_chosen_and_want_it(house: House, olga: Person) -> None:
    ann, bob, eve = (house.person(number) for number in (11, 12, 13))
    for person in (ann, bob, eve):
        await person.says("/start")
    await ann.says("/pain 7 3h")
    await bob.says("/pain 7 3h")
    await eve.says("/settings")
    await eve.presses("Announcements: turn off")
    assert "no announcements any more" in eve.last.text
    await written(olga, en="News", ru="Новости")
    await olga.presses("Choose who gets it")
    assert olga.last.labels[:3] == ["Everybody (3)", "With an entry (2)", "With an entry in the last 31 days (2)"]
    assert "turned off: 1" in olga.last.text
    await house.clock.advance(32 * 86400)
    await bob.says("/pain 7 3h")
    await olga.says("/announcement")
    await olga.presses("Choose who gets it")
    await olga.presses("With an entry in the last 31 days (1)")
    assert "Send it to 1 person?" in olga.last.text
    await olga.presses("Send it")
    assert "Sent: 0 of 1" in olga.last.text
    assert (await counts(house)).waiting == 1
    [announcement] = await under_way(house)
    assert announcement.state == "sending"
    assert announcement.card == Address("telegram", "1")
    assert announcement.card_id == olga.last.id


async def started(olga: Person) -> None:
    await written(olga, en="News", ru="Новости")
    for label in ("Choose who gets it", "Everybody (1)", "Send it"):
        await olga.presses(label)


async def test_it_can_be_paused_resumed_and_cancelled(house: House, olga: Person) -> None:
    await started(olga)
    await olga.presses("Pause")
    assert "is paused" in olga.last.text
    assert [one.state for one in await under_way(house)] == ["paused"]
    await olga.presses("Go on")
    assert [one.state for one in await under_way(house)] == ["sending"]
    await olga.presses("Cancel")
    assert "Shall the rest get nothing?" in olga.last.text
    assert [one.state for one in await under_way(house)] == ["paused"]
    await olga.presses("Cancel the rest")
    assert "Not sent: 1" in olga.last.text
    assert [one.state for one in await under_way(house)] == ["cancelled"]


async def test_while_one_is_under_way_it_is_shown_and_no_other_is_begun(olga: Person) -> None:
    await started(olga)
    before = len(olga.toasts)
    for data in ("an:write:en", "an:to", "an:to:all", "an:go:all:1", "an:drop:1", "an:pause:1", "an:pause", "an:x"):
        await olga.sends(Press(data, olga.last.id, "callback"))
    assert len(olga.toasts) == before + 8
    await olga.says("/announcement")
    assert "on its way" in olga.last.text


async def test_a_draft_outlives_the_program_and_can_be_deleted(storage: Storage, clock: FakeClock) -> None:
    setup = Setup(owner=Address("telegram", "1"))
    async with open_house(storage, clock, setup) as house:
        olga = house.person(1)
        await written(olga, en="News")
    async with open_house(storage, clock, setup) as house:
        olga = house.person(1)
        house._keys = iter(range(1_000, 2_000))  # type: ignore[assignment]  # what comes after a restart is new
        await olga.says("/announcement")
        assert "English: ready" in olga.last.text
        await olga.presses("Delete the draft")
        assert "no text yet" in olga.last.text
        assert await under_way(house) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<u>News</u>", 'I do not know <u> here. There are <b>, <i>, <a href="https://…">…</a>.'),
        ("<b>News", "<b> is never closed."),
        ("<b><i>News</b></i>", "</b> closes what was not opened last."),
        ("</b>News", "</b> closes what was not opened last."),
        ("<b> </b>", "There is nothing to read in it."),
        ('<a href="javascript:alert(1)">x</a>', "I do not know <a href="),
        ("x" * 3_001, "Please keep it within 3000 characters."),
        ("x" * 5_000, "Please keep it within 4096 characters."),
    ],
)
async def test_what_cannot_be_sent_is_answered_and_asked_again(
    house: House, olga: Person, text: str, said: str
) -> None:
    await olga.says("/announcement")
    await olga.presses("English")
    await olga.says(text)
    assert said in olga.last.text
    assert "What shall people who speak English read?" in olga.last.text
    assert await under_way(house) == []


def test_what_is_no_markup_is_as_written() -> None:
    assert read("a <3 b & c > d &lt;") == "a &lt;3 b &amp; c &gt; d &amp;lt;"
    assert read("<B>x</B> <a href='https://a.b/?c=1&d=2'>y</a>") == (
        '<b>x</b> <a href="https://a.b/?c=1&amp;d=2">y</a>'
    )
    assert read("<br>") == Fault("unknown", "<br>")
    assert read("🙂" * 1_500) == "🙂" * 1_500
    assert read("🙂" * 1_501) == Fault("long")


@pytest.mark.parametrize("text", ["/announcement", "/announcements", "/ANNOUNCEMENT now", "/announcement@migrebot"])
async def test_for_anybody_else_it_is_an_unknown_command(house: House, text: str) -> None:
    eve = house.person(666, first_name="Olga", username="1")
    assert await eve.says(text) == (await eve.says("/nonsense"))
    assert eve.last.text == UNKNOWN
    phone = house.person(0, channel="whatsapp", value="whatsapp:+1")
    assert await phone.says(text) == UNKNOWN


async def test_in_a_group_it_says_goodbye_even_to_the_owner(house: House) -> None:
    group = house.person(-100, first_name="Olga")
    await group.sends(InGroup())
    assert "private chats only" in group.chat[0].text
    assert group.left


async def test_forwarded_it_is_no_command_of_the_owners(olga: Person) -> None:
    await olga.sends(Unreadable("forward"))
    assert olga.last.text == "I can only read text and buttons."


async def test_nobody_else_can_press_the_owners_buttons(house: House, olga: Person) -> None:
    await started(olga)
    [announcement] = await under_way(house)
    eve = house.person(666)
    await eve.says("/start")
    for action in ("pause", "stop", "cancel", "resume"):
        await eve.sends(Press(f"an:{action}:{announcement.id}", "", "callback"))
    await eve.sends(Press("an:show", "", "callback"))
    assert await under_way(house) == [announcement]
    assert eve.toasts == ["This button no longer does anything. /help tells what I can do."] * 5


async def test_a_form_of_somebody_who_is_the_owner_no_longer_is_closed(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(owner=Address("telegram", "1"))) as house:
        olga = house.person(1)
        await olga.says("/start")
        await olga.says("/announcement")
        await olga.presses("English")
    async with open_house(storage, clock, Setup(owner=Address("telegram", "2"))) as house:
        olga = house.person(1)
        house._keys = iter(range(1_000, 2_000))  # type: ignore[assignment]  # what comes after a restart is new
        await olga.says("News")
        assert await under_way(house) == []


async def test_the_switch_is_exported_and_forgotten(house: House) -> None:
    ann = house.person(11)
    await ann.says("/settings")
    await ann.presses("Announcements: turn off")
    everything = (await house.storage.load([AllOf(11)]))[AllOf(11)]
    assert everything.announcement_wish is not None
    assert everything.announcement_wish.is_off
    await ann.presses("Announcements: turn on")
    assert "again" in ann.last.text
    everything = (await house.storage.load([AllOf(11)]))[AllOf(11)]
    assert not everything.announcement_wish.is_off


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_everything_the_owner_sees_is_in_their_language(
    sqlite: SqliteStorage, clock: FakeClock, channel: str, language: str
) -> None:
    value = {"telegram": "1", "whatsapp": "whatsapp:+1"}[channel]
    async with open_house(sqlite, clock, Setup(owner=Address(channel, value)), flood=NO_FLOOD) as house:  # type: ignore[arg-type]
        olga = Walker.enters(house, 1, channel=channel, value=value)
        for text in ("/settings", "Language", NAMES[language]):
            await olga.says(text)
        olga.said.clear()
        await olga.says("/announcement")
        for data, text in (("an:write:en", "Xylo"), ("an:write:ru", "Xylo"), ("an:write:uk", "<u>Xylo")):
            await press(olga, data)
            await olga.says(text)
        await olga.says("<b>Xylo")
        await olga.says("</i>Xylo")
        await olga.says("<b></b>")
        await olga.says("Xylo")
        [draft] = await under_way(house)
        steps = ("preview", "see:" + language, "show", "to", "to:all", f"go:all:{draft.id}", f"stop:{draft.id}")
        for step in (*steps, f"resume:{draft.id}", f"pause:{draft.id}", f"cancel:{draft.id}"):
            await press(olga, f"an:{step}")
        await press_settings(olga)
    # Each language is named in itself.
    assert untranslated([text.replace("English", "") for text in olga.said], language) == {}
    assert [body for body in olga.bodies if isinstance(body, Say | Edit) and not fits(body, channel)] == []


async def press(olga: Walker, data: str) -> None:
    shown = next(one for one in reversed(olga.chat) if one.keyboard)
    buttons = {button.data: button for row in shown.keyboard for button in row}
    assert data in buttons, (data, list(buttons))
    await olga._presses(shown, buttons[data])


async def press_settings(olga: Walker) -> None:
    for data in ("n:off", "n:on"):
        await olga.says("/settings" if data == "n:off" else "/cancel")
        shown = next(one for one in reversed(olga.chat) if data in [b.data for row in one.keyboard for b in row])
        await olga.sends(Press(data, shown.id, "callback"))
