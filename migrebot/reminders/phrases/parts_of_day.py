"""The parts of the day, and which hour is meant by one said with them."""

from __future__ import annotations

NIGHTS = frozenset({"night", "tonight", "noche"})
"""The parts of the day that go on after midnight."""

_PARTS = {
    # The hours to which twelve are added, and those that are right as they are.
    "morning": (range(0), range(12)),
    "midday": (range(1, 4), range(11, 16)),
    "afternoon": (range(1, 9), range(12, 21)),
    "evening": (range(4, 12), range(16, 24)),
    "tonight": (range(5, 12), range(17, 24)),
    "night": (range(7, 12), (*range(19, 24), *range(6))),
    "noche": (range(6, 12), (*range(18, 24), *range(6))),
    "small_hours": (range(0), range(7)),
}


def apply_part(hour: int, part: str) -> int | None:
    """Give the hour (0 to 24) that is meant in a part of the day; None if there is none. 24 is the midnight after."""
    later, right = _PARTS[part]
    if hour == 12 and part in NIGHTS:
        return 24
    if hour == 12 and part == "small_hours":
        return 0
    return hour + 12 if hour in later else hour if hour in right else None
