"""The regular question: when it comes, what its answers record, and how it is set."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from migrebot.dialogue.turn import Setup
from migrebot.messages import Left, OutboxFilled, Press, QuestionDue, Returned
from storage.facts import AllOf, AskingOf, MarksBetween
from tests.talk import make_scheduler, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from actors.scheduler import Scheduler
    from migrebot.reminders.questions import Asking
    from storage.facts import DayMarks
    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

DAY = 24 * 3600


async def asking_of(house: House, person: Person) -> Asking:
    fact = AskingOf((await person.known()).user.id)
    asking: Asking = (await house.storage.load([fact]))[fact]
    return asking


async def marks_of(house: House, person: Person) -> DayMarks:
    fact = MarksBetween((await person.known()).user.id, date(2026, 1, 1), date(2027, 1, 1))
    marks: DayMarks = (await house.storage.load([fact]))[fact]
    return marks


async def until_due(house: House, person: Person) -> datetime:
    """Let time pass until the question is due; gives the instant."""
    due = (await asking_of(house, person)).next_at
    assert due is not None
    await house.clock.advance((due - house.clock.now()).total_seconds())
    return due


async def hand_over(house: House, person: Person, due: datetime) -> None:
    """Do what the scheduler does."""
    await house.mailbox.ask(QuestionDue(user_id=(await person.known()).user.id, due_at=due))
    await house.deliver()


async def ask_now(house: House, person: Person) -> date:
    """Let the question come; gives its local date in Berlin."""
    due = await until_due(house, person)
    await hand_over(house, person, due)
    return (due + timedelta(hours=2)).date()


async def until_asked(house: House, person: Person, times: int) -> None:
    """Wait for the scheduler, whose storage works in a thread."""
    with anyio.fail_after(30):
        while sum("Did you have a headache" in shown.text for shown in person.chat) < times:
            await house.deliver()
            await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def scheduler(house: House) -> AsyncIterator[Scheduler]:
    actor = make_scheduler(house)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(actor.run)
        yield actor
        await actor.stop()


# --- setting it --------------------------------------------------------------------------------------------------


async def test_it_is_off_until_the_zone_is_known_and_says_so_when_it_begins(house: House) -> None:
    bob = house.person(8)
    await bob.says("/settings")
    assert "once I know your time zone" in bob.last.text
    assert (await asking_of(house, bob)).next_at is None
    await bob.presses("Time zone")
    await bob.says("Paris")
    assert "From now on I ask you whether your head hurt: daily, 20:00" in bob.last.text
    assert (await asking_of(house, bob)).next_at is not None


async def test_confirming_the_offered_zone_begins_it_too(house: House) -> None:
    bob = house.person(8)
    await bob.says("/pain 7 3h")
    await bob.presses("That is right")
    assert "From now on I ask you" in bob.last.text
    assert (await asking_of(house, bob)).next_at is not None


@pytest.mark.parametrize(("typed", "shown"), [("7:05", "07:05"), ("8 pm", "20:00"), ("midnight", "00:00")])
async def test_any_hour_and_minute_can_be_typed(house: House, ann: Person, typed: str, shown: str) -> None:
    await ann.says("/settings")
    await ann.presses("When to ask")
    await ann.says(typed)
    assert f"I will ask: daily, {shown}." in ann.last.text
    assert f"{(await asking_of(house, ann)).at:%H:%M}" == shown


async def test_an_hour_that_is_none_is_asked_again(ann: Person) -> None:
    await ann.says("/settings")
    await ann.presses("When to ask")
    await ann.says("25:00")
    assert "I did not understand that time" in ann.last.text
    await ann.presses("21:00")
    await ann.presses("Settings")
    assert "daily, 21:00" in ann.last.text


@pytest.mark.parametrize(
    ("label", "every", "shown"),
    [("Daily", 1, "daily, 20:00"), ("Every 3 days", 3, "every 3 days, 20:00"), ("Never", 0, "off")],
)
async def test_how_often_is_chosen_by_a_button(house: House, ann: Person, label: str, every: int, shown: str) -> None:
    await ann.says("/settings")
    for pressed in ("How often to ask", label):
        await ann.presses(pressed)
    assert f"Question whether your head hurt: {shown}" in ann.last.text
    asking = await asking_of(house, ann)
    assert (asking.every, asking.next_at is None) == (every, every == 0)


async def test_whoever_wants_to_set_it_without_a_zone_is_asked_for_that_first(house: House) -> None:
    bob = house.person(8)
    for button in ("How often to ask", "When to ask"):
        await bob.says("/settings")
        await bob.presses(button)
        assert "know your time zone first" in bob.last.text


async def test_a_move_keeps_the_hour(house: House, ann: Person) -> None:
    before = await asking_of(house, ann)
    await ann.says("/settings")
    await ann.presses("Time zone")
    await ann.says("New York")
    after = await asking_of(house, ann)
    assert after.at == before.at
    assert before.next_at == datetime(2026, 6, 15, 18, tzinfo=UTC)
    assert after.next_at == datetime(2026, 6, 16, 0, tzinfo=UTC)


# --- when it comes -----------------------------------------------------------------------------------------------


async def test_the_scheduler_asks_each_evening_and_once(house: House, ann: Person) -> None:
    async with scheduler(house):
        for evening in range(1, 4):
            await house.clock.advance(DAY)
            await until_asked(house, ann, evening)
        await house.clock.advance(DAY / 2)
    assert len(ann.chat) == 3


async def test_a_question_set_to_an_earlier_hour_is_not_overslept(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock) as house:
        actor = make_scheduler(house)
        ann = house.person()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(actor.run)
            await ann.says("/settings")
            await ann.presses("Time zone")
            await ann.says("UTC")
            await ann.says("/settings")
            await ann.presses("When to ask")
            await ann.says(f"{clock.now() + timedelta(minutes=5):%H:%M}")
            await clock.advance(301)
            await until_asked(house, ann, 1)
            await actor.stop()


async def test_a_question_is_not_overslept_while_the_machine_sleeps(house: House, ann: Person) -> None:
    async with scheduler(house):
        await house.clock.advance(DAY)
        await until_asked(house, ann, 1)
        for _ in range(5):  # the scheduler asks the storage what is next, then goes to sleep
            await house.storage.next_question()
            await house.clock.settle()
        # The wall clock went on, the program's own did not.
        house.clock.set_wall(house.clock.now() + timedelta(days=1))
        await house.clock.advance(31)
        await until_asked(house, ann, 2)


async def test_a_question_is_not_asked_twice_after_a_restart(house: House, ann: Person) -> None:
    due = await until_due(house, ann)
    for _ in range(3):
        await hand_over(house, ann, due)
    assert len(ann.chat) == 1


async def test_questions_missed_while_the_program_was_down_come_as_one(house: House, ann: Person) -> None:
    await ask_now(house, ann)
    await house.clock.advance(4 * DAY)
    async with scheduler(house):
        await until_asked(house, ann, 2)
    assert [shown.text.split("(")[0].strip() for shown in ann.chat] == [
        "Did you have a headache today?",
        "Did you have a headache in the last 4 days",
    ]


async def test_it_waits_for_an_open_form(house: House, ann: Person) -> None:
    due = await until_due(house, ann)
    await ann.says("/pain")
    await hand_over(house, ann, due)
    assert "Did you have" not in ann.last.text
    await ann.says("/cancel")
    later = await until_due(house, ann)
    assert later == due + timedelta(minutes=30)
    await hand_over(house, ann, later)
    assert "Did you have a headache today?" in ann.last.text
    assert (await asking_of(house, ann)).next_at == due + timedelta(days=1)


async def test_whoever_blocked_the_bot_is_not_asked(house: House, ann: Person) -> None:
    await ann.sends(Left())
    await house.clock.advance(2 * DAY)
    assert await house.storage.next_question() is None
    assert await house.storage.due_questions(house.clock.now(), 10) == []
    due = (await asking_of(house, ann)).next_at
    assert due is not None
    await hand_over(house, ann, due)
    assert ann.chat == []
    await ann.sends(Returned())
    assert [question.due_at for question in await house.storage.due_questions(house.clock.now(), 10)] == [due]


async def test_it_is_not_asked_when_everything_is_recorded(house: House, ann: Person) -> None:
    due = await until_due(house, ann)
    await ann.says("/pain 7 3h")
    ann.chat.clear()
    await hand_over(house, ann, due)
    assert ann.chat == []
    assert (await asking_of(house, ann)).next_at == due + timedelta(days=1)


async def test_without_consent_nothing_is_asked(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(require_consent=True)) as house:
        bob = house.person(8)
        await bob.says("/settings")
        await bob.presses("Time zone")
        await bob.says("Paris")
        bob.chat.clear()
        await ask_now(house, bob)
        assert bob.chat == []


async def test_a_question_is_of_its_own_priority_and_a_newer_one_takes_its_place(house: House, ann: Person) -> None:
    for _ in range(2):
        due = await until_due(house, ann)
        await house.mailbox.ask(QuestionDue(user_id=7001, due_at=due))
    filled = [envelope.message for envelope in house.delivery.take(100)]
    tickets = [ticket for message in filled if isinstance(message, OutboxFilled) for ticket in message.tickets]
    rows = await house.storage.claim([ticket.id for ticket in tickets], house.clock.now())
    assert [int(row.priority) for row in rows] == [2]


# --- the answers -------------------------------------------------------------------------------------------------


async def test_no_records_the_day_as_free_and_can_be_taken_back(house: House, ann: Person) -> None:
    day = await ask_now(house, ann)
    await ann.presses("No")
    assert "Noted without headache" in ann.last.text
    assert (await marks_of(house, ann)).free == {day}
    await ann.presses("Undo")
    assert (await marks_of(house, ann)).free == set()
    assert "Did you have a headache today?" in ann.last.text
    assert len(ann.chat) == 1, "all in one message"


async def test_no_never_overwrites_an_entry(house: House, ann: Person) -> None:
    await ann.says("/settings")
    for pressed in ("How often to ask", "Every 3 days"):
        await ann.presses(pressed)
    day = await ask_now(house, ann)
    question = ann.last
    await ann.says(f"/pain {day - timedelta(days=1)} 7 3h")
    await ann.sends(Press(question.keyboard[0][1].data, question.id, "callback"))
    marks = await marks_of(house, ann)
    assert marks.free == {day, day - timedelta(days=2)}
    assert marks.headache == {day - timedelta(days=1)}


async def test_an_old_question_is_about_its_own_days(house: House, ann: Person) -> None:
    old = await ask_now(house, ann)
    question, no = ann.last, ann.last.keyboard[0][1].data
    await house.clock.advance(3 * DAY)
    await ann.sends(Press(no, question.id, "callback"))
    assert (await marks_of(house, ann)).free == {old}
    await ann.sends(Press(no, question.id, "callback"))
    assert "recorded already" in question.text


async def test_yes_opens_the_form_with_the_day_chosen(house: House, ann: Person) -> None:
    day = await ask_now(house, ann)
    await ann.presses("Yes")
    assert "How long did it last" in ann.last.text
    for answer in ("3", "7", "save now"):
        await ann.says(answer)
    assert (await marks_of(house, ann)).headache == {day}


async def test_after_yes_another_day_can_be_chosen(house: House, ann: Person) -> None:
    await ask_now(house, ann)
    await ann.presses("Yes")
    await ann.presses("Back")
    assert "When did your head hurt?" in ann.last.text
    assert "Hurts now" in [label.strip("⚡ ") for label in ann.last.labels]


async def test_yes_to_several_days_asks_for_the_day(house: House, ann: Person) -> None:
    await ann.says("/settings")
    for pressed in ("How often to ask", "Every 2 days"):
        await ann.presses(pressed)
    day = await ask_now(house, ann)
    await ann.presses("Yes")
    assert len(ann.last.labels) == 3
    await ann.presses(ann.last.labels[1])
    session = await ann.session()
    assert session is not None
    assert session.answers == {"date": str(day - timedelta(days=1))}


async def test_already_recorded_changes_nothing(house: House, ann: Person) -> None:
    await ask_now(house, ann)
    await ann.presses("Already recorded")
    marks = await marks_of(house, ann)
    assert not marks.free
    assert not marks.headache
    assert "up to date" in ann.last.text


@pytest.mark.parametrize(
    "data",
    [
        "ask:no:2026-04-30:8",
        "ask:no:2026-04-30:0",
        "ask:no:2026-04-30:-1",
        "ask:no:2027-01-01:1",
        "ask:no:0001-01-01:7",
        "ask:no:9999-12-31:1",
        "ask:no:x:1",
        "ask:no",
        "ask:no:2026-04-30:1:7",
        "ask:undo:2026-04-30:1:zz",
        "ask:day:2999-01-01",
        "ask:day",
        "ask:what:2026-04-30:1",
        "ask",
    ],
)
async def test_a_button_nobody_made_does_nothing(house: House, ann: Person, data: str) -> None:
    await ann.sends(Press(data, "1", "callback"))
    assert ann.toasts
    assert ann.chat == []
    marks = await marks_of(house, ann)
    assert not marks.free
    assert not marks.headache


async def test_what_is_set_can_be_exported_and_goes_with_the_person(house: House, ann: Person) -> None:
    fact = AllOf(7001)
    assert (await house.storage.load([fact]))[fact].asking is not None
    await ann.says("/forget")
    await ann.presses("Delete everything")
    await ann.presses("Yes, delete")
    assert (await house.storage.load([fact]))[fact].asking is None
    assert await house.storage.next_question() is None


async def test_the_answer_can_be_typed_and_on_whatsapp_numbered(house: House, ann: Person) -> None:
    day = await ask_now(house, ann)
    await ann.says("no")
    assert (await marks_of(house, ann)).free == {day}
    wanda = house.person(value="whatsapp:+1", channel="whatsapp")
    await wanda.says("/settings")
    await wanda.presses("Time zone")
    await wanda.says("Berlin")
    day = await ask_now(house, wanda)
    await wanda.says("2")
    assert (await marks_of(house, wanda)).free == {day}
