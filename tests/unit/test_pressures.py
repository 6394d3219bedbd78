"""Blood pressure as people type it, and the limits of what is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.diary.pressures import (
    DIASTOLIC,
    PULSE,
    SYSTOLIC,
    Reading,
    is_alarming,
    is_possible,
    is_unusual,
    parse_reading,
)
from migrebot.typed import clean


@pytest.mark.parametrize(
    "text",
    [
        "120/80 65",
        "120/80, 65",
        "120/80/65",
        "120 80 65",
        "120-80-65",
        "120 / 80 / 65",
        "120 на 80 пульс 65",
        "120 на 80, пульс 65",
        "120 over 80 pulse 65",
        "120 sur 80 pouls 65",
        "120 por 80 pulso 65",
        "АД 120/80 ЧСС 65",
        "АТ: 120/80, пульс: 65",
        "120/80 мм рт. ст., пульс 65 уд/мин",
        "BP 120/80 mmHg, HR 65 bpm",
        "120\\80 p65",
        "١٢٠/٨٠ ٦٥",
    ],
)
def test_a_reading_is_understood_in_any_usual_form(text: str) -> None:
    assert parse_reading(clean(text)) == Reading(120, 80, 65)


@pytest.mark.parametrize("text", ["120/80", "120 80", "120 over 80", "120 на 80", "120 sur 80", "120 por 80", "120:80"])
def test_the_pulse_may_be_unknown(text: str) -> None:
    assert parse_reading(clean(text)) == Reading(120, 80)


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("12/8", Reading(120, 80, None, True)),
        ("12,5/8 70", Reading(125, 80, 70, True)),
        ("13.5 sur 9", Reading(135, 90, None, True)),
    ],
)
def test_centimetres_of_mercury_are_understood_and_asked_about(text: str, reading: Reading) -> None:
    assert parse_reading(text) == reading
    assert is_unusual(reading)


@pytest.mark.parametrize(
    "text",
    ["", "120", "120/", "/80", "120/80 65 70", "-120/80", "120/80 high", "1200/80", "120.5/80", "12012080", "x" * 99],
)
def test_what_is_not_clear_is_no_reading(text: str) -> None:
    assert parse_reading(clean(text)) is None


@given(
    st.integers(30, 300),
    st.integers(30, 300),
    st.none() | st.integers(1, 300),
    st.sampled_from(["/", " ", "-", " на ", " over "]),
)
def test_whatever_the_numbers_they_are_read_back(
    systolic: int, diastolic: int, pulse: int | None, between: str
) -> None:
    text = f"{systolic}{between}{diastolic}" + (f" {pulse}" if pulse else "")
    assert parse_reading(text) == Reading(systolic, diastolic, pulse)


@given(st.text(max_size=80))
def test_any_text_is_a_reading_or_none(text: str) -> None:
    reading = parse_reading(clean(text))
    assert reading is None or isinstance(is_possible(reading), bool)


@pytest.mark.parametrize(
    ("reading", "possible"),
    [
        (Reading(300, 200, 250), True),
        (Reading(50, 30, 20), True),
        (Reading(301, 80), False),
        (Reading(49, 30), False),
        (Reading(120, 29), False),
        (Reading(250, 201), False),
        (Reading(80, 80), False),
        (Reading(80, 120), False),
        (Reading(120, 80, 19), False),
        (Reading(120, 80, 251), False),
    ],
)
def test_there_are_hard_limits(reading: Reading, *, possible: bool) -> None:
    assert is_possible(reading) is possible


@pytest.mark.parametrize(
    ("reading", "unusual"),
    [
        (Reading(70, 40, 40), False),
        (Reading(250, 150, 180), False),
        (Reading(69, 40), True),
        (Reading(251, 150), True),
        (Reading(120, 39), True),
        (Reading(220, 151), True),
        (Reading(120, 80, 39), True),
        (Reading(120, 80, 181), True),
        (Reading(120, 105), False),
        (Reading(120, 106), True),
    ],
)
def test_what_is_unusual_is_asked_about(reading: Reading, *, unusual: bool) -> None:
    assert is_unusual(reading) is unusual


@pytest.mark.parametrize(
    ("systolic", "diastolic", "alarming"), [(179, 109, False), (180, 80, True), (120, 110, True), (200, 120, True)]
)
def test_from_180_or_from_110_it_is_alarming(systolic: int, diastolic: int, *, alarming: bool) -> None:
    assert is_alarming(systolic, diastolic) is alarming


def test_the_limits_are_those_of_the_clinical_facts() -> None:
    assert (SYSTOLIC[0], SYSTOLIC[-1], DIASTOLIC[0], DIASTOLIC[-1], PULSE[0], PULSE[-1]) == (50, 300, 30, 200, 20, 250)
