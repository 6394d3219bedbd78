"""The calendar: months, days, and what can be done with them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrebot.dialogue.turn import Setup
from migrebot.diary.entries import Headache, Intake, Pressure
from migrebot.languages import LANGUAGES
from migrebot.messages import INERT, Press
from storage.changes import Change, MarkFree, SaveHeadache, SaveIntake, SaveIntakes, SavePressure, Unit
from storage.facts import AllOf, Everything
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from storage.interface import Storage
    from tests.clock import FakeClock

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def june(day: int) -> date:
    return date(2026, 6, day)


def headache(user_id: int, id_: int, day: date, **known: Any) -> Headache:
    fields: dict[str, Any] = {"timezone": "Europe/Berlin", "created_at": NOW} | known
    return Headache(id=id_, user_id=user_id, day=day, **fields)


def intake(user_id: int, id_: int, day: date, **known: Any) -> Intake:
    fields: dict[str, Any] = {"timezone": "Europe/Berlin", "created_at": NOW, "drug": "Sumatriptan"} | known
    return Intake(id=id_, user_id=user_id, day=day, **fields)


READING = Pressure(
    id=3,
    user_id=7001,
    measured_at=NOW - timedelta(days=1),
    timezone="Europe/Berlin",
    systolic=120,
    diastolic=80,
    pulse=65,
    created_at=NOW,
)


async def store(house: House, *changes: Change) -> None:
    [result] = await house.storage.commit([Unit(changes=changes)], NOW)
    assert result.outcome == "done", result


async def everything(house: House, person: Person) -> Everything:
    fact = AllOf((await person.known()).user.id)
    found: Everything = (await house.storage.load([fact]))[fact]
    return found


def data(person: Person, label: str) -> str:
    """What the button with this label carries."""
    return next(button.data for row in person.question.keyboard for button in row if button.label == label)


async def forge(person: Person, carried: str) -> str:
    """Press a button that was never offered; tells what was shown for a moment."""
    before = len(person.toasts)
    shown = person.chat[-1].id if person.chat else "0"
    await person.sends(Press(carried, shown, "callback"))
    return person.toasts[-1] if len(person.toasts) > before else ""


# --- a month -----------------------------------------------------------------------------------------------------


async def test_a_month_shows_which_days_are_what_and_counts_them(house: House, ann: Person) -> None:
    await store(
        house,
        SaveHeadache(headache(7001, 1, june(2))),
        SaveHeadache(headache(7001, 2, june(6), duration_h=50.0)),
        SaveIntakes(7001, 2, (intake(7001, 1, june(7), headache_id=2),)),
        SaveIntake(intake(7001, 2, june(10))),
        SaveIntake(intake(7001, 3, june(11))),
        MarkFree(7001, (june(1), june(3), june(11)), "question"),
    )
    text = await ann.says("/calendar")
    assert text.splitlines() == [
        "June 2026",
        "",
        "╳ headache: 2, 6, 8",
        "⁘ medicine: 10, 11",
        "※ headache and medicine: 7",
        "○ no headache: 1, 3, 11",
        "Without a mark: not known.",
        "",
        "Days with headache: 4. Days with medicine: 3.",
        "",
        "Choose a day, or write its date: 15/06/2026.",
    ]
    weekdays, first, second, third, around = [[button.label for button in row] for row in ann.last.keyboard]
    assert weekdays == ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    assert first == ["○1", "╳2", "○3", "4", "5", "╳6", "※7"]
    assert second == ["╳8", "9", "⁘10", "○⁘11", "12", "13", "14"]
    assert third == ["▸15", *["·"] * 6]
    assert around == ["‹ May 2026"]


async def test_a_month_without_entries_says_so(ann: Person) -> None:
    assert "Nothing is recorded in this month yet." in await ann.says("/calendar")


async def test_a_month_known_from_end_to_end_has_no_unknown_days(house: House, ann: Person) -> None:
    await store(house, MarkFree(7001, tuple(june(n) for n in range(1, 16)), "question"))
    text = await ann.says("/calendar")
    assert "○ no headache: 1–15" in text
    assert "not known" not in text


async def test_months_are_turned_in_place_and_never_into_the_future(ann: Person) -> None:
    await ann.says("/calendar")
    await ann.presses("‹ May 2026")
    assert len(ann.chat) == 1
    assert ann.last.text.startswith("May 2026")
    assert ann.last.labels[-2:] == ["‹ April 2026", "June 2026 ›"]
    assert ann.last.labels.count("·") == 4, "May 2026 begins on a Friday and ends on a Sunday"
    assert "31" in ann.last.labels
    await ann.presses("June 2026 ›")
    assert ann.last.labels[-1] == "‹ May 2026"
    assert await forge(ann, "k:month:2026-07") == "This button no longer does anything. /help tells what I can do."


async def test_the_calendar_begins_with_the_year_2000(ann: Person) -> None:
    await ann.says("/calendar 1.2000")
    assert ann.last.labels[-1] == "February 2000 ›"
    assert "‹" not in "".join(ann.last.labels)
    assert await forge(ann, "k:month:1999-12")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("2026-05", "May 2026"),
        ("march", "March 2026"),
        ("октябрь 2025", "October 2025"),
        ("13.06", "Saturday, 13 June"),
        ("yesterday", "Sunday, 14 June"),
        ("tomorrow", "There is no such day here."),
        ("31.02", "There is no such day here."),
        ("12.1999", "There is no such day here."),
        ("x" * 4000, "There is no such day here."),
    ],
)
async def test_a_month_or_a_day_can_be_asked_for(ann: Person, typed: str, shown: str) -> None:
    assert (await ann.says(f"/calendar {typed}")).startswith(shown)


async def test_an_empty_place_of_the_grid_does_nothing(ann: Person) -> None:
    before = await ann.says("/calendar")
    assert data(ann, "·") == INERT
    assert await forge(ann, INERT) == ""
    assert (len(ann.chat), ann.last.text, ann.last.edited) == (1, before, False)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_month_speaks_every_language(house: House, language: str) -> None:
    person = house.person(7002, language=language)
    await person.says("/start")
    await store(
        house,
        SaveHeadache(headache(7002, 1, june(2))),
        SaveHeadache(headache(7002, 2, june(3))),
        SaveIntake(intake(7002, 1, june(3))),
        SaveIntake(intake(7002, 2, june(4))),
        MarkFree(7002, (june(5),), "question"),
    )
    text = await person.says("/calendar")
    for marked in ("╳", "⁘", "※", "○"):
        assert f"\n{marked} " in text
    assert len(person.last.keyboard[0]) == 7


async def test_today_is_the_day_of_ones_own_zone(house: House, ann: Person, clock: FakeClock) -> None:
    await clock.advance(timedelta(hours=10, minutes=30).total_seconds())  # half past midnight in Berlin
    await ann.says("/calendar")
    assert "▸16" in ann.last.labels
    await ann.presses("▸16")
    assert ann.last.text.startswith("Tuesday, 16 June")
    ben = house.person(7003)
    await ben.says("/start")
    await ben.says("/calendar")
    assert "▸15" in ben.last.labels
    assert await forge(ben, "k:day:2026-06-16")


async def test_days_on_which_the_clocks_change_are_days_like_others(house: House, ann: Person) -> None:
    spring = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # 23:30 in Berlin; at 2:00 it is 3:00
    night = headache(7001, 1, date(2026, 3, 28), onset=spring, end=spring + timedelta(minutes=31))
    await store(house, SaveHeadache(night), SaveHeadache(headache(7001, 2, date(2025, 10, 26), duration_h=24.0)))
    assert "╳ headache: 28, 29" in await ann.says("/calendar 3.2026")
    assert "╳ headache: 26\n" in await ann.says("/calendar 10.2025")


async def test_every_button_fits_and_stands_for_itself(house: House, ann: Person) -> None:
    await store(
        house,
        SaveHeadache(headache(7001, 2**62, june(14), intensity=10, duration_h=167.98)),
        SaveIntake(intake(7001, 2**62, june(14), drug="x" * 100, amount=0.5)),
    )
    await ann.says("/calendar")
    await ann.says("14.06")
    for shown in ann.chat:
        for row in shown.keyboard:
            for button in row:
                assert 0 < len(button.data.encode()) <= 64
                assert 0 < len(button.label) <= 40


# --- a day -------------------------------------------------------------------------------------------------------


async def test_a_day_lists_its_entries_and_opens_them(house: House, ann: Person) -> None:
    await store(
        house,
        SaveHeadache(headache(7001, 1, june(13), intensity=7, duration_h=30.0)),
        SaveIntakes(7001, 1, (intake(7001, 1, june(13), headache_id=1, amount=50.0),)),
        SaveHeadache(headache(7001, 2, june(14))),
        SavePressure(READING),
    )
    await ann.says("/calendar")
    await ann.presses("╳14")
    assert len(ann.chat) == 1
    assert ann.last.text.splitlines() == [
        "Sunday, 14 June",
        "• Headache 7/10, 30 h",
        "• Headache",
        "• Pressure: 120/80, pulse 65",
    ]
    assert ann.last.labels[-3:] == ["‹ Sat, 13 Jun", "Calendar", "Mon, 15 Jun ›"]
    assert "No headache" not in ann.last.labels
    await ann.presses("‹ Sat, 13 Jun")
    assert "• Medicine: Sumatriptan 50 mg" in ann.last.text
    await ann.presses("Headache 7/10, 30 h")
    assert "Pain 7 of 10, 30 h" in ann.last.text
    assert ann.last.labels == ["Edit", "Delete", "Add another", "Calendar"]
    await ann.presses("Calendar")
    assert ann.last.text.startswith("Saturday, 13 June")


async def test_an_entry_of_a_day_is_edited_deleted_and_brought_back(house: House, ann: Person) -> None:
    await store(house, SaveHeadache(headache(7001, 1, june(14), intensity=7)), MarkFree(7001, (june(12),), "question"))
    await ann.says("/calendar 14.06")
    await ann.presses("Headache 7/10")
    await ann.presses("Edit")
    await ann.presses("Intensity")
    await ann.presses("4")
    await ann.presses("Delete")
    await ann.presses("Calendar")
    assert "Nothing is recorded on this day" in ann.last.text
    await ann.says("/calendar")
    assert "14" in ann.last.labels
    await ann.sends(Press("h:undo:1", ann.last.id, "callback"))
    assert (await everything(house, ann)).headaches[0].intensity == 4
    await ann.presses("Edit")
    await ann.presses("Date")
    await ann.says("12.06")
    found = await everything(house, ann)
    assert (found.headaches[0].day, found.free_days) == (june(12), ())


async def test_medicines_and_readings_of_a_day_are_opened_deleted_and_brought_back(house: House, ann: Person) -> None:
    taken = intake(7001, 1, june(14), amount=50.0)
    night = headache(7001, 2, june(12))
    later = intake(7001, 2, june(14), headache_id=2, drug="Ibuprofen")
    await store(house, SaveIntake(taken), SaveHeadache(night), SaveIntakes(7001, 2, (later,)), SavePressure(READING))
    for label, kind in (("Medicine: Sumatriptan 50 mg", "intakes"), ("Pressure: 120/80, pulse 65", "pressures")):
        await ann.says("/calendar 14.06")
        await ann.presses(label)
        await ann.presses("Delete")
        await ann.presses("Calendar")
        assert label not in ann.last.labels
        assert not [entry for entry in getattr(await everything(house, ann), kind) if entry.id in {1, 3}]
        await ann.sends(
            Press(f"{'i' if kind == 'intakes' else 'b'}:undo:{1 if kind == 'intakes' else 3}", "", "callback")
        )
    await ann.says("/calendar 14.06")
    assert "Medicine: Sumatriptan 50 mg" in ann.last.labels
    await ann.presses("Medicine: Ibuprofen")
    assert ann.last.text.startswith("Friday, 12 June"), "it is opened with the attack it was taken for"


@pytest.mark.parametrize(
    ("label", "answers"),
    [("Add a medicine", ("Sumatriptan", "50 mg")), ("Add a blood pressure", ("120/80 65",))],
)
async def test_medicines_and_readings_are_added_to_the_day_that_is_open(
    house: House, ann: Person, label: str, answers: tuple[str, ...]
) -> None:
    await ann.says("/calendar 10.06")
    await ann.presses(label)
    for answer in answers:
        await ann.says(answer)
    found = await everything(house, ann)
    assert [*(one.day for one in found.intakes), *(one.day for one in found.pressures)] == [june(10)]


async def test_a_headache_is_added_to_the_day_that_is_open(house: House, ann: Person) -> None:
    await ann.says("/calendar 10.06")
    await ann.presses("Add a headache")
    assert ann.last.text.startswith("Wednesday, 10 June\n\nHow long did it last")
    await ann.presses("3")
    await ann.presses("6")
    await ann.presses("Save now")
    (entry,) = (await everything(house, ann)).headaches
    assert (entry.day, entry.duration_h, entry.intensity) == (june(10), 3.0, 6)


async def test_a_day_without_headache_is_recorded_and_taken_back(house: House, ann: Person) -> None:
    await ann.says("/calendar 10.06")
    await ann.presses("No headache")
    assert "○ No headache." in ann.last.text
    (day,) = (await everything(house, ann)).free_days
    assert (day.day, day.source) == (june(10), "calendar")
    await ann.presses("Calendar")
    assert "○10" in ann.last.labels
    await ann.presses("○10")
    await ann.presses("Take back “no headache”")
    assert "Nothing is recorded on this day" in ann.last.text
    assert (await everything(house, ann)).free_days == ()
    assert len(ann.chat) == 1


async def test_a_headache_is_never_overwritten_by_an_old_button(house: House, ann: Person) -> None:
    await ann.says("/calendar 10.06")
    carried = data(ann, "○ No headache")
    await store(house, SaveHeadache(headache(7001, 1, june(9), duration_h=30.0)))
    await ann.sends(Press(carried, ann.last.id, "callback"))
    assert "A headache is recorded on this day, so it stays as it is." in ann.last.text
    assert (await everything(house, ann)).free_days == ()


async def test_a_day_with_a_medicine_can_be_without_headache(house: House, ann: Person) -> None:
    await store(house, SaveIntake(intake(7001, 1, june(10))))
    await ann.says("/calendar 10.06")
    await ann.presses("No headache")
    assert ann.last.text.endswith("○ No headache.\n• Medicine: Sumatriptan")


async def test_more_entries_than_fit_are_counted(house: House, ann: Person) -> None:
    await store(house, *(SaveHeadache(headache(7001, n, june(10))) for n in range(1, 31)))
    text = await ann.says("/calendar 10.06")
    assert "And 10 more; /export has them all." in text
    assert ann.last.labels.count("Headache") == 20


@pytest.mark.parametrize("typed", ["10.06", "10 June", "2026-06-10", "5 days ago", "Wednesday"])
async def test_a_date_typed_outside_a_form_opens_the_day(ann: Person, typed: str) -> None:
    assert (await ann.says(typed)).startswith("Wednesday, 10 June")


@pytest.mark.parametrize("typed", ["tomorrow", "31.31", "10", "my head hurts", "1.1.1999"])
async def test_other_text_opens_no_day(ann: Person, typed: str) -> None:
    assert "I did not understand that" in await ann.says(typed)


async def test_a_form_that_is_open_is_left_for_another_day(house: House, ann: Person) -> None:
    await ann.says("/calendar 10.06")
    await ann.says("/pain")
    await ann.presses("Yesterday")
    await ann.presses("3")
    await ann.presses("Add a headache")
    session = await ann.session()
    assert session is not None
    assert session.answers == {"date": "2026-06-10"}
    assert [entry.day for entry in (await everything(house, ann)).headaches] == [june(14)]


# --- other people's entries, forged and old buttons --------------------------------------------------------------


async def test_nobody_opens_changes_or_deletes_an_entry_of_somebody_else(house: House, ann: Person) -> None:
    await store(
        house,
        SaveHeadache(headache(7001, 1, june(10), intensity=9, note="private")),
        SaveIntake(intake(7001, 1, june(10))),
        MarkFree(7001, (june(9),), "question"),
    )
    before = await everything(house, ann)
    eve = house.person(7666)
    await eve.says("/start")
    await eve.says("/calendar")
    assert "Nothing is recorded" in eve.last.text
    await eve.says("/calendar 10.06")
    assert eve.last.text.endswith("Nothing is recorded on this day, so I do not know how it was.")
    for action in ("show", "edit", "delete", "undo", "over", "same", "details", "done", "still"):
        assert await forge(eve, f"h:{action}:1") == "That entry no longer exists."
    for field in ("date", "duration", "intensity", "aura", "triggers", "symptoms", "medicine", "note"):
        assert await forge(eve, f"h:field:1:{field}") == "That entry no longer exists."
    await store(house, SavePressure(READING))
    before = await everything(house, ann)
    for carried in (
        f"{kind}:{id_}" for id_, kinds in ((1, "i"), (3, "b")) for kind in (f"{kinds}:show", f"{kinds}:delete")
    ):
        assert await forge(eve, carried) == "That entry no longer exists."
    for carried in ("k:free:2026-06-10", "k:unfree:2026-06-09", "k:day:2026-06-10", "k:month:2026-06"):
        await forge(eve, carried)
        assert "private" not in eve.last.text
    assert await everything(house, ann) == before
    assert "○9" in (await ann.says("/calendar"), ann.last.labels)[1]


@pytest.mark.parametrize(
    "carried",
    [
        "k:day:2026-06-16",
        "k:day:2026-6-1",
        "k:day:20260610",
        "k:day:2026-W24-3",
        "k:day:1999-12-31",
        "k:day:0000-00-00",
        "k:day:\u0662026-06-10",
        "k:day",
        "k:day:",
        "k:day:2026-06-10:x",
        "k:month:2026-13",
        "k:month:2026-06-01",
        "k:month:",
        "k:free:2026-06-16",
        "k:free:2027-01-01",
        "k:unfree:x",
        "k:add:2026-06-10",
        "k:add:2026-06-16:pain",
        "k:add:2026-06-10:nonsense",
        "k:delete:2026-06-10",
        "k::",
        "k:",
        "k",
        f"k:day:{'2026-06-10' * 100}",
        "k:day:2026-06-10\0",
    ],
)
async def test_a_forged_button_does_nothing(house: House, ann: Person, carried: str) -> None:
    before = await ann.says("/calendar")
    assert await forge(ann, carried) == "This button no longer does anything. /help tells what I can do."
    assert (len(ann.chat), ann.last.text, ann.last.edited) == (1, before, False)
    assert await ann.session() is None
    found = await everything(house, ann)
    assert (found.headaches, found.free_days) == ((), ())


async def test_the_button_of_a_deleted_entry_says_so(house: House, ann: Person) -> None:
    await store(house, SaveHeadache(headache(7001, 1, june(10), intensity=7)))
    await ann.says("/calendar 10.06")
    await store(house, SaveHeadache(headache(7001, 1, june(10), intensity=7, deleted_at=NOW)))
    await ann.presses("Headache 7/10")
    assert ann.toasts == ["That entry was deleted."]


async def test_who_has_not_agreed_looks_but_records_nothing(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(require_consent=True)) as house:
        ann = house.person()
        await ann.says("/calendar")
        assert "Nothing is recorded" in ann.last.text
        for carried in ("k:free:2026-06-10", "k:add:2026-06-10:pain"):
            await forge(ann, carried)
            session = await ann.session()
            assert session is not None
            assert session.form == "consent"
        assert (await everything(house, ann)).free_days == ()
