"""Chats that have to wait until a messenger's client stands: it is opened late, and in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.messages import Address, ChatOpened

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.actor import Mailbox
    from migrebot.messages import Channel, ToDelivery


class HeldBack:
    """The chats of one channel that were told no; `stands` tells whether the client does."""

    def __init__(self, channel: Channel, delivery: Mailbox[ToDelivery], stands: Callable[[], bool]) -> None:
        self._channel: Channel = channel
        self._delivery = delivery
        self._stands = stands
        self._chats: set[str] = set()

    def reachable(self, chat: str) -> bool:
        """Tell whether the client stands; a chat that was told no goes by `let_go` once it does."""
        if self._stands():
            return True
        self._chats.add(chat)
        return False

    async def let_go(self) -> None:
        """Tell delivery that the chats which were held back can be reached."""
        chats, self._chats = self._chats, set()
        for chat in chats:
            await self._delivery.put(ChatOpened(Address(self._channel, chat)))
