"""Dates, numbers, lists and plurals as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from babel.support import Translations
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from migrebot.diary.parsing import parse_day
from migrebot.i18n import N_, Translator, translator, translators
from migrebot.languages import LANGUAGES, choose
from migrebot.typed import clean

SUNDAY = date(2026, 11, 22)
MAY_DAY = date(2026, 5, 1)
AUGUST = date(2026, 8, 11)


@pytest.mark.parametrize(
    ("language", "sunday", "may_day", "august"),
    [
        ("en", "Sunday, 22 November", "Friday, 1 May", "Tuesday, 11 August"),
        ("ru", "Воскресенье, 22 ноября", "Пятница, 1 мая", "Вторник, 11 августа"),
        ("uk", "Неділя, 22 листопада", "Пʼятниця, 1 травня", "Вівторок, 11 серпня"),
        ("fr", "Dimanche 22 novembre", "Vendredi 1er mai", "Mardi 11 août"),
        ("es", "Domingo, 22 de noviembre", "Viernes, 1 de mayo", "Martes, 11 de agosto"),
    ],
)
def test_a_date_is_written_out_as_a_native_would(language: str, sunday: str, may_day: str, august: str) -> None:
    tr = translator(language)
    assert [tr.long_date(SUNDAY), tr.long_date(MAY_DAY), tr.long_date(AUGUST)] == [sunday, may_day, august]


@pytest.mark.parametrize(
    ("language", "sunday", "may_day"),
    [
        ("en", "Sun, 22 Nov", "Fri, 1 May"),
        ("ru", "Вс, 22 нояб.", "Пт, 1 мая"),
        ("uk", "Нд, 22 лист.", "Пт, 1 трав."),
        ("fr", "Dim. 22 nov.", "Ven. 1er mai"),
        ("es", "Dom, 22 nov", "Vie, 1 may"),
    ],
)
def test_a_short_date_fits_three_in_a_row_of_buttons(language: str, sunday: str, may_day: str) -> None:
    tr = translator(language)
    assert [tr.short_date(SUNDAY), tr.short_date(MAY_DAY)] == [sunday, may_day]
    assert all(len(tr.short_date(SUNDAY + timedelta(days=n))) <= 14 for n in range(366))


@pytest.mark.parametrize(
    ("language", "month", "short"),
    [
        ("en", "May 2026", "May"),
        ("ru", "Май 2026", "Май"),
        ("uk", "Травень 2026", "Трав."),
        ("fr", "Mai 2026", "Mai"),
        ("es", "Mayo 2026", "May"),
    ],
)
def test_a_month_is_named_by_itself_in_the_nominative(language: str, month: str, short: str) -> None:
    tr = translator(language)
    assert (tr.month(MAY_DAY), tr.month_name(MAY_DAY)) == (month, short)


@pytest.mark.parametrize(
    ("language", "weekdays"),
    [
        ("en", "Mo Tu We Th Fr Sa Su"),
        ("ru", "Пн Вт Ср Чт Пт Сб Вс"),
        ("uk", "Пн Вт Ср Чт Пт Сб Нд"),
        ("fr", "Lu Ma Me Je Ve Sa Di"),
        ("es", "Lu Ma Mi Ju Vi Sa Do"),
    ],
)
def test_a_week_begins_with_monday_and_has_two_letters_a_day(language: str, weekdays: str) -> None:
    assert translator(language).weekdays() == tuple(weekdays.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_clock_has_twenty_four_hours(language: str) -> None:
    tr = translator(language)
    assert tr.time(datetime(2026, 11, 22, 7, 5, tzinfo=UTC)) == "07:05"
    assert tr.time(datetime(2026, 11, 22, 19, 30, tzinfo=UTC)) == "19:30"
    assert tr.time(datetime(2026, 11, 22, 0, 0, tzinfo=UTC)) == "00:00"


@pytest.mark.parametrize(
    ("language", "half"), [("en", "0.5"), ("ru", "0,5"), ("uk", "0,5"), ("fr", "0,5"), ("es", "0,5")]
)
def test_a_number_has_the_decimal_mark_of_the_language_and_no_more_digits_than_it_needs(
    language: str, half: str
) -> None:
    tr = translator(language)
    assert tr.number(0.5) == half
    assert [tr.number(400), tr.number(400.0), tr.number(1000)] == ["400", "400", "1000"]
    assert tr.number(0.125) == half.replace("5", "125")
    assert tr.number(0.1 + 0.2) == half.replace("5", "3")


@pytest.mark.parametrize(
    ("language", "two", "three"),
    [
        ("en", "a and b", "a, b and c"),
        ("ru", "a и b", "a, b и c"),
        ("uk", "a і b", "a, b і c"),
        ("fr", "a et b", "a, b et c"),
        ("es", "a y b", "a, b y c"),
    ],
)
def test_a_list_ends_with_and(language: str, two: str, three: str) -> None:
    tr = translator(language)
    assert [tr.list([]), tr.list(["a"]), tr.list(["a", "b"]), tr.list(["a", "b", "c"])] == ["", "a", two, three]


@pytest.mark.parametrize(
    ("language", "items", "joined"),
    [
        ("es", "Paracetamol|Ibuprofeno", "Paracetamol e Ibuprofeno"),
        ("es", "té|café|hipérico", "té, café e hipérico"),
        ("es", "agua|hielo", "agua y hielo"),
        ("es", "Ibuprofeno|Paracetamol", "Ibuprofeno y Paracetamol"),
        ("es", "Ibuprofeno", "Ibuprofeno"),
        ("uk", "Парацетамол|Ібупрофен", "Парацетамол та Ібупрофен"),
        ("uk", "Ібупрофен|Парацетамол", "Ібупрофен і Парацетамол"),
        ("ru", "Парацетамол|Ибупрофен", "Парацетамол и Ибупрофен"),
    ],
)
def test_the_and_of_a_list_sounds_well_before_the_last_item(language: str, items: str, joined: str) -> None:
    assert translator(language).list(items.split("|")) == joined


def test_a_list_writes_its_items_as_they_are() -> None:
    assert translator("es").list(["a y b", "{0}", "i y i"]) == "a y b, {0} e i y i"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", {0: "days", 1: "day", 2: "days", 5: "days", 11: "days", 21: "days"}),
        ("ru", {0: "дней", 1: "день", 2: "дня", 5: "дней", 11: "дней", 12: "дней", 21: "день", 22: "дня", 112: "дней"}),
        ("uk", {0: "днів", 1: "день", 2: "дні", 5: "днів", 11: "днів", 12: "днів", 21: "день", 22: "дні", 112: "днів"}),
        ("fr", {0: "jour", 1: "jour", 2: "jours", 5: "jours", 21: "jours"}),
        ("es", {0: "días", 1: "día", 2: "días", 5: "días", 21: "días"}),
    ],
)
def test_a_number_of_things_takes_its_plural_form(language: str, expected: dict[int, str]) -> None:
    tr = translator(language)
    assert {n: tr.n("%(n)s day", "%(n)s days", n) for n in expected} == {
        n: f"{n} {word}" for n, word in expected.items()
    }


def test_a_long_span_after_up_to_stands_in_its_case() -> None:
    one, many = "• Backups keep them for up to %(n)s day.", "• Backups keep them for up to %(n)s days."
    assert "до 180 дней" in translator("ru").n(one, many, 180)
    assert "до 21 дня" in translator("ru").n(one, many, 21)
    assert "до 2 дней" in translator("ru").n(one, many, 2)
    assert "до 180 днів" in translator("uk").n(one, many, 180)
    assert "до 1 дня" in translator("uk").n(one, many, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_day_of_a_year_reads_back_as_it_was_written(language: str) -> None:
    tr = translator(language)
    for back in range(365):
        day = SUNDAY - timedelta(days=back)
        assert parse_day(clean(tr.long_date(day)), SUNDAY) == day
        assert parse_day(clean(tr.short_date(day)), SUNDAY) == day


# --- translating ------------------------------------------------------------------------------------------------------


@pytest.fixture
def backwards() -> Translator:
    """A language that reads the other way, with marks of HTML."""
    catalogue = Translations()
    catalogue._catalog = {"Hello %(name)s": "<b>%(name)s</b> olleH", "Back": "< kcaB"}
    return Translator("en", catalogue)


def test_a_message_is_html_and_what_is_put_into_it_is_escaped(backwards: Translator) -> None:
    assert backwards("Hello %(name)s", name="<i>&") == Markup("<b>&lt;i&gt;&amp;</b> olleH")
    assert backwards("Hello %(name)s", name=Markup("<i>x</i>")) == Markup("<b><i>x</i></b> olleH")


def test_a_label_is_plain_and_nothing_in_it_is_escaped(backwards: Translator) -> None:
    assert backwards.plain("Back") == "< kcaB"
    assert type(backwards.plain("Back")) is str
    assert backwards.plain("%(list)s & %(list)s", list="<a>") == "<a> & <a>"


def test_a_percent_sign_alone_is_only_text(backwards: Translator) -> None:
    assert backwards("100 % sure, 5%(n)") == "100 % sure, 5%(n)"


@given(st.text(max_size=50))
def test_whatever_a_person_writes_cannot_become_html(text: str) -> None:
    for tr in translators():
        said = tr("Note: %(text)s", text=text)
        assert "<" not in said
        assert text in said.unescape()


def test_an_unknown_message_is_said_in_english() -> None:
    assert translator("ru")("No such message") == "No such message"
    assert N_("Back") == "Back"


# --- which language ---------------------------------------------------------------------------------------------------


def test_every_language_has_its_translator_and_any_other_is_english() -> None:
    assert [tr.language for tr in translators()] == list(LANGUAGES)
    assert translator("de") is translator("en")
    assert translator("") is translator("en")


@pytest.mark.parametrize(
    ("code", "language"),
    [
        *[
            ("en", "en"),
            ("en-GB", "en"),
            ("ru", "ru"),
            ("RU", "ru"),
            ("uk-UA", "uk"),
            ("fr_CA", "fr"),
            ("es-419", "es"),
        ],
        *[("be", "ru"), ("kk", "ru"), ("hy-AM", "ru"), ("uz-Cyrl-UZ", "ru"), ("tg", "ru")],
        *[
            ("lt", "en"),
            ("lv", "en"),
            ("et", "en"),
            ("de", "en"),
            ("zh-hans", "en"),
            ("", "en"),
            ("-", "en"),
            ("x", "en"),
        ],
    ],
)
def test_a_person_is_met_in_their_language_or_the_nearest_we_speak(code: str, language: str) -> None:
    assert choose(code, "en") == language
