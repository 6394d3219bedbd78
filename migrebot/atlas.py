"""The world by continents, countries and time zones, with names as each language writes them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global

from migrebot.typed import folded
from migrebot.zones import canonical, describe_offset, offered_zones

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

CONTINENTS = ("europe", "asia", "america", "africa", "oceania", "antarctica")

# Which continent the zones of most countries are named after …
_BY_ZONE = {
    "Europe": "europe",
    "Asia": "asia",
    "America": "america",
    "Africa": "africa",
    "Australia": "oceania",
    "Pacific": "oceania",
    "Antarctica": "antarctica",
}
# … and where to look for those whose zones are named after an ocean, or that lie on two.
_BY_COUNTRY = {
    "america": "BM FK GS",
    "africa": "CV KM MG MU RE SC SH TF YT",
    "europe": "AM AZ CY ES FO GE IS KZ PT RU SJ TR",
    "asia": "AM AZ CY GE IO KZ MV RU TR",
    "oceania": "CC CX",
}
# Where these letters stand in their alphabet, which is not where Unicode has them.
_UKRAINIAN = {ord("ґ"): "г~", ord("є"): "е~", ord("і"): "и~", ord("ї"): "и~~"}
_NO_COUNTRIES = frozenset({"001", "ZZ"})


@cache
def countries(continent: str, language: str) -> tuple[tuple[str, str], ...]:
    """List the countries of one of `CONTINENTS` as (name, code), in the order of their names."""
    names = Locale.parse(language).territories
    found = [(names.get(code, code), code) for code, places in _continents().items() if continent in places]
    return tuple(sorted(found, key=lambda country: folded(country[0]).translate(_UKRAINIAN)))


def zones_of(country: str, now: datetime, *, all_of_them: bool = False) -> tuple[str, ...]:
    """List the zones of a country, from west to east; unless `all_of_them`, of large ones those most people live in."""
    zones = {canonical(zone) for zone in get_global("territory_zones").get(country, ())}
    if not all_of_them:
        zones = set(offered_zones(country)) or zones
    return tuple(sorted(zones, key=lambda zone: (now.astimezone(ZoneInfo(zone)).utcoffset(), zone)))


def is_country(code: str) -> bool:
    """Tell whether this is the code of a country with zones."""
    return code in _continents()


def country_name(code: str, language: str) -> str:
    """Name a country."""
    return str(Locale.parse(language).territories.get(code, code))


def zone_name(zone: str, language: str, now: datetime) -> str:
    """Name a zone by its city, with its offset now: "Київ (UTC+2)"."""
    city = _cities(language).get(zone) or zone.rpartition("/")[2].replace("_", " ")
    offset = describe_offset(zone, now)
    return city if city == offset else f"{city} ({offset})"


@cache
def _continents() -> dict[str, frozenset[str]]:
    """Map the code of each country to the continents it is looked for on."""
    told: dict[str, set[str]] = {}
    for continent, codes in _BY_COUNTRY.items():
        for code in codes.split():
            told.setdefault(code, set()).add(continent)
    return {
        code: frozenset(told.get(code) or {_continent_of(zones)})
        for code, zones in get_global("territory_zones").items()
        if code not in _NO_COUNTRIES
    }


def _continent_of(zones: Sequence[str]) -> str:
    areas = (zone.split("/")[0] for zone in zones)
    [(continent, _)] = Counter(_BY_ZONE[area] for area in areas if area in _BY_ZONE).most_common(1)
    return continent


@cache
def _cities(language: str) -> dict[str, str]:
    named = Locale.parse(language).time_zones
    found = {canonical(zone): names["city"] for zone, names in named.items() if "city" in names}
    return {zone: str(city) for zone, city in found.items()}
