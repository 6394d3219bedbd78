"""Typed text: made harmless once, and compared the way people mean it."""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 4_096
"""Longest text that is looked at, in code points; what is longer is told to be too long."""

# Marks that reorder what a reader sees, and those that nobody sees: in a diary they only disguise.
_UNSEEN = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x200B, 0x2060, 0x00AD, 0xFEFF]
)
_REPLACED = _UNSEEN | {0x066B: ","}
_MARK = re.compile(r"^[\W_]+", re.UNICODE)
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """Make text from outside storable: NFC, no control characters, lone surrogates, unseen or reordering marks.

    Decimal digits of every script become 0–9 and the Arabic decimal mark a comma; line breaks stay, as line feeds.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_REPLACED)
    # Composed last: what is taken out may have stood between a letter and its accent.
    return unicodedata.normalize("NFC", "".join(_clean_character(character) for character in lines)).strip()


def _clean_character(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() or character == "\n" else " " if character == "\t" else ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "" if category in {"Cc", "Cs", "Co", "Cn"} else character


def _alike() -> dict[int, str]:
    """Map letters to those that people type for them: `é` to `e`, `ё` to `е`; one apostrophe for all."""
    accented = (chr(code) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)))
    latin = {ord(letter): unicodedata.normalize("NFD", letter)[0] for letter in accented}
    plain = {code: letter for code, letter in latin.items() if letter.isascii()}
    return plain | {ord("ё"): "е", ord("Ё"): "Е"} | {ord(mark): "'" for mark in "’ʼ‘´"}


_ALIKE = _alike()
_UNALIKE = re.compile(f"[{''.join(map(chr, _ALIKE))}]")


def folded(text: str) -> str:
    """Reduce a label or a typed word to what counts when they are compared.

    Letter case, accents on Latin letters, the shape of an apostrophe, a mark or emoji in front of the word, doubled
    spaces and a full stop at the end do not count.
    """
    word = _MARK.sub("", text) or text
    # Most words have none of them, and looking is far quicker than translating.
    if _UNALIKE.search(word):
        word = word.translate(_ALIKE)
    return _SPACES.sub(" ", word).strip().rstrip(".!").casefold()


def parse_id(text: str) -> int | None:
    """Read an id that came from outside; None if it cannot be one."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return value if 0 < value < 2**63 else None
