"""Statistics and exports, as a person asks for them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import openpyxl
import pytest

from actors.rendering import Renderer
from migrebot.diary.entries import Headache, Intake, Pressure
from migrebot.errors import Refused
from migrebot.languages import LANGUAGES
from migrebot.messages import Document, Press
from storage.changes import Change, MarkFree, SaveHeadache, SaveIntake, SavePressure, Unit

if TYPE_CHECKING:
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = date(2026, 6, 15)


def headache(id_: int, ago: int, user_id: int = 7001, *, hours: float = 3, note: str = "") -> Change:
    return SaveHeadache(
        Headache(
            id=id_,
            user_id=user_id,
            day=TODAY - timedelta(days=ago),
            timezone="UTC",
            created_at=NOW,
            intensity=6,
            duration_h=hours,
            note=note,
        )
    )


def intake(id_: int, ago: int, user_id: int = 7001) -> Change:
    day = TODAY - timedelta(days=ago)
    return SaveIntake(Intake(id=id_, user_id=user_id, day=day, timezone="UTC", drug="Sumatriptan", created_at=NOW))


def reading(id_: int, ago: int, user_id: int = 7001) -> Change:
    moment = NOW - timedelta(days=ago)
    return SavePressure(
        Pressure(
            id=id_, user_id=user_id, measured_at=moment, timezone="UTC", systolic=130, diastolic=85, created_at=NOW
        )
    )


def free(*ago: int, user_id: int = 7001) -> Change:
    return MarkFree(user_id, tuple(TODAY - timedelta(days=n) for n in ago), "question")


async def store(house: House, *changes: Change) -> None:
    [result] = await house.storage.commit([Unit(changes=changes)], NOW)
    assert result.outcome == "done", result


async def file_of(house: House, person: Person) -> bytes:
    """Render what was sent last."""
    document = person.last.document
    assert isinstance(document, Document)
    return await Renderer(house.storage)(document, (await person.known()).user.id)


async def make(person: Person, kind: str, span: str) -> str:
    """Choose both; returns the text of the summary."""
    await person.says("/statistics")
    menu = person.last
    await person.presses(kind)
    await person.presses(span)
    return menu.text


async def test_a_month_is_summed_up_and_comes_with_a_workbook(house: House, ann: Person) -> None:
    await store(house, headache(1, 0), headache(2, 5, hours=30), headache(3, 29), headache(4, 30))
    await store(house, intake(1, 5), intake(2, 40), reading(1, 3), free(*range(6, 24)))
    text = await make(ann, "All of it", "1 month")
    assert text.splitlines() == [
        "17 May 2026 – 15 June 2026",
        "",
        "Recorded 22 of 30 days; at least 4 headache days.",
        "Too few days are recorded to say what that means for a month.",
        "Attacks: 3.",
        "Pain: 6 of 10 on average, 6 at worst.",
        "Duration: 12 h on average, 30 h at most.",
        "Days with moderate or severe pain (4 and more): 4.",
        "",
        "Days with medicine: at least 1.",
        "Of these with acute medicine, by class:",
        "• Triptans: 1",
        "",
        "Blood pressure: 130/85 on average of 1, highest values 130 and 85.",
        "",
        "These are your entries in numbers, not a diagnosis.",
    ]
    assert ann.last.document is not None
    assert ann.last.document.filename == "migrebot-all-2026-05-17-2026-06-15.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(await file_of(house, ann)))
    assert book.sheetnames == ["Summary", "Headaches", "Days without headache", "Medication", "Pressure"]
    assert [sheet.max_row for sheet in book.worksheets[1:]] == [4, 19, 2, 2]


async def test_the_buttons_are_changed_in_place(house: House, ann: Person) -> None:
    await store(house, headache(1, 0))
    await ann.says("/statistics")
    assert ann.last.labels == ["Headaches", "Medication", "Pressure", "All of it"]
    await ann.presses("Headaches")
    assert ann.last.text == "Headaches: for how long?"
    assert ann.last.labels == ["1 month", "6 months", "1 year", "All time", "‹ Back"]
    await ann.presses("‹ Back")
    await ann.presses("Headaches")
    await ann.presses("1 month")
    assert len(ann.chat) == 2, "the summary in place of the question, and the workbook"
    await ann.presses("Other statistics")
    assert ann.chat[0].text == "What shall I sum up?"


@pytest.mark.parametrize(("span", "days"), [("1 month", 30), ("6 months", 182), ("1 year", 365)])
async def test_a_span_ends_today_and_leaves_out_what_is_older(house: House, ann: Person, span: str, days: int) -> None:
    await store(house, headache(1, days - 1), headache(2, days))
    text = await make(ann, "Headaches", span)
    assert f"Recorded 1 of {days} days; at least 1 headache day." in text


async def test_all_time_begins_with_the_first_entry(house: House, ann: Person) -> None:
    await store(house, headache(1, 3), free(0, 1, 2))
    text = await make(ann, "Headaches", "All time")
    assert "12 June 2026 – 15 June 2026" in text
    assert "All 4 days are recorded; 1 headache day." in text


async def test_a_well_kept_year_is_set_in_relation_to_a_month(house: House, ann: Person) -> None:
    await store(house, *(headache(n, n * 10) for n in range(36)), free(*(n for n in range(320) if n % 10)))
    text = await make(ann, "Headaches", "1 year")
    assert "Recorded 324 of 365 days; at least 36 headache days.\nIn 30 days that comes to about 3.3." in text


async def test_days_without_headache_alone_are_a_summary_too(house: House, ann: Person) -> None:
    await store(house, free(0, 1, 2))
    assert "Recorded 3 of 30 days; no headache on any of them." in await make(ann, "Headaches", "1 month")
    assert ann.last.document is not None


async def test_days_nobody_recorded_are_not_called_free_of_headache(house: House, ann: Person) -> None:
    await store(house, intake(1, 1))
    text = await make(ann, "All of it", "1 month")
    assert "Headaches: not a single day is recorded, so I cannot tell." in text
    assert "No blood pressure is recorded." in text


@pytest.mark.parametrize("kind", ["Headaches", "Medication", "Pressure", "All of it"])
async def test_an_empty_period_says_so_kindly_and_sends_no_file(house: House, ann: Person, kind: str) -> None:
    await store(house, headache(1, 60), intake(1, 60), reading(1, 60), free(61))
    text = await make(ann, kind, "1 month")
    assert text == "Nothing of this is recorded from 17 May 2026 to 15 June 2026, so there is nothing to sum up."
    assert all(shown.document is None for shown in ann.chat)


async def test_an_empty_diary_says_so_kindly(ann: Person) -> None:
    text = await make(ann, "All of it", "All time")
    assert text.startswith("Nothing of this is recorded yet")


async def test_the_workbook_is_made_of_what_is_stored_when_it_is_sent(house: House, ann: Person) -> None:
    await store(house, headache(1, 0, note="before"))
    await make(ann, "Headaches", "1 month")
    await store(house, headache(1, 0, note="after"), headache(9, 0, user_id=7001))
    book = openpyxl.load_workbook(io.BytesIO(await file_of(house, ann)))
    assert [row[-1].value for row in book["Headaches"].iter_rows(min_row=2)] == ["after", None]


async def test_nobody_gets_the_numbers_of_somebody_else(house: House, ann: Person) -> None:
    await store(house, headache(1, 0, note="private"), free(1, 2))
    eve = house.person(7666)
    await eve.says("/start")
    assert "Nothing of this is recorded" in await make(eve, "All of it", "All time")
    # Even the document of somebody else is made of one's own data.
    await make(ann, "All of it", "1 month")
    document = ann.last.document
    assert document is not None
    stolen = await Renderer(house.storage)(document, 7666)
    assert openpyxl.load_workbook(io.BytesIO(stolen)).sheetnames == ["Summary"]


@pytest.mark.parametrize(
    "carried", ["t:kind:nonsense", "t:make:all:7", "t:make:all:-1", "t:make:all", "t:make", "t:menu:1", "t:", "t:kind"]
)
async def test_a_forged_button_does_nothing(ann: Person, carried: str) -> None:
    await ann.says("/statistics")
    await ann.sends(Press(carried, ann.last.id, "callback"))
    assert ann.toasts == ["This button no longer does anything. /help tells what I can do."]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_language_gets_its_own_words(house: House, language: str) -> None:
    person = house.person(7002, language=language)
    await person.says("/start")
    await store(house, headache(1, 0, 7002), intake(1, 0, 7002), reading(1, 0, 7002), free(1, user_id=7002))
    await person.says("/statistics")
    await person.sends(Press("t:make:all:30", person.last.id, "callback"))
    book = openpyxl.load_workbook(io.BytesIO(await file_of(house, person)))
    assert len(set(book.sheetnames)) == 5
    assert ("Headaches" in book.sheetnames) == (language == "en")


async def test_a_recipe_there_is_none_for_is_refused(house: House) -> None:
    for document in (
        Document("nonsense", "x", ""),
        Document("export", "x", ""),
        Document("statistics", "x", "", {"kind": "all"}),
    ):
        with pytest.raises(Refused):
            await Renderer(house.storage)(document, 7001)


# --- everything as a file ----------------------------------------------------------------------------------------


async def test_an_export_asks_for_the_format(house: House, ann: Person) -> None:
    await store(house, headache(1, 0))
    await ann.says("/export")
    assert len(ann.last.labels) == 3
    await ann.presses("CSV: for any spreadsheet")
    assert ann.last.document is not None
    assert ann.last.document.filename == "migrebot-2026-06-15.zip"
    with zipfile.ZipFile(io.BytesIO(await file_of(house, ann))) as archive:
        assert "headaches.csv" in archive.namelist()


@pytest.mark.parametrize(("typed", "suffix"), [("json", "json"), ("CSV", "zip"), (" xlsx ", "xlsx"), ("Excel", "xlsx")])
async def test_the_format_can_be_typed(house: House, ann: Person, typed: str, suffix: str) -> None:
    await ann.says(f"/export {typed}")
    assert ann.last.document is not None
    assert ann.last.document.filename.endswith(f".{suffix}")
    assert await file_of(house, ann)


@pytest.mark.parametrize("typed", ["pdf", "exe", "json csv", "../../x"])
async def test_a_format_there_is_none_of_is_asked_for_again(ann: Person, typed: str) -> None:
    assert "In which form?" in await ann.says(f"/export {typed}")


async def test_no_export_holds_a_word_of_somebody_else(house: House, ann: Person) -> None:
    eve = house.person(7666)
    await eve.says("/start")
    await store(house, headache(1, 0, note="mine"), headache(2, 0, 7666, note="hers"), free(1), free(2, user_id=7666))
    await ann.says("/export json")
    found = json.loads(await file_of(house, ann))
    assert [entry["note"] for entry in found["headaches"]] == ["mine"]
    assert [day["day"] for day in found["free_days"]] == ["2026-06-14"]
    await ann.says("/export xlsx")
    book = openpyxl.load_workbook(io.BytesIO(await file_of(house, ann)))
    cells = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "mine" in cells
    assert "hers" not in cells
    await ann.says("/export csv")
    with zipfile.ZipFile(io.BytesIO(await file_of(house, ann))) as archive:
        written = b"".join(archive.read(name) for name in archive.namelist())
    assert b"mine" in written
    assert b"hers" not in written
