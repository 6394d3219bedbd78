"""What a phrase was understood as, in a short notation that the corpora are written in.

`2026-11-19 09:00 · call mom` fires once; `day/2 09:00 20:00 from 2026-11-19`, `week 0 3 18:30`, `month 5 -1 09:00`
repeat; `480 min` is an interval, with the first firing behind `first`. Behind it `x5` and `to 2027-03-05` are its ends,
`@Europe/Rome` a zone that is not the person's, `+evening` what was assumed, `= ibuprofen 400 mg` a medicine. `?` begins
a question with its alternatives, `!` what is not understood.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from migrebot.reminders.phrases import Answer, NotUnderstood, Question, Understood
from migrebot.reminders.schedule import Calendar, Cron, Interval, Once

if TYPE_CHECKING:
    from migrebot.reminders.schedule import Pattern


def note(answer: Answer, zone: str) -> str:
    match answer:
        case Understood():
            return _understood(answer, zone)
        case Question():
            return f"? {answer.asked.value} " + " | ".join(_understood(each, zone) for each in answer.alternatives)
        case NotUnderstood():
            parts = [answer.reason.value, answer.part, *answer.suggestions]
            if answer.instant:
                parts.append(f"{answer.instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}")
            return "! " + " ".join(part for part in parts if part)


def _understood(answer: Understood, zone: str) -> str:
    schedule = answer.schedule
    parts = [_pattern(schedule.pattern)]
    if isinstance(schedule.pattern, Interval):
        parts.append(f"first {answer.first.astimezone(ZoneInfo(schedule.timezone)):%Y-%m-%d %H:%M}")
    if schedule.count:
        parts.append(f"x{schedule.count}")
    if schedule.until:
        parts.append(f"to {schedule.until}")
    if schedule.timezone != zone:
        parts.append(f"@{schedule.timezone}")
    parts += [f"+{assumed.value}" for assumed in answer.assumed]
    if answer.task:
        parts.append(f"· {answer.task}")
    if answer.medicine:
        amount = "" if answer.medicine.amount is None else f" {answer.medicine.amount:g} {answer.medicine.unit}"
        parts.append(f"= {answer.medicine.drug}{amount}")
    return " ".join(parts)


def _pattern(pattern: Pattern) -> str:
    match pattern:
        case Once(at=at):
            return f"{at:%Y-%m-%d %H:%M}" + (f":{at:%S}" if at.second else "")
        case Interval(minutes=minutes, start=start):
            assert start.tzinfo is UTC
            return f"{minutes} min"
        case Calendar() as found:
            every = f"/{found.every}" if found.every > 1 else ""
            days = "".join(f" {day}" for day in (*found.weekdays, *found.month_days))
            times = "".join(f" {at:%H:%M}" for at in found.times)
            return f"{found.unit}{every}{days}{times} from {found.start}"
        case Cron(expression=expression):
            return f"cron {expression}"
