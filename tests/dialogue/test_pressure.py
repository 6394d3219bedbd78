"""Blood pressure, as a person has it recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrebot.languages import LANGUAGES
from migrebot.messages import Press
from tests.dialogue.test_headache import everything

if TYPE_CHECKING:
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio


async def readings(house: House, person: Person) -> list[tuple[int, int, int | None]]:
    found = (await everything(house, person)).pressures
    return sorted((entry.systolic, entry.diastolic, entry.pulse) for entry in found)


async def test_a_reading_is_given_by_tens_then_ones(house: House, ann: Person) -> None:
    await ann.says("/pressure")
    session = await ann.session()
    assert session is not None
    assert session.state == "ReportPressureForm:0:systolic"
    for label in ("120…", "130… ›", "131", "80…", "‹ 70…", "76", "60…", "65"):
        await ann.presses(label)
    assert await readings(house, ann) == [(131, 76, 65)]
    assert ann.question.labels == ["Edit", "Delete", "Add another", "Calendar"]
    assert "131/76, pulse 65" in ann.question.text
    assert "14:00" in ann.question.text, "noon in UTC"


@pytest.mark.parametrize(
    "text", ["120/80 65", "120 80 65", "120 на 80 пульс 65", "120 over 80 pulse 65", "120 sur 80 pouls 65"]
)
async def test_the_whole_reading_is_typed_in_one_line(house: House, ann: Person, text: str) -> None:
    await ann.says(f"/pressure {text}")
    await ann.says("/pressure")
    await ann.says(text)
    assert await readings(house, ann) == [(120, 80, 65)] * 2
    assert await ann.session() is None


async def test_the_numbers_are_typed_one_by_one_and_the_pulse_may_be_unknown(house: House, ann: Person) -> None:
    for text in ("/pressure", "120", "80", "skip"):
        await ann.says(text)
    await ann.says("/pressure 130 over 85")
    assert [
        entry[:2] for entry in sorted([(e.systolic, e.diastolic) for e in (await everything(house, ann)).pressures])
    ] == [
        (120, 80),
        (130, 85),
    ]
    assert {entry.pulse for entry in (await everything(house, ann)).pressures} == {None}


async def test_a_typed_number_is_the_pressure_itself_where_there_are_no_buttons(house: House) -> None:
    bob = house.person(8, channel="whatsapp", value="whatsapp:+15550001111")
    for text in ("/pressure", "120", "80", "65", "/pressure", "120", "80", "0"):
        await bob.says(text)
    found = (await everything(house, bob)).pressures
    assert {(entry.systolic, entry.diastolic, entry.pulse) for entry in found} == {(120, 80, 65), (120, 80, None)}
    await bob.says("edit")
    await bob.says("date and time")
    await bob.says("yesterday")
    await bob.says("8")
    assert "08:00" in bob.last.text


@pytest.mark.parametrize("text", ["301/80", "49/30", "120/20", "120/80 300", "80/80", "80/120", "hello", "1e3/2", "12"])
async def test_what_cannot_be_is_asked_again(house: House, ann: Person, text: str) -> None:
    await ann.says(f"/pressure {text}")
    assert await readings(house, ann) == []
    await ann.says(text)
    session = await ann.session()
    assert session is not None
    assert session.step == "systolic"


async def test_the_lower_number_stays_below_the_upper_one(house: House, ann: Person) -> None:
    for text in ("/pressure", "100"):
        await ann.says(text)
    assert "90…" in ann.question.labels
    assert "100…" not in ann.question.labels
    await ann.says("110")
    assert "must be greater" in ann.question.text
    await ann.presses("90…")
    assert "99" in ann.question.labels
    await ann.presses("80…") if "80…" in ann.question.labels else await ann.presses("‹ 80…")
    for text in ("80", "70"):
        await ann.says(text)
    assert await readings(house, ann) == [(100, 80, 70)]


@pytest.mark.parametrize("text", ["65/40", "260/150", "120/35", "210/155", "120/80 35", "120/80 185", "100/90"])
async def test_what_is_unusual_is_asked_about_and_then_stored(house: House, ann: Person, text: str) -> None:
    await ann.says(f"/pressure {text}")
    assert "Is that right?" in ann.question.text
    assert await readings(house, ann) == []
    await ann.presses("No")
    await ann.says(text)
    await ann.presses("Yes")
    assert len(await readings(house, ann)) == 1


async def test_a_doubtful_reading_that_is_left_is_not_stored_and_that_is_said(house: House, ann: Person) -> None:
    await ann.says("/pressure 65/40")
    await ann.says("/help")
    assert await readings(house, ann) == []
    assert any("I did not save 65/40" in shown.text for shown in ann.chat)


async def test_a_complete_reading_that_is_left_is_stored(house: House, ann: Person) -> None:
    for text in ("/pressure", "120", "80", "/help"):
        await ann.says(text)
    assert [entry.systolic for entry in (await everything(house, ann)).pressures] == [120]


async def test_centimetres_are_asked_about(house: House, ann: Person) -> None:
    await ann.says("/pressure 12/8")
    assert "In mmHg that is 120/80" in ann.question.text
    await ann.presses("Yes")
    assert [entry.systolic for entry in (await everything(house, ann)).pressures] == [120]


@pytest.mark.parametrize(("text", "alarming"), [("179/109", False), ("180/80", True), ("150/110", True)])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_very_high_reading_says_what_to_do_and_is_stored(
    house: House, language: str, text: str, *, alarming: bool
) -> None:
    bob = house.person(8, language=language)
    await bob.says(f"/pressure {text} 70")
    said = " ".join(shown.text for shown in bob.chat)
    assert ("ESH 2023" in said) is alarming
    assert ("180" in said.replace(text, "") and "110" in said.replace(text, "")) is alarming
    assert len(await readings(house, bob)) == 1


async def test_date_time_and_numbers_are_edited(house: House, ann: Person) -> None:
    await ann.says("/pressure 120/80 65")
    for label in ("Edit", "Date and time", "Yesterday"):
        await ann.presses(label)
    for text in ("25:00", "soon", "8:30"):
        await ann.says(text)
    for label in ("Edit", "Pulse", "Skip", "Edit", "Pressure"):
        await ann.presses(label)
    await ann.says("140/90")
    (entry,) = (await everything(house, ann)).pressures
    assert entry.measured_at == datetime(2026, 6, 14, 6, 30, tzinfo=UTC)
    assert (entry.systolic, entry.diastolic, entry.pulse) == (140, 90, 65)


async def test_a_time_still_to_come_is_not_taken(house: House, ann: Person) -> None:
    await ann.says("/pressure 120/80")
    for label in ("Edit", "Date and time", "Today"):
        await ann.presses(label)
    assert "14:00" in ann.question.labels
    assert "16:00" not in ann.question.labels
    await ann.says("15:00")
    assert "still to come" in ann.question.text
    await ann.says("7")
    (entry,) = (await everything(house, ann)).pressures
    assert entry.measured_at == datetime(2026, 6, 15, 5, tzinfo=UTC)


async def test_a_reading_of_another_day_asks_for_its_time(house: House, ann: Person) -> None:
    await ann.says("/calendar 10.06")
    await ann.presses("Add a blood pressure")
    await ann.says("120/80 65")
    assert "At what time?" in ann.question.text
    await ann.says("20:15")
    (entry,) = (await everything(house, ann)).pressures
    assert entry.measured_at == datetime(2026, 6, 10, 18, 15, tzinfo=UTC)


async def test_a_deleted_reading_can_be_brought_back(house: House, ann: Person) -> None:
    await ann.says("/pressure 120/80 65")
    await ann.presses("Delete")
    assert await readings(house, ann) == []
    await ann.presses("Undo")
    assert await readings(house, ann) == [(120, 80, 65)]


async def test_nobody_reaches_the_reading_of_another(house: House, ann: Person) -> None:
    await ann.says("/pressure 120/80 65")
    before = await everything(house, ann)
    eve = house.person(666)
    await eve.says("/start")
    for action in ("edit", "show", "delete", "undo", "field"):
        tail = ":when" if action == "field" else ""
        await eve.sends(Press(f"b:{action}:{before.pressures[0].id}{tail}", "1", "callback"))
        assert eve.toasts[-1] == "That entry no longer exists."
    assert await everything(house, ann) == before


async def test_a_question_left_open_over_midnight_still_stores_the_moment_of_the_answer(
    house: House, ann: Person
) -> None:
    await ann.says("/pressure")
    await house.clock.advance(timedelta(hours=12).total_seconds())
    await ann.says("120/80")
    (entry,) = (await everything(house, ann)).pressures
    assert entry.measured_at == house.clock.now()
