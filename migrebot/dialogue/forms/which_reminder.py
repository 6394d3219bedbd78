"""The form that asks which reminder shall be deleted: by its code, its number in the list, or a press."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.dialogue import engine
from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.menus import reminders
from migrebot.dialogue.turn import Answer, say
from storage.facts import LastList, RemindersOf

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn

LONGEST_LABEL = 40
PAGE = 8


def delete(turn: Turn, argument: str) -> Answer:
    """Delete the reminder that a code or number names, or ask which one."""
    if not turn.facts(RemindersOf(turn.user.id)):
        return reminders.list_(turn)
    if not argument:
        return engine.begin(FORM, turn)
    reminder = reminders.named(turn, argument)
    if reminder is None:
        return engine.begin(FORM, turn, said=_unknown(turn))
    return reminders.delete(turn, reminder)


def _unknown(turn: Turn) -> str:
    return turn.tr("I find no reminder of that code or number.")


def _choices(view: View) -> Rows:
    """Offer what was listed last, in that order, or else what is due first."""
    found = {one.code: one for one in view.facts(RemindersOf(view.user_id))}
    codes = view.facts(LastList(view.user_id)) or ()
    shown = [code for code in (*codes, *(code for code in found if code not in codes)) if code in found]
    start = int(view.session.page or 0)
    rows = [[Choice(_label(code, found[code].task), code)] for code in shown[start : start + PAGE]]
    turning = []
    if start:
        turning.append(Choice("‹", str(max(0, start - PAGE)), turns_page=True))
    if len(shown) > start + PAGE:
        turning.append(Choice(view.tr.plain("More…"), str(start + PAGE), turns_page=True))
    return [*rows, turning]


def _label(code: str, task: str) -> str:
    label = f"{task} · {code}"
    return label if len(label) <= LONGEST_LABEL else f"{task[: LONGEST_LABEL - len(code) - 4]}… · {code}"


def _parse(view: View, text: str) -> str | Complaint:
    reminder = reminders.named(view.turn, text)
    return Complaint(_unknown(view.turn)) if reminder is None else reminder.code


def _finish(view: View) -> Answer:
    reminder = reminders.named(view.turn, view.answers["reminder"])
    if reminder is None:
        return say(view.tr("That reminder no longer exists."), in_place=True)
    return reminders.delete(view.turn, reminder)


FORM = Form(
    name="which_reminder",
    wire_name="DeleteReminderForm",
    wire_steps=("reminder",),
    steps=(
        Step(
            name="reminder",
            wire_name="reminder",
            question=lambda view: view.tr("Which reminder shall I delete?"),
            choices=_choices,
            parse=_parse,
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing was deleted
)
"""The form as the engine conducts it."""
