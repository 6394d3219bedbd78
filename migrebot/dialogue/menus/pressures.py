"""The buttons below a blood pressure reading: edit, delete, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from migrebot.dialogue import cards
from migrebot.dialogue.forms import pressure
from migrebot.dialogue.turn import Answer, Turn
from migrebot.messages import Button
from migrebot.typed import parse_id
from storage.changes import SavePressure
from storage.facts import PressureById

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.diary.entries import Pressure


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a card's button; None if there is no such button.

    The reading is looked up among the user's own: somebody else's id finds nothing.
    """
    entry_id = parse_id(arguments[0]) if arguments else None
    if entry_id is None:
        return None
    entry = turn.facts(PressureById(turn.user.id, entry_id))
    if entry is None:
        return Answer(toast=turn.tr.plain("That entry no longer exists."))
    if action == "undo":
        restored = msgspec.structs.replace(entry, deleted_at=None)
        return Answer(changes=(SavePressure(restored),)) + pressure.card(turn, restored, turn.tr("The entry is back."))
    if entry.deleted_at is not None:
        return Answer(toast=turn.tr.plain("That entry was deleted."))
    match action, *arguments[1:]:
        case ["edit"]:
            return pressure.field_menu(turn, entry)
        case ["show"]:
            return pressure.card(turn, entry)
        case ["delete"]:
            return _delete(turn, entry)
        case ["field", field] if field in pressure.FIELDS:
            return pressure.edit(turn, entry, field)
        case _:
            return None


def _delete(turn: Turn, entry: Pressure) -> Answer:
    deleted = msgspec.structs.replace(entry, deleted_at=turn.now)
    keyboard = ((Button(turn.tr.plain("Undo"), f"b:undo:{entry.id}"), cards.to_day(entry.day, turn.tr)),)
    said = turn.tr("Deleted: %(day)s.", day=turn.tr.long_date(entry.day, turn.today))
    return Answer(changes=(SavePressure(deleted),)) + cards.card("", said, keyboard)
