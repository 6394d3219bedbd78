"""All of one person's data as a file, for the person: JSON for programs, CSV and Excel for reading.

A spreadsheet takes text that begins with `=`, `+`, `-` or `@`, white space in front of it aside, for a formula, in a
CSV file too; in East Asian settings also their wide forms. There such text gets an apostrophe in front, which
spreadsheets take for "this is text" (OWASP, CSV Injection). JSON and Excel files hold it as it is.
"""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from migrebot import money
from migrebot.i18n import language_name, messenger_name
from migrebot.reports import tables
from migrebot.reports.tables import Column, Table
from migrebot.reports.workbook import workbook

if TYPE_CHECKING:
    from migrebot.i18n import Translator
    from migrebot.reports.tables import Cell
    from storage.facts import Everything
    from storage.records import Identity

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The moment in the archive: the same data give the same file."""


def export(everything: Everything, form: str, tr: Translator) -> bytes:
    """Write everything in one of the `EXPORTS`; raises `ValueError` for another format."""
    match form:
        case "json":
            return export_json(everything)
        case "csv":
            return export_csv(everything, tr)
        case "xlsx":
            return workbook(_tables(everything, tr), tr, title="Migrebot")
        case _:
            raise ValueError(form)


def export_json(everything: Everything) -> bytes:
    """Write everything as indented JSON in UTF-8: the record names of the diary, dates and instants as ISO 8601."""
    encoded = msgspec.json.encode({"format": "migrebot", "version": 1, **msgspec.structs.asdict(everything)})
    return msgspec.json.format(encoded, indent=2)


def export_csv(everything: Everything, tr: Translator) -> bytes:
    """Write an archive of one CSV file for each kind (RFC 4180, UTF-8 with a byte order mark, ISO 8601 dates)."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in _tables(everything, tr):
            archive.writestr(zipfile.ZipInfo(f"{table.name}.csv", _LONG_AGO), _csv(table), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _csv(table: Table) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([harmless(column.heading) for column in table.columns])
    writer.writerows([_written(cell) for cell in row] for row in table.rows)
    return written.getvalue().encode("utf-8-sig")


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(" ", "seconds")
        case date():
            return cell.isoformat()
        case str():
            return harmless(cell)
        case _:
            return str(int(cell) if float(cell).is_integer() else cell)


def harmless(text: str) -> str:
    """Put an apostrophe in front of text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _tables(everything: Everything, tr: Translator) -> list[Table]:
    return [
        _person(everything, tr),
        tables.headaches(everything.headaches, everything.intakes, tr),
        tables.medication(everything.intakes, tr),
        tables.pressure(everything.pressures, tr),
        tables.free_days((day.day for day in everything.free_days), tr),
        tables.drugs(everything.drugs, tr),
        tables.reminders(everything.reminders, tr),
    ]


def _person(everything: Everything, tr: Translator) -> Table:
    """List what is stored about the person besides the entries."""
    user = everything.user
    rows: list[tuple[Cell, ...]] = []
    if user is not None:
        rows += [
            (tr.plain("My number"), str(user.id)),
            (tr.plain("Language"), language_name(user.language)),
            (tr.plain("Time zone"), user.timezone),
            (tr.plain("Since"), user.created_at.date()),
        ]
    if everything.overuse_notice is not None:
        is_on = not everything.overuse_notice.is_off
        rows.append((tr.plain("Notice on frequent medicine"), tables.yes_no(is_on, tr)))
    if everything.asking is not None:
        rows.append((tr.plain("Question about the day, every so many days"), everything.asking.every or None))
        rows.append((tr.plain("Question about the day, at"), f"{everything.asking.at:%H:%M}"))
    if everything.announcement_wish is not None:
        is_on = not everything.announcement_wish.is_off
        rows.append((tr.plain("Announcements"), tables.yes_no(is_on, tr)))
    zone = user.timezone if user and user.timezone else "UTC"
    for letter in everything.letters:
        rows.append((tr.plain("Message to the owner"), tables.local(letter.written_at, zone)))
    for payment in everything.payments:
        cell = (
            f"{money.written(payment.amount, payment.currency)}, {tables.local(payment.paid_at, zone):%Y-%m-%d %H:%M}"
        )
        given_back = tr.plain("given back")
        is_back = f" ({given_back})" if payment.refunded_at else ""
        rows.append((tr.plain("Donation"), tables.shown(f"{cell}{is_back}, {payment.charge_id}")))
    for identity in everything.identities:
        rows.append((messenger_name(identity.address.channel, tr), _known_as(identity)))
    columns = (Column(tr.plain("About me"), 40), Column("", 50))
    return Table(name="about-me", title=tr.plain("About me"), columns=columns, rows=tuple(rows), has_filter=False)


def _known_as(identity: Identity) -> str | None:
    """Tell what a person calls an address: a phone number, a name; the messenger's own number for want of one."""
    profile, address = identity.profile, identity.address
    names = [profile.first_name, profile.last_name, profile.username and f"@{profile.username}"]
    if address.channel == "whatsapp":
        names.insert(0, address.value.removeprefix("whatsapp:"))
    elif address.channel == "telegram" and not any(names):
        names = [address.value]
    return tables.shown(" ".join(filter(None, names)))
