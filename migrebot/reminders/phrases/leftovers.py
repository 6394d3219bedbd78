"""What the pieces left over: words that are the task's own, or that look like a time nobody understood."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache, lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from migrebot.languages import LANGUAGES
from migrebot.reminders.phrases.lexicon import day_words, lexicon, link_words, telling_words
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from migrebot.reminders.phrases.lexing import Lexeme

_OF_TIME = frozenset("DPbXERGWZACKTHdgjSML%eoUFVNYOQlmkrh")
_NUMBERS = frozenset("NVYOQ")
_BETWEEN = frozenset("cpsvyaiqfu_z>")
_EDGES = frozenset("cp")
_LENGTHS = frozenset("oUbL")
_NO_SLIPS = frozenset({"manzana", "vienes", "salado", "sabido", "marte", "четверо"})
"""Words that are one letter away from the name of a day."""
_LONG_NUMBER = 3
"""Characters from which on a number is hardly a time: 112, 2000, 19.99."""


class Doubt(IntEnum):
    """How much a word left over looks like one of time."""

    NONE = 0
    MAYBE = 1
    """It may be the task's own: worth asking."""
    SURELY = 2
    """It stands with the time that was understood, and changes it."""


def doubt(text: str, lexemes: Sequence[Lexeme], used: AbstractSet[int], language: str) -> tuple[Doubt, str]:
    """Find the worst among the lexemes that are not used, and its text."""
    worst = (Doubt.NONE, "")
    foreign = _foreign(language)
    parts = [text[lexeme.start : lexeme.end] for lexeme in lexemes]
    kinds = [
        foreign.get(folded(part), "w") if lexeme.kind == "w" else lexeme.kind
        for lexeme, part in zip(lexemes, parts, strict=True)
    ]
    for at, part in enumerate(parts):
        if at in used:
            continue
        found = _of(kinds, at, used, part)
        if found is Doubt.NONE and kinds[at] == "w" and _is_misspelt(folded(part), language):
            found = Doubt.MAYBE
        if found > worst[0]:
            worst = (found, part)
    return worst


@lru_cache(4_096)
def _is_misspelt(word: str, language: str) -> bool:
    """Tell whether a word is the name of a day with one slip: "thrusday", "зватра"."""
    return word not in _NO_SLIPS and any(_is_one_slip(word, day) for day in day_words(language))


def _is_one_slip(word: str, day: str) -> bool:
    """Compare two words: one letter too many, missing or wrong, or two swapped; "завтрак" is no "завтра"."""
    if abs(len(word) - len(day)) > 1 or word[0] != day[0] or word.startswith(day):
        return False
    start = _common(word, day)
    rest, meant = word[start:], day[start:]
    end = _common(rest[::-1], meant[::-1])
    rest, meant = rest[: len(rest) - end], meant[: len(meant) - end]
    return max(len(rest), len(meant)) == 1 or (len(rest) == len(meant) == 2 and rest == meant[::-1])


def _of(kinds: Sequence[str], at: int, used: AbstractSet[int], part: str) -> Doubt:
    kind = kinds[at]
    if kind == "z":
        return Doubt.SURELY if _touches(kinds, at, used, _EDGES) else Doubt.NONE
    if kind == "!":
        return Doubt.SURELY
    if kind not in _OF_TIME:
        return Doubt.NONE
    if kind in _NUMBERS:
        return _of_number(kinds, at, used, part)
    if kind in _LENGTHS and at > 0 and kinds[at - 1] in _NUMBERS:
        return Doubt.MAYBE
    return Doubt.SURELY if _touches(kinds, at, used, _BETWEEN) else Doubt.MAYBE


def _of_number(kinds: Sequence[str], at: int, used: AbstractSet[int], part: str) -> Doubt:
    """Judge a number: one that counts or names something is the task's own, one beside a time is not."""
    if _step(kinds, at, -1, _BETWEEN) in used:
        return Doubt.SURELY
    after = at + 1
    if re.match("[>u][NVYOQ]", "".join(kinds[after : after + 2])):
        return Doubt.SURELY
    counts = after < len(kinds) and after not in used and kinds[after] in "wI#"
    names = at > 0 and kinds[at - 1] == "#"
    if counts or names or (len(part) >= _LONG_NUMBER and kinds[at] in "NVY" and part[0].isdigit()):
        return Doubt.NONE
    return Doubt.MAYBE


def _touches(kinds: Sequence[str], at: int, used: AbstractSet[int], between: frozenset[str]) -> bool:
    return _step(kinds, at, -1, between) in used or _step(kinds, at, 1, between) in used


def _step(kinds: Sequence[str], at: int, by: int, over: frozenset[str]) -> int:
    """Give the place of the next lexeme in a direction, stepping over a few of some kinds."""
    for place in range(at + by, at + 5 * by, by):
        if not 0 <= place < len(kinds) or kinds[place] not in over:
            return place
    return at + 5 * by


def _common(one: str, other: str) -> int:
    """Count the letters with which both begin."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


@cache
def _foreign(language: str) -> dict[str, str]:
    """Map the words of the other languages to kinds: they are not to be dropped unread.

    `!` is a word that tells a time on its own.
    """
    others = [other for other in LANGUAGES if other != language]
    own = lexicon(language).following
    found = {word: kind for other in others for word, kind in link_words(other).items()}
    found |= {word: "!" for other in others for word in telling_words(other)}
    return {word: kind for word, kind in found.items() if word not in own}
