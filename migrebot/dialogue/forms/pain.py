"""The headache form: when, how long, how strong, and whatever else is known.

"Hurts now" asks for nothing but the intensity. From the intensity on every step can be skipped, which leaves it
unknown, and the form can be saved as it is.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from migrebot.dialogue import cards, engine, safety, words
from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.forms import medicines
from migrebot.dialogue.forms.days import day_choices, parse_past_day
from migrebot.dialogue.turn import Answer, Reply, say
from migrebot.diary.entries import Headache, Intake
from migrebot.diary.parsing import MAX_DURATION_H, parse_duration, parse_intensity
from storage.changes import CancelQueued, Change, SaveHeadache, SaveIntakes
from storage.facts import FrequentChoices, HasHadAura, HeadacheById, IntakesOf, LastIntakes

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
    if "entry" in view.answers:
        return day_choices(view)
    return day_choices(view, before=[[Choice("⚡ " + view.tr.plain("Hurts now"), NOW)]])


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
        offered = [Choice(words.choice_label(labels, value, view.tr), value) for value in values]
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


def _step(name: str, wire_name: str, question: Any, parse: Any, **more: Any) -> Step:
    return Step(name=name, wire_name=wire_name, question=question, parse=parse, optional=True, saveable=True, **more)


STEPS = (
    Step(
        name="date",
        wire_name="date",
        question=lambda view: view.tr("When did your head hurt?"),
        choices=_date_choices,
        parse=parse_past_day,
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
        choices=_several("triggers", words.TRIGGERS),
        many=True,
    ),
    _step(
        "symptoms",
        "symptoms",
        lambda view: view.tr("What came with it? Choose several or write your own."),
        _own_words,
        choices=_several("symptoms", words.SYMPTOMS),
        many=True,
    ),
    _step(
        "medicine",
        "was_medecine_taken",
        lambda view: view.tr("Did you take any medicine?"),
        medicines.parse_yes_or_no,
        choices=medicines.yes_no_choices,
    ),
    medicines.DRUG,
    medicines.AMOUNT,
    medicines.ANOTHER,
    _step("note", "description", lambda view: view.tr("Anything to note? Write it, or skip."), _parse_note),
)

_ORDER = ("date", "duration", "intensity", "aura", "triggers", "symptoms", "medicine")


def _following(view: View, step: str) -> tuple[str, int] | None:
    answers, only = view.answers, "only" in view.answers
    if step == "date" and answers["date"] == NOW:
        return ("intensity", 0)
    if step == "intensity" and answers.get("date") == NOW:
        return None
    if step == "medicine" and answers["medicine"]:
        return ("drug", 0)
    if step in {"drug", "amount", "another"} and (next_medicine := medicines.following(view, step)):
        return next_medicine
    if only or step == "note":
        return None
    if step in _ORDER[:-1]:
        return (_ORDER[_ORDER.index(step) + 1], 0)
    return ("note", 0)


# --- the end -----------------------------------------------------------------------------------------------------


def _finish(view: View) -> Answer:
    if _is_gone(view):
        return say(view.tr("That entry no longer exists, so there was nothing to change."))
    return _save(view, view.tr("Changed.") if "entry" in view.answers else view.tr("Saved. Get well soon."))


def _abandon(view: View) -> Answer:
    answers = view.answers
    worth_it = answers.keys() - {"entry", "only"} if "entry" in answers else {"duration", "intensity"} & answers.keys()
    if _is_gone(view) or not (worth_it or answers.get("date") == NOW):
        return Answer()
    answer = _save(view, view.tr("I saved what you had told me so far."))
    kept = [msgspec.structs.replace(reply, in_place=False) for reply in answer.replies if isinstance(reply, Reply)]
    return msgspec.structs.replace(answer, replies=tuple(kept))


def _save(view: View, said: str) -> Answer:
    turn, answers = view.turn, view.answers
    before = _existing(view)
    entry = _entry(view, before)
    intakes = _intakes(view, entry, before)
    changes: list[Change] = [SaveHeadache(entry)]
    if intakes is not None:
        changes.append(SaveIntakes(entry.user_id, entry.id, intakes))
    if not entry.is_open:
        changes.append(CancelQueued(cards.follow_up_key(entry.id)))
    shown = intakes if intakes is not None else view.facts(IntakesOf(turn.user.id, entry.id)) if before else ()
    alarming = bool({"intensity", "aura"} & answers.keys())
    return Answer(changes=tuple(changes)) + present(turn, entry, shown, said, just_known=alarming, fresh=not before)


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
    return answer + _zone_question(turn) if fresh else answer


def _zone_question(turn: Turn) -> Answer:
    user = turn.user
    if user.timezone is not None or user.zone_offered:
        return Answer()
    offer = cards.zone_offer(turn.tr, turn.timezone, turn.tr.time(turn.local_now))
    return Answer(replies=(offer,), user=msgspec.structs.replace(user, zone_offered=True))


def _is_alarming(turn: Turn, entry: Headache) -> bool:
    if entry.intensity is not None and entry.intensity >= STRONG:
        return True
    return bool(entry.aura) and not turn.facts(HasHadAura(turn.user.id, entry.id))


def record(turn: Turn, answers: dict[str, Any]) -> Answer:
    """Store an attack told in one line; `answers` are as the form would have them."""
    view = View(turn, engine.fresh(FORM, turn, "note", answers))
    return _save(view, turn.tr("Saved. Get well soon."))


def _is_gone(view: View) -> bool:
    return "entry" in view.answers and _existing(view) is None


def _existing(view: View) -> Headache | None:
    if "entry" not in view.answers:
        return None
    found = view.facts(HeadacheById(view.user_id, view.answers["entry"]))
    return found if found and found.deleted_at is None else None


def _entry(view: View, before: Headache | None) -> Headache:
    turn, answers = view.turn, view.answers
    entry = before or Headache(
        id=turn.new_id(), user_id=turn.user.id, day=turn.today, timezone=turn.timezone, created_at=turn.now
    )
    known: dict[str, Any] = {field: answers[field] for field in _FIELDS if field in answers}
    known |= {field: tuple(known[field]) for field in ("triggers", "symptoms") if known.get(field) is not None}
    if answers.get("date") == NOW:
        known["onset"] = turn.now
    elif "date" in answers:
        known |= {"day": date.fromisoformat(answers["date"]), "onset": None, "end": None}
    if "duration" in answers:
        known |= {"duration_h": answers["duration"], "end": None}
    if "medicine" in answers:
        known["medicine_taken"] = answers["medicine"]
    return msgspec.structs.replace(entry, **known)


def _intakes(view: View, entry: Headache, before: Headache | None) -> tuple[Intake, ...] | None:
    """List the medicines as they are to be stored; None if nothing about them changes."""
    turn = view.turn
    if "medicine" not in view.answers:
        if before is None or before.day == entry.day:
            return None
        moved = view.facts(IntakesOf(turn.user.id, entry.id))
        return tuple(msgspec.structs.replace(intake, day=entry.day) for intake in moved) or None
    taken = medicines.medicines_of(view.answers) if view.answers["medicine"] else []
    return tuple(
        Intake(
            id=turn.new_id(),
            user_id=turn.user.id,
            day=entry.day,
            timezone=entry.timezone,
            drug=item["drug"],
            created_at=turn.now,
            amount=item["amount"][0] if item["amount"] else None,
            unit=item["amount"][1] if item["amount"] else "mg",
            headache_id=entry.id,
        )
        for item in taken
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
)
"""The form as the engine conducts it."""
