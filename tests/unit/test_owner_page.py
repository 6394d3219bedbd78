"""What the owner's page says, as HTML."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.i18n import translator
from migrebot.languages import LANGUAGES
from migrebot.pages.charts import Series, chart
from migrebot.pages.owner import View, page
from migrebot.reports import backups
from migrebot.reports.backups import Figures, Trouble
from migrebot.reports.daily import Day, Report
from tests.statuses import NOW, actor, status

EN = translator("en")
TODAY = date(2026, 6, 15)


def day(ago: int, **changed: int) -> Day:
    counts = {
        "new_users": 1,
        "deleted_users": 0,
        "active_users": 20,
        "notified_users": 30,
        "n_pains": 6,
        "n_druguses": 9,
        "n_pressures": 2,
        "n_medications": 1,
    }
    return Day(day=TODAY - timedelta(days=ago), **(counts | changed))


def view(**changed: Any) -> View:
    fields: dict[str, Any] = {
        "status": status(),
        "forms": {"AddDrugForm:0:name": 0, "ReportPainCaseForm:2:intensity": 3},
        "report": Report(n_pains=41),
        "days": [day(ago) for ago in range(30, 0, -1)],
        "log": ["first line", "second <b>line</b>"],
        "chat": True,
        "version": "abc",
        "zone": ZoneInfo("Europe/Paris"),
    }
    return View(**(fields | changed))


class Elements(HTMLParser):
    """All elements of a page, with their attributes; those that are not closed properly fail the test."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_in_every_language_and_needs_nothing_that_its_policy_forbids(language: str) -> None:
    text = page(view(), translator(language))
    found = Elements(text).all
    assert "{{" not in text
    assert ("html", {"lang": language}) in found
    for tag, attributes in found:
        assert tag != "style"
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "/").startswith("/")
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {attributes["aria-labelledby"] for tag, attributes in found if tag == "section"}
    assert named <= set(ids)


def test_it_tells_first_that_something_does_not_work() -> None:
    text = words(page(view(), EN))
    assert "1 part does not work" in text
    assert "failed with OSError" in text
    assert "redis: cannot be reached" in text
    well = status(actors=(actor("web"),))
    assert "All is well" in page(view(status=well), EN)
    out = status(actors=(actor("web"),), storage_trouble="disk full")
    assert "1 part does not work" in page(view(status=out, report=None, days=()), EN)


def test_it_shows_what_was_recorded_who_is_in_forms_and_how_messages_and_reminders_go() -> None:
    text = words(page(view(), EN))
    for expected in (
        "Headaches 41",
        "ReportPainCaseForm intensity 3",
        "telegram 4321 12 3 6",
        "telegram the oldest for 96 s · the chat is gone: 2 · refused: 1 · too many at once: 5",
        "Still to fire 58",
        "within a second 8",
        "within a minute 1 later 1",
        "Backup not yet",
        "Purge 13:40",
        "first line",
    ):
        assert expected in text
    assert "AddDrugForm" not in text


def test_nothing_that_is_shown_becomes_html() -> None:
    text = page(view(), EN)
    assert "second &lt;b&gt;line&lt;/b&gt;" in text
    hostile = actor("<script>", serving=False, detail="<img src=x>")
    text = page(view(status=status(actors=(hostile,))), EN)
    assert "<img src=x>" not in text
    assert "<script>" not in text


def test_what_the_database_cannot_tell_now_is_said_and_not_shown_as_zero() -> None:
    text = words(page(view(report=None, days=()), EN))
    assert "The database cannot be asked now." in text
    assert "No day is closed yet." in text


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=40),
    st.booleans(),
)
def test_the_bars_of_a_chart_stay_inside_it(some: list[tuple[int, int, int]], stacked: bool) -> None:
    by_day = {TODAY + timedelta(days=after): numbers for after, *numbers in some}
    days = sorted(by_day)
    series = [Series("a", tuple(by_day[day][0] for day in days)), Series("b", tuple(by_day[day][1] for day in days))]
    found = Elements(str(chart("A title", days, series, EN, stacked=stacked))).all
    width, height = (int(n) for n in str(dict(found)["svg"]["viewbox"]).split()[2:])
    assert width == (days[-1] - days[0]).days + 1
    for tag, attributes in found:
        if tag == "rect":
            x, y, w, h = (float(attributes[name] or "") for name in ("x", "y", "width", "height"))
            assert x >= 0
            assert x + w <= width + 0.01
            assert y >= -0.01
            assert y + h <= height + 0.02


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_the_backups_fare_is_shown_with_what_is_wrong(language: str) -> None:
    tr = translator(language)
    fares = Figures(
        made_at=NOW,
        verified_at=NOW,
        size=2_345_678,
        same_disk=True,
        failed_at=NOW,
        failure="<no> space",
        trouble=Trouble(kind="token"),
    )
    text = unescape(page(view(status=status(backup=fares)), tr))
    assert backups.size(2_345_678, tr) in text
    assert "<no> space" in text
    assert backups.told(Trouble(kind="token"), tr) in text
    assert "&lt;no&gt; space" in page(view(status=status(backup=fares)), tr)
    assert page(view(), tr) != page(view(status=status(backup=fares)), tr)
