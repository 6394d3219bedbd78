"""One's own list of medicines: pages, a card each, add, edit, delete with a question and undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue import engine, words
from migrebot.dialogue.forms import drug as form
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.messages import Button
from migrebot.typed import parse_id
from storage.changes import SaveDrug
from storage.facts import DrugById, OwnDrugs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.diary.entries import Drug

PAGE = 8
"""How many medicines are on one page."""

MOST = 200
"""How many a list holds."""


def medications(turn: Turn, page: int = 0, said: str = "") -> Answer:
    """Show a page of the list; `said` (HTML) goes above it."""
    tr, own = turn.tr, turn.facts(OwnDrugs(turn.user.id))
    start = PAGE * min(page, max(0, len(own) - 1) // PAGE)
    shown = own[start : start + PAGE]
    lines = [_line(turn, drug) for drug in shown] or [
        tr("Your list is empty. What is on it is offered first, and I watch your own daily maximum.")
    ]
    parts = (said, tr("<b>My medicines</b>"), Markup("\n").join(lines))
    rows = [(Button(drug.name, f"d:show:{drug.id}"),) for drug in shown]
    turning = []
    if start:
        turning.append(Button("‹", f"d:list:{start // PAGE - 1}"))
    if len(own) > start + PAGE:
        turning.append(Button("›", f"d:list:{start // PAGE + 1}"))
    keyboard = (*rows, tuple(turning), (Button("+ " + tr.plain("Add a medicine"), "d:add"),))
    text = Markup("\n\n").join(part for part in parts if part)
    return say(text, tuple(row for row in keyboard if row), in_place=True)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on one of these buttons; None if there is no such button.

    A medicine is looked up among the user's own: somebody else's id finds nothing.
    """
    match action, *arguments:
        case ["add"]:
            return _add(turn)
        case ["list", page] if page.isascii() and page.isdigit() and len(page) < 4:
            return medications(turn, int(page))
        case [_, written, *more]:
            return _press_one(turn, action, parse_id(written), more)
        case _:
            return None


def _add(turn: Turn) -> Answer:
    if len(turn.facts(OwnDrugs(turn.user.id))) >= MOST:
        return Answer(toast=turn.tr.plain("Your list is full. Please delete a medicine first."))
    return engine.begin(form.FORM, turn)


def _press_one(turn: Turn, action: str, drug_id: int | None, more: Sequence[str]) -> Answer | None:
    if drug_id is None:
        return None
    drug = turn.facts(DrugById(turn.user.id, drug_id))
    if drug is None:
        return Answer(toast=turn.tr.plain("That medicine is not on your list."))
    if action == "undo" and not more:
        restored = msgspec.structs.replace(drug, deleted_at=None)
        return Answer(changes=(SaveDrug(restored),)) + form.card(turn, restored, turn.tr("It is back on your list."))
    if drug.deleted_at is not None:
        return Answer(toast=turn.tr.plain("That medicine is not on your list."))
    match action, *more:
        case ["show"]:
            return form.card(turn, drug)
        case ["field", field] if field in form.FIELDS:
            return form.edit(turn, drug, field)
        case ["delete"]:
            return _ask(turn, drug)
        case ["sure"]:
            return _delete(turn, drug)
        case _:
            return None


def _ask(turn: Turn, drug: Drug) -> Answer:
    tr = turn.tr
    keyboard = (
        (Button(tr.plain("Yes, delete"), f"d:sure:{drug.id}"),),
        (Button(tr.plain("Keep it on my list"), f"d:show:{drug.id}"),),
    )
    said = tr("Delete <b>%(drug)s</b> from your list? What you recorded in the diary stays.", drug=drug.name)
    return say(said, keyboard, in_place=True)


def _delete(turn: Turn, drug: Drug) -> Answer:
    tr = turn.tr
    deleted = msgspec.structs.replace(drug, deleted_at=turn.now)
    keyboard = ((Button(tr.plain("Undo"), f"d:undo:{drug.id}"), Button("‹ " + tr.plain("My medicines"), "d:list:0")),)
    said = tr("Deleted from your list: %(drug)s.", drug=drug.name)
    return Answer(changes=(SaveDrug(deleted),)) + say(said, keyboard, in_place=True)


def _line(turn: Turn, drug: Drug) -> Markup:
    if drug.daily_max_mg is None:
        return Markup("• %s") % drug.name
    amount = words.amount(drug.daily_max_mg, "mg", turn.tr)
    return Markup("• ") + turn.tr("%(drug)s, at most %(amount)s a day", drug=drug.name, amount=amount)
