"""Between the daily report and its rows."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from migrebot.messages import Profile
from migrebot.reports.daily import Day, Person, Report, Span, Totals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.columns import Row

_profile = msgspec.json.Decoder(Profile).decode


def span(
    since: datetime, until: datetime, counts: Sequence[Row], newcomers: Sequence[Row], departures: Sequence[Row]
) -> Span:
    """Put together what happened from one instant up to another."""
    headaches, intakes, pressures, drugs, active, asked = counts[0]
    report = Report(
        n_notified_users=asked,
        new_users=tuple(map(newcomer, newcomers)),
        deleted_users=tuple(map(departed, departures)),
        n_pains=headaches,
        n_druguses=intakes,
        n_pressures=pressures,
        n_medications=drugs,
    )
    return Span(since=since, until=until, report=report, active_users=active)


def newcomer(row: Row) -> Person:
    """Read somebody who came."""
    profile = _profile(row[2]) if row[2] else Profile()
    return Person(
        telegram_id=row[0],
        first_name=profile.first_name or None,
        last_name=profile.last_name or None,
        user_name=profile.username or None,
        language=row[1],
        n_paincases=row[3],
        n_druguses=row[4],
        n_pressures=row[5],
        n_medications=row[6],
    )


def departed(row: Row) -> Person:
    """Read somebody who left: nothing but the id and the counts is known any more."""
    return Person(telegram_id=row[0], n_paincases=row[1], n_druguses=row[2], n_pressures=row[3], n_medications=row[4])


def totals(row: Row) -> Totals:
    """Read all there is."""
    return Totals(
        users=row[0],
        active=row[1],
        super_active=row[2],
        asked=row[3],
        headaches=row[4],
        intakes=row[5],
        pressures=row[6],
        drugs=row[7],
    )


def day_values(day: Day) -> Row:
    """Write a closed day."""
    people = (day.new_users, day.deleted_users, day.active_users, day.notified_users)
    return (day.day.isoformat(), *people, day.n_pains, day.n_druguses, day.n_pressures, day.n_medications)


def day(row: Row) -> Day:
    """Read a closed day."""
    return Day(
        day=date.fromisoformat(row[0]),
        new_users=row[1],
        deleted_users=row[2],
        active_users=row[3],
        notified_users=row[4],
        n_pains=row[5],
        n_druguses=row[6],
        n_pressures=row[7],
        n_medications=row[8],
    )
