"""Lengths of time, read from their lexemes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.reminders.phrases.pieces import Length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.reminders.phrases.lexing import Lexeme

SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def read_length(part: Sequence[Lexeme]) -> Length:
    """Read a length of time: "2 hours and a half".

    Raises:
        ValueError: it is no whole number of seconds, days or months.
    """
    months = days = seconds = 0.0
    number: float | None = None
    unit = ""
    for lexeme in part:
        match lexeme.kind:
            case "N" | "V" | "1" | "O":
                number = float(lexeme.value)
            case "L":
                seconds += lexeme.value * 60
            case "H":
                seconds += lexeme.value[0] * 3600 + lexeme.value[1] * 60
            case "h" if number is not None and not unit:
                number += 0.5
            case "h":
                seconds, days, months = (
                    seconds + SECONDS.get(unit, 0) / 2,
                    days + _DAYS.get(unit, 0) / 2,
                    months + _MONTHS.get(unit, 0) / 2,
                )
            case "o" | "U" | "b":
                unit = "hour" if lexeme.kind == "o" else "day" if lexeme.kind == "b" else lexeme.value
                amount = 1 if number is None else number
                seconds += amount * SECONDS.get(unit, 0)
                days += amount * _DAYS.get(unit, 0)
                months += amount * _MONTHS.get(unit, 0)
                number = None
            case _:
                pass
    return _whole(months, days, seconds)


def _whole(months: float, days: float, seconds: float) -> Length:
    """Make it whole: half a day is twelve hours, half a year six months; half a month is nothing anybody can tell."""
    if months != int(months) or seconds != int(seconds) or max(months, days / 31, seconds / 3600) > 200_000:
        raise ValueError(months)
    return Length(int(months), int(days), int(seconds) + round((days - int(days)) * 86_400))
