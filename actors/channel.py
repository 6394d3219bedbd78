"""What a channel promises to the actor that sends: one messenger behind one small interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from storage.records import OutboxRow


class Limits(Struct, frozen=True, kw_only=True):
    """How fast a messenger may be written to: messages per second in all, and per chat with a small burst."""

    per_second: float
    per_chat_second: float
    burst: int = 3
    parallel: int = 32


class Sender(Protocol):
    """Sends one message at a time for each chat; different chats may be sent to at once."""

    @property
    def limits(self) -> Limits:
        """Tell the messenger's limits."""
        ...

    def reachable(self, chat: str) -> bool:
        """Tell whether a message for this chat can be handed over now.

        False leaves it in the outbox without an attempt, until a `ChatOpened` for the chat comes.
        """
        ...

    async def send(self, row: OutboxRow) -> str:
        """Hand the message over and return the messenger's id for it (empty if it has none).

        Bounded in time by the sender itself. Raises `NotSent` if the messenger provably did not take it, `Uncertain`
        if that is unknown, `Refused` if it never will. An edit that changes nothing counts as sent; an edit of a
        message that is gone is sent as a new message. `row.callback_id`, if given, is answered along with it; a
        failure of that answer alone is no failure.
        """
        ...
