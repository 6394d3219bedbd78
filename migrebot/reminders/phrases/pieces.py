"""What the pieces of a phrase say of time, each by itself."""

from __future__ import annotations

from datetime import time
from typing import Literal

from msgspec import Struct

Unit = Literal["day", "week", "month", "year"]


class Offset(Struct, frozen=True):
    """So many days from today."""

    days: int


class Weekday(Struct, frozen=True):
    """A weekday, the coming one; `next` leaves open which."""

    weekday: int
    next: bool = False


class Weekdays(Struct, frozen=True):
    """Several weekdays, once or each week."""

    weekdays: tuple[int, ...]


class MonthDay(Struct, frozen=True):
    """A day of this month or the next; -1 is the last. `weekday` is what it was said to be."""

    day: int
    weekday: int | None = None


class NextUnit(Struct, frozen=True):
    """The next week or month, which needs a day in it."""

    unit: Literal["week", "month"]


class Hour(Struct, frozen=True):
    """A time of the day; one that is not exact may be twelve hours later.

    A settled one was said with its part of the day; `night` is after midnight, with the day before.
    """

    at: time
    exact: bool
    night: bool = False
    settled: bool = False


class OnDate(Struct, frozen=True):
    """A date, or several it may be: year (or None), month and day; `weekday` is what it was said to be.

    `or_at` is the time that it may be instead: `9.10`.
    """

    dates: tuple[tuple[int | None, int, int], ...]
    weekday: int | None = None
    or_at: Hour | None = None


class Hours(Struct, frozen=True):
    """Times of the day."""

    hours: tuple[Hour, ...]


class Midnight(Struct, frozen=True):
    """The start or the end of a day."""


class Part(Struct, frozen=True):
    """A part of the day."""

    name: str


class Length(Struct, frozen=True):
    """A length of time: calendar months and days, and exact seconds."""

    months: int = 0
    days: int = 0
    seconds: int = 0


class In(Struct, frozen=True):
    """A length of time from now."""

    length: Length


class InSome(Struct, frozen=True):
    """A number from now, without saying of what."""

    number: int


class EveryOtherDayPerhaps(Struct, frozen=True):
    """`через день`: in a day, or every other day."""


class Each(Struct, frozen=True):
    """Every so many days, weeks, months or years."""

    unit: Unit
    every: int = 1


class EachLength(Struct, frozen=True):
    """Every so many seconds."""

    seconds: int


class EachWeekdays(Struct, frozen=True):
    """On weekdays, every so many weeks."""

    weekdays: tuple[int, ...]
    every: int = 1


class EachMonthDays(Struct, frozen=True):
    """On days of the month, every so many months."""

    days: tuple[int, ...]
    every: int = 1


class TimesADay(Struct, frozen=True):
    """So many times a day, at hours said beside it."""

    times: int


class Count(Struct, frozen=True):
    """So many times."""

    count: int


class For(Struct, frozen=True):
    """As long as that."""

    length: Length


class From(Struct, frozen=True):
    """Begins with that day or hour."""

    what: Day | Hours


class Until(Struct, frozen=True):
    """Ends with that day."""

    what: Day


class Zone(Struct, frozen=True):
    """Whose clocks are meant; None is an abbreviation that does not tell."""

    name: str | None


class Vague(Struct, frozen=True):
    """A time too vague for us, or one that has passed."""


Day = Offset | Weekday | MonthDay | OnDate
Meaning = (
    Day
    | Weekdays
    | NextUnit
    | Hours
    | Midnight
    | Part
    | In
    | InSome
    | EveryOtherDayPerhaps
    | Each
    | EachLength
    | EachWeekdays
    | EachMonthDays
    | TimesADay
    | Count
    | For
    | From
    | Until
    | Zone
    | Vague
)


class Piece(Struct, frozen=True):
    """What the lexemes from `start` to before `end` say; a soft one may as well belong to the task."""

    meaning: Meaning
    start: int
    end: int
    soft: bool = False
