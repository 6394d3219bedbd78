"""A reminder, as it is stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from migrebot.messages import Address
from migrebot.reminders.schedule import Schedule

AnswerGiven = Literal["done", "taken", "skipped", "snoozed"]
"""What a person can do with a reminder that fired."""


class Medicine(Struct, frozen=True):
    """What a medication reminder is about, as an intake will record it; `amount` None is unknown."""

    drug: str
    amount: float | None = None
    unit: str = "mg"


class Nagging(Struct, frozen=True):
    """Repeat an unanswered reminder every `minutes`, up to `times` times."""

    minutes: int
    times: int


class Reminder(Struct, frozen=True, kw_only=True, gc=False):
    """One reminder of one person.

    `id` is unique in the whole program and never shown; `code` is short, contains a letter (`k7`), is unique among the
    reminders of its owner and is what people see and type. `task` is in the person's own words. `address` is the chat
    where it was set and where it fires. `next_at` (UTC) is the next firing, None when there is none any more or it is
    paused; `fired` counts the firings so far. `deleted_at` marks one that can still be brought back.
    """

    id: int
    code: str
    user_id: int
    address: Address
    task: str
    schedule: Schedule
    created_at: datetime
    next_at: datetime | None
    fired: int = 0
    paused_at: datetime | None = None
    medicine: Medicine | None = None
    nagging: Nagging | None = None
    deleted_at: datetime | None = None


class Occurrence(Struct, frozen=True, kw_only=True, gc=False):
    """One firing of a reminder: unique by reminder and `due_at`, the instant it was meant for.

    `fired_at` is when it was handed to delivery; `late` is by how much that was after `due_at`. `missed` counts the
    firings that fell due in the meantime and were left out: one message tells of all. `answer` is what the person did
    with it, None so far. `again_at` is when it will be repeated: because it was snoozed, or because it was not
    answered; `nagged` counts the latter.
    """

    id: int
    reminder_id: int
    user_id: int
    due_at: datetime
    fired_at: datetime
    missed: int = 0
    answer: AnswerGiven | None = None
    answered_at: datetime | None = None
    nagged: int = 0
    again_at: datetime | None = None

    @property
    def late(self) -> timedelta:
        """How long after its instant it fired."""
        return self.fired_at - self.due_at
