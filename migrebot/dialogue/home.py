"""What follows from where a person lives: the time zone, and the hour of the regular question in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from migrebot.dialogue import reminder_cards
from migrebot.dialogue.turn import Answer, Turn
from migrebot.reminders.questions import OFF, Asking, scheduled
from storage.changes import CancelQueued, SaveAsking
from storage.facts import AskingOf

if TYPE_CHECKING:
    from markupsafe import Markup


def moved_to(turn: Turn, zone: str) -> Answer:
    """Store the time zone; the regular question and the reminders that followed the old one keep their local hours."""
    user = msgspec.structs.replace(turn.user, timezone=zone, zone_offered=True)
    asking = scheduled(turn.facts(AskingOf(user.id)), zone, turn.now)
    return Answer(user=user, changes=(SaveAsking(asking), *reminder_cards.in_another_zone(turn, zone)))


def ask_from_now_on(turn: Turn, asking: Asking) -> Answer:
    """Store how the person wants to be asked; a question that still waits to be sent is taken back."""
    changes = (SaveAsking(scheduled(asking, turn.user.timezone, turn.now)), CancelQueued(question_key(turn.user.id)))
    return Answer(changes=changes)


def question_key(user_id: int) -> str:
    """Name the waiting question of a person, so that it can be taken back."""
    return f"question:{user_id}"


def first_words(turn: Turn) -> Markup | str:
    """Tell somebody whose time zone becomes known now that there will be a question; empty for anybody else."""
    asking = turn.facts(AskingOf(turn.user.id))
    if turn.user.timezone is not None or asking.every == OFF:
        return ""
    return turn.tr(
        "From now on I ask you whether your head hurt: %(when)s. /settings changes that or turns it off.",
        when=when_asked(turn, asking),
    )


def when_asked(turn: Turn, asking: Asking) -> str:
    """Say how often and when the regular question comes: "every 2 days at 20:00"."""
    tr = turn.tr
    clock = f"{asking.at:%H:%M}"
    if asking.every == OFF:
        return tr.plain("off")
    if asking.every == 1:
        return tr.plain("daily, %(clock)s", clock=clock)
    return str(tr.n("every %(n)s day, %(clock)s", "every %(n)s days, %(clock)s", asking.every, clock=clock))
