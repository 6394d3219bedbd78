"""What people type: dates, durations, intensities, amounts, yes and no, in the five languages.

Every function takes text that went through `migrebot.typed.clean` and gives a value, or None if it does not understand
the whole of it: never a guess.
"""

from __future__ import annotations

import re

from migrebot.diary.days import parse_day, parse_month
from migrebot.diary.numerals import ARTICLES, NUMBER, in_digits, is_negative, number_word, parse_number
from migrebot.typed import folded

__all__ = [
    "MAX_AMOUNT",
    "MAX_DURATION_H",
    "UNITS",
    "means_now",
    "parse_amount",
    "parse_day",
    "parse_duration",
    "parse_intensity",
    "parse_month",
    "parse_yes_no",
]

MAX_DURATION_H = 168
MAX_AMOUNT = 100_000

_LONGEST = 60


def _phrases(text: str) -> frozenset[str]:
    return frozenset(folded(phrase) for phrase in text.split("|"))


YES = _phrases(
    "yes|y|yeah|yep|yes, i did|yes, there was|да|д|ага|угу|конечно|было|была|так|т|еге|звісно|було|була"
    "|oui|o|ouais|bien sûr|sí|s|claro|+|👍"
)
NO = _phrases(
    "no|n|nope|nah|нет|не|нету|не было|не была|ні|н|нема|немає|не було|не була|non|nan|pas du tout|para nada|-|👎"
)

NOW = _phrases(
    "now|right now|сейчас|прямо сейчас|зараз|прямо зараз|maintenant|en ce moment|ahora|ahora mismo|en este momento"
)

_OUT_OF_TEN = re.compile(
    r"(?P<value>[^\W\d]+|\d{1,2})(?: ?/ ?10| (?:of|out of|из|із|з|sur|de) 10"
    r"| (?:points?|балл(?:ов|а)?|бал(?:ів|и)?|puntos?))?"
)

_ABOUT = re.compile(
    r"(?:about|around|approx|approximately|около|примерно|приблизно|близько|десь|environ|a peu pres|unas|unos|casi"
    r"|aproximadamente|cerca de) (?=[\d½])"
)
_WEEKS = r"(?:w|weeks?|недел[яюи]|тиж(?:день|ні)|semaines?|semanas?)"
_DAYS = r"(?:d|days?|д|день|дня|дней|дні|днів|сут(?:ки|ок)|доб[аиу]|діб|jours?|j|dias?)"
_HOURS = r"(?:h|hr|hrs|hours?|ч|час|часа|часов|год|годин[аиу]?|г|heures?|hs|horas?)"
_MINUTES = r"(?:m|min|mins|minutes?|м|мин|минут[аыу]?|хв|хвилин[аиу]?|mn|minutos?)"
_AND = r"(?:,? (?:and|et|y|и|і|й|та) |,? ?)"
_DURATION = re.compile(
    rf"(?:(?P<weeks>{NUMBER}) ?{_WEEKS}\.?)?{_AND}(?:(?P<days>{NUMBER}) ?{_DAYS}\.?)?"
    rf"{_AND}(?:(?P<hours>{NUMBER}) ?{_HOURS}\.?(?: ?(?P<rest>[0-5]?\d)$)?)?"
    rf"{_AND}(?:(?P<minutes>{NUMBER}) ?{_MINUTES}\.?)?"
)
_CLOCK = re.compile(rf"(\d{{1,3}}):([0-5]\d)(?: ?{_HOURS})?")
_HOURS_IN = {"weeks": 168.0, "days": 24.0, "hours": 1.0, "rest": 1 / 60, "minutes": 1 / 60}

_NAMED: dict[str, float] = {
    **dict.fromkeys(
        _phrases(
            "under an hour|less than an hour|меньше часа|менее часа|менше години|moins d'une heure|menos de una hora"
        ),
        0.5,
    ),
    **dict.fromkeys(_phrases("hour|час|година|годину|heure|hora"), 1.0),
    **dict.fromkeys(
        _phrases(
            "all day|all day long|whole day|the whole day|day|весь день|целый день|день|сутки|целые сутки"
            "|увесь день|цілий день|доба|добу|цілу добу|toute la journée|la journée|journée|jour"
            "|todo el día|el día entero|día"
        ),
        24.0,
    ),
    **dict.fromkeys(_phrases("week|неделя|неделю|тиждень|semaine|semana"), 168.0),
}

UNITS: dict[str, frozenset[str]] = {
    "mg": _phrases(
        "mg|mgs|мг|milligram|milligrams|milligramme|milligrammes|миллиграмм|миллиграмма|миллиграммов"
        "|міліграм|міліграма|міліграми|міліграмів|miligramo|miligramos"
    ),
    "g": _phrases("g|gr|г|гр|gram|grams|gramme|grammes|грамм|грамма|граммов|грам|грама|грами|грамів|gramo|gramos"),
    "mcg": _phrases(
        "mcg|µg|μg|ug|мкг|microgram|micrograms|microgramme|microgrammes|микрограмм|микрограммов|мікрограм|мікрограмів"
        "|microgramo|microgramos"
    ),
    "ml": _phrases(
        "ml|мл|millilitre|millilitres|milliliter|milliliters|миллилитр|миллилитра|миллилитров"
        "|мілілітр|мілілітра|мілілітри|мілілітрів|mililitro|mililitros"
    ),
    "IU": _phrases("iu|ui|ме|мо"),
    "tablet": _phrases(
        "tab|tabs|tablet|tablets|pill|pills|capsule|capsules|pcs"
        "|таб|табл|таблетка|таблетку|таблетки|таблеток|капсула|капсулу|капсулы|капсул|шт|штука|штуку|штуки|штук"
        "|пігулка|пігулку|пігулки|пігулок|капсули"
        "|cp|cps|comprimé|comprimés|cachet|cachets|gélule|gélules"
        "|comp|comprimido|comprimidos|pastilla|pastillas|tableta|tabletas|píldora|píldoras|cápsula|cápsulas"
    ),
    "drop": _phrases(
        "drop|drops|кап|капля|капли|капель|крап|крапля|краплі|крапель|goutte|gouttes|gota|gotas",
    ),
    "spray": _phrases(
        "spray|sprays|puff|puffs|dose|doses|впрыск|впрыска|впрысков|спрей|доз|доза|дозу|дозы|дози|пшик|пшика"
        "|впорскування|bouffée|bouffées|pulvérisation|pulvérisations|pulverización|pulverizaciones|dosis"
    ),
}
"""Units of an amount: the code stored, and how people write it."""

_UNIT_OF = {spelling: unit for unit, spellings in UNITS.items() for spelling in spellings}
# "Tablet" may do without its "a".
_ONE_TABLET = _phrases(
    "tablet|pill|capsule|таблетка|таблетку|капсула|капсулу|пігулка|пігулку"
    "|comprimé|gélule|comprimido|pastilla|tableta|cápsula"
)
_AMOUNT = re.compile(rf"(?P<number>{NUMBER})?(?: ?(?P<unit>[^\W\d]+))?\.?")


def parse_yes_no(text: str) -> bool | None:
    """Understand yes and no in any of the languages."""
    word = folded(text)
    return True if word in YES else False if word in NO else None


def means_now(text: str) -> bool:
    """Tell whether a text says "now" in any of the languages; to `parse_day` that is today."""
    return folded(text) in NOW


def parse_intensity(text: str) -> int | None:
    """Understand 1 to 10, also as `7/10`, `7 of 10` and `seven`."""
    match = None if is_negative(text) else _OUT_OF_TEN.fullmatch(folded(text))
    if match is None:
        return None
    value = int(match["value"]) if match["value"].isdecimal() else number_word(match["value"])
    return value if value is not None and 1 <= value <= 10 else None


def parse_duration(text: str) -> float | None:
    """Understand a duration in hours: `3`, `2,5 h`, `90 min`, `1h30`, `1:30`, `2 days`, `all day`; over 0 up to 168."""
    word = folded(text)
    if is_negative(text) or len(word) > _LONGEST:
        return None
    if word in _NAMED:
        return float(_NAMED[word])
    digits = _ABOUT.sub("", in_digits(word), count=1)
    if match := _CLOCK.fullmatch(digits):
        return _duration(int(match[1]) + int(match[2]) / 60)
    if re.fullmatch(NUMBER, digits):
        # "3/4" without a unit may well be "three to four".
        return None if "/" in word or word in ARTICLES else _duration(parse_number(digits))
    match = _DURATION.fullmatch(digits)
    if not match or not any(match.groups()):
        return None
    parts = {part: parse_number(number) for part, number in match.groupdict().items() if number}
    if None in parts.values():
        return None
    return _duration(sum(number * _HOURS_IN[part] for part, number in parts.items() if number))


def parse_amount(text: str) -> tuple[float, str] | None:
    """Understand an amount with its unit: `400`, `400 mg`, `0,5 g`, `2 tablets`, `½`; without a unit it is mg."""
    word = folded(text)
    if is_negative(text) or len(word) > _LONGEST:
        return None
    match = _AMOUNT.fullmatch(in_digits(word))
    if not match:
        return None
    # A bare "one" or "1/2" is hardly mg: only digits may do without a unit.
    unit = _UNIT_OF.get(match["unit"]) if match["unit"] else "mg" if re.fullmatch(NUMBER, word) else None
    number = parse_number(match["number"]) if match["number"] else 1.0 if word in _ONE_TABLET else None
    return (number, unit) if unit and number is not None and 0 < number <= MAX_AMOUNT else None


def _duration(hours: float | None) -> float | None:
    return None if hours is None or not 0 < round(hours, 2) <= MAX_DURATION_H else round(hours, 2)
