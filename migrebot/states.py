"""Who is in which step of which form, as listeners outside see it. Pure.

A state is the wire name of a step, `Form:number:step`. Whoever leaves a step idle for two minutes leaves it here, as
the original bot had it, though the form itself lives on; the next answer brings them back.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

IDLE = timedelta(minutes=2)
"""After so long without an answer somebody has left the step."""

Action = Literal["set", "unset", "refresh"]


class Transition(Struct, frozen=True):
    """Somebody entered (`set`) or left (`unset`) a state."""

    user_id: int
    user_state: str
    action: Action


class States:
    """All states of all forms, each with the people who are in it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._people: dict[str, dict[int, None]] = {name: {} for name in names}
        self._active: OrderedDict[int, tuple[str, datetime]] = OrderedDict()

    def enter(self, user_id: int, state: str, now: datetime) -> list[Transition]:
        """Note that somebody was asked something, or answered and is asked the same again."""
        before = self.state_of(user_id)
        left = self.leave(user_id) if before != state else []
        self._active[user_id] = (state, now)
        self._active.move_to_end(user_id)
        if before == state:
            return []
        self._people.setdefault(state, {})[user_id] = None
        return [*left, Transition(user_id, state, "set")]

    def leave(self, user_id: int) -> list[Transition]:
        """Note that somebody's form ended; says nothing of those who were in none."""
        state, _ = self._active.pop(user_id, ("", None))
        if not state:
            return []
        del self._people[state][user_id]
        return [Transition(user_id, state, "unset")]

    def idle(self, now: datetime) -> list[Transition]:
        """Let everybody leave who has been idle for too long."""
        left: list[Transition] = []
        while self._active:
            user_id, (_, since) = next(iter(self._active.items()))
            if now - since < IDLE:
                break
            left += self.leave(user_id)
        return left

    def next_idle(self) -> datetime | None:
        """Tell when the next one will have been idle for too long; None while nobody is in a form."""
        for _, since in self._active.values():
            return since + IDLE
        return None

    def state_of(self, user_id: int) -> str | None:
        """Tell in which state somebody is; None outside forms."""
        state, _ = self._active.get(user_id, (None, None))
        return state

    def people_in(self, state: str) -> tuple[int, ...]:
        """List who is in a state, in the order they came."""
        return tuple(self._people.get(state, ()))

    def everybody(self) -> dict[int, str]:
        """Give everybody's state."""
        return {user_id: state for user_id, (state, _) in self._active.items()}

    def snapshot(self) -> dict[str, tuple[int, ...]]:
        """Give all states, empty ones too, with the people in them."""
        return {state: tuple(people) for state, people in self._people.items()}
