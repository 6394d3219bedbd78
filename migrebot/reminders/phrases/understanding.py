"""The way in: a text from a person, and what it means."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import msgspec

from migrebot.languages import LANGUAGES
from migrebot.reminders.occurrences import complaint
from migrebot.reminders.phrases import strict
from migrebot.reminders.phrases.answers import Answer, NotUnderstood, Question, Reason, Understood
from migrebot.reminders.phrases.choosing import checked
from migrebot.reminders.phrases.lexing import ABBREVIATIONS
from migrebot.reminders.phrases.moment import Candidate, Here
from migrebot.reminders.phrases.once import once
from migrebot.reminders.phrases.reading import Reading
from migrebot.reminders.phrases.task import medicine
from migrebot.reminders.schedule import Cron, Schedule
from migrebot.typed import clean
from migrebot.zones import find_zones, zone_names

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

MOST_CHARACTERS = 700
"""A longer text is no reminder. What is read holds up everybody else: of so many characters at most some 30 ms."""

_CRON = re.compile(r"\bcron\b[:\s]*[`'\"]?(?P<fields>(?:[\w*/,-]+\s+){4}[\w*/,-]+)[`'\"]?", re.IGNORECASE | re.ASCII)
_INTRO = re.compile(r"^(?:please )?remind me (?:to |that |about |of )?", re.IGNORECASE)


def understand(text: str, *, language: str, timezone: str, now: datetime, drugs: Collection[str] = ()) -> Answer:
    """Tell what a phrase means: what to be reminded of, and when.

    `language` and `timezone` are the person's; a phrase in another of our languages is understood too. `now` is aware.
    `drugs` are names of the person's medicines. Never raises, whatever the text.
    """
    if len(text) > MOST_CHARACTERS:
        return NotUnderstood(reason=Reason.TOO_LONG)
    here = Here(now, timezone, language if language in LANGUAGES else "en")
    cleaned = clean(text)
    answer = _strict(cleaned, here) or _cron(cleaned, here) or _in_any_language(cleaned, here)
    return _with_medicine(answer, drugs)


def _strict(text: str, here: Here) -> Answer | None:
    form = strict.read(text)
    if form is None:
        return None
    zones = find_zones(form.zone) if form.zone else (here.timezone,)
    if len(zones) != 1:
        near = tuple(zones) or (() if form.zone.upper() in ABBREVIATIONS else _similar(form.zone))
        return NotUnderstood(reason=Reason.UNKNOWN_ZONE, part=form.zone, suggestions=near)
    if form.at is None:
        return NotUnderstood(reason=Reason.NO_SUCH_TIME, part=form.written)
    if not 1 < form.at.year < 9_000:
        return NotUnderstood(reason=Reason.TOO_FAR, part=form.written)
    return checked(once(form.at, zones[0]), form.task, here.now)


def _similar(name: str) -> tuple[str, ...]:
    near = get_close_matches(name.casefold(), zone_names(), n=3, cutoff=0.75)
    return tuple(dict.fromkeys(zone for each in near for zone in find_zones(each)))[:3]


def _cron(text: str, here: Here) -> Answer | None:
    match = _CRON.search(text)
    if match is None:
        return None
    expression = " ".join(match["fields"].split())
    pattern = Cron(expression)
    if problem := complaint(pattern):
        reason = Reason.TOO_OFTEN if problem.startswith("less than") else Reason.BAD_CRON
        return NotUnderstood(reason=reason, part=expression, detail=problem)
    around = f"{text[: match.start()].strip(' ,;:')} {text[match.end() :].strip(' ,;:')}".strip()
    said = re.sub(r"(?:\s|^)(?:at|by|on|with)$", "", _INTRO.sub("", around), flags=re.IGNORECASE)
    return checked(Candidate(Schedule(pattern=pattern, timezone=here.timezone)), said.strip(), here.now)


def _in_any_language(text: str, here: Here) -> Answer:
    """Read the text in the language that explains most of it; in the person's own, if none explains more."""
    order = sorted(LANGUAGES, key=lambda language: language != here.language)
    readings = [Reading(text, msgspec.structs.replace(here, language=language)) for language in order]
    return max(readings, key=lambda reading: reading.explained).answer()


def _with_medicine(answer: Answer, drugs: Collection[str]) -> Answer:
    match answer:
        case Understood():
            return msgspec.structs.replace(answer, medicine=medicine(answer.task, drugs))
        case Question(alternatives=alternatives):
            told = tuple(msgspec.structs.replace(each, medicine=medicine(each.task, drugs)) for each in alternatives)
            return msgspec.structs.replace(answer, alternatives=told)
        case NotUnderstood():
            return answer
