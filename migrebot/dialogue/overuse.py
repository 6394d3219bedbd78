"""The notice on frequent acute medicine: at most once a week, with its source, and it can be switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from migrebot.dialogue.turn import Answer, Reply, Turn
from migrebot.diary import overuse
from migrebot.i18n import N_
from migrebot.messages import Button
from storage.changes import SaveOveruseNotice
from storage.facts import IntakesBetween, MarksBetween, OveruseNoticeOf, OwnDrugs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from migrebot.diary.entries import Intake
    from migrebot.diary.overuse import Finding
    from migrebot.i18n import Translator

NOT_AGAIN_FOR = timedelta(days=7)

_CLASSES: dict[str, str] = {
    "triptan": N_("triptans (%(days)s)"),
    "ditan": N_("ditans (%(days)s)"),
    "ergot": N_("ergot medicines (%(days)s)"),
    "opioid": N_("opioids (%(days)s)"),
    "combination": N_("combination painkillers (%(days)s)"),
    "nonopioid": N_("non-opioid painkillers (%(days)s)"),
}

_LEVELS: dict[overuse.Level, str] = {
    "info": N_("At about this level specialists advise discussing it with a doctor."),
    "limit": N_(
        "That reaches the limit of the headache classification: 10 days a month, or 15 of non-opioid painkillers alone."
        " At this level specialists advise discussing it with a doctor."
    ),
    "pattern": N_(
        "So it was in each of the last three full months, with 15 or more headache days in each. At this level"
        " specialists advise discussing it with a doctor."
    ),
}

_SOURCES: dict[overuse.Level, str] = {
    "info": N_("<i>Sources: 10-20 rule, Schmerzklinik Kiel; ICHD-3 (2018), 8.2.</i>"),
    "limit": N_("<i>Source: ICHD-3 (2018), 8.2.</i>"),
    "pattern": N_("<i>Source: ICHD-3 (2018), 8.2.</i>"),
}


def notice(turn: Turn, saved: Sequence[Intake], *, instead_of: Collection[Intake] = ()) -> Answer:
    """Tell how often acute medicine was taken, if it is worth it and was not told this week.

    `saved` are the intakes that are being stored, `instead_of` those they replace.
    """
    if not saved:
        return Answer()
    turn.facts.expect(OveruseNoticeOf(turn.user.id), _intakes_since(turn, _begin(turn)), OwnDrugs(turn.user.id))
    wanted = turn.facts(OveruseNoticeOf(turn.user.id))
    if wanted.is_off or (wanted.told_at is not None and turn.now - wanted.told_at < NOT_AGAIN_FOR):
        return Answer()
    finding = _finding(turn, saved, {intake.id for intake in (*saved, *instead_of)})
    if finding is None:
        return Answer()
    reply = Reply(text=_text(finding, turn.tr), keyboard=((_switch(turn, is_off=True),),))
    told = msgspec.structs.replace(wanted, told_at=turn.now)
    return Answer(replies=(reply,), changes=(SaveOveruseNotice(told),))


def press(turn: Turn, action: str, arguments: Sequence[str]) -> Answer | None:
    """Answer a press on the switch of the notice; None if there is no such button."""
    if action not in {"on", "off"} or arguments:
        return None
    tr, is_off = turn.tr, action == "off"
    wanted = msgspec.structs.replace(turn.facts(OveruseNoticeOf(turn.user.id)), is_off=is_off)
    said = (
        tr("I will not tell you about frequent medicine any more.")
        if is_off
        else tr("I will tell you about frequent medicine again.")
    )
    reply = Reply(text=said, keyboard=((_switch(turn, is_off=not is_off),),))
    return Answer(replies=(reply,), changes=(SaveOveruseNotice(wanted),))


def setting(turn: Turn) -> Button:
    """Give the button of the settings that switches the notice."""
    return _switch(turn, is_off=not turn.facts(OveruseNoticeOf(turn.user.id)).is_off)


def _switch(turn: Turn, *, is_off: bool) -> Button:
    tr = turn.tr
    if is_off:
        return Button(tr.plain("Medicine notice: turn off"), "o:off")
    return Button(tr.plain("Medicine notice: turn on"), "o:on")


def _finding(turn: Turn, saved: Sequence[Intake], known: Collection[int]) -> Finding | None:
    """Judge the last 30 days; the months before are loaded only where they can make a difference."""
    finding = _assess(turn, saved, known, _begin(turn), ())
    if finding is None or finding.level == "info":
        return finding
    begin = overuse.pattern_begin(turn.today)
    marks = turn.facts(MarksBetween(turn.user.id, begin, turn.today))
    return _assess(turn, saved, known, begin, marks.headache)


def _begin(turn: Turn) -> date:
    return turn.today - timedelta(days=overuse.WINDOW_DAYS - 1)


def _intakes_since(turn: Turn, begin: date) -> IntakesBetween:
    return IntakesBetween(turn.user.id, begin, turn.today)


def _assess(
    turn: Turn, saved: Sequence[Intake], known: Collection[int], begin: date, headache_days: Collection[date]
) -> Finding | None:
    stored = turn.facts(_intakes_since(turn, begin))
    intakes = [*(intake for intake in stored if intake.id not in known), *saved]
    own = turn.facts(OwnDrugs(turn.user.id))
    return overuse.assess(overuse.uses_of(intakes, own), headache_days, turn.today)


def _text(finding: Finding, tr: Translator) -> Markup:
    days = tr.n(
        "💊 In the last 30 days you recorded acute medicine on %(n)s day.",
        "💊 In the last 30 days you recorded acute medicine on %(n)s days.",
        finding.days,
    )
    classes = [tr.plain(_CLASSES[kind], days=number) for kind, number in finding.by_class]
    first = Markup(" ").join([days, tr("Days by class: %(list)s.", list=", ".join(classes))] if classes else [days])
    apart = tr(
        "Gepants (days: %(days)s) are not counted: the classification has no class for them.", days=finding.gepant_days
    )
    careful = tr(
        "This is no diagnosis, and the limits rest on expert opinion. Do not stop prescribed medicine on your own:"
        " opioids, barbiturates and benzodiazepines need medical supervision."
    )
    level, source = tr(_LEVELS[finding.level]), tr(_SOURCES[finding.level])
    parts = (first, level, apart if finding.gepant_days else "", careful, source)
    return Markup("\n\n").join(part for part in parts if part)
