"""Days with acute medicine against the thresholds of ICHD-3 8.2."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.diary.entries import Drug, Intake
from migrebot.diary.overuse import Finding, Use, assess, pattern_begin, uses_of

TODAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 15, tzinfo=UTC)
_ids = count(1)


def intake(drug: str, days_ago: int = 0, amount: float | None = None, **more: object) -> Intake:
    fields: dict[str, object] = {"id": next(_ids), "user_id": 1, "timezone": "UTC", "created_at": NOW}
    fields |= {"day": TODAY - timedelta(days=days_ago), "drug": drug, "amount": amount}
    return Intake(**(fields | more))  # type: ignore[arg-type]  # as the tests say


def own(name: str, *, is_painkiller: bool | None) -> Drug:
    return Drug(id=1, user_id=1, name=name, created_at=NOW, is_painkiller=is_painkiller)


def judged(*intakes: Intake, drugs: tuple[Drug, ...] = ()) -> Finding | None:
    return assess(uses_of(intakes, drugs), (), TODAY)


def level(*intakes: Intake, drugs: tuple[Drug, ...] = ()) -> str | None:
    finding = judged(*intakes, drugs=drugs)
    return None if finding is None else finding.level


def on_days(drug: str, number: int, start: int = 0) -> tuple[Intake, ...]:
    return tuple(intake(drug, days_ago) for days_ago in range(start, start + number))


@pytest.mark.parametrize(
    ("drug", "told", "limit"),
    [
        ("sumatriptan", 8, 10),
        ("Reyvow", 8, 10),
        ("Cafergot", 8, 10),
        ("tramadol", 8, 10),
        ("Цитрамон П", 8, 10),
        ("ibuprofen", 10, 15),
    ],
)
def test_each_class_has_its_level_to_tell_and_its_limit(drug: str, told: int, limit: int) -> None:
    assert level(*on_days(drug, told - 1)) is None
    assert level(*on_days(drug, told)) == "info"
    assert level(*on_days(drug, limit - 1)) == "info"
    assert level(*on_days(drug, limit)) == "limit"


def test_days_count_not_doses() -> None:
    many = (*on_days("sumatriptan", 7), *on_days("sumatriptan", 7), *on_days("zolmitriptan", 7))
    assert level(*many) is None
    assert judged(*many, intake("eletriptan", 7)) == Finding(
        level="info", days=8, by_class=(("triptan", 8),), gepant_days=0
    )


def test_paracetamol_and_nsaids_are_one_class() -> None:
    finding = judged(*on_days("paracetamol", 6), *on_days("ibuprofen", 6, 6))
    assert finding == Finding(level="info", days=12, by_class=(("nonopioid", 12),), gepant_days=0)


def test_several_classes_together_are_at_the_limit_from_ten_days() -> None:
    assert level(*on_days("sumatriptan", 4), *on_days("ibuprofen", 5, 4)) is None
    assert level(*on_days("sumatriptan", 5), *on_days("ibuprofen", 5, 5)) == "limit"
    assert level(*on_days("sumatriptan", 5), *on_days("ibuprofen", 5)) is None, "two drugs on one day are one day"


def test_aspirin_for_the_heart_does_not_count_but_for_the_head_it_does() -> None:
    daily = [intake("aspirin", days_ago, 100.0) for days_ago in range(30)]
    assert level(*daily) is None
    assert level(*daily, *(intake("Aspirin", days_ago, 75.0) for days_ago in range(15))) == "limit", "175 mg a day"
    assert level(*(intake("aspirin", days_ago, 500.0) for days_ago in range(15))) == "limit"
    assert level(*(intake("aspirin", days_ago) for days_ago in range(15))) == "limit", "unknown is not little"


def test_gepants_are_counted_apart_and_preventives_and_antiemetics_not_at_all() -> None:
    assert level(*on_days("Vydura", 20)) is None
    assert level(*on_days("Aimovig", 20), *on_days("Церукал", 20)) is None
    finding = judged(*on_days("Vydura", 5), *on_days("sumatriptan", 8))
    assert finding is not None
    assert (finding.days, finding.gepant_days) == (8, 5)


def test_what_nobody_knows_is_acute_if_it_is_a_painkiller_or_was_taken_for_an_attack() -> None:
    assert level(*on_days("Drops", 20)) is None
    assert level(*on_days("Drops", 10), drugs=(own("drops", is_painkiller=True),)) == "info"
    for_attacks = [intake("Drops", days_ago, headache_id=5) for days_ago in range(20)]
    assert level(*for_attacks) == "info", "of no class, so at no limit"
    assert level(*for_attacks, drugs=(own("DROPS", is_painkiller=False),)) is None


def test_the_window_is_thirty_days_today_included() -> None:
    assert level(*on_days("sumatriptan", 8, 22)) == "info"
    assert level(*on_days("sumatriptan", 8, 23)) is None
    assert level(*(intake("sumatriptan", -days) for days in range(1, 20))) is None


# --- the pattern ------------------------------------------------------------------------------------------------------


def months(*, uses: int = 10, headaches: int = 15) -> tuple[list[Use], set[date]]:
    firsts = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))
    taken = [Use(first + timedelta(days=n), "triptan") for first in firsts for n in range(uses)]
    return taken, {first + timedelta(days=n) for first in firsts for n in range(headaches)}


def continuing(number: int = 10) -> list[Use]:
    return [Use(TODAY - timedelta(days=n), "triptan") for n in range(number)]


def levels(uses: list[Use], headaches: set[date]) -> str | None:
    finding = assess(uses, headaches, TODAY)
    return None if finding is None else finding.level


def test_three_complete_months_at_the_limit_and_going_on_are_a_pattern() -> None:
    assert pattern_begin(TODAY) == date(2026, 3, 1)
    assert pattern_begin(date(2026, 2, 1)) == date(2025, 11, 1)
    uses, headaches = months()
    assert levels(uses + continuing(), headaches) == "pattern"


def test_one_month_below_the_limit_or_with_fewer_headaches_is_no_pattern() -> None:
    uses, headaches = months()
    assert levels([use for use in uses if use.day != date(2026, 4, 1)] + continuing(), headaches) == "limit"
    assert levels(uses + continuing(), headaches - {date(2026, 5, 3)}) == "limit"
    assert levels(*months()) is None, "it does not go on"


# --- against a naive count --------------------------------------------------------------------------------------------

KINDS = ["triptan", "ditan", "ergot", "opioid", "combination", "nonopioid", "gepant", "other"]
some_uses = st.lists(
    st.builds(Use, st.integers(0, 160).map(lambda n: TODAY - timedelta(days=n)), st.sampled_from(KINDS)), max_size=250
)
some_headaches = st.sets(st.integers(0, 160).map(lambda n: TODAY - timedelta(days=n)))


def naive_limit(uses: list[Use], days: list[date]) -> bool:
    counts = {kind: sum(any(use == Use(day, kind) for use in uses) for day in days) for kind in KINDS}
    total = sum(any(use.day == day and use.kind not in {"gepant", "other"} for use in uses) for day in days)
    classes = [kind for kind in KINDS[:6] if counts[kind]]
    return (
        any(counts[kind] >= 10 for kind in KINDS[:5])
        or counts["nonopioid"] >= 15
        or (len(classes) >= 2 and total >= 10)
    )


def naive(uses: list[Use], headaches: set[date]) -> str | None:
    window = [TODAY - timedelta(days=n) for n in range(30)]
    if naive_limit(uses, window):
        for month in (3, 4, 5):
            days = [date(2026, month, 1) + timedelta(days=n) for n in range(31)]
            days = [day for day in days if day.month == month]
            if not naive_limit(uses, days) or sum(day in headaches for day in days) < 15:
                return "limit"
        return "pattern"
    acute = sum(any(use.day == day and use.kind != "gepant" for use in uses) for day in window)
    strict = max(sum(Use(day, kind) in uses for day in window) for kind in KINDS[:5])
    return "info" if acute >= 10 or strict >= 8 else None


@given(some_uses, some_headaches)
def test_the_level_is_that_of_a_naive_count(uses: list[Use], headaches: set[date]) -> None:
    assert levels(uses, headaches) == naive(uses, headaches)


@given(st.sampled_from(KINDS[:6]), st.sampled_from(KINDS[:6]), st.integers(0, 16), st.integers(0, 16))
def test_long_use_is_judged_as_a_naive_count_does(first: str, second: str, a: int, b: int) -> None:
    starts = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1), date(2026, 5, 31))
    uses = [Use(start + timedelta(days=n), first) for start in starts for n in range(a)]
    uses += [Use(start + timedelta(days=14 - n), second) for start in starts for n in range(min(b, 14))]
    _, headaches = months()
    assert levels(uses, headaches) == naive(uses, headaches)
