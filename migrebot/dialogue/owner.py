"""The person who runs the bot: who that is, and where they are written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.facts import SeenLast, UserAt

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn
    from migrebot.messages import Address
    from storage.records import User


def address(turn: Turn) -> Address | None:
    """Tell where the owner is written to; None without one."""
    owner = turn.setup.owner
    if owner is None or owner.value:
        return owner
    return turn.facts(SeenLast(turn.user.id, owner.channel))


def user(turn: Turn) -> User | None:
    """Tell who the owner is; None without one, and while the owner has yet to write or cannot be written to."""
    where = address(turn)
    return turn.facts(UserAt(turn.user.id, where)) if where else None


def is_owner(turn: Turn) -> bool:
    """Tell whether the owner writes, from whichever messenger."""
    here, there = turn.conversation.identity.address, turn.setup.owner
    if there is None:
        return False
    if here == there or (not there.value and here.channel == there.channel):
        return True
    known = user(turn)
    return known is not None and known.id == turn.user.id
