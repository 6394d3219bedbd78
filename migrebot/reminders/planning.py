"""What a reminder that rings comes to: the firing, and when it rings again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from migrebot.reminders.occurrences import count_firings, next_firing
from migrebot.reminders.reminder import Occurrence

if TYPE_CHECKING:
    from datetime import datetime

    from migrebot.reminders.reminder import Nagging, Reminder

LATE = timedelta(minutes=1)
"""What comes later than this says so."""

MOST_COUNTED = 1_000
"""Missed firings that are counted: a reminder every five minutes, after three days and a half."""


class Plan(Struct, frozen=True, kw_only=True, gc=False):
    """A firing, when its reminder fires next (None: never again), and how many firings that made, missed ones too."""

    occurrence: Occurrence
    next_at: datetime | None
    fired: int


def fire(reminder: Reminder, now: datetime, new_id: int) -> Plan:
    """Fire a reminder whose `next_at` has come.

    However many firings fell due since then, one message tells of all; the others are counted as missed.
    """
    due_at = reminder.next_at
    if due_at is None:
        raise ValueError("a reminder that is not to fire")
    missed, fired = 0, reminder.fired + 1
    next_at = next_firing(reminder.schedule, due_at, fired=fired)
    if next_at is not None and next_at <= now:
        missed = count_firings(reminder.schedule, due_at, now, fired=fired, most=MOST_COUNTED)
        next_at = next_firing(reminder.schedule, now, fired=fired + missed)
    occurrence = Occurrence(
        id=new_id,
        reminder_id=reminder.id,
        user_id=reminder.user_id,
        due_at=due_at,
        fired_at=now,
        missed=missed,
        again_at=_nag_at(reminder.nagging, 0, now),
    )
    return Plan(occurrence=occurrence, next_at=next_at, fired=1 + missed)


def repeat(reminder: Reminder, occurrence: Occurrence, now: datetime) -> Occurrence:
    """Repeat a firing: one that was snoozed begins anew, one that was not answered is one repetition further."""
    nagged = 0 if occurrence.answer == "snoozed" else occurrence.nagged + 1
    again_at = _nag_at(reminder.nagging, nagged, now)
    return msgspec.structs.replace(occurrence, answer=None, answered_at=None, nagged=nagged, again_at=again_at)


def _nag_at(nagging: Nagging | None, nagged: int, now: datetime) -> datetime | None:
    if nagging is None or nagged >= nagging.times:
        return None
    return now + timedelta(minutes=nagging.minutes)
