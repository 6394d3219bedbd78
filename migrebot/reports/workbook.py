"""Tables as an Excel workbook: cells of their types, and pages that can be printed.

Text is written as text whatever it begins with: nothing a person typed becomes a formula or a link.
"""

from __future__ import annotations

import io
import math
from datetime import date, datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.i18n import Translator
    from migrebot.reports.tables import Cell, Column, Table

LONGEST_TEXT = 32_767
"""Characters of a cell (Excel specifications and limits): a longer one would be left out by the library."""

FIRST_YEAR = 1900
"""Excel counts its dates from here; earlier ones are written as text."""

BESIDE_A_WORD = 4
"""Characters left in a heading beside its longest word: it is bold, and has the arrow of the filter."""

A4 = 9
MARGIN = 0.4
"""Inches on the left and on the right: a narrow margin leaves the letters larger."""

LINE_HEIGHT = 15
"""Points of a line of text, as in an empty sheet."""

HIGHEST_ROW = 405
"""Points: as many whole lines as the 409 that Excel allows (Excel specifications and limits)."""

_PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}


def workbook(tables: Sequence[Table], tr: Translator, *, title: str) -> bytes:
    """Write each table as a sheet with a fixed heading and a filter; `title` is the document's."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, _PLAIN) as book:
        book.set_properties({"title": title, "comments": "", "author": "Migrebot"})
        formats = _Formats(book, tr)
        for table in tables:
            _write(book.add_worksheet(table.title), table, formats, title)
    return target.getvalue()


class _Formats:
    """How the cells of one workbook look; days and moments in the order the language writes them."""

    def __init__(self, book: Any, tr: Translator) -> None:
        day = tr.day_pattern
        base = {"valign": "top"}
        self.heading = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "vcenter", "bottom": 1, "bg_color": "#E8EEF4"}
        )
        self.text = book.add_format({**base, "text_wrap": True, "align": "left"})
        # Away from the text of the next column.
        self.number = book.add_format({**base, "align": "right", "indent": 1})
        self.number_beside = book.add_format({**base, "align": "left"})
        self.day = book.add_format({**base, "num_format": day, "align": "left"})
        self.moment = book.add_format({**base, "num_format": f"{day} hh:mm", "align": "left"})


def _write(sheet: Any, table: Table, formats: _Formats, title: str) -> None:
    widths = [_width(column) for column in table.columns]
    for place, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, column.heading, formats.heading)
    _set_height(sheet, 0, [column.heading for column in table.columns], [width - BESIDE_A_WORD for width in widths])
    # Beside its label a number reads best on the left, in a column of numbers on the right.
    number = formats.number if table.has_filter else formats.number_beside
    for line, row in enumerate(table.rows, start=1):
        for place, cell in enumerate(row):
            _write_cell(sheet, (line, place), cell, formats, number)
        _set_height(sheet, line, row, widths)
    sheet.freeze_panes(1, 0)
    if table.rows and table.has_filter:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=MARGIN, right=MARGIN)
    sheet.fit_to_pages(1, 0 if table.has_filter else 1)
    sheet.repeat_rows(0)
    # An ampersand is a code there: in the middle stands the name of the sheet, on the right the page.
    sheet.set_footer(f"&L{title.replace('&', '&&')}&C&A&R&P / &N")


def _width(column: Column) -> int:
    return max(column.width, max(map(len, column.heading.split()), default=0) + BESIDE_A_WORD)


def _set_height(sheet: Any, line: int, cells: Sequence[Cell], widths: Sequence[int]) -> None:
    """Make room for the lines that text is broken into: not every program does so by itself."""
    lines = max(
        (_lines(cell, width) for cell, width in zip(cells, widths, strict=True) if isinstance(cell, str)), default=1
    )
    if lines > 1:
        sheet.set_row(line, min(lines * LINE_HEIGHT, HIGHEST_ROW))


def _lines(text: str, width: int) -> int:
    return sum(max(1, len(wrap(part, width))) for part in text[:LONGEST_TEXT].split("\n"))


def _write_cell(sheet: Any, at: tuple[int, int], cell: Cell, formats: _Formats, number: Any) -> None:
    match cell:
        case None:
            pass
        case datetime() if cell.year >= FIRST_YEAR:
            sheet.write_datetime(*at, cell, formats.moment)
        case date() if cell.year >= FIRST_YEAR:
            sheet.write_datetime(*at, cell, formats.day)
        case int() | float() if math.isfinite(cell):
            sheet.write_number(*at, cell, number)
        case _:
            sheet.write_string(*at, shortened(str(cell)), formats.text)


def shortened(text: str) -> str:
    """Cut text to what a cell holds."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
