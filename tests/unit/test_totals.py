"""Today's total of each substance over all products, against the daily maximum."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.diary.entries import Drug
from migrebot.diary.totals import Dose, totals, touched

NOW = datetime(2026, 6, 15, tzinfo=UTC)


def own(name: str, daily_max_mg: float | None, id_: int = 1) -> Drug:
    return Drug(id=id_, user_id=1, name=name, created_at=NOW, daily_max_mg=daily_max_mg)


def test_a_substance_is_summed_up_over_all_products_that_hold_it() -> None:
    taken = [Dose("Парацетамол", 1, "g"), Dose("Panadol Extra", 2, "tablet"), Dose("Копацил", 1, "tablet")]
    sums = totals(taken, ())
    assert (sums["paracetamol"].amount, sums["paracetamol"].exact) == (2100, True)
    assert (sums["caffeine"].amount, sums["caffeine"].exact) == (180, True)
    assert (sums["acetylsalicylic acid"].amount, sums["acetylsalicylic acid"].exact) == (300, True)


def test_codeine_is_summed_up_too() -> None:
    sums = totals([Dose("Codeine", 30, "mg"), Dose("Solpadeine Plus", 2, "tablet")], ())
    assert sums["codeine"].amount == 46
    assert sums["paracetamol"].amount == 1000


def test_what_is_not_known_counts_with_the_least_it_can_be() -> None:
    sums = totals([Dose("paracetamol", 500, "mg"), Dose("paracetamol", None, "mg")], ())
    assert (sums["paracetamol"].amount, sums["paracetamol"].exact) == (500, False)
    sums = totals([Dose("ibuprofen", 2, "tablet")], ())
    assert (sums["ibuprofen"].amount, sums["ibuprofen"].exact) == (400, False)
    sums = totals([Dose("Co-codamol", 2, "tablet"), Dose("Panadol Extra", 500, "mg")], ())
    assert (sums["codeine"].amount, sums["codeine"].exact) == (16, False)
    assert (sums["paracetamol"].amount, sums["paracetamol"].exact) == (1000, False)


@pytest.mark.parametrize(("amount", "over"), [(3000, False), (3001, True)])
def test_the_maximum_of_the_label_itself_is_not_too_much(amount: float, *, over: bool) -> None:
    (total,) = touched(dose := Dose("Doliprane", amount, "mg"), totals([dose], ()))
    assert total.is_over is over


def test_ones_own_maximum_counts_before_that_of_the_label() -> None:
    dose = Dose("Панадол", 3500, "mg")
    (total,) = touched(dose, totals([dose], [own("paracetamol", 4000)]))
    assert (total.maximum, total.own, total.is_over) == (4000, 4000, False)
    assert total.label is not None
    assert total.label.amount == 3000
    (total,) = touched(dose, totals([dose], [own("paracetamol", 4000), own("Эффералган", 2000, 2)]))
    assert (total.maximum, total.is_over) == (2000, True)


def test_a_medicine_nobody_knows_has_ones_own_maximum_or_none() -> None:
    dose = Dose("Grandma's drops", 500, "mg")
    assert touched(dose, totals([dose], ())) == ()
    (total,) = touched(dose, totals([dose], [own("grandma's DROPS", 400)]))
    assert (total.name, total.is_over) == ("Grandma's drops", True)


def test_tablets_are_counted_where_the_label_does() -> None:
    dose = Dose("Excedrin Migraine", 3, "tablet")
    over = [total for total in touched(dose, totals([dose], ())) if total.is_over]
    assert [(total.name, total.unit, total.amount, total.maximum) for total in over] == [
        ("Excedrin Migraine", "tablet", 3, 2)
    ]


def test_a_spray_has_a_limit_of_its_own() -> None:
    taken = [Dose("sumatriptan", 100, "mg"), Dose("sumatriptan", 2, "spray"), Dose("Imigran", 20, "mg")]
    sums = totals(taken, ())
    assert (sums["sumatriptan"].amount, sums["sumatriptan nasal"].amount) == (100, 30)
    assert not any(total.is_over for dose in taken for total in touched(dose, sums))


names = st.sampled_from(
    ["paracetamol", "Цитрамон", "Nurofen", "Excedrin", "sumatriptan", "Tosymra", "unknown", "Кофетамин"]
)
doses = st.builds(
    Dose, names, st.none() | st.floats(0.1, 5000), st.sampled_from(["mg", "g", "mcg", "tablet", "spray", "ml", "drop"])
)


@given(st.lists(doses, max_size=8), st.lists(st.builds(own, names, st.none() | st.floats(1, 5000)), max_size=3))
def test_one_more_dose_never_makes_a_total_smaller(taken: list[Dose], limits: list[Drug]) -> None:
    before: dict[str, float] = {}
    for count in range(len(taken) + 1):
        after = {key: total.amount for key, total in totals(taken[:count], limits).items()}
        assert all(after[key] >= amount for key, amount in before.items())
        before = after


@given(st.permutations([Dose("paracetamol", 500, "mg"), Dose("Цитрамон П", 1, "tablet"), Dose("Nurofen", None, "mg")]))
def test_the_order_of_the_doses_changes_nothing(taken: list[Dose]) -> None:
    sums = totals(taken, ())
    assert (sums["paracetamol"].amount, sums["paracetamol"].exact) == (680, False)
    assert (sums["ibuprofen"].amount, sums["ibuprofen"].exact) == (0, False)
