"""Maintenance: the person who runs the bot has it to themselves, and what others write waits.

What they write is stored as it came and handled afterwards, in order; buttons do nothing meanwhile, since what they
mean may be another thing by then. Each is told once, and once more when it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from migrebot.dialogue import owner
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.messages import INERT, InGroup, Left, Paid, Press, Refunded, Returned, Unreadable
from storage.changes import ForgetInstant, HoldMessage, NoteInstant
from storage.facts import HasHeld, HeldInAll, NotedInstant

if TYPE_CHECKING:
    from datetime import datetime

    from markupsafe import Markup

    from migrebot.messages import Content, Inbound

SINCE = "maintenance since"
"""The name of the instant at which maintenance began; there is none outside of it."""


def on(turn: Turn) -> Answer:
    """Begin maintenance."""
    if (since := turn.facts(NotedInstant(0, SINCE))) is not None:
        return say(_standing(turn, since))
    said = turn.tr(
        "Maintenance is on, also after a restart. Others get a kind answer, and what they write waits; reminders come"
        " as always. /maintenance_off ends it."
    )
    return Answer(changes=(NoteInstant(SINCE, turn.now),)) + say(said)


def off(turn: Turn) -> Answer:
    """End maintenance."""
    if turn.facts(NotedInstant(0, SINCE)) is None:
        return say(turn.tr("There is no maintenance going on."))
    count = turn.facts(HeldInAll(0))
    said = (
        turn.tr.n(
            "Maintenance is over. %(n)s message waited and is handled now.",
            "Maintenance is over. %(n)s messages waited and are handled now.",
            count,
        )
        if count
        else turn.tr("Maintenance is over. Nobody wrote meanwhile.")
    )
    return Answer(changes=(ForgetInstant(SINCE),)) + say(said)


def standing(turn: Turn) -> Markup | None:
    """Tell the owner that maintenance is on; None if it is not."""
    since = turn.facts(NotedInstant(0, SINCE))
    return None if since is None else _standing(turn, since)


def _standing(turn: Turn, since: datetime) -> Markup:
    begun = since.astimezone(ZoneInfo(turn.timezone))
    return turn.tr(
        "Maintenance is on since %(begun)s. Messages that wait: %(n)s. /maintenance_off ends it.",
        begun=turn.tr.plain("%(day)s, %(clock)s", day=turn.tr.day(begun.date(), turn.today), clock=turn.tr.time(begun)),
        n=turn.facts(HeldInAll(0)),
    )


def concerns(turn: Turn, *, is_over: bool) -> bool:
    """Tell whether what came in has to wait.

    Not so the owner, nor what only tells that somebody left, came back or paid. Once it `is_over`, those alone wait
    whose earlier messages do.
    """
    if _goes_on(turn.content) or owner.is_owner(turn):
        return False
    return not is_over or turn.facts(HasHeld(turn.user.id, turn.conversation.identity.address))


def _goes_on(content: Content) -> bool:
    match content:
        case Left() | Returned() | InGroup() | Paid() | Refunded() | Unreadable("live_location"):
            return True
        case Press(data):
            return data == INERT
        case _:
            return False


def wait(turn: Turn, message: Inbound, *, is_over: bool) -> Answer:
    """Hold what came in, and say so the first time; a button is answered for a moment."""
    tr = turn.tr
    if isinstance(turn.content, Press):
        if is_over:
            return Answer(toast=tr.plain("One moment, please: I am just reading what you wrote."))
        return Answer(toast=tr.plain("I am being looked after just now. Please press again a little later."))
    is_first = not turn.facts(HasHeld(turn.user.id, turn.conversation.identity.address))
    held = Answer(changes=(HoldMessage(turn.user.id, message, is_first),))
    return held + say(notice(turn)) if is_first else held


def notice(turn: Turn) -> Markup:
    """Tell somebody that the bot is being maintained."""
    return turn.tr(
        "🔧 I am being looked after just now. What you write is kept, and I answer it as soon as I am back; your"
        " reminders come as always. The signs of an emergency are in /help."
    )


def back(turn: Turn) -> Answer:
    """Tell somebody whose messages waited that they are handled now."""
    return say(turn.tr("I am back, thank you for your patience. Now to what you wrote:"))
