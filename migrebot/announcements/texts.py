"""The texts of an announcement: which one somebody gets, and what the owner may write."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Literal

from markupsafe import Markup
from msgspec import Struct

from migrebot.i18n import translator
from migrebot.languages import LANGUAGES
from migrebot.splitting import visible_length

if TYPE_CHECKING:
    from collections.abc import Mapping

FALLBACK = {"fr": "en", "es": "en", "uk": "ru"}
"""Which language's text somebody gets when there is none in their own."""

LONGEST = 3_000
"""What is seen of a text, in UTF-16 code units: with the line below it, it is one message on Telegram."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^<>]*)>")
_LINK = re.compile(r"""a href=(?:"(https?://[^\s"'<>]+)"|'(https?://[^\s"'<>]+)')""", re.IGNORECASE)


class Fault(Struct, frozen=True):
    """Why a text cannot be taken; `what` is the tag that it is about."""

    kind: Literal["empty", "long", "unknown", "unclosed", "unopened"]
    what: str = ""


def source(texts: Mapping[str, str], language: str) -> str | None:
    """Tell in which language somebody gets it; None if there is no text for them."""
    own = language if language in LANGUAGES else "en"
    if own in texts:
        return own
    other = FALLBACK.get(own)
    return other if other in texts else None


def missing(texts: Mapping[str, str]) -> tuple[str, ...]:
    """List the languages whose people would get nothing."""
    return tuple(language for language in LANGUAGES if source(texts, language) is None)


def message(texts: Mapping[str, str], language: str) -> str:
    """Write the message as somebody gets it: the text, and in their language how to turn such messages off.

    Raises `KeyError` if their language is `missing`.
    """
    found = source(texts, language) or language
    tr = translator(language)
    below = tr("You can turn such messages off in /settings.")
    return str(Markup("{}\n\n<i>{}</i>").format(Markup(texts[found]), below))  # noqa: S704 - `read` made it


def read(typed: str) -> str | Fault:
    """Make HTML of what the owner typed; `<b>`, `<i>` and links are markup, everything else is as written."""
    written: list[str] = []
    open_tags: list[str] = []
    position = 0
    for found in _TAG.finditer(typed):
        written.append(escape(typed[position : found.start()], quote=False))
        position = found.end()
        tag = _tag(found[1], found[2], open_tags)
        if isinstance(tag, Fault):
            return tag
        written.append(tag)
    if open_tags:
        return Fault("unclosed", open_tags[-1])
    html = "".join((*written, escape(typed[position:], quote=False))).strip()
    length = visible_length(html)
    if not re.sub(r"<[^>]*>", "", html).strip():
        return Fault("empty")
    return Fault("long") if length > LONGEST else html


def _tag(closes: str, inside: str, open_tags: list[str]) -> str | Fault:
    """Read a tag and keep account of those that are open."""
    name = inside.strip().lower()
    link = _LINK.fullmatch(inside.strip())
    if closes:
        if name not in {"b", "i", "a"}:
            return Fault("unknown", f"</{inside}>")
        if not open_tags or open_tags.pop() != name:
            return Fault("unopened", name)
        return f"</{name}>"
    if link is None and name not in {"b", "i"}:
        return Fault("unknown", f"<{inside}>")
    open_tags.append("a" if link else name)
    return f'<a href="{escape(link[1] or link[2])}">' if link else f"<{name}>"
