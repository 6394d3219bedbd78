"""Writing HTML: the one place where what is known becomes markup."""

from __future__ import annotations

from markupsafe import Markup, escape


def html(pattern: str, *values: object) -> Markup:
    """Put values into a pattern of our own by `str.format`; whatever is not Markup is escaped.

    `Markup.format` does the same and takes ten times as long, which a page of a thousand bars and cells cannot afford.
    """
    return Markup(pattern.format(*map(escape, values)))  # noqa: S704 - the patterns are ours, the values are escaped
