"""What a donation can be: Telegram Stars, or money in one of some currencies; whole amounts only."""

from __future__ import annotations

from msgspec import Struct

STARS = "XTR"
"""What the Bot API calls Telegram Stars as a currency."""

STAR_OFFERS = (50, 100, 250, 500)

MOST_STARS = 10_000
"""Our own limit: Telegram publishes none for bills, and refuses what is above its own."""


class Currency(Struct, frozen=True):
    """How many decimals a currency has at Telegram (core.telegram.org/bots/payments/currencies.json), and a small gift.

    Telegram takes what is worth 1 to 10,000 US dollars; a small gift is worth about five, rounded to what sounds well.
    """

    small: int
    decimals: int = 2


CURRENCIES = {
    "AUD": Currency(5),
    "BGN": Currency(10),
    "BRL": Currency(25),
    "CAD": Currency(5),
    "CHF": Currency(5),
    "CZK": Currency(100),
    "DKK": Currency(30),
    "EUR": Currency(5),
    "GBP": Currency(5),
    "GEL": Currency(15),
    "HUF": Currency(2_000),
    "ILS": Currency(20),
    "JPY": Currency(500, decimals=0),
    "KZT": Currency(2_500),
    "MDL": Currency(100),
    "MXN": Currency(100),
    "NOK": Currency(50),
    "NZD": Currency(10),
    "PLN": Currency(20),
    "RON": Currency(20),
    "RUB": Currency(500),
    "SEK": Currency(50),
    "TRY": Currency(200),
    "UAH": Currency(200),
    "USD": Currency(5),
}
"""The currencies that can be set."""


def offers(currency: str) -> tuple[int, ...]:
    """Give some amounts to choose from, in whole units."""
    if currency == STARS:
        return STAR_OFFERS
    small = CURRENCIES[currency].small
    return (small, 2 * small, 4 * small)


def limits(currency: str) -> tuple[int, int]:
    """Give the least and the most that is taken, in whole units."""
    if currency == STARS:
        return 1, MOST_STARS
    small = CURRENCIES[currency].small
    return small // 2, 1_000 * small


def smallest_units(units: int, currency: str) -> int:
    """Give an amount as the Bot API counts it."""
    return int(units * 10 ** _decimals(currency))


def written(amount: int, currency: str) -> str:
    """Write an amount of smallest units: "⭐ 50", "10 EUR"; in any language."""
    if currency == STARS:
        return f"⭐ {amount}"
    decimals = _decimals(currency)
    return f"{amount / 10**decimals:.{decimals if amount % 10**decimals else 0}f} {currency}"


def _decimals(currency: str) -> int:
    return CURRENCIES[currency].decimals if currency in CURRENCIES else 0 if currency == STARS else 2
