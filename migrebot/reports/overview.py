"""The first sheet of a doctor's workbook: the window, the numbers of its summary, and how days were counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.diary.labels import CLASSES
from migrebot.diary.summary import MODERATE, MONTH_DAYS
from migrebot.reports.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from migrebot.diary.summary import Average, Summary
    from migrebot.i18n import Translator
    from migrebot.reports.tables import Cell

Line = tuple[str, "Cell"]


def overview(summary: Summary, kinds: Collection[str], tr: Translator) -> Table:
    """Write the summary of these kinds (`headaches`, `medication`, `pressure`) line by line."""
    parts = {"headaches": _headaches, "medication": _medication, "pressure": _pressure}
    rows = [*_window(summary, tr)]
    for kind, lines in parts.items():
        if kind in kinds:
            rows += lines(summary, tr)
    how = list(_how(tr))
    rows += zip([tr.plain("How days were counted"), *[""] * (len(how) - 1)], how, strict=True)
    columns = (Column(tr.plain("Summary"), 46), Column("", 64))
    return Table(name="summary", title=tr.plain("Summary"), columns=columns, rows=tuple(rows), has_filter=False)


def _window(summary: Summary, tr: Translator) -> Iterator[Line]:
    yield tr.plain("First day"), summary.window.first
    yield tr.plain("Last day"), summary.window.last
    yield tr.plain("Days in this period"), summary.window.days


def _headaches(summary: Summary, tr: Translator) -> Iterator[Line]:
    pain = summary.pain
    yield tr.plain("Days recorded, with or without headache"), summary.recorded
    yield tr.plain("Days not recorded: unknown"), summary.window.days - summary.recorded
    hurt = tr.plain("Days with headache") if summary.is_complete else tr.plain("Days with headache, at least")
    yield hurt, pain.days
    yield tr.plain("Days without headache"), pain.free
    if summary.per_month is not None:
        yield tr.plain("Days with headache, in %(n)s days", n=MONTH_DAYS), round(summary.per_month, 1)
    yield tr.plain("Days with moderate or severe pain (%(n)s and more)", n=MODERATE), pain.moderate
    yield tr.plain("Attacks"), pain.attacks
    yield from _average(pain.intensity, tr.plain("Intensity, mean"), tr.plain("Intensity, highest"))
    yield from _average(pain.duration_h, tr.plain("Duration in hours, mean"), tr.plain("Duration in hours, longest"))


def _medication(summary: Summary, tr: Translator) -> Iterator[Line]:
    medication = summary.medication
    yield tr.plain("Days with medicine, at least"), medication.days
    for kind, days in medication.acute:
        yield tr.plain("Days with acute medicine, at least: %(class)s", **{"class": tr.plain(CLASSES[kind])}), days
    yield tr.plain("Medicines taken"), medication.intakes


def _pressure(summary: Summary, tr: Translator) -> Iterator[Line]:
    readings = summary.readings
    yield tr.plain("Readings of blood pressure"), 0 if readings is None else readings.systolic.count
    if readings is None:
        return
    yield from _average(readings.systolic, tr.plain("Systolic, mean"), tr.plain("Systolic, highest"))
    yield from _average(readings.diastolic, tr.plain("Diastolic, mean"), tr.plain("Diastolic, highest"))
    yield from _average(readings.pulse, tr.plain("Pulse, mean"), tr.plain("Pulse, highest"))


def _average(average: Average | None, mean: str, highest: str) -> Iterator[Line]:
    if average is not None:
        yield mean, round(average.mean, 1)
        yield highest, average.highest


def _how(tr: Translator) -> Iterator[str]:
    yield tr.plain(
        "A day counts as one with headache if an attack touches it, as one without if it was recorded as such, and is"
        " unknown otherwise. Unknown days are not counted as days without headache."
    )
    yield tr.plain("An intake that was not recorded is missing, so days with medicine are the least there were.")
    yield tr.plain(
        "A count is set in relation to %(n)s days only if at least 80%% of the days are recorded.", n=MONTH_DAYS
    )
    yield tr.plain("These are the person’s own entries, not a diagnosis.")
