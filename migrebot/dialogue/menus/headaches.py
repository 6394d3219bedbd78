"""The buttons below a recorded attack: same medicine, over, details, edit, delete, undo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from migrebot.dialogue import cards, overuse
from migrebot.dialogue.forms import pain
from migrebot.dialogue.turn import Answer, Turn
from migrebot.diary.parsing import MAX_DURATION_H
from migrebot.typed import parse_id
from storage.changes import CancelQueued, Change, SaveHeadache, SaveIntakes
from storage.facts import HeadacheById, IntakesOf, LastIntakes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrebot.diary.entries import Headache, Intake

EDITABLE = ("date", "duration", "intensity", "aura", "triggers", "symptoms", "medicine", "note")


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a card's button; None if there is no such button.

    The attack is looked up among the user's own: somebody else's id finds nothing.
    """
    entry_id = parse_id(arguments[0]) if arguments else None
    if entry_id is None:
        return None
    entry = turn.facts(HeadacheById(turn.user.id, entry_id))
    if entry is None:
        return Answer(toast=turn.tr.plain("That entry no longer exists."))
    if action == "undo":
        return _undo(turn, entry)
    if entry.deleted_at is not None:
        return Answer(toast=turn.tr.plain("That entry was deleted."))
    match action:
        case "field":
            return _edit_field(turn, entry, arguments[1]) if len(arguments) == 2 else None
        case "details":
            return pain.edit(turn, entry, "aura", alone=False)
        case "over":
            return _over(turn, entry)
        case "same":
            return _same_medicine(turn, entry)
        case "delete":
            return _delete(turn, entry)
        case _:
            return _show(turn, entry, action)


def _show(turn: Turn, entry: Headache, action: str) -> Answer | None:
    intakes = turn.facts(IntakesOf(turn.user.id, entry.id))
    match action:
        case "edit":
            return cards.field_menu(turn, entry, intakes)
        case "show":
            return _card(turn, entry, intakes)
        case "done":
            return cards.entry_card(turn, entry, intakes, turn.tr("Saved. Get well soon."))
        case "still":
            said = turn.tr("I am sorry. I hope it eases soon. Press “It is over” when it has passed.")
            return _card(turn, entry, intakes, said)
        case _:
            return None


def _card(turn: Turn, entry: Headache, intakes: Sequence[Intake], said: str = "") -> Answer:
    if entry.is_open:
        last = turn.facts(LastIntakes(turn.user.id, entry.id))
        return cards.open_card(turn, entry, intakes, last, said)
    return cards.entry_card(turn, entry, intakes, said)


def _edit_field(turn: Turn, entry: Headache, step: str) -> Answer | None:
    if step not in EDITABLE:
        return None
    return pain.edit(turn, entry, step, alone=True)


def _over(turn: Turn, entry: Headache) -> Answer:
    intakes = turn.facts(IntakesOf(turn.user.id, entry.id))
    if not entry.is_open or entry.onset is None:
        return cards.entry_card(turn, entry, intakes)
    hours = round((turn.now - entry.onset).total_seconds() / 3600, 2)
    lasted = min(max(hours, 0.02), float(MAX_DURATION_H))
    end = min(max(turn.now, entry.onset), entry.onset + timedelta(hours=MAX_DURATION_H))
    ended = msgspec.structs.replace(entry, end=end, duration_h=lasted)
    changes = (SaveHeadache(ended), CancelQueued(cards.follow_up_key(entry.id)))
    return Answer(changes=changes) + cards.entry_card(turn, ended, intakes, turn.tr("Good that it is over."))


def _same_medicine(turn: Turn, entry: Headache) -> Answer:
    had = turn.facts(IntakesOf(turn.user.id, entry.id))
    last = turn.facts(LastIntakes(turn.user.id, entry.id))
    if had or not last:
        return _card(turn, entry, had)
    return pain.take_again(turn, entry, last)


def _delete(turn: Turn, entry: Headache) -> Answer:
    return _marked(turn, entry, turn.now) + cards.deleted_card(turn, entry)


def _undo(turn: Turn, entry: Headache) -> Answer:
    restored = msgspec.structs.replace(entry, deleted_at=None)
    intakes = turn.facts(IntakesOf(turn.user.id, entry.id))
    back = tuple(msgspec.structs.replace(intake, deleted_at=None) for intake in intakes)
    shown = _card(turn, restored, intakes, turn.tr("The entry is back."))
    return _marked(turn, entry, None) + shown + overuse.notice(turn, back)


def _marked(turn: Turn, entry: Headache, deleted_at: datetime | None) -> Answer:
    """Delete the attack with its medicines, or bring both back."""
    marked = msgspec.structs.replace(entry, deleted_at=deleted_at)
    intakes = turn.facts(IntakesOf(turn.user.id, entry.id))
    changes: list[Change] = [SaveHeadache(marked), CancelQueued(cards.follow_up_key(entry.id))]
    if intakes:
        moved = tuple(msgspec.structs.replace(intake, deleted_at=deleted_at) for intake in intakes)
        changes.append(SaveIntakes(turn.user.id, entry.id, moved))
    return Answer(changes=tuple(changes))
