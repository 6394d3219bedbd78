"""Blood pressure readings: what a typed one means, which cannot be, which to ask about, and which to warn of.

Limits are those of CLINICAL: a reading outside of them is a slip of the finger; one that is unusual is asked about and
stored. A single reading is never classified, and never said to have caused a headache.
"""

from __future__ import annotations

import re

from msgspec import Struct

from migrebot.diary.numerals import is_negative
from migrebot.typed import folded

SYSTOLIC = range(50, 301)
DIASTOLIC = range(30, 201)
PULSE = range(20, 251)
"""What can be, in mmHg and per minute."""

ALERT_SYSTOLIC = 180
ALERT_DIASTOLIC = 110

_USUAL_SYSTOLIC = range(70, 251)
_USUAL_DIASTOLIC = range(40, 151)
_USUAL_PULSE = range(40, 181)
_LEAST_DIFFERENCE = 15
_LONGEST = 60

_PULSE_WORD = r"(?:пульс|pulse|pouls|pulso|puls|чсс|hr|p|п)"
_READING = re.compile(
    r"(?:(?:blood )?pressure|bp|ад|ат|давление|тиск|tension|ta|presion)?:? ?"
    r"(?P<systolic>\d{1,3}(?:[.,]\d)?)"
    r"(?: ?[/\\|:x*х–—-] ?| ?, (?=\d)| (?:on|over|на|sur|sobre|por|con|a|y|и|і|та|et) | )"
    r"(?P<diastolic>\d{1,3}(?:[.,]\d)?)"
    r"(?: ?(?:mm ?hg|mmhg|мм ?рт\.? ?ст\.?|cm ?hg))?"
    r"(?:(?: ?[,;/–—-] ?| (?:and|и|і|та|et|y|avec|with|con) | )?"
    rf"(?:{_PULSE_WORD}[.:]? ?[-–—=:]? ?)?(?P<pulse>\d{{1,3}})"
    r"(?: ?(?:bpm|уд(?:\.|аров)?(?: ?[/в] ?мин(?:уту)?\.?)?|lpm|ppm|/min))?)?"
)
_CENTIMETRES_SYSTOLIC = 30.0
"""Below this a pair of numbers is in cmHg, as French and Spanish doctors say it: 12/8."""


class Reading(Struct, frozen=True):
    """A pressure in mmHg and the pulse per minute, if it was told; `was_cmhg` tells that it was written in cmHg."""

    systolic: int
    diastolic: int
    pulse: int | None = None
    was_cmhg: bool = False


def parse_reading(text: str) -> Reading | None:
    """Understand `120/80 65`, `120 80`, `120 over 80`, `120 на 80 пульс 65`, `12/8`; None unless all of it is clear.

    Whether such a reading can be is for `is_possible` to tell.
    """
    word = folded(text)
    match = _READING.fullmatch(word) if len(word) <= _LONGEST else None
    if match is None or is_negative(text):
        return None
    pair = [float(match[name].replace(",", ".")) for name in ("systolic", "diastolic")]
    pulse = int(match["pulse"]) if match["pulse"] else None
    if all(number < _CENTIMETRES_SYSTOLIC for number in pair):
        return Reading(round(pair[0] * 10), round(pair[1] * 10), pulse, was_cmhg=True)
    if not all(number.is_integer() for number in pair):
        return None
    return Reading(int(pair[0]), int(pair[1]), pulse)


def is_possible(reading: Reading) -> bool:
    """Tell whether a reading is within all limits."""
    return (
        reading.systolic in SYSTOLIC
        and reading.diastolic in DIASTOLIC
        and reading.systolic > reading.diastolic
        and (reading.pulse is None or reading.pulse in PULSE)
    )


def is_unusual(reading: Reading) -> bool:
    """Tell whether to ask if the numbers are right."""
    return (
        reading.was_cmhg
        or reading.systolic not in _USUAL_SYSTOLIC
        or reading.diastolic not in _USUAL_DIASTOLIC
        or (reading.pulse is not None and reading.pulse not in _USUAL_PULSE)
        or reading.systolic - reading.diastolic < _LEAST_DIFFERENCE
    )


def is_alarming(systolic: int, diastolic: int) -> bool:
    """Tell whether it calls for measuring again and for help if it stays: from 180 or from 110."""
    return systolic >= ALERT_SYSTOLIC or diastolic >= ALERT_DIASTOLIC
