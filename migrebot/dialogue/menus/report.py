"""The report as of now, for the person who runs the bot; nothing is closed or counted anew by it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup

from migrebot.dialogue import maintenance
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.reports.backups import remembered, summary
from migrebot.reports.daily import CLOSED_UNTIL, LATELY, told
from storage.facts import Fact, Noted, NotedInstant, SpanBetween, TotalsLately
from storage.names import BACKUP_FIGURES

if TYPE_CHECKING:
    from datetime import datetime


class LoginLink(Fact[str], frozen=True):
    """A one-time link to the owner's page; empty where it would lead nowhere. The storage knows nothing of it.

    `is_here` tells that whoever gets it uses the local chat, and so can open what only this machine serves.
    """

    is_here: bool


def report(turn: Turn) -> Answer:
    """Tell what happened since the last daily report, which comes as always, and how to get to the owner's page."""
    paragraphs = (maintenance.standing(turn), _so_far(turn), _backups(turn), _way_in(turn))
    return say(Markup("\n\n").join(filter(None, paragraphs)))


def _so_far(turn: Turn) -> Markup:
    # Before the program's first look at the time nothing is noted, and nothing can have happened.
    since = turn.facts(NotedInstant(0, CLOSED_UNTIL)) or turn.now
    span = turn.facts(SpanBetween(turn.user.id, since, turn.now))
    totals = turn.facts(TotalsLately(turn.user.id, turn.now - LATELY))
    return told(span.report, totals, _local(turn, turn.now).date(), turn.tr, since=_local(turn, since))


def _backups(turn: Turn) -> Markup:
    figures = remembered(turn.facts(Noted(0, BACKUP_FIGURES)))
    return summary(figures, ZoneInfo(turn.setup.timezone), turn.tr)


def _local(turn: Turn, moment: datetime) -> datetime:
    """Give a moment as the daily report counts it, whose day is the program's."""
    return moment.astimezone(ZoneInfo(turn.setup.timezone))


def _way_in(turn: Turn) -> Markup:
    tr = turn.tr
    link = turn.facts(LoginLink(turn.user.id, turn.conversation.identity.address.channel == "local"))
    if not link:
        return tr("Your page can be opened on the machine itself only: “migrebot login” there prints a link.")
    opens = Markup('<a href="{}">{}</a>').format(link, tr("Open your page"))
    return tr("%(link)s – good for 10 minutes, and once. Keep it to yourself.", link=opens)
