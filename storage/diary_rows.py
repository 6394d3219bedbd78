"""How the entries of the diary look in a row; the order of the columns is that of the named SQL.

Shared by the drivers.
"""

from __future__ import annotations

from datetime import date

from migrebot.diary.entries import Drug, FreeDay, Headache, Intake, Pressure, last_day
from storage.columns import (
    Row,
    clean,
    instant,
    maybe_clean,
    maybe_instant,
    maybe_json,
    maybe_micros,
    maybe_strings,
    micros,
    truth,
)
from storage.records import OveruseNotice


def headache_values(headache: Headache) -> Row:
    """Give the row of an attack."""
    return (
        headache.id,
        headache.user_id,
        headache.day.isoformat(),
        headache.timezone,
        micros(headache.created_at),
        maybe_micros(headache.onset),
        maybe_micros(headache.end),
        headache.duration_h,
        headache.intensity,
        headache.aura,
        maybe_json(headache.triggers),
        maybe_json(headache.symptoms),
        headache.medicine_taken,
        maybe_clean(headache.note),
        maybe_micros(headache.deleted_at),
        last_day(headache).isoformat(),
    )


def headache(row: Row) -> Headache:
    """Read the row of an attack."""
    return Headache(
        id=row[0],
        user_id=row[1],
        day=date.fromisoformat(row[2]),
        timezone=row[3],
        created_at=instant(row[4]),
        onset=maybe_instant(row[5]),
        end=maybe_instant(row[6]),
        duration_h=row[7],
        intensity=row[8],
        aura=truth(row[9]),
        triggers=maybe_strings(row[10]),
        symptoms=maybe_strings(row[11]),
        medicine_taken=truth(row[12]),
        note=row[13],
        deleted_at=maybe_instant(row[14]),
    )


def free_day(row: Row) -> FreeDay:
    """Read the row of a day free of headache."""
    return FreeDay(user_id=row[0], day=date.fromisoformat(row[1]), source=row[2])


def intake_values(intake: Intake, position: int = 0) -> Row:
    """Give the row of an intake; `position` tells apart those recorded at once."""
    return (
        intake.id,
        intake.user_id,
        intake.day.isoformat(),
        intake.timezone,
        clean(intake.drug),
        micros(intake.created_at),
        intake.amount,
        clean(intake.unit),
        intake.headache_id,
        maybe_micros(intake.deleted_at),
        position,
    )


def intake(row: Row) -> Intake:
    """Read the row of an intake."""
    return Intake(
        id=row[0],
        user_id=row[1],
        day=date.fromisoformat(row[2]),
        timezone=row[3],
        drug=row[4],
        created_at=instant(row[5]),
        amount=row[6],
        unit=row[7],
        headache_id=row[8],
        deleted_at=maybe_instant(row[9]),
    )


def pressure_values(pressure: Pressure) -> Row:
    """Give the row of a blood pressure reading."""
    return (
        pressure.id,
        pressure.user_id,
        micros(pressure.measured_at),
        pressure.timezone,
        pressure.systolic,
        pressure.diastolic,
        micros(pressure.created_at),
        pressure.pulse,
        maybe_micros(pressure.deleted_at),
    )


def pressure(row: Row) -> Pressure:
    """Read the row of a blood pressure reading."""
    return Pressure(
        id=row[0],
        user_id=row[1],
        measured_at=instant(row[2]),
        timezone=row[3],
        systolic=row[4],
        diastolic=row[5],
        created_at=instant(row[6]),
        pulse=row[7],
        deleted_at=maybe_instant(row[8]),
    )


def drug_values(drug: Drug) -> Row:
    """Give the row of a drug."""
    return (
        drug.id,
        drug.user_id,
        clean(drug.name),
        micros(drug.created_at),
        drug.daily_max_mg,
        drug.is_painkiller,
        drug.is_antipyretic,
        maybe_micros(drug.deleted_at),
    )


def drug(row: Row) -> Drug:
    """Read the row of a drug."""
    return Drug(
        id=row[0],
        user_id=row[1],
        name=row[2],
        created_at=instant(row[3]),
        daily_max_mg=row[4],
        is_painkiller=truth(row[5]),
        is_antipyretic=truth(row[6]),
        deleted_at=maybe_instant(row[7]),
    )


def overuse_notice_values(notice: OveruseNotice) -> Row:
    """Give the row of what somebody wants of the notice on frequent medicine."""
    return (notice.user_id, int(notice.is_off), maybe_micros(notice.told_at))


def overuse_notice(row: Row) -> OveruseNotice:
    """Read the row of what somebody wants of the notice on frequent medicine."""
    return OveruseNotice(user_id=row[0], is_off=bool(row[1]), told_at=maybe_instant(row[2]))
