"""What becomes of a phrase: it is understood, there is a question, or it is not understood. Data without wording."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from msgspec import Struct

from migrebot.reminders.reminder import Medicine
from migrebot.reminders.schedule import Schedule


class Assumed(Enum):
    """What was not said and had to be assumed; the person is told."""

    EVENING = "evening"
    """An hour that has passed today was taken as the one after noon: "8" as 20:00."""
    NEXT_DAY = "next_day"
    """The time has passed today: it is tomorrow's."""
    NEXT_YEAR = "next_year"
    """The date has passed this year: it is the next year's."""
    PART_OF_DAY = "part_of_day"
    """A part of the day stands for an hour: the morning for 9:00."""
    DEFAULT_TIME = "default_time"
    """No time was said: it is 9:00."""
    SAME_DAY = "same_day"
    """No day was said for what is weekly, monthly or yearly: it is the day it is set on."""
    DAY_FIRST = "day_first"
    """03/04 is the third of April, as the person's language writes dates."""
    SHORT_MONTHS = "short_months"
    """A month without that day has its last day instead."""
    SKIPPED_TIME = "skipped_time"
    """The clocks skip that time: it is the first instant after."""
    REPEATED_TIME = "repeated_time"
    """The clocks show that time twice: it is the first of the two."""


class Asked(Enum):
    """What a question is about."""

    WHICH_TIME = "which_time"
    """Before or after noon."""
    WHICH_DAY = "which_day"
    """Which of several days."""
    WHICH_UNIT = "which_unit"
    """ "In 5": of what?"""
    WHICH_TASK = "which_task"
    """Words may belong to the task or say when; with one alternative: whether that is what was meant."""
    WHICH_ZONE = "which_zone"
    """A place may be where something happens or whose time is meant."""


class Reason(Enum):
    """Why a phrase is not understood."""

    NO_TIME = "no_time"
    """Nothing in it says when."""
    NO_HOUR = "no_hour"
    """A day without the time of the day, where none can be assumed: "today", "twice a day"."""
    LEFT_OVER = "left_over"
    """The part looks like a time and was not understood."""
    CONTRADICTION = "contradiction"
    """The part says something else than the rest: two days, two times, a weekday that is not that date's."""
    PAST = "past"
    """The computed instant has passed."""
    TOO_FAR = "too_far"
    """The computed instant is more than ten years away."""
    TOO_OFTEN = "too_often"
    """Less than `migrebot.reminders.schedule.MIN_MINUTES` apart."""
    NO_SUCH_DAY = "no_such_day"
    """No calendar has that date."""
    NO_SUCH_TIME = "no_such_time"
    """No clock shows that time."""
    UNKNOWN_ZONE = "unknown_zone"
    """The part is no zone, or an abbreviation or offset that does not tell where."""
    BAD_CRON = "bad_cron"
    """The part is no cron expression; `detail` tells in English what is wrong with it."""
    NEVER = "never"
    """It ends before it begins."""
    TOO_LONG = "too_long"
    """The text is longer than anybody's reminder."""


class Understood(Struct, frozen=True, kw_only=True):
    """A phrase that says when.

    `task` is in the person's own words, empty if there are none but those of time. `first` is the first firing (UTC).
    """

    task: str
    schedule: Schedule
    first: datetime
    assumed: tuple[Assumed, ...] = ()
    medicine: Medicine | None = None


class Question(Struct, frozen=True, kw_only=True):
    """A phrase with more than one meaning: each is an alternative; `part` is what it depends on."""

    asked: Asked
    alternatives: tuple[Understood, ...]
    part: str = ""


class NotUnderstood(Struct, frozen=True, kw_only=True):
    """A phrase that cannot become a reminder.

    `part` is the part of the text that is to blame. `instant` (UTC) is what was computed, where the reason is an
    instant. `suggestions` are zones that may have been meant.
    """

    reason: Reason
    part: str = ""
    instant: datetime | None = None
    suggestions: tuple[str, ...] = ()
    detail: str = ""


Answer = Understood | Question | NotUnderstood
