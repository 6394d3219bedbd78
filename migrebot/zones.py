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
# Cities that people name and no zone is named after, and those that the calendars of our languages spell otherwise.
_MORE_CITIES = {
    "UTC": "utc|gmt",
    "Europe/Kyiv": "kyiv|kiev|киев|київ|kharkiv|харьков|харків|odesa|odessa|одесса|одеса|dnipro|днепр|дніпро|lviv|львов"
    "|львів|zaporizhzhia|запорожье|запоріжжя|кривой рог|кривий ріг|николаев|миколаїв|винница|вінниця|херсон|полтава"
    "|чернигов|чернігів|черкассы|черкаси|хмельницкий|хмельницький|житомир|сумы|суми|ровно|рівне|ивано-франковск"
    "|івано-франківськ|тернополь|тернопіль|луцк|луцьк|ужгород|черновцы|чернівці|кропивницкий|кропивницький",
    "Europe/Moscow": "санкт-петербург|петербург|питер|спб|мск|saint petersburg|st petersburg|нижний новгород|казань"
    "|ростов-на-дону|краснодар|сочи|воронеж|ярославль|тула|рязань|пенза|тверь|брянск|курск|белгород|махачкала|мурманск"
    "|архангельск|вологда",
    "Asia/Yekaterinburg": "челябинск|уфа|пермь|тюмень|оренбург|магнитогорск|сургут",
    "Europe/Samara": "тольятти|ижевск",
    "Asia/Vladivostok": "хабаровск",
    "Asia/Krasnoyarsk": "абакан",
    "Asia/Almaty": "алма-ата|астана|astana|шымкент|караганда",
    "Europe/Minsk": "мінск|менск|гомель|гродно|брест|витебск|могилев",
    "Europe/Paris": "marseille|lyon|toulouse|nice|nantes|montpellier|strasbourg|bordeaux|lille|rennes|grenoble",
    "Europe/Brussels": "anvers|antwerp|liège|gand|charleroi",
    "Europe/Zurich": "geneva|genève|женева|lausanne|berne|bern|bâle|basel",
    "Europe/Madrid": "barcelona|барселона|valencia|валенсия|sevilla|seville|zaragoza|málaga|bilbao|alicante|murcia"
    "|palma|granada|córdoba|cartagena|león|mérida",
    "Atlantic/Canary": "tenerife|las palmas|canarias|islas canarias",
    "Europe/Berlin": "munich|münchen|мюнхен|hamburg|гамбург|frankfurt|франкфурт|cologne|köln|кельн|кёльн"
    "|düsseldorf|stuttgart|leipzig|dresden",
    "Europe/Warsaw": "warszawa|kraków|краков|краків|wrocław|вроцлав|gdańsk|гданьск|poznań|łódź",
    "Europe/Rome": "milan|milano|милан|мілан|naples|napoli|turin|torino|florence|firenze",
    "Europe/London": "manchester|birmingham|liverpool|leeds|edinburgh|glasgow|cardiff|belfast|bristol",
    "Europe/Istanbul": "ankara|анкара|izmir|antalya|анталья",
    "Asia/Jerusalem": "tel aviv|тель-авив|haifa|хайфа",
    "America/New_York": "nyc|washington|вашингтон|boston|бостон|miami|майами|маямі|philadelphia|atlanta|orlando",
    "America/Chicago": "houston|хьюстон|dallas|даллас|austin|san antonio|minneapolis|new orleans",
    "America/Los_Angeles": "san francisco|сан-франциско|seattle|сиэтл|сієтл|san diego|san jose|las vegas|portland",
    "America/Toronto": "montreal|montréal|монреаль|ottawa|québec|quebec|gatineau",
    "America/Edmonton": "calgary",
    "America/Mexico_City": "guadalajara|puebla|león|querétaro|cdmx",
    "America/Bogota": "medellín|cali|barranquilla|cartagena",
    "America/Argentina/Buenos_Aires": "la plata|mar del plata",
    "America/Santiago": "valparaíso|concepción",
    "America/Caracas": "valencia|maracaibo",
    "America/Costa_Rica": "san jose",
    "America/Lima": "arequipa|trujillo|cusco",
    "America/Guayaquil": "quito",
    "America/Sao_Paulo": "rio de janeiro|brasilia|belo horizonte|curitiba|porto alegre",
    "Asia/Kolkata": "delhi|new delhi|дели|делі|mumbai|bombay|мумбаи|мумбаї|bangalore|chennai|hyderabad|pune",
    "Asia/Shanghai": "beijing|peking|pékin|pekín|пекин|пекін|guangzhou|shenzhen",
}
_MORE_COUNTRIES = {
    "US": "usa|u.s.a|сша|eeuu|ee.uu|ee. uu",
    "GB": "uk|great britain|england|scotland|wales|англия|англія|angleterre|inglaterra",
    "DE": "deutschland",
    "TR": "turkey|türkiye|turquía|turquie",
    "CZ": "czech republic|чешская республика|république tchèque|república checa",
    "BY": "белоруссия|білорусія",
    "NL": "holland|голландия|голландія|hollande|holanda",
    "AE": "uae|оаэ|оае",
}
# What to offer for a country with more zones than anybody reads through, the most peopled ones first. Whoever lives in
# another zone of it names their city.
_OFFERED = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney Australia/Melbourne Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth",
    "BR": "America/Sao_Paulo America/Fortaleza America/Manaus America/Cuiaba America/Rio_Branco America/Noronha",
    "CA": "America/Toronto America/Vancouver America/Edmonton America/Winnipeg America/Regina America/Halifax"
    " America/St_Johns",
    "CL": "America/Santiago America/Punta_Arenas Pacific/Easter",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil Pacific/Galapagos",
    "ES": "Europe/Madrid Atlantic/Canary",
    "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City America/Cancun America/Monterrey America/Chihuahua America/Hermosillo America/Mazatlan"
    " America/Ciudad_Juarez America/Tijuana",
    "PT": "Europe/Lisbon Atlantic/Madeira Atlantic/Azores",
    "RU": "Europe/Moscow Europe/Kaliningrad Europe/Samara Asia/Yekaterinburg Asia/Omsk Asia/Novosibirsk"
    " Asia/Krasnoyarsk Asia/Irkutsk Asia/Yakutsk Asia/Vladivostok Asia/Magadan Asia/Kamchatka",
    "US": "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage"
    " Pacific/Honolulu",
}


def find_zones(text: str) -> tuple[str, ...]:
    """List the zones that the text may mean, in order; empty if none.

    A city, a country, both ("Paris, France") or a zone's name. Fixed offsets and abbreviations (`+3`, `MSK`, `EST`,
    `Etc/GMT+3`) mean none: they know no summer time, and what they stand for differs from place to place.
    """
    word = _key(text)
    if word in _index():
        return _index()[word]
    city, _, country = word.partition(",")
    within = _zones_within(_territories().get(country.strip(), ""))
    return tuple(zone for zone in _index().get(city, ()) if zone in within)


def zone_names() -> tuple[str, ...]:
    """List all that may be typed for a zone, in small letters."""
    return tuple(_index())


def describe_zone(zone: str, now: datetime) -> str:
    """Write a zone with its offset now: `Europe/Kyiv (UTC+2)`."""
    shown = describe_offset(zone, now)
    return zone if zone == shown else f"{zone} ({shown})"


def describe_offset(zone: str, now: datetime) -> str:
    """Write the offset of a zone now: `UTC+2`."""
    offset = now.astimezone(ZoneInfo(zone)).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset is not None else 0
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"


def offered_zones(country: str) -> tuple[str, ...]:
    """List what is offered of a country with many zones, the most peopled ones first; empty for all others."""
    return tuple(_OFFERED.get(country, "").split())


def _key(name: str) -> str:
    """Reduce a name to what counts: neither letter case nor accents, and a space for a hyphen."""
    return folded(name.replace("_", " ").replace("-", " "))


@cache
def _available() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_PLACES)


@cache
def _index() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for name, zone in (*_cities(), *_countries()):
        found.setdefault(_key(name), {})[canonical(zone)] = None
    for zone, names in _MORE_CITIES.items():
        for name in names.split("|"):
            found.setdefault(_key(name), {})[zone] = None
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
    for name, territory in _territories().items():
        for zone in offered_zones(territory) or get_global("territory_zones").get(territory, ()):
            yield name, zone


@cache
def _territories() -> dict[str, str]:
    """Map what a country may be called to its code."""
    known = {_key(name): code for language in LANGUAGES for code, name in Locale.parse(language).territories.items()}
    return known | {_key(name): code for code, names in _MORE_COUNTRIES.items() for name in names.split("|")}


def _zones_within(territory: str) -> frozenset[str]:
    return frozenset(canonical(zone) for zone in get_global("territory_zones").get(territory, ()))


def canonical(zone: str) -> str:
    """Give the present name of a zone: `Europe/Kyiv` for `Europe/Kiev`; unknown names stay as they are."""
    alias = get_global("zone_aliases").get(zone, zone)
    name = _RENAMED.get(alias, alias)
    return name if name in _available() else zone


def is_zone(name: str) -> bool:
    """Tell whether this is exactly the name of a zone that may be stored."""
    return name in _available()
