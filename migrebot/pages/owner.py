"""The owner's page: what is known of the program, as HTML. Pure; all words come from the catalogues.

Each section whose element carries `data-live` is put in the place of what is shown when the page fetches itself again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup, escape
from msgspec import Struct

from migrebot.i18n import N_
from migrebot.pages.charts import Series, chart
from migrebot.pages.writing import html
from migrebot.reports import backups
from migrebot.reports.backups import Figures
from migrebot.reports.daily import Day, Report
from migrebot.reports.status import ActorStatus, ChannelStatus, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrebot.i18n import Translator

DAYS = 90
"""Days that the charts show at most."""

_STATES = {
    "running": N_("works"),
    "degraded": N_("fails often"),
    "failed": N_("failed"),
    "starting": N_("starts"),
    "waiting": N_("waits for its turn"),
    "stopped": N_("stopped"),
}
_REASONS = {
    "recipient_gone": N_("the chat is gone"),
    "refused": N_("refused"),
    "outcome_unknown": N_("outcome unknown"),
    "rate_limit": N_("too many at once"),
    "unreachable": N_("messenger unreachable"),
    "chat_fails": N_("this chat fails"),
    "window": N_("waits for the person"),
}
_JOBS = {
    "report": N_("Daily report"),
    "purge": N_("Purge"),
    "backup": N_("Backup"),
    "upload": N_("Upload to Yandex Disk"),
}
_DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


class View(Struct, frozen=True, kw_only=True):
    """What the page shows: `forms` counts people by the wire name of their step; `report` is None if it is not known.

    `days` are closed days in order, `log` lines without secrets, the newest last. `chat` tells whether there is a local
    chat, `version` names the version of the page's files, `zone` is that of all times shown.
    """

    status: Status
    forms: Mapping[str, int]
    report: Report | None
    days: Sequence[Day]
    log: Sequence[str]
    chat: bool
    version: str
    zone: tzinfo


def page(view: View, tr: Translator) -> str:
    """Write the whole page."""
    sections = (
        _overall(view.status, tr),
        _section("health", tr.plain("Health"), _health(view, tr)),
        _section("today", tr.plain("Since the last report"), _today(view.report, tr)),
        _section("time", tr.plain("Over time"), _over_time(tuple(view.days), tr)),
        _section("forms", tr.plain("In forms now"), _forms(view.forms, tr)),
        _section("reminders", tr.plain("Reminders"), _reminders(view.status, tr)),
        _section("sending", tr.plain("Sending"), _sending(view.status.channels, tr)),
        _section("upkeep", tr.plain("Upkeep"), _upkeep(view, tr)),
        _log(view.log, tr),
    )
    values = {
        "language": tr.language,
        "version": view.version,
        "offline": tr.plain("No connection. Trying again…"),
        "outside": tr.plain("You are signed out. Open a new link of migrebot login."),
        "noscript": tr.plain("Without JavaScript this page does not follow what happens: reload it."),
        "chat": html('<a href="/chat">{}</a>', tr.plain("Chat")) if view.chat else "",
        "sections": Markup("\n").join(sections),
    }
    written = _shell()
    for name, value in values.items():
        written = written.replace(f"{{{{{name}}}}}", escape(value))
    return written


@cache
def _shell() -> str:
    return (files("migrebot.pages") / "owner.html").read_text(encoding="utf-8")


# --- sections ----------------------------------------------------------------------------------------------------


def _overall(status: Status, tr: Translator) -> Markup:
    broken = sum(not actor.serving for actor in status.actors) + bool(status.storage_trouble)
    limited = sum(actor.serving and actor.detail != "ok" for actor in status.actors)
    if broken:
        text, kind, sign = tr.n("%(n)s part does not work", "%(n)s parts do not work", broken), "bad", "✕"
    elif limited:
        text, kind, sign = tr.n("%(n)s part is limited", "%(n)s parts are limited", limited), "limited", "!"
    else:
        text, kind, sign = tr("All is well"), "good", "✓"
    inside = html('<span class="{} mark" aria-hidden="true">{}</span> {}', kind, sign, text)
    return html('<p id="overall" role="status" data-live>{}</p>', inside)


def _health(view: View, tr: Translator) -> Markup:
    heads = [tr.plain("Part"), tr.plain("State"), tr.plain("Since when")]
    numbers = [tr.plain("Restarts"), tr.plain("Mailbox")]
    rows = [_actor(actor, view, tr) for actor in view.status.actors]
    if trouble := view.status.storage_trouble:
        state = _state("bad", "✕", tr.plain("failed"), trouble)
        rows.insert(0, [html("<code>storage</code>"), state, Markup(), Markup(), Markup()])
    return _table(heads, numbers, rows)


def _actor(actor: ActorStatus, view: View, tr: Translator) -> list[Markup]:
    detail = "" if actor.detail == "ok" else actor.detail
    if not actor.serving:
        state = _state("bad", "✕", tr.plain(_STATES.get(actor.state, actor.state)), detail)
    elif detail:
        state = _state("limited", "!", tr.plain("limited"), detail)
    else:
        state = _state("good", "✓", tr.plain("works"))
    since = _moment(actor.since, view, tr)
    return [
        html("<code>{}</code>", actor.name),
        state,
        since,
        escape(actor.restarts),
        html('{}<span class="wide"> / {}</span>', actor.mailbox, actor.mailbox_size),
    ]


def _state(kind: str, sign: str, text: str, detail: str = "") -> Markup:
    more = html("<small>{}</small>", detail) if detail else Markup()
    return html('<span class="{}"><span class="mark" aria-hidden="true">{}</span> {}</span>{}', kind, sign, text, more)


def _today(report: Report | None, tr: Translator) -> Markup:
    if report is None:
        return _unknown(tr)
    return _figures(
        [
            (tr.plain("New people"), len(report.new_users)),
            (tr.plain("People who left"), len(report.deleted_users)),
            (tr.plain("Headaches"), report.n_pains),
            (tr.plain("Medicines taken"), report.n_druguses),
            (tr.plain("Blood pressure readings"), report.n_pressures),
            (tr.plain("Medicines put on lists"), report.n_medications),
            (tr.plain("People asked"), report.n_notified_users),
        ]
    )


@lru_cache(maxsize=1)
def _over_time(days: tuple[Day, ...], tr: Translator) -> Markup:
    # They change once a day, and take longer than all the rest.
    if not days:
        return _soft(tr.plain("No day is closed yet. A day is closed when its report is made."))
    entries = (
        Series(tr.plain("Headaches"), tuple(day.n_pains for day in days)),
        Series(tr.plain("Medicines taken"), tuple(day.n_druguses for day in days)),
        Series(tr.plain("Blood pressure readings"), tuple(day.n_pressures for day in days)),
    )
    people = (
        Series(tr.plain("People with entries"), tuple(day.active_users for day in days)),
        Series(tr.plain("New people"), tuple(day.new_users for day in days)),
    )
    dates = [day.day for day in days]
    return Markup().join(
        [
            chart(tr.plain("Entries a day"), dates, entries, tr, stacked=True),
            chart(tr.plain("People a day"), dates, people, tr, stacked=False),
            html("<details><summary>{}</summary>{}</details>", tr.plain("As a table"), _days(days, tr)),
        ]
    )


def _days(days: Sequence[Day], tr: Translator) -> Markup:
    numbers = [
        tr.plain("Headaches"),
        tr.plain("Medicines taken"),
        tr.plain("Blood pressure readings"),
        tr.plain("People with entries"),
        tr.plain("New people"),
        tr.plain("People who left"),
    ]
    rows = [
        [
            escape(tr.digits(day.day)),
            *map(escape, (day.n_pains, day.n_druguses, day.n_pressures)),
            *map(escape, (day.active_users, day.new_users, day.deleted_users)),
        ]
        for day in reversed(days)
    ]
    return _table([tr.plain("Day")], numbers, rows)


def _forms(forms: Mapping[str, int], tr: Translator) -> Markup:
    busy = [(name, count) for name, count in forms.items() if count]
    if not busy:
        return _soft(tr.plain("Nobody is in a form now."))
    rows = []
    for name, count in busy:
        form, _, step = name.split(":")
        rows.append([html("<code>{}</code>", form), html("<code>{}</code>", step), escape(count)])
    return _table([tr.plain("Form"), tr.plain("Step")], [tr.plain("People")], rows)


def _sending(channels: Sequence[ChannelStatus], tr: Translator) -> Markup:
    numbers = [
        tr.plain("Sent"),
        tr.plain("Waiting"),
        tr.plain("Given up"),
        tr.plain("Postponed"),
    ]
    rows = [_channel(channel) for channel in channels]
    notes = [_notes(channel, tr) for channel in channels]
    return _table([tr.plain("Channel")], numbers, rows) + Markup().join(notes)


def _channel(channel: ChannelStatus) -> list[Markup]:
    given_up, postponed = sum(channel.failures.values()), sum(channel.postponements.values())
    numbers = (channel.sent, channel.waiting, given_up, postponed)
    return [html("<code>{}</code>", channel.name), *map(escape, numbers)]


def _notes(channel: ChannelStatus, tr: Translator) -> Markup:
    """Say for how long messages wait, and why some were not sent; nothing if there is nothing to say."""
    notes = []
    if channel.waiting:
        seconds = tr.number(round(channel.oldest_seconds))
        notes.append(tr.plain("the oldest for %(seconds)s s", seconds=seconds))
    for counts in (channel.failures, channel.postponements):
        notes += [f"{tr.plain(_REASONS.get(why, why))}: {count}" for why, count in counts.items()]
    return html('<p class="soft"><code>{}</code> {}</p>', channel.name, " · ".join(notes)) if notes else Markup()


def _reminders(status: Status, tr: Translator) -> Markup:
    reminders = status.reminders
    within_minute = sum(
        count for bound, count in zip(reminders.bounds, reminders.late, strict=False) if 1 < bound <= 60
    )
    return _figures(
        [
            (tr.plain("Still to fire"), "?" if reminders.pending is None else reminders.pending),
            (tr.plain("Fired since the start"), reminders.fired),
            (tr.plain("within a second"), reminders.punctual),
            (tr.plain("within a minute"), within_minute),
            (tr.plain("later"), reminders.fired - reminders.punctual - within_minute),
        ]
    )


def _upkeep(view: View, tr: Translator) -> Markup:
    status = view.status
    mirror = {None: tr.plain("not set up"), True: tr.plain("works"), False: tr.plain("failed")}[status.redis]
    jobs = [
        (tr.plain(_JOBS.get(name, name)), tr.plain("not yet") if last is None else _moment(last, view, tr))
        for name, last in status.jobs.items()
    ]
    return _figures(
        [
            (tr.plain("Runs since"), _moment(status.started, view, tr)),
            (tr.plain("Version"), status.version),
            (tr.plain("Database"), _DATABASES.get(status.storage, status.storage)),
            ("Redis", mirror),
            *jobs,
            *_last_backup(status.backup, view, tr),
        ]
    ) + Markup().join(_soft(note) for note in backups.complaints(status.backup, view.zone, tr))


def _last_backup(figures: Figures, view: View, tr: Translator) -> list[tuple[str, object]]:
    if figures.verified_at is None:
        return []
    return [
        (tr.plain("Size of the last backup"), backups.size(figures.size, tr)),
        (tr.plain("Restored on trial"), _moment(figures.verified_at, view, tr)),
    ]


def _log(lines: Sequence[str], tr: Translator) -> Markup:
    items = Markup().join(html("<li>{}</li>", line) for line in lines)
    return html(
        '<section aria-labelledby="log-title"><h2 id="log-title">{}</h2>'
        '<ol id="lines" tabindex="0" role="list" aria-labelledby="log-title" data-live>{}</ol></section>',
        tr.plain("Log"),
        items,
    )


# --- parts -------------------------------------------------------------------------------------------------------


def _section(name: str, title: str, content: Markup) -> Markup:
    return html(
        '<section id="{0}" aria-labelledby="{0}-title"><h2 id="{0}-title">{1}</h2>'
        '<div id="{0}-content" data-live>{2}</div></section>',
        name,
        title,
        content,
    )


def _table(heads: Iterable[str], numbers: Sequence[str], rows: Iterable[Sequence[Markup]]) -> Markup:
    """Write a table whose first columns are text and whose last ones are `numbers`."""
    titles = [html('<th scope="col">{}</th>', head) for head in heads]
    titles += [html('<th scope="col" class="number">{}</th>', head) for head in numbers]
    texts = len(titles) - len(numbers)
    body = Markup().join(_row(row, texts) for row in rows)
    head = Markup().join(titles)
    return html(
        '<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        head,
        body,
    )


def _row(cells: Sequence[Markup], texts: int) -> Markup:
    first = html('<th scope="row">{}</th>', cells[0])
    others = [
        html('<td class="number">{}</td>' if index >= texts else "<td>{}</td>", cell)
        for index, cell in enumerate(cells)
        if index
    ]
    return html("<tr>{}</tr>", first + Markup().join(others))


def _figures(figures: Iterable[tuple[str, object]]) -> Markup:
    return html("<dl>{}</dl>", Markup().join(html("<dt>{}</dt><dd>{}</dd>", *figure) for figure in figures))


def _soft(text: str) -> Markup:
    return html('<p class="soft">{}</p>', text)


def _unknown(tr: Translator) -> Markup:
    return _soft(tr.plain("The database cannot be asked now."))


def _moment(moment: datetime, view: View, tr: Translator) -> Markup:
    """Write an instant: its time, with its date if that is far."""
    local = moment.astimezone(view.zone)
    near = view.status.now - moment < timedelta(hours=20)
    text = tr.time(local) if near else f"{tr.digits(local.date())} {tr.time(local)}"
    return html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), text)
