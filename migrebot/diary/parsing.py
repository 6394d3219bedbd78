"""What people type: dates, durations, intensities, amounts, yes and no, in the five languages.

Every function takes text that went through `migrebot.typed.clean` and gives a value, or None if it does not understand
the whole of it: never a guess.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

from babel import Locale
from babel.dates import get_day_names, get_month_names

from migrebot.languages import LANGUAGES
from migrebot.typed import folded


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


YES = _words("yes y yeah yep да д ага так т oui o ouais sí si s sì claro +")
NO = _words("no n nope nah нет не н ні non nan -")

_TODAY = frozenset({"today", "now", "сегодня", "сьогодні", "aujourd'hui", "aujourd’hui", "hoy"})
_YESTERDAY = frozenset({"yesterday", "вчера", "вчора", "учора", "hier", "ayer"})
_BEFORE = frozenset(
    {"day before yesterday", "the day before yesterday", "позавчера", "позавчора", "avant-hier", "anteayer"}
)
_AGO = re.compile(
    r"(?:(?P<n>\d{1,3}) (?:days? ago|д(?:ень|ня|ней|ні|нів) (?:назад|тому))"
    r"|il y a (?P<fr>\d{1,3}) jours?|hace (?P<es>\d{1,3}) d[ií]as?)"
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})[./\-](\d{1,2})(?:[./\-](\d{4}|\d{2}))?\.?")
_WORDY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|-?го)? (?:de |of )?([^\W\d]+)\.?,?(?: (?:de )?(\d{4}))?")
_AMERICAN = re.compile(r"([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?,?(?: (\d{4}))?")

_NUMBER = r"\d{1,6}(?:[.,]\d{1,3})?"
_HOURS = r"(?:h|hr|hrs|hours?|ч|час|часа|часов|год|годин[аиу]?|г|heures?|horas?)"
_MINUTES = r"(?:m|min|mins|minutes?|мин|минут[аыу]?|хв|хвилин[аиу]?|minutos?)"
_DAYS = r"(?:d|days?|д|день|дня|дней|дні|днів|jours?|j|d[ií]as?)"
_DURATION = re.compile(
    rf"(?:(?P<days>{_NUMBER}) ?{_DAYS})? ?(?:(?P<hours>{_NUMBER}) ?{_HOURS})?"
    rf" ?(?:(?P<minutes>\d{{1,4}}) ?{_MINUTES}?)?\.?"
)
_CLOCK = re.compile(r"(\d{1,3}):(\d{2})")
_HALF = frozenset({"half an hour", "полчаса", "пів години", "півгодини", "une demi-heure", "demi-heure", "media hora"})
_ONE_HOUR = frozenset({"an hour", "one hour", "час", "година", "годину", "une heure", "una hora"})
_INTENSITY = re.compile(r"(\d{1,2})(?: ?/ ?10)?")

UNITS: dict[str, frozenset[str]] = {
    "mg": _words("mg мг"),
    "g": _words("g gr г гр"),
    "mcg": _words("mcg µg μg ug мкг"),
    "ml": _words("ml мл"),
    "IU": _words("iu ui ме мо"),
    "tablet": _words(
        "tab tabs tablet tablets pill pills таб табл таблетка таблетки таблеток таблетку пігулка пігулки"
        " comprimé comprimés comprimido comprimidos cp cachet cachets pastilla pastillas"
    ),
    "drop": _words("drop drops капля капли капель крапля краплі крапель goutte gouttes gota gotas"),
    "spray": _words("spray sprays puff puffs впрыск спрей доза dose doses bouffée bouffées"),
}
"""Units of an amount: the code stored, and how people write it."""

_UNIT_OF = {spelling: unit for unit, spellings in UNITS.items() for spelling in spellings}
_AMOUNT = re.compile(rf"(?P<number>{_NUMBER}|½) ?(?P<unit>[^\W\d]+)?\.?", re.UNICODE)

MAX_DURATION_H = 168
MAX_AMOUNT = 100_000


def parse_yes_no(text: str) -> bool | None:
    """Understand yes and no in any of the languages."""
    word = text.strip().rstrip(".!").casefold()
    return True if word in YES else False if word in NO else None


def parse_intensity(text: str) -> int | None:
    """Understand 1 to 10, also as `7/10`."""
    match = _INTENSITY.fullmatch(folded(text))
    value = int(match[1]) if match else 0
    return value if 1 <= value <= 10 else None


def parse_day(text: str, today: date) -> date | None:
    """Understand a date: `2026-11-20`, `20.11`, `20/11/26`, `20 November`, `yesterday`, `3 days ago`.

    Numbers are day first, as in all five languages, unless only month first makes a date. Without a year it is the
    latest such date up to `today`. The answer may lie in the future: the caller decides.
    """
    word = folded(text)
    if word in _TODAY:
        return today
    if word in _YESTERDAY or word in _BEFORE:
        return today - timedelta(days=1 if word in _YESTERDAY else 2)
    if match := _AGO.fullmatch(word):
        return _days_before(today, int(match["n"] or match["fr"] or match["es"]))
    if match := _ISO.fullmatch(word):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMERIC.fullmatch(word):
        first, second = int(match[1]), int(match[2])
        return _recent(match[3], second, first, today) or _recent(match[3], first, second, today)
    if (match := _WORDY.fullmatch(word)) and (month := _months().get(match[2])):
        return _recent(match[3], month, int(match[1]), today)
    if (match := _AMERICAN.fullmatch(word)) and (month := _months().get(match[1])):
        return _recent(match[3], month, int(match[2]), today)
    if (weekday := _weekdays().get(word)) is not None:
        return today - timedelta(days=(today.weekday() - weekday) % 7 or 7)
    return None


def parse_duration(text: str) -> float | None:
    """Understand a duration in hours: `3`, `2,5 h`, `90 min`, `1h30`, `1:30`, `2 days`; over 0 up to 168."""
    word = folded(text)
    if word in _HALF:
        return 0.5
    if word in _ONE_HOUR:
        return 1.0
    if match := _CLOCK.fullmatch(word):
        return _duration(int(match[1]) + int(match[2]) / 60) if int(match[2]) < 60 else None
    if re.fullmatch(_NUMBER, word):
        return _duration(_number(word))
    match = _DURATION.fullmatch(word)
    if not match or not any(match.groups()):
        return None
    return _duration(
        _number(match["days"] or "0") * 24 + _number(match["hours"] or "0") + int(match["minutes"] or "0") / 60
    )


def parse_amount(text: str) -> tuple[float, str] | None:
    """Understand an amount with its unit: `400`, `400 mg`, `0,5 g`, `2 tablets`; without a unit it is mg."""
    match = _AMOUNT.fullmatch(text.strip().casefold())
    if not match:
        return None
    unit = _UNIT_OF.get(match["unit"]) if match["unit"] else "mg"
    number = 0.5 if match["number"] == "½" else _number(match["number"])
    return (number, unit) if unit and 0 < number <= MAX_AMOUNT else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _duration(hours: float) -> float | None:
    return round(hours, 2) if 0 < round(hours, 2) <= MAX_DURATION_H else None


def _days_before(today: date, days: int) -> date:
    return today - timedelta(days=days)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _recent(year: str | None, month: int, day: int, today: date) -> date | None:
    if year:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    # Four years back, so that 29 February is found.
    candidates = (_date(today.year - back, month, day) for back in range(5))
    return next((found for found in candidates if found and found <= today), None)


@cache
def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for language in LANGUAGES:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in get_month_names(width, context, Locale.parse(language)).items():
                    names[name.casefold().rstrip(".")] = number
    return names


@cache
def _weekdays() -> dict[str, int]:
    names: dict[str, int] = {}
    for language in LANGUAGES:
        for context in ("format", "stand-alone"):
            for number, name in get_day_names("wide", context, Locale.parse(language)).items():
                names[name.casefold()] = number
    return names
