"""Statistics: what and for how long, then a short honest summary and a workbook for the doctor."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot.dialogue import words
from migrebot.dialogue.month import FIRST_DAY
from migrebot.dialogue.turn import Answer, Attachment, Turn, say
from migrebot.diary.labels import CLASSES
from migrebot.diary.summary import MODERATE, MONTH_DAYS, Window, summarise, window_of, within
from migrebot.i18n import N_
from migrebot.messages import Button
from storage.facts import EntriesBetween, OwnDrugs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrebot.diary.summary import Average, Summary
    from migrebot.i18n import Translator
    from storage.facts import Entries

KINDS = {
    "headaches": N_("Headaches"),
    "medication": N_("Medication"),
    "pressure": N_("Pressure"),
    "all": N_("All of it"),
}
"""What can be summed up, and its label."""

SPANS = {"30": N_("1 month"), "182": N_("6 months"), "365": N_("1 year"), "0": N_("All time")}
"""For how long: days up to today (a month is 30, as clinical measures have it), 0 for all there are."""


def statistics(turn: Turn) -> Answer:
    """Ask what shall be summed up."""
    keyboard = tuple((Button(turn.tr.plain(label), f"t:kind:{kind}"),) for kind, label in KINDS.items())
    return say(turn.tr("What shall I sum up?"), keyboard, in_place=True)


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on one of these buttons; None if there is no such button."""
    match action, *arguments:
        case ["menu"]:
            return statistics(turn)
        case "kind", kind if kind in KINDS:
            return _ask_span(turn, kind)
        case "make", kind, span if kind in KINDS and span in SPANS:
            return _make(turn, kind, int(span))
        case _:
            return None


def _ask_span(turn: Turn, kind: str) -> Answer:
    tr = turn.tr
    keyboard = (
        *((Button(tr.plain(label), f"t:make:{kind}:{span}"),) for span, label in SPANS.items()),
        (Button("‹ " + tr.plain("Back"), "t:menu"),),
    )
    return say(tr("%(kind)s: for how long?", kind=tr(KINDS[kind])), keyboard, in_place=True)


def _make(turn: Turn, kind: str, span: int) -> Answer:
    tr, today = turn.tr, turn.today
    first = today - timedelta(days=span - 1) if span else FIRST_DAY
    entries = turn.facts(EntriesBetween(turn.user.id, first, today))
    window = Window(first, today) if span else window_of(entries, today)
    other = ((Button(tr.plain("Other statistics"), "t:menu"),),)
    if window is None or not _has(within(entries, window), kind):
        return say(_nothing(turn, window), other, in_place=True)
    own = turn.facts(OwnDrugs(turn.user.id))
    summary = summarise(entries, own, window)
    document = Attachment(
        recipe="statistics",
        filename=f"migrebot-{kind}-{window.first}-{window.last}.xlsx",
        caption=tr("For you or your doctor: every entry of these days."),
        arguments={
            "kind": kind,
            "first": str(window.first),
            "last": str(window.last),
            "language": turn.user.language,
        },
    )
    return say(summary_text(summary, kind, tr), other, in_place=True) + Answer(replies=(document,))


def _has(entries: Entries, kind: str) -> bool:
    of_kind = {
        "headaches": (entries.headaches, entries.free),
        "medication": (entries.intakes,),
        "pressure": (entries.pressures,),
        "all": (entries.headaches, entries.free, entries.intakes, entries.pressures),
    }
    return any(of_kind[kind])


def _nothing(turn: Turn, window: Window | None) -> Markup:
    tr = turn.tr
    if window is None:
        return tr("Nothing of this is recorded yet, so there is nothing to sum up. It will come with your entries.")
    return tr(
        "Nothing of this is recorded from %(first)s to %(last)s, so there is nothing to sum up.",
        first=tr.full_date(window.first),
        last=tr.full_date(window.last),
    )


# --- in words ----------------------------------------------------------------------------------------------------


def summary_text(summary: Summary, kind: str, tr: Translator) -> Markup:
    """Write the summary: the window, how much of it is recorded, and the numbers of what was asked for."""
    window = summary.window
    heading = Markup("<b>%s – %s</b>") % (tr.full_date(window.first), tr.full_date(window.last))
    parts = {"headaches": _headaches, "medication": _medication, "pressure": _pressure}
    shown = [part for name, part in parts.items() if kind in {name, "all"}]
    texts = [heading, *(Markup("\n").join(part(summary, tr)) for part in shown)]
    return Markup("\n\n").join([*texts, tr("These are your entries in numbers, not a diagnosis.")])


def _headaches(summary: Summary, tr: Translator) -> Iterator[Markup]:
    pain = summary.pain
    yield _recorded(summary, tr)
    yield from _in_a_month(summary, tr)
    if pain.attacks:
        yield tr("Attacks: %(n)s.", n=pain.attacks)
    if pain.intensity:
        yield tr(
            "Pain: %(mean)s of 10 on average, %(highest)s at worst%(known)s.",
            mean=_number(pain.intensity.mean, tr),
            highest=_number(pain.intensity.highest, tr),
            known=_known(pain.intensity, pain.attacks, tr),
        )
    if pain.duration_h:
        yield tr(
            "Duration: %(mean)s on average, %(longest)s at most%(known)s.",
            mean=words.duration(_tidy(pain.duration_h.mean), tr),
            longest=words.duration(_tidy(pain.duration_h.highest), tr),
            known=_known(pain.duration_h, pain.attacks, tr),
        )
    if pain.moderate:
        yield tr("Days with moderate or severe pain (%(from)s and more): %(n)s.", n=pain.moderate, **{"from": MODERATE})


def _in_a_month(summary: Summary, tr: Translator) -> Iterator[Markup]:
    if not summary.pain.days or summary.window.days < MONTH_DAYS:
        return
    if summary.per_month is None:
        yield tr("Too few days are recorded to say what that means for a month.")
    elif summary.window.days > MONTH_DAYS or not summary.is_complete:
        yield tr("In %(days)s days that comes to about %(n)s.", days=MONTH_DAYS, n=_number(summary.per_month, tr))


def _recorded(summary: Summary, tr: Translator) -> Markup:
    recorded, days, hurt = summary.recorded, summary.window.days, summary.pain.days
    if not recorded:
        return tr("Headaches: not a single day is recorded, so I cannot tell.")
    if not hurt:
        return tr("Recorded %(recorded)s of %(days)s days; no headache on any of them.", recorded=recorded, days=days)
    if summary.is_complete:
        return tr.n(
            "All %(days)s days are recorded; %(n)s headache day.",
            "All %(days)s days are recorded; %(n)s headache days.",
            hurt,
            days=days,
        )
    return tr.n(
        "Recorded %(recorded)s of %(days)s days; at least %(n)s headache day.",
        "Recorded %(recorded)s of %(days)s days; at least %(n)s headache days.",
        hurt,
        recorded=recorded,
        days=days,
    )


def _known(average: Average, attacks: int, tr: Translator) -> str:
    """Say of how many attacks it is known, if not of all."""
    if average.count == attacks:
        return ""
    known = tr.plain("(known of %(n)s)", n=average.count)
    return f" {known}"


def _medication(summary: Summary, tr: Translator) -> Iterator[Markup]:
    medication = summary.medication
    if not medication.intakes:
        yield tr("No medicine is recorded.")
        return
    yield tr("Days with medicine: at least %(n)s.", n=medication.days)
    if medication.acute:
        yield tr("Of these with acute medicine, by class:")
    for kind, days in medication.acute:
        yield tr("• %(class)s: %(n)s", n=days, **{"class": tr.plain(CLASSES[kind])})


def _pressure(summary: Summary, tr: Translator) -> Iterator[Markup]:
    readings = summary.readings
    if readings is None:
        yield tr("No blood pressure is recorded.")
        return
    yield tr(
        "Blood pressure: %(systolic)s/%(diastolic)s on average of %(n)s, highest values %(top)s and %(bottom)s.",
        systolic=round(readings.systolic.mean),
        diastolic=round(readings.diastolic.mean),
        n=readings.systolic.count,
        top=_number(readings.systolic.highest, tr),
        bottom=_number(readings.diastolic.highest, tr),
    )
    if readings.pulse:
        yield tr("Pulse: %(mean)s on average.", mean=round(readings.pulse.mean))


def _number(value: float, tr: Translator) -> str:
    return tr.number(round(value, 1))


def _tidy(hours: float) -> float:
    """Round to quarters of an hour, and long durations to hours: more would be false precision."""
    return max(0.25, round(hours * 4) / 4) if hours < 10 else float(round(hours))
