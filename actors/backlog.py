"""What people wrote during maintenance: whether anything of it is left, and what is to be handled next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.actor import MAX_TRIES
from migrebot.dialogue.maintenance import SINCE
from migrebot.messages import Alert
from storage.changes import ForgetInstant, HoldMessage, NoteInstant, SetAsideMessage, Unit
from storage.facts import HeldInAll, NextHeld, NotedInstant
from storage.held_rows import as_raw
from storage.records import InboxKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrebot.clock import Clock
    from storage.interface import Storage
    from storage.records import Held

PAGE = 64
"""Messages that are looked at together."""


class Backlog:
    """Follows what is stored of maintenance.

    `is_maintenance` tells that it is on, `is_releasing` that it is over and messages of it are left. It is over too
    unless there is an owner (`has_owner`): nobody else could ever end it. After `doubt`,
    messages are handled one by one with the attempt committed first, so that one that kills the process, or breaks
    what is around it, cannot do so for ever.
    """

    def __init__(self, *, storage: Storage, clock: Clock, on_alert: Callable[[Alert], None], has_owner: bool) -> None:
        self._storage = storage
        self._has_owner = has_owner
        self._clock = clock
        self._on_alert = on_alert
        self._is_known = False
        self._is_left = False
        self._doubted = 0
        self.is_maintenance = False

    @property
    def is_releasing(self) -> bool:
        """Tell whether messages are to be released now."""
        return self._is_left and not self.is_maintenance

    def doubt(self) -> None:
        """Trust none of the messages that are next."""
        self._doubted = PAGE

    def forget(self) -> None:
        """Look at the storage again: what was committed there may not have been told."""
        self._is_known = False

    async def learn(self) -> None:
        """Look at the storage, unless all of it is known."""
        if self._is_known:
            return
        since, left = NotedInstant(0, SINCE), HeldInAll(0)
        found = await self._storage.load([since, left])
        self.is_maintenance, self._is_left = found[since] is not None and self._has_owner, bool(found[left])
        self._is_known = True

    def follow(self, units: Iterable[Unit]) -> None:
        """Take note of what was committed."""
        for unit in units:
            for change in unit.changes:
                match change:
                    case NoteInstant(name) if name == SINCE:
                        self.is_maintenance = True
                    case ForgetInstant(name) if name == SINCE:
                        self.is_maintenance = False
                    case HoldMessage():
                        self._is_left = True
                    case _:
                        pass

    async def next(self) -> list[Held]:
        """Give the messages to be handled next, at most one of each person; empty once none is left."""
        fact = NextHeld(0, 1 if self._doubted else PAGE)
        page = (await self._storage.load([fact]))[fact]
        self._is_left = bool(page)
        first: dict[int, Held] = {}
        for held in page:
            first.setdefault(held.user_id, held)
        if self._doubted and page:
            self._doubted -= 1
            return [held for held in page if await self.may_be_tried(held)]
        return list(first.values())

    async def may_be_tried(self, held: Held) -> bool:
        """Count an attempt; one that failed too often is set aside."""
        key = InboxKey(held.message.address.channel, held.message.key)
        if await self._storage.attempt(key, self._clock.now()) <= MAX_TRIES:
            return True
        change = SetAsideMessage(held.id, as_raw(held), "it failed each time")
        await self._storage.commit([Unit(changes=(change,), user_id=held.user_id)], self._clock.now())
        self._on_alert(Alert(cause="message set aside", text="A message that waited could not be handled."))
        return False
