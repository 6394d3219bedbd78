"""The form that asks until when a reminder that fired shall be put off."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from migrebot.dialogue import engine, understanding
from migrebot.dialogue.form import ENTRY, Complaint, Form, Step, View
from migrebot.dialogue.menus import firing
from migrebot.dialogue.turn import Answer, say
from migrebot.reminders.phrases import NotUnderstood, Question, Understood, understand
from storage.facts import OccurrenceById, ReminderById

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn


def begin(turn: Turn, occurrence_id: int) -> Answer:
    """Ask until when."""
    return engine.begin(FORM, turn, answers={ENTRY: occurrence_id})


def _parse(view: View, text: str) -> str | Complaint:
    turn = view.turn
    match understand(text, language=turn.user.language, timezone=turn.timezone, now=turn.now):
        case Understood(task="", schedule=schedule, first=first) if not schedule.repeats:
            return first.isoformat()
        case NotUnderstood() as answer:
            return Complaint(understanding.reason(answer, turn))
        case Understood() | Question():
            return Complaint(view.tr("I need one clear time, for example: in 3 hours, tomorrow at 9:00"))


def _finish(view: View) -> Answer:
    turn = view.turn
    occurrence = turn.facts(OccurrenceById(turn.user.id, view.answers[ENTRY]))
    reminder = turn.facts(ReminderById(turn.user.id, occurrence.reminder_id)) if occurrence is not None else None
    if occurrence is None or reminder is None or reminder.deleted_at is not None:
        return say(view.tr("That reminder no longer exists."), in_place=True)
    until = max(datetime.fromisoformat(view.answers["until"]), turn.now)
    return firing.snooze_until(turn, reminder, occurrence, until)


FORM = Form(
    name="snooze",
    wire_name="SnoozeReminderForm",
    wire_steps=("until",),
    steps=(
        Step(
            name="until",
            wire_name="until",
            question=lambda view: view.tr("When shall I remind you again? For example: in 3 hours, tomorrow at 9:00"),
            parse=_parse,
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - the firing stays as it was
)
"""The form as the engine conducts it."""
