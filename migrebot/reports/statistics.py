"""The workbook of a period, for a doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.diary.summary import summarise, within
from migrebot.reports import tables
from migrebot.reports.overview import overview
from migrebot.reports.workbook import workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.diary.entries import Drug
    from migrebot.diary.summary import Window
    from migrebot.i18n import Translator
    from storage.facts import Entries

KINDS = {
    "headaches": ("headaches",),
    "medication": ("medication",),
    "pressure": ("pressure",),
    "all": ("headaches", "medication", "pressure"),
}
"""What each choice is about."""


def statistics_workbook(entries: Entries, own: Sequence[Drug], window: Window, kind: str, tr: Translator) -> bytes:
    """Write the summary and the entries of the window; raises `KeyError` for a kind there is none of."""
    kinds = KINDS[kind]
    inside = within(entries, window)
    sheets = [overview(summarise(entries, own, window), kinds, tr)]
    if "headaches" in kinds:
        # The medicines of an attack belong to it wherever they were taken.
        sheets += [tables.headaches(inside.headaches, entries.intakes, tr), tables.free_days(inside.free, tr)]
    if "medication" in kinds:
        sheets.append(tables.medication(inside.intakes, tr))
    if "pressure" in kinds:
        sheets.append(tables.pressure(inside.pressures, tr))
    title = f"{tr.full_date(window.first)} – {tr.full_date(window.last)}"
    return workbook([sheets[0], *(sheet for sheet in sheets[1:] if sheet.rows)], tr, title=title)
