"""Messages that wait for a place to be looked up on the map, which takes a moment and is nobody else's concern.

What the same sender writes meanwhile waits behind, in order. A place is forgotten once its zones were asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from actors.actor import attempt
from migrebot.logs import get_logger
from migrebot.messages import Inbound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from actors.actor import Envelope, Mailbox
    from migrebot.dialogue.whereabouts import ZonesAt
    from migrebot.messages import Address, ToDialogue

AT_ONCE = 2
"""Places looked up at the same time: each takes the memory of the maps, and the processor for a second."""

log = get_logger("dialogue")


class MapRoom:
    """Holds messages until `zones_at` knows their place, then puts them back in front of the mailbox."""

    def __init__(
        self, mailbox: Mailbox[ToDialogue], zones_at: Callable[[float, float], Awaitable[tuple[str, ...]]]
    ) -> None:
        self._mailbox = mailbox
        self._zones_at = zones_at
        self._held: dict[Address, list[Envelope[ToDialogue]]] = {}
        self._found: dict[Envelope[ToDialogue], tuple[str, ...]] = {}
        self._left = anyio.Event()
        self._free = anyio.Semaphore(AT_ONCE)

    def takes(self, envelope: Envelope[ToDialogue]) -> bool:
        """Let a message wait behind one of the same sender's that waits for a place; tell whether there is such."""
        message = envelope.message
        behind = self._held.get(message.address) if isinstance(message, Inbound) else None
        if behind is None:
            return False
        behind.append(envelope)
        return True

    def found(self, envelope: Envelope[ToDialogue]) -> tuple[str, ...] | None:
        """Give the zones of a message's place, once; None if it has yet to be looked up."""
        return self._found.pop(envelope, None)

    async def find(self, place: ZonesAt) -> tuple[str, ...]:
        """Look a place up while everybody waits."""
        return await self._zones_at(place.latitude, place.longitude)

    def hold(self, address: Address, envelope: Envelope[ToDialogue], place: ZonesAt, tasks: TaskGroup) -> None:
        """Let a message wait for its place."""
        self._held[address] = [envelope]
        tasks.start_soon(self._look_up, address, envelope, place)

    async def _look_up(self, address: Address, envelope: Envelope[ToDialogue], place: ZonesAt) -> None:
        async with self._free:
            found = await attempt(self.find(place))
        if isinstance(found, Exception):
            log.error("map_failed", exc_info=found)
        self._found[envelope] = () if isinstance(found, Exception) else found
        self._give_back(address)

    async def somebody_leaves(self) -> bool:
        """Wait until a message goes back; tell whether there was any."""
        if not self._held:
            return False
        await self._left.wait()
        return True

    def close(self) -> None:
        """Give everything back that still waits."""
        for address in list(self._held):
            self._give_back(address)

    def _give_back(self, address: Address) -> None:
        self._mailbox.give_back(self._held.pop(address))
        self._left.set()
        self._left = anyio.Event()
