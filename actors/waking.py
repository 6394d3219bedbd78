"""Telling delivery that there is something to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.actor import MailboxClosed
from migrebot.logs import get_logger
from migrebot.messages import OutboxFilled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actors.actor import Mailbox
    from migrebot.messages import Ticket, ToDelivery

log = get_logger("delivery")


async def wake(delivery: Mailbox[ToDelivery], tickets: Sequence[Ticket]) -> None:
    """Tell delivery of rows that are stored. If it has ended already they stay in the outbox for the next run."""
    if not tickets:
        return
    try:
        await delivery.put(OutboxFilled(tuple(tickets)))
    except MailboxClosed:
        log.info("delivery_is_closed", left=len(tickets))
