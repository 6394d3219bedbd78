"""An attack told in one line: `7 3h ibuprofen 400`, `yesterday 5 90min`, `8 sumatriptan 50 + paracetamol 1 g`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrebot.dialogue.forms.medicines import MAX_MEDICINES, MAX_NAME
from migrebot.dialogue.month import FIRST_DAY
from migrebot.diary.numerals import in_digits
from migrebot.diary.parsing import parse_amount, parse_day, parse_duration, parse_intensity
from migrebot.typed import folded

if TYPE_CHECKING:
    from datetime import date

_BETWEEN = re.compile(r" ?(?:[;+&]|,(?!\d)) ?| (?:and|и|і|й|та|et|y|e(?= h?i)) ", re.IGNORECASE)
_OF = re.compile(r"^(?:of |de |d['’])(?=\S)", re.IGNORECASE)
# "B12" and "5-HTP" are names; "400", "-3" and "500mg" in a name are amounts nobody understood.
_AMOUNT_LEFT = re.compile(r"(?:^| )[-−–]?[\d½¼¾][\d.,/:½¼¾]*[^\W\d]*\.?(?= |$)")
_FRACTIONS = frozenset({"1/2", "1/4", "3/4"})

_WORDS_OF_A_PART = 6
"""How many words a date or a duration may take: "un jour et deux heures" takes five."""

_WORDS_OF_AN_AMOUNT = 3
"""How many words an amount may take: "1 000 mg" takes three."""


def parse_line(text: str, today: date) -> dict[str, Any] | None:
    """Understand an attack told in one line, as the answers of the headache form; None unless all of it is clear.

    The intensity is needed; the day (today if not told), the duration (with its unit) and medicines are not.
    """
    answers: dict[str, Any] = {}
    words = text.split()
    while words:
        taken = _take(words, answers, today)
        if not taken:
            break
        del words[:taken]
    if "intensity" not in answers:
        return None
    answers.setdefault("date", str(today))
    medicines = _medicines(words, today)
    if medicines:
        answers |= {"medicine": True, "medicines": medicines}
    return None if medicines is None else answers


def parse_intake(text: str, today: date) -> dict[str, Any] | None:
    """Understand one medicine taken: `ibuprofen 400`, `yesterday sumatriptan 50`; None unless all of it is clear.

    The day, before or after the medicine, is today if not told. A lone "2.5" is an amount, not the second of May.
    """
    words = text.split()
    for count in range(min(len(words) - 1, _WORDS_OF_A_PART), 0, -1):
        for part, rest in ((words[:count], words[count:]), (words[-count:], words[:-count])):
            written = " ".join(part).rstrip(",;")
            day = None if written in _FRACTIONS else parse_day(written, today)
            medicine = _one_medicine(rest, today) if day else None
            if day is None or (parse_amount(written) and not (medicine and medicine["amount"])):
                continue
            is_past = FIRST_DAY <= day <= today
            return {"date": str(day), "medicines": [medicine]} if medicine and is_past else None
    medicine = _one_medicine(words, today)
    return {"date": str(today), "medicines": [medicine]} if medicine else None


def _one_medicine(words: list[str], today: date) -> dict[str, Any] | None:
    medicines = _medicines(words, today)
    return medicines[0] if medicines and len(medicines) == 1 else None


def _take(words: list[str], answers: dict[str, Any], today: date) -> int:
    """Understand what comes first, the longest reading first; tell how many words it took, 0 for none."""
    for count in range(min(len(words), _WORDS_OF_A_PART), 0, -1):
        part = " ".join(words[:count]).rstrip(",;")
        for name, value in _readings(part, today):
            if value is not None and name not in answers:
                answers[name] = value
                return count
    return 0


def _readings(part: str, today: date) -> list[tuple[str, Any]]:
    intensity = ("intensity", parse_intensity(part))
    day = ("date", _past_day(part, today))
    duration = ("duration", _duration(part))
    # "7/10" is an intensity rather than a day in October, "7 October" is a day.
    return [day, duration, intensity] if " " in part else [duration, intensity, day]


def _duration(part: str) -> float | None:
    """Understand a duration that ends with its unit: a bare number is an intensity, never a duration."""
    last = in_digits(folded(part)).rpartition(" ")[2]
    return parse_duration(part) if re.search(r"[^\W\d]|:", last) else None


def _past_day(part: str, today: date) -> str | None:
    # "1/2" may be half a tablet.
    day = None if part in _FRACTIONS else parse_day(part, today)
    return str(day) if day and FIRST_DAY <= day <= today else None


def _medicines(words: list[str], today: date) -> list[dict[str, Any]] | None:
    """Understand what is left of the line as medicines; None if any of it is something else."""
    text = " ".join(words).strip(" ,;+&")
    if not text:
        return []
    if parse_day(text, today) or parse_duration(text):
        return None
    parts = _BETWEEN.split(text, maxsplit=MAX_MEDICINES)
    if len(parts) > MAX_MEDICINES:
        return None
    medicines = [_medicine(part) for part in parts]
    return None if None in medicines else [medicine for medicine in medicines if medicine]


def _medicine(part: str) -> dict[str, Any] | None:
    """Understand a medicine with or without its amount, on either side of the name."""
    words = part.split(" ")
    for count in range(min(len(words) - 1, _WORDS_OF_AN_AMOUNT), 0, -1):
        if amount := parse_amount(" ".join(words[-count:])):
            return _named(" ".join(words[:-count]), amount)
        first = " ".join(words[:count])
        # In front of the name a number needs its unit: it may be hours that lost theirs.
        if re.search(r"[^\W\d]", words[count - 1]) and (amount := parse_amount(first)):
            return _named(_OF.sub("", " ".join(words[count:]), count=1), amount)
    return _named(part, None)


def _named(drug: str, amount: tuple[float, str] | None) -> dict[str, Any] | None:
    if not re.search(r"[^\W\d]", drug) or _AMOUNT_LEFT.search(drug) or len(drug) > MAX_NAME:
        return None
    return {"drug": drug, "amount": list(amount) if amount else None}
