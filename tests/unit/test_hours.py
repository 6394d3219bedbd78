"""Times of the day as people type them."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.diary.hours import parse_hour


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            "20:30|20.30|20,30|20 30|2030|20h30|20 h 30|8:30 pm|8.30 p.m.|20 ч 30 мин|в 20:30|à 20h30|a las 20:30",
            time(20, 30),
        ),
        ("8 pm|8pm|8 P.M.|at 8 pm|20|20:00|в 8 вечера|восемь вечера|о 8 вечора|о 20 годині", time(20)),
        (
            "20 h|20h|à 20 heures|8 heures du soir|à huit heures du soir|las 8 de la noche|a las ocho de la tarde",
            time(20),
        ),
        ("8|08:00|8 am|в 8 утра|8 ранку|8 h du matin|a las 8 de la mañana|eight o'clock|8 in the morning", time(8)),
        ("noon|полдень|опівдні|midi|mediodía|12 pm|12:00", time(12)),
        ("midnight|полночь|опівночі|minuit|medianoche|12 am|0|00:00|0:00|12 ночи", time(0)),
        ("2 часа ночи|02:00|2 am", time(2)),
        ("11 ночи|23|11 de la noche|23:00", time(23)),
        ("три часа дня|15:00|3 in the afternoon|3 heures de l'après-midi", time(15)),
    ],
)
def test_a_time_is_understood_in_every_language_we_speak(texts: str, expected: time | None) -> None:
    for text in texts.split("|"):
        assert parse_hour(text) == expected, text


@pytest.mark.parametrize(
    "text",
    ["24:00", "20:60", "25", "-8", "8:5", "13 pm am", "0 pm", "13 am", "evening", "", "8 or 9", "20:30:15", "1" * 50],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_hour(text) is None


@given(st.times())
def test_every_minute_of_the_day_can_be_written(moment: time) -> None:
    assert parse_hour(f"{moment:%H:%M}") == time(moment.hour, moment.minute)


@given(st.text(max_size=60))
def test_whatever_is_typed_breaks_nothing(text: str) -> None:
    parse_hour(text)
