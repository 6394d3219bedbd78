"""The times of the day that a said hour may be."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

from migrebot.reminders.occurrences import resolve
from migrebot.reminders.phrases.answers import Assumed, Reason
from migrebot.reminders.phrases.moment import Refused
from migrebot.reminders.phrases.parts_of_day import NIGHTS, apply_part
from migrebot.reminders.phrases.pieces import Hour, Hours, Midnight, Offset, Part

if TYPE_CHECKING:
    from migrebot.reminders.phrases.moment import Here
    from migrebot.reminders.phrases.slots import Slots

DEFAULT = time(9)
"""The time of a day without one."""
_DEFAULTS = {
    "morning": time(9),
    "midday": time(12),
    "afternoon": time(14),
    "evening": time(19),
    "tonight": time(20),
    "night": time(22),
    "noche": time(21),
}
_FIRST_SURE = 7
"""An hour before it, said of another day, may be one after noon; from it on people say so."""

At = tuple[time, int, tuple[Assumed, ...]]
"""A time, how many days after the said one it is, and what is assumed by it."""


def once(said: Slots, here: Here) -> list[At]:
    """List what the time of a single day may be.

    Raises:
        Refused: there is no such time, or none was said where none can be assumed.
    """
    if said.hours is None:
        return [_assumed(said)]
    if isinstance(said.hours, Midnight):
        return _midnight(said)
    (hour,) = said.hours.hours
    if hour.night:
        return [(hour.at, 1, ())] if _is_today(said) else _either_night(hour.at, said)
    if said.part is not None:
        return _in_part(hour, said)
    if hour.exact:
        return [(hour.at, 0, ())]
    return _open(hour, said, here)


def each(said: Slots) -> list[tuple[tuple[time, ...], tuple[Assumed, ...]]]:
    """List what the times of repeated days may be, sorted, and what is assumed by them.

    Raises:
        Refused: there are no such times, or one is said twice.
    """
    if said.hours is None:
        at, _, assumed = _assumed(said)
        return [((at,), assumed)]
    if isinstance(said.hours, Midnight):
        return [((time(0),), ())]
    hours = [_exact(hour, said.part) for hour in said.hours.hours]
    sure = any(hour.exact and hour.at.hour > 12 for hour in hours)
    literal = [hour.at for hour in hours]
    later = [hour.at if hour.exact or hour.at.hour >= _FIRST_SURE else _later(hour.at) for hour in hours]
    return [(_sorted(times), ()) for times in ([literal] if sure or later == literal else [literal, later])]


def part_default(part: Part) -> time:
    """Give the time that a part of the day stands for.

    Raises:
        Refused: it stands for none.
    """
    if part.name not in _DEFAULTS:
        raise Refused(Reason.NO_HOUR)
    return _DEFAULTS[part.name]


def _is_today(said: Slots) -> bool:
    return said.length is None and (said.day is None or said.day == Offset(0))


def _assumed(said: Slots) -> At:
    if said.part is not None:
        return part_default(said.part), 0, (Assumed.PART_OF_DAY,)
    if said.times is not None:
        raise Refused(Reason.NO_HOUR)
    if said.day is None and said.each is None:
        raise Refused(Reason.NO_TIME)
    if said.day == Offset(0):
        raise Refused(Reason.NO_HOUR)
    return DEFAULT, 0, (Assumed.DEFAULT_TIME,)


def _midnight(said: Slots) -> list[At]:
    return [(time(0), 1, ())] if _is_today(said) else [(time(0), 0, ()), (time(0), 1, ())]


def _either_night(at: time, said: Slots) -> list[At]:
    """Leave open to which day a time after midnight belongs, unless it is the coming night."""
    return [(at, 0, ()), (at, 1, ())] if said.day is not None else [(at, 0, ())]


def _in_part(hour: Hour, said: Slots) -> list[At]:
    part = said.part.name if said.part else ""
    exact = _exact(hour, said.part)
    if exact.night or (part in NIGHTS and exact.at.hour < 6):
        return [(exact.at, 1, ())] if said.day == Offset(0) else _either_night(exact.at, said)
    return [(exact.at, 0, ())]


def _exact(hour: Hour, part: Part | None) -> Hour:
    """Settle an hour by the part of the day that was said beside it."""
    if part is None:
        return hour
    name = part.name
    if hour.settled:
        return _agreeing(hour, name)
    if name == "tonight" and hour.at.hour < 5:
        return Hour(hour.at, exact=True, night=True)
    meant = apply_part(hour.at.hour, name)
    if meant is None:
        raise Refused(Reason.CONTRADICTION)
    return Hour(hour.at.replace(hour=meant % 24), exact=True, night=meant == 24)


def _agreeing(hour: Hour, part: str) -> Hour:
    if apply_part(hour.at.hour, part) != hour.at.hour:
        raise Refused(Reason.CONTRADICTION)
    return hour


def _open(hour: Hour, said: Slots, here: Here) -> list[At]:
    """Find what an hour may be that is said the same before and after noon."""
    both = [(hour.at, 0, ()), (_later(hour.at), 0, ())]
    if _is_today(said):
        coming = [at for at in both if is_to_come(here.today, at[0], here)]
        if len(coming) == 1:
            return [(coming[0][0], 0, (Assumed.EVENING,))]
        if coming:
            return list(both)
    return list(both) if hour.at.hour < _FIRST_SURE else [(hour.at, 0, ())]


def is_to_come(day: date, at: time, here: Here) -> bool:
    """Tell whether a local time has not come yet."""
    return resolve(datetime.combine(day, at), here.timezone) > here.now


def _later(at: time) -> time:
    return at.replace(hour=at.hour + 12) if at.hour < 12 else at


def _sorted(times: list[time]) -> tuple[time, ...]:
    if len(set(times)) < len(times):
        raise Refused(Reason.CONTRADICTION)
    return tuple(sorted(times))


def several(said: Slots) -> bool:
    """Tell whether more than one time of the day was said."""
    return isinstance(said.hours, Hours) and len(said.hours.hours) > 1
