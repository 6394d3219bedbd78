"""When an announcement may go to somebody, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrebot.announcements.announcement import Outcome
    from migrebot.messages import Address
    from storage.records import Identity

FIRST_HOUR, LAST_HOUR = 10, 20
"""Announcements go from the first to just before the last hour of a person's day."""

WHATSAPP_WINDOW = timedelta(hours=23, minutes=50)
"""WhatsApp takes a message for 24 hours after the person wrote; ours may wait some minutes for its turn."""


def is_open(timezone: str, now: datetime) -> bool:
    """Tell whether it is an hour there at which an announcement disturbs nobody."""
    return FIRST_HOUR <= now.astimezone(ZoneInfo(timezone)).hour < LAST_HOUR


def place(identities: Sequence[Identity], now: datetime) -> Address | Outcome:
    """Choose where somebody gets it: the address seen last of those that take it, or why there is none."""
    reachable = [identity for identity in identities if identity.muted_at is None]
    if not reachable:
        return "blocked"
    open_ = [
        identity
        for identity in reachable
        if identity.address.channel != "whatsapp" or now - identity.seen_at < WHATSAPP_WINDOW
    ]
    return max(open_, key=lambda identity: identity.seen_at).address if open_ else "outside"
