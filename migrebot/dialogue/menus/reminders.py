"""The list of reminders, and the buttons of each."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup

from migrebot.dialogue import reminder_cards
from migrebot.dialogue.forms import reminder as form
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.messages import Button
from migrebot.reminders import codes, wording
from migrebot.reminders.occurrences import next_firing
from migrebot.typed import parse_id
from storage.changes import SaveLastList, SaveReminder
from storage.facts import HeldBack, LastList, ReminderById, RemindersOf, SnoozedOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from migrebot.reminders.reminder import Reminder

PAGE = 10
"""Reminders shown at once."""

LONGEST_TASK = 80
"""Characters of a task that a list shows."""

IN_A_ROW = 5


# --- the list ----------------------------------------------------------------------------------------------------


def list_(turn: Turn, page: int = 0) -> Answer:
    """List what is to come, the next first, and remember the numbering."""
    tr, found = turn.tr, turn.facts(RemindersOf(turn.user.id))
    add = Button(tr.plain("Add a reminder"), "c:add")
    if not found:
        empty = tr("You have no reminders. /add remind me to drink water tomorrow at 9, or just press:")
        return say(Markup("\n\n").join((empty, *_held_back(turn))), ((add,),), in_place=True)
    start = page * PAGE if 0 <= page * PAGE < len(found) else 0
    put_off = turn.facts(SnoozedOf(turn.user.id))
    snoozed = {one.reminder_id: one.again_at for one in reversed(put_off)}
    shown = list(enumerate(found, 1))[start : start + PAGE]
    lines = [_line(turn, number, reminder, snoozed.get(reminder.id)) for number, reminder in shown]
    head = tr("<b>Your reminders</b>: %(n)s", n=len(found))
    numbers = [Button(str(number), f"rm:show:{reminder.id}") for number, reminder in shown]
    rows = [tuple(numbers[i : i + IN_A_ROW]) for i in range(0, len(numbers), IN_A_ROW)]
    keyboard = tuple(row for row in (*rows, _turning(turn, start, len(found)), (add,)) if row)
    text = Markup("\n\n").join((head, *lines, *_held_back(turn)))
    numbering = SaveLastList(turn.user.id, tuple(reminder.code for reminder in found))
    return Answer(changes=(numbering,)) + say(text, keyboard, in_place=True)


def _held_back(turn: Turn) -> Iterator[Markup]:
    """Tell of reminders that fired but cannot be sent before the person writes."""
    if count := turn.facts(HeldBack(turn.user.id)):
        yield turn.tr.n(
            "%(n)s reminder waits for you on WhatsApp: more than a day after your last message I may not write there."
            " It comes as soon as you do.",
            "%(n)s reminders wait for you on WhatsApp: more than a day after your last message I may not write there."
            " They come as soon as you do.",
            count,
        )


def _turning(turn: Turn, start: int, count: int) -> tuple[Button, ...]:
    before = [Button("‹", f"rm:list:{start // PAGE - 1}")] if start else []
    after = [Button(turn.tr.plain("More…"), f"rm:list:{start // PAGE + 1}")] if start + PAGE < count else []
    return (*before, *after)


def _line(turn: Turn, number: int, reminder: Reminder, snoozed_until: datetime | None) -> Markup:
    tr, zone = turn.tr, reminder.schedule.timezone
    task = reminder.task if len(reminder.task) <= LONGEST_TASK else f"{reminder.task[:LONGEST_TASK]}…"
    said = [Markup("%s. <b>%s</b> · %s") % (number, task, reminder.code)]
    if reminder.schedule.repeats:
        when = wording.schedule(reminder.schedule, tr, turn.today)
        said.append(Markup("%s") % (when if zone == turn.timezone else f"{when} ({zone})"))
    if reminder.paused_at is not None:
        said.append(tr("paused"))
    elif reminder.next_at is not None:
        moment = _moment(turn, reminder.next_at)
        if zone != turn.timezone and not reminder.schedule.repeats:
            there = wording.at([reminder.next_at.astimezone(ZoneInfo(zone)).time()], tr)
            moment = f"{moment} ({there}, {zone})"
        left = wording.time_left(reminder.next_at - turn.now, tr)
        said.append(Markup("%s, %s") % (moment, left))
    if snoozed_until is not None:
        said.append(tr("put off until %(when)s", when=_moment(turn, snoozed_until)))
    return Markup("\n").join(said)


def _moment(turn: Turn, instant: datetime) -> str:
    return wording.moment(instant.astimezone(ZoneInfo(turn.timezone)), turn.tr, turn.today)


def named(turn: Turn, typed: str) -> Reminder | None:
    """Find the reminder that a typed code or number means; None if there is none any more."""
    found = {reminder.code: reminder for reminder in turn.facts(RemindersOf(turn.user.id))}
    code = codes.find(typed, tuple(found), turn.facts(LastList(turn.user.id)))
    return found.get(code) if code is not None else None


# --- the buttons -------------------------------------------------------------------------------------------------


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on a button of a list or of a reminder; None if there is no such button.

    The reminder is looked up among the user's own: somebody else's id finds nothing.
    """
    if action == "list" and len(arguments) == 1 and arguments[0].isascii() and arguments[0].isdigit():
        return list_(turn, int(arguments[0][:6]))
    reminder_id = parse_id(arguments[0]) if arguments else None
    if reminder_id is None:
        return None
    reminder = turn.facts(ReminderById(turn.user.id, reminder_id))
    if reminder is None:
        return Answer(toast=turn.tr.plain("That reminder no longer exists."))
    if action == "undo":
        return _undo(turn, reminder)
    if reminder.deleted_at is not None:
        return Answer(toast=turn.tr.plain("That reminder was deleted."))
    if action == "field":
        return form.edit(turn, reminder, arguments[1]) if arguments[1:] and arguments[1] in form.FIELDS else None
    act = _ACTIONS.get(action)
    return act(turn, reminder) if act is not None and len(arguments) == 1 else None


def delete(turn: Turn, reminder: Reminder) -> Answer:
    """Delete a reminder; it can be brought back."""
    gone = reminder_cards.changed(reminder, deleted_at=turn.now, next_at=None)
    return Answer(changes=(SaveReminder(gone),)) + reminder_cards.deleted(turn, gone)


def _undo(turn: Turn, reminder: Reminder) -> Answer:
    if reminder.deleted_at is None:
        return reminder_cards.card(turn, reminder)
    next_at = None
    if reminder.paused_at is None:
        next_at = next_firing(reminder.schedule, turn.now, fired=reminder.fired)
    back = reminder_cards.changed(reminder, deleted_at=None, next_at=next_at)
    return reminder_cards.saved(turn, back, turn.tr("The reminder is back."))


def _pause(turn: Turn, reminder: Reminder) -> Answer:
    if reminder.paused_at is not None:
        return reminder_cards.card(turn, reminder)
    paused = reminder_cards.changed(reminder, paused_at=turn.now, next_at=None)
    said = turn.tr("It rests until you resume it.")
    return Answer(changes=reminder_cards.quieted(paused)) + reminder_cards.card(turn, paused, said)


def _resume(turn: Turn, reminder: Reminder) -> Answer:
    if reminder.paused_at is None:
        return reminder_cards.card(turn, reminder)
    next_at = next_firing(reminder.schedule, turn.now, fired=reminder.fired)
    resumed = reminder_cards.changed(reminder, paused_at=None, next_at=next_at)
    return reminder_cards.saved(turn, resumed, turn.tr("It goes on."))


_ACTIONS: dict[str, Callable[[Turn, Reminder], Answer]] = {
    "show": reminder_cards.card,
    "edit": reminder_cards.field_menu,
    "pause": _pause,
    "resume": _resume,
    "delete": delete,
}
"""What each button of a reminder does."""
