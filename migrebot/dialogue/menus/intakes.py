"""The buttons below a medicine taken: edit, delete, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from migrebot.dialogue import cards, overuse
from migrebot.dialogue.forms import intake
from migrebot.dialogue.menus import headaches
from migrebot.dialogue.turn import Answer, Turn
from migrebot.messages import Button
from migrebot.typed import parse_id
from storage.changes import SaveIntake
from storage.facts import IntakeById

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.diary.entries import Intake


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a card's button; None if there is no such button.

    The medicine is looked up among the user's own: somebody else's id finds nothing. One that belongs to an attack is
    edited there.
    """
    entry_id = parse_id(arguments[0]) if arguments else None
    if entry_id is None:
        return None
    entry = turn.facts(IntakeById(turn.user.id, entry_id))
    if entry is None:
        return Answer(toast=turn.tr.plain("That entry no longer exists."))
    if entry.headache_id is not None:
        return headaches.press(turn, "show", (str(entry.headache_id),))
    if action == "undo":
        restored = msgspec.structs.replace(entry, deleted_at=None)
        shown = intake.card(turn, restored, turn.tr("The entry is back."))
        return Answer(changes=(SaveIntake(restored),)) + shown + overuse.notice(turn, (restored,))
    if entry.deleted_at is not None:
        return Answer(toast=turn.tr.plain("That entry was deleted."))
    match action, *arguments[1:]:
        case ["edit"]:
            return intake.field_menu(turn, entry)
        case ["show"]:
            return intake.card(turn, entry)
        case ["delete"]:
            return _delete(turn, entry)
        case ["field", step] if step in intake.FIELDS:
            return intake.edit(turn, entry, step)
        case _:
            return None


def _delete(turn: Turn, entry: Intake) -> Answer:
    deleted = msgspec.structs.replace(entry, deleted_at=turn.now)
    keyboard = ((Button(turn.tr.plain("Undo"), f"i:undo:{entry.id}"), cards.to_day(entry.day, turn.tr)),)
    said = turn.tr("Deleted: %(day)s.", day=turn.tr.long_date(entry.day, turn.today))
    return Answer(changes=(SaveIntake(deleted),)) + cards.card("", said, keyboard)
