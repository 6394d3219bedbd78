"""What a messenger's carrier keeps of a conversation, deleted at our wish."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from migrebot.messages import Outgoing, Priority, Withdraw
from storage.changes import Change, Enqueue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from migrebot.messages import Address

WITHDRAWING = frozenset({"whatsapp"})
"""The channels whose messenger keeps copies of its own that the program can delete."""

WITHDRAWN_AFTER = timedelta(minutes=15)
"""Later, since a message that is on its way cannot be deleted, and the last one has yet to go."""


def withdrawn(address: Address, now: datetime) -> Iterator[Change]:
    """Have what is kept of the conversation at an address deleted, if the messenger does so."""
    if address.channel in WITHDRAWING:
        body, at = Withdraw(), now + WITHDRAWN_AFTER
        yield Enqueue(Outgoing(address=address, body=body, priority=Priority.QUESTION, not_before=at))
