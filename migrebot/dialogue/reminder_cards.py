"""Reminders as a person sees them: one by one, in a list, deleted; and how they are made and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from migrebot.dialogue import words
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.messages import Button
from migrebot.reminders import wording
from migrebot.reminders.codes import new_code
from migrebot.reminders.occurrences import moved, next_firing
from migrebot.reminders.reminder import Reminder
from storage.changes import Change, SaveReminder, Silence
from storage.facts import CodesInUse, RemindersOf

if TYPE_CHECKING:
    from datetime import datetime

    from migrebot.i18n import Translator
    from migrebot.reminders.reminder import Medicine, Nagging
    from migrebot.reminders.schedule import Schedule

MOST_REMINDERS = 500
"""How many a person can have waiting at once."""

LONGEST_TASK = 500
"""Characters of what to be reminded of."""


def is_full(turn: Turn) -> bool:
    """Tell whether the person has as many reminders as there may be."""
    return len(turn.facts(RemindersOf(turn.user.id))) >= MOST_REMINDERS


def make(
    turn: Turn,
    task: str,
    schedule: Schedule,
    medicine: Medicine | None = None,
    nagging: Nagging | None = None,
) -> Reminder:
    """Make a new reminder of the person who writes."""
    taken = turn.facts(CodesInUse(turn.user.id))
    return Reminder(
        id=turn.new_id(),
        code=new_code(taken, turn.new_id()),
        user_id=turn.user.id,
        address=turn.conversation.identity.address,
        task=task,
        schedule=schedule,
        created_at=turn.now,
        next_at=next_firing(schedule, turn.now),
        medicine=medicine,
        nagging=nagging,
    )


def changed(reminder: Reminder, **changes: object) -> Reminder:
    """Give the reminder with some fields changed."""
    return msgspec.structs.replace(reminder, **changes)


def saved(turn: Turn, reminder: Reminder, said: str) -> Answer:
    """Store a reminder and show it, with a word (HTML) above."""
    return Answer(changes=(SaveReminder(reminder),)) + card(turn, reminder, said)


def quieted(reminder: Reminder) -> tuple[Change, ...]:
    """Store a reminder that is not to fire any more, nor its firings to be repeated."""
    return (SaveReminder(reminder), Silence(reminder.user_id, reminder.id))


def in_another_zone(turn: Turn, timezone: str) -> tuple[Change, ...]:
    """Let the reminders that follow the person's own zone keep their local hours in another one."""
    changes = []
    for reminder in turn.facts(RemindersOf(turn.user.id)):
        if reminder.schedule.timezone != turn.timezone:
            continue
        schedule = moved(reminder.schedule, timezone, turn.now)
        next_at = reminder.next_at
        # What is due at this very moment fires as it was meant to.
        if next_at is not None and next_at > turn.now:
            next_at = next_firing(schedule, turn.now, fired=reminder.fired)
        changes.append(SaveReminder(changed(reminder, schedule=schedule, next_at=next_at)))
    return tuple(changes)


# --- one ---------------------------------------------------------------------------------------------------------


def card(turn: Turn, reminder: Reminder, said: str = "") -> Answer:
    """Show a reminder with what can be done with it; `said` goes above it."""
    tr, end = turn.tr, f":{reminder.id}"
    pause = (
        Button("⏸ " + tr.plain("Pause"), f"rm:pause{end}")
        if reminder.paused_at is None
        else Button("▶ " + tr.plain("Resume"), f"rm:resume{end}")
    )
    keyboard = (
        (Button(tr.plain("Edit"), f"rm:edit{end}"), Button(tr.plain("Delete"), f"rm:delete{end}")),
        (pause, Button(tr.plain("All reminders"), "rm:list:0")),
    )
    return say(_joined(said, description(turn, reminder)), keyboard, in_place=True)


def field_menu(turn: Turn, reminder: Reminder) -> Answer:
    """Show a reminder with a button for each of its fields."""
    tr, end = turn.tr, f":{reminder.id}"
    keyboard = (
        (Button(tr.plain("Text"), f"rm:field{end}:task"), Button(tr.plain("Time"), f"rm:field{end}:when")),
        (
            Button(tr.plain("Medicine"), f"rm:field{end}:medicine"),
            Button(tr.plain("Repeat until done"), f"rm:field{end}:nagging"),
        ),
        (Button("‹ " + tr.plain("Back"), f"rm:show{end}"),),
    )
    return say(_joined(tr("What shall be changed?"), description(turn, reminder)), keyboard, in_place=True)


def deleted(turn: Turn, reminder: Reminder) -> Answer:
    """Show that a reminder was deleted, with the way back."""
    tr = turn.tr
    said = tr("Deleted: <b>%(task)s</b>", task=reminder.task)
    return say(said, ((Button(tr.plain("Undo"), f"rm:undo:{reminder.id}"),),), in_place=True)


def description(turn: Turn, reminder: Reminder) -> Markup:
    """Write a reminder out: what, when, how long until then, and its code."""
    tr = turn.tr
    lines = [Markup("%s <b>%s</b>") % ("⏰" if reminder.medicine is None else "💊", reminder.task)]
    if reminder.schedule.repeats:
        said = wording.schedule(reminder.schedule, tr, turn.today)
        lines.append(Markup("%s") % (said[:1].upper() + said[1:]))
    lines.append(_next(turn, reminder))
    if reminder.medicine is not None:
        medicine = reminder.medicine
        taken = words.medicine(medicine.drug, medicine.amount, medicine.unit, tr)
        lines.append(tr("Medicine: %(list)s", list=taken))
    if reminder.nagging is not None:
        lines.append(nagging(reminder.nagging, tr))
    lines.append(tr("Code: <b>%(code)s</b>", code=reminder.code))
    return Markup("\n").join(lines)


def nagging(wished: Nagging, tr: Translator) -> Markup:
    """Say how an unanswered reminder is repeated."""
    return tr.n(
        "Until answered, again every %(minutes)s min, up to %(n)s time",
        "Until answered, again every %(minutes)s min, up to %(n)s times",
        wished.times,
        minutes=wished.minutes,
    )


def _next(turn: Turn, reminder: Reminder) -> Markup:
    tr = turn.tr
    if reminder.paused_at is not None:
        return tr("Paused")
    if reminder.next_at is None:
        return tr("Its time has passed")
    zone = reminder.schedule.timezone
    said = tr(
        "%(when)s (%(zone)s), %(left)s",
        when=_moment(reminder.next_at, zone, turn),
        zone=zone,
        left=wording.time_left(reminder.next_at - turn.now, tr),
    )
    if reminder.schedule.repeats:
        said = tr("Next: %(when)s", when=said)
    if zone == turn.timezone:
        return said
    return Markup("%s\n%s") % (said, tr("For you: %(when)s", when=_moment(reminder.next_at, turn.timezone, turn)))


def _moment(instant: datetime, zone: str, turn: Turn) -> str:
    return wording.moment(instant.astimezone(ZoneInfo(zone)), turn.tr, turn.today)


def _joined(said: str, body: Markup) -> Markup:
    return Markup("\n\n").join(part for part in (said, body) if part)
