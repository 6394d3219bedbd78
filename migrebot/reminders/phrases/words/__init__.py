"""The words of time, one module a language: nothing but data, read by `migrebot.reminders.phrases.lexicon`."""

from __future__ import annotations

from msgspec import Struct


class Vocabulary(Struct, frozen=True, kw_only=True):
    """What a language says of time.

    `entries` are kinds (see `lexicon`), values, and phrases separated by `|`. The other fields hold what has many
    forms: `numbers` from 0 on, `more_numbers` beyond, `ordinals` of the days of a month, `weekdays` from Monday and
    `months` from January, in every case form; `every_weekday` are forms that mean each of those days. `clocks` are
    phrases around an hour (`{}`), how many hours are added to it and the minute; `hours` its forms there from 1 to 12.
    `weak` words often mean other things: they count only beside other words of time.
    """

    entries: tuple[tuple[str, object, str], ...]
    numbers: tuple[str, ...]
    more_numbers: dict[float, str]
    ordinals: dict[float, str]
    weekdays: tuple[str, ...]
    every_weekday: tuple[str, ...]
    months: tuple[str, ...]
    clocks: tuple[tuple[str, int, int], ...]
    hours: tuple[str, ...]
    weak: frozenset[str] = frozenset()


def compounds(tens: dict[int, str], units: tuple[str, ...], shapes: tuple[str, ...] = ("{} {}",)) -> dict[float, str]:
    """Put numbers such as 35 together: from the words of the tens and those of 1 to 9, each with `|` between forms.

    `units` may be shorter than nine where a language has words of its own for the others.
    """
    return {
        ten + unit: "|".join(
            shape.format(first, second) for shape in shapes for first in words.split("|") for second in forms.split("|")
        )
        for ten, words in tens.items()
        for unit, forms in enumerate(units, start=1)
    }
