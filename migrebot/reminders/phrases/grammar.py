"""The pieces of a phrase that say something of time: patterns over the kinds of its lexemes (see `lexicon`).

None of the patterns repeats a repetition, and each begins where a lexeme does: reading a phrase takes time in
proportion to its length.
"""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING

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
    Midnight,
    MonthDay,
    NextUnit,
    Offset,
    OnDate,
    Part,
    Piece,
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

_P = "[svyaq]{0,3}"
_AND = "[cp]{1,2}"
_LENGTH = "(?:L|H|(?:[NV1]h?)?[oUb]h?)(?:c?(?:L|[NV][oUb])){0,3}"
_SHOWN = "(?:CM?[Pb]?|Hh?r?[Pb]?|X|NM[Pb]?|N(?:oh?r?|h|r)?P|N(?:o|h)b|o[Pb])"
_AT = "(?:KM?[Pb]?|No?h?r?(?![oUNVLAOQ_xkm])M?[Pb]?|o(?![oUbNV]))"
_MORE_HOURS = f"(?:{_AND}[asvy]{{0,2}}(?:{_SHOWN}|K|No?b?(?![oULA_xmk])))"
_DATE = f"(?:[nt]?W[cp]?)?{_P}(?:[ONV]_?A(?:[_cp]?Yo?U?)?|As?[ONV](?![oUbCM])(?:[cp]?Y)?|T|K(?![Pb]))"
_DAY = f"(?:{_DATE}|[nt]?[sy]?Wn?|D|Om?|[NV]m|l)"

PATTERNS: tuple[tuple[str, str], ...] = (
    ("weekday_range", "[svyE_f]{0,2}W[>us]{1,2}W"),
    ("from_day", f"f{_P}{_DAY}"),
    ("until_day", f"u{_P}{_DAY}"),
    ("from_hours", f"f[asv]{{0,2}}(?:{_SHOWN}|{_AT})"),
    ("zone", "[iavsyp]?S"),
    ("perhaps", "%"),
    ("relative", f"is?{_LENGTH}(?!u)|{_LENGTH}B"),
    ("times_a_day", "F"),
    ("every_weekdays", f"[svya]{{0,2}}(?:E[NVO]?|e)(?:[sy]?W)(?:{_AND}E?[svy]?W){{0,6}}"),
    ("each_month_day", f"[svyaE]{{0,3}}[ONVl](?:{_AND}{_P}[ONVl]){{0,9}}m?k"),
    ("every_month_day", f"E[sy]?O(?:{_AND}[sy]?O){{0,9}}m?(?![oUbA])"),
    ("every_length", "E(?:L|H)|[svy]?(?:E(?:[NV1O]h?)?|e)[oUb]|d"),
    ("every_part", "[svy]?E[Pb]"),
    ("group", "[svy]?E?G"),
    ("each_weekday", f"[svyE]{{0,2}}R(?:{_AND}[svy]{{0,2}}[RW]){{0,6}}"),
    ("date", f"{_P}{_DATE}"),
    ("weekday_and_day", f"{_P}[nt]?W[cp]?[sy]{{0,2}}(?:O(?![oUbA])|[NV](?=[av]s?[NCHXK]))"),
    ("weekdays", f"{_P}W(?:{_AND}{_P}W){{1,6}}"),
    ("weekday", f"{_P}[nt]?[sy]?Wn?"),
    ("count", "q?[NV]x(?!U|v)"),
    ("lasting", f"q{_LENGTH}|[sy](?:[NV]|1)[oUb]"),
    ("hours", f"[asvy]{{0,2}}(?:{_SHOWN}){_MORE_HOURS}{{0,11}}|[av]s?{_AT}{_MORE_HOURS}{{0,11}}"),
    ("hours_after_day", f"(?<=[DWTAPGRUYd])[cp]?N(?:o|h)?b?(?![oUNVLAOQxk_m]){_MORE_HOURS}{{0,11}}"),
    ("day", f"{_P}D"),
    ("last_day", f"{_P}l"),
    ("month_day", "[svy]{1,3}O[m]?(?![oUbA])|Om|[sv]{0,2}[NV]m|y[NV](?=[avypDC]|$)|(?<![^Ipj])O(?![oUbA])"),
    ("part", "[sv]?P"),
    ("next_unit", "[sv]?j"),
    ("dotted", "K"),
    ("in_some", "i[NV](?![oUbLhxAO_])"),
    ("vague", "[sv]?g"),
)
_PIECE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PATTERNS))

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}

NIGHTS = frozenset({"night", "tonight", "noche"})
"""The parts of the day that go on after midnight."""

_PARTS = {
    # The hours to which twelve are added, and those that are right as they are.
    "morning": (range(0), range(12)),
    "midday": (range(1, 4), range(11, 16)),
    "afternoon": (range(1, 9), range(12, 21)),
    "evening": (range(4, 12), range(16, 24)),
    "tonight": (range(5, 12), range(17, 24)),
    "night": (range(7, 12), (*range(19, 24), *range(6))),
    "noche": (range(6, 12), (*range(18, 24), *range(6))),
    "small_hours": (range(0), range(7)),
}


class Wrong(Exception):
    """A piece that says what cannot be, such as 25:00."""


def pieces(lexemes: Sequence[Lexeme]) -> list[Piece]:
    """Find the pieces, from left to right, none overlapping.

    Raises:
        Wrong: a piece looks like a time and is none; its argument is where it begins and ends.
    """
    kinds = "".join(lexeme.kind for lexeme in lexemes)
    found = []
    for match in _PIECE.finditer(kinds):
        name = match.lastgroup or ""
        part = lexemes[match.start() : match.end()]
        try:
            meaning = _READERS[name](part)
        except ValueError as problem:
            raise Wrong(match.start(), match.end(), name) from problem
        if meaning is not None:
            soft = _is_soft(name, match[0], kinds[match.end() : match.end() + 1])
            found.append(Piece(meaning, match.start(), match.end(), soft))
    return found


def apply_part(hour: int, part: str) -> int | None:
    """Give the hour (0 to 24) that is meant in a part of the day; None if there is none. 24 is the midnight after."""
    later, right = _PARTS[part]
    if hour == 12 and part in NIGHTS:
        return 24
    if hour == 12 and part == "small_hours":
        return 0
    return hour + 12 if hour in later else hour if hour in right else None


def _is_soft(name: str, kinds: str, after: str) -> bool:
    """Tell whether a piece reads as part of the task as well: "at 9 pictures", "the 5th chapter", "weekly report"."""
    if after not in {"w", "#"}:
        return False
    return (
        (name in {"hours", "in_some"} and kinds[-1] in "NV") or name in {"month_day", "hours_after_day"} or kinds == "d"
    )


# --- readers: the lexemes of a piece into its meaning --------------------------------------------------------------


def _of(part: Sequence[Lexeme], kinds: str) -> list[Lexeme]:
    return [lexeme for lexeme in part if lexeme.kind in kinds]


def _hours(part: Sequence[Lexeme]) -> Meaning | None:
    groups: list[list[Lexeme]] = [[]]
    for lexeme in part:
        if lexeme.kind in "cp":
            groups.append([])
        elif lexeme.kind not in "asvyf":
            groups[-1].append(lexeme)
    read = [_hour(group) for group in groups if group]
    if Midnight() in read:
        if len(read) > 1:
            return Hours(tuple(Hour(time(0), exact=True) if isinstance(hour, Midnight) else hour for hour in read))
        return Midnight()
    return Hours(tuple(hour for hour in read if isinstance(hour, Hour)))


def _hour(group: Sequence[Lexeme]) -> Hour | Midnight:
    """Read one time of the day.

    Raises:
        ValueError: no clock shows it.
    """
    first = group[0]
    kinds = "".join(lexeme.kind for lexeme in group)
    if first.kind == "X":
        return Midnight() if first.value == "midnight" else Hour(time(12), exact=True)
    hour, minute, exact, second = _written(first)
    if more := _of(group, "hr"):
        minute += sum(30 if lexeme.kind == "h" else lexeme.value for lexeme in more)
    if minute < 0:
        hour, minute = hour - 1, minute + 60
    if meridiem := _of(group, "M"):
        if not 1 <= hour <= 12:
            raise ValueError(kinds)
        hour = hour % 12 + (12 if meridiem[0].value == "p" else 0)
        return Hour(time(hour, minute, second), exact=True, settled=True)
    if parts := _of(group, "Pb"):
        part = "afternoon" if parts[0].kind == "b" else parts[0].value
        return _in_part(hour, minute, second, part)
    if hour == 24 and minute == second == 0:
        return Midnight()
    # "9 hours" is said by those who count to 24, and zero and above twelve leave no choice.
    return Hour(time(hour, minute, second), exact=exact or hour == 0 or hour >= 12)


def _in_part(hour: int, minute: int, second: int, part: str) -> Hour | Midnight:
    meant = apply_part(hour, part)
    if meant is None:
        raise ValueError(part)
    if meant == 24:
        return (
            Midnight() if minute == second == 0 else Hour(time(0, minute, second), exact=True, night=True, settled=True)
        )
    return Hour(time(meant, minute, second), exact=True, settled=True)


def _written(lexeme: Lexeme) -> tuple[int, int, bool, int]:
    match lexeme.kind:
        case "C":
            hour, minute, exact, *seconds = lexeme.value
            return hour, minute, exact, seconds[0] if seconds else 0
        case "H":
            return lexeme.value[0], lexeme.value[1], lexeme.value[0] > 6, 0
        case "K":
            return lexeme.value[0], lexeme.value[1], lexeme.value[0] > 6, 0
        case "o":
            return 1, 0, False, 0
        case _:
            return int(lexeme.value), 0, False, 0


def _length(part: Sequence[Lexeme]) -> Length:
    months = days = seconds = 0.0
    number: float | None = None
    unit = ""
    for lexeme in part:
        match lexeme.kind:
            case "N" | "V" | "1" | "O":
                number = float(lexeme.value)
            case "L":
                seconds += lexeme.value * 60
            case "H":
                seconds += lexeme.value[0] * 3600 + lexeme.value[1] * 60
            case "h" if number is not None and not unit:
                number += 0.5
            case "h":
                seconds, days, months = (
                    seconds + _SECONDS.get(unit, 0) / 2,
                    days + _DAYS.get(unit, 0) / 2,
                    months + _MONTHS.get(unit, 0) / 2,
                )
            case "o" | "U" | "b":
                unit = "hour" if lexeme.kind == "o" else "day" if lexeme.kind == "b" else lexeme.value
                amount = 1 if number is None else number
                seconds += amount * _SECONDS.get(unit, 0)
                days += amount * _DAYS.get(unit, 0)
                months += amount * _MONTHS.get(unit, 0)
                number = None
            case _:
                pass
    return _whole(months, days, seconds)


def _whole(months: float, days: float, seconds: float) -> Length:
    """Make it whole: half a day is twelve hours, half a year six months; half a month is nothing anybody can tell."""
    if months != int(months) or seconds != int(seconds) or max(months, days / 31, seconds / 3600) > 200_000:
        raise ValueError(months)
    return Length(int(months), int(days), int(seconds) + round((days - int(days)) * 86_400))


def _relative(part: Sequence[Lexeme]) -> Meaning:
    return In(_length(part))


def _every(part: Sequence[Lexeme]) -> Meaning | None:
    if part[-1].kind == "d":
        unit, number = part[-1].value
        return EachLength(number * _SECONDS[unit]) if unit in _SECONDS else Each(unit, number)
    length = _length(part)
    doubled = 2 if _of(part, "e") else 1
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
    numbers = _of(part, "NVO")
    if numbers and numbers[0].kind == "O" and numbers[0].value != 2:
        # "Every third Friday" may be the one of the month.
        return None
    return EachWeekdays(_sorted(part), 2 if _of(part, "e") else int(numbers[0].value) if numbers else 1)


def _sorted(part: Sequence[Lexeme]) -> tuple[int, ...]:
    return tuple(sorted({lexeme.value for lexeme in _of(part, "RW")}))


def _each_weekday(part: Sequence[Lexeme]) -> Meaning:
    return EachWeekdays(_sorted(part))


def _weekday_range(part: Sequence[Lexeme]) -> Meaning:
    first, last = (lexeme.value for lexeme in _of(part, "W"))
    return EachWeekdays(tuple(sorted((first + more) % 7 for more in range((last - first) % 7 + 1))))


def _group(part: Sequence[Lexeme]) -> Meaning:
    return EachWeekdays(part[-1].value)


def _month_days(part: Sequence[Lexeme]) -> Meaning:
    days = {-1 if lexeme.kind == "l" else int(lexeme.value) for lexeme in _of(part, "ONVl")}
    if not all(day == -1 or 1 <= day <= 31 for day in days):
        raise ValueError(days)
    return EachMonthDays(tuple(sorted(days)))


def _month_day(part: Sequence[Lexeme]) -> MonthDay:
    day = int(_of(part, "ONV")[0].value)
    if not 1 <= day <= 31:
        raise ValueError(day)
    return MonthDay(day)


def _weekday_and_day(part: Sequence[Lexeme]) -> Meaning:
    day = _month_day(part)
    return MonthDay(day.day, _of(part, "W")[0].value)


def _date(part: Sequence[Lexeme]) -> Meaning | None:
    weekdays = _of(part, "W")
    weekday = weekdays[0].value if weekdays else None
    if dates := _of(part, "T"):
        return OnDate(dates[0].value, weekday)
    if dotted := _of(part, "K"):
        day, month = dotted[0].value
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return _dotted(part)
        return OnDate(((None, month, day),), weekday, _dotted_hour(dotted[0]) if len(part) == 1 else None)
    years = _of(part, "Y")
    year = years[0].value if years else None
    return OnDate(((year, _of(part, "A")[0].value, int(_of(part, "ONV")[0].value)),), weekday)


def _dotted(part: Sequence[Lexeme]) -> Meaning | None:
    return _hours([lexeme for lexeme in part if lexeme.kind == "K"])


def _dotted_hour(dotted: Lexeme) -> Hour | None:
    hour = _hour([dotted]) if dotted.value[0] < 24 else None
    return hour if isinstance(hour, Hour) else None


def _weekday(part: Sequence[Lexeme]) -> Meaning:
    return Weekday(_of(part, "W")[0].value, bool(_of(part, "n")))


def _weekdays(part: Sequence[Lexeme]) -> Meaning:
    return Weekdays(_sorted(part))


def _day(part: Sequence[Lexeme]) -> Day:
    """Read a day that something begins or ends with."""
    kinds = {lexeme.kind for lexeme in part}
    if "D" in kinds:
        return Offset(_of(part, "D")[0].value)
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
    hours = _hours(part)
    return From(hours) if isinstance(hours, Hours) else From(Hours((Hour(time(0), exact=True),)))


def _in_some(part: Sequence[Lexeme]) -> Meaning | None:
    number = part[-1].value
    return InSome(number) if isinstance(number, int) and 0 < number < 1000 else None


def _count(part: Sequence[Lexeme]) -> Meaning:
    number = _of(part, "NV")[0].value
    if number != int(number) or number < 1:
        raise ValueError(number)
    return Count(int(number))


_READERS: dict[str, Callable[[Sequence[Lexeme]], Meaning | None]] = {
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
    "lasting": lambda part: For(_length(part)),
    "hours": _hours,
    "hours_after_day": _hours,
    "day": lambda part: Offset(part[-1].value),
    "last_day": lambda _: MonthDay(-1),
    "month_day": _month_day,
    "part": lambda part: Part(part[-1].value),
    "next_unit": lambda part: NextUnit(part[-1].value),
    "dotted": _dotted,
    "in_some": _in_some,
    "vague": lambda _: Vague(),
}

EVERY_OTHER_DAY = Each("day", 2)
IN_A_DAY = In(Length(days=1))
