"""Numbers as people type them in the five languages: words up to twelve, halves, fractions, thousands."""

from __future__ import annotations

import re

_WORDS: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "one один одна одну одно uno una un une a an",
            "two два две дві deux dos",
            "three три trois tres",
            "four четыре чотири quatre cuatro",
            "five пять п'ять cinq cinco",
            "six шесть шість seis",
            "seven семь сім sept siete",
            "eight восемь вісім huit ocho",
            "nine девять дев'ять neuf nueve",
            "ten десять dix diez",
            "eleven одиннадцать одинадцять onze once",
            "twelve двенадцать дванадцять douze doce",
        ),
        start=1,
    )
    for word in words.split()
}
ARTICLES = frozenset({"a", "an", "un", "une", "una"})
"""Number words that are one only in front of a thing."""

_WORD = re.compile(r"[^\W\d]+(?:'[^\W\d]+)?")
_AND_A_HALF = re.compile(r" (?:and a half|et demie?|y medi[ao]|с половиной|з половиною)\b")
_ONE_AND_A_HALF = re.compile(r"\b(?:полтор[аы]|півтор[аи])\b")
_HALF = re.compile(
    r"\b(?:half (?:an? )?|(?:une? )?demie?[ -]|medi[ao] |половин[ау] |половинк[ау] |пол(?=таблетки|часа|дня)"
    r"|пів ?(?=\w))"
)
_FRACTION = re.compile(r"(?<![\d/.,])(?:(\d{1,3}) ?(?=[½¼¾]|[13]/[24](?!\d)))?(½|¼|¾|1/2|1/4|3/4)(?![\d/]) ?")
_PARTS = {"½": ".5", "¼": ".25", "¾": ".75", "1/2": ".5", "1/4": ".25", "3/4": ".75"}
_INTEGER = re.compile(r"\d+")

NUMBER = r"(?:\d{1,3}(?: \d{3})+|\d{1,6}(?:[.,]\d{1,3})?)"
"""What `parse_number` may understand, as a piece of a pattern."""

_DECIMAL = re.compile(r"\d+(?:[.,]\d{1,3})?")
_GROUPED = re.compile(r"[1-9]\d{0,2}[., ]\d{3}")


def in_digits(text: str) -> str:
    """Write the number words, halves and fractions of a folded text in digits: "an hour and a half" is "1.5 hour"."""
    whole = _AND_A_HALF.sub("", text, count=1)
    digits = _ONE_AND_A_HALF.sub("1.5", whole)
    digits = _HALF.sub("0.5 ", digits)
    digits = _FRACTION.sub(lambda match: f"{match[1] or 0}{_PARTS[match[2]]} ", digits)
    digits = _WORD.sub(lambda match: str(_WORDS.get(match[0], match[0])), digits).strip()
    if whole == text:
        return digits
    with_half = _INTEGER.sub(lambda match: f"{match[0]}.5", digits, count=1)
    return with_half if with_half != digits else f"1.5 {digits}"


def parse_number(text: str) -> float | None:
    """Understand a number without a sign: `400`, `0,5`, `1 000`; `1,000` and `1.000` are a thousand.

    None for one that might as well be thousands as thousandths, such as `1.125`.
    """
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"\D", "", text)) if text.endswith("0") or " " in text else None
    return float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else None


def is_negative(text: str) -> bool:
    """Tell whether a typed text begins with a minus and a digit."""
    return re.match(r"\s*[-−–]\d", text) is not None


def number_word(word: str) -> int | None:
    """Understand a folded number word; an article alone is none."""
    return None if word in ARTICLES else _WORDS.get(word)
