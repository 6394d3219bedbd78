"""The daily report: what happened in the program since the last one, for listeners outside and for the owner."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrebot.i18n import Translator

LATELY = timedelta(days=31)
"""Whoever recorded something within it counts as super-active."""

LISTED = 20
"""People named one by one in the owner's message; the others are counted."""


LATELY = timedelta(days=31)
"""Whoever recorded something within it counts as super-active."""

CLOSED_UNTIL = "reported until"
"""The name of the instant up to which days are closed."""


class Person(Struct, frozen=True, kw_only=True):
    """A person in a report, by the names listeners of the original bot know; what is not known is null."""

    telegram_id: int
    first_name: str | None = None
    last_name: str | None = None
    user_name: str | None = None
    language: str | None = None
    n_paincases: int
    n_druguses: int
    n_pressures: int
    n_medications: int


class Report(Struct, frozen=True, kw_only=True):
    """What happened since the last report, as `channel:report` tells it."""

    n_notified_users: int = 0
    new_users: tuple[Person, ...] = ()
    deleted_users: tuple[Person, ...] = ()
    n_pains: int = 0
    n_druguses: int = 0
    n_pressures: int = 0
    n_medications: int = 0


class Span(Struct, frozen=True, kw_only=True):
    """The span of time of a report, and what else belongs to it: how many different people recorded something."""

    since: datetime
    until: datetime
    report: Report
    active_users: int


class Totals(Struct, frozen=True, kw_only=True):
    """All there is: people, those with entries, those with one in the last 31 days, those who are asked regularly."""

    users: int
    active: int
    super_active: int
    asked: int
    headaches: int
    intakes: int
    pressures: int
    drugs: int


class Day(Struct, frozen=True, kw_only=True):
    """One closed day, as `/api/statistics` shows it."""

    day: date
    new_users: int
    deleted_users: int
    active_users: int
    notified_users: int
    n_pains: int
    n_druguses: int
    n_pressures: int
    n_medications: int


def closed(day: date, span: Span) -> Day:
    """Give what is kept of a day when it is closed: counts, nobody's name."""
    report = span.report
    return Day(
        day=day,
        new_users=len(report.new_users),
        deleted_users=len(report.deleted_users),
        active_users=span.active_users,
        notified_users=report.n_notified_users,
        n_pains=report.n_pains,
        n_druguses=report.n_druguses,
        n_pressures=report.n_pressures,
        n_medications=report.n_medications,
    )


def told(
    report: Report,
    totals: Totals,
    day: date,
    tr: Translator,
    *,
    missed: bool = False,
    since: datetime | None = None,
) -> Markup:
    """Write the report for the owner.

    `missed` tells that it was due while the program was down, `since` (local) that the day is not over: from when on
    things are counted.
    """
    paragraphs = [tr("<b>Report, %(day)s</b>", day=tr.full_date(day))]
    if missed:
        paragraphs.append(tr("It comes late: the program was not running when it was due."))
    if since is not None:
        begun = tr.plain("%(day)s, %(clock)s", day=tr.day(since.date(), day), clock=tr.time(since))
        paragraphs.append(tr("So far, since %(begun)s.", begun=begun))
    paragraphs += [
        _people(tr("New people: %(count)s", count=len(report.new_users)), report.new_users, tr),
        _people(tr("People who left: %(count)s", count=len(report.deleted_users)), report.deleted_users, tr),
        Markup("\n").join(
            [
                tr("Headaches: %(new)s, %(all)s in all", new=report.n_pains, all=totals.headaches),
                tr("Medicines taken: %(new)s, %(all)s in all", new=report.n_druguses, all=totals.intakes),
                tr("Blood pressure: %(new)s, %(all)s in all", new=report.n_pressures, all=totals.pressures),
                tr("Medicines on lists: %(new)s, %(all)s in all", new=report.n_medications, all=totals.drugs),
            ]
        ),
        Markup("\n").join(
            [
                tr("People: %(all)s, with entries: %(active)s", all=totals.users, active=totals.active),
                tr("With an entry in the last 31 days: %(count)s", count=totals.super_active),
                tr(
                    "Asked regularly: %(count)s, asked since the last report: %(now)s",
                    count=totals.asked,
                    now=report.n_notified_users,
                ),
            ]
        ),
    ]
    return Markup("\n\n").join(paragraphs)


def _people(heading: Markup, people: Sequence[Person], tr: Translator) -> Markup:
    lines = [heading, *(_person(person) for person in people[:LISTED])]
    if len(people) > LISTED:
        lines.append(tr("… and %(count)s more", count=len(people) - LISTED))
    return Markup("\n").join(lines)


def _person(person: Person) -> Markup:
    names = [person.first_name, person.last_name, f"@{person.user_name}" if person.user_name else None]
    name = " ".join(name for name in names if name) or "…"  # the chat in a browser asks for no name
    language = f", {person.language}" if person.language else ""
    entries = person.n_paincases + person.n_druguses + person.n_pressures
    return Markup("• {} ({}{}){}").format(name, person.telegram_id, language, f": {entries}" if entries else "")
