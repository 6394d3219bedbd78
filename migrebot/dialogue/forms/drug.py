"""The form for a medicine on one's own list: its name, one's own daily maximum, and what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from migrebot.dialogue import doses, engine, words
from migrebot.dialogue.form import ENTRY, ONLY, Choice, Complaint, Form, Rows, Step, View, nothing_saved
from migrebot.dialogue.forms.medicines import parse_name, parse_yes_or_no, yes_no_choices
from migrebot.dialogue.turn import Answer, say
from migrebot.diary import dictionary
from migrebot.diary.entries import Drug
from migrebot.diary.parsing import parse_amount
from migrebot.messages import Button
from migrebot.typed import folded
from storage.changes import SaveDrug
from storage.facts import DrugById, DrugNames, OwnDrugs

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn

FIELDS = ("name", "daily_max", "is_painkiller", "is_antipyretic")

NONE = "none"
"""The answer to one's own maximum that takes a stored one back."""

MAX_DAILY_MG = 100_000
MOST_NAMES = 8
"""How many names of medicines taken before are on offer."""

_MG = {"mg": 1.0, "g": 1000.0, "mcg": 0.001}


# --- the steps ---------------------------------------------------------------------------------------------------


def _parse_name(view: View, text: str) -> str | list[str] | Complaint:
    """Take a name; one the dictionary does not know but has similar ones for is asked about, as a list."""
    name = parse_name(view, text)
    if isinstance(name, Complaint):
        return name
    if _is_listed(view, name):
        return Complaint(view.tr("%(drug)s is on your list already.", drug=name))
    if dictionary.find(name) or not (similar := dictionary.suggest(name)):
        return name
    return [name, *(other for other in similar if not _is_listed(view, other))]


def _is_listed(view: View, name: str) -> bool:
    own = view.facts(OwnDrugs(view.user_id))
    return any(folded(drug.name) == folded(name) and drug.id != view.answers.get(ENTRY) for drug in own)


def _name_choices(view: View) -> Rows:
    asked = view.answers.get("name")
    if isinstance(asked, list):
        typed, *similar = asked
        keep = Choice(view.tr.plain("Keep “%(name)s”", name=typed), typed)
        return [*([Choice(name, name)] for name in similar), [keep]]
    names = [name for name in view.facts(DrugNames(view.user_id)) if not _is_listed(view, name)]
    offered = [Choice(name, name) for name in names[:MOST_NAMES] if not view.changes_record]
    return [offered[i : i + 2] for i in range(0, len(offered), 2)]


def _name_question(view: View) -> Markup:
    if isinstance(view.answers.get("name"), list):
        return view.tr("I do not know this name. Did you mean one of these?")
    return view.tr("What is the medicine called? Write its name, as it is on the box.")


def _parse_daily_max(view: View, text: str) -> float | Complaint:
    amount = parse_amount(text)
    milligrams = amount[0] * _MG[amount[1]] if amount and amount[1] in _MG else 0
    if not 0 < milligrams <= MAX_DAILY_MG:
        return Complaint(view.tr("I need a number of milligrams, for example 3000 mg or 3 g."))
    return float(milligrams)


def _daily_max_choices(view: View) -> Rows:
    label = doses.label_limit(view.answers["name"])
    of_label = [Choice(words.amount(label.amount, label.unit, view.tr), label.amount)] if label else []
    is_set = view.changes_record and view.answers["daily_max"] is not None
    return [of_label, [Choice(view.tr.plain("No maximum of my own"), NONE)] if is_set else []]


def _daily_max_question(view: View) -> Markup:
    question = view.tr("How much of it may you take in a day, in mg? Skip it if you have no maximum of your own.")
    known = doses.information(view.turn, view.answers["name"])
    return Markup("\n\n").join(part for part in (known, question) if part)


def _step(name: str, wire_name: str, question: Any, **more: Any) -> Step:
    more = {"parse": parse_yes_or_no, "choices": yes_no_choices} | more
    return Step(name=name, wire_name=wire_name, question=question, optional=True, saveable=True, **more)


STEPS = (
    Step(name="name", wire_name="name", question=_name_question, choices=_name_choices, parse=_parse_name),
    _step("daily_max", "daily_max", _daily_max_question, parse=_parse_daily_max, choices=_daily_max_choices),
    _step("is_painkiller", "is_painkiller", lambda view: view.tr("Do you take it against pain?")),
    _step("is_antipyretic", "is_temp_reducer", lambda view: view.tr("Does it bring down a fever?")),
)


def _following(view: View, step: str) -> tuple[str, int] | None:
    if step == "name" and isinstance(view.answers["name"], list):
        return ("name", 0)
    if view.asks_one_field or step == FIELDS[-1]:
        return None
    return (FIELDS[FIELDS.index(step) + 1], 0)


# --- the end -----------------------------------------------------------------------------------------------------


def _finish(view: View) -> Answer:
    turn = view.turn
    if not view.changes_record:
        empty = Drug(id=turn.new_id(), user_id=turn.user.id, name="", created_at=turn.now)
        return _save(view, empty, turn.tr("It is on your list."))
    before = _stored(view)
    if before is None:
        return say(view.tr("That medicine is no longer on your list, so there was nothing to change."))
    return _save(view, before, turn.tr("Changed."))


def _save(view: View, before: Drug, said: str) -> Answer:
    """Store the medicine as answered; of a stored one, what was skipped stays as it was."""
    answers = {name: answer for name, answer in view.answers.items() if answer is not None}
    daily_max = answers.get("daily_max", before.daily_max_mg)
    drug = msgspec.structs.replace(
        before,
        name=answers["name"],
        daily_max_mg=None if daily_max == NONE else daily_max,
        is_painkiller=answers.get("is_painkiller", before.is_painkiller),
        is_antipyretic=answers.get("is_antipyretic", before.is_antipyretic),
    )
    return Answer(changes=(SaveDrug(drug),)) + card(view.turn, drug, said)


def _cancel(view: View) -> Answer:
    before = _stored(view) if view.changes_record else None
    return card(view.turn, before, view.tr("Nothing was changed.")) if before else nothing_saved(view)


def edit(turn: Turn, drug: Drug, field: str) -> Answer:
    """Open the form on one field of a medicine of the list."""
    answers = {
        ENTRY: drug.id,
        ONLY: True,
        "name": drug.name,
        "daily_max": drug.daily_max_mg,
        "is_painkiller": drug.is_painkiller,
        "is_antipyretic": drug.is_antipyretic,
    }
    return engine.begin(FORM, turn, step=field, answers=answers)


def _stored(view: View) -> Drug | None:
    found = view.facts(DrugById(view.user_id, view.answers[ENTRY]))
    return found if found and found.deleted_at is None else None


# --- cards -------------------------------------------------------------------------------------------------------


def card(turn: Turn, drug: Drug, said: str = "") -> Answer:
    """Show a medicine of the list with what the dictionary knows of it; `said` (HTML) goes above it."""
    tr = turn.tr
    labels = {
        "name": tr.plain("Name"),
        "daily_max": tr.plain("Daily maximum"),
        "is_painkiller": tr.plain("Painkiller"),
        "is_antipyretic": tr.plain("Against fever"),
    }
    rows = (FIELDS[:2], FIELDS[2:])
    keyboard = (
        *(tuple(Button(labels[field], f"d:field:{drug.id}:{field}") for field in row) for row in rows),
        (Button(tr.plain("Delete"), f"d:delete:{drug.id}"), Button("‹ " + tr.plain("My medicines"), "d:list:0")),
    )
    parts = (said, _told(turn, drug), doses.information(turn, drug.name))
    text = Markup("\n\n").join(part for part in parts if part)
    return say(text, keyboard, in_place=True)


def _told(turn: Turn, drug: Drug) -> Markup:
    tr = turn.tr
    limit = doses.maximum(drug.daily_max_mg, doses.label_limit(drug.name), tr)
    lines = [Markup("<b>%s</b>") % drug.name]
    lines.append(tr("Daily maximum: %(maximum)s", maximum=limit) if limit else tr("Daily maximum: not known"))
    if drug.is_painkiller is not None:
        lines.append(tr("Painkiller: %(answer)s", answer=words.yes_no(drug.is_painkiller, tr).lower()))
    if drug.is_antipyretic is not None:
        lines.append(tr("Against fever: %(answer)s", answer=words.yes_no(drug.is_antipyretic, tr).lower()))
    return Markup("\n").join(lines)


FORM = Form(
    name="drug",
    wire_name="AddDrugForm",
    wire_steps=("name", "daily_max", "is_painkiller", "is_temp_reducer"),
    steps=STEPS,
    following=_following,
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - a medicine half described is none
    cancel=_cancel,
)
"""The form as the engine conducts it."""
