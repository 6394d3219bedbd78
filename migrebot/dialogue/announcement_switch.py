"""What somebody wants of the owner's announcements: a switch in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.announcements.announcement import AnnouncementWish
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.messages import Button
from storage.changes import SaveAnnouncementWish
from storage.facts import AnnouncementWishOf

if TYPE_CHECKING:
    from collections.abc import Sequence


def setting(turn: Turn) -> Button:
    """Give the button of the settings that switches announcements."""
    return _switch(turn, is_off=not turn.facts(AnnouncementWishOf(turn.user.id)).is_off)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on the switch; None if there is no such button."""
    if action not in {"on", "off"} or arguments:
        return None
    tr, is_off = turn.tr, action == "off"
    said = (
        tr("You get no announcements any more. Reminders and answers come as before.")
        if is_off
        else tr("From now on you get announcements again.")
    )
    saved = SaveAnnouncementWish(AnnouncementWish(user_id=turn.user.id, is_off=is_off))
    return Answer(changes=(saved,)) + say(said, ((_switch(turn, is_off=not is_off),),))


def _switch(turn: Turn, *, is_off: bool) -> Button:
    tr = turn.tr
    if is_off:
        return Button(tr.plain("Announcements: turn off"), "n:off")
    return Button(tr.plain("Announcements: turn on"), "n:on")
