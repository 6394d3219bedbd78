"""What a donation can be."""

from __future__ import annotations

import pytest

from migrebot import money
from migrebot.money import CURRENCIES, STARS


@pytest.mark.parametrize("currency", [STARS, *CURRENCIES])
def test_what_is_offered_is_within_the_limits(currency: str) -> None:
    low, high = money.limits(currency)
    assert low >= 1
    assert all(low <= units <= high for units in money.offers(currency))


@pytest.mark.parametrize(
    ("units", "currency", "smallest", "written"),
    [(50, STARS, 50, "⭐ 50"), (10, "EUR", 1_000, "10 EUR"), (500, "JPY", 500, "500 JPY")],
)
def test_an_amount_is_counted_in_the_smallest_units(units: int, currency: str, smallest: int, written: str) -> None:
    assert money.smallest_units(units, currency) == smallest
    assert money.written(smallest, currency) == written


def test_an_amount_of_a_currency_that_is_not_ours_any_more_can_be_written() -> None:
    assert money.written(1_050, "XAF") == "10.50 XAF"
