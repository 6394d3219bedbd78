"""The five fields of a cron expression, checked: `minute hour day month weekday`.

What is accepted is the common part of cron(5) and of croniter, which later computes the times: numbers, `*`, ranges,
steps, lists, and English names of months and weekdays. Seconds, `@daily` and the letters L, W, R and H are not.
"""

from __future__ import annotations

import re

from msgspec import Struct

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_ITEM = re.compile(
    r"(?P<any>\*)(?:/(?P<any_step>\d{1,2}))?|(?P<low>\w{1,3})(?:-(?P<high>\w{1,3})(?:/(?P<step>\d{1,2}))?)?", re.ASCII
)


class Field(Struct, frozen=True):
    """One of the five: its name, its bounds (both included), and the names that stand for numbers from `low` on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("weekday", 0, 7, WEEKDAYS),  # 0 and 7 are both Sunday
)


def complaint(expression: str) -> str:
    """Tell in a few words what is wrong with the expression; empty text when it is right."""
    parts = expression.split()
    if len(parts) != len(FIELDS):
        return f"it has {len(parts)} fields, not 5"
    values = [_values(part, field) for part, field in zip(parts, FIELDS, strict=True)]
    for field, found in zip(FIELDS, values, strict=True):
        if not found:
            return f"the {field.name} must be from {field.low} to {field.high}, or *"
    days, months = values[2], values[3]
    # With a weekday given, either of the two is enough for cron, so that every day of the month may be unreachable.
    if parts[4].startswith("*") and not any(min(days) <= DAYS_IN_MONTH[month - 1] for month in months):
        return "that day never comes"
    return ""


def _values(part: str, field: Field) -> frozenset[int]:
    """Return the numbers that the part selects; none when it is malformed anywhere."""
    found: set[int] = set()
    for item in part.lower().split(","):
        span = _span(item, field)
        if not span:
            return frozenset()
        found.update(span)
    return frozenset(found)


def _span(item: str, field: Field) -> range:
    """Return the numbers of one item of the list; an empty range when it is malformed."""
    match = _ITEM.fullmatch(item)
    if match is None:
        return range(0)
    if match["any"]:
        low, high, step = field.low, field.high, int(match["any_step"] or 1)
    else:
        low = _number(match["low"], field)
        high = _number(match["high"], field) if match["high"] else low
        step = int(match["step"] or 1)
    if not field.low <= low <= high <= field.high or not 1 <= step <= field.high:
        return range(0)
    return range(low, high + 1, step)


def _number(word: str, field: Field) -> int:
    """Return the number that the word is or stands for; -1 when it is neither."""
    if word in field.names:
        return field.names.index(word) + field.low
    return int(word) if word.isdigit() and len(word) <= 2 else -1
