"""What is said about a phrase: what was assumed, what is asked back, why it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup

from migrebot.i18n import N_
from migrebot.reminders import wording
from migrebot.reminders.phrases import Asked, Assumed, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.dialogue.turn import Turn
    from migrebot.reminders.phrases import NotUnderstood, Question, Understood

LONGEST_LABEL = 60

_ASSUMED: dict[Assumed, str] = {
    Assumed.EVENING: N_("That hour has passed today, so I took the one after noon."),
    Assumed.NEXT_DAY: N_("That time has passed today, so it is tomorrow."),
    Assumed.NEXT_YEAR: N_("That date has passed this year, so it is next year."),
    Assumed.PART_OF_DAY: N_("You named a part of the day, so I chose the hour."),
    Assumed.DEFAULT_TIME: N_("You named no time of the day, so it is nine o’clock."),
    Assumed.SAME_DAY: N_("You named no day, so it is always the one you set it on."),
    Assumed.DAY_FIRST: N_("I read the date as day, then month."),
    Assumed.SHORT_MONTHS: N_("In a shorter month it comes on the last day."),
    Assumed.SKIPPED_TIME: N_("The clocks skip that time, so it comes right after."),
    Assumed.REPEATED_TIME: N_("The clocks show that time twice, and it comes the first time."),
}

_ASKED: dict[Asked, str] = {
    Asked.WHICH_TIME: N_("Which time do you mean?"),
    Asked.WHICH_DAY: N_("Which day do you mean?"),
    Asked.WHICH_UNIT: N_("Which of these do you mean?"),
    Asked.WHICH_TASK: N_("Did I understand you right? Choose, or write it in other words."),
    Asked.WHICH_ZONE: N_("Whose time do you mean?"),
}

_REASONS: dict[Reason, str] = {
    Reason.NO_TIME: N_("I found no time in that."),
    Reason.NO_HOUR: N_("I need the time of the day too."),
    Reason.LEFT_OVER: N_("I did not understand “%(part)s”, and I do not want to guess a time."),
    Reason.CONTRADICTION: N_("“%(part)s” does not go with the rest."),
    Reason.PAST: N_("That would be %(when)s, which has passed."),
    Reason.TOO_FAR: N_("That is more than ten years away."),
    Reason.TOO_OFTEN: N_("That is too often: reminders are at least five minutes apart."),
    Reason.NO_SUCH_DAY: N_("There is no such date: “%(part)s”."),
    Reason.NO_SUCH_TIME: N_("There is no such time: “%(part)s”."),
    Reason.UNKNOWN_ZONE: N_(
        "I do not know the place or time zone “%(part)s”. A city or a zone such as Europe/Paris will do."
    ),
    Reason.BAD_CRON: N_("“%(part)s” is no cron schedule I can use: five fields, at least five minutes apart."),
    Reason.NEVER: N_("That would end before it begins."),
    Reason.TOO_LONG: N_("That is very long for a reminder."),
}


def assumed(understood: Understood, turn: Turn) -> Markup:
    """Say what was assumed; empty if nothing was."""
    return Markup(" ").join(turn.tr(_ASSUMED[one]) for one in understood.assumed)


def asked(question: Question, turn: Turn) -> Markup:
    """Ask back."""
    return turn.tr(_ASKED[question.asked])


def alternatives(question: Question, turn: Turn) -> list[str]:
    """Write the labels of what a phrase may mean, by no more than what tells them apart."""
    labels: list[str] = []
    for fields in ((), ("zone",), ("task",), ("zone", "task")):
        labels = [_alternative(one, turn, fields) for one in question.alternatives]
        if len(set(labels)) == len(labels):
            break
    return labels


def _alternative(understood: Understood, turn: Turn, fields: Sequence[str]) -> str:
    said = wording.schedule(understood.schedule, turn.tr, turn.today)
    more = {"zone": understood.schedule.timezone, "task": understood.task}
    label = ", ".join([said[:1].upper() + said[1:], *(more[field] for field in fields if more[field])])
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1].rstrip(' ,')}…"


def reason(answer: NotUnderstood, turn: Turn) -> Markup:
    """Say why a phrase cannot become a reminder."""
    when = ""
    if answer.instant is not None:
        when = wording.moment(answer.instant.astimezone(ZoneInfo(turn.timezone)), turn.tr, turn.today)
    said = turn.tr(_REASONS[answer.reason], part=answer.part, when=when)
    if not answer.suggestions:
        return said
    return Markup("%s %s") % (said, turn.tr("Did you mean %(list)s?", list=turn.tr.list(answer.suggestions)))
