"""The calendar: a month at a glance, a day with its entries, and what can be added to it.

Nothing of it is stored but the days recorded as free of headache: each button says what it shows, so that an old
message still works. The text alone tells as much as the grid, for channels that have none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup
from msgspec import Struct

from migrebot.dialogue import month, words
from migrebot.dialogue.forms import intake, pain, pressure
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.diary.entries import Headache, Intake, Pressure
from migrebot.diary.parsing import parse_day, parse_month
from migrebot.i18n import N_
from migrebot.messages import INERT, Button, Keyboard
from storage.changes import MarkFree, UnmarkFree
from storage.facts import EntriesBetween, MarksBetween

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.i18n import Translator
    from storage.facts import DayMarks, Entries

HEADACHE, MEDICINE, BOTH, FREE, TODAY = "╳", "⁘", "※", "○", "▸"
"""The marks of a day; they stand in front of its number, where they do not count when it is typed."""

MAKES_ENTRY = frozenset({"add", "free"})
"""The actions that may need consent first."""

MOST_SHOWN = 20
"""Entries of one day with a line and a button each: more fit no screen, and nobody has them but by mistake."""

LONGEST_LABEL = 40
"""Characters of a button: more do not fit a telephone."""

_EMPTY = Button("·", INERT)


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of entry that can be added to a day: the button's label and what opens the form."""

    label: str
    begin: Callable[[Turn, date], Answer]


ADDED: dict[str, Kind] = {
    "pain": Kind(label=N_("Add a headache"), begin=pain.begin_on),
    "druguse": Kind(label=N_("Add a medicine"), begin=intake.begin_on),
    "pressure": Kind(label=N_("Add a blood pressure"), begin=pressure.begin_on),
}
"""What can be added to a day, by the name that its button carries."""

OPENED: dict[type, str] = {Headache: "h:show", Intake: "i:show", Pressure: "b:show"}
"""What an entry's button carries in front of the id, by its kind."""


def calendar(turn: Turn, arguments: str = "") -> Answer:
    """Show this month, or the month or day that was asked for."""
    if not arguments:
        return show_month(turn, turn.today.replace(day=1))
    day = parse_day(arguments, turn.today)
    if day is not None and _exists(turn, day):
        return show_day(turn, day)
    first = parse_month(arguments, turn.today)
    if first is not None and _exists(turn, first):
        return show_month(turn, first)
    said = turn.tr("There is no such day here. A day or a month would be, for example: /calendar 20.11")
    return show_month(turn, turn.today.replace(day=1), said)


def typed(turn: Turn, text: str) -> Answer | None:
    """Open the day that was typed outside any form; None if it is none."""
    day = parse_day(text, turn.today)
    return show_day(turn, day) if day is not None and _exists(turn, day) else None


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on one of these buttons; None if there is no such button."""
    match action, *arguments:
        case "month", written if first := _iso(turn, f"{written}-01"):
            return show_month(turn, first)
        case "day", written if day := _iso(turn, written):
            return show_day(turn, day)
        case "free", written if day := _iso(turn, written):
            return _mark_free(turn, day)
        case "unfree", written if day := _iso(turn, written):
            said = turn.tr("Taken back: I do not know how this day was.")
            return Answer(changes=(UnmarkFree(turn.user.id, day),)) + show_day(turn, day, said, is_free=False)
        case "add", written, kind if (day := _iso(turn, written)) and kind in ADDED:
            return ADDED[kind].begin(turn, day)
        case _:
            return None


def _iso(turn: Turn, written: str) -> date | None:
    """Read a day of a button; None if it is none that can be shown."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if written == str(day) and _exists(turn, day) else None


def _exists(turn: Turn, day: date) -> bool:
    return month.FIRST_DAY <= day <= turn.today


# --- a month -----------------------------------------------------------------------------------------------------


def show_month(turn: Turn, first: date, said: str = "") -> Answer:
    """Show a month; `said` (HTML) goes above it."""
    tr = turn.tr
    marks = turn.facts(MarksBetween(turn.user.id, first, min(month.last_of(first), turn.today)))
    parts = (
        said,
        Markup("<b>%s</b>") % tr.month(first),
        _legend(turn, first, marks),
        tr(
            "Choose a day, or write its date: %(example)s.",
            example=tr.digits(min(turn.today, month.last_of(first))),
        ),
    )
    text = Markup("\n\n").join(part for part in parts if part)
    weeks = month.weeks(first, turn.today, tr.first_weekday)
    keyboard = (
        tuple(Button(name, INERT) for name in tr.weekdays()),
        *(tuple(_day_button(day, marks, turn.today) if day else _EMPTY for day in week) for week in weeks),
        _months_around(turn, first),
    )
    return say(text, tuple(row for row in keyboard if row), in_place=True)


def _legend(turn: Turn, first: date, marks: DayMarks) -> Markup:
    """Tell which days are what; each line also explains its mark."""
    tr = turn.tr
    both = marks.headache & marks.medicine
    shown = (
        (marks.headache - both, N_("%(mark)s headache: %(days)s"), HEADACHE),
        (marks.medicine - both, N_("%(mark)s medicine: %(days)s"), MEDICINE),
        (both, N_("%(mark)s headache and medicine: %(days)s"), BOTH),
        (marks.free, N_("%(mark)s no headache: %(days)s"), FREE),
    )
    lines = [tr(message, mark=mark, days=month.spans(days)) for days, message, mark in shown if days]
    if not lines:
        return tr("Nothing is recorded in this month yet.")
    known = len(marks.headache | marks.free)
    if known < (min(month.last_of(first), turn.today) - first).days + 1:
        lines.append(tr("Without a mark: not known."))
    counts = tr(
        "Days with headache: %(headache)s. Days with medicine: %(medicine)s.",
        headache=len(marks.headache),
        medicine=len(marks.medicine),
    )
    return Markup("\n").join([*lines, Markup(""), counts])


def _day_button(day: date, marks: DayMarks, today: date) -> Button:
    hurt, medicine = day in marks.headache, day in marks.medicine
    mark = BOTH if hurt and medicine else HEADACHE if hurt else MEDICINE if medicine else ""
    free = FREE if day in marks.free else ""
    return Button(f"{TODAY if day == today else ''}{free}{mark}{day.day}", f"k:day:{day}")


def _months_around(turn: Turn, first: date) -> tuple[Button, ...]:
    row = []
    if before := month.before(first):
        row.append(Button(f"‹ {turn.tr.month(before)}", f"k:month:{before:%Y-%m}"))
    if after := month.after(first, turn.today):
        row.append(Button(f"{turn.tr.month(after)} ›", f"k:month:{after:%Y-%m}"))
    return tuple(row)


# --- a day -------------------------------------------------------------------------------------------------------


def show_day(turn: Turn, day: date, said: str = "", *, is_free: bool | None = None) -> Answer:
    """Show a day with its entries; `said` (HTML) goes above it, `is_free` tells what was recorded just now."""
    entries = turn.facts(EntriesBetween(turn.user.id, day, day))
    free = is_free if is_free is not None else day in entries.free
    parts = (said, _told(turn, day, entries, free=free))
    keyboard = (*_entry_buttons(turn.tr, entries), *_day_actions(turn, day, entries, free=free), _around(turn, day))
    return say(Markup("\n\n").join(part for part in parts if part), keyboard, in_place=True)


def _told(turn: Turn, day: date, entries: Entries, *, free: bool) -> Markup:
    tr = turn.tr
    lines = [Markup("<b>%s</b>") % tr.long_date(day, turn.today)]
    if free and not entries.headaches:
        lines.append(tr("%(mark)s No headache.", mark=FREE))
    every = _all(entries)
    lines += [Markup("• %s") % line(entry, tr) for entry in every[:MOST_SHOWN]]
    if len(every) > MOST_SHOWN:
        lines.append(tr("And %(n)s more; /export has them all.", n=len(every) - MOST_SHOWN))
    if len(lines) == 1:
        lines.append(tr("Nothing is recorded on this day, so I do not know how it was."))
    return Markup("\n").join(lines)


def _all(entries: Entries) -> list[Headache | Intake | Pressure]:
    return [*entries.headaches, *entries.intakes, *entries.pressures]


def line(entry: Headache | Intake | Pressure, tr: Translator) -> str:
    """Write an entry in one plain line."""
    match entry:
        case Headache():
            name = tr.plain("Headache")
            parts = [name if entry.intensity is None else f"{name} {entry.intensity}/10"]
            if entry.duration_h is not None:
                parts.append(words.duration(entry.duration_h, tr))
            return ", ".join(parts)
        case Intake():
            return tr.plain("Medicine: %(list)s", list=words.medicine(entry.drug, entry.amount, entry.unit, tr))
        case Pressure():
            return tr.plain("Pressure: %(reading)s", reading=words.pressure(entry, tr))


def _entry_buttons(tr: Translator, entries: Entries) -> Keyboard:
    listed = {attack.id for attack in entries.headaches}
    return tuple(
        (Button(shortened(line(entry, tr)), f"{OPENED[type(entry)]}:{entry.id}"),)
        for entry in _all(entries)[:MOST_SHOWN]
        # A medicine is opened with the attack it was taken for.
        if not (isinstance(entry, Intake) and entry.headache_id in listed)
    )


def _day_actions(turn: Turn, day: date, entries: Entries, *, free: bool) -> Keyboard:
    tr = turn.tr
    rows = [(Button(tr.plain(kind.label), f"k:add:{day}:{name}"),) for name, kind in ADDED.items()]
    if free and not entries.headaches:
        rows.append((Button(tr.plain("Take back “no headache”"), f"k:unfree:{day}"),))
    elif not entries.headaches:
        rows.append((Button(FREE + " " + tr.plain("No headache"), f"k:free:{day}"),))
    return tuple(rows)


def _around(turn: Turn, day: date) -> tuple[Button, ...]:
    tr, before, after = turn.tr, day - timedelta(days=1), day + timedelta(days=1)
    row = [Button(f"‹ {tr.short_date(before)}", f"k:day:{before}")] if _exists(turn, before) else []
    row.append(Button(tr.plain("Calendar"), f"k:month:{day:%Y-%m}"))
    if _exists(turn, after):
        row.append(Button(f"{tr.short_date(after)} ›", f"k:day:{after}"))
    return tuple(row)


def _mark_free(turn: Turn, day: date) -> Answer:
    if turn.facts(EntriesBetween(turn.user.id, day, day)).headaches:
        return show_day(turn, day, turn.tr("A headache is recorded on this day, so it stays as it is."))
    mark = MarkFree(turn.user.id, (day,), "calendar")
    return Answer(changes=(mark,)) + show_day(
        turn, day, turn.tr("Noted. Good that it was a day without."), is_free=True
    )


def shortened(label: str) -> str:
    """Cut a label to what fits a button."""
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1].rstrip()}…"
