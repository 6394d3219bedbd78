"""A time of the day as people type it in the five languages: `20:30`, `8 pm`, `20h30`, `в 8 вечера`, `a las 8`."""

from __future__ import annotations

import re
from datetime import time

from migrebot.diary.numerals import in_digits, is_negative
from migrebot.typed import folded

_NAMED = {
    "noon": 12, "midday": 12, "полдень": 12, "в полдень": 12, "полудень": 12, "опівдні": 12, "midi": 12,
    "mediodia": 12, "al mediodia": 12, "medio dia": 12,
    "midnight": 0, "полночь": 0, "в полночь": 0, "північ": 0, "опівночі": 0, "minuit": 0, "medianoche": 0,
    "a medianoche": 0,
}  # fmt: skip
_AT = re.compile(r"(?:(?:at|around|about|в|во|около|о|об|у|біля|a|vers|hacia|sobre) )?(?:(?:las?|les) )?(?=\w)")
_UNIT = r"(?: ?(?:h|hrs?|hours?|o'clock|ч|час|часа|часов|год|година|години|годин|годині|heures?|horas?))"
_MORNING = r"a\.?m|in the morning|утра|ранку|вранці|du matin|de la manana|de la madrugada"
_EVENING = r"p\.?m|in the (?:afternoon|evening)|at night|вечера|вечора|ввечері|дня|du soir|de l'apres-midi|de la tarde"
_NIGHT = r"ночи|ночі|вночі|de la noche"
_CLOCK = re.compile(
    rf"(?P<hour>\d{{1,2}})"
    rf"(?:(?: ?[:.,] ?|{_UNIT} ?| (?=\d\d\b))(?P<minute>\d{{2}})(?: ?(?:min|мин|хв)\w*)?|{_UNIT})?"
    rf"(?:,? ?(?:(?P<morning>{_MORNING})|(?P<evening>{_EVENING})|(?P<night>{_NIGHT})))?"
)
_COMPACT = re.compile(r"(\d{2})(\d{2})")
_LONGEST = 40


def parse_hour(text: str) -> time | None:
    """Understand a time of the day, to the minute; a bare number is a full hour."""
    word = folded(text)
    if is_negative(text) or len(word) > _LONGEST:
        return None
    if word in _NAMED:
        return time(_NAMED[word])
    if compact := _COMPACT.fullmatch(word):
        return _time(int(compact[1]), int(compact[2]))
    match = _CLOCK.fullmatch(in_digits(_AT.sub("", word, count=1)))
    if match is None:
        return None
    hour = _on_24(int(match["hour"]), match)
    return None if hour is None else _time(hour, int(match["minute"] or 0))


def _on_24(hour: int, match: re.Match[str]) -> int | None:
    if not (match["morning"] or match["evening"] or match["night"]):
        return hour
    if not 1 <= hour <= 12:
        # "20:00 in the evening" says it twice.
        return hour if match["evening"] and 12 < hour < 24 else None
    if match["night"]:
        # "одиннадцать ночи" is before midnight, "два часа ночи" after it; Spanish nights are evenings.
        return hour % 12 + (12 if 6 <= hour < 12 else 0)
    return hour % 12 + (12 if match["evening"] else 0)


def _time(hour: int, minute: int) -> time | None:
    return time(hour, minute) if hour < 24 and minute < 60 else None
