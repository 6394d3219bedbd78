"""What the pieces that the grammar finds say: their lexemes, read into meanings.

A reader raises ValueError for what looks like a time and is none, and gives None for what is no piece after all.
"""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from migrebot.reminders.phrases.clock import read_hour, read_hours
from migrebot.reminders.phrases.lengths import SECONDS, read_length
from migrebot.reminders.phrases.lexing import of
from migrebot.reminders.phrases.pieces import (
    Count,
    Day,
    Each,
    EachLength,
    EachMonthDays,
    EachWeekdays,
    EveryOtherDayPerhaps,
    For,
    From,
    Hour,
    Hours,
    In,
    InSome,
    Length,
    Meaning,
    MonthDay,
    NextUnit,
    Offset,
    OnDate,
    Part,
    TimesADay,
    Until,
    Vague,
    Weekday,
    Weekdays,
    Zone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrebot.reminders.phrases.lexing import Lexeme


def _relative(part: Sequence[Lexeme]) -> Meaning:
    return In(read_length(part))


def _every(part: Sequence[Lexeme]) -> Meaning | None:
    if part[-1].kind == "d":
        unit, number = part[-1].value
        return EachLength(number * SECONDS[unit]) if unit in SECONDS else Each(unit, number)
    length = read_length(part)
    doubled = 2 if of(part, "e") else 1
    if length.seconds and not length.days and not length.months:
        return EachLength(length.seconds * doubled)
    if length.seconds or not (length.days or length.months):
        raise ValueError(length)
    if length.months:
        return (
            Each("year", length.months // 12 * doubled)
            if length.months % 12 == 0
            else Each("month", length.months * doubled)
        )
    in_weeks = any(lexeme.kind == "U" and lexeme.value == "week" for lexeme in part)
    return Each("week", length.days // 7 * doubled) if in_weeks else Each("day", length.days * doubled)


def _every_weekdays(part: Sequence[Lexeme]) -> Meaning | None:
    numbers = of(part, "NVO")
    if numbers and numbers[0].kind == "O" and numbers[0].value != 2:
        # "Every third Friday" may be the one of the month.
        return None
    return EachWeekdays(_sorted(part), 2 if of(part, "e") else int(numbers[0].value) if numbers else 1)


def _sorted(part: Sequence[Lexeme]) -> tuple[int, ...]:
    return tuple(sorted({lexeme.value for lexeme in of(part, "RWZ")}))


def _each_weekday(part: Sequence[Lexeme]) -> Meaning:
    return EachWeekdays(_sorted(part))


def _weekday_range(part: Sequence[Lexeme]) -> Meaning:
    first, last = (lexeme.value for lexeme in of(part, "WR"))
    return EachWeekdays(tuple(sorted((first + more) % 7 for more in range((last - first) % 7 + 1))))


def _group(part: Sequence[Lexeme]) -> Meaning:
    return EachWeekdays(part[-1].value)


def _month_days(part: Sequence[Lexeme]) -> Meaning:
    days = {-1 if lexeme.kind == "l" else int(lexeme.value) for lexeme in of(part, "ONVl")}
    if not all(day == -1 or 1 <= day <= 31 for day in days):
        raise ValueError(days)
    return EachMonthDays(tuple(sorted(days)))


def _month_day(part: Sequence[Lexeme]) -> MonthDay:
    day = int(of(part, "ONV")[0].value)
    if not 1 <= day <= 31:
        raise ValueError(day)
    return MonthDay(day)


def _weekday_and_day(part: Sequence[Lexeme]) -> Meaning:
    day = _month_day(part)
    return MonthDay(day.day, of(part, "WZ")[0].value)


def _date(part: Sequence[Lexeme]) -> Meaning | None:
    weekdays = of(part, "WZ")
    weekday = weekdays[0].value if weekdays else None
    if dates := of(part, "T"):
        return OnDate(dates[0].value, weekday)
    if dotted := of(part, "K"):
        day, month = dotted[0].value
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return _dotted(part)
        return OnDate(((None, month, day),), weekday, _dotted_hour(dotted[0]) if len(part) == 1 else None)
    years = of(part, "Y")
    year = years[0].value if years else None
    return OnDate(((year, of(part, "A")[0].value, int(of(part, "ONV")[0].value)),), weekday)


def _dotted(part: Sequence[Lexeme]) -> Meaning | None:
    return read_hours([lexeme for lexeme in part if lexeme.kind == "K"])


def _dotted_hour(dotted: Lexeme) -> Hour | None:
    hour = read_hour([dotted]) if dotted.value[0] < 24 else None
    return hour if isinstance(hour, Hour) else None


def _weekday(part: Sequence[Lexeme]) -> Meaning:
    return Weekday(of(part, "W")[0].value, bool(of(part, "n")))


def _weekdays(part: Sequence[Lexeme]) -> Meaning:
    return Weekdays(_sorted(part))


def _day(part: Sequence[Lexeme]) -> Day:
    """Read a day that something begins or ends with."""
    kinds = {lexeme.kind for lexeme in part}
    if "D" in kinds:
        return Offset(of(part, "D")[0].value)
    if "l" in kinds:
        return MonthDay(-1)
    reader: Callable[[Sequence[Lexeme]], Meaning | None] = (
        _date if kinds & set("TAK") else _weekday if "W" in kinds else _month_day
    )
    day = reader(part)
    if not isinstance(day, Offset | Weekday | MonthDay | OnDate):
        raise ValueError(kinds)  # noqa: TRY004 - the text is wrong, not the type
    return day


def _from_hours(part: Sequence[Lexeme]) -> Meaning | None:
    hours = read_hours(part)
    return From(hours) if isinstance(hours, Hours) else From(Hours((Hour(time(0), exact=True),)))


def _in_some(part: Sequence[Lexeme]) -> Meaning | None:
    number = part[-1].value
    return InSome(number) if isinstance(number, int) and 0 < number < 1000 else None


def _lasting(part: Sequence[Lexeme]) -> Meaning:
    length = read_length(part)
    if length == Length():
        raise ValueError(length)
    return For(length)


def _count(part: Sequence[Lexeme]) -> Meaning:
    number = of(part, "NV")[0].value
    if number != int(number) or number < 1:
        raise ValueError(number)
    return Count(int(number))


READERS: dict[str, Callable[[Sequence[Lexeme]], Meaning | None]] = {
    "from_day": lambda part: From(_day(part)),
    "until_day": lambda part: Until(_day(part)),
    "from_hours": _from_hours,
    "zone": lambda part: Zone(part[-1].value),
    "perhaps": lambda _: EveryOtherDayPerhaps(),
    "relative": _relative,
    "times_a_day": lambda part: TimesADay(part[0].value),
    "every_weekdays": _every_weekdays,
    "weekday_range": _weekday_range,
    "each_month_day": _month_days,
    "every_month_day": _month_days,
    "every_length": _every,
    "every_part": lambda part: Part("every " + ("afternoon" if part[-1].kind == "b" else part[-1].value)),
    "group": _group,
    "each_weekday": _each_weekday,
    "date": _date,
    "weekday_and_day": _weekday_and_day,
    "weekdays": _weekdays,
    "weekday": _weekday,
    "count": _count,
    "lasting": _lasting,
    "hours": read_hours,
    "hours_after_day": read_hours,
    "day": lambda part: Offset(part[-1].value),
    "last_day": lambda _: MonthDay(-1),
    "month_day": _month_day,
    "part": lambda part: Part(part[-1].value),
    "next_unit": lambda part: NextUnit(part[-1].value),
    "dotted": _dotted,
    "in_some": _in_some,
    "vague": lambda _: Vague(),
}
