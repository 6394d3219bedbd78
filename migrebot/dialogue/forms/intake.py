"""The form for a medicine taken: the day, the medicine, how much; one tap repeats the last one."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from migrebot.dialogue import cards, engine, overuse, words
from migrebot.dialogue.form import ENTRY, ONLY, Choice, Form, Rows, Step, View, nothing_saved
from migrebot.dialogue.forms import medicines
from migrebot.dialogue.forms.days import day_choices, parse_past_day
from migrebot.dialogue.turn import Answer, Reply, say
from migrebot.diary.entries import Intake
from migrebot.messages import Button
from storage.changes import SaveIntake
from storage.facts import IntakeById, LastIntake

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn

SAME = "same"
"""The answer to "when" that means: the same as last time, today."""

FIELDS = ("date", "drug", "amount")


# --- the steps ---------------------------------------------------------------------------------------------------


def _date_choices(view: View) -> Rows:
    last = None if view.changes_record else view.facts(LastIntake(view.user_id))
    if last is None:
        return day_choices(view)
    what = words.medicine(last.drug, last.amount, last.unit, view.tr)
    return day_choices(view, before=[[Choice("↻ " + view.tr.plain("Again: %(medicine)s", medicine=what), SAME)]])


def _store_date(view: View, value: str) -> dict[str, Any]:
    """Keep the day; "the same" also brings the medicine, and another answer takes it back."""
    others = {name: answer for name, answer in view.answers.items() if name not in {"date", SAME}}
    if value != SAME:
        return {**(others if SAME not in view.answers else _without_medicine(others)), "date": value}
    last = view.facts(LastIntake(view.user_id))
    again = [_answer_of(last)] if last else []
    return {**others, "date": str(view.today), "medicines": again, SAME: bool(again)}


def _without_medicine(answers: dict[str, Any]) -> dict[str, Any]:
    return {name: answer for name, answer in answers.items() if name != "medicines"}


def _answer_of(intake: Intake) -> dict[str, Any]:
    """Give a stored medicine in the words of the form."""
    return {"drug": intake.drug, "amount": None if intake.amount is None else [intake.amount, intake.unit]}


def _confirm_choices(view: View) -> Rows:
    return [
        [Choice(view.tr.plain("Save it"), value=True)],
        [Choice(view.tr.plain("Change the amount"), value=False)],
    ]


def _confirm_question(view: View) -> Markup:
    return Markup("\n\n").join((medicines.warning(view), view.tr("Shall I save it like this?")))


STEPS = (
    Step(
        name="date",
        wire_name="date",
        question=lambda view: view.tr("When did you take it?"),
        choices=_date_choices,
        parse=parse_past_day,
        daily=True,
        store=_store_date,
    ),
    msgspec.structs.replace(medicines.DRUG, optional=False, saveable=False),
    msgspec.structs.replace(medicines.AMOUNT, saveable=False),
    Step(
        name="confirm",
        wire_name="amount",
        question=_confirm_question,
        choices=_confirm_choices,
        parse=medicines.parse_yes_or_no,
    ),
)


def _following(view: View, step: str) -> tuple[str, int] | None:
    answers = view.answers
    if step == "confirm":
        return None if answers["confirm"] else ("amount", 0)
    if step == "drug":
        (told,) = medicines.medicines_of(answers)
        if medicines.SIMILAR in told:
            return ("drug", 0)
        if told["amount"] is None:
            return ("amount", 0)
    if step == "date" and not (answers.get(SAME) or view.asks_one_field):
        return ("drug", 0)
    return ("confirm", 0) if medicines.warning(view) else None


# --- the end -----------------------------------------------------------------------------------------------------


def _finish(view: View) -> Answer:
    if not view.changes_record:
        return _add(view)
    before = _stored(view)
    if before is None:
        return say(view.tr("That entry no longer exists, so there was nothing to change."))
    return _save(view, _entry(view, before), view.tr("Changed."))


def _abandon(view: View) -> Answer:
    """Keep a medicine that was named."""
    if not medicines.medicines_of(view.answers):
        return Answer()
    said = view.tr("I saved what you had told me so far.")
    before = _stored(view) if view.changes_record else None
    if view.changes_record and (before is None or _entry(view, before) == before):
        return Answer()
    answer = _add(view, said) if before is None else _save(view, _entry(view, before), said)
    kept = [msgspec.structs.replace(reply, in_place=False) for reply in answer.replies if isinstance(reply, Reply)]
    return msgspec.structs.replace(answer, replies=tuple(kept))


def _cancel(view: View) -> Answer:
    before = _stored(view) if view.changes_record else None
    return card(view.turn, before, view.tr("Nothing was changed.")) if before else nothing_saved(view)


def record(turn: Turn, answers: dict[str, Any]) -> Answer:
    """Store a medicine told in one line; what is not told, seems mistyped or is above the maximum is asked before."""
    view = View(turn, engine.fresh(FORM, turn, "amount", answers))
    answers = {**answers, "medicines": medicines.doubted(view, medicines.medicines_of(answers))}
    if medicines.first_doubted(answers) is not None:
        return engine.begin(FORM, turn, step="drug", answers=answers)
    if medicines.medicines_of(answers)[0]["amount"] is None:
        return engine.begin(FORM, turn, step="amount", answers=answers)
    if medicines.warning(view):
        return engine.begin(FORM, turn, step="confirm", answers=answers)
    return _add(view)


def begin_on(turn: Turn, day: date) -> Answer:
    """Open the form for a medicine taken on that day."""
    said = Markup("<b>%s</b>") % turn.tr.long_date(day, turn.today)
    return engine.begin(FORM, turn, step="drug", answers={"date": str(day)}, said=said)


def edit(turn: Turn, entry: Intake, step: str) -> Answer:
    """Open the form on one field of a stored medicine."""
    answers = {ENTRY: entry.id, ONLY: True, "date": str(entry.day), "medicines": [_answer_of(entry)]}
    return engine.begin(FORM, turn, step=step, answers=answers)


def _add(view: View, said: str = "") -> Answer:
    turn = view.turn
    empty = Intake(
        id=turn.new_id(), user_id=turn.user.id, day=turn.today, timezone=turn.timezone, drug="", created_at=turn.now
    )
    return _save(view, _entry(view, empty), said or turn.tr("Saved.")) + cards.zone_question(turn)


def _save(view: View, entry: Intake, said: str) -> Answer:
    turn = view.turn
    return Answer(changes=(SaveIntake(entry),)) + card(turn, entry, said) + overuse.notice(turn, (entry,))


def _entry(view: View, before: Intake) -> Intake:
    (told,) = medicines.medicines_of(view.answers)
    # Of a stored one, what was skipped stays as it was.
    kept = (before.amount, before.unit) if told["drug"] == before.drug else (None, "mg")
    amount, unit = told["amount"] or kept
    day = date.fromisoformat(view.answers["date"])
    return msgspec.structs.replace(before, day=day, drug=told["drug"], amount=amount, unit=unit)


def _stored(view: View) -> Intake | None:
    found = view.facts(IntakeById(view.user_id, view.answers[ENTRY]))
    return found if found and found.deleted_at is None else None


# --- cards -------------------------------------------------------------------------------------------------------


def card(turn: Turn, entry: Intake, said: str = "") -> Answer:
    """Show a medicine taken; `said` (HTML) goes above it."""
    tr = turn.tr
    keyboard = (
        (Button(tr.plain("Edit"), f"i:edit:{entry.id}"), Button(tr.plain("Delete"), f"i:delete:{entry.id}")),
        (Button(tr.plain("Add another"), "c:druguse"), cards.to_day(entry.day, tr)),
    )
    return cards.card(said, words.intake(entry, tr, turn.today), keyboard)


def field_menu(turn: Turn, entry: Intake) -> Answer:
    """Show a medicine taken with a button for each of its fields."""
    tr = turn.tr
    labels = {"date": tr.plain("Date"), "drug": tr.plain("Medicine"), "amount": tr.plain("Amount")}
    keyboard = (
        tuple(Button(labels[field], f"i:field:{entry.id}:{field}") for field in FIELDS),
        (Button("‹ " + tr.plain("Back"), f"i:show:{entry.id}"),),
    )
    return cards.card(tr("What shall be changed?"), words.intake(entry, tr, turn.today), keyboard)


FORM = Form(
    name="intake",
    wire_name="ReportDrugUseForm",
    wire_steps=("date", "drugname", "amount"),
    steps=STEPS,
    following=_following,
    finish=_finish,
    abandon=_abandon,
    cancel=_cancel,
)
"""The form as the engine conducts it."""
