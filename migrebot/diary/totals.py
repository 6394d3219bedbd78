"""How much of each substance was taken in a day, over all products that hold it, against the daily maximum.

A total is what is certain: an amount that is not known, or a product of several possible strengths, counts with the
least it can be, and the total is marked as "at least". Nothing here forbids anything: what was taken is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from migrebot.diary import dictionary
from migrebot.typed import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrebot.diary.dictionary import Maximum, Product
    from migrebot.diary.entries import Drug

_MG = {"mg": 1.0, "g": 1000.0, "mcg": 0.001}
_ROUNDING = 1e-6


class Dose(Struct, frozen=True):
    """One medicine taken: the name as the person wrote it, how much (None: unknown), and the unit."""

    drug: str
    amount: float | None
    unit: str


class Total(Struct, frozen=True, kw_only=True):
    """What was taken of one thing in a day.

    The thing is a `substance` of the dictionary, or else the medicine `name`; `amount` is in `unit`, and the least it
    can have been unless it is `exact`. `own` is the person's own maximum in mg; it counts before that of the `label`.
    """

    key: str
    unit: str
    amount: float
    exact: bool
    name: str = ""
    substance: str = ""
    label: Maximum | None = None
    own: float | None = None

    @property
    def maximum(self) -> float | None:
        """The daily maximum that counts."""
        return self.own if self.own is not None else self.label.amount if self.label else None

    @property
    def is_over(self) -> bool:
        """Tell whether more was taken than that."""
        return self.maximum is not None and self.amount > self.maximum + _ROUNDING


class _Part(Struct, frozen=True):
    """What one dose adds to one total; `amount` None adds something unknown."""

    key: str
    unit: str
    least: float
    exact: bool
    name: str = ""
    substance: str = ""
    label: dictionary.Maximum | None = None


def totals(doses: Iterable[Dose], own: Sequence[Drug]) -> Mapping[str, Total]:
    """Sum up the doses of one day by key; `own` is the person's own list of medicines."""
    limits = _own_limits(own)
    sums: dict[str, Total] = {}
    for dose in doses:
        for part in _parts(dose):
            before = sums.get(part.key)
            sums[part.key] = Total(
                key=part.key,
                unit=part.unit,
                amount=part.least + (before.amount if before else 0.0),
                exact=part.exact and (before is None or before.exact),
                name=part.name,
                substance=part.substance,
                label=part.label,
                own=limits.get(part.key),
            )
    return sums


def touched(dose: Dose, sums: Mapping[str, Total]) -> tuple[Total, ...]:
    """List those totals with a maximum to which a dose of this medicine adds."""
    keys = dict.fromkeys(part.key for part in _parts(dose))
    return tuple(sums[key] for key in keys if key in sums and sums[key].maximum is not None)


def _own_limits(own: Iterable[Drug]) -> dict[str, float]:
    """Map what is summed up to the person's own maximum; the lower one where the list has two."""
    limits: dict[str, float] = {}
    for drug in own:
        if drug.daily_max_mg is not None:
            key = _own_key(drug.name)
            limits[key] = min(drug.daily_max_mg, limits.get(key, drug.daily_max_mg))
    return limits


def _own_key(name: str) -> str:
    single = _single(dictionary.find(name))
    return single.key(single.substances[0]) if single else _name_key(name)


def _name_key(name: str) -> str:
    return f"name {folded(name)}"


def _single(products: Sequence[Product]) -> Product | None:
    """Give the product if all of them have the same one substance."""
    is_one = all(product.is_single for product in products) and len({product.substances for product in products}) == 1
    return products[0] if is_one else None


def _parts(dose: Dose) -> Iterator[_Part]:
    products = dictionary.find(dose.drug)
    single = _single(products)
    if single:
        yield _of_one_substance(dose, products)
        return
    milligrams = _in_mg(dose)
    yield _Part(_name_key(dose.drug), "mg", milligrams or 0.0, milligrams is not None, name=dose.drug)
    if len(products) == 1 and (label := dictionary.maximum_of(products[0], dose.drug)) and label.unit == "tablet":
        known = dose.amount is not None and dose.unit == "tablet"
        least = dose.amount or 0.0 if known else 0.0
        yield _Part(f"product {products[0].generic}", "tablet", least, known, name=dose.drug, label=label)
    yield from _of_several_substances(dose, products)


def _of_one_substance(dose: Dose, products: Sequence[Product]) -> _Part:
    product = _likeliest(dose, products)
    substance = product.substances[0]
    key = product.key(substance)
    label = dictionary.maximum_of(product, dose.drug) if product.route == "nasal" else dictionary.label_maximum(key)
    milligrams = _in_mg(dose)
    if milligrams is not None:
        least, exact = milligrams, True
    else:
        strengths = [strength[0] for strength in product.strengths]
        least, exact = _counted(dose, strengths)
    return _Part(key, "mg", least, exact, substance=substance, label=label)


def _of_several_substances(dose: Dose, products: Sequence[Product]) -> Iterator[_Part]:
    for substance in dict.fromkeys(substance for product in products for substance in product.substances):
        strengths = [
            strength[product.substances.index(substance)] if substance in product.substances else 0.0
            for product in products
            for strength in product.strengths
        ]
        least, exact = _counted(dose, strengths)
        yield _Part(substance, "mg", least, exact, substance=substance, label=dictionary.label_maximum(substance))


def _counted(dose: Dose, strengths: Sequence[float]) -> tuple[float, bool]:
    """Give the least that so many tablets hold, and whether it is certain."""
    if dose.amount is None or dose.unit not in {"tablet", "spray"} or not strengths:
        return 0.0, False
    return dose.amount * min(strengths), len(set(strengths)) == 1


def _likeliest(dose: Dose, products: Sequence[Product]) -> Product:
    """Choose among tablet, spray and injection of one substance: by the unit, or by the strength there is."""
    if dose.unit == "spray":
        return next((product for product in products if product.route == "nasal"), products[0])
    milligrams = _in_mg(dose)
    return next((product for product in products if (milligrams,) in product.strengths), products[0])


def _in_mg(dose: Dose) -> float | None:
    return None if dose.amount is None or dose.unit not in _MG else dose.amount * _MG[dose.unit]
