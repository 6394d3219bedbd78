"""The step that asks for a day: today, yesterday, the three days before, or any day from a month's calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from migrebot.dialogue import month
from migrebot.dialogue.form import Choice, Complaint, Rows, View
from migrebot.dialogue.month import FIRST_DAY
from migrebot.diary.parsing import parse_day

if TYPE_CHECKING:
    from collections.abc import Sequence

_EMPTY = "·"


def day_choices(view: View, *, before: Sequence[Sequence[Choice]] = ()) -> Rows:
    """Offer the recent days, or the calendar of the month that `view.session.page` names (`2026-11`)."""
    if view.session.page:
        return _month(view, view.session.page)
    recent = [view.today - timedelta(days=days) for days in range(5)]
    tr = view.tr
    return [
        *before,
        [Choice(tr.plain("Today"), str(recent[0])), Choice(tr.plain("Yesterday"), str(recent[1]))],
        [Choice(tr.short_date(day), str(day)) for day in recent[2:]],
        [Choice(tr.plain("Another day…"), f"{view.today:%Y-%m}", turns_page=True)],
    ]


def parse_past_day(view: View, text: str) -> str | Complaint:
    """Understand a typed day up to today, as an ISO date."""
    day = parse_day(text, view.today)
    if day is None:
        return Complaint(
            view.tr(
                "I did not understand that date. Please choose one, or write it like this: %(example)s.",
                example=f"{view.today - timedelta(days=1):%d.%m.%Y}",
            )
        )
    if day > view.today:
        return Complaint(
            view.tr(
                "%(day)s is still to come. Please choose a day up to today.", day=view.tr.long_date(day, view.today)
            )
        )
    if day < FIRST_DAY:
        return Complaint(view.tr("The diary begins with the year 2000. Please choose a later day."))
    return str(day)


def _month(view: View, page: str) -> Rows:
    first = date.fromisoformat(f"{page}-01")
    same_page = Choice(_EMPTY, page, turns_page=True)
    heading = Choice(view.tr.month(first), page, turns_page=True)
    weekdays = [Choice(name, page, turns_page=True) for name in view.tr.weekdays()]
    weeks = [
        [Choice(str(day.day), str(day)) if day else same_page for day in week]
        for week in month.weeks(first, view.today, view.tr.first_weekday)
    ]
    return [[heading], weekdays, *weeks, _neighbours(view, first)]


def _neighbours(view: View, first: date) -> list[Choice]:
    row = []
    if before := month.before(first):
        row.append(Choice(f"‹ {view.tr.month_name(before)}", f"{before:%Y-%m}", turns_page=True))
    row.append(Choice(view.tr.plain("Recent days"), "", turns_page=True))
    if after := month.after(first, view.today):
        row.append(Choice(f"{view.tr.month_name(after)} ›", f"{after:%Y-%m}", turns_page=True))
    return row
