"""The drug dictionary: names in five languages and brands → substances, class, strengths, daily maximum.

`drugs.csv` holds one product a row, with ICHD-3's class of acute medicine and the maximum of its label; a row whose
`source` is M was written from memory and has no maximum. Where the strengths are not in the order of the name,
`strengths_of` gives theirs. `substances.csv` names the substances in each language. The
same brand may be another product in another country: whoever needs one thing of several products takes what is true of
all of them. What the dictionary says is information, with its source, and no advice.
"""

from __future__ import annotations

import csv
import io
import re
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from migrebot.languages import LANGUAGES
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CLOSE = 0.75
"""How alike, from 0 to 1, a name must be to what was typed to be suggested."""

MISTYPED = 0.77
"""The same where a medicine was taken: whoever only wants to record it is asked when it is likely alone."""

_ROUTES = ("oral", "nasal", "sc")
_SHORT = {"ASA": "acetylsalicylic acid"}

# With one of these a brand is often another product, or one for the skin: "Panadol" is paracetamol, "Panadol Extra" is
# more than that.
_WORDS_OF_OTHERS = (
    "plus плюс extra экстра екстра co comp комп compositum композитум complex комплекс pm cold flu combo комбо"
    " грипп грип rhume grippe gripe gel гель emulgel эмульгель емульгель cream creme крем crema мазь ointment"
    " pommade pomada patch пластырь пластир"
)
_OTHER_PRODUCT = frozenset(_WORDS_OF_OTHERS.split())
_VITAMIN_C = ({"c"}, {"с"})  # at the end: in the middle it is the Russian "with"
_ENDING = 3
"""How many letters the case of a noun may add: "с кодеином"."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MAXIMUM = re.compile(r"(?P<amount>\d+(?:\.\d+)?)(?:-\d+(?:\.\d+)?)?(?: oral)?(?:\((?P<places>[^)]*)\))?")
_TABLETS = re.compile(r"tab=(?P<amount>\d+)(?:\((?P<places>[^)]*)\))?")
_OF_SUBSTANCE = re.compile(r"(?P<substance>[a-z]+) (?P<amount>\d+)/day and (?P<weekly>\d+)/week")
_MOST_DAYS = re.compile(r"at most (?P<days>\d+) days")
_NUMBER_BEHIND = re.compile(r"\s+\d.*$")
_BETWEEN_WORDS = re.compile(r"[\s\-/+,()&.]+")


class Maximum(Struct, frozen=True, kw_only=True):
    """The most a day by a label: `amount` in `unit`; `places` are codes of countries, and OTC or Rx.

    With a `substance` it counts for that one of several alone, with a `brand` for that brand alone.
    """

    amount: float
    unit: Literal["mg", "tablet"] = "mg"
    places: tuple[str, ...] = ()
    substance: str = ""
    brand: str = ""


class Product(Struct, frozen=True, kw_only=True):
    """One row: `strengths` give for each the mg of every substance, in their order; `kind` is the class.

    `most_days` is how many days running the label allows, `weekly_mg` the most a week.
    """

    generic: str
    atc: str
    kind: str
    brands: tuple[str, ...]
    substances: tuple[str, ...]
    route: str
    strengths: tuple[tuple[float, ...], ...]
    maxima: tuple[Maximum, ...]
    most_days: int | None = None
    weekly_mg: float | None = None

    @property
    def is_single(self) -> bool:
        """Tell whether it has one active substance."""
        return len(self.substances) == 1

    def key(self, substance: str) -> str:
        """Name what is summed up: sprays and injections have limits of their own."""
        return substance if self.route in {"", "oral"} else f"{substance} {self.route}"


@lru_cache(1_000)
def find(name: str) -> tuple[Product, ...]:
    """Find what a name may mean: a substance in any of the languages, a brand, or several substances together.

    Words that say nothing about the composition do not count: "Ibuprofen-Teva 400". The first words of longer brands
    mean all of these. Nothing is guessed: a name that is only similar means nothing.
    """
    word = folded(name)
    return _names().get(word) or _by_parts(word) or _begun(word)


def kind_of(products: Sequence[Product]) -> str:
    """Name the class of all these products, the non-opioids as one (ICHD-3 8.2.3); empty unless they agree."""
    kinds = {
        product.kind.partition("_")[0] if product.kind.startswith("nonopioid") else product.kind for product in products
    }
    return kinds.pop() if len(kinds) == 1 else ""


def suggest(text: str, most: int = 4) -> tuple[str, ...]:
    """Suggest names for what was typed in part or not quite right, the likeliest first."""
    word = folded(text)
    begun = [name for name in _names() if name.startswith(word)] if len(word) > 2 else []
    close = get_close_matches(word, _names(), most, CLOSE)
    # However it is spelled it is one thing.
    shown: dict[tuple[Product, ...], str] = {}
    for name in (*sorted(begun, key=len), *close):
        shown.setdefault(_names()[name], _written()[name])
    return tuple(shown.values())[:most]


@lru_cache(1_000)
def nearest(text: str, language: str) -> str:
    """Give the name that somebody who mistyped it may have meant, in that language; empty if none is close enough.

    Numbers behind the name do not count: "ibuprofin 400".
    """
    if find(text):
        return ""
    word = _NUMBER_BEHIND.sub("", folded(text))
    close = get_close_matches(word, _names(), 1, MISTYPED)
    if not close:
        return ""
    substance = _substance_of().get(close[0], "")
    names = [substance_name(substance, each) for each in LANGUAGES] if substance else []
    name = substance_name(substance, language) if close[0] in map(folded, names) else _written()[close[0]]
    return name[:1].upper() + name[1:]


def label_maximum(key: str) -> Maximum | None:
    """Give the lowest daily maximum of a substance by the labels, in mg."""
    return min(_maxima().get(key, ()), key=lambda maximum: maximum.amount, default=None)


def maximum_of(product: Product, name: str = "") -> Maximum | None:
    """Give the lowest daily maximum of a product by its labels; `name` is the brand it was called by."""
    valid = [maximum for maximum in product.maxima if maximum.brand in {"", *_same(product.brands, name)}]
    return min(valid, key=lambda maximum: maximum.amount, default=None)


def substance_name(substance: str, language: str) -> str:
    """Name a substance in a language."""
    return _substances()[substance].get(language, substance)


@cache
def products() -> tuple[Product, ...]:
    """Give all rows."""
    return tuple(_product(row) for row in _rows("drugs.csv"))


# --- reading ------------------------------------------------------------------------------------------------------


def _rows(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((files(__package__) / file).read_text("utf-8"))))


def _product(row: dict[str, str]) -> Product:
    substances, route = _composition(row["generic"])
    order = row["strengths_of"].split("/") if row["strengths_of"] else substances
    brands = tuple(row["brands"].split(";"))
    days = _MOST_DAYS.search(row["max_daily_mg"])
    weekly = _OF_SUBSTANCE.search(row["max_daily_mg"])
    return Product(
        generic=row["generic"],
        atc=row["atc"],
        kind=row["class"],
        brands=brands,
        substances=substances,
        route=route,
        strengths=tuple(_strengths(row["strengths_mg"], [order.index(substance) for substance in substances])),
        maxima=tuple(_read_maxima(row["max_daily_mg"], brands)),
        most_days=int(days["days"]) if days else None,
        weekly_mg=float(weekly["weekly"]) if weekly else None,
    )


def _composition(generic: str) -> tuple[tuple[str, ...], str]:
    bare = re.sub(r" \([^)]*\)", "", generic)
    name, _, last = bare.rpartition(" ")
    route = last if last in _ROUTES else ""
    parts = re.split(r"[+/]", name if route else bare)
    return tuple(_SHORT.get(part, part) for part in parts), route


def _strengths(text: str, places: Sequence[int]) -> Iterator[tuple[float, ...]]:
    for strength in text.split(";"):
        numbers = strength.split("/")
        if len(numbers) == len(places) and all(_NUMBER.fullmatch(number) for number in numbers):
            yield tuple(float(numbers[place]) for place in places)


def _read_maxima(text: str, brands: Sequence[str]) -> Iterator[Maximum]:
    # A semicolon in brackets parts places, one outside of them maxima.
    for part in re.split(r"; ?(?![^(]*\))", text):
        if match := _MAXIMUM.fullmatch(part):
            places, brand = _places(match["places"], brands)
            yield Maximum(amount=float(match["amount"]), places=places, brand=brand)
        elif match := _TABLETS.fullmatch(part):
            places, _ = _places(match["places"], brands)
            yield Maximum(amount=float(match["amount"]), unit="tablet", places=places)
        elif match := _OF_SUBSTANCE.fullmatch(part):
            yield Maximum(amount=float(match["amount"]), substance=match["substance"])


def _places(text: str | None, brands: Sequence[str]) -> tuple[tuple[str, ...], str]:
    if text in brands:
        return (), text or ""
    # "Some" labels of a country are not the labels of that country.
    sure = [place for place in (text or "").split("; ") if not place.startswith("some ")]
    return tuple(word for place in sure for word in re.split(r"[/ ]", place) if word), ""


# --- finding ------------------------------------------------------------------------------------------------------


@cache
def _substances() -> Mapping[str, dict[str, str]]:
    return {row["name"]: row for row in _rows("substances.csv")}


@cache
def _spellings() -> Mapping[str, tuple[str, ...]]:
    """Map each substance to all it is called."""
    return {
        name: (name, *(row[language] for language in ("ru", "uk", "fr", "es")), *filter(None, row["others"].split(";")))
        for name, row in _substances().items()
    }


@cache
def _substance_of() -> Mapping[str, str]:
    return {folded(spelling): name for name, spellings in _spellings().items() for spelling in spellings}


def _called(product: Product) -> Iterator[str]:
    yield from product.brands
    if product.is_single or "/" in product.generic:
        for substance in product.substances:
            yield from (spelling[:1].upper() + spelling[1:] for spelling in _spellings()[substance])


@cache
def _names() -> Mapping[str, tuple[Product, ...]]:
    found: dict[str, list[Product]] = {}
    for product in products():
        for name in dict.fromkeys(folded(called) for called in _called(product)):
            found.setdefault(name, []).append(product)
    return {name: tuple(meant) for name, meant in found.items()}


@cache
def _written() -> Mapping[str, str]:
    return {folded(called): called for product in reversed(products()) for called in _called(product)}


@cache
def _maxima() -> Mapping[str, tuple[Maximum, ...]]:
    found: dict[str, list[Maximum]] = {}
    for product in products():
        for maximum in product.maxima:
            if maximum.unit == "mg" and not maximum.brand and (product.is_single or maximum.substance):
                key = product.key(maximum.substance or product.substances[0])
                found.setdefault(key, []).append(maximum)
    return {key: tuple(maxima) for key, maxima in found.items()}


def _by_parts(word: str) -> tuple[Product, ...]:
    """Understand a name word by word: known names, the longest first, and words that say nothing."""
    words = [part for part in _BETWEEN_WORDS.split(word) if part]
    substances: set[str] = set()
    named: list[tuple[Product, ...]] = []
    while words:
        count, meant, substance = _first_name(words)
        if not count and (words[0] in _OTHER_PRODUCT or set(words) in _VITAMIN_C):
            return ()
        if meant:
            named.append(meant)
        substances |= {substance} if substance else {part for product in meant for part in product.substances}
        del words[: count or 1]
    if len(named) == 1 and substances == {part for product in named[0] for part in product.substances}:
        return named[0]
    return tuple(product for product in products() if set(product.substances) == substances) if named else ()


def _first_name(words: Sequence[str]) -> tuple[int, tuple[Product, ...], str]:
    for count in range(min(len(words), 4), 0, -1):
        for joint in (" ", "-"):
            name = joint.join(words[:count])
            if name in _names() or name in _substance_of():
                return count, _names().get(name, ()), _substance_of().get(name, "")
    declined = (words[0][:-cut] for cut in range(1, _ENDING + 1) if len(words[0]) - cut > 4)
    substance = next((_substance_of()[stem] for stem in declined if stem in _substance_of()), "")
    return (1, _names().get(folded(substance), ()), substance) if substance else (0, (), "")


def _begun(word: str) -> tuple[Product, ...]:
    """Find the products whose brands begin with these words."""
    if len(word) < 3:
        return ()
    found = (meant for name, meant in _names().items() if name.startswith((f"{word} ", f"{word}-")))
    return tuple(dict.fromkeys(product for meant in found for product in meant))


def _same(brands: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(brand for brand in brands if folded(brand) == folded(name))
