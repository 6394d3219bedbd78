"""Words of time found in a text: each part of it with its kind and value (see `lexicon`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migrebot.reminders.phrases.lexicon import MOST_HOURS, Meaning, Node, lexicon
from migrebot.reminders.phrases.tokens import Token, tokens
from migrebot.zones import find_zones

ABBREVIATIONS = frozenset(
    re.findall(
        r"\w+",
        "ACDT ACST ADT AEDT AEST AKDT AKST AST AWST BST CDT CEST CET CST EDT EEST EET EST HST IST JST KST MDT MSD MSK"
        " MST NZDT NZST PDT PKT PST SAST SGT WEST WET WIB МСК",
    )
)
"""What they stand for differs from place to place, and a fixed offset knows no summer time: none is a zone."""
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_UTC = frozenset({"UTC", "GMT"})
_TIMES = frozenset("asyviEefuncNVYOTCHDPbXWRZAUoLjKtM")
"""What may stand beside a weak word that is one of time."""
_OF_A_PLACE = re.compile("(?<=[CHNMPo])(?:w{1,3}x|o_w{1,2})")
_HOURS_OF = frozenset({"heure", "hora"})
_DASHES = frozenset("-–—")
_MOST_YEAR, _LEAST_YEAR = 2199, 1900


class Lexeme(Struct, frozen=True):
    """A part of the text, from `start` to before `end`."""

    kind: str
    value: Any
    start: int
    end: int
    weak: bool = False


def of(part: Sequence[Lexeme], kinds: str) -> list[Lexeme]:
    """List the lexemes of some kinds."""
    return [lexeme for lexeme in part if lexeme.kind in kinds]


def lexemes(text: str, language: str) -> list[Lexeme]:
    """Find the words of time of a language in a cleaned text, the longest phrases first."""
    parts = tokens(text)
    found: list[Lexeme] = []
    at = 0
    while at < len(parts):
        length, meaning = _longest(parts, at, lexicon(language))
        if meaning is None or (length == 1 and parts[at].shape not in {"word", "mark"}):
            found.append(_shaped(text, parts[at], found, language))
            at += 1
            continue
        start, end = parts[at].start, parts[at + length - 1].end
        for kind, value in zip(meaning.kinds, meaning.values, strict=True):
            found.append(Lexeme(kind, value, start, end, meaning.weak))
        at += length
    return _joined(text, _without_weak(_with_places(text, _with_ranges(text, found))))


def _longest(parts: Sequence[Token], at: int, root: Node) -> tuple[int, Meaning | None]:
    best: tuple[int, Meaning | None] = (0, None)
    node: Node | None = root
    for length, part in enumerate(parts[at:], start=1):
        node = node.following.get(part.word) if node else None
        if node is None:
            break
        if node.meaning:
            best = (length, node.meaning)
    return best


def _shaped(text: str, part: Token, before: list[Lexeme], language: str) -> Lexeme:
    """Name what is no word of time by its shape."""
    raw = text[part.start : part.end]
    kind, value = _kind(part, raw, before)
    if kind == "C" and language != "en":
        # Only English counts its written hours to twelve.
        value = (value[0], value[1], True, *value[3:])
    return Lexeme(kind, value, part.start, part.end)


def _kind(part: Token, raw: str, before: list[Lexeme]) -> tuple[str, Any]:
    if part.shape == "dotted" and before and before[-1].kind == "#":
        return "V", float(raw)
    if part.shape in _IN_DIGITS:
        return _IN_DIGITS[part.shape](raw, [int(number) for number in re.findall(r"\d{1,4}", raw)])
    match part.shape:
        case "number":
            return _number(raw)
        case "meridiem":
            return "M", raw[0].lower()
        case "zone":
            return _zone(raw)
        case "mark":
            return "p" if raw in ",;.:!?…()" else "#" if raw in "$€£₴₽¥#№" else "w", None
        case _:
            return _word(raw, before)


_IN_DIGITS: dict[str, Callable[[str, list[int]], tuple[str, Any]]] = {
    "iso": lambda _, digits: ("T", (tuple(digits),)),
    # With dots it is day first wherever dates are written so.
    "date": lambda raw, digits: ("T", _dates(digits)[:1] if "." in raw else _dates(digits)),
    "clock": lambda raw, digits: ("C", (*digits[:2], digits[0] > 12 or raw.lstrip("Tt")[0] == "0", *digits[2:])),
    "range": lambda raw, digits: ("!" if ":" in raw else "w" if max(digits) > 99 else "Q", digits),
    "ordinal": lambda _, digits: ("O", digits[0]),
    "hours": lambda _, digits: ("H", (digits[0], digits[1] if len(digits) > 1 else 0, True)),
    "dotted": lambda raw, digits: ("K", digits) if _may_be_dotted(*digits) else ("V", float(raw)),
}


def _may_be_dotted(first: int, second: int) -> bool:
    """Tell a time or a date from a price."""
    return (first < 24 and second < 60) or (1 <= first <= 31 and 1 <= second <= 12)


def _dates(digits: list[int]) -> tuple[tuple[int | None, int, int], ...]:
    """Read a date in digits: day first, month first as well where that is another one."""
    first, second = digits[0], digits[1]
    year = (digits[2] + 2000 if digits[2] < 100 else digits[2]) if len(digits) > 2 else None
    if second > 12:
        return ((year, first, second),)
    return ((year, second, first),) if first > 12 or first == second else ((year, second, first), (year, first, second))


def _number(raw: str) -> tuple[str, Any]:
    if len(raw) > 9:
        return "w", None
    number = float(raw.replace(",", "."))
    if raw.isdigit():
        if _LEAST_YEAR <= number <= _MOST_YEAR:
            return "Y", int(raw)
        return ("N" if number <= MOST_HOURS else "V"), int(raw)
    return "V", number


def _zone(raw: str) -> tuple[str, Any]:
    zones = find_zones(raw)
    if zones:
        return "S", zones[0]
    return ("S", None) if raw[-1].isdigit() else ("w", None)


def _word(raw: str, before: list[Lexeme]) -> tuple[str, Any]:
    """Recognise the abbreviation of a zone: in capitals, or behind a clock time."""
    name = raw.upper()
    if name in _UTC and (name == raw or (before and before[-1].kind in "CNMi")):
        return "S", "UTC"
    if name in ABBREVIATIONS and (name == raw or (before and before[-1].kind in "CM")):
        return "S", None
    return "w", None


def _with_ranges(text: str, found: list[Lexeme]) -> list[Lexeme]:
    """Take the dash of "Mon-Fri" for "until"."""
    return [
        Lexeme("u", None, lexeme.start, lexeme.end)
        if text[lexeme.start : lexeme.end] in _DASHES and "".join(near.kind for near in found[at - 1 : at + 2]) == "WwW"
        else lexeme
        for at, lexeme in enumerate(found)
    ]


def _with_places(text: str, found: list[Lexeme]) -> list[Lexeme]:
    """Take "New York time", "heure de Lyon" and "hora de Bogotá" for zones."""
    matches = _OF_A_PLACE.finditer("".join(lexeme.kind for lexeme in found))
    for match in reversed(list(matches)):
        start, end = match.span()
        words = [text[lexeme.start : lexeme.end] for lexeme in found[start:end]]
        length, zone = _place([word.casefold() for word in words])
        if length:
            found[start : start + length] = [Lexeme("S", zone, found[start].start, found[start + length - 1].end)]
    return found


def _place(words: list[str]) -> tuple[int, str | None]:
    """Tell how many of the words name a zone, and which; None is more than one."""
    for length in range(len(words), 1, -1):
        name = words[2:length] if words[0] in _HOURS_OF else words[:-1] if words[-1] == "time" else []
        if zones := find_zones(" ".join(name)) if name else ():
            return length, zones[0] if len(zones) == 1 else None
    return 0, None


def _without_weak(found: list[Lexeme]) -> list[Lexeme]:
    """Take weak words that stand alone for what they mostly are: other words."""
    return [
        Lexeme("w", None, lexeme.start, lexeme.end) if lexeme.weak and not _is_supported(found, at) else lexeme
        for at, lexeme in enumerate(found)
    ]


def _is_supported(found: list[Lexeme], at: int) -> bool:
    if found[at].kind == "M":
        return at > 0 and found[at - 1].kind in "NC"
    around = [found[near] for near in (at - 1, at + 1) if 0 <= near < len(found)]
    return any(lexeme.kind in _TIMES for lexeme in around) or (found[at].kind == "t" and at + 1 < len(found))


def _joined(text: str, found: list[Lexeme]) -> list[Lexeme]:
    """Join what is one time: "9 hours 30 minutes", "at 9 30"."""
    joined: list[Lexeme] = []
    at = 0
    while at < len(found):
        length, value = _spelt(text, found, at)
        if length:
            kind, meant, *weak = value
            joined.append(Lexeme(kind, meant, found[at].start, found[at + length - 1].end, weak=any(weak)))
        else:
            joined.append(found[at])
        at += length or 1
    return joined


def _spelt(text: str, found: list[Lexeme], at: int) -> tuple[int, Any]:
    if found[at].kind != "N":
        return 0, None
    kinds = "".join(lexeme.kind for lexeme in found[at : at + 5])
    if match := re.match(r"No[NV](U|(?![oUbhxAO]))", kinds):
        minute = found[at + 2].value
        written = text[found[at + 2].start : found[at + 2].end]
        is_minute = minute < 60 and found[at + 3].value == "minute" if match[1] else _is_minute(minute, written)
        return (len(match[0]), ("H", (found[at].value, int(minute), True))) if is_minute else (0, None)
    if at and found[at - 1].kind in "avD" and re.match(r"N[NV](?![oUbhxLA1])", kinds):
        minute = found[at + 1]
        if _is_minute(minute.value, text[minute.start : minute.end]):
            return 2, ("C", (found[at].value, int(minute.value), found[at].value > 12), kinds[2:3] == "w")
    return 0, None


def _is_minute(value: float, written: str) -> bool:
    two_digits = len(written) == 2 if written.isdigit() else value >= 10
    return two_digits and value == int(value) and 0 <= value < 60
