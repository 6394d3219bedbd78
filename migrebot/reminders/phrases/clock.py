"""Times of the day, read from their lexemes."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from migrebot.reminders.phrases.lexing import of
from migrebot.reminders.phrases.parts_of_day import apply_part
from migrebot.reminders.phrases.pieces import Hour, Hours, Midnight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.reminders.phrases.lexing import Lexeme


def read_hours(part: Sequence[Lexeme]) -> Hours | Midnight:
    """Read one or several times.

    Raises:
        ValueError: no clock shows one of them.
    """
    groups: list[list[Lexeme]] = [[]]
    for lexeme in part:
        if lexeme.kind in "cp":
            groups.append([])
        elif lexeme.kind not in "asvyf":
            groups[-1].append(lexeme)
    read = [read_hour(group) for group in groups if group]
    if Midnight() in read:
        if len(read) > 1:
            return Hours(tuple(Hour(time(0), exact=True) if isinstance(hour, Midnight) else hour for hour in read))
        return Midnight()
    return Hours(tuple(hour for hour in read if isinstance(hour, Hour)))


def read_hour(group: Sequence[Lexeme]) -> Hour | Midnight:
    """Read one time of the day.

    Raises:
        ValueError: no clock shows it.
    """
    first = group[0]
    kinds = "".join(lexeme.kind for lexeme in group)
    if first.kind == "X":
        return Midnight() if first.value == "midnight" else Hour(time(12), exact=True)
    hour, minute, exact, second = _written(first)
    if more := of(group, "hr"):
        minute += sum(30 if lexeme.kind == "h" else lexeme.value for lexeme in more)
    if minute < 0:
        hour, minute = hour - 1, minute + 60
    if meridiem := of(group, "M"):
        if not 1 <= hour <= 12:
            raise ValueError(kinds)
        hour = hour % 12 + (12 if meridiem[0].value == "p" else 0)
        return Hour(time(hour, minute, second), exact=True, settled=True)
    if parts := of(group, "Pb"):
        part = "afternoon" if parts[0].kind == "b" else parts[0].value
        return _in_part(hour, minute, second, part)
    if hour == 24 and minute == second == 0:
        return Midnight()
    # "9 hours" is said by those who count to 24, and zero and above twelve leave no choice.
    return Hour(time(hour, minute, second), exact=exact or hour == 0 or hour >= 12)


def _in_part(hour: int, minute: int, second: int, part: str) -> Hour | Midnight:
    meant = apply_part(hour, part)
    if meant is None:
        raise ValueError(part)
    if meant == 24:
        return (
            Midnight() if minute == second == 0 else Hour(time(0, minute, second), exact=True, night=True, settled=True)
        )
    return Hour(time(meant, minute, second), exact=True, settled=True)


def _written(lexeme: Lexeme) -> tuple[int, int, bool, int]:
    match lexeme.kind:
        case "C":
            hour, minute, exact, *seconds = lexeme.value
            return hour, minute, exact, seconds[0] if seconds else 0
        case "H":
            return lexeme.value[0], lexeme.value[1], lexeme.value[0] > 6, 0
        case "K":
            return lexeme.value[0], lexeme.value[1], lexeme.value[0] > 6, 0
        case "o":
            return 1, 0, False, 0
        case _:
            return int(lexeme.value), 0, False, 0
