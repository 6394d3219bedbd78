"""Where a person lives: what follows from a time zone that was chosen."""

from __future__ import annotations

import msgspec

from migrebot.dialogue.turn import Answer, Turn


def moved_to(turn: Turn, zone: str) -> Answer:
    """Store the time zone."""
    return Answer(user=msgspec.structs.replace(turn.user, timezone=zone, zone_offered=True))
