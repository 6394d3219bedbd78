"""The diary as tables, for people: one row an attack, an intake, a reading, a day; in the person's language.

A cell holds a value of its type (a date, a local moment without zone, a number, text) or None, which is unknown.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from migrebot.diary.entries import in_zone, last_day
from migrebot.diary.labels import SYMPTOMS, TRIGGERS, UNITS, choice_label
from migrebot.diary.summary import duration_of
from migrebot.reminders.wording import schedule
from migrebot.typed import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrebot.diary.entries import Drug, Headache, Intake, Pressure
    from migrebot.i18n import Translator
    from migrebot.reminders.reminder import Reminder

Cell: TypeAlias = "date | datetime | float | str | None"


class Column(Struct, frozen=True):
    """A column: its heading and its width in characters."""

    heading: str
    width: int


class Table(Struct, frozen=True, kw_only=True):
    """A table: `name` is for files (ASCII), `title` for people (up to 31 characters, none of `[]:*?/` or a backslash).

    `has_filter` tells that its rows are alike, so that they can be filtered.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_filter: bool = True


def headaches(attacks: Sequence[Headache], intakes: Iterable[Intake], tr: Translator) -> Table:
    """List the attacks; several medicines of one stand on several lines of its cell."""
    taken: dict[int | None, list[Intake]] = {}
    for intake in intakes:
        taken.setdefault(intake.headache_id, []).append(intake)
    columns = (
        Column(tr.plain("Date"), 12),
        Column(tr.plain("Last day"), 12),
        Column(tr.plain("Began at"), 17),
        Column(tr.plain("Duration, hours"), 11),
        Column(tr.plain("Intensity, 1–10"), 11),
        Column(tr.plain("Aura"), 8),
        Column(tr.plain("Suspected factors"), 22),
        Column(tr.plain("Symptoms"), 22),
        Column(tr.plain("Medicine"), 22),
        Column(tr.plain("Note"), 30),
    )
    rows = (
        (
            attack.day,
            last_day(attack),
            local(attack.onset, attack.timezone),
            duration_of(attack),
            attack.intensity,
            yes_no(attack.aura, tr),
            _choices(attack.triggers, TRIGGERS, tr),
            _choices(attack.symptoms, SYMPTOMS, tr),
            _medicines(attack, taken.get(attack.id, ()), tr),
            shown(attack.note),
        )
        for attack in attacks
    )
    return Table(name="headaches", title=tr.plain("Headaches"), columns=columns, rows=tuple(rows))


def medication(intakes: Iterable[Intake], tr: Translator) -> Table:
    """List the medicines taken, one a row."""
    columns = (
        Column(tr.plain("Date"), 12),
        Column(tr.plain("Medicine"), 36),
        Column(tr.plain("Amount"), 11),
        Column(tr.plain("Unit"), 12),
        Column(tr.plain("For a headache"), 14),
    )
    rows = (
        (
            intake.day,
            shown(intake.drug),
            intake.amount,
            None if intake.amount is None else _unit(intake.unit, tr),
            yes_no(intake.headache_id is not None or None, tr),
        )
        for intake in intakes
    )
    return Table(name="medication", title=tr.plain("Medication"), columns=columns, rows=tuple(rows))


def pressure(readings: Iterable[Pressure], tr: Translator) -> Table:
    """List the readings of blood pressure, at the local time of their own zones."""
    columns = (
        Column(tr.plain("Date and time"), 18),
        Column(tr.plain("Systolic, mmHg"), 12),
        Column(tr.plain("Diastolic, mmHg"), 12),
        Column(tr.plain("Pulse, per minute"), 12),
    )
    rows = (
        (local(reading.measured_at, reading.timezone), reading.systolic, reading.diastolic, reading.pulse)
        for reading in readings
    )
    return Table(name="pressure", title=tr.plain("Pressure"), columns=columns, rows=tuple(rows))


def free_days(days: Iterable[date], tr: Translator) -> Table:
    """List the days recorded as free of headache."""
    columns = (Column(tr.plain("Date"), 12),)
    rows = tuple((day,) for day in sorted(days))
    return Table(name="headache-free-days", title=tr.plain("Days without headache"), columns=columns, rows=rows)


def drugs(own: Iterable[Drug], tr: Translator) -> Table:
    """List the person's own medicines."""
    columns = (
        Column(tr.plain("Medicine"), 36),
        Column(tr.plain("Daily maximum, mg"), 14),
        Column(tr.plain("Painkiller"), 12),
        Column(tr.plain("Lowers fever"), 12),
    )
    rows = (
        (shown(drug.name), drug.daily_max_mg, yes_no(drug.is_painkiller, tr), yes_no(drug.is_antipyretic, tr))
        for drug in own
    )
    return Table(name="medicines", title=tr.plain("My medicines"), columns=columns, rows=tuple(rows))


def reminders(own: Iterable[Reminder], tr: Translator) -> Table:
    """List the person's reminders; the next firing at the local time of the reminder's own zone."""
    columns = (
        Column(tr.plain("Reminder"), 44),
        Column(tr.plain("When"), 44),
        Column(tr.plain("Next time"), 18),
        Column(tr.plain("Paused"), 10),
    )
    rows = (
        (
            shown(one.task),
            schedule(one.schedule, tr, one.created_at.date()),
            local(one.next_at, one.schedule.timezone),
            yes_no(one.paused_at is not None or None, tr),
        )
        for one in own
    )
    return Table(name="reminders", title=tr.plain("Reminders"), columns=columns, rows=tuple(rows))


def yes_no(value: bool | None, tr: Translator) -> str | None:
    """Write yes or no; None if it is unknown."""
    return None if value is None else tr.plain("Yes") if value else tr.plain("No")


def local(moment: datetime | None, zone: str) -> datetime | None:
    """Give the local time in a zone, without the zone."""
    return None if moment is None else in_zone(moment, zone).replace(tzinfo=None)


def shown(text: str | None) -> str | None:
    """Give text without what a reader cannot see; what was not told is None."""
    return None if text is None else clean(text) or None


def _choices(values: Sequence[str] | None, labels: dict[str, str], tr: Translator) -> str | None:
    if values is None:
        return None
    return shown(", ".join(choice_label(labels, value, tr) for value in values)) or tr.plain("None")


def _medicines(attack: Headache, intakes: Sequence[Intake], tr: Translator) -> str | None:
    if intakes:
        return shown("\n".join(_medicine(intake, tr) for intake in intakes))
    if attack.medicine_taken is None:
        return None
    return tr.plain("Taken, not known which") if attack.medicine_taken else tr.plain("None")


def _medicine(intake: Intake, tr: Translator) -> str:
    drug = " ".join(intake.drug.split())
    return drug if intake.amount is None else f"{drug} {tr.number(intake.amount)} {_unit(intake.unit, tr)}"


def _unit(unit: str, tr: Translator) -> str | None:
    return tr.plain(UNITS[unit]) if unit in UNITS else shown(unit)
