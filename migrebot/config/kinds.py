"""The kinds of value a key can have: how each is read and what is allowed, in words."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlsplit

from msgspec import Struct

from migrebot.config import cron
from migrebot.config.values import Owner, Secret

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS_FOR_TRUE = ("true", "1", "yes", "on")
WORDS_FOR_FALSE = ("false", "0", "no", "off")

# E.164: a plus sign and at most fifteen digits, the first of them not zero.
PHONE_NUMBER = re.compile(r"\+[1-9]\d{6,14}")

POSTGRES_SCHEMES = ("postgres", "postgresql")

# Of what libpq takes after the ? of an address, that which says how the server is reached.
POSTGRES_OPTIONS = ("host", "port", "sslmode", "sslrootcert", "sslcrl", "sslcert", "sslkey")

# Names that some systems keep among their zone files and that name no place's time.
NO_ZONES = frozenset({"factory", "localtime", "posixrules"})


class UnfitError(ValueError):
    """The value is not of its kind; the message, which may be empty, is a remark and never holds the value."""


class Kind(Struct, frozen=True):
    """What values a key takes.

    `read` gets text (environment, `.env`) or what a TOML file holds, returns the value and raises `UnfitError`.
    `allowed` continues the sentence "… is not …". `empty_means_off` tells that an empty variable is a value; for
    every other kind it counts as not given.
    """

    allowed: str
    read: Callable[[object], object]
    empty_means_off: bool = False


def text(allowed: str = "text on one line", pattern: str = r".*") -> Kind:
    """Make the kind of printable text that matches `pattern` as a whole, or is empty."""
    form = re.compile(pattern)

    def read(raw: object) -> str:
        value = _line(raw)
        if value and not form.fullmatch(value):
            raise UnfitError
        return value

    return Kind(allowed, read)


def secret(allowed: str = "text on one line, without spaces", pattern: str = r"\S+") -> Kind:
    """Make the kind of text that must never be shown."""
    plain = text(allowed, pattern)
    return Kind(allowed, lambda raw: Secret(str(plain.read(raw))))


def whole(minimum: int, maximum: int) -> Kind:
    """Make the kind of whole numbers within bounds, both included."""

    def read(raw: object) -> int:
        if isinstance(raw, str) and re.fullmatch(r"[+-]?\d{1,18}", raw.strip(), re.ASCII):
            raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool) or not minimum <= raw <= maximum:
            raise UnfitError
        return raw

    return Kind(f"a whole number from {minimum} to {maximum}", read)


def positive(maximum: float) -> Kind:
    """Make the kind of numbers above zero, fractions included."""

    def read(raw: object) -> float:
        if isinstance(raw, str):
            raw = _float(raw)
        if not isinstance(raw, int | float) or isinstance(raw, bool) or not 0 < raw <= maximum:
            raise UnfitError
        return float(raw)

    return Kind(f"a number above 0, at most {maximum:g}", read)


def choice(*options: str, folded: Callable[[str], str] = str.lower) -> Kind:
    """Make the kind of a few known words, in any letter case; `folded` brings them into that of the options."""

    def read(raw: object) -> str:
        value = folded(_line(raw))
        if value not in options:
            raise UnfitError
        return value

    return Kind("one of " + ", ".join(options), read)


def read_flag(raw: object) -> bool:
    """Read a yes or no, in any of the words for it."""
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower() if isinstance(raw, str | int) else ""
    if word not in WORDS_FOR_TRUE + WORDS_FOR_FALSE:
        raise UnfitError
    return word in WORDS_FOR_TRUE


def read_flag_or_auto(raw: object) -> bool | None:
    """Read a yes or no, or `auto` (None)."""
    if isinstance(raw, str) and raw.strip().lower() == "auto":
        return None
    return read_flag(raw)


def read_cron(raw: object) -> str:
    """Read a cron expression; empty text means off."""
    value = " ".join(_line(raw).split())
    if value and (remark := cron.complaint(value)):
        raise UnfitError(remark)
    return value


def read_time_zone(raw: object) -> str:
    """Read a time zone's name in any letter case, and return it as the IANA database spells it."""
    wanted = _line(raw).lower()
    if wanted == "utc":
        return "UTC"
    from zoneinfo import available_timezones

    names = {name.lower(): name for name in available_timezones() if name.lower() not in NO_ZONES}
    if wanted not in names:
        from difflib import get_close_matches

        nearest = get_close_matches(wanted[:64], names, 1, cutoff=0)
        raise UnfitError(f"there is no such zone, the nearest name is {names[nearest[0]]}" if nearest else "")
    return names[wanted]


def read_owner(raw: object) -> Owner | None:
    """Read the owner's address: 0 (nobody), a Telegram id, `whatsapp:+…` or `local`."""
    value = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else _line(raw).lower()
    if value in ("", "0"):
        return None
    if value == "local":
        return Owner("local", "")
    channel, _, number = value.partition(":")
    if channel == "whatsapp" and PHONE_NUMBER.fullmatch(number):
        return Owner("whatsapp", number)
    # Telegram promises that ids have at most 52 significant bits (core.telegram.org/bots/api#user).
    if re.fullmatch(r"[1-9]\d{0,15}", value, re.ASCII) and int(value) < 2**52:
        return Owner("telegram", value)
    raise UnfitError


def read_whatsapp_number(raw: object) -> str:
    """Read a phone number, with or without `whatsapp:`, and return it as `+…`."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = f"+{raw}"  # TOML reads an unquoted +43… as a number
    value = re.sub(r"[\s().-]", "", _line(raw).lower().removeprefix("whatsapp:"))
    if value and not PHONE_NUMBER.fullmatch(value):
        raise UnfitError
    return value


def read_host(raw: object) -> str:
    """Read what a server listens on: a host name or an IP address, which may stand in brackets."""
    value = _line(raw)
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        # Digits and dots alone would be a mistyped address, not a name.
        if not re.fullmatch(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})", value) or re.fullmatch(r"[\d.]+", value):
            raise UnfitError from None
        return value


def read_web_address(raw: object) -> str:
    """Read an http or https address without query; it comes back without a slash at its end."""
    value = _line(raw)
    if not value:
        return value
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in value:
        raise UnfitError
    return value.rstrip("/")


def read_link(raw: object) -> str:
    """Read the address of a page for people, as it is."""
    value = _line(raw)
    parts = _split(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
        raise UnfitError
    return value


def read_redis_url(raw: object) -> Secret:
    """Read the address of a Redis server, which may hold a password."""
    value = _line(raw)
    if not value:
        return Secret("")
    parts = _split(value)
    if not (parts.scheme in ("redis", "rediss") and parts.hostname) and not (parts.scheme == "unix" and parts.path):
        raise UnfitError
    return Secret(value)


def read_storage_url(raw: object) -> Secret:
    """Read the address of the database: a SQLite file or a Postgres database, which may hold a password."""
    value = _line(raw)
    if value.partition(":")[0].lower() in POSTGRES_SCHEMES:
        return Secret(_postgres_url(value))
    file = value.removeprefix("sqlite:///")
    if file == value or not file or file.endswith("/") or file.startswith(":") or "?" in file:
        raise UnfitError
    return Secret(value)


def _postgres_url(value: str) -> str:
    """Check what can be checked before a server is asked."""
    parts = _split(value)
    # A password with one of these characters in it as they are ends the part of the address that it stands in.
    if parts.fragment or "@" in parts.path or "@" in parts.query or parts.netloc.count("@") > 1:
        raise UnfitError("in user, password and database, @ is written %40, : %3A, / %2F, ? %3F, # %23 and % %25")
    if parts.path.count("/") > 1:
        raise UnfitError
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in POSTGRES_OPTIONS:
            raise UnfitError(f"after ? there may be {', '.join(POSTGRES_OPTIONS)}")
    return value


def _line(raw: object) -> str:
    """Return the text without the blanks around it; anything unprintable in it is refused."""
    if not isinstance(raw, str) or not raw.strip().isprintable():
        raise UnfitError
    return raw.strip()


def _float(raw: str) -> float:
    """Return the finite number that the text holds."""
    try:
        value = float(raw)
    except ValueError:
        raise UnfitError from None
    if not math.isfinite(value):
        raise UnfitError
    return value


def _split(value: str) -> SplitResult:
    """Take an address apart; one without a sensible port is refused."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise UnfitError from None
    if any(character.isspace() for character in value):
        raise UnfitError
    return parts


FLAG = Kind("true or false", read_flag)
FLAG_OR_AUTO = Kind("true, false or auto", read_flag_or_auto)
CRON = Kind('a cron expression "minute hour day month weekday", or empty (off)', read_cron, empty_means_off=True)
TIME_ZONE = Kind("a time zone of the IANA database such as Europe/Madrid", read_time_zone)
PATH = text("a path", r".+")
OWNER = Kind("0 (nobody), a Telegram id, whatsapp:+… or local", read_owner)
WHATSAPP_NUMBER = Kind("a phone number with its country code, such as +14155238886", read_whatsapp_number)
HOST = Kind("a host name or an IP address", read_host)
WEB_ADDRESS = Kind("an http:// or https:// address without query", read_web_address)
LINK = Kind("an http:// or https:// address", read_link)
REDIS_URL = Kind("a redis://, rediss:// or unix:// address", read_redis_url)
STORAGE_URL = Kind(
    "sqlite:///FILE (relative), sqlite:////FILE (absolute) or postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    read_storage_url,
)
