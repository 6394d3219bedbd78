"""An announcement, how far it got, and what somebody wants of them, as stored."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from migrebot.messages import Address

Audience = Literal["all", "active", "super-active"]
"""Who gets it: everybody, people with an entry, people who recorded one lately."""

State = Literal["draft", "sending", "paused", "cancelled", "done"]

Outcome = Literal["blocked", "outside", "off"]
"""Why nothing is sent to somebody: unreachable, WhatsApp takes nothing now, not wanted."""


class Announcement(Struct, frozen=True, kw_only=True):
    """An announcement that is prepared or under way.

    `texts` are HTML by language. `chosen` is how many people were chosen when it was started, those who want none
    included. The message `card_id` at `card` shows how far it is; empty if there is none to be edited.
    """

    id: int
    created_at: datetime
    texts: dict[str, str] = {}
    state: State = "draft"
    audience: Audience = "all"
    chosen: int = 0
    card: Address | None = None
    card_id: str = ""


class Counts(Struct, frozen=True, kw_only=True):
    """How many of the people chosen are where; `unknown` if it may have reached them: the connection broke."""

    waiting: int = 0
    queued: int = 0
    sent: int = 0
    blocked: int = 0
    outside: int = 0
    off: int = 0
    unknown: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """Count all of them."""
        return sum(getattr(self, name) for name in self.__struct_fields__)


class Sizes(Struct, frozen=True, kw_only=True):
    """How many people each audience has that want announcements, and how many of all do not."""

    all: int
    active: int
    super_active: int
    off: int

    def of(self, audience: Audience) -> int:
        """Tell how many people an audience has."""
        return {"all": self.all, "active": self.active, "super-active": self.super_active}[audience]


class AnnouncementWish(Struct, frozen=True, kw_only=True):
    """Whether somebody switched announcements off."""

    user_id: int
    is_off: bool = False
