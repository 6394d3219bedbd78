"""Reminders in conversation: set, listed, changed, deleted, answered when they fire."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from migrebot.languages import LANGUAGES
from migrebot.messages import Press
from migrebot.reminders import codes
from storage.facts import AllOf, LastList, RemindersOf
from tests.talk import House, Person, make_scheduler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from migrebot.reminders.reminder import Reminder

pytestmark = pytest.mark.anyio

HOUR = 3600


@asynccontextmanager
async def scheduler(house: House) -> AsyncIterator[None]:
    actor = make_scheduler(house)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.run)
        yield
        await actor.stop()


async def reminders(house: House, person: Person) -> tuple[Reminder, ...]:
    fact = RemindersOf((await person.known()).user.id)
    found: tuple[Reminder, ...] = (await house.storage.load([fact]))[fact]
    return found


async def shows(house: House, person: Person, count: int) -> str:
    """Wait for so many messages; the scheduler's storage works in a thread."""
    with anyio.fail_after(20):
        while len(person.chat) < count:
            await house.deliver()
            await anyio.lowlevel.checkpoint()
    assert len(person.chat) == count
    return person.last.text


# --- setting -----------------------------------------------------------------------------------------------------


async def test_the_promised_grammar_sets_a_reminder_and_the_answer_repeats_it(house: House, ann: Person) -> None:
    await ann.says("/add remind me to Call Mum at 2026-06-16 18:30 in europe/london")
    assert ann.last.text.startswith(
        "I will remind you.\n\n⏰ Call Mum\nTuesday, 16 June at 18:30 (Europe/London), in 1 day 5 hours\n"
        "For you: Tuesday, 16 June at 19:30\nCode: "
    )
    [reminder] = await reminders(house, ann)
    assert (reminder.task, reminder.schedule.timezone) == ("Call Mum", "Europe/London")
    assert reminder.code in ann.last.text
    assert ann.last.labels == ["Edit", "Delete", "⏸ Pause", "All reminders"]


async def test_one_that_comes_again_is_said_in_words_with_its_next_time(ann: Person) -> None:
    await ann.says("/add drink water every day at 8 and 20")
    assert "Every day at 08:00 and 20:00\nNext: Monday, 15 June at 20:00 (Europe/Berlin), in 6 hours" in ann.last.text


async def test_what_was_assumed_is_said(ann: Person) -> None:
    await ann.says("/add water the plants tomorrow morning")
    assert "You named a part of the day" in ann.last.text


async def test_a_time_in_the_past_is_refused_with_the_computed_time(house: House, ann: Person) -> None:
    await ann.says("/add remind me to sleep at 2026-06-14 22:00 in Europe/Berlin")
    assert "That would be Sunday, 14 June at 22:00, which has passed." in ann.last.text
    assert await reminders(house, ann) == ()


async def test_words_that_are_not_understood_are_asked_back(house: House, ann: Person) -> None:
    await ann.says("/add remind me to sleep at 2026-06-18 22:00 in Atlantis")
    assert "“Atlantis”" in ann.last.text
    await ann.says("sleep tomorrow at 22:00")
    assert "I will remind you." in ann.last.text
    assert [one.task for one in await reminders(house, ann)] == ["sleep"]


async def test_a_task_without_a_time_asks_for_the_time_alone(house: House, ann: Person) -> None:
    await ann.says("/add remind me to water the plants")
    assert "When?" in ann.last.text
    await ann.presses("Tomorrow at 09:00")
    await ann.presses("Just once")
    assert [one.task for one in await reminders(house, ann)] == ["water the plants"]


async def test_a_phrase_with_two_meanings_is_asked_back_with_a_button_for_each(house: House, ann: Person) -> None:
    await ann.says("/add take out the bins in 5")
    assert "Which of these do you mean?" in ann.last.text
    assert len(ann.last.labels) > 2
    await ann.presses(ann.last.labels[0])
    assert len(await reminders(house, ann)) == 1


async def test_whose_time_is_meant_is_told_apart_however_long_the_task_is(house: House, ann: Person) -> None:
    await ann.says("/add call the clinic about the appointment of my mother tomorrow at 15:30 in London")
    assert "Whose time do you mean?" in ann.last.text
    assert ann.last.labels[:2] == [f"Tuesday, 16 June at 15:30, {zone}" for zone in ("Europe/London", "Europe/Berlin")]
    await ann.presses(ann.last.labels[0])
    assert [one.schedule.timezone for one in await reminders(house, ann)] == ["Europe/London"]


async def test_without_a_word_a_form_asks_step_by_step(house: House, ann: Person) -> None:
    await ann.says("/add")
    assert "What shall I remind you of?" in ann.last.text
    await ann.says("Stretch")
    await ann.says("gibberish")
    assert "I found no time in that." in ann.last.text
    await ann.says("tomorrow at 7:15")
    await ann.presses("On weekdays")
    assert "On weekdays at 07:15" in ann.last.text
    [reminder] = await reminders(house, ann)
    assert reminder.next_at is not None
    assert reminder.next_at.isoformat() == "2026-06-16T05:15:00+00:00"


async def test_the_state_of_the_form_has_its_wire_name(ann: Person) -> None:
    await ann.says("/add")
    session = await ann.session()
    assert session is not None
    assert session.state == "AddReminderForm:0:task"


async def test_text_that_clearly_asks_for_a_reminder_sets_one(house: House, ann: Person) -> None:
    await ann.says("Remind me to stretch in 2 hours")
    assert "I will remind you." in ann.last.text
    await ann.says("remind me of the good old times")
    assert "I will remind you." not in ann.last.text
    assert len(await reminders(house, ann)) == 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "/add напомни выпить воды завтра в 9"),
        ("uk", "/add нагадай випити води завтра о 9"),
        ("fr", "/add boire de l’eau demain à 9h"),
        ("es", "/add beber agua mañana a las 9"),
    ],
)
async def test_it_works_in_every_language(house: House, language: str, text: str) -> None:
    bob = house.person(8, language=language)
    await bob.says(text)
    [reminder] = await reminders(house, bob)
    assert reminder.next_at is not None
    assert (reminder.next_at.day, reminder.next_at.hour) == (16, 9)


@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "local"])
async def test_it_works_on_every_channel(house: House, channel: str) -> None:
    bob = house.person(channel=channel, value="whatsapp:+380501234567" if channel == "whatsapp" else "8")
    await bob.says("/ADD Remind Me To smile at 2026-06-16 09:00 in utc")
    await bob.says("/list")
    assert "1. smile" in bob.last.text
    await bob.says("/delete 1")
    assert "Deleted: smile" in bob.last.text
    assert await reminders(house, bob) == ()


async def test_there_is_an_end_to_how_many_one_can_have(
    house: House, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrebot.dialogue.reminder_cards.MOST_REMINDERS", 2)
    for text in ("/add a tomorrow at 9", "/add b tomorrow at 9", "/add c tomorrow at 9"):
        await ann.says(text)
    assert "You have 2 reminders" in ann.last.text
    assert len(await reminders(house, ann)) == 2


# --- the list ----------------------------------------------------------------------------------------------------


async def test_the_list_is_numbered_in_due_order_and_marks_the_paused(ann: Person) -> None:
    for text in (
        "/add c every day at 23:00",
        "/add remind me to a at 2026-06-16 09:00 in Tokyo",
        "/add b today at 18:00",
    ):
        await ann.says(text)
    await ann.says("/list")
    assert "1. b" in ann.last.text
    await ann.presses("2")
    await ann.presses("Pause")
    assert "It rests until you resume it." in ann.last.text
    assert "▶ Resume" in ann.last.labels
    await ann.presses("All reminders")
    lines = ann.last.text.split("\n\n")
    assert lines[0] == "Your reminders: 3"
    assert "paused" in lines[3]
    assert any("Asia/Tokyo" in line for line in lines)


async def test_an_empty_list_tells_how_to_begin(ann: Person) -> None:
    await ann.says("/list")
    assert "/add" in ann.last.text
    await ann.presses("Add a reminder")
    assert "What shall I remind you of?" in ann.last.text


async def test_a_long_list_is_paged_and_its_numbers_go_on(ann: Person) -> None:
    for number in range(13):
        await ann.says(f"/add topic{chr(97 + number)} tomorrow at {8 + number // 2}:{number % 2 * 30:02}")
    await ann.says("/list")
    assert "10. " in ann.last.text
    assert "11. " not in ann.last.text
    await ann.presses("More…")
    assert "11. " in ann.last.text
    await ann.presses("13")
    assert "topicm" in ann.last.text


# --- deleting ----------------------------------------------------------------------------------------------------


async def test_a_number_is_the_place_in_the_last_list_whatever_has_changed_since(house: House, ann: Person) -> None:
    for text in ("/add apples today at 18:00", "/add bread today at 19:00", "/add cheese today at 20:00"):
        await ann.says(text)
    await ann.says("/delete 2")
    assert "Deleted: bread" in ann.last.text, "before the first list a number is the place in due order"
    await ann.says("/list")
    await ann.says("/add water today at 17:00")
    await ann.says("/delete 1")
    assert "Deleted: apples" in ann.last.text
    await ann.says("/delete 1")
    assert "I find no reminder" in ann.last.text, "what it meant is gone, and it means nothing else"
    assert {one.task for one in await reminders(house, ann)} == {"cheese", "water"}


async def test_a_code_is_taken_in_any_letter_case(house: House, ann: Person) -> None:
    await ann.says("/add walk today at 18:00")
    [reminder] = await reminders(house, ann)
    await ann.says(f"/delete {reminder.code.upper()}")
    assert "Deleted: walk" in ann.last.text


async def test_a_deletion_can_be_undone(house: House, ann: Person) -> None:
    await ann.says("/add walk every day at 18:00")
    before = await reminders(house, ann)
    await ann.presses("Delete")
    assert await reminders(house, ann) == ()
    await ann.presses("Undo")
    assert "The reminder is back." in ann.last.text
    assert await reminders(house, ann) == before


async def test_without_an_argument_one_chooses(house: House, ann: Person) -> None:
    for text in ("/add walk today at 18:00", "/add run today at 19:00"):
        await ann.says(text)
    await ann.says("/delete")
    assert "Which reminder shall I delete?" in ann.last.text
    await ann.says("nonsense")
    assert "I find no reminder" in ann.last.text
    await ann.presses(next(label for label in ann.last.labels if label.startswith("run")))
    assert [one.task for one in await reminders(house, ann)] == ["walk"]
    await ann.says("/delete")
    await ann.says("1")
    assert await reminders(house, ann) == ()
    await ann.says("/delete")
    assert "You have no reminders" in ann.last.text


@pytest.mark.parametrize("argument", ["0", "-1", "99999999999999999999", "zz", "k7 k8", "' OR 1=1", "²", "\u0661"])
async def test_a_strange_argument_deletes_nothing(house: House, ann: Person, argument: str) -> None:
    await ann.says("/add walk today at 18:00")
    await ann.says("/list")
    await ann.says(f"/delete {argument}")
    expected = 0 if argument == "\u0661" else 1  # an Arabic one is a one
    assert len(await reminders(house, ann)) == expected


async def test_nobody_touches_anothers_reminder(house: House, ann: Person) -> None:
    await ann.says("/add walk every day at 18:00")
    card = ann.last
    [reminder] = await reminders(house, ann)
    eve = house.person(666)
    await eve.says("/help")
    await eve.says(f"/delete {reminder.code}")
    for row in card.keyboard:
        for button in (one for one in row if one.data.startswith("rm:") and not one.data.startswith("rm:list")):
            await eve.sends(Press(button.data, "1", "callback"))
    assert await reminders(house, ann) == (reminder,)
    assert "walk" not in "".join(shown.text for shown in eve.chat)


# --- changing ----------------------------------------------------------------------------------------------------


async def test_text_time_medicine_and_nagging_can_be_changed(house: House, ann: Person) -> None:
    await ann.says("/add take a pill every day at 18:00")
    [before] = await reminders(house, ann)
    for field, answer in (
        ("Text", "Take the blue pill"),
        ("Time", "every day at 21:15"),
        ("Medicine", "Topamax 25 mg"),
    ):
        await ann.presses("Edit")
        await ann.presses(field)
        await ann.says(answer)
        assert "Changed." in ann.last.text
    await ann.presses("Edit")
    await ann.presses("Repeat until done")
    await ann.presses("Until answered, again every 10 min, up to 3 times")
    [after] = await reminders(house, ann)
    assert (after.id, after.code, after.task) == (before.id, before.code, "Take the blue pill")
    assert after.medicine is not None
    assert (after.medicine.drug, after.medicine.amount, after.medicine.unit) == ("Topamax", 25.0, "mg")
    assert "Every day at 21:15" in ann.last.text
    assert "Medicine: Topamax 25 mg" in ann.last.text
    await ann.presses("Edit")
    await ann.presses("Time")
    await ann.says("every day at 21:30 and eat well")
    assert "eat well" in ann.last.text, "words beside the time are not dropped"


async def test_a_paused_one_is_silent_until_it_is_resumed(house: House, ann: Person) -> None:
    await ann.says("/add walk every day at 18:00")
    await ann.presses("Pause")
    async with scheduler(house):
        await house.clock.advance(48 * HOUR)
        await house.deliver()
        assert len(ann.chat) == 1
        await ann.presses("Resume")
        assert "It goes on." in ann.last.text
        await house.clock.advance(24 * HOUR)
        await shows(house, ann, 2)


async def test_another_zone_keeps_the_local_hours_of_what_follows_ones_own(house: House, ann: Person) -> None:
    await ann.says("/add walk every day at 18:00")
    await ann.says("/add call every day at 18:00 in London")
    await ann.presses(ann.last.labels[0])
    await ann.says("/settings")
    await ann.presses("Time zone")
    await ann.says("Tokyo")
    zones = {one.task: (one.schedule.timezone, one.next_at and one.next_at.hour) for one in await reminders(house, ann)}
    assert zones == {"walk": ("Asia/Tokyo", 9), "call": ("Europe/London", 17)}


async def test_one_that_is_due_when_the_zone_changes_still_fires(house: House, ann: Person) -> None:
    await ann.says("/add walk every day at 18:00")
    await ann.says("/add call at 2026-06-15 18:30")
    await house.clock.advance(5 * HOUR)
    await ann.says("/settings")
    await ann.presses("Time zone")
    await ann.says("Tokyo")
    count = len(ann.chat)
    async with scheduler(house):
        await shows(house, ann, count + 2)
    assert {shown.text.splitlines()[0] for shown in ann.chat[count:]} == {"⏰ walk", "⏰ call"}
    [walk] = await reminders(house, ann)
    assert (walk.schedule.timezone, walk.next_at and walk.next_at.hour) == ("Asia/Tokyo", 9)


# --- when it fires -----------------------------------------------------------------------------------------------


async def fires(house: House, ann: Person, text: str = "/add walk in 1 hour") -> str:
    await ann.says(text)
    count = len(ann.chat)
    await house.clock.advance(HOUR)
    return await shows(house, ann, count + 1)


async def test_done_is_done_however_often_it_is_pressed(house: House, ann: Person) -> None:
    async with scheduler(house):
        await fires(house, ann)
        fired = ann.last.keyboard[0][0].data
        await ann.presses("Done")
        assert ann.last.text == "✅ walk\nDone at 15:00."
        assert ann.last.labels == ["Undo"]
        await ann.sends(Press(fired, ann.last.id, "callback"))
        assert ann.last.text == "✅ walk\nDone at 15:00."
        await ann.presses("Undo")
        assert ann.last.labels[0] == "✅ Done"


async def test_done_can_be_typed(house: House, ann: Person) -> None:
    async with scheduler(house):
        await fires(house, ann)
        await ann.says("done")
        assert "Done at 15:00." in "".join(shown.text for shown in ann.chat)


async def test_taken_writes_the_medicine_into_the_diary_once(house: House, ann: Person) -> None:
    await ann.says("/druguse topamax 25")
    async with scheduler(house):
        await ann.says("/add take topamax 25 mg in 1 hour")
        [reminder] = await reminders(house, ann)
        assert reminder.medicine is not None
        count = len(ann.chat)
        await house.clock.advance(HOUR)
        assert (await shows(house, ann, count + 1)).startswith("💊")
        assert ann.last.labels[:2] == ["✅ Taken", "⏭ Skip"]
        taken = ann.last.keyboard[0][0].data
        for _ in range(2):
            await ann.sends(Press(taken, ann.last.id, "callback"))
        assert "Taken at 15:00, and written into your diary." in ann.chat[count].text
        fact = AllOf(7001)
        assert len((await house.storage.load([fact]))[fact].intakes) == 2
        await ann.presses("Undo")
        assert len((await house.storage.load([fact]))[fact].intakes) == 1


async def test_taken_counts_for_the_notice_on_frequent_medicine(house: House, ann: Person) -> None:
    for day in range(8, 15):
        await ann.says(f"/druguse sumatriptan 50 {day}.06")
    async with scheduler(house):
        await ann.says("/add take sumatriptan 50 mg in 1 hour")
        count = len(ann.chat)
        await house.clock.advance(HOUR)
        await shows(house, ann, count + 1)
        await ann.presses("Taken")
    assert "acute medicine on 8 days" in ann.last.text


@pytest.mark.parametrize(
    ("label", "later"),
    [("In 10 min", timedelta(minutes=10)), ("In 1 hour", timedelta(hours=1)), ("Tomorrow", timedelta(days=1))],
)
async def test_put_off_it_comes_again_and_the_series_goes_on(
    house: House, ann: Person, label: str, later: timedelta
) -> None:
    async with scheduler(house):
        await fires(house, ann, "/add walk every day at 15:00")
        [before] = await reminders(house, ann)
        count = len(ann.chat)
        await ann.presses(label)
        assert "I will remind you again" in ann.last.text
        assert await reminders(house, ann) == (before,)
        await ann.says("/list")
        assert "put off until" in ann.last.text
        await house.clock.advance(later.total_seconds())
        await shows(house, ann, count + (3 if label == "Tomorrow" else 2))


async def test_put_off_to_ones_own_time(house: House, ann: Person) -> None:
    async with scheduler(house):
        await fires(house, ann)
        await ann.presses("Another time…")
        await ann.says("every day at 8")
        assert "I need one clear time" in ann.last.text
        await ann.says("in 3 hours")
        assert "I will remind you again Monday, 15 June at 18:00, in 3 hours." in ann.last.text
        count = len(ann.chat)
        await house.clock.advance(3 * HOUR)
        assert await shows(house, ann, count + 1) == "⏰ walk"


async def test_a_late_answer_is_fine_and_so_is_one_after_deletion(house: House, ann: Person) -> None:
    async with scheduler(house):
        await fires(house, ann, "/add walk every day at 15:00")
        fired = ann.last
        await house.clock.advance(7 * 24 * HOUR)
        await ann.says("/delete 1")  # what was deleted is kept for two days
        await ann.sends(Press(fired.keyboard[0][0].data, fired.id, "callback"))
        assert "Done" in fired.text


@pytest.mark.parametrize("label", ["In 10 min", "Tomorrow", "Another time…"])
async def test_one_that_was_deleted_is_not_said_to_come_again(house: House, ann: Person, label: str) -> None:
    async with scheduler(house):
        await fires(house, ann, "/add walk every day at 15:00")
        fired = ann.last
        await ann.says("/delete 1")
        button = next(one for row in fired.keyboard for one in row if one.label == label)
        await ann.sends(Press(button.data, fired.id, "callback"))
        assert ann.toasts == ["That reminder was deleted."]
        assert fired.text == "⏰ walk"
        assert await ann.session() is None


@pytest.mark.parametrize(
    "data",
    [
        "r:done",
        "r:done:0",
        "r:done:x",
        "r:snooze:{id}:999",
        "r:snooze:{id}",
        "r:taken:{id}",
        "r:x:{id}",
        "rm:x:1",
        "rm:list:x",
    ],
)
async def test_a_made_up_button_does_nothing(house: House, ann: Person, data: str) -> None:
    async with scheduler(house):
        await fires(house, ann)
        occurrence = ann.last.keyboard[0][0].data.split(":")[2]
        before = ann.last.text
        await ann.sends(Press(data.format(id=occurrence), ann.last.id, "callback"))
        assert ann.toasts
        assert ann.last.text == before


# --- codes -------------------------------------------------------------------------------------------------------


def test_codes_are_short_and_never_taken_twice() -> None:
    taken: set[str] = set()
    for number in range(1_500):
        code = codes.new_code(taken, number * 7_919)
        assert code not in taken
        assert len(code) <= 3 or number > 500
        assert code[0] in codes.LETTERS
        taken.add(code)


def test_a_number_means_a_place_and_a_code_itself() -> None:
    assert codes.find("2", ("a2", "b3"), None) == "b3"
    assert codes.find("2", ("a2", "b3"), ("c4", "d5")) == "d5"
    assert codes.find("#1", ("a2",), ()) is None
    assert codes.find(" A2 ", ("a2",), ()) == "a2"
    assert codes.find("0", ("a2",), None) is None
    assert codes.find("", ("a2",), None) is None


@pytest.mark.parametrize("language", LANGUAGES)
async def test_all_of_it_is_said_in_every_language(house: House, language: str) -> None:
    bob = house.person(8, language=language)
    await bob.says("/add remind me to smile at 2026-06-16 09:00 in utc")
    [reminder] = await reminders(house, bob)
    for data in ("rm:edit", "rm:show", "rm:pause", "rm:resume", "rm:delete", "rm:undo"):
        await bob.sends(Press(f"{data}:{reminder.id}", bob.last.id, "callback"))
        assert "smile" in bob.last.text
    await bob.says("/list")
    assert "smile" in bob.last.text
    fact = LastList((await bob.known()).user.id)
    assert (await house.storage.load([fact]))[fact] == (reminder.code,)
