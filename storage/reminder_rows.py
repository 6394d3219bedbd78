"""How reminders and their firings look in a row; the order of the columns is that of the named SQL.

Shared by the drivers.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from migrebot.messages import Address
from migrebot.reminders.reminder import Medicine, Nagging, Occurrence, Reminder
from migrebot.reminders.schedule import Schedule
from storage.columns import Row, clean, instant, maybe_instant, maybe_micros, micros, to_json
from storage.records import Due

# Many people's reminders fire by the same schedule: to read it anew each time takes as long as the rest of the row.
_schedule = lru_cache(1_000)(msgspec.json.Decoder(Schedule).decode)
_medicine = msgspec.json.Decoder(Medicine).decode
_nagging = msgspec.json.Decoder(Nagging).decode


def reminder_values(reminder: Reminder) -> Row:
    """Give the row of a reminder."""
    return (
        reminder.id,
        reminder.user_id,
        clean(reminder.code),
        reminder.address.channel,
        clean(reminder.address.value),
        clean(reminder.task),
        to_json(reminder.schedule),
        micros(reminder.created_at),
        maybe_micros(reminder.next_at),
        reminder.fired,
        maybe_micros(reminder.paused_at),
        None if reminder.medicine is None else to_json(reminder.medicine),
        None if reminder.nagging is None else to_json(reminder.nagging),
        maybe_micros(reminder.deleted_at),
    )


def reminder(row: Row) -> Reminder:
    """Read the row of a reminder."""
    return Reminder(
        id=row[0],
        user_id=row[1],
        code=row[2],
        address=Address(row[3], row[4]),
        task=row[5],
        schedule=_schedule(row[6]),
        created_at=instant(row[7]),
        next_at=maybe_instant(row[8]),
        fired=row[9],
        paused_at=maybe_instant(row[10]),
        medicine=None if row[11] is None else _medicine(row[11]),
        nagging=None if row[12] is None else _nagging(row[12]),
        deleted_at=maybe_instant(row[13]),
    )


def occurrence_values(occurrence: Occurrence) -> Row:
    """Give the row of a firing."""
    return (
        occurrence.id,
        occurrence.reminder_id,
        occurrence.user_id,
        micros(occurrence.due_at),
        micros(occurrence.fired_at),
        occurrence.missed,
        occurrence.answer,
        maybe_micros(occurrence.answered_at),
        occurrence.nagged,
        maybe_micros(occurrence.again_at),
    )


def occurrence(row: Row) -> Occurrence:
    """Read the row of a firing."""
    return Occurrence(
        id=row[0],
        reminder_id=row[1],
        user_id=row[2],
        due_at=instant(row[3]),
        fired_at=instant(row[4]),
        missed=row[5],
        answer=row[6],
        answered_at=maybe_instant(row[7]),
        nagged=row[8],
        again_at=maybe_instant(row[9]),
    )


def due(row: Row) -> Due:
    """Read a reminder that is due, or a firing of one that is to be repeated."""
    return Due(
        reminder=reminder(row),
        language=row[14],
        timezone=row[15],
        address=Address(row[3], row[4]) if row[16] is None else Address(row[16], row[17]),
        occurrence=occurrence(row[18:]) if len(row) > 18 else None,
    )
