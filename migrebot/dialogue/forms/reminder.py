"""The form for a reminder: what of, when, how often; when one is changed, also its medicine and its nagging."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from markupsafe import Markup

from migrebot.dialogue import engine, reminder_cards, understanding
from migrebot.dialogue.form import ENTRY, ONLY, Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.forms.medicines import MAX_NAME
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.diary.parsing import parse_amount
from migrebot.reminders.occurrences import next_firing
from migrebot.reminders.phrases import Assumed, NotUnderstood, Question, Reason, Understood, understand
from migrebot.reminders.reminder import Medicine, Nagging, Reminder
from migrebot.reminders.schedule import Calendar, Once, Schedule
from migrebot.typed import folded
from storage.facts import CodesInUse, DrugNames, ReminderById, RemindersOf

FIELDS = ("task", "when", "medicine", "nagging")
"""What can be changed alone."""

EVENING = time(20)
MORNING = time(9)
NAGGINGS = (Nagging(10, 3), Nagging(30, 3), Nagging(60, 3))
NONE = "none"
"""The answer that takes a medicine or the nagging away."""

_REPEATS = ("once", "daily", "weekdays", "weekly", "monthly")


# --- what a phrase says, as answers of the form ------------------------------------------------------------------


def read(turn: Turn, text: str) -> Understood | Question | NotUnderstood:
    """Understand a phrase of the person who writes."""
    return _read(text, turn.user.language, turn.timezone, turn.now, turn.facts(DrugNames(turn.user.id)))


# It is asked for again each time that a fact was missing, perhaps after others of the same batch, and takes longer than
# anything else here.
@lru_cache(64)
def _read(
    text: str, language: str, timezone: str, now: datetime, drugs: tuple[str, ...]
) -> Understood | Question | NotUnderstood:
    return understand(text, language=language, timezone=timezone, now=now, drugs=drugs)


def add(turn: Turn, text: str) -> Answer:
    """Set the reminder that a phrase asks for, or ask for what it does not say."""
    who = turn.user.id
    turn.facts.expect(RemindersOf(who), DrugNames(who), CodesInUse(who))
    if reminder_cards.is_full(turn):
        limit = reminder_cards.MOST_REMINDERS
        return say(turn.tr("You have %(limit)s reminders, as many as I can keep. /list shows them.", limit=limit))
    if not text:
        return engine.begin(FORM, turn)
    match read(turn, text):
        case Understood() as understood if understood.task:
            return _set(turn, understood)
        case Understood() as understood:
            return engine.begin(FORM, turn, step="task", answers=_answers(understood))
        case Question() as question:
            return engine.begin(FORM, turn, step="which", answers={"question": msgspec.to_builtins(question)})
        case NotUnderstood() as answer:
            return _begin_again(turn, text, answer)


def _begin_again(turn: Turn, text: str, answer: NotUnderstood) -> Answer:
    """Ask when; what was written is kept as the task if nothing in it says when."""
    answers = {"task": _task_alone(text)} if answer.reason is Reason.NO_TIME else {}
    said = understanding.reason(answer, turn)
    if answers:
        return engine.begin(FORM, turn, step="when", answers=answers, said=said)
    example = turn.tr("Please write all of it again, for example: drink water tomorrow at 9")
    return engine.begin(FORM, turn, step="phrase", said=Markup("%s %s") % (said, example))


def _task_alone(text: str) -> str:
    words_, _, rest = text.partition(" to ")
    task = rest if rest and folded(words_) in {"remind me", "please remind me"} else text
    return task[: reminder_cards.LONGEST_TASK]


def _set(turn: Turn, understood: Understood) -> Answer:
    task = understood.task[: reminder_cards.LONGEST_TASK]
    reminder = reminder_cards.make(turn, task, understood.schedule, understood.medicine)
    said = [turn.tr("I will remind you."), understanding.assumed(understood, turn)]
    return reminder_cards.saved(turn, reminder, Markup(" ").join(part for part in said if part))


def _answers(understood: Understood) -> dict[str, Any]:
    """Give the answers that a phrase holds."""
    answers: dict[str, Any] = {"when": msgspec.to_builtins(understood.schedule)}
    if understood.task:
        answers["task"] = understood.task[: reminder_cards.LONGEST_TASK]
    if understood.medicine is not None:
        answers["medicine"] = msgspec.to_builtins(understood.medicine)
    answers["assumed"] = msgspec.to_builtins(understood.assumed)
    return answers


def _schedule(answers: dict[str, Any]) -> Schedule:
    return msgspec.convert(answers["when"], Schedule)


# --- the steps ---------------------------------------------------------------------------------------------------


def _parse_task(view: View, text: str) -> str | Complaint:
    task = " ".join(text.split())
    limit = reminder_cards.LONGEST_TASK
    return (
        task if len(task) <= limit else Complaint(view.tr("Please keep it within %(limit)s characters.", limit=limit))
    )


def _parse_when(view: View, text: str) -> dict[str, Any] | Complaint:
    match read(view.turn, text):
        case Understood() as understood:
            return _heard(view, understood)
        case Question() as question:
            return {"question": msgspec.to_builtins(question)}
        case NotUnderstood() as answer:
            return Complaint(understanding.reason(answer, view.turn))


def _heard(view: View, understood: Understood) -> dict[str, Any] | Complaint:
    heard = _answers(understood)
    if "task" in view.answers or view.changes_record:
        # Only the time was asked for: other words would be lost.
        if understood.task:
            reason = NotUnderstood(reason=Reason.LEFT_OVER, part=understood.task)
            return Complaint(understanding.reason(reason, view.turn))
        heard.pop("task", None)
    return heard


def _store_heard(view: View, value: Any) -> dict[str, Any]:
    answers = {name: answer for name, answer in view.answers.items() if name not in {"question", "assumed"}}
    if "minutes" in value:
        at = view.turn.local_now.replace(tzinfo=None, microsecond=0) + timedelta(minutes=value["minutes"])
        return {**answers, "when": _once(view, at)}
    if "at" in value:
        return {**answers, "when": _once(view, datetime.fromisoformat(value["at"]))}
    return {**answers, **value}


def _once(view: View, at: datetime) -> Any:
    return msgspec.to_builtins(Schedule(pattern=Once(at), timezone=view.turn.timezone))


def _when_choices(view: View) -> Rows:
    tr, now = view.tr, view.turn.local_now
    tomorrow = datetime.combine(view.today + timedelta(days=1), MORNING)
    evening = datetime.combine(view.today, EVENING)
    later = [Choice(tr.plain("Tomorrow at 09:00"), {"at": tomorrow.isoformat()})]
    if now.time() < EVENING:
        later.insert(0, Choice(tr.plain("Today at 20:00"), {"at": evening.isoformat()}))
    return [[Choice(tr.plain("In 10 min"), {"minutes": 10}), Choice(tr.plain("In 1 hour"), {"minutes": 60})], later]


def _which_choices(view: View) -> Rows:
    question = msgspec.convert(view.answers["question"], Question)
    labels = understanding.alternatives(question, view.turn)
    values = [_answers(one) for one in question.alternatives]
    if "task" in view.answers or view.changes_record:
        values = [{name: answer for name, answer in value.items() if name != "task"} for value in values]
    return [[Choice(label, value)] for label, value in zip(labels, values, strict=True)]


def _which_question(view: View) -> Markup:
    return understanding.asked(msgspec.convert(view.answers["question"], Question), view.turn)


def _repeat_choices(view: View) -> Rows:
    tr = view.tr
    once, daily, weekdays, weekly, monthly = _REPEATS
    return [
        [Choice(tr.plain("Just once"), once)],
        [Choice(tr.plain("Every day"), daily), Choice(tr.plain("On weekdays"), weekdays)],
        [Choice(tr.plain("Every week"), weekly), Choice(tr.plain("Every month"), monthly)],
    ]


def _parse_repeat(view: View, text: str) -> Any:  # noqa: ARG001 - the signature of `Step.parse`
    return Complaint(view.tr("Please choose how often, or “Just once”."))


def _store_repeat(view: View, value: Any) -> dict[str, Any]:
    schedule = _schedule(view.answers)
    if isinstance(schedule.pattern, Once):
        at = schedule.pattern.at
        clock, day = (at.time().replace(second=0),), at.date()
        patterns = {
            "daily": Calendar(unit="day", times=clock, start=day),
            "weekdays": Calendar(unit="week", times=clock, start=day, weekdays=(0, 1, 2, 3, 4)),
            "weekly": Calendar(unit="week", times=clock, start=day, weekdays=(day.weekday(),)),
            "monthly": Calendar(unit="month", times=clock, start=day, month_days=(day.day,)),
        }
        schedule = msgspec.structs.replace(schedule, pattern=patterns.get(value, schedule.pattern))
    return {**view.answers, "repeat": value, "when": msgspec.to_builtins(schedule)}


def _medicine_choices(view: View) -> Rows:
    names = view.facts(DrugNames(view.user_id))[:8]
    shown = [Choice(name, {"drug": name}) for name in names]
    return [*(shown[i : i + 2] for i in range(0, len(shown), 2)), [Choice(view.tr.plain("No medicine"), NONE)]]


def _parse_medicine(view: View, text: str) -> dict[str, Any] | Complaint:
    """Take a name, with an amount behind it if there is one: "ibuprofen 400 mg"."""
    line = " ".join(text.split())
    if len(line) > MAX_NAME:
        return Complaint(view.tr("Please keep the name within %(limit)s characters.", limit=MAX_NAME))
    parts = line.split(" ")
    for size in (2, 1):
        amount = parse_amount(" ".join(parts[-size:])) if len(parts) > size else None
        if amount is not None:
            return {"drug": " ".join(parts[:-size]), "amount": amount[0], "unit": amount[1]}
    return {"drug": line}


def _nagging_choices(view: View) -> Rows:
    rows = [[Choice(str(reminder_cards.nagging(one, view.tr)), msgspec.to_builtins(one))] for one in NAGGINGS]
    return [*rows, [Choice(view.tr.plain("Remind me once"), NONE)]]


def _parse_nagging(view: View, text: str) -> Any:  # noqa: ARG001 - the signature of `Step.parse`
    return Complaint(view.tr("Please choose one of these."))


STEPS = (
    Step(
        name="task",
        wire_name="task",
        question=lambda view: view.tr("What shall I remind you of?"),
        parse=_parse_task,
    ),
    Step(
        name="when",
        wire_name="when",
        question=lambda view: view.tr("When? Write it as you would say it: in 2 hours, tomorrow at 9, every day at 8…"),
        choices=_when_choices,
        parse=_parse_when,
        daily=True,
        store=_store_heard,
    ),
    Step(
        name="phrase",
        wire_name="when",
        question=lambda view: view.tr("What shall I remind you of, and when?"),
        parse=_parse_when,
        store=_store_heard,
    ),
    Step(
        name="which",
        wire_name="when",
        question=_which_question,
        choices=_which_choices,
        parse=_parse_when,
        daily=True,
        store=_store_heard,
    ),
    Step(
        name="repeat",
        wire_name="repeat",
        question=lambda view: view.tr("How often?"),
        choices=_repeat_choices,
        parse=_parse_repeat,
        optional=True,
        store=_store_repeat,
    ),
    Step(
        name="medicine",
        wire_name="medicine",
        question=lambda view: view.tr("Which medicine is it about? Choose it, or write its name and amount."),
        choices=_medicine_choices,
        parse=_parse_medicine,
    ),
    Step(
        name="nagging",
        wire_name="nagging",
        question=lambda view: view.tr("Shall I repeat it until you answer?"),
        choices=_nagging_choices,
        parse=_parse_nagging,
    ),
)


def _following(view: View, step: str) -> tuple[str, int] | None:
    answers = view.answers
    if "question" in answers:
        return ("which", 0)
    if view.asks_one_field:
        return None
    if "task" not in answers:
        return ("task", 0)
    if "when" not in answers:
        return ("when", 0)
    if step in {"when", "which", "task"} and "repeat" not in answers and not _schedule(answers).repeats:
        return ("repeat", 0) if step == "when" else None
    return None


# --- the end -----------------------------------------------------------------------------------------------------


def _finish(view: View) -> Answer:
    return _finish_change(view) if view.changes_record else _finish_new(view)


def _finish_new(view: View) -> Answer:
    turn, answers = view.turn, view.answers
    schedule = _schedule(answers)
    medicine = msgspec.convert(answers["medicine"], Medicine) if answers.get("medicine") else None
    if next_firing(schedule, turn.now) is None:
        return say(turn.tr("That time has passed meanwhile. /add begins anew."), in_place=True)
    understood = Understood(
        task=answers["task"],
        schedule=schedule,
        first=turn.now,
        assumed=msgspec.convert(answers.get("assumed", []), tuple[Assumed, ...]),
        medicine=medicine,
    )
    return _set(turn, understood)


def edit(turn: Turn, reminder: Reminder, field: str) -> Answer:
    """Ask for one field of a reminder."""
    return engine.begin(FORM, turn, step=field, answers={ENTRY: reminder.id, ONLY: True})


def _finish_change(view: View) -> Answer:
    turn, answers = view.turn, view.answers
    reminder = turn.facts(ReminderById(turn.user.id, answers[ENTRY]))
    if reminder is None or reminder.deleted_at is not None:
        return say(turn.tr("That reminder was deleted, so there was nothing to change."), in_place=True)
    changes: dict[str, Any] = {}
    if "task" in answers:
        changes["task"] = answers["task"]
    if "when" in answers:
        schedule = _schedule(answers)
        next_at = next_firing(schedule, turn.now) if reminder.paused_at is None else None
        changes |= {"schedule": schedule, "next_at": next_at, "fired": 0}
    if "medicine" in answers:
        medicine = answers["medicine"]
        changes["medicine"] = None if medicine == NONE else msgspec.convert(medicine, Medicine)
    if "nagging" in answers:
        nagging = answers["nagging"]
        changes["nagging"] = None if nagging == NONE else msgspec.convert(nagging, Nagging)
    return reminder_cards.saved(turn, reminder_cards.changed(reminder, **changes), turn.tr("Changed."))


def _abandon(view: View) -> Answer:  # noqa: ARG001 - the signature of a form
    return Answer()


FORM = Form(
    name="reminder",
    wire_name="AddReminderForm",
    wire_steps=("task", "when", "repeat", "medicine", "nagging"),
    steps=STEPS,
    following=_following,
    finish=_finish,
    abandon=_abandon,
)
"""The form as the engine conducts it."""
