"""What people type: dates, durations, amounts, intensities, yes and no, an attack in one line."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrebot.dialogue.forms.medicines import MAX_MEDICINES, MAX_NAME
from migrebot.dialogue.forms.one_line import parse_intake, parse_line
from migrebot.dialogue.month import FIRST_DAY
from migrebot.diary.dictionary import Product, products, substance_name
from migrebot.diary.numerals import in_digits, parse_number
from migrebot.diary.parsing import (
    MAX_AMOUNT,
    MAX_DURATION_H,
    UNITS,
    parse_amount,
    parse_day,
    parse_duration,
    parse_intensity,
    parse_yes_no,
)
from migrebot.i18n import translator, translators
from migrebot.languages import LANGUAGES
from migrebot.typed import clean, folded

TODAY = date(2026, 11, 22)
"""A Sunday."""


def each(text: str) -> list[str]:
    return text.split("|")


anything = st.text(st.characters(codec=None), max_size=200)
"""Any code points at all, lone surrogates and NUL among them."""

pieces = st.lists(
    st.one_of(
        st.sampled_from(
            each(
                "7|3h|400|mg|1/2|½|1,000|-3|+3|20.11|yesterday|3|days|ago|il y a|hace|неделю|назад|полтора|часа"
                "|2|таблетки|и|+|,|;|&|et|y|e|ibuprofen|Ибупрофен|d'aspirine|of|de|monday|nov|вчера|an|hour"
                "|and a half|1:30|99999999|весь день|sept|un|one|/|10|10/10|./.|7/10"
            )
        ),
        st.text(st.characters(codec=None), max_size=5),
    ),
    max_size=12,
).map(" ".join)
"""Words that mean something, in no order that does."""


# --- cleaning and folding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\x07c\x1bd", "abcd"),
        ("a\tb", "a b"),
        ("a\ud800b\udfffc", "abc"),
        ("e\u0301", "é"),
        ("e\x00\u0301", "é"),
        ("\u202eabc\u202c\u200f", "abc"),
        ("\ufeffabc\u200b\u00ad\u2060", "abc"),
        ("١٢٣ ४५ ７", "123 45 7"),
        ("  a  ", "a"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("\ue000\U000e0001x", "\U000e0001x"),
        ("", ""),
    ],
)
def test_what_cannot_be_stored_or_seen_is_taken_out(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(anything)
@example("e\x00\u0301")
@example("\x00 a")
@example("\r\x00\n")
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(anything)
def test_cleaned_text_can_be_stored(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert cleaned.encode("utf-8")[:0] == b""
    assert unicodedata.is_normalized("NFC", cleaned)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("Back", "‹ Back"), ("Back", "BACK"), ("Back", " back. "), ("All day", "all  day"), ("Yes", "✅ yes!")],
        *[("Atrás", "atras"), ("Sí", "SI"), ("Août", "aout"), ("Ещё", "еще"), ("Сохранить", "✓ СОХРАНИТЬ")],
        *[
            ("J’ai mal", "j'ai mal"),
            ("Пʼятниця", "п'ятниця"),
            ("İstanbul", "istanbul"),
            ("Menos de\u00a0una hora", "menos de una hora"),
        ],
        *[("➕ Add", "add"), ("⚡️ Hurts now", "hurts now"), ("Straße", "STRASSE")],
    ],
)
def test_what_a_person_means_to_be_the_same_word_is(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("й", "и"), ("ї", "і"), ("+", "-"), ("7", "-"), ("Да", "Д"), ("ще", "щи")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(anything)
def test_folding_never_raises_and_settles(text: str) -> None:
    word = folded(clean(text))
    assert folded(word.upper()) == folded(word.upper().lower().upper())


# --- yes and no -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    each(
        "yes|Yes|YES|y|yeah|✅ Yes|да|Да!|ДА.|ага|конечно|так|Так|звісно|oui|Ouais|bien sûr|sí|Sí|si|SÍ|claro|+|👍|была"
    ),
)
def test_a_yes_is_understood_in_every_language(word: str) -> None:
    assert parse_yes_no(word) is True


@pytest.mark.parametrize(
    "word", each("no|No|NO.|n|nope|нет|Нет!|не|не было|ні|Ні|немає|не було|non|NON|pas du tout|-|👎|✖ No")
)
def test_a_no_is_understood_in_every_language(word: str) -> None:
    assert parse_yes_no(word) is False


@pytest.mark.parametrize("word", ["", "maybe", "yes no", "danger", "нетто", "ок", "7", "yes but no", "ouiiii", "++"])
def test_neither_yes_nor_no_is_not_guessed(word: str) -> None:
    assert parse_yes_no(word) is None


# --- intensity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    each(
        "7|07|7.|7/10|7 / 10|７|seven|семь|СЕМЬ|сім|sept|siete|7 of 10|7 out of 10|7 из 10|7 із 10|7 з 10|7 sur 10"
        "|7 de 10|7 points|7 баллов|7 балів|7 puntos|семь из 10| 7 |~7"
    ),
)
def test_an_intensity_is_understood(text: str) -> None:
    assert parse_intensity(clean(text)) == 7


@pytest.mark.parametrize("value", range(1, 11))
def test_the_scale_goes_from_one_to_ten(value: int) -> None:
    assert parse_intensity(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "11",
        "100",
        "-7",
        "−7",
        "7.5",
        "7,5",
        "7/5",
        "7/100",
        "7 8",
        "a",
        "un",
        "seven eight",
        "eleven",
        "7h",
        "strong",
        "½",
    ],
)
def test_an_intensity_off_the_scale_is_refused(text: str) -> None:
    assert parse_intensity(text) is None


# --- durations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "hours"),
    [
        ("3|3h|3 h|3 h.|3 hours|3hrs|three hours|3 ч|3ч|3 часа|три часа|3 год|3 години|3 heures|3 horas|3:00|03:00", 3),
        ("about 3 hours|~3|около 3 часов|приблизно 3 години|environ 3 heures|unas 3 horas|примерно 3", 3),
        (
            "1|an hour|one hour|1 hour|hour|час|1 час|один час|година|годину|одна година|une heure|una hora|60 min",
            1,
        ),
        ("0.5|0,5|½|half an hour|30 min|30 мин|30 хв|30 минут|30 хвилин|полчаса|пів години|півгодини|½ h", 0.5),
        ("une demi-heure|demi-heure|media hora|1/2 h|Under an hour|меньше часа|менше години|moins d’une heure", 0.5),
        ("1.5|1,5|1½|1 1/2 h|1:30|1:30 h|1h30|1 h 30|1h 30m|1 час 30 минут|1 година 30 хвилин|90 min|90 минут", 1.5),
        ("an hour and a half|one and a half hours|полтора часа|півтори години|une heure et demie|hora y media", 1.5),
        ("1 h et 30 min|1 час и 30 минут|1 hora y 30 minutos|1 hour and 30 minutes|1 година і 30 хвилин", 1.5),
        ("3.5 h|three and a half hours|3 часа с половиной|три с половиной часа|3 години з половиною", 3.5),
        (
            "24|all day|All day|the whole day|1 day|a day|весь день|целый день|сутки|1 сутки|увесь день|доба",
            24,
        ),
        ("1 день|день|цілий день|toute la journée|1 jour|un jour|todo el día|1 día|un día|24 h|24:00", 24),
        ("half a day|полдня|medio día|12 hours", 12),
        ("2 days|two days|2 дня|два дня|2 суток|2 дні|дві доби|2 jours|deux jours|2 días|2 dias|48 h", 48),
        ("1d 6h|1 day 6 hours|1 день 6 часов|1 jour et 6 heures|1 día y 6 horas|30", 30),
        ("a week|1 week|неделя|неделю|1 неделя|тиждень|une semaine|una semana|7 days|168", 168),
    ],
)
def test_a_duration_is_understood(texts: str, hours: float) -> None:
    for text in each(texts):
        assert parse_duration(clean(text)) == hours, text


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "0 h", "0:00", "0.001", "-1", "-1 h", "−3", "169", "8 days", "2 weeks", "99999999", "200:00"),
        *("1:60", "1h60", "1h300", "3-4", "3/4", "1/2", "2 days 30", "h", "min", "a", "long", "h 3", "3 h 3 h", "3 mg"),
        *("1.500", "1,500", "пара часов", "за час", "since morning", "1e1", "1.2.3", "3 hours ago", "nan", "inf"),
        *("9" * 5000, "1 h " * 1000, "," * 4000, "an hour and a half and a half"),
    ],
)
def test_a_duration_that_is_unclear_or_off_limits_is_refused(text: str) -> None:
    assert parse_duration(text) is None


@given(st.one_of(anything, pieces))
def test_a_duration_is_never_outside_its_limits(text: str) -> None:
    for typed in (text, clean(text)):
        hours = parse_duration(typed)
        assert hours is None or 0 < hours <= MAX_DURATION_H


@given(st.integers(1, MAX_DURATION_H * 60))
def test_minutes_are_understood_to_the_minute(minutes: int) -> None:
    for text in (f"{minutes} min", f"{minutes // 60}:{minutes % 60:02}", f"{minutes // 60} h {minutes % 60} min"):
        hours = parse_duration(text)
        assert hours is not None
        assert round(hours * 60) == minutes


# --- amounts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "amount"),
    [
        (
            "400|400 mg|400mg|400 mg.|400 MG|400 мг|400мг|400 milligrams|400 миллиграмм|400 міліграмів|400,0 mg|~400",
            (400, "mg"),
        ),
        ("1000|1 000 mg|1,000 mg|1.000 mg|1000 мг", (1000, "mg")),
        ("2.5 mg|2,5|2.5", (2.5, "mg")),
        ("1 g|1g|1 г|1 gram|one gram|1 грам|1 gramme|1 gramo|un gramo", (1, "g")),
        ("0,5 g|0.5 г|½ g|half a gram|1/2 g", (0.5, "g")),
        ("5 mcg|5 мкг|5 µg|5 μg|5 ug", (5, "mcg")),
        ("5 ml|5 мл|5ml|five ml", (5, "ml")),
        ("1000 IU|1000 МЕ|1000 МО|1000 UI|1,000 iu", (1000, "IU")),
        ("2 tablets|2 tab|2 tabs|two pills|2 таблетки|2 табл.|две таблетки|дві таблетки|2 пігулки|2 шт", (2, "tablet")),
        (
            "2 comprimés|2 comprimes|2 cp|2 cp.|deux comprimés|2 comprimidos|2 comp.|dos pastillas|2 capsules",
            (2, "tablet"),
        ),
        (
            "1 tab|a tablet|tablet|таблетка|таблетку|одну таблетку|1 табл.|un comprimé|una pastilla|one pill",
            (1, "tablet"),
        ),
        (
            "half a tablet|½ tab|1/2 таблетки|полтаблетки|пів таблетки|половину таблетки|un demi comprimé",
            (0.5, "tablet"),
        ),
        ("media pastilla|medio comprimido|0,5 таблетки", (0.5, "tablet")),
        ("1½ tablets|1 1/2 таблетки|полторы таблетки|1,5 табл.", (1.5, "tablet")),
        ("20 drops|20 капель|20 кап.|20 крапель|20 крап.|20 gouttes|20 gotas", (20, "drop")),
        ("2 doses|2 puffs|2 sprays|2 дозы|2 дози|2 доз.|2 впрыска|2 bouffées|2 dosis", (2, "spray")),
    ],
)
def test_an_amount_is_understood_with_its_unit(texts: str, amount: tuple[float, str]) -> None:
    for text in each(texts):
        assert parse_amount(clean(text)) == amount, text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "0",
            "0 mg",
            "-5",
            "-5 mg",
            "100001",
            "1e5",
            "abc",
            "mg",
            "400 xyz",
            "2x",
            "2 2",
            "400 mg 400 mg",
            "1 инъекция",
        ),
        # Mere words and fractions are hardly milligrams, a unit in the plural is not one of it.
        *("one", "одна", "½", "1/2", "tablets", "таблетки", "mg 400", "1.125", "1,125", "400/500", "nan", "inf"),
        *("9" * 5000, "1 " * 2000, "½" * 2000),
    ],
)
def test_an_amount_that_is_unclear_or_off_limits_is_refused(text: str) -> None:
    assert parse_amount(text) is None


@given(st.one_of(anything, pieces))
def test_an_amount_is_never_outside_its_limits(text: str) -> None:
    for typed in (text, clean(text)):
        amount = parse_amount(typed)
        assert amount is None or (0 < amount[0] <= MAX_AMOUNT and amount[1] in UNITS)


def test_no_spelling_means_two_units() -> None:
    spellings = [spelling for known in UNITS.values() for spelling in known]
    assert len(spellings) == len(set(spellings))
    assert all(spelling == folded(spelling) for spelling in spellings)


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("400", 400), ("0,5", 0.5), ("0.125", 0.125), ("0,001", 0.001), ("2.50", 2.5), ("007", 7)],
        *[("1,000", 1000), ("1.000", 1000), ("1 000", 1000), ("2,500", 2500), ("12 345", 12345), ("1 125", 1125)],
    ],
)
def test_a_thousand_is_not_taken_for_one(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["1.125", "12,345", "", ".", "1.", ".5", "1.2345", "1,2,3", "-1", "1e3", "½"])
def test_a_number_that_may_mean_two_things_or_nothing_is_none(text: str) -> None:
    assert parse_number(text) is None


@given(st.one_of(anything, pieces))
def test_writing_words_in_digits_never_raises(text: str) -> None:
    assert isinstance(in_digits(folded(text)), str)


# --- days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "day"),
    [
        (
            "today|Today|now|сегодня|Сегодня утром|сьогодні|сьогодні вранці|aujourd’hui|aujourd'hui|ce matin|hoy",
            TODAY,
        ),
        (
            "yesterday|Yesterday!|last night|вчера|вчера вечером|вчора|учора|hier|hier soir|ayer|anoche",
            date(2026, 11, 21),
        ),
        (
            "the day before yesterday|позавчера|позавчора|avant-hier|avant hier|anteayer|antes de ayer|antier",
            date(2026, 11, 20),
        ),
        (
            "3 days ago|three days ago|3 дня назад|три дня назад|3 дні тому|il y a 3 jours|il y a trois jours",
            date(2026, 11, 19),
        ),
        ("hace 3 días|hace 3 dias|hace tres días", date(2026, 11, 19)),
        ("1 day ago|a day ago|день назад|1 день тому|il y a un jour|hace un día", date(2026, 11, 21)),
        ("a week ago|неделю назад|1 неделю назад|тиждень тому|il y a une semaine|hace una semana", date(2026, 11, 15)),
        ("2 weeks ago|2 недели назад|2 тижні тому|il y a 2 semaines|hace 2 semanas", date(2026, 11, 8)),
        ("tomorrow|завтра|demain|mañana", date(2026, 11, 23)),
        (
            "2026-11-20|2026.11.20|2026/11/20|20.11.2026|20.11.26|20/11/2026|20-11-2026|20.11|20/11|20.11.|20.11.2026.",
            date(2026, 11, 20),
        ),
        (
            "20 November|20 Nov|20 nov.|20th of November|the 20th of November|November 20|Nov 20th|Nov. 20, 2026",
            date(2026, 11, 20),
        ),
        ("20 November 2026|20-Nov-2026|November 20 2026|on 20 November|20.11.2026 г.", date(2026, 11, 20)),
        (
            "20 ноября|20 нояб.|20 ноя|20-го ноября|20 НОЯБРЯ 2026|20 ноября 2026 г.|20 ноября 2026 года",
            date(2026, 11, 20),
        ),
        ("20 листопада|20 лист.|20 лис|20-го листопада|20 листопада 2026 року", date(2026, 11, 20)),
        ("20 novembre|le 20 novembre|20 nov. 2026|20 novembre 2026", date(2026, 11, 20)),
        (
            "20 de noviembre|el 20 de noviembre|20 noviembre|20 de noviembre de 2026|20 de noviembre del 2026",
            date(2026, 11, 20),
        ),
        ("1er mai|1 mai|le 1er mai|1 мая|1 травня|1 de mayo|May 1st|1.5.", date(2026, 5, 1)),
        ("11 août|11 aout|11 августа|11 серпня|11 de agosto|Aug 11|11 ago", date(2026, 8, 11)),
        ("5 setiembre|5 septiembre|5 sept.|5 sep|Sept 5|5 сент.|5 вер", date(2026, 9, 5)),
        (
            "monday|Mon|понедельник|в понедельник|пн|понеділок|у понеділок|lundi|le lundi|lunes|el lunes|on Monday",
            date(2026, 11, 16),
        ),
        ("friday|пятница|в пятницу|пт|п'ятниця|п’ятниця|у п’ятницю|vendredi|viernes", date(2026, 11, 20)),
        ("wednesday|среда|в среду|середа|у середу|mercredi|miércoles|miercoles", date(2026, 11, 18)),
        (
            "Sunday, 15 November|Воскресенье, 15 ноября|вс, 15.11|Неділя, 15 листопада|dim. 15 nov.|Dom, 15 nov",
            date(2026, 11, 15),
        ),
        ("29.02|29 февраля|29 February|29 février", date(2024, 2, 29)),
        ("31.12|31 декабря|31 December", date(2025, 12, 31)),
        ("12/25/2026", date(2026, 12, 25)),
        ("1.1.99", date(2099, 1, 1)),
        ("22.11.2027", date(2027, 11, 22)),
        ("01.01.1990", date(1990, 1, 1)),
    ],
)
def test_a_day_is_understood(texts: str, day: date) -> None:
    for text in each(texts):
        assert parse_day(clean(text), TODAY) == day, text


@pytest.mark.parametrize(
    "text",
    [
        *("", "0.0", "31.02", "30 февраля", "2026-13-01", "2026-02-30", "13/13/2026", "32 ноября", "20112026", "20"),
        *("20 foo", "foo 20", "may", "5 jui", "1 ма", "ago", "days ago", "3 ago days", "1000 days ago", "-3 days ago"),
        *("in 3 days", "next monday", "last monday", "Monday, 20 November", "вс, 20.11", "soon", "7", "7 3h", "1:30"),
        *("20.11.2026.1", "20..11", "20 ноября 20260", "9" * 4000, "ноября " * 500, "1 " * 2000),
    ],
)
def test_a_day_that_is_unclear_or_is_none_is_refused(text: str) -> None:
    assert parse_day(text, TODAY) is None


def test_a_weekday_is_the_last_one_before_today() -> None:
    for language in translators():
        for back in range(1, 8):
            day = TODAY - timedelta(days=back)
            assert parse_day(clean(language.long_date(day)).partition(" ")[0].rstrip(","), TODAY) == day


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_full_date_reads_back_however_it_is_written(day: date) -> None:
    forms = ["{:%Y-%m-%d}", "{:%d.%m.%Y}", "{:%d/%m/%Y}", "{:%d %B %Y}", "{:%B %d, %Y}", "{:%A, %d %B %Y}"]
    for form in forms:
        assert parse_day(form.format(day), TODAY) == day


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.integers(0, 364))
def test_a_date_without_its_year_is_the_latest_such_day(today: date, back: int) -> None:
    day = today - timedelta(days=back)
    assert parse_day(f"{day:%d.%m}", today) == day


@given(st.one_of(anything, pieces), st.dates(date(1970, 1, 1), date(2200, 1, 1)))
def test_any_text_gives_a_day_or_none(text: str, today: date) -> None:
    for typed in (text, clean(text)):
        day = parse_day(typed, today)
        assert day is None or isinstance(day, date)


# --- an attack in one line --------------------------------------------------------------------------------------------


def told(line: str) -> tuple[Any, ...] | None:
    """Shorten the answers: day, intensity, hours, medicines."""
    answers = parse_line(clean(line), TODAY)
    if answers is None:
        return None
    medicines = [(item["drug"], *(item["amount"] or ())) for item in answers.get("medicines", [])]
    assert answers.get("medicine", False) is bool(medicines)
    return (answers["date"], answers["intensity"], answers.get("duration"), *medicines)


@pytest.mark.parametrize(
    "line",
    [
        "7 3h ibuprofen 400",
        "7 3 h ibuprofen 400 mg",
        "7, 3h, ibuprofen 400",
        "3h 7 ibuprofen 400mg",
        "today 7/10 3:00 ibuprofen 400 mg.",
        "7 out of 10, three hours, 400 mg ibuprofen",
        "7 3h 400 mg of ibuprofen",
        "  7   3h   ibuprofen   400 ",
        "7 3h 22.11 ibuprofen 400",
        "seven 3h ibuprofen 400;",
    ],
)
def test_an_attack_in_one_line_may_be_told_in_many_ways(line: str) -> None:
    assert told(line) == ("2026-11-22", 7, 3.0, ("ibuprofen", 400.0, "mg"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7", ("2026-11-22", 7, None)),
        ("yesterday 5 90min", ("2026-11-21", 5, 1.5)),
        ("вчера 5 90мин", ("2026-11-21", 5, 1.5)),
        ("вчора 5 90хв", ("2026-11-21", 5, 1.5)),
        ("hier 5 1h30", ("2026-11-21", 5, 1.5)),
        ("ayer 5 90min", ("2026-11-21", 5, 1.5)),
        ("3 days ago 8 all day", ("2026-11-19", 8, 24.0)),
        ("20 ноября 7", ("2026-11-20", 7, None)),
        ("7 10 ноября", ("2026-11-10", 7, None)),
        ("20.11 7/10", ("2026-11-20", 7, None)),
        ("7 весь день", ("2026-11-22", 7, 24.0)),
        ("7 полтора часа", ("2026-11-22", 7, 1.5)),
        ("7 из 10 2 дня", ("2026-11-22", 7, 48.0)),
        ("7 3ч ибупрофен 400", ("2026-11-22", 7, 3.0, ("ибупрофен", 400.0, "mg"))),
        ("7 3год ібупрофен 400", ("2026-11-22", 7, 3.0, ("ібупрофен", 400.0, "mg"))),
        ("7 3h ibuprofène 400", ("2026-11-22", 7, 3.0, ("ibuprofène", 400.0, "mg"))),
        ("7 500 mg d’aspirine", ("2026-11-22", 7, None, ("aspirine", 500.0, "mg"))),
        ("7 2 таблетки цитрамона", ("2026-11-22", 7, None, ("цитрамона", 2.0, "tablet"))),
        ("7 1/2 таблетки анальгина", ("2026-11-22", 7, None, ("анальгина", 0.5, "tablet"))),
        ("7 sumatriptan 1 000 mg", ("2026-11-22", 7, None, ("sumatriptan", 1000.0, "mg"))),
        ("7 Но-шпа", ("2026-11-22", 7, None, ("Но-шпа",))),
        ("7 vitamin B12", ("2026-11-22", 7, None, ("vitamin B12",))),
        ("7 5-HTP 100", ("2026-11-22", 7, None, ("5-HTP", 100.0, "mg"))),
        (
            "8 sumatriptan 50 + paracetamol 1 g",
            ("2026-11-22", 8, None, ("sumatriptan", 50.0, "mg"), ("paracetamol", 1.0, "g")),
        ),
        ("8 суматриптан 50 и кофе", ("2026-11-22", 8, None, ("суматриптан", 50.0, "mg"), ("кофе",))),
        ("8 аспірин та кава", ("2026-11-22", 8, None, ("аспірин",), ("кава",))),
        ("8 aspirine et café", ("2026-11-22", 8, None, ("aspirine",), ("café",))),
        ("8 paracetamol 1 g e ibuprofeno", ("2026-11-22", 8, None, ("paracetamol", 1.0, "g"), ("ibuprofeno",))),
        ("8 ibuprofen 1,5 g, paracetamol", ("2026-11-22", 8, None, ("ibuprofen", 1.5, "g"), ("paracetamol",))),
    ],
)
def test_an_attack_in_one_line_is_understood(line: str, expected: tuple[Any, ...]) -> None:
    assert told(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        *("", " ", "ibuprofen 400", "3h", "yesterday", "0 3h", "11 3h", "strong"),
        # A number whose meaning is open, a second one, a day still to come: better ask than store nonsense.
        *("7 3 ibuprofen 400", "7 8", "10/10 7", "7 3h 400 ibuprofen", "7 3h 2h", "7 -3h", "7 10mg", "7 400"),
        *("7 tomorrow", "7 завтра", "7 25.12.2026", "7 01.01.1999", "7 yesterday today", "7 200h"),
        *(
            "7 aspirin 500mg x2",
            "7 aspirin 500mg after lunch",
            "7 ibuprofen 400mg paracetamol 500mg",
        ),
        *("7 aspirin 0", "7 aspirin 100001 mg", "7 " + "a" * (MAX_NAME + 1), "7 " + " + ".join("abcdefghijklmn")),
    ],
)
def test_a_line_that_is_not_clear_in_full_is_refused(line: str) -> None:
    assert told(line) is None


@given(st.one_of(anything, pieces))
@example("7 ½")
@example("7 . 400")
@example("7 + + +")
@example("7 1/2 1/2 1/2")
def test_one_line_never_raises_nor_leaves_its_limits(text: str) -> None:
    for typed in (text, clean(text), f"7 {text}"):
        answers = parse_line(typed, TODAY)
        if answers is None:
            continue
        assert 1 <= answers["intensity"] <= 10
        assert FIRST_DAY <= date.fromisoformat(answers["date"]) <= TODAY
        assert 0 < answers.get("duration", 1) <= MAX_DURATION_H
        assert len(answers.get("medicines", [])) <= MAX_MEDICINES
        for item in answers.get("medicines", []):
            assert re.search(r"[^\W\d]", item["drug"])
            assert len(item["drug"]) <= MAX_NAME
            assert item["amount"] is None or 0 < item["amount"][0] <= MAX_AMOUNT


@given(
    st.integers(1, 10),
    st.integers(1, MAX_DURATION_H),
    st.sampled_from(["Ibuprofen", "Сумамигрен", "Но-шпа", "Dafalgan Codéine", "ОКИ", "L-52"]),
    st.integers(1, 2000),
    st.integers(0, 300),
)
def test_whatever_order_the_parts_of_a_line_have(intensity: int, hours: int, drug: str, mg: int, back: int) -> None:
    day = TODAY - timedelta(days=back)
    expected = (str(day), intensity, float(hours), (drug, float(mg), "mg"))
    for line in (
        f"{intensity} {hours}h {day} {drug} {mg}",
        f"{day:%d.%m.%Y} {hours} h {intensity}/10 {drug} {mg} mg",
        f"{hours} hours, {intensity}, {day:%d %B %Y}, {mg} mg {drug}",
    ):
        assert told(line) == expected


# --- one medicine in one line -----------------------------------------------------------------------------------------

SUBSTANCES = [product for product in products() if product.is_single and product.strengths]
DAYS = {"": TODAY, "today": TODAY, "вчера": TODAY - timedelta(days=1), "3 days ago": TODAY - timedelta(days=3)}


@given(st.sampled_from(SUBSTANCES), st.sampled_from(LANGUAGES), st.sampled_from(sorted(DAYS)), st.data())
def test_every_strength_there_is_reads_back_as_an_amount_and_no_date(
    product: Product, language: str, day: str, data: st.DataObject
) -> None:
    name = substance_name(product.substances[0], language)
    strength = data.draw(st.sampled_from(product.strengths))[0]
    written = translator(language).number(strength)
    for line in (f"{name} {written} {day}", f"{day} {name} {written} mg", f"{written} mg {name} {day}"):
        expected = {"date": str(DAYS[day]), "medicines": [{"drug": name, "amount": [strength, "mg"]}]}
        assert parse_intake(clean(line), TODAY) == expected, line


def test_a_name_keeps_what_looks_like_an_of_in_its_middle() -> None:
    (medicine,) = (parse_intake("300 mg acide acétylsalicylique", TODAY) or {})["medicines"]
    assert medicine["drug"] == "acide acétylsalicylique"
    (medicine,) = (parse_intake("2 comprimés de paracétamol", TODAY) or {})["medicines"]
    assert medicine["drug"] == "paracétamol"


@given(st.text(max_size=60))
def test_any_line_is_one_medicine_or_none(text: str) -> None:
    answers = parse_intake(clean(text), TODAY)
    if answers is not None:
        (medicine,) = answers["medicines"]
        assert FIRST_DAY <= date.fromisoformat(answers["date"]) <= TODAY
        assert re.search(r"[^\W\d]", medicine["drug"])
