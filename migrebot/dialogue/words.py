"""How recorded things are written for a person: factors, symptoms, amounts, durations, whole entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot.diary.entries import days_touched, in_zone
from migrebot.diary.labels import SYMPTOMS, TRIGGERS, UNITS, choice_label
from migrebot.i18n import N_, Translator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from migrebot.diary.entries import Headache, Intake, Pressure


def duration(hours: float, tr: Translator) -> str:
    """Write a duration: "under an hour", "3 h", "1 h 30 min", "2 days 6 h"."""
    if hours == 0.5:
        return tr.plain("under an hour")
    minutes = round(hours * 60)
    days, minutes = divmod(minutes, 24 * 60) if minutes >= 48 * 60 else (0, minutes)
    whole, minutes = divmod(minutes, 60)
    parts = []
    if days:
        parts.append(str(tr.n("%(n)s day", "%(n)s days", days)))
    if whole:
        parts.append(tr.plain("%(n)s h", n=whole))
    if minutes:
        parts.append(tr.plain("%(n)s min", n=minutes))
    return " ".join(parts)


def amount(number: float, unit: str, tr: Translator) -> str:
    """Write an amount: "400 mg"."""
    return f"{tr.number(number)} {tr.plain(UNITS[unit]) if unit in UNITS else unit}"


def medicine(drug: str, number: float | None, unit: str, tr: Translator) -> str:
    """Write a medicine taken: "Ibuprofen 400 mg"; without a known amount the name alone."""
    return drug if number is None else f"{drug} {amount(number, unit, tr)}"


def medicines(intakes: Sequence[Intake], tr: Translator) -> str:
    """Write several medicines: "Ibuprofen 400 mg and Sumatriptan 50 mg"."""
    return tr.list([medicine(intake.drug, intake.amount, intake.unit, tr) for intake in intakes])


def intake(entry: Intake, tr: Translator, today: date) -> Markup:
    """Write a medicine taken line by line."""
    what = medicine(entry.drug, entry.amount, entry.unit, tr)
    return Markup("<b>%s</b>\n%s") % (tr.long_date(entry.day, today), what)


def pressure(reading: Pressure, tr: Translator) -> str:
    """Write a blood pressure reading: "120/80, pulse 65"."""
    values = f"{reading.systolic}/{reading.diastolic}"
    return (
        values if reading.pulse is None else tr.plain("%(values)s, pulse %(pulse)s", values=values, pulse=reading.pulse)
    )


def pressure_reading(reading: Pressure, tr: Translator, today: date) -> Markup:
    """Write a blood pressure reading line by line, with its date and time."""
    moment = in_zone(reading.measured_at, reading.timezone)
    day = tr.long_date(moment.date(), today)
    return Markup("<b>%s, %s</b>\n%s") % (day, tr.time(moment), pressure(reading, tr))


def yes_no(value: bool, tr: Translator) -> str:
    """Write yes or no."""
    return tr.plain("Yes") if value else tr.plain("No")


def headache(entry: Headache, intakes: Sequence[Intake], tr: Translator, today: date) -> Markup:
    """Write an attack line by line; what is unknown is left out."""
    days = days_touched(entry)
    shown = " – ".join(tr.long_date(day, today) for day in dict.fromkeys((days[0], days[-1])))
    lines = [Markup("<b>%s</b>") % shown, _pain(entry, tr)]
    if entry.aura is not None:
        lines.append(tr("Aura: %(answer)s", answer=yes_no(entry.aura, tr).lower()))
    for values, labels, known, none in (
        (entry.triggers, TRIGGERS, N_("Suspected factors: %(list)s"), N_("Suspected factors: none")),
        (entry.symptoms, SYMPTOMS, N_("Symptoms: %(list)s"), N_("Symptoms: none")),
    ):
        if values:
            lines.append(tr(known, list=tr.list([choice_label(labels, value, tr).lower() for value in values])))
        elif values is not None:
            lines.append(tr(none))
    if intakes:
        lines.append(tr("Medicine: %(list)s", list=medicines(intakes, tr)))
    elif entry.medicine_taken is not None:
        taken = N_("Medicine: taken, not known which") if entry.medicine_taken else N_("Medicine: none")
        lines.append(tr(taken))
    if entry.note:
        lines.append(tr("Note: %(text)s", text=entry.note))
    return Markup("\n").join(line for line in lines if line)


def _pain(entry: Headache, tr: Translator) -> Markup:
    if entry.intensity is not None and entry.duration_h is not None:
        return tr(
            "Pain %(intensity)s of 10, %(duration)s",
            intensity=entry.intensity,
            duration=duration(entry.duration_h, tr),
        )
    if entry.intensity is not None:
        return tr("Pain %(intensity)s of 10", intensity=entry.intensity)
    if entry.duration_h is not None:
        return tr("Pain for %(duration)s", duration=duration(entry.duration_h, tr))
    return Markup("")
