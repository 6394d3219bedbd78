"""Time zones as people name them: a city, a country, an IANA name, in any letter case and in the five languages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global

from migrebot.languages import LANGUAGES
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_NOT_PLACES = frozenset({"localtime", "posixrules", "Factory"})
# Babel knows these places by their former names.
_RENAMED = {"Europe/Kiev": "Europe/Kyiv", "Asia/Calcutta": "Asia/Kolkata", "Asia/Saigon": "Asia/Ho_Chi_Minh"}
# People type these, and no zone is named after them.
_MORE = {
    "kyiv": "Europe/Kyiv",
    "kiev": "Europe/Kyiv",
    "киев": "Europe/Kyiv",
    "київ": "Europe/Kyiv",
    "utc": "UTC",
    "gmt": "UTC",
    "питер": "Europe/Moscow",
    "санкт-петербург": "Europe/Moscow",
    "saint petersburg": "Europe/Moscow",
    "львов": "Europe/Kyiv",
    "львів": "Europe/Kyiv",
    "lviv": "Europe/Kyiv",
    "харьков": "Europe/Kyiv",
    "харків": "Europe/Kyiv",
    "одесса": "Europe/Kyiv",
    "одеса": "Europe/Kyiv",
    "barcelona": "Europe/Madrid",
    "marseille": "Europe/Paris",
    "lyon": "Europe/Paris",
    "munich": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "geneva": "Europe/Zurich",
    "genève": "Europe/Zurich",
    "milan": "Europe/Rome",
    "manchester": "Europe/London",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "washington": "America/New_York",
    "boston": "America/New_York",
    "miami": "America/New_York",
    "montreal": "America/Toronto",
    "montréal": "America/Toronto",
    "delhi": "Asia/Kolkata",
    "mumbai": "Asia/Kolkata",
    "beijing": "Asia/Shanghai",
    "tel aviv": "Asia/Jerusalem",
}


def find_zones(text: str) -> tuple[str, ...]:
    """List the zones that the text may mean, in order; empty if none.

    Fixed offsets and abbreviations (`+3`, `MSK`, `EST`, `Etc/GMT+3`) mean none: they know no summer time, and what
    they stand for differs from place to place.
    """
    word = folded(text.replace("_", " "))
    return _index().get(word, ())


def describe_zone(zone: str, now: datetime) -> str:
    """Write a zone with its offset now: `Europe/Kyiv (UTC+2)`."""
    offset = now.astimezone(ZoneInfo(zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset is not None else 0
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    shown = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
    return zone if zone == shown else f"{zone} ({shown})"


@cache
def _available() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_PLACES)


@cache
def _index() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for name, zone in (*_cities(), *_countries()):
        found.setdefault(folded(name.replace("_", " ")), {})[canonical(zone)] = None
    for name, zone in _MORE.items():
        found[folded(name)] = {zone: None}
    return {name: tuple(places) for name, places in found.items() if name}


def _cities() -> Iterator[tuple[str, str]]:
    zones = sorted(zone for zone in _available() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    for zone in zones:
        yield zone, zone
        yield zone.rpartition("/")[2], zone
    known = set(zones)
    for language in LANGUAGES:
        for zone, names in Locale.parse(language).time_zones.items():
            if "city" in names and zone in known:
                yield names["city"], zone


def _countries() -> Iterator[tuple[str, str]]:
    zones_of = get_global("territory_zones")
    for language in LANGUAGES:
        for territory, name in Locale.parse(language).territories.items():
            for zone in zones_of.get(territory, ()):
                yield name, zone


def canonical(zone: str) -> str:
    """Give the present name of a zone: `Europe/Kyiv` for `Europe/Kiev`; unknown names stay as they are."""
    alias = get_global("zone_aliases").get(zone, zone)
    name = _RENAMED.get(alias, alias)
    return name if name in _available() else zone


def is_zone(name: str) -> bool:
    """Tell whether this is exactly the name of a zone that may be stored."""
    return name in _available()
