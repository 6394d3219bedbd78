"""Languages: catalogues, plurals, dates and numbers as each language writes them.

Source strings are English. A message is HTML with `<b>`, `<i>`, `<a href>`; whatever is put into it is escaped.
The catalogues are the `.po` files themselves, compiled when they are loaded: there is no build step to forget, and
five languages take some 100 ms once, in the start.
"""

from __future__ import annotations

import gettext
import io
import re
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_day_names, get_month_names
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup

from migrebot.languages import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

_REMEMBERED = 1_000
"""Dates and numbers kept as a language writes them."""

# Where the sound that follows calls for another "and": "paracetamol e ibuprofeno", but "agua y hielo".
_OTHER_AND = {
    "es": (re.compile(r"h?[ií](?![aeou])", re.IGNORECASE), "y", "e"),
    "uk": (re.compile(r"[іїйєюя]", re.IGNORECASE), "і", "та"),
}


_IN_SPREADSHEETS = {"d": "dd", "M": "mm", "y": "yyyy"}


def N_(message: str) -> str:  # noqa: N802 - the customary name for "translate later"
    """Mark a source string for the catalogues without translating it yet."""
    return message


def language_name(language: str) -> str:
    """Name a language in itself: "Français"."""
    name: str = Locale.parse(language).get_display_name(language) or language
    return name[:1].upper() + name[1:]


_MESSENGERS = {"telegram": "Telegram", "whatsapp": "WhatsApp"}


def messenger_name(channel: str, tr: Translator) -> str:
    """Name a messenger, or the chat in the browser."""
    return _MESSENGERS.get(channel) or tr.plain("Chat in the browser")


_FAR_DAYS = 300
"""A date further away is written with its year: without it, it would be taken for the nearer one."""


class Translator:
    """Speaks one language.

    Calling it translates a message for a person (HTML, arguments escaped); `plain` is for labels of buttons and
    toasts, where nothing is escaped; `n` chooses the plural form.
    """

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        # International English: day before month, 24 hours, Monday first.
        self.locale = Locale.parse("en_001" if language == "en" else language)
        self._catalogue = catalogue
        # Babel takes 20 to 50 µs to write one: the same few are wanted again and again.
        self._date = lru_cache(_REMEMBERED)(partial(format_skeleton, locale=self.locale))
        self._number = lru_cache(_REMEMBERED)(partial(format_decimal, format="0.###", locale=self.locale))
        self._day_names = get_day_names("wide", context="stand-alone", locale=self.locale)

    def __call__(self, message: str, /, **values: object) -> Markup:
        """Translate a message; `%(name)s` stands for a value, escaped unless it is Markup."""
        text = Markup(self._catalogue.gettext(message))  # noqa: S704 - catalogues are ours
        return text % values if values else text

    def plain(self, message: str, /, **values: object) -> str:
        """Translate a label: plain text, nothing is escaped."""
        text = self._catalogue.gettext(message)
        return text % values if values else text

    def n(self, one: str, many: str, number: int, /, **values: object) -> Markup:
        """Translate a message that counts; `%(n)s` is the number."""
        text = Markup(self._catalogue.ngettext(one, many, number))  # noqa: S704 - catalogues are ours
        return text % {"n": number, **values}

    def long_date(self, day: date, today: date | None = None) -> str:
        """Write a date out: "Sunday, 22 November"; with its year if it lies far from `today`."""
        comma = "" if self.language == "fr" else ","
        return _capital(f"{self._day_names[day.weekday()]}{comma} {self.day(day, today)}")

    def day(self, day: date, today: date | None = None) -> str:
        """Write a date without its weekday: "22 November"; with its year if it lies far from `today`."""
        far = today is not None and abs((today - day).days) > _FAR_DAYS
        return self._first(self._date("yMMMMd" if far else "MMMMd", day), day)

    def short_date(self, day: date) -> str:
        """Write a date short, with its weekday: "Sun, 22 Nov"."""
        return _capital(self._first(self._date("MMMEd", day), day))

    def full_date(self, day: date) -> str:
        """Write a date with its year: "22 November 2026"."""
        return self._first(format_date(day, "long", locale=self.locale), day)

    def _first(self, written: str, day: date) -> str:
        """Write the first of a month as French does: "1er mai"."""
        return re.sub(r"\b1\b", "1er", written) if self.language == "fr" and day.day == 1 else written

    def month(self, day: date) -> str:
        """Write a month with its year: "November 2026"."""
        name = get_month_names("wide", context="stand-alone", locale=self.locale)[day.month]
        return f"{_capital(name)} {day.year}"

    def month_name(self, day: date) -> str:
        """Name a month shortly: "Nov"."""
        return _capital(get_month_names("abbreviated", context="stand-alone", locale=self.locale)[day.month])

    def weekdays(self) -> tuple[str, ...]:
        """Name the weekdays as shortly as the language does, from the first of the week on."""
        names = get_day_names("short", context="stand-alone", locale=self.locale)
        return tuple(names[(self.first_weekday + n) % 7].capitalize() for n in range(7))

    @property
    def first_weekday(self) -> int:
        """The day a week begins with, 0 for Monday (CLDR week data)."""
        first: int = self.locale.first_week_day
        return first

    @property
    def day_pattern(self) -> str:
        """How the language writes a date in digits, as spreadsheets say it: "dd/mm/yyyy"."""
        parts = re.findall(r"[dMy]+|[^dMy]+", self.locale.date_formats["short"].pattern)
        return "".join(_IN_SPREADSHEETS.get(part[0], part) for part in parts)

    def digits(self, day: date) -> str:
        """Write a date in digits: "22/11/2026"."""
        return self.day_pattern.replace("dd", f"{day:%d}").replace("mm", f"{day:%m}").replace("yyyy", f"{day:%Y}")

    def time(self, moment: datetime) -> str:
        """Write the time of a local moment, 24 hours."""
        return format_time(moment, "HH:mm", locale=self.locale)

    def number(self, value: float) -> str:
        """Write a number, up to three decimals: a drug may be taken in thousandths of a gram."""
        return self._number(value)

    def list(self, items: Sequence[str]) -> str:
        """Join items: "a, b and c"."""
        texts = [str(item) for item in items]
        joined = format_list(texts, locale=self.locale)
        rule = _OTHER_AND.get(self.language)
        if rule is None or len(texts) < 2 or not rule[0].match(texts[-1]):
            return joined
        _, usual, other = rule
        return f"{joined.removesuffix(f' {usual} {texts[-1]}')} {other} {texts[-1]}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _compile(language: str) -> gettext.NullTranslations:
    source = files("migrebot") / "locales" / language / "LC_MESSAGES" / "migrebot.po"
    if not source.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def translator(language: str) -> Translator:
    """Give the translator of one of `LANGUAGES`; English for any other."""
    if language not in LANGUAGES:
        return translator("en")
    return Translator(language, _compile(language))


def translators() -> tuple[Translator, ...]:
    """Give all translators; the first call loads all catalogues."""
    return tuple(translator(language) for language in LANGUAGES)
