"""A phrase cut into its smallest parts: numbers in their shapes, words, marks. It knows no language."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from migrebot.typed import folded

_NO_MINUTES = r"[:.]\d| ?(?:fois|times|veces|jours|d[ií]as|days)"
_QUOTED = r"\"[^\"\n]{1,200}\"|«[^»\n]{1,200}»|“[^”\n]{1,200}”|„[^“”\n]{1,200}[“”]"
_SHAPES = (
    # What is quoted belongs to the task as it is, and so do addresses. Each is bounded: what begins like one at every
    # character but never ends would be read to the end of the text each time.
    ("opaque", _QUOTED + r"|\w{2,10}://\S+|[\w.+-]{1,64}@\w[\w.-]*"),
    ("zone", r"[a-z]{2,10}/[a-z_]+(?:/[a-z_]+)?|(?:utc|gmt) ?[+-] ?\d{1,2}(?::?\d{2})?(?!\w)"),
    ("iso", r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?=t\d{1,2}:|(?!\w))"),
    ("date", r"\d{1,2}(?P<sign>[./-])\d{1,2}(?P=sign)(?:\d{4}|\d{2})(?![\d:])|\d{1,2}/\d{1,2}(?![\d/:])"),
    ("range", r"\d{1,2}:\d{2} ?[-–—] ?\d{1,2}:\d{2}(?![\d:])|\d{1,4} ?[-–—] ?\d{1,4}(?![\w:])"),
    ("clock", r"t?\d{1,2}:\d{2}(?::\d{2})?(?![\d:])"),
    ("ordinal", r"\d{1,2}(?:st|nd|rd|th|er|[eè]me|e|[ºª]|\.[ºª]|-?(?:го|ого|е|ое|те|й|му))(?!\w)"),
    (
        "hours",
        r"\d{1,3} ?h(?:\d{1,2}(?: ?mi?n?)?| \d{1,2} ?mi?n?| \d{2}(?!" + _NO_MINUTES + r"))?(?!\w)",
    ),
    ("dotted", r"\d{1,2}\.\d{2}(?![\d.,]?\d)"),
    ("number", r"\d+(?:[.,]\d{1,3})?(?![.,]?\d)|\d+"),
    ("meridiem", r"(?:(?<=\d)|(?<=\d ))[ap]\.? ?m(?!\w)\.?|(?<!\d{3})(?<=\d)p(?!\w)"),
    ("word", r"[^\W\d_][^\W_]*"),
    ("space", r"\s+"),
    ("mark", r"."),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in _SHAPES), re.IGNORECASE | re.DOTALL)


class Token(Struct, frozen=True):
    """A part of the text, from `start` to before `end`; `word` is how it is compared."""

    shape: str
    word: str
    start: int
    end: int


@lru_cache(8)  # each text is read in one language after the other
def tokens(text: str) -> tuple[Token, ...]:
    """Cut a cleaned text; spaces are left out."""
    return tuple(
        Token(match.lastgroup or "", _word(match[0]), match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "space"
    )


@lru_cache(4_096)
def _word(text: str) -> str:
    return folded(text) or text
