"""The forms for a blood pressure reading: the numbers by tens then ones or typed at once; and when it was taken."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from migrebot.dialogue import cards, engine, safety, words
from migrebot.dialogue.form import ENTRY, ONLY, Choice, Complaint, Form, Rows, Step, View, nothing_saved
from migrebot.dialogue.forms.days import day_choices, parse_past_day
from migrebot.dialogue.forms.medicines import parse_yes_or_no, yes_no_choices
from migrebot.dialogue.turn import Answer, Reply, say
from migrebot.diary import pressures
from migrebot.diary.entries import Pressure
from migrebot.diary.pressures import DIASTOLIC, PULSE, SYSTOLIC, Reading, parse_reading
from migrebot.messages import Button
from migrebot.typed import folded
from storage.changes import SavePressure
from storage.facts import PressureById

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.dialogue.turn import Turn

FIELDS = ("systolic", "pulse", "when")

NOON = time(12)
"""The time of a reading of another day, until it is told."""

_TENS = {"systolic": range(80, 230, 10), "diastolic": range(40, 140, 10), "pulse": range(40, 140, 10)}
"""The tens on buttons: what is rarer is typed."""

_HOURS = ((7, 8, 9, 10), (12, 14, 16, 18), (19, 20, 21, 22))
_CLOCK = re.compile(r"(?:at |в |о |a las |a |à )?(\d{1,2})(?: ?[:.hч] ?(\d{2})|(?: ?h| ?ч))?")


# --- the steps ---------------------------------------------------------------------------------------------------


def _by_tens(name: str) -> Any:
    """Offer the tens of a number, then its ones; what cannot be beside the number before is left out."""

    def choices(view: View) -> Rows:
        valid = _valid(view, name)
        if not view.session.page:
            tens = [Choice(f"{ten}…", str(ten), turns_page=True) for ten in _TENS[name] if _any_of(ten, valid)]
            return [tens[i : i + 5] for i in range(0, len(tens), 5)]
        ten = int(view.session.page)
        ones = [Choice(str(number), number) for number in range(ten, ten + 10) if number in valid]
        return [ones[:5], ones[5:], _around(ten, valid)]

    return choices


def _around(ten: int, valid: range) -> list[Choice]:
    row = [Choice("…", "", turns_page=True)]
    if _any_of(ten - 10, valid):
        row.insert(0, Choice(f"‹ {ten - 10}…", str(ten - 10), turns_page=True))
    if _any_of(ten + 10, valid):
        row.append(Choice(f"{ten + 10}… ›", str(ten + 10), turns_page=True))
    return row


def _any_of(ten: int, valid: range) -> bool:
    return bool(valid) and ten + 9 >= valid[0] and ten <= valid[-1]


def _valid(view: View, name: str) -> range:
    if name == "systolic":
        return SYSTOLIC
    if name == "pulse":
        return PULSE
    return range(DIASTOLIC[0], min(DIASTOLIC[-1], view.answers["systolic"] - 1) + 1)


def _parse_systolic(view: View, text: str) -> int | list[Any] | Complaint:
    if reading := parse_reading(text):
        told = [reading.systolic, reading.diastolic, reading.pulse, reading.was_cmhg]
        return told if pressures.is_possible(reading) else impossible(view, reading)
    return _parse_number(view, text, SYSTOLIC)


def _parse_diastolic(view: View, text: str) -> int | Complaint:
    number = _parse_number(view, text, DIASTOLIC)
    if isinstance(number, int) and number >= view.answers["systolic"]:
        return impossible(view, Reading(view.answers["systolic"], number))
    return number


def _parse_pulse(view: View, text: str) -> int | Complaint:
    return _parse_number(view, text, PULSE)


def _parse_number(view: View, text: str, valid: range) -> int | Complaint:
    word = folded(text)
    if word.isascii() and word.isdigit() and len(word) < 4 and int(word) in valid:
        return int(word)
    return Complaint(
        view.tr(
            "I need a whole number from %(first)s to %(last)s. The whole reading in one line works too: 120/80 65",
            first=valid[0],
            last=valid[-1],
        )
    )


def impossible(view: View, reading: Reading) -> Complaint:
    """Say why a reading cannot be."""
    if reading.systolic <= reading.diastolic:
        return Complaint(view.tr("The upper number must be greater than the lower one. Please write both: 120/80"))
    return Complaint(
        view.tr(
            "That cannot be a blood pressure: upper number %(upper)s, lower number %(lower)s, pulse %(pulse)s.",
            upper=f"{SYSTOLIC[0]}–{SYSTOLIC[-1]}",
            lower=f"{DIASTOLIC[0]}–{DIASTOLIC[-1]}",
            pulse=f"{PULSE[0]}–{PULSE[-1]}",
        )
    )


def _store_systolic(view: View, value: int | list[Any]) -> dict[str, Any]:
    others = {name: answer for name, answer in view.answers.items() if name != "cmhg"}
    if isinstance(value, int):
        return {**others, "systolic": value}
    systolic, diastolic, pulse, was_cmhg = value
    told = {"systolic": systolic, "diastolic": diastolic, "whole": True, "cmhg": was_cmhg}
    return {**others, **told} | ({"pulse": pulse} if pulse is not None else {})


def _store_diastolic(view: View, value: int) -> dict[str, Any]:
    return {**view.answers, "diastolic": value, "whole": False}


def _systolic_question(view: View) -> Markup:
    return view.tr("Upper number (systolic)? Or write the whole reading: 120/80 65")


def _confirm_question(view: View) -> Markup:
    reading = _reading(view.answers)
    if reading.was_cmhg:
        return view.tr("In mmHg that is %(reading)s. Is that right?", reading=_written(reading, view))
    return view.tr("That is unusual, so I ask: %(reading)s mmHg. Is that right?", reading=_written(reading, view))


def _written(reading: Reading, view: View) -> str:
    values = f"{reading.systolic}/{reading.diastolic}"
    if reading.pulse is None:
        return values
    return view.tr.plain("%(values)s, pulse %(pulse)s", values=values, pulse=reading.pulse)


STEPS = (
    Step(
        name="systolic",
        wire_name="systolic",
        question=_systolic_question,
        choices=_by_tens("systolic"),
        by_value=True,
        parse=_parse_systolic,
        store=_store_systolic,
    ),
    Step(
        name="diastolic",
        wire_name="diastolic",
        question=lambda view: view.tr(
            "%(systolic)s over how much? The lower number (diastolic).", systolic=view.answers["systolic"]
        ),
        choices=_by_tens("diastolic"),
        by_value=True,
        parse=_parse_diastolic,
        store=_store_diastolic,
    ),
    Step(
        name="pulse",
        wire_name="pulse",
        question=lambda view: view.tr("Pulse? Skip it if you do not know."),
        choices=_by_tens("pulse"),
        by_value=True,
        parse=_parse_pulse,
        optional=True,
    ),
    Step(
        name="confirm",
        wire_name="pulse",
        question=_confirm_question,
        choices=yes_no_choices,
        parse=parse_yes_or_no,
    ),
)


def _following(view: View, step: str) -> tuple[str, int] | None:
    answers = view.answers
    if step == "confirm":
        return None if answers["confirm"] else ("systolic", 0)
    if step == "systolic" and not answers.get("whole"):
        return ("diastolic", 0)
    if step == "diastolic" and not view.asks_one_field:
        return ("pulse", 0)
    return ("confirm", 0) if _asks(answers) else None


def _asks(answers: dict[str, Any]) -> bool:
    return pressures.is_unusual(_reading(answers))


def _reading(answers: dict[str, Any]) -> Reading:
    cmhg = bool(answers.get("cmhg"))
    return Reading(answers["systolic"], answers["diastolic"], answers.get("pulse"), cmhg)


# --- the end -----------------------------------------------------------------------------------------------------


def _finish(view: View) -> Answer:
    if not view.changes_record:
        return _added(view)
    before = _stored(view)
    if before is None:
        return say(view.tr("That entry no longer exists, so there was nothing to change."))
    return _save(view.turn, _entry(view, before), view.tr("Changed."))


def _abandon(view: View) -> Answer:
    """Keep a reading that is complete, unless it is doubtful."""
    if view.changes_record or not {"systolic", "diastolic"} <= view.answers.keys():
        return Answer()
    if _asks(view.answers):
        reading = _written(_reading(view.answers), view)
        return say(view.tr("I did not save %(reading)s: it is unusual and was not confirmed.", reading=reading))
    answer = _add(view, _new(view), view.tr("I saved what you had told me so far."))
    kept = [msgspec.structs.replace(reply, in_place=False) for reply in answer.replies if isinstance(reply, Reply)]
    return msgspec.structs.replace(answer, replies=tuple(kept))


def _cancel(view: View) -> Answer:
    before = _stored(view) if view.changes_record else None
    return card(view.turn, before, view.tr("Nothing was changed.")) if before else nothing_saved(view)


def record(turn: Turn, text: str) -> Answer:
    """Store a reading told in one line, after a question where it is unusual; open the form where it is not clear."""
    reading = parse_reading(text)
    if reading is None:
        said = turn.tr("I did not understand that, so let us go step by step. In one line it would be: 120/80 65")
        return engine.begin(FORM, turn, said=said)
    view = View(turn, engine.fresh(FORM, turn, "pulse", {}))
    if not pressures.is_possible(reading):
        return engine.begin(FORM, turn, said=impossible(view, reading).text)
    told = [reading.systolic, reading.diastolic, reading.pulse, reading.was_cmhg]
    answers = _store_systolic(view, told)
    if pressures.is_unusual(reading):
        return engine.begin(FORM, turn, step="confirm", answers=answers)
    return _added(View(turn, engine.fresh(FORM, turn, "pulse", answers)))


def begin_on(turn: Turn, day: date) -> Answer:
    """Open the form for a reading of that day."""
    said = Markup("<b>%s</b>") % turn.tr.long_date(day, turn.today)
    return engine.begin(FORM, turn, answers={"day": str(day)}, said=said)


def edit(turn: Turn, entry: Pressure, field: str) -> Answer:
    """Open the form on one field of a stored reading."""
    answers: dict[str, Any] = {ENTRY: entry.id, ONLY: True}
    if field == "when":
        return engine.begin(TIME_FORM, turn, answers=answers)
    answers |= {"systolic": entry.systolic, "diastolic": entry.diastolic, "pulse": entry.pulse}
    return engine.begin(FORM, turn, step=field, answers=answers)


def _added(view: View) -> Answer:
    """Store a new reading; of one of another day the time is asked next."""
    entry = _new(view)
    saved = _add(view, entry, view.tr("Saved."))
    if entry.day == view.today:
        return saved
    answers = {ENTRY: entry.id, "date": str(entry.day)}
    return saved + engine.begin(TIME_FORM, view.turn, step="time", answers=answers)


def _add(view: View, entry: Pressure, said: str) -> Answer:
    return _save(view.turn, entry, said) + cards.zone_question(view.turn)


def _new(view: View) -> Pressure:
    turn = view.turn
    moment = turn.now
    if (day := view.answers.get("day")) and day != str(turn.today):
        moment = _moment(turn, date.fromisoformat(day), NOON)
    empty = Pressure(
        id=turn.new_id(),
        user_id=turn.user.id,
        measured_at=moment,
        timezone=turn.timezone,
        systolic=0,
        diastolic=0,
        created_at=turn.now,
    )
    return _entry(view, empty)


def _entry(view: View, before: Pressure) -> Pressure:
    reading = _reading(view.answers)
    # Of a stored one, what was skipped stays as it was.
    pulse = before.pulse if reading.pulse is None else reading.pulse
    return msgspec.structs.replace(before, systolic=reading.systolic, diastolic=reading.diastolic, pulse=pulse)


def _save(turn: Turn, entry: Pressure, said: str) -> Answer:
    if pressures.is_alarming(entry.systolic, entry.diastolic):
        said = Markup("\n\n").join((Markup(said), safety.high_pressure(turn.tr)))  # noqa: S704 - ours, from a catalogue
    return Answer(changes=(SavePressure(entry),)) + card(turn, entry, said)


def _stored(view: View) -> Pressure | None:
    found = view.facts(PressureById(view.user_id, view.answers[ENTRY]))
    return found if found and found.deleted_at is None else None


# --- when it was taken -------------------------------------------------------------------------------------------


def _parse_time(view: View, text: str) -> str | Complaint:
    match = _CLOCK.fullmatch(folded(text))
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (24, 0)
    if hour > 23 or minute > 59:
        return Complaint(view.tr("I did not understand that time. Please write it like this: 8:30"))
    day = date.fromisoformat(view.answers["date"])
    if _moment(view.turn, day, time(hour, minute)) > view.turn.now:
        return Complaint(view.tr("That time is still to come. Please choose an earlier one."))
    return f"{hour:02}:{minute:02}"


def _time_choices(view: View) -> Rows:
    day = date.fromisoformat(view.answers["date"])
    return [
        [
            Choice(f"{hour:02}:00", f"{hour:02}:00")
            for hour in hours
            if _moment(view.turn, day, time(hour)) <= view.turn.now
        ]
        for hours in _HOURS
    ]


def _moment(turn: Turn, day: date, clock: time) -> datetime:
    """Give the instant of a local time; in the hour that comes twice it is the first."""
    local = datetime.combine(day, clock, ZoneInfo(turn.timezone))
    return local.astimezone(turn.now.tzinfo)


def _finish_time(view: View) -> Answer:
    before = _stored(view)
    if before is None:
        return say(view.tr("That entry no longer exists, so there was nothing to change."))
    turn = view.turn
    day, clock = date.fromisoformat(view.answers["date"]), time.fromisoformat(view.answers["time"])
    moved = msgspec.structs.replace(before, measured_at=_moment(turn, day, clock), timezone=turn.timezone)
    return Answer(changes=(SavePressure(moved),)) + card(turn, moved, turn.tr("Changed."))


TIME_FORM = Form(
    name="pressure_time",
    wire_name="PressureTimeForm",
    wire_steps=("date", "time"),
    steps=(
        Step(
            name="date",
            wire_name="date",
            question=lambda view: view.tr("On which day was it measured?"),
            choices=day_choices,
            parse=parse_past_day,
            daily=True,
        ),
        Step(
            name="time",
            wire_name="time",
            question=lambda view: view.tr("At what time? Choose or write it, for example 8:30."),
            choices=_time_choices,
            by_value=True,
            parse=_parse_time,
        ),
    ),
    following=lambda view, step: ("time", 0) if step == "date" else None,  # noqa: ARG005 - the signature of a form
    finish=_finish_time,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
    cancel=_cancel,
)
"""The form that asks when a reading was taken."""


# --- cards -------------------------------------------------------------------------------------------------------


def card(turn: Turn, entry: Pressure, said: str = "") -> Answer:
    """Show a reading; `said` (HTML) goes above it."""
    tr = turn.tr
    keyboard = (
        (Button(tr.plain("Edit"), f"b:edit:{entry.id}"), Button(tr.plain("Delete"), f"b:delete:{entry.id}")),
        (Button(tr.plain("Add another"), "c:pressure"), cards.to_day(entry.day, tr)),
    )
    return cards.card(said, words.pressure_reading(entry, tr, turn.today), keyboard)


def field_menu(turn: Turn, entry: Pressure) -> Answer:
    """Show a reading with a button for each of its fields."""
    tr = turn.tr
    labels = {"systolic": tr.plain("Pressure"), "pulse": tr.plain("Pulse"), "when": tr.plain("Date and time")}
    fields: Sequence[tuple[str, ...]] = (FIELDS[:2], FIELDS[2:])
    keyboard = (
        *(tuple(Button(labels[field], f"b:field:{entry.id}:{field}") for field in row) for row in fields),
        (Button("‹ " + tr.plain("Back"), f"b:show:{entry.id}"),),
    )
    return cards.card(tr("What shall be changed?"), words.pressure_reading(entry, tr, turn.today), keyboard)


FORM = Form(
    name="pressure",
    wire_name="ReportPressureForm",
    wire_steps=("systolic", "diastolic", "pulse"),
    steps=STEPS,
    following=_following,
    finish=_finish,
    abandon=_abandon,
    cancel=_cancel,
)
"""The form as the engine conducts it."""
