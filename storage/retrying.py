"""The rule for messages that an unclean stop left in the middle of sending: at most twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.messages import Edit, Priority, Toast, Withdraw
from storage.interface import MAX_ATTEMPTS, REPEATABLE_ATTEMPTS

if TYPE_CHECKING:
    from storage.records import OutboxRow


def may_go_again(row: OutboxRow) -> bool:
    """Tell whether a message whose fate is unknown may be sent once more."""
    if isinstance(row.body, Edit | Toast | Withdraw):
        return row.attempts < REPEATABLE_ATTEMPTS
    # Nobody misses an announcement; twice the same one is a nuisance to everybody.
    return row.priority != Priority.ANNOUNCEMENT and row.attempts < MAX_ATTEMPTS
