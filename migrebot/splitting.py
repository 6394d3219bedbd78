"""Long texts in parts that a messenger takes: pure.

A text is HTML with `<b>`, `<i>` and `<a href>` only. A messenger counts what is seen of it, in UTF-16 code units: tags
count nothing, an entity counts as the character it stands for.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARKUP = re.compile(
    r"""(?P<open><(?:b|i|a\ href=(?:"[^"<>]*"|'[^'<>]*'))>)
      | (?P<close></[bia]>)
      | (?P<entity>&(?:amp|lt|gt|quot|apos|\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6});)""",
    re.VERBOSE,
)

# White space that may become a cut; not the unbreakable kinds, which French puts before its question marks.
_SPACE = r"[^\S\u00a0\u202f\u2007]"
_SPACES = re.compile(f"{_SPACE}*")
_SENTENCE_END = re.compile(rf"[.!?…][\"'”’»)\]]*(?={_SPACE})")
_WORD_END = re.compile(rf"(?<!{_SPACE})(?={_SPACE})")

_LEAST_FILL = 4
"""A part ends with a paragraph, line or sentence only if that leaves it at least a quarter full: no lone titles."""

_JOINERS = "\u200d\ufe0e\ufe0f\u20e3\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""What ties an emoji together: zero-width joiner, variation selectors, keycap, skin tones."""


class _Glyph(Struct, frozen=True):
    """What is seen at one place: as written, the one character seen, the tags open there from the outermost."""

    source: str
    seen: str
    tags: tuple[str, ...]


def visible(text: str) -> str:
    """Give what is seen of the text: no tags, entities as the characters they stand for."""
    return "".join(glyph.seen for glyph in _glyphs(text))


def visible_length(text: str) -> int:
    """Count what is seen of the text, in UTF-16 code units."""
    return _units(visible(text))


def split(text: str, limit: int) -> list[str]:
    """Cut the text into parts of which each is seen as at most `limit` (at least 2) code units; at least one part.

    It is cut at the end of a paragraph if it can be, else of a line, a sentence, a word; white space at a cut is
    dropped and nothing else. Every part closes the tags that it opens; the next one opens them again.
    """
    if limit < 2:
        raise ValueError("an emoji alone needs two code units")
    # Most texts are short, and what is seen of a text is never longer than the text.
    if 2 * len(text) <= limit or _units(text) <= limit:
        return [text]
    glyphs = list(_glyphs(text))
    seen = "".join(glyph.seen for glyph in glyphs)
    if _units(seen) <= limit:
        return [text]
    return [_render(glyphs[start:end]) for start, end in _parts(seen, limit)] or [""]


def _glyphs(text: str) -> Iterator[_Glyph]:
    tags: tuple[str, ...] = ()
    position = 0
    for found in _MARKUP.finditer(text):
        yield from (_Glyph(char, char, tags) for char in text[position : found.start()])
        position = found.end()
        markup = found.group()
        if found["open"]:
            tags = (*tags, markup)
        elif found["close"]:
            tags = _closed(tags, markup[2])
        else:
            # Numbers that stand for no character count as the replacement character they would be shown as.
            yield _Glyph(markup, unescape(markup) or "\ufffd", tags)
    yield from (_Glyph(char, char, tags) for char in text[position:])


def _closed(tags: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Close the innermost tag of that name, and what is open inside it; a tag that is not open cannot be closed."""
    for index in range(len(tags) - 1, -1, -1):
        if tags[index][1] == name:
            return tags[:index]
    return tags


def _parts(seen: str, limit: int) -> Iterator[tuple[int, int]]:
    """Give the bounds of each part, white space at its ends left out; a part of nothing else is no part."""
    end = 0
    while (start := _after_spaces(seen, end)) < len(seen):
        end = _cut(seen, start, limit)
        last = end
        while last > start and _SPACES.fullmatch(seen, last - 1, last):
            last -= 1
        yield start, last


def _after_spaces(seen: str, start: int) -> int:
    found = _SPACES.match(seen, start)
    return found.end() if found else start


def _cut(seen: str, start: int, limit: int) -> int:
    """Tell where the part that begins at `start` ends."""
    full = _full(seen, start, limit)
    if full == len(seen):
        return full
    least = start + max(1, (full - start) // _LEAST_FILL)
    # What follows a full part is looked at too: white space there makes its end a good one.
    for place in (
        seen.rfind("\n\n", least, full + 2),
        seen.rfind("\n", least, full + 1),
        _last_end(_SENTENCE_END, seen, least, full),
        _last_end(_WORD_END, seen, start + 1, full),
    ):
        if place > start:
            return place
    return _between_letters(seen, start, full)


def _full(seen: str, start: int, limit: int) -> int:
    """Tell where a part that begins at `start` would end if it were cut anywhere."""
    end = min(len(seen), start + limit)
    while (excess := _units(seen[start:end]) - limit) > 0:
        # No character counts more than two.
        end -= (excess + 1) // 2
    return end


def _last_end(pattern: re.Pattern[str], seen: str, least: int, full: int) -> int:
    place = -1
    for found in pattern.finditer(seen, max(0, least - 1), full + 1):
        if least <= found.end() <= full:
            place = found.end()
    return place


def _between_letters(seen: str, start: int, full: int) -> int:
    """Move a cut back so that no letter loses its accents and no emoji its parts; unless nothing would be left."""
    for place in range(full, start, -1):
        follower = seen[place]
        if not (unicodedata.combining(follower) or follower in _JOINERS or seen[place - 1] == "\u200d"):
            return place
    return full


def _render(glyphs: Sequence[_Glyph]) -> str:
    written: list[str] = []
    open_tags: tuple[str, ...] = ()
    for glyph in glyphs:
        if glyph.tags != open_tags:
            written.append(_change(open_tags, glyph.tags))
            open_tags = glyph.tags
        written.append(glyph.source)
    written.append(_change(open_tags, ()))
    return "".join(written)


def _change(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    """Write the tags that lead from one place to the next."""
    common = 0
    while common < min(len(old), len(new)) and old[common] == new[common]:
        common += 1
    return "".join(f"</{tag[1]}>" for tag in reversed(old[common:])) + "".join(new[common:])


def _units(seen: str) -> int:
    return len(seen.encode("utf-16-le", "surrogatepass")) // 2
