"""The pieces of a phrase that say something of time: patterns over the kinds of its lexemes (see `lexicon`).

None of the patterns repeats a repetition, and each begins where a lexeme does: reading a phrase takes time in
proportion to its length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrebot.reminders.phrases.pieces import Piece
from migrebot.reminders.phrases.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.reminders.phrases.lexing import Lexeme

_P = "[svyaq]{0,3}"
_AND = "[cp]{1,2}"
_LENGTH = "(?:L|H|(?:[NV1]h?)?[oUb]h?)(?:c?(?:L|[NV][oUb])){0,3}"
_SHOWN = "(?:CM?[Pb]?|Hh?r?[Pb]?|X|NM[Pb]?|N(?:oh?r?|h|r)?P|N(?:o|h)b|o[Pb])"
_AT = "(?:KM?[Pb]?|No?h?r?(?![oUNVLAOQ_xkm])M?[Pb]?|o(?![oUbNV]))"
_MORE_HOURS = f"(?:{_AND}[asvy]{{0,2}}(?:{_SHOWN}|K|No?b?(?![oULA_xmk])))"
_DATE = f"(?:[nt]?[WZ][cp]?)?{_P}(?:[ONV]_?A(?:[_cp]?Yo?U?)?|As?[ONV](?![oUbCM])(?:[cp]?Y)?|T|K(?![Pb]))"
_DAY = f"(?:{_DATE}|[nt]?[sy]?Wn?|D|Om?|[NV]m|l)"
# "Le lundi" is each Monday, but "le lundi 5 mars" is one.
_DAY_BEHIND = "[cp]?[svy]{0,2}(?:[ONV]_?A|As?[ONV]|T|O(?![oUb])|[NV][av]s?[NCHXK])"

PATTERNS: tuple[tuple[str, str], ...] = (
    ("weekday_range", "[svyE_f]{0,2}(?:W[>us]{1,2}W|R[>u]R)"),
    ("from_day", f"f{_P}{_DAY}"),
    ("until_day", f"u{_P}{_DAY}"),
    ("from_hours", f"f[asv]{{0,2}}(?:{_SHOWN}|{_AT})"),
    ("zone", "[iavsyp]?S"),
    ("perhaps", "%"),
    ("relative", f"is?{_LENGTH}(?!u)|{_LENGTH}B"),
    ("times_a_day", "F"),
    ("every_weekdays", f"[svya]{{0,2}}(?:E[NVO]?|e)(?:[sy]?W)(?:{_AND}E?[svy]?W){{0,6}}"),
    ("each_month_day", f"[svyaE]{{0,3}}[ONVl](?:{_AND}{_P}[ONVl]){{0,9}}m?k"),
    ("every_month_day", f"E[sy]?O(?:{_AND}[sy]?O){{0,9}}m?(?![oUbA])"),
    ("every_length", "E(?:L|H)|[svy]?(?:E(?:[NV1O]h?)?|e)[oUb]|d"),
    ("every_part", "[svy]?E[Pb]"),
    ("group", "[svy]?E?G"),
    ("each_weekday", f"[svyE]{{0,2}}(?:R|Z(?!{_DAY_BEHIND}))(?:{_AND}[svy]{{0,2}}[RWZ]){{0,6}}"),
    ("date", f"{_P}{_DATE}"),
    ("weekday_and_day", f"{_P}[nt]?[WZ][cp]?[sy]{{0,2}}(?:O(?![oUbA])|[NV](?=[av]s?[NCHXK]))"),
    ("weekdays", f"{_P}W(?:{_AND}{_P}W){{1,6}}"),
    ("weekday", f"{_P}[nt]?[sy]?Wn?"),
    ("count", "q?[NV]x(?!U|v)"),
    ("lasting", f"q{_LENGTH}|[sy](?:[NV]|1)[oUb]"),
    ("hours", f"[asvy]{{0,2}}(?:{_SHOWN}){_MORE_HOURS}{{0,11}}|[av]s?{_AT}{_MORE_HOURS}{{0,11}}"),
    ("hours_after_day", f"(?<=[DWZTAPGRUYd])[cp]?N(?:o|h)?b?(?![oUNVLAOQxk_m]){_MORE_HOURS}{{0,11}}"),
    ("day", f"{_P}D"),
    ("last_day", f"{_P}l"),
    ("month_day", "[svy]{1,3}O[m]?(?![oUbA])|Om|[sv]{0,2}[NV]m|y[NV](?=[avypDC]|$)|(?<![^Ipj])O(?![oUbA])"),
    ("part", "[sv]?P"),
    ("next_unit", "[sv]?j"),
    ("dotted", "K"),
    ("in_some", "i[NV](?![oUbLhxAO_])"),
    ("vague", "[sv]?g"),
)
_PIECE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS))


class Wrong(Exception):
    """A piece that says what cannot be, such as 25:00."""


def pieces(lexemes: Sequence[Lexeme]) -> list[Piece]:
    """Find the pieces, from left to right, none overlapping.

    Raises:
        Wrong: a piece looks like a time and is none; its argument is where it begins and ends.
    """
    kinds = "".join(lexeme.kind for lexeme in lexemes)
    found = []
    for match in _PIECE.finditer(kinds):
        name = match.lastgroup or ""
        part = lexemes[match.start() : match.end()]
        try:
            meaning = READERS[name](part)
        except ValueError as problem:
            raise Wrong(match.start(), match.end(), name) from problem
        if meaning is not None:
            soft = _is_soft(name, match[0], kinds[match.end() : match.end() + 1])
            found.append(Piece(meaning, match.start(), match.end(), soft))
    return found


def _is_soft(name: str, kinds: str, after: str) -> bool:
    """Tell whether a piece reads as part of the task as well: "at 9 pictures", "the 5th chapter", "weekly report"."""
    if after not in {"w", "#"}:
        return False
    return (
        (name in {"hours", "in_some"} and kinds[-1] in "NV") or name in {"month_day", "hours_after_day"} or kinds == "d"
    )
