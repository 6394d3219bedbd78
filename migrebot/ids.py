"""Fresh ids for rows: they grow with time, so that rows lie in the order of their making, and are hard to guess."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrebot.clock import Clock

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 22


def id_source(clock: Clock) -> Callable[[], int]:
    """Give a function that yields a new id each time: milliseconds since 2020 and 22 random bits, below 2**63."""

    def new_id() -> int:
        milliseconds = int((clock.now() - _EPOCH).total_seconds() * 1000)
        return (milliseconds << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)

    return new_id
