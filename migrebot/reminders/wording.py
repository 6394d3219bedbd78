"""How a schedule, an instant and the time left until it are said in words.

All of it is plain text that starts with a small letter wherever the language lets it, to stand within a sentence.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from migrebot.i18n import N_, Translator
from migrebot.reminders.schedule import Calendar, Cron, Interval, Once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, time

    from migrebot.reminders.schedule import Schedule

# Translators: these seven stand alone.
_EVERY_WEEKDAY = (
    N_("every Monday"),
    N_("every Tuesday"),
    N_("every Wednesday"),
    N_("every Thursday"),
    N_("every Friday"),
    N_("every Saturday"),
    N_("every Sunday"),
)
# Translators: these seven are listed after “on”.
_ON_WEEKDAYS = (
    N_("Mondays"),
    N_("Tuesdays"),
    N_("Wednesdays"),
    N_("Thursdays"),
    N_("Fridays"),
    N_("Saturdays"),
    N_("Sundays"),
)
_WORKING_DAYS = (0, 1, 2, 3, 4)
_WEEKEND = (5, 6)
_ALL_DAYS = (*_WORKING_DAYS, *_WEEKEND)

# Where the hour that follows calls for another "at": "a la 01:00", "об 11:00".
_OTHER_AT = {"es": (1, "a las ", "a la "), "uk": (11, "о ", "об ")}

_LAST = -1
_MANY_DAYS = 3
"""From here on the hours beside the days say nothing any more."""


def schedule(when: Schedule, tr: Translator, today: date) -> str:
    """Say when a reminder fires: "every Monday at 18:30", "every 8 hours, 10 times", "Monday, 23 November at 09:00".

    `today` is the local date: a date far from it is said with its year.
    """
    ends = []
    if when.count is not None and when.repeats:
        ends.append(str(tr.n("%(n)s time", "%(n)s times", when.count)))
    if when.until is not None and when.repeats:
        ends.append(tr.plain("until %(date)s inclusive", date=tr.day(when.until, today)))
    return ", ".join([_pattern(when, tr, today), *ends])


def moment(local: datetime, tr: Translator, today: date) -> str:
    """Say a local wall time with its weekday: "Monday, 23 November at 09:00"."""
    # Translators: “at” is the time of the day, with its preposition.
    return tr.plain("%(date)s %(at)s", date=tr.long_date(local.date(), today), at=at([local.time()], tr))


def at(times: Sequence[time], tr: Translator) -> str:
    """Say times of the day: "at 08:00 and 20:00"."""
    said = tr.plain("at %(times)s", times=tr.list([_clock(moment) for moment in times]))
    hour, usual, other = _OTHER_AT.get(tr.language, (None, "", ""))
    return f"{other}{said.removeprefix(usual)}" if times[0].hour == hour else said


def time_left(left: timedelta, tr: Translator) -> str:
    """Say how long it is until something, to the minute: "in 2 hours 5 minutes"."""
    minutes = round(left / timedelta(minutes=1))
    if minutes < 1:
        return tr.plain("in less than a minute")
    return tr.plain("in %(length)s", length=_length(minutes, tr))


def length(span: timedelta, tr: Translator) -> str:
    """Say how long something takes, to the minute: "2 hours 5 minutes", as it stands after "in" or "by"."""
    return _length(max(1, round(span / timedelta(minutes=1))), tr)


def _clock(moment: time) -> str:
    return f"{moment:%H:%M}"


def _length(minutes: int, tr: Translator) -> str:
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days >= _MANY_DAYS:
        return str(tr.n("%(n)s day", "%(n)s days", days + (hours >= 12)))
    parts = [
        str(tr.n("%(n)s day", "%(n)s days", days)) if days else "",
        # Translators: this and the minutes stand after “in”.
        str(tr.n("%(n)s hour", "%(n)s hours", hours)) if hours else "",
        str(tr.n("%(n)s minute", "%(n)s minutes", minutes)) if minutes and not days else "",
    ]
    said = [part for part in parts if part]
    # Translators: “2 hours 5 minutes”.
    return said[0] if len(said) == 1 else tr.plain("%(more)s %(less)s", more=said[0], less=said[1])


def _pattern(when: Schedule, tr: Translator, today: date) -> str:
    match when.pattern:
        case Once(at=local):
            return moment(local, tr, today)
        case Interval(minutes=minutes):
            return _every(minutes, tr)
        case Calendar() as calendar:
            return f"{_days(calendar, tr)} {at(calendar.times, tr)}"
        case Cron(expression=expression):
            return tr.plain("by the cron schedule %(expression)s", expression=expression)


def _every(minutes: int, tr: Translator) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return str(tr.n("every %(n)s minute", "every %(n)s minutes", rest))
    if rest:
        length = tr.plain("%(n)s h", n=hours) + " " + tr.plain("%(n)s min", n=rest)
        return tr.plain("every %(length)s", length=length)
    return tr.plain("every hour") if hours == 1 else str(tr.n("every %(n)s hour", "every %(n)s hours", hours))


def _days(calendar: Calendar, tr: Translator) -> str:
    match calendar.unit:
        case "day":
            return _by_day(calendar, tr)
        case "week":
            return _by_week(calendar, tr)
        case "month":
            return _by_month(calendar, tr)


def _by_day(calendar: Calendar, tr: Translator) -> str:
    if calendar.every == 1:
        return _every_week(calendar.weekdays or _ALL_DAYS, tr)
    days = str(tr.n("every %(n)s day", "every %(n)s days", calendar.every))
    if not calendar.weekdays:
        return days
    return tr.plain("%(days)s, only on %(weekdays)s", days=days, weekdays=_listed(calendar.weekdays, tr))


def _by_week(calendar: Calendar, tr: Translator) -> str:
    if calendar.every == 1:
        return _every_week(calendar.weekdays, tr)
    weekdays = _listed(calendar.weekdays, tr)
    return str(
        tr.n(
            "every %(n)s week on %(weekdays)s",
            "every %(n)s weeks on %(weekdays)s",
            calendar.every,
            weekdays=weekdays,
        )
    )


def _every_week(weekdays: tuple[int, ...], tr: Translator) -> str:
    if weekdays == _ALL_DAYS:
        return tr.plain("every day")
    if weekdays == _WORKING_DAYS:
        return tr.plain("on weekdays")
    if weekdays == _WEEKEND:
        return tr.plain("on weekends")
    if len(weekdays) == 1:
        return tr.plain(_EVERY_WEEKDAY[weekdays[0]])
    return tr.plain("on %(weekdays)s", weekdays=_listed(weekdays, tr))


def _listed(weekdays: tuple[int, ...], tr: Translator) -> str:
    return tr.list([tr.plain(_ON_WEEKDAYS[weekday]) for weekday in weekdays])


def _by_month(calendar: Calendar, tr: Translator) -> str:
    # The last day is sorted first, being -1, and said last.
    numbers = sorted(calendar.month_days, key=lambda day: (day == _LAST, day))
    days = tr.list([_month_day(day, tr) for day in numbers])
    if calendar.every == 1:
        return tr.plain("on %(days)s of every month", days=days)
    return str(tr.n("every %(n)s month on %(days)s", "every %(n)s months on %(days)s", calendar.every, days=days))


def _month_day(day: int, tr: Translator) -> str:
    if day == _LAST:
        # Translators: both are listed in “on … of every month”.
        return tr.plain("the last day")
    return tr.plain("the %(ordinal)s", ordinal=_ordinal(day, tr))


def _ordinal(day: int, tr: Translator) -> str:
    """Write a day of the month as English and French do; the others add nothing, or the same to every number."""
    if tr.language == "en":
        suffix = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        return f"{day}{'th' if 11 <= day <= 13 else suffix}"
    return "1er" if tr.language == "fr" and day == 1 else str(day)
