"""The one form that always works: `remind me to [task] at [YYYY-MM-DD HH:MM] in [Timezone]`, in any letter case."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

_FORM = re.compile(
    # "Remind me every day to" is no such form.
    r"(?!(?:please )?remind me (?:every|each|daily|weekly|monthly|on|in)\b)"
    r"(?:(?:please )?remind me (?:to |that |about |of )?)?(?P<task>.*?)\s*(?:\bat|\bon|@|,)?\s*(?<![\d-])"
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})(?:\s*,?\s+|t)(?:at )?(?P<time>\d{1,2}:\d{2}(?::\d{2})?)"
    r"(?:,?\s*(?:\bin\s+(?P<zone>\S[^\n]*)|(?P<utc>z|utc|gmt)))?[.!\s]*",
    re.IGNORECASE | re.DOTALL,
)
_START = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:\s|,|t)", re.IGNORECASE)
_LONGEST_ZONE = 60


class Form(Struct, frozen=True):
    """What was put into the form: the zone as it was typed, empty if there is none; `at` None is no such time."""

    task: str
    at: datetime | None
    written: str
    zone: str


def read(text: str) -> Form | None:
    """Read the form; None if the text has another one.

    The last date that is followed by nothing but a time and a zone is the time: the task may hold others.
    """
    starts = [match.start() for match in _START.finditer(text)]
    if not starts:
        return None
    match = _FORM.fullmatch(text[starts[-1] :])
    if match is None:
        return None
    written = f"{match['date']} {match['time']}"
    before = _FORM.fullmatch(f"{text[: starts[-1]]}2000-01-01 00:00")
    zone = (match["zone"] or match["utc"] or "").strip(" .!,\n")
    if before is None or len(zone) > _LONGEST_ZONE:
        return None
    return Form(
        before["task"].strip(), _moment(match["date"], match["time"]), written, "UTC" if zone in {"z", "Z"} else zone
    )


def _moment(date: str, time: str) -> datetime | None:
    year, month, day = (int(part) for part in date.split("-"))
    hour, minute, second = (int(part) for part in f"{time}:00".split(":")[:3])
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall time without zone
    except ValueError:
        return None
