"""Cards: a recorded attack as a message, with the buttons that fit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue import words
from migrebot.dialogue.turn import Answer, Reply, Turn
from migrebot.messages import Button, Keyboard, Priority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, timedelta

    from migrebot.diary.entries import Headache, Intake
    from migrebot.i18n import Translator


def follow_up_key(headache_id: int) -> str:
    """Name the waiting "how is it now?" of an attack, so that it can be cancelled."""
    return f"follow-up:{headache_id}"


def entry_card(turn: Turn, entry: Headache, intakes: Sequence[Intake], said: str = "") -> Answer:
    """Show an attack that is complete; `said` (HTML) goes above it."""
    tr = turn.tr
    keyboard = (
        (_button(tr.plain("Edit"), "edit", entry), _button(tr.plain("Delete"), "delete", entry)),
        (Button(tr.plain("Add another"), "c:pain"), to_day(entry.day, tr)),
    )
    return card(said, words.headache(entry, intakes, tr, turn.today), keyboard)


def open_card(turn: Turn, entry: Headache, intakes: Sequence[Intake], last: Sequence[Intake], said: str = "") -> Answer:
    """Show an attack that still hurts; `last` are the medicines of the attack before, to be taken over by one tap."""
    tr = turn.tr
    same = tr.plain("Same medicine: %(list)s", list=words.medicines(last, tr)) if last and not intakes else ""
    keyboard = (
        (_button(same, "same", entry),) if same else (),
        (_button(tr.plain("It is over"), "over", entry), _button(tr.plain("Details"), "details", entry)),
        (_button(tr.plain("Done"), "done", entry),),
    )
    return card(said, words.headache(entry, intakes, tr, turn.today), tuple(row for row in keyboard if row))


def field_menu(turn: Turn, entry: Headache, intakes: Sequence[Intake]) -> Answer:
    """Show an attack with a button for each of its fields."""
    tr = turn.tr
    rows = (
        ((tr.plain("Date"), "date"), (tr.plain("Duration"), "duration")),
        ((tr.plain("Intensity"), "intensity"), (tr.plain("Aura"), "aura")),
        ((tr.plain("Factors"), "triggers"), (tr.plain("Symptoms"), "symptoms")),
        ((tr.plain("Medicine"), "medicine"), (tr.plain("Note"), "note")),
    )
    keyboard = (
        *(tuple(Button(label, f"h:field:{entry.id}:{step}") for label, step in row) for row in rows),
        (_button("‹ " + tr.plain("Back"), "show", entry),),
    )
    return card(tr("What shall be changed?"), words.headache(entry, intakes, tr, turn.today), keyboard)


def deleted_card(turn: Turn, entry: Headache) -> Answer:
    """Show that an attack was deleted, with the way back."""
    said = turn.tr("Deleted: %(day)s.", day=turn.tr.long_date(entry.day, turn.today))
    return card("", said, ((_button(turn.tr.plain("Undo"), "undo", entry), to_day(entry.day, turn.tr)),))


def follow_up(turn: Turn, entry: Headache, after: timedelta) -> Reply:
    """Ask later, once, how the attack is going."""
    tr = turn.tr
    keyboard = (
        (_button(tr.plain("It is over"), "over", entry), _button(tr.plain("Still hurts"), "still", entry)),
        (_button(tr.plain("Details"), "details", entry),),
    )
    return Reply(
        text=tr("How is your head now?"),
        keyboard=keyboard,
        priority=Priority.QUESTION,
        not_before=turn.now + after,
        key=follow_up_key(entry.id),
    )


def zone_question(turn: Turn) -> Answer:
    """Ask whoever has no time zone yet, once, whether the one assumed is right."""
    user = turn.user
    if user.timezone is not None or user.zone_offered:
        return Answer()
    offer = zone_offer(turn.tr, turn.timezone, turn.tr.time(turn.local_now))
    return Answer(replies=(offer,), user=msgspec.structs.replace(user, zone_offered=True))


def zone_offer(tr: Translator, timezone: str, clock: str) -> Reply:
    """Ask once whether the time zone is right."""
    text = tr(
        "One thing, so that “today” is your today: I take your time zone to be %(zone)s, where it is %(clock)s now.",
        zone=timezone,
        clock=clock,
    )
    keyboard = (
        (Button(tr.plain("Choose my time zone"), "s:zone"),),
        (Button(tr.plain("That is right"), "s:zone-right"),),
    )
    return Reply(text=text, keyboard=keyboard)


def to_day(day: date, tr: Translator) -> Button:
    """Give the button that opens a day of the calendar."""
    return Button(tr.plain("Calendar"), f"k:day:{day}")


def _button(label: str, action: str, entry: Headache) -> Button:
    return Button(label, f"h:{action}:{entry.id}")


def card(said: str, body: str, keyboard: Keyboard) -> Answer:
    """Show an entry with its buttons; `said` (HTML) goes above it."""
    text = Markup("\n\n").join(part for part in (said, body) if part)
    return Answer(replies=(Reply(text=text, keyboard=keyboard, in_place=True),))
