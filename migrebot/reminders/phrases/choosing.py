"""What phrases may mean, checked and compared: which of it can be, and what differs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from migrebot.reminders.occurrences import next_firing, resolve
from migrebot.reminders.phrases import once, repeated
from migrebot.reminders.phrases.answers import Answer, Asked, Assumed, NotUnderstood, Question, Reason, Understood
from migrebot.reminders.phrases.pieces import Each, In, Length
from migrebot.reminders.schedule import Once

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from migrebot.reminders.phrases.moment import Candidate, Here
    from migrebot.reminders.phrases.slots import Slots

FARTHEST = timedelta(days=3_652)
"""Ten years: nobody is reminded of anything later."""

MOST_ALTERNATIVES = 6
"""Meanings to choose from: more are no choice."""

_GUESSED = frozenset({Assumed.DEFAULT_TIME, Assumed.PART_OF_DAY, Assumed.SAME_DAY})


def checked(candidate: Candidate, said: str, now: datetime) -> Understood | NotUnderstood:
    """Find the first firing; refuse what never fires, has passed, or is too far away."""
    schedule = candidate.schedule
    first = next_firing(schedule, now)
    if first is None and isinstance(schedule.pattern, Once):
        return NotUnderstood(reason=Reason.PAST, instant=resolve(schedule.pattern.at, schedule.timezone))
    if first is None:
        return NotUnderstood(reason=Reason.NEVER)
    if first - now > FARTHEST:
        return NotUnderstood(reason=Reason.TOO_FAR, instant=first)
    return Understood(task=said, schedule=schedule, first=first, assumed=tuple(dict.fromkeys(candidate.assumed)))


def perhaps(said: Slots, here: Here) -> list[Candidate]:
    """Read `через день`: in a day, or every other day."""
    each = msgspec.structs.replace(said, length=None, each=Each("day", 2))
    single = msgspec.structs.replace(said, length=In(Length(days=1)))
    found = [*repeated.candidates(each, here), *once.candidates(single, here)]
    return [msgspec.structs.replace(candidate, asked=Asked.WHICH_DAY) for candidate in found]


def distinct(found: Iterable[Understood]) -> list[Understood]:
    """Leave out what says the same as one before."""
    kept: list[Understood] = []
    for each in found:
        if all((each.task, each.schedule) != (other.task, other.schedule) for other in kept):
            kept.append(each)
    return kept


def alternatives(answer: Answer) -> tuple[Understood, ...]:
    """List what an answer may mean."""
    return (answer,) if isinstance(answer, Understood) else answer.alternatives if isinstance(answer, Question) else ()


def either(whole: Understood | Question, others: list[Answer]) -> Answer:
    """Ask which of several readings is meant, where they differ."""
    found = distinct([each for answer in (whole, *others) for each in alternatives(answer)])
    if not others or len(found) == len(alternatives(whole)):
        return whole
    return Question(asked=Asked.WHICH_TASK, alternatives=tuple(found[:MOST_ALTERNATIVES]))


def is_as_sure(other: Answer, whole: Answer) -> bool:
    """Tell whether a reading with fewer pieces guesses nothing that the whole one knows."""
    guessed = {assumed for each in alternatives(other) for assumed in each.assumed} & _GUESSED
    return bool(alternatives(other)) and guessed <= {each for a in alternatives(whole) for each in a.assumed}
