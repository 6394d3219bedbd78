"""The headache form: when, how long, how strong, and whatever else is known.

"Hurts now" asks for nothing but the intensity. From the intensity on every step can be skipped, which leaves it
unknown, and the form can be saved as it is.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from migrebot.dialogue import cards, engine, overuse, safety
from migrebot.dialogue.form import ENTRY, ONLY, Choice, Complaint, Form, Rows, Step, View, nothing_saved
from migrebot.dialogue.forms import medicines
from migrebot.dialogue.forms.days import day_choices, parse_past_day
from migrebot.dialogue.turn import Answer, Reply, say
from migrebot.diary.entries import Headache, Intake
from migrebot.diary.labels import SYMPTOMS, TRIGGERS, choice_label
from migrebot.diary.parsing import MAX_DURATION_H, means_now, parse_duration, parse_intensity
from storage.changes import CancelQueued, Change, SaveHeadache, SaveIntakes
from storage.facts import FrequentChoices, HasHadAura, HeadacheById, IntakesOf, LastIntakes
from storage.records import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.dialogue.turn import Turn

NOW = "now"
"""The answer to "when" that means: it hurts now."""

ALL_DAY = 24.0
UNDER_AN_HOUR = 0.5
MAX_NOTE = 2_000
"""How long, in characters, a note may be."""

STRONG = 9
"""From this intensity on the emergency signs are named."""

FOLLOW_UP_AFTER = timedelta(hours=4)

_HOURS = ((1, 2, 3, 4, 6), (8, 10, 12, 18, 48))
_FIELDS = ("intensity", "aura", "triggers", "symptoms", "note")


# --- the steps ---------------------------------------------------------------------------------------------------


def _date_choices(view: View) -> Rows:
    if view.changes_record:
        return day_choices(view)
    return day_choices(view, before=[[Choice("⚡ " + view.tr.plain("Hurts now"), NOW)]])


def _parse_date(view: View, text: str) -> str | Complaint:
    """Understand a day, or that it hurts now; an entry that is changed has a day only."""
    return NOW if means_now(text) and not view.changes_record else parse_past_day(view, text)


def _store_date(view: View, value: str) -> dict[str, Any]:
    """Keep the day; what hurts now began at this moment, and how long it will last is not known."""
    others = {name: answer for name, answer in view.answers.items() if name not in {"date", "onset", "duration"}}
    if value == NOW:
        return {**others, "date": str(view.today), "onset": view.turn.now.isoformat()}
    told = {"duration": view.answers["duration"]} if "duration" in view.answers else {}
    return {**others, **told, "date": value}


def _duration_choices(view: View) -> Rows:
    tr = view.tr
    return [
        [Choice(tr.plain("Under an hour"), UNDER_AN_HOUR), Choice(tr.plain("All day"), ALL_DAY)],
        *([Choice(str(hours), float(hours)) for hours in row] for row in _HOURS),
    ]


def _parse_duration(view: View, text: str) -> float | Complaint:
    hours = parse_duration(text)
    if hours is None:
        return Complaint(
            view.tr(
                "I need a duration of up to %(limit)s hours, for example “3”, “1:30” or “90 min”.", limit=MAX_DURATION_H
            )
        )
    return hours


def _intensity_choices(view: View) -> Rows:  # noqa: ARG001 - the signature of `Step.choices`
    return [[Choice(str(n), n) for n in range(1, 6)], [Choice(str(n), n) for n in range(6, 11)]]


def _parse_intensity(view: View, text: str) -> int | Complaint:
    intensity = parse_intensity(text)
    return intensity or Complaint(view.tr("Please give a whole number from 1 to 10."))


def _several(field: str, labels: dict[str, str]) -> Any:
    def choices(view: View) -> Rows:
        frequent = view.facts(FrequentChoices(view.user_id, field))
        own = [value for value in frequent if value not in labels][:6]
        known = [value for value in frequent if value in labels]
        values = [*known, *own, *(value for value in labels if value not in known)]
        offered = [Choice(choice_label(labels, value, view.tr), value) for value in values]
        return [offered[i : i + 2] for i in range(0, len(offered), 2)]

    return choices


def _own_words(view: View, text: str) -> str:  # noqa: ARG001 - the signature of `Step.parse`
    return text


def _parse_note(view: View, text: str) -> str | Complaint:
    if len(text) > MAX_NOTE:
        return Complaint(
            view.tr(
                "That is %(length)s characters, and a note takes %(limit)s. Please shorten it.",
                length=len(text),
                limit=MAX_NOTE,
            )
        )
    return text


def _note_choices(view: View) -> Rows:
    stored = view.changes_record and view.answers.get("note")
    return [[Choice(view.tr.plain("Remove the note"), "")]] if stored else ()


def _step(name: str, wire_name: str, question: Any, parse: Any, **more: Any) -> Step:
    return Step(name=name, wire_name=wire_name, question=question, parse=parse, optional=True, saveable=True, **more)


STEPS = (
    Step(
        name="date",
        wire_name="date",
        question=lambda view: view.tr("When did your head hurt?"),
        choices=_date_choices,
        parse=_parse_date,
        daily=True,
        store=_store_date,
    ),
    Step(
        name="duration",
        wire_name="durability",
        question=lambda view: view.tr("How long did it last, in hours?"),
        choices=_duration_choices,
        parse=_parse_duration,
    ),
    _step(
        "intensity",
        "intensity",
        lambda view: view.tr("How strong was it at its worst, from 1 (mild) to 10 (unbearable)?"),
        _parse_intensity,
        choices=_intensity_choices,
    ),
    _step(
        "aura",
        "aura",
        lambda view: view.tr(
            "Was there an aura: flickering lights, blind spots, tingling or trouble speaking before the pain?"
        ),
        medicines.parse_yes_or_no,
        choices=medicines.yes_no_choices,
    ),
    _step(
        "triggers",
        "provocateurs",
        lambda view: view.tr("What may have set it off? Choose several or write your own."),
        _own_words,
        choices=_several("triggers", TRIGGERS),
        many=True,
    ),
    _step(
        "symptoms",
        "symptoms",
        lambda view: view.tr("What came with it? Choose several or write your own."),
        _own_words,
        choices=_several("symptoms", SYMPTOMS),
        many=True,
    ),
    medicines.TAKEN,
    medicines.DRUG,
    medicines.AMOUNT,
    medicines.ANOTHER,
    _step(
        "note",
        "description",
        lambda view: view.tr("Anything to note? Write it, or skip."),
        _parse_note,
        choices=_note_choices,
    ),
)

_MEDICINES = frozenset({"medicine", "drug", "amount", "another"})
_ORDER = ("date", "duration", "intensity", "aura", "triggers", "symptoms", "medicine")


def _following(view: View, step: str) -> tuple[str, int] | None:
    answers = view.answers
    if step == "drug" and medicines.IN_ONE_LINE in answers:
        return _following_line(view)
    if step == "date" and "onset" in answers:
        return ("intensity", 0)
    if step == "intensity" and "onset" in answers:
        return None
    if step in _MEDICINES and (next_medicine := medicines.following(view, step)):
        return next_medicine
    if view.asks_one_field or step == "note":
        return None
    if step in _ORDER[:-1]:
        return (_ORDER[_ORDER.index(step) + 1], 0)
    return ("note", 0)


def _following_line(view: View) -> tuple[str, int] | None:
    """Name what is still to be asked of an attack that was told in one line; None if that is nothing."""
    told = medicines.medicines_of(view.answers)
    doubted = medicines.first_doubted(view.answers)
    if doubted is not None:
        return ("drug", doubted)
    return ("another", len(told) - 1) if medicines.warning(view) else None


# --- the end -----------------------------------------------------------------------------------------------------


def _finish(view: View) -> Answer:
    if not view.changes_record:
        return _add(view, view.turn.tr("Saved. Get well soon."))
    before = _stored(view)
    if before is None:
        return say(view.tr("That entry no longer exists, so there was nothing to change."))
    return _change(view, before, view.tr("Changed."))


def _abandon(view: View) -> Answer:
    """Keep what is known; nothing is said where nothing was told."""
    said = view.tr("I saved what you had told me so far.")
    if not view.changes_record:
        answer = _add(view, said) if {"onset", "duration", "intensity"} & view.answers.keys() else Answer()
    else:
        before = _stored(view)
        is_changed = before is not None and (_entry(view, before) != before or _medicines_changed(view, before))
        answer = _change(view, before, said) if before and is_changed else Answer()
    kept = [msgspec.structs.replace(reply, in_place=False) for reply in answer.replies if isinstance(reply, Reply)]
    return msgspec.structs.replace(answer, replies=tuple(kept))


def _cancel(view: View) -> Answer:
    before = _stored(view) if view.changes_record else None
    if before is None:
        return nothing_saved(view)
    intakes = view.facts(IntakesOf(view.user_id, before.id))
    return present(view.turn, before, intakes, view.tr("Nothing was changed."), just_known=False, fresh=False)


def record(turn: Turn, answers: dict[str, Any]) -> Answer:
    """Store an attack told in one line; `answers` are as the form would have them.

    A name that seems mistyped is asked about, and more of a medicine than its daily maximum is told, before anything is
    stored.
    """
    view = View(turn, engine.fresh(FORM, turn, "note", answers))
    told = medicines.doubted(view, medicines.medicines_of(answers))
    if told:
        answers = {**answers, "medicines": told, medicines.IN_ONE_LINE: True}
        if question := _following_line(View(turn, engine.fresh(FORM, turn, "note", answers))):
            step, loop = question
            return engine.begin(FORM, turn, step=step, answers=answers, loop=loop)
    return _add(view, turn.tr("Saved. Get well soon."))


def begin_on(turn: Turn, day: date) -> Answer:
    """Open the form for an attack on that day; one can go back to choose another one."""
    said = Markup("<b>%s</b>") % turn.tr.long_date(day, turn.today)
    return engine.begin(FORM, turn, step="duration", answers={"date": str(day)}, history=(Frame("date"),), said=said)


def edit(turn: Turn, entry: Headache, step: str, *, alone: bool) -> Answer:
    """Open the form on a stored attack, at one step: for that field `alone`, or for all that follow it."""
    intakes = turn.facts(IntakesOf(turn.user.id, entry.id))
    answers = {ENTRY: entry.id, **_answers_of(entry, intakes)} | ({ONLY: True} if alone else {})
    return engine.begin(FORM, turn, step=step, answers=answers)


def take_again(turn: Turn, entry: Headache, taken: Sequence[Intake]) -> Answer:
    """Note the same medicines as before for a stored attack without any; a warning comes first."""
    again = [{"drug": intake.drug, "amount": _amount_of(intake)} for intake in taken]
    answers = {ENTRY: entry.id, ONLY: True, "medicine": True, "medicines": again}
    view = View(turn, engine.fresh(FORM, turn, "another", answers))
    if medicines.warning(view):
        return engine.begin(FORM, turn, step="another", answers=answers, loop=len(again) - 1)
    return _change(view, entry, turn.tr("Medicine noted."))


def _amount_of(intake: Intake) -> list[Any] | None:
    return None if intake.amount is None else [intake.amount, intake.unit]


def _answers_of(entry: Headache, intakes: Sequence[Intake]) -> dict[str, Any]:
    """Give what is stored in the words of the form."""
    answers: dict[str, Any] = {field: value for field in _FIELDS if (value := getattr(entry, field)) is not None}
    answers |= {field: list(answers[field]) for field in ("triggers", "symptoms") if field in answers}
    taken = [
        {
            "drug": intake.drug,
            "amount": _amount_of(intake),
            "day": str(intake.day),
        }
        for intake in intakes
    ]
    return answers | ({"medicines": taken} if taken else {})


def _add(view: View, said: str) -> Answer:
    turn = view.turn
    empty = Headache(
        id=turn.new_id(), user_id=turn.user.id, day=turn.today, timezone=turn.timezone, created_at=turn.now
    )
    entry = _entry(view, empty)
    intakes = _intakes(view, entry, entry.day) if view.answers.get("medicine") else ()
    changes = (SaveHeadache(entry), *((SaveIntakes(entry.user_id, entry.id, intakes),) if intakes else ()))
    return Answer(changes=changes) + present(turn, entry, intakes, said) + overuse.notice(turn, intakes)


def _change(view: View, before: Headache, said: str) -> Answer:
    turn = view.turn
    entry = _entry(view, before)
    stored = view.facts(IntakesOf(turn.user.id, entry.id))
    intakes = stored
    changes: list[Change] = [SaveHeadache(entry)]
    if _medicines_changed(view, before):
        intakes = _intakes(view, entry, turn.today if before.is_open else entry.day)
    if entry.day != before.day:
        intakes = tuple(msgspec.structs.replace(intake, day=entry.day) for intake in intakes)
    if intakes != stored:
        changes.append(SaveIntakes(entry.user_id, entry.id, intakes))
    if not entry.is_open:
        changes.append(CancelQueued(cards.follow_up_key(entry.id)))
    alarming = (entry.intensity, entry.aura) != (before.intensity, before.aura)
    shown = present(turn, entry, intakes, said, just_known=alarming, fresh=False)
    told = overuse.notice(turn, intakes, instead_of=stored) if intakes != stored else Answer()
    return Answer(changes=tuple(changes)) + shown + told


def _medicines_changed(view: View, before: Headache) -> bool:
    """Tell whether the medicines were answered anew; those that were begun and not named change nothing."""
    if view.answers.get("medicine") is None:
        return False
    stored: tuple[Intake, ...] = view.facts(IntakesOf(view.user_id, before.id))
    known = _answers_of(before, stored).get("medicines", [])
    told = medicines.medicines_of(view.answers)
    return told != known and bool(told or view.answers["medicine"] is False)


def present(
    turn: Turn, entry: Headache, intakes: Sequence[Intake], said: str, *, just_known: bool = True, fresh: bool = True
) -> Answer:
    """Show an attack after it was stored, with the emergency signs where they belong.

    `just_known` tells that what makes them belong may have been said just now; a `fresh` entry also brings the one
    question about the time zone and, while it still hurts, the one about how it goes.
    """
    if just_known and _is_alarming(turn, entry):
        said = f"{said}\n\n{safety.reminder(turn.tr)}"
    if not entry.is_open:
        answer = cards.entry_card(turn, entry, intakes, said)
    else:
        last = turn.facts(LastIntakes(turn.user.id, entry.id))
        answer = cards.open_card(turn, entry, intakes, last, said)
        if fresh:
            answer += Answer(replies=(cards.follow_up(turn, entry, FOLLOW_UP_AFTER),))
    return answer + cards.zone_question(turn) if fresh else answer


def _is_alarming(turn: Turn, entry: Headache) -> bool:
    if entry.intensity is not None and entry.intensity >= STRONG:
        return True
    return bool(entry.aura) and not turn.facts(HasHadAura(turn.user.id, entry.id))


def _stored(view: View) -> Headache | None:
    found = view.facts(HeadacheById(view.user_id, view.answers[ENTRY]))
    return found if found and found.deleted_at is None else None


def _entry(view: View, before: Headache) -> Headache:
    """Give the attack as answered; of a stored one, what was skipped stays as it was."""
    answers = {name: value for name, value in view.answers.items() if value is not None or not view.changes_record}
    known: dict[str, Any] = {field: answers[field] for field in _FIELDS if field in answers}
    known |= {field: tuple(known[field]) for field in ("triggers", "symptoms") if known.get(field) is not None}
    if "note" in known:
        known["note"] = known["note"] or None
    if "medicine" in answers:
        known["medicine_taken"] = answers["medicine"]
    if "duration" in answers:
        known |= {"duration_h": answers["duration"], "end": None}
    if "onset" in answers:
        onset = datetime.fromisoformat(answers["onset"])
        known |= {"onset": onset, "day": date.fromisoformat(answers["date"])}
    elif "date" in answers and date.fromisoformat(answers["date"]) != before.day:
        known |= {"day": date.fromisoformat(answers["date"]), "onset": None, "end": None}
    return msgspec.structs.replace(before, **known)


def _intakes(view: View, entry: Headache, day: date) -> tuple[Intake, ...]:
    """List the medicines as answered; those without a day of their own were taken on `day`."""
    turn = view.turn
    return tuple(
        Intake(
            id=turn.new_id(),
            user_id=turn.user.id,
            day=date.fromisoformat(item["day"]) if "day" in item else day,
            timezone=entry.timezone,
            drug=item["drug"],
            created_at=turn.now,
            amount=item["amount"][0] if item["amount"] else None,
            unit=item["amount"][1] if item["amount"] else "mg",
            headache_id=entry.id,
        )
        for item in medicines.medicines_of(view.answers)
    )


FORM = Form(
    name="pain",
    wire_name="ReportPainCaseForm",
    wire_steps=(
        "date",
        "durability",
        "intensity",
        "aura",
        "provocateurs",
        "symptoms",
        "was_medecine_taken",
        "description",
        "drugname",
        "amount",
    ),
    steps=STEPS,
    following=_following,
    finish=_finish,
    abandon=_abandon,
    cancel=_cancel,
)
"""The form as the engine conducts it."""
