"""The vocabularies, ready to be searched: phrases of words, each with its kind and value.

A kind is one letter, so that the grammar can be patterns over them:

| kinds | what they are | value |
|---|---|---|
| `a` `s` `y` `v` | in front of a time; of a day; `le`, `el`; of either | |
| `i` `B` | "in" before, "from now" behind a length of time | |
| `f` `u` `q` `>` | from, until, for; "to" | |
| `c` `z` `p` | and; what changes a time beyond our grammar ("or", "except"); a mark | |
| `x` `F` | times; times a day | the number |
| `_` `m` `k` `l` | of; of the month; of every month; the last day of a month | |
| `E` `e` `d` | every; every other; daily and its like | (unit, number) |
| `G` `R` `W` `Z` | groups of weekdays; a weekday each week; a weekday; `le lundi` | numbers, 0 is Monday |
| `n` `t` `j` `g` | next; this; next week or month; too vague for us | unit |
| `D` `P` `b` `X` | a day; a part of the day; `дня`, which is also a unit; noon and midnight | days from today; name |
| `o` `U` `L` | hours; other units; a length in minutes | name; minutes |
| `h` `r` | and a half; and so many minutes | minutes |
| `1` `N` `V` `Y` `O` | an article; a number up to 24; others; a year; an ordinal | the number |
| `T` `K` `A` | a date in digits; `5.03`, a date or a time; a month | (year, month, day) each |
| `C` `H` | a clock time; `8h30`, a time or a length | (hour, minute, exact) |
| `M` `Q` `!` | am and pm; `9-10`; `9:00-10:00` | a or p; the numbers |
| `S` | a zone | its name, or None |
| `I` `#` `%` `w` | "remind me to"; a word before a number that is a name; `через день`; any other word | |
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from msgspec import Struct

from migrebot.reminders.phrases.tokens import tokens
from migrebot.reminders.phrases.words import Vocabulary
from migrebot.reminders.phrases.words.en import ENGLISH
from migrebot.reminders.phrases.words.es import SPANISH
from migrebot.reminders.phrases.words.fr import FRENCH
from migrebot.reminders.phrases.words.ru import RUSSIAN
from migrebot.reminders.phrases.words.uk import UKRAINIAN

VOCABULARIES: dict[str, Vocabulary] = {
    "en": ENGLISH,
    "ru": RUSSIAN,
    "uk": UKRAINIAN,
    "fr": FRENCH,
    "es": SPANISH,
}

MOST_HOURS = 24

_COMMON = frozenset(
    re.findall(r"\w+", "no non ni pas mais but not e u o y не но чи за la los les on sino soit hace either")
)
"""Words that mean something else in another language, or change a time too seldom."""


class Meaning(Struct, frozen=True):
    """What a phrase stands for: its kinds, with a value each; a weak one counts only beside other words of time."""

    kinds: str
    values: tuple[Any, ...]
    weak: bool = False


class Node(Struct):
    """A step of the search: the nodes of the words that may follow, and what the words so far mean."""

    following: dict[str, Node]
    meaning: Meaning | None = None


@cache
def lexicon(language: str) -> Node:
    """Give the search tree of one of our languages."""
    root = Node({})
    vocabulary = VOCABULARIES[language]
    # "Remind me to" is part of the form that is the same in all languages, and people mix.
    for other in VOCABULARIES.values():
        for kind, _, phrases in other.entries:
            for phrase in phrases.split("|") if kind == "I" else ():
                _add(root, phrase, Meaning("I", (None,)))
    for kinds, value, phrases in _entries(vocabulary):
        values = value if len(kinds) > 1 and isinstance(value, tuple) else (value,)
        for phrase in filter(None, phrases.split("|")):
            meaning = Meaning(kinds, values, phrase in vocabulary.weak)
            _add(root, phrase, meaning)
            if "'" in phrase and len(phrase) > 4:
                _add(root, phrase.replace("'", ""), meaning)  # many leave the apostrophe out: "девята", "aujourdhui"
    return root


@cache
def telling_words(language: str) -> frozenset[str]:
    """List the single words that hardly mean anything but time, also for those who do not write this language."""
    root = lexicon(language)
    return frozenset(
        word
        for word, node in root.following.items()
        if node.meaning and not node.meaning.weak and node.meaning.kinds[0] in "DPbXERWZAGdUoj" and len(word) > 3
    )


@cache
def day_words(language: str) -> tuple[str, ...]:
    """List the single words that name a day, those that are long enough to be known when they are misspelt."""
    root = lexicon(language)
    return tuple(
        word for word, node in root.following.items() if node.meaning and node.meaning.kinds in "DW" and len(word) > 5
    )


@cache
def link_words(language: str) -> dict[str, str]:
    """Map single words that link times or change them to their kinds: "at", "and", "or"."""
    single = {word: node.meaning.kinds for word, node in lexicon(language).following.items() if node.meaning}
    return {word: kind for word, kind in single.items() if kind in "asvzc" and word not in _COMMON and word.isalpha()}


def _add(root: Node, phrase: str, meaning: Meaning) -> None:
    node = root
    for token in tokens(phrase):
        node = node.following.setdefault(token.word, Node({}))
    node.meaning = meaning


def _entries(vocabulary: Vocabulary) -> list[tuple[str, object, str]]:
    entries: list[tuple[str, object, str]] = [
        ("o" if (kind, value) == ("U", "hour") else kind, value, phrases) for kind, value, phrases in vocabulary.entries
    ]
    entries += [("O", number, words) for number, words in vocabulary.ordinals.items()]
    entries += [(_number_kind(number), number, words) for number, words in enumerate(vocabulary.numbers)]
    entries += [(_number_kind(number), number, words) for number, words in vocabulary.more_numbers.items()]
    entries += [("A", number, words) for number, words in enumerate(vocabulary.months, start=1)]
    entries += [("W", number, words) for number, words in enumerate(vocabulary.weekdays)]
    entries += [("R", number, words) for number, words in enumerate(vocabulary.every_weekday)]
    for shape, shift, minute in vocabulary.clocks:
        for hour, forms in enumerate(vocabulary.hours, start=1):
            phrases = "|".join(shape.format(form) for form in forms.split("|"))
            entries.append(("C", ((hour + shift - 1) % 12 + 1, minute, False), phrases))
    return entries


def _number_kind(number: float) -> str:
    return "N" if number == int(number) and number <= MOST_HOURS else "V"
