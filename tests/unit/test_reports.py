"""Workbooks and CSV files, read back as a spreadsheet reads them."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.diary.entries import Drug, FreeDay, Headache, Intake, Pressure
from migrebot.diary.exports import EXPORTS
from migrebot.diary.summary import Window
from migrebot.i18n import translator
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Profile
from migrebot.reminders.questions import Asking
from migrebot.reminders.reminder import Reminder
from migrebot.reminders.schedule import Once, Schedule
from migrebot.reports.export import export, harmless
from migrebot.reports.statistics import statistics_workbook
from migrebot.reports.tables import Column, Table
from migrebot.reports.workbook import HIGHEST_ROW, LINE_HEIGHT, LONGEST_TEXT, workbook
from storage.facts import Entries, Everything
from storage.records import Identity, Letter, Payment, User

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = date(2026, 6, 15)
WINDOW = Window(date(2026, 5, 17), TODAY)
WEIRD = (
    '=HYPERLINK("http://evil.example","x")',
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    " =1+1",
    "\u00a0=1+1",
    "＝1+1",
    "http://evil.example",
    "mailto:eve@evil.example",
    "0123",
    "1e9",
    "TRUE",
    "2026-01-01",
    "\u202egnp.exe",
    "a\0b\x01c",
    "x" * 4_097,
    "<b>&amp;</b>",
    "_x0041_",
    "{=1}",
    "#REF!",
    'слово, «кавычки» "и" \'',
    "line\nline\r\nline",
    "👩‍👩‍👧 é é",
)
EN = translator("en")


def headache(**known: Any) -> Headache:
    fields: dict[str, Any] = {"id": 1, "day": date(2026, 6, 10), "timezone": "Europe/Berlin", "created_at": NOW}
    return Headache(user_id=1, **(fields | known))


def intake(id_: int, drug: str, **known: Any) -> Intake:
    fields: dict[str, Any] = {"day": date(2026, 6, 10), "timezone": "Europe/Berlin", "created_at": NOW}
    return Intake(id=id_, user_id=1, drug=drug, **(fields | known))


READING = Pressure(
    id=1, user_id=1, measured_at=NOW, timezone="Asia/Tokyo", systolic=120, diastolic=80, pulse=65, created_at=NOW
)
ENTRIES = Entries(
    headaches=(
        headache(
            intensity=7,
            duration_h=30.0,
            aura=True,
            triggers=("stress", "own word"),
            symptoms=(),
            medicine_taken=True,
            note="a note",
            onset=datetime(2026, 6, 10, 5, 15, tzinfo=UTC),
        ),
        headache(id=2, day=date(2026, 6, 12), medicine_taken=False, aura=False),
    ),
    intakes=(
        intake(1, "Sumatriptan", amount=50.0, headache_id=1),
        intake(2, "Ibuprofen", amount=0.4, unit="g", headache_id=1),
        intake(3, "Magnesium", day=date(2026, 6, 14)),
    ),
    pressures=(READING,),
    free=frozenset({date(2026, 6, 1), date(2026, 6, 2)}),
)


def made(entries: Entries = ENTRIES, kind: str = "all", language: str = "en") -> Workbook:
    content = statistics_workbook(entries, (), WINDOW, kind, translator(language))
    return openpyxl.load_workbook(io.BytesIO(content))


def width(sheet: Worksheet, column: int) -> float:
    """Tell the width of a column: those of the same width stand together in the file."""
    return float(next(one.width for one in sheet.column_dimensions.values() if one.min <= column <= one.max))


def values(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def everything(**parts: Any) -> Everything:
    fields: dict[str, Any] = {
        "user": User(id=1, language="en", created_at=NOW, timezone="Europe/Berlin"),
        "identities": (),
        "headaches": (),
        "intakes": (),
        "pressures": (),
        "drugs": (),
        "free_days": (),
        "reminders": (),
        "letters": (),
        "payments": (),
    }
    others = {name: None for name in Everything.__struct_fields__ if name not in fields}
    return Everything(**(others | fields | parts))


def files(content: bytes) -> dict[str, list[list[str]]]:
    """Read the archive of CSV files as a strict reader does."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        found = {}
        for name in archive.namelist():
            written = archive.read(name)
            assert written.startswith(b"\xef\xbb\xbf")
            assert written.endswith(b"\r\n")
            found[name] = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""), strict=True))
        return found


# --- the workbook ------------------------------------------------------------------------------------------------


def test_a_doctor_finds_each_kind_on_a_sheet_of_its_own() -> None:
    assert made().sheetnames == ["Summary", "Headaches", "Days without headache", "Medication", "Pressure"]
    assert made(kind="headaches").sheetnames == ["Summary", "Headaches", "Days without headache"]
    assert made(kind="medication").sheetnames == ["Summary", "Medication"]
    assert made(kind="pressure").sheetnames == ["Summary", "Pressure"]


def test_cells_are_of_their_types() -> None:
    book = made()
    heading, first, second = values(book["Headaches"])
    assert first == [
        datetime(2026, 6, 10),  # noqa: DTZ001 - cells have no zone
        datetime(2026, 6, 11),  # noqa: DTZ001 - see above
        datetime(2026, 6, 10, 7, 15),  # noqa: DTZ001 - in Berlin
        30,
        7,
        "Yes",
        "Stress, own word",
        "None",
        "Sumatriptan 50 mg\nIbuprofen 0.4 g",
        "a note",
    ]
    assert second[3:] == [None, None, "No", None, None, "None", None]
    assert len(heading) == len(first)
    assert values(book["Medication"])[1:] == [
        [datetime(2026, 6, 10), "Sumatriptan", 50, "mg", "Yes"],  # noqa: DTZ001 - see above
        [datetime(2026, 6, 10), "Ibuprofen", 0.4, "g", "Yes"],  # noqa: DTZ001 - see above
        [datetime(2026, 6, 14), "Magnesium", None, None, None],  # noqa: DTZ001 - see above
    ]
    [_, row] = values(book["Pressure"])
    assert row == [datetime(2026, 6, 15, 21), 120, 80, 65]  # noqa: DTZ001 - in Tokyo


def test_the_summary_states_its_window_and_how_days_were_counted() -> None:
    rows = {label: value for label, value in values(made()["Summary"])[1:] if label}
    assert rows["First day"] == datetime(2026, 5, 17)  # noqa: DTZ001 - cells have no zone
    assert rows["Days in this period"] == 30
    assert rows["Days recorded, with or without headache"] == 5
    assert rows["Days not recorded: unknown"] == 25
    assert rows["Days with headache, at least"] == 3
    assert rows["Days with acute medicine, at least: Triptans"] == 1
    assert "unknown otherwise" in rows["How days were counted"]


def test_sheets_can_be_read_and_printed() -> None:
    for sheet in made():
        assert sheet.freeze_panes == "A2"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        # Unless it is said, a sheet is one page wide and one page high.
        assert sheet.page_setup.fitToWidth in {1, None}
        assert sheet.page_setup.fitToHeight in ({1, None} if sheet.title == "Summary" else {0})
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_title_rows == "$1:$1"
        assert bool(sheet.auto_filter.ref) == (sheet.title != "Summary")
        assert all(sheet.column_dimensions[cell.column_letter].width > 5 for cell in sheet[1])
        assert all(cell.alignment.wrap_text for cell in sheet[1])
    assert made()["Summary"]["B4"].alignment.horizontal == "left"
    note = made()["Headaches"]["J2"]
    assert note.alignment.wrap_text


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_choices_and_dates_are_those_of_the_language(language: str) -> None:
    tr = translator(language)
    book = made(language=language)
    english = made()
    assert len(book.sheetnames) == len(english.sheetnames)
    headaches = book[tr.plain("Headaches")]
    assert headaches["A2"].number_format == ("dd.mm.yyyy" if language in {"ru", "uk"} else "dd/mm/yyyy")
    assert headaches["A2"].is_date
    assert headaches["F2"].value == tr.plain("Yes")
    assert headaches["G2"].value.startswith(tr.plain("Stress"))
    for sheet in book:
        assert all(cell.value for cell in sheet[1][:1])
        for cell in sheet[1]:
            longest = max(map(len, (cell.value or "").split()), default=0)
            assert width(sheet, cell.column) > longest + 3, cell.value
    if language != "en":
        alike = {cell.value for cell in headaches[1]} & {cell.value for cell in english["Headaches"][1]}
        assert alike <= {"Aura", "Date", "Note"}, "these are French too"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", WEIRD, ids=range(len(WEIRD)))
def test_whatever_was_typed_stays_text(text: str, language: str) -> None:
    entries = Entries(
        headaches=(headache(note=text, triggers=(text,), symptoms=(text, text)),),
        intakes=(intake(1, text, unit=text, amount=1.0, headache_id=1), intake(2, text)),
    )
    for sheet in made(entries, language=language):
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                assert cell.data_type in {"s", "n", "d"}, cell.value
                assert cell.hyperlink is None
                if isinstance(cell.value, str):
                    assert not set(cell.value) & set("\0\x01\u202e\r")


def test_a_formula_is_shown_as_it_was_typed() -> None:
    entries = Entries(intakes=(intake(1, "=1+1"), intake(2, '=HYPERLINK("http://x","y")')))
    cells = [row[1] for row in made(entries)["Medication"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == ["=1+1", '=HYPERLINK("http://x","y")']
    with zipfile.ZipFile(io.BytesIO(statistics_workbook(entries, (), WINDOW, "all", EN))) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)


def test_more_than_a_cell_holds_is_cut() -> None:
    long = made(Entries(headaches=(headache(note="я" * 40_000),)))["Headaches"]["J2"].value
    assert isinstance(long, str)
    assert len(long) == LONGEST_TEXT
    assert long.endswith("…")


@pytest.mark.parametrize("number", [float("inf"), float("nan"), -0.0, 1e300, 5e-324])
def test_a_number_no_cell_holds_is_written_as_text(number: float) -> None:
    taken = (intake(1, "x", amount=number),)
    assert made(Entries(intakes=taken)).sheetnames == ["Summary", "Medication"]
    assert float(files(export(everything(intakes=taken), "csv", EN))["medication.csv"][1][2]) == pytest.approx(
        number, nan_ok=True
    )


def test_what_is_broken_into_lines_has_room_whoever_opens_it() -> None:
    columns = (Column("Taken for a headache", 9), Column("Note", 20))
    rows = ((1, "short"), (2, "two\nlines"), (3, "word " * 14), (4, "y" * 5_000))
    sheet = openpyxl.load_workbook(
        io.BytesIO(workbook([Table(name="x", title="x", columns=columns, rows=rows)], EN, title="x"))
    ).active
    assert sheet is not None
    heights = [sheet.row_dimensions[line].height for line in range(1, 6)]
    assert heights == [3 * LINE_HEIGHT, None, 2 * LINE_HEIGHT, 4 * LINE_HEIGHT, HIGHEST_ROW]


def test_a_date_before_excel_began_to_count_is_written_as_text() -> None:
    table = Table(name="x", title="x", columns=(Column("x", 9),), rows=((date(1899, 12, 31),), (date(9999, 12, 31),)))
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([table], EN, title="x & y"))).active
    assert sheet is not None
    assert [row[0] for row in values(sheet)[1:]] == ["1899-12-31", datetime(9999, 12, 31)]  # noqa: DTZ001 - no zone


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sheet_has_a_name_that_excel_takes(language: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(export(everything(), "xlsx", translator(language))))
    for name in book.sheetnames:
        assert 0 < len(name) <= 31
        assert not set(name) & set("[]:*?/\\")


# --- everything as CSV -------------------------------------------------------------------------------------------


def test_each_kind_is_a_file_of_its_own() -> None:
    own = Drug(id=1, user_id=1, name="Triptan", created_at=NOW, daily_max_mg=100.0, is_painkiller=True)
    identity = Identity(
        address=Address("telegram", "1"), user_id=1, profile=Profile(first_name="Ann", username="ann"), seen_at=NOW
    )
    found = files(
        export(
            everything(
                identities=(identity,),
                headaches=ENTRIES.headaches,
                intakes=ENTRIES.intakes,
                pressures=(READING,),
                drugs=(own,),
                free_days=(FreeDay(user_id=1, day=date(2026, 6, 1), source="question"),),
            ),
            "csv",
            EN,
        )
    )
    assert found["headaches.csv"][1] == [
        "2026-06-10",
        "2026-06-11",
        "2026-06-10 07:15:00",
        "30",
        "7",
        "Yes",
        "Stress, own word",
        "None",
        "Sumatriptan 50 mg\nIbuprofen 0.4 g",
        "a note",
    ]
    assert found["medication.csv"][2] == ["2026-06-10", "Ibuprofen", "0.4", "g", "Yes"]
    assert found["pressure.csv"][1] == ["2026-06-15 21:00:00", "120", "80", "65"]
    assert found["headache-free-days.csv"][1:] == [["2026-06-01"]]
    assert found["medicines.csv"][1] == ["Triptan", "100", "Yes", ""]
    assert ["Telegram", "Ann @ann"] in found["about-me.csv"]
    assert ["Language", "English"] in found["about-me.csv"]


@pytest.mark.parametrize(
    ("address", "profile", "row"),
    [
        (Address("telegram", "77"), Profile(), ["Telegram", "77"]),
        (
            Address("whatsapp", "whatsapp:+491511"),
            Profile(first_name="Ann"),
            ["WhatsApp", "'+491511 Ann"],
        ),
        (Address("local", "a1b2c3"), Profile(), ["Чат в браузере", ""]),
    ],
)
def test_an_address_is_written_as_its_person_knows_it(address: Address, profile: Profile, row: list[str]) -> None:
    identity = Identity(address=address, user_id=1, profile=profile, seen_at=NOW)
    person = User(id=1, language="ru", created_at=NOW)
    about = files(export(everything(user=person, identities=(identity,)), "csv", translator("ru")))["about-me.csv"]
    assert row in about
    assert ["Язык", "Русский"] in about


def test_reminders_and_settings_are_there_too() -> None:
    reminder = Reminder(
        id=1,
        code="k7",
        user_id=1,
        address=Address("telegram", "1"),
        task="=drink water",
        schedule=Schedule(timezone="Europe/Berlin", pattern=Once(datetime(2026, 6, 16, 9))),  # noqa: DTZ001 - local
        created_at=NOW,
        next_at=datetime(2026, 6, 16, 7, tzinfo=UTC),
    )
    letter = Letter(id=1, user_id=1, address=Address("telegram", "1"), written_at=NOW)
    asking = Asking(user_id=1, every=2)
    paid = Payment(charge_id="=tg-1", user_id=1, bill_id=7, currency="XTR", amount=50, paid_at=NOW, refunded_at=NOW)
    parts = everything(reminders=(reminder,), letters=(letter,), asking=asking, payments=(paid,))
    found = files(export(parts, "csv", EN))
    assert found["reminders.csv"][1] == ["'=drink water", "Tuesday, 16 June at 09:00", "2026-06-16 09:00:00", ""]
    assert ["Question about the day, every so many days", "2"] in found["about-me.csv"]
    assert ["Message to the owner", "2026-06-15 14:00:00"] in found["about-me.csv"]
    assert ["Donation", "⭐ 50, 2026-06-15 14:00 (given back), =tg-1"] in found["about-me.csv"]


@pytest.mark.parametrize("text", WEIRD, ids=range(len(WEIRD)))
def test_no_cell_of_a_csv_file_is_a_formula(text: str) -> None:
    entry = headache(note=text, triggers=(text,))
    identity = Identity(address=Address("local", text), user_id=1, profile=Profile(first_name=text), seen_at=NOW)
    parts = everything(headaches=(entry,), intakes=(intake(1, text),), identities=(identity,))
    for rows in files(export(parts, "csv", EN)).values():
        for row in rows:
            for cell in row:
                assert not cell.lstrip().startswith(("=", "+", "-", "@"))


@given(st.text())
def test_harmless_text_is_the_text_with_at_most_an_apostrophe_in_front(text: str) -> None:
    assert harmless(text) in {text, f"'{text}"}
    assert not harmless(text).lstrip().startswith(("=", "+", "-", "@", "＝"))


@given(st.lists(st.sampled_from(WEIRD) | st.text(), max_size=4), st.sampled_from(sorted(EXPORTS)))
def test_any_diary_can_be_exported_in_every_form(texts: list[str], form: str) -> None:
    attacks = tuple(headache(id=n, note=text, triggers=(text,)) for n, text in enumerate(texts))
    taken = tuple(intake(n, text, unit=text, amount=1.5) for n, text in enumerate(texts))
    # What no database holds never gets here.
    if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
        return
    assert export(everything(headaches=attacks, intakes=taken), form, EN)


def test_the_same_data_give_the_same_archive() -> None:
    assert export(everything(), "csv", EN) == export(everything(), "csv", EN)


def test_another_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="pdf"):
        export(everything(), "pdf", EN)
