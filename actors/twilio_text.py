"""How a text of ours looks on WhatsApp: its own marks for bold and italic, choices as lines below. Pure."""

from __future__ import annotations

import re
from html import escape, unescape

from migrebot.dialogue import numbered
from migrebot.messages import Keyboard
from migrebot.splitting import split, visible

LONGEST = 1_600
"""UTF-16 code units of one message (Twilio's Messages, `Body`)."""

LONGEST_VARIABLE = 800
"""Characters given to a template: WhatsApp takes 1,024 in all, the template's own words among them."""

_LINK = re.compile(r"""<a href=(?:"([^"<>]*)"|'([^'<>]*)')>(.*?)</a>""", re.DOTALL)
_TAG = re.compile(r"<(/?)([bi])>")
_MARKS = {"b": "*", "i": "_"}


def parts(text: str, keyboard: Keyboard = ()) -> list[str]:
    """Write a text (HTML) and its choices as one or more messages, in order."""
    lines = numbered.lines(keyboard)
    html = f"{text}\n\n{escape(lines, quote=False)}" if lines else text
    limit = LONGEST
    while True:
        written = [_written(part) for part in split(html, limit)]
        if limit <= LONGEST // 4 or all(_units(part) <= LONGEST for part in written):
            return written
        limit -= 100  # the marks and the addresses of links count too


def one_line(text: str, keyboard: Keyboard = ()) -> str:
    """Write a text and its choices so that a template takes it: one line, no markup, not too long."""
    words = " ".join(visible(text).split())
    choices = " ".join(numbered.lines(keyboard).split())
    room = LONGEST_VARIABLE - len(choices) - 3
    words = words if len(words) <= room else f"{words[: max(room - 1, 1)]}…"
    return f"{words} ({choices})" if choices else words


def _written(html: str) -> str:
    with_addresses = _LINK.sub(lambda found: f"{found[3]} ({found[1] or found[2]})", html)
    return unescape(_TAG.sub(lambda found: _MARKS[found[2]], with_addresses))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
