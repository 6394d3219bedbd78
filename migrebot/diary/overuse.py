"""How often acute medicine was taken, by the rules of ICHD-3 (2018) 8.2, and when to tell the person.

What counts are distinct calendar days, not doses. Non-opioid analgesics, paracetamol and NSAIDs alike, are one class
(8.2.3); aspirin of up to 150 mg a day does not count; gepants have no class in 8.2 and are counted apart; ditans are
treated like triptans. The thresholds rest on expert opinion. An intake that was not recorded is unknown, so all numbers
are lower bounds. Nothing here is a diagnosis.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from migrebot.diary import dictionary
from migrebot.diary.totals import Dose, totals
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from migrebot.diary.entries import Drug, Intake

WINDOW_DAYS = 30
MANY_DAYS = 10
"""Days from which triptans, ditans, ergots, opioids, combinations, or several classes together are at the limit."""

MANY_NONOPIOID_DAYS = 15
EARLY_DAYS = 8
"""Days of one of the classes with the lower limit from which the person is told."""

EARLY_DAYS_OF_ANY = 10
"""The 10-20 rule: acute medicine on at most 10 days a month."""

HEADACHE_DAYS = 15
MONTHS = 3
CARDIOLOGY_MG = 150
"""Aspirin of up to so much a day is taken for the heart."""

STRICT = frozenset({"triptan", "ditan", "ergot", "opioid", "combination"})
"""The classes with the lower limit."""

COUNTED = STRICT | {"nonopioid"}
OTHER = "other"
"""Acute medicine of a class nobody knows: it counts as acute medicine, and for no class."""

GEPANT = "gepant"
ASPIRIN = "acetylsalicylic acid"

Level = Literal["info", "limit", "pattern"]


class Use(Struct, frozen=True):
    """Acute medicine of a class on a day."""

    day: date
    kind: str


class Finding(Struct, frozen=True, kw_only=True):
    """What the last 30 days show: distinct days in all, by class (most first), and of gepants."""

    level: Level
    days: int
    by_class: tuple[tuple[str, int], ...]
    gepant_days: int


def assess(uses: Iterable[Use], headache_days: Collection[date], today: date) -> Finding | None:
    """Judge the 30 days up to `today`, and for a pattern the three complete months before; None below all levels."""
    known = list(uses)
    first = today - timedelta(days=WINDOW_DAYS - 1)
    window = _by_class(use for use in known if first <= use.day <= today)
    counts = {kind: len(days) for kind, days in window.items() if kind in COUNTED}
    acute = _union(window, COUNTED | {OTHER})
    level: Level | None = None
    if is_at_limit(window):
        level = "pattern" if _is_pattern(known, headache_days, today) else "limit"
    elif len(acute) >= EARLY_DAYS_OF_ANY or any(counts.get(kind, 0) >= EARLY_DAYS for kind in STRICT):
        level = "info"
    if level is None:
        return None
    return Finding(
        level=level,
        days=len(acute),
        by_class=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        gepant_days=len(window.get(GEPANT, ())),
    )


def is_at_limit(days: Mapping[str, Collection[date]]) -> bool:
    """Tell whether the days of one month by class reach a threshold of ICHD-3 8.2."""
    if any(len(days.get(kind, ())) >= MANY_DAYS for kind in STRICT):
        return True
    if len(days.get("nonopioid", ())) >= MANY_NONOPIOID_DAYS:
        return True
    classes = [kind for kind in COUNTED if days.get(kind)]
    return len(classes) > 1 and len(_union(days, COUNTED)) >= MANY_DAYS


def pattern_begin(today: date) -> date:
    """Give the first day that `assess` looks at for a pattern: of the third complete month back."""
    month = today.replace(day=1)
    for _ in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


def uses_of(intakes: Iterable[Intake], own: Sequence[Drug]) -> tuple[Use, ...]:
    """Tell which acute medicine was taken on which day.

    What the dictionary does not know is acute if it is a painkiller on the person's `own` list, or was taken for an
    attack and is not said to be none.
    """
    by_day: dict[date, list[Intake]] = defaultdict(list)
    for intake in intakes:
        by_day[intake.day].append(intake)
    painkillers = {folded(drug.name): drug.is_painkiller for drug in own}
    uses: dict[Use, None] = {}
    for day, taken in by_day.items():
        for_the_heart = any(_is_plain_aspirin(intake.drug) for intake in taken) and _is_cardiology_dose(taken)
        for intake in taken:
            kind = _kind(intake, painkillers)
            if kind and not (for_the_heart and _is_plain_aspirin(intake.drug)):
                uses[Use(day, kind)] = None
    return tuple(uses)


def _kind(intake: Intake, painkillers: Mapping[str, bool | None]) -> str:
    kind = _class_of(intake.drug)
    if kind in COUNTED or kind == GEPANT:
        return kind
    if kind:
        return ""  # an antiemetic or a preventive
    acute = painkillers.get(folded(intake.drug))
    if acute is None:
        acute = intake.headache_id is not None
    return OTHER if acute else ""


# A long diary names the same few medicines again and again.
@lru_cache(1_000)
def _class_of(drug: str) -> str:
    return dictionary.kind_of(dictionary.find(drug))


@lru_cache(1_000)
def _is_plain_aspirin(drug: str) -> bool:
    products = dictionary.find(drug)
    return bool(products) and all(product.substances == (ASPIRIN,) for product in products)


def _is_cardiology_dose(taken: Iterable[Intake]) -> bool:
    total = totals([Dose(intake.drug, intake.amount, intake.unit) for intake in taken], ()).get(ASPIRIN)
    return total is not None and total.exact and total.amount <= CARDIOLOGY_MG


def _is_pattern(uses: Sequence[Use], headache_days: Collection[date], today: date) -> bool:
    month = pattern_begin(today)
    for _ in range(MONTHS):
        following = (month + timedelta(days=31)).replace(day=1)
        if not is_at_limit(_by_class(use for use in uses if month <= use.day < following)):
            return False
        if len({day for day in headache_days if month <= day < following}) < HEADACHE_DAYS:
            return False
        month = following
    return True


def _by_class(uses: Iterable[Use]) -> dict[str, set[date]]:
    days: dict[str, set[date]] = defaultdict(set)
    for use in uses:
        days[use.kind].add(use.day)
    return days


def _union(days: Mapping[str, Collection[date]], kinds: Collection[str]) -> set[date]:
    return {day for kind in kinds for day in days.get(kind, ())}
