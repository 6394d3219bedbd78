"""Codes of reminders: what people see and type, such as `k7`."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

LETTERS = "abcdefghjkmnpqrstuvwxyz"
"""Those that are taken for no other letter or digit, in no letter case: neither i, l nor o."""

DIGITS = "23456789"

_SHAPES = ((LETTERS, DIGITS), (LETTERS, DIGITS, DIGITS), (LETTERS, DIGITS, DIGITS, DIGITS))


def new_code(taken: Collection[str], chance: int) -> str:
    """Give a code that is not taken, as short as there are many free ones; `chance` is any number, to choose by."""
    free: list[str] = []
    for shape in _SHAPES:
        possible = _codes(shape)
        free = [code for code in possible if code not in taken]
        if len(free) > len(possible) // 4:
            break
    if not free:
        raise ValueError("no code is free")
    return free[chance % len(free)]


@cache
def _codes(shape: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("".join(letters) for letters in product(*shape))


def find(typed: str, codes: Sequence[str], listed: Sequence[str] | None) -> str | None:
    """Find the code that a typed code or number means; None if it means none.

    A number is the place, from 1, in the list shown last; before the first one, among the `codes` in their order.
    """
    word = typed.strip().removeprefix("#").casefold()
    if not (word.isascii() and word.isdecimal()):
        return word if word in codes else None
    shown, place = (codes if listed is None else listed), int(word[:6])
    return shown[place - 1] if 0 < place <= len(shown) else None
