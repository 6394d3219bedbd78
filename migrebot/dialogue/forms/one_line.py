"""An attack told in one line: `7 3h ibuprofen 400`, `yesterday 5 90min`, `8 sumatriptan 50 + paracetamol 1 g`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrebot.dialogue.forms.days import FIRST_DAY
from migrebot.dialogue.forms.medicines import MAX_MEDICINES, MAX_NAME
from migrebot.diary.parsing import parse_amount, parse_day, parse_duration, parse_intensity

if TYPE_CHECKING:
    from datetime import date

_BETWEEN = re.compile(r"\s*(?:[;+]|,(?!\d))\s*")
_AMOUNT_AT_END = re.compile(r"^(?P<drug>.*?[^\W\d].*?)(?:\s+(?P<amount>[\d½][\d.,]*\s*[^\W\d]*\.?))?$")


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
    if not words:
        return answers
    medicines = _medicines(" ".join(words))
    return {**answers, "medicine": True, "medicines": medicines} if medicines else None


def _take(words: list[str], answers: dict[str, Any], today: date) -> int:
    """Understand what comes first; tell how many words it took, 0 for none."""
    if "duration" not in answers:
        for count in (2, 1):
            # The last word carries a unit: a bare number is an intensity, never a duration.
            if len(words) >= count and re.search(r"[^\W\d]|:", words[count - 1]):
                duration = parse_duration(" ".join(words[:count]))
                if duration is not None:
                    answers["duration"] = duration
                    return count
    if "intensity" not in answers and (intensity := parse_intensity(words[0])):
        answers["intensity"] = intensity
        return 1
    if "date" not in answers and (day := parse_day(words[0], today)) and FIRST_DAY <= day <= today:
        answers["date"] = str(day)
        return 1
    return 0


def _medicines(text: str) -> list[dict[str, Any]] | None:
    medicines: list[dict[str, Any]] = []
    for part in _BETWEEN.split(text):
        match = _AMOUNT_AT_END.fullmatch(part)
        if not match or len(match["drug"]) > MAX_NAME:
            return None
        amount = parse_amount(match["amount"]) if match["amount"] else None
        if match["amount"] and amount is None:
            return None
        medicines.append({"drug": match["drug"].strip(), "amount": list(amount) if amount else None})
    return medicines if len(medicines) <= MAX_MEDICINES else None
