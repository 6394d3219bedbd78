"""Typed text: made harmless once, and compared the way people mean it."""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 4_096
"""Longest text that is looked at, in code points; what is longer is told to be too long."""

# Marks that reorder what a reader sees; in a diary they only disguise.
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF])
_MARK = re.compile(r"^[\W_]+", re.UNICODE)
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """Make text from outside storable: NFC, no control characters, lone surrogates or reordering marks.

    Decimal digits of every script become 0–9; line breaks stay, as line feeds.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").translate(_BIDI))
    return "".join(_clean_character(character) for character in text).strip()


def _clean_character(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() or character == "\n" else " " if character == "\t" else ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "" if category in {"Cc", "Cs", "Co", "Cn"} else character


def folded(text: str) -> str:
    """Reduce a label or a typed word to what counts when they are compared.

    Letter case, a mark or emoji in front of the word, doubled spaces and a full stop at the end do not count.
    """
    without_mark = _MARK.sub("", text) or text
    return _SPACES.sub(" ", without_mark).strip().rstrip(".!").casefold()
