"""Who a person is who writes for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.languages import choose
from storage.records import Conversation, Identity, User

if TYPE_CHECKING:
    from datetime import datetime

    from migrebot.messages import Address, Profile

_HIGHEST_ID = 2**63 - 1


def telegram_id(address: Address) -> int | None:
    """Give the id a person of this address should have, if the messenger gives one.

    Groups have negative ones at Telegram: those are ours, for people of the other channels.
    """
    if address.channel != "telegram" or not (address.value.isascii() and address.value.isdecimal()):
        return None
    number = int(address.value) if len(address.value) < 20 else 0
    return number if 0 < number <= _HIGHEST_ID else None


class Newcomers:
    """Gives ids and languages to new people; `lowest` is the lowest id given out before."""

    def __init__(self, default_language: str) -> None:
        self.lowest = 0
        self._default_language = default_language

    def meet(self, address: Address, profile: Profile, now: datetime, user_id: int | None) -> Conversation:
        """Give the conversation with a new person, who gets `user_id`, or else a new negative id."""
        if user_id is None:
            self.lowest -= 1
            user_id = self.lowest
        return Conversation(
            user=User(id=user_id, language=choose(profile.language_code, self._default_language), created_at=now),
            identity=Identity(address=address, user_id=user_id, profile=profile, seen_at=now),
            is_new=True,
        )
