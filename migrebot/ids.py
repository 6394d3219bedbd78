"""Fresh ids for rows: they grow with time, so that rows lie in the order of their making, and are hard to guess."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from struct import iter_unpack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrebot.clock import Clock

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RANDOM_BITS = 22


def id_source(clock: Clock) -> Callable[[], int]:
    """Give a function that yields a new id each time: milliseconds since 2020 and 22 random bits, below 2**63."""
    random, moment, drawn = _random_numbers(), 0, set[int]()

    def new_id() -> int:
        nonlocal moment
        if (now := (clock.now() - _EPOCH) // _MILLISECOND) != moment:
            moment = now
            drawn.clear()
        # Hundreds may be wanted within a millisecond: that two of ten thousand are the same is not rare at all.
        while (number := next(random)) in drawn:
            pass
        drawn.add(number)
        return now << _RANDOM_BITS | number

    return new_id


def _random_numbers() -> Iterator[int]:
    """Give numbers of so many random bits. The system is asked for a thousand bytes at once: asking takes longest."""
    while True:
        for (number,) in iter_unpack("I", secrets.token_bytes(1_024)):
            yield number >> (32 - _RANDOM_BITS)


class RepeatableIds:
    """A source that yields the same ids again after `rewind`.

    An answer that asks for facts is worked out anew when they are there. With new ids it would ask for the facts of
    another row than before, again and again.
    """

    def __init__(self, new_id: Callable[[], int]) -> None:
        self._new_id = new_id
        self._drawn: list[int] = []
        self._next = 0

    def rewind(self) -> None:
        """Begin again with the first id."""
        self._next = 0

    def __call__(self) -> int:
        """Give the next id, a new one once those drawn before are used up."""
        if self._next == len(self._drawn):
            self._drawn.append(self._new_id())
        self._next += 1
        return self._drawn[self._next - 1]
