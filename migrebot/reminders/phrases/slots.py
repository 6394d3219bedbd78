"""The pieces of a phrase, each in its place: what is said twice is said by nobody."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from migrebot.reminders.phrases.answers import Reason
from migrebot.reminders.phrases.moment import Refused
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
    Hours,
    In,
    InSome,
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

_EVERY = "every "


class Slots(Struct, frozen=True):
    """What a phrase says: the day, the hours, how it repeats, how it begins and ends. None is not said."""

    day: Day | Weekdays | None = None
    within: NextUnit | None = None
    hours: Hours | Midnight | None = None
    part: Part | None = None
    length: In | InSome | EveryOtherDayPerhaps | None = None
    each: Each | EachLength | EachWeekdays | EachMonthDays | None = None
    times: TimesADay | None = None
    count: Count | None = None
    lasting: For | None = None
    begin: From | None = None
    end: Until | None = None
    zone: Zone | None = None

    @property
    def repeats(self) -> bool:
        """Tell whether it is said to repeat."""
        return self.each is not None or self.times is not None


_PLACES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    ((Offset, Weekday, MonthDay, OnDate, Weekdays), "day"),
    (NextUnit, "within"),
    ((Hours, Midnight), "hours"),
    (Part, "part"),
    ((In, InSome, EveryOtherDayPerhaps), "length"),
    ((Each, EachLength, EachWeekdays, EachMonthDays), "each"),
    (TimesADay, "times"),
    (Count, "count"),
    (For, "lasting"),
    (From, "begin"),
    (Until, "end"),
    (Zone, "zone"),
)


def slots(pieces: list[Piece]) -> Slots:
    """Put the pieces into their places.

    Raises:
        Refused: two pieces claim one place, or one is too vague.
    """
    filled: dict[str, Meaning] = {}
    for piece in _with_dotted_times(pieces):
        for place, meaning in _placed(piece):
            there = filled.get(place)
            joined = meaning if there is None else _joined(there, meaning)
            if joined is None:
                raise Refused(Reason.CONTRADICTION, piece)
            filled[place] = joined
    return _settled(Slots(**filled), pieces)  # type: ignore[arg-type]  # each place takes what `_PLACES` sends there


def _with_dotted_times(pieces: list[Piece]) -> list[Piece]:
    """Take `9.10` for a time beside another day: "tomorrow 9.10"."""
    days = [piece for piece in pieces if isinstance(piece.meaning, Offset | Weekday | MonthDay | OnDate)]
    return [
        msgspec.structs.replace(piece, meaning=Hours((piece.meaning.or_at,)))
        if isinstance(piece.meaning, OnDate) and piece.meaning.or_at and len(days) > 1
        else piece
        for piece in pieces
    ]


def _placed(piece: Piece) -> list[tuple[str, Meaning]]:
    meaning = piece.meaning
    if isinstance(meaning, Vague):
        raise Refused(Reason.LEFT_OVER, piece)
    if isinstance(meaning, Part) and meaning.name.startswith(_EVERY):
        return [("each", Each("day")), ("part", Part(meaning.name.removeprefix(_EVERY)))]
    return [(next(place for kinds, place in _PLACES if isinstance(meaning, kinds)), meaning)]


def _joined(first: Meaning, second: Meaning) -> Meaning | None:
    """Join what is said in two pieces: "every 2 weeks" and "on Mondays"; None if they contradict each other."""
    if first == second:
        return first
    match first, second:
        case (Each(unit=unit, every=every), EachWeekdays(weekdays=weekdays, every=1)) | (
            EachWeekdays(weekdays=weekdays, every=1),
            Each(unit=unit, every=every),
        ) if unit == "week" or (unit, every) == ("day", 1):
            return EachWeekdays(weekdays, every)
        case (Each(unit="month", every=every), EachMonthDays(days=days)) | (
            EachMonthDays(days=days),
            Each(unit="month", every=every),
        ):
            return EachMonthDays(days, every)
        case EachWeekdays(weekdays=some, every=1), EachWeekdays(weekdays=others, every=1):
            return EachWeekdays(tuple(sorted({*some, *others})))
        case _:
            return None


def _settled(said: Slots, pieces: list[Piece]) -> Slots:
    """Let a day beside "every week" or "every month" be the day it repeats on."""
    if said.repeats and isinstance(said.day, OnDate) and said.day.or_at and not said.hours:
        said = msgspec.structs.replace(said, day=None, hours=Hours((said.day.or_at,)))
    if said.day is None or not said.repeats:
        return said
    each: EachWeekdays | EachMonthDays
    match said.each, said.day:
        case Each(unit="week", every=every), Weekday(weekday=weekday):
            each = EachWeekdays((weekday,), every)
        case Each(unit="week", every=every), Weekdays(weekdays=weekdays):
            each = EachWeekdays(weekdays, every)
        case Each(unit="month", every=every), MonthDay(day=day):
            each = EachMonthDays((day,), every)
        case Each(unit="week" | "month" | "year"), _:
            return said
        case _:
            # What it begins with is said so: "from tomorrow".
            raise Refused(Reason.CONTRADICTION, _last_day(pieces))
    return msgspec.structs.replace(said, each=each, day=None)


def _last_day(pieces: list[Piece]) -> Piece:
    days = Offset | Weekday | Weekdays | MonthDay | OnDate
    return next(piece for piece in reversed(pieces) if isinstance(piece.meaning, days))
