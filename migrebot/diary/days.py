"""Dates as people type them in the five languages."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import get_day_names, get_month_names

from migrebot.diary.numerals import in_digits, is_negative
from migrebot.languages import LANGUAGES
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_DAYS_AGO: dict[int, str] = {
    0: "today|now|this morning|this afternoon|this evening|tonight|earlier today"
    "|сегодня|сейчас|сегодня утром|сегодня днем|сегодня вечером|сегодня ночью"
    "|сьогодні|зараз|сьогодні вранці|сьогодні вдень|сьогодні ввечері|сьогодні увечері|сьогодні вночі"
    "|aujourd'hui|maintenant|ce matin|cet apres-midi|ce soir|cette nuit"
    "|hoy|ahora|esta manana|esta tarde|esta noche",
    1: "yesterday|last night|yesterday morning|yesterday afternoon|yesterday evening"
    "|вчера|вчера утром|вчера днем|вчера вечером|вчера ночью"
    "|вчора|учора|вчора вранці|вчора вдень|вчора ввечері|вчора увечері|вчора вночі"
    "|hier|hier matin|hier apres-midi|hier soir|ayer|anoche|ayer por la manana|ayer por la tarde|ayer por la noche",
    2: "day before yesterday|the day before yesterday|позавчера|позавчора|avant-hier|avant hier"
    "|anteayer|antier|antes de ayer",
    -1: "tomorrow|завтра|demain|manana",
}
_RELATIVE = {phrase: days for days, phrases in _DAYS_AGO.items() for phrase in phrases.split("|")}

_DAYS = r"(?P<days>days?|д(?:ень|ня|ней|ні|нів)|jours?|dias?)"
_WEEKS = r"(?P<weeks>weeks?|недел[юиь]|тиж(?:день|ні|нів)|semaines?|semanas?)"
_AGO = re.compile(rf"(?:(?P<n>\d{{1,3}}) )?(?:{_DAYS}|{_WEEKS}) (?:ago|назад|тому(?: назад)?)")
_ONE = frozenset({"день", "неделю", "тиждень"})
_SINCE = re.compile(rf"hace (?P<n>\d{{1,3}}) (?:{_DAYS}|{_WEEKS})")

_YEAR = r"(?P<year>\d{4})(?: ?(?:г|год|года|р|рік|року))?"
_ISO = re.compile(r"(?P<year>\d{4})[-./](?P<month>\d{1,2})[-./](?P<day>\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})[./\-](\d{1,2})(?:[./\-](\d{4}|\d{2})(?: ?(?:г|года|р|року))?)?")
_DAY = r"(?:on )?(?:the |le |el )?(?P<day>\d{1,2})(?:st|nd|rd|th|er|-?(?:го|е|ое|те))?"
_DAY_FIRST = re.compile(rf"{_DAY}[ \-/.]*(?:de |of )?(?P<month>[^\W\d_]+)\.?,?(?:[ \-/]*(?:de |del )?{_YEAR})?")
_MONTH_FIRST = re.compile(rf"(?P<month>[^\W\d_]+)\.? {_DAY}(?:,? {_YEAR})?")
_ON = re.compile(r"(?:on|в|во|у|le|el) (?=[^\W\d])")
_WEEKDAY_BEFORE = re.compile(r"(?P<weekday>[^\W\d_]+(?:'[^\W\d_]+)?)\.?,? (?P<rest>.*\d.*)")

_MONTH = re.compile(
    r"(?P<y1>\d{4})[-./](?P<m1>\d{1,2})|(?P<m2>\d{1,2})[./](?P<y2>\d{4})"
    r"|(?P<name>[^\W\d_]+)\.?,?(?: (?:de |del |of )?(?P<y3>\d{4})(?: ?(?:г|год|года|р|рік|року))?)?"
)

# The forms that a calendar does not print.
_MORE_MONTHS = {"setiembre": 9}
_MORE_WEEKDAYS = {"среду": 2, "пятницу": 4, "субботу": 5, "середу": 2, "п'ятницю": 4, "суботу": 5, "неділю": 6}

_LONGEST = 60


def parse_day(text: str, today: date) -> date | None:
    """Understand a date: `2026-11-20`, `20.11`, `20/11/26`, `20 November`, `yesterday`, `3 days ago`, `Monday`.

    Numbers are day first, as in all five languages, unless only month first makes a date. Without a year it is the
    latest such date up to `today`. The answer may lie in the future: the caller decides.
    """
    word = folded(text)
    if is_negative(text) or len(word) > _LONGEST:
        return None
    return (
        _relative(word, today)
        or _numeric(word, today)
        or _wordy(word, today)
        or _weekday(_ON.sub("", word, count=1) if _ON.match(word) else word, today)
        or _with_weekday(word, today)
    )


def parse_month(text: str, today: date) -> date | None:
    """Understand a month as its first day: `2026-10`, `10.2026`, `October`, `october 2025`.

    Without a year it is the latest such month up to `today`. The answer may lie in the future: the caller decides.
    """
    word = folded(text)
    match = None if is_negative(text) or len(word) > _LONGEST else _MONTH.fullmatch(word)
    if match is None:
        return None
    number = int(match["m1"] or match["m2"] or 0) or _months().get(match["name"] or "")
    year = match["y1"] or match["y2"] or match["y3"]
    return _recent(year, number, 1, today) if number else None


def _relative(word: str, today: date) -> date | None:
    if word in _RELATIVE:
        return today - timedelta(days=_RELATIVE[word])
    # "il y a" holds no number, though "a" is one in English.
    digits = in_digits(word.replace("il y a ", "hace "))
    if match := _AGO.fullmatch(digits) or _SINCE.fullmatch(digits):
        number = match["n"] or ("1" if (match["days"] or match["weeks"]) in _ONE else None)
        days = int(number or 0) * (7 if match["weeks"] else 1)
        return today - timedelta(days=days) if number else None
    return None


def _numeric(word: str, today: date) -> date | None:
    if match := _ISO.fullmatch(word):
        return _date(int(match["year"]), int(match["month"]), int(match["day"]))
    if match := _NUMERIC.fullmatch(word):
        first, second = int(match[1]), int(match[2])
        return _recent(match[3], second, first, today) or _recent(match[3], first, second, today)
    return None


def _wordy(word: str, today: date) -> date | None:
    for pattern in (_DAY_FIRST, _MONTH_FIRST):
        if (match := pattern.fullmatch(word)) and (month := _months().get(match["month"])):
            return _recent(match["year"], month, int(match["day"]), today)
    return None


def _weekday(word: str, today: date) -> date | None:
    weekday = _weekdays().get(word)
    return None if weekday is None else today - timedelta(days=(today.weekday() - weekday) % 7 or 7)


def _with_weekday(word: str, today: date) -> date | None:
    """Understand a date with its weekday in front; one that contradicts the date means no date."""
    match = _WEEKDAY_BEFORE.fullmatch(_ON.sub("", word, count=1) if _ON.match(word) else word)
    weekday = _weekdays().get(match["weekday"]) if match else None
    if match is None or weekday is None:
        return None
    day = _numeric(match["rest"], today) or _wordy(match["rest"], today)
    return day if day and day.weekday() == weekday else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _recent(year: str | None, month: int, day: int, today: date) -> date | None:
    if year:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    # Eight years back, so that 29 February is found across 2100 too.
    candidates = (_date(today.year - back, month, day) for back in range(9))
    return next((found for found in candidates if found and found <= today), None)


@cache
def _months() -> Mapping[str, int]:
    """Map what a month may be called: its names, and beginnings of three letters and more that mean no other month."""
    names = dict(_names(get_month_names)) | _MORE_MONTHS
    begun: dict[str, set[int]] = {}
    for name, number in names.items():
        for length in range(3, len(name)):
            begun.setdefault(name[:length], set()).add(number)
    return {start: numbers.pop() for start, numbers in begun.items() if len(numbers) == 1} | names


@cache
def _weekdays() -> Mapping[str, int]:
    return dict(_names(get_day_names)) | _MORE_WEEKDAYS


def _names(names_of: Callable[..., Mapping[int, str]]) -> Iterator[tuple[str, int]]:
    for language in LANGUAGES:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in names_of(width, context, Locale.parse(language)).items():
                    yield folded(name), number
