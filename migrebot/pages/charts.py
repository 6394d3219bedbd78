"""Bar charts as inline SVG: bars only, coloured by classes; the words around them are HTML, which never shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from msgspec import Struct

from migrebot.pages.writing import html

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from migrebot.i18n import Translator

_COLOURS = ("one", "two", "three")
_HEIGHT = 100
_GAP = 0.2
"""Of the width of a day, what is left free beside its bars."""


class Series(Struct, frozen=True):
    """What one colour stands for, and its number for each day."""

    name: str
    numbers: tuple[int, ...]


def chart(title: str, days: Sequence[date], series: Sequence[Series], tr: Translator, *, stacked: bool) -> Markup:
    """Draw bars for days in order; a missing day is a gap.

    Those of a day stand upon each other (`stacked`), or the later ones, narrower, in front.
    """
    first, last = days[0], days[-1]
    columns = [[one.numbers[index] for one in series] for index in range(len(days))]
    top = max(1, *(sum(column) if stacked else max(column) for column in columns))
    bars = Markup().join(
        _column((day - first).days, day, column, series, tr, top=top, stacked=stacked)
        for day, column in zip(days, columns, strict=True)
    )
    keys = Markup().join(
        html('<span class="key {}">{}</span>', colour, one.name) for colour, one in zip(_COLOURS, series, strict=False)
    )
    width = (last - first).days + 1
    picture = html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        width,
        _HEIGHT,
        _told(title, days, series, tr),
        bars,
    )
    ends = [tr.short_date(day) for day in ([first, last] if first < last else [first])]
    below = Markup().join(html("<span>{}</span>", end) for end in ends)
    return html(
        '<figure><figcaption><h3>{}</h3>{}</figcaption><div class="plot">'
        '<div class="scale" aria-hidden="true"><span>{}</span><span>0</span></div>{}'
        '<div class="days" aria-hidden="true">{}</div></div></figure>',
        title,
        keys,
        top,
        picture,
        below,
    )


def _told(title: str, days: Sequence[date], series: Sequence[Series], tr: Translator) -> str:
    """Say in words what is drawn."""
    sums = ", ".join(f"{one.name}: {sum(one.numbers)}" for one in series)
    return f"{title}, {tr.digits(days[0])} – {tr.digits(days[-1])}: {sums}"


def _column(
    at: int, day: date, numbers: Sequence[int], series: Sequence[Series], tr: Translator, *, top: int, stacked: bool
) -> Markup:
    told = ", ".join(f"{one.name}: {number}" for one, number in zip(series, numbers, strict=True))
    drawn = _stacked(at, numbers, top) if stacked else _in_front(at, numbers, top)
    bars = Markup("".join(drawn))  # noqa: S704 - see `_bar`
    return html("<g><title>{}: {}</title>{}</g>", tr.short_date(day), told, bars)


def _stacked(at: int, numbers: Sequence[int], top: int) -> Iterator[str]:
    below = 0.0
    for colour, number in zip(_COLOURS, numbers, strict=False):
        height = _HEIGHT * number / top
        below += height
        if number:
            yield _bar(colour, at + _GAP / 2, 1 - _GAP, below, height)


def _in_front(at: int, numbers: Sequence[int], top: int) -> Iterator[str]:
    width = 1 - _GAP
    for colour, number in zip(_COLOURS, numbers, strict=False):
        height = _HEIGHT * number / top
        if number:
            yield _bar(colour, at + (1 - width) / 2, width, height, height)
        width /= 2


def _bar(colour: str, left: float, width: float, upper: float, height: float) -> str:
    # Nothing but numbers and our own words: escaping a thousand of them would take longer than the loop may be held.
    y = _HEIGHT - upper
    return f'<rect class="{colour}" x="{left:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'
