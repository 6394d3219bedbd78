"""A reminder that fired: its message, and what the person does with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup, escape

from migrebot.dialogue import overuse, words
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.diary.entries import Intake
from migrebot.i18n import N_, Translator, translator
from migrebot.messages import Button, Keyboard, Outgoing, Priority, Say
from migrebot.reminders import wording
from migrebot.reminders.occurrences import resolve
from migrebot.reminders.planning import LATE
from migrebot.typed import parse_id
from storage.changes import Change, SaveIntake, SaveOccurrence
from storage.facts import IntakeById, OccurrenceById, ReminderById

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.reminders.reminder import AnswerGiven, Occurrence, Reminder
    from storage.records import Due

SNOOZES = {"10": timedelta(minutes=10), "60": timedelta(hours=1)}
"""By how long a firing can be put off with one press, by what the button carries."""

TOMORROW = "day"
OWN = "own"

_ANSWERS: dict[str, AnswerGiven] = {"done": "done", "taken": "taken", "skip": "skipped"}
_MARKS: dict[AnswerGiven, str] = {"done": "✅", "taken": "✅", "skipped": "⏭", "snoozed": "💤"}
_SAID: dict[AnswerGiven, str] = {
    "done": N_("Done at %(clock)s."),
    "taken": N_("Taken at %(clock)s, and written into your diary."),
    "skipped": N_("Skipped at %(clock)s."),
    "snoozed": N_("I will remind you again %(when)s, %(left)s."),
}


# --- the message -------------------------------------------------------------------------------------------------


def message(due: Due, occurrence: Occurrence, meant_for: datetime, now: datetime) -> Outgoing:
    """Write the message of a firing that was meant for an instant."""
    tr, reminder = translator(due.language), due.reminder
    lines = [_title("⏰" if reminder.medicine is None else "💊", reminder, tr)]
    if occurrence.nagged:
        lines.append(tr("Once more, since you have not answered yet."))
    elif now - meant_for > LATE:
        lines.append(_late(reminder, occurrence, meant_for, now, tr))
    return Outgoing(
        address=due.address,
        body=Say("\n".join(lines), _open_keyboard(reminder, occurrence, tr)),
        user_id=reminder.user_id,
        priority=Priority.REMINDER,
    )


def _title(mark: str, reminder: Reminder, tr: Translator) -> Markup:
    # Ten thousand may fire at once: writing it in with % takes four times as long.
    title = Markup(f"{mark} <b>{escape(reminder.task)}</b>")  # noqa: S704 - escaped just there
    medicine = reminder.medicine
    if medicine is None:
        return title
    taken = words.medicine(medicine.drug, medicine.amount, medicine.unit, tr)
    return title if taken.casefold() in reminder.task.casefold() else Markup("%s\n%s") % (title, taken)


def _late(reminder: Reminder, occurrence: Occurrence, meant_for: datetime, now: datetime, tr: Translator) -> Markup:
    zone = ZoneInfo(reminder.schedule.timezone)
    when = wording.moment(meant_for.astimezone(zone), tr, now.astimezone(zone).date())
    said = tr(
        "Late by %(length)s: it was meant for %(when)s, and I could not run then.",
        length=wording.length(now - meant_for, tr),
        when=when,
    )
    if not occurrence.missed:
        return said
    more = tr.n("It was missed %(n)s more time since.", "It was missed %(n)s more times since.", occurrence.missed)
    return Markup("%s %s") % (said, more)


def _open_keyboard(reminder: Reminder, occurrence: Occurrence, tr: Translator) -> Keyboard:
    labels, id_ = _labels(tr), occurrence.id
    if reminder.medicine is None:
        first: tuple[Button, ...] = (Button(labels.done, f"r:done:{id_}"),)
    else:
        first = (Button(labels.taken, f"r:taken:{id_}"), Button(labels.skip, f"r:skip:{id_}"))
    return (
        first,
        (Button(labels.soon, f"r:snooze:{id_}:10"), Button(labels.hour, f"r:snooze:{id_}:60")),
        (Button(labels.tomorrow, f"r:snooze:{id_}:{TOMORROW}"), Button(labels.own, f"r:snooze:{id_}:{OWN}")),
    )


class _Labels(NamedTuple):
    done: str
    taken: str
    skip: str
    soon: str
    hour: str
    tomorrow: str
    own: str


@cache
def _labels(tr: Translator) -> _Labels:
    return _Labels(
        done="✅ " + tr.plain("Done"),
        taken="✅ " + tr.plain("Taken"),
        skip="⏭ " + tr.plain("Skip"),
        soon=tr.plain("In 10 min"),
        hour=tr.plain("In 1 hour"),
        tomorrow=tr.plain("Tomorrow"),
        own=tr.plain("Another time…"),
    )


# --- what the person does with it --------------------------------------------------------------------------------


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a button of such a message; None if there is no such button.

    The firing is looked up among the user's own. An answer given twice is one; after an answer only "undo" counts.
    """
    occurrence_id = parse_id(arguments[0]) if arguments else None
    if occurrence_id is None:
        return None
    occurrence = turn.facts(OccurrenceById(turn.user.id, occurrence_id))
    if occurrence is None:
        return _is_gone(turn)
    reminder = turn.facts(ReminderById(turn.user.id, occurrence.reminder_id))
    if reminder is None:
        return _is_gone(turn)
    if action == "reopen" and len(arguments) == 1:
        return _reopen(turn, reminder, occurrence)
    if occurrence.answer not in {None, "snoozed"}:
        return _shown(turn, reminder, occurrence)
    if action == "snooze" and len(arguments) == 2:
        if reminder.deleted_at is not None:
            return Answer(toast=turn.tr.plain("That reminder was deleted."))
        return _snooze(turn, reminder, occurrence, arguments[1])
    if action in _ANSWERS and len(arguments) == 1 and (action == "done") == (reminder.medicine is None):
        return _answered(turn, reminder, occurrence, _ANSWERS[action])
    return None


def _is_gone(turn: Turn) -> Answer:
    return Answer(toast=turn.tr.plain("That reminder no longer exists."))


def may_be_put_off(turn: Turn, occurrence: Occurrence) -> bool:
    """Tell whether a firing still waits for an answer and its reminder was not deleted."""
    reminder = turn.facts(ReminderById(turn.user.id, occurrence.reminder_id))
    return occurrence.answer in {None, "snoozed"} and reminder is not None and reminder.deleted_at is None


def snooze_until(turn: Turn, reminder: Reminder, occurrence: Occurrence, until: datetime) -> Answer:
    """Put a firing off until an instant; the series goes on as it was."""
    put_off = msgspec.structs.replace(occurrence, answer="snoozed", answered_at=turn.now, again_at=until)
    return Answer(changes=(SaveOccurrence(put_off),)) + _shown(turn, reminder, put_off)


def _snooze(turn: Turn, reminder: Reminder, occurrence: Occurrence, choice: str) -> Answer | None:
    if choice in SNOOZES:
        return snooze_until(turn, reminder, occurrence, turn.now + SNOOZES[choice])
    if choice == TOMORROW:
        return snooze_until(turn, reminder, occurrence, _tomorrow(turn, occurrence))
    return None


def _tomorrow(turn: Turn, occurrence: Occurrence) -> datetime:
    """Give the time of the day it was meant for, tomorrow."""
    zone = ZoneInfo(turn.timezone)
    clock = occurrence.due_at.astimezone(zone).time().replace(second=0, microsecond=0)
    return resolve(datetime.combine(turn.today + timedelta(days=1), clock), turn.timezone)


def _answered(turn: Turn, reminder: Reminder, occurrence: Occurrence, answer: AnswerGiven) -> Answer:
    given = msgspec.structs.replace(occurrence, answer=answer, answered_at=turn.now, again_at=None)
    changes: tuple[Change, ...] = (SaveOccurrence(given),)
    told = Answer()
    if answer == "taken" and reminder.medicine is not None:
        medicine = reminder.medicine
        # The id of the firing: however often it is pressed, it is one intake.
        intake = Intake(
            id=occurrence.id,
            user_id=turn.user.id,
            day=turn.today,
            timezone=turn.timezone,
            drug=medicine.drug,
            created_at=turn.now,
            amount=medicine.amount,
            unit=medicine.unit,
        )
        changes = (SaveIntake(intake), *changes)
        told = overuse.notice(turn, (intake,))
    return Answer(changes=changes) + _shown(turn, reminder, given) + told


def _reopen(turn: Turn, reminder: Reminder, occurrence: Occurrence) -> Answer:
    """Take an answer back, and with it the intake it made."""
    again = msgspec.structs.replace(occurrence, answer=None, answered_at=None, again_at=None)
    changes: tuple[Change, ...] = (SaveOccurrence(again),)
    intake = turn.facts(IntakeById(turn.user.id, occurrence.id)) if occurrence.answer == "taken" else None
    if intake is not None:
        changes = (SaveIntake(msgspec.structs.replace(intake, deleted_at=turn.now)), *changes)
    return Answer(changes=changes) + _shown(turn, reminder, again)


def _shown(turn: Turn, reminder: Reminder, occurrence: Occurrence) -> Answer:
    """Show what became of a firing."""
    tr, answer = turn.tr, occurrence.answer
    if answer is None or occurrence.answered_at is None:
        title = _title("⏰" if reminder.medicine is None else "💊", reminder, tr)
        return say(title, _open_keyboard(reminder, occurrence, tr), in_place=True)
    zone = ZoneInfo(turn.timezone)
    when, left = "", ""
    if occurrence.again_at is not None:
        when = wording.moment(occurrence.again_at.astimezone(zone), tr, turn.today)
        left = wording.time_left(occurrence.again_at - turn.now, tr)
    said = tr(_SAID[answer], clock=tr.time(occurrence.answered_at.astimezone(zone)), when=when, left=left)
    undo = Button(tr.plain("Undo"), f"r:reopen:{occurrence.id}")
    keyboard = ((*_open_keyboard(reminder, occurrence, tr)[0], undo),) if answer == "snoozed" else ((undo,),)
    return say(Markup("%s\n%s") % (_title(_MARKS[answer], reminder, tr), said), keyboard, in_place=True)
