"""What is said of medicines: how much was taken on a day against the daily maximum, and what the dictionary knows.

It warns and informs; whatever was taken is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from migrebot.dialogue import words
from migrebot.diary import dictionary
from migrebot.diary.totals import Dose, Total, totals, touched
from migrebot.i18n import N_, Translator
from storage.facts import IntakesBetween, OwnDrugs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from migrebot.dialogue.turn import Turn
    from migrebot.diary.dictionary import Maximum, Product
    from migrebot.diary.entries import Drug
    from storage.facts import Fact

CLASSES: dict[str, str] = {
    "triptan": N_("triptan"),
    "ditan": N_("ditan"),
    "ergot": N_("ergot medicine"),
    "opioid": N_("opioid"),
    "combination": N_("combination painkiller"),
    "nonopioid": N_("non-opioid painkiller"),
    "gepant": N_("gepant"),
    "excl_antiemetic": N_("medicine for nausea"),
    "excl_preventive": N_("preventive medicine"),
}
"""Classes of the dictionary: the code and the English name."""

_ROUTES = {"nasal": N_("nasal spray"), "sc": N_("injection")}
_TERRITORIES = {"UK": "GB"}
_MOST_PRODUCTS = 3


def facts(turn: Turn, day: date) -> tuple[Fact[Any], ...]:
    """List what `so_far` and `warning` have to know."""
    return _intakes(turn, day), OwnDrugs(turn.user.id)


def so_far(turn: Turn, day: date, drug: str, others: Sequence[Dose] = (), *, besides: int = 0) -> Markup:
    """Tell what was taken of a medicine's substances on a day before it, if anything; empty if nothing.

    `others` are doses not stored yet; `besides` is the id of an entry that does not count, or of its attack.
    """
    taken = (*_stored(turn, day, besides), *others)
    found = touched(Dose(drug, None, "mg"), totals(taken, _own(turn)))
    message = N_("Taken that day so far: %(amount)s. Daily maximum: %(maximum)s.")
    return Markup("\n").join(_line(message, total, turn.tr) for total in found if total.amount)


def warning(turn: Turn, day: date, doses: Sequence[Dose], *, besides: int = 0) -> Markup:
    """Warn of the substances of which more than the daily maximum is taken with these doses; empty if of none."""
    turn.facts.expect(*facts(turn, day))
    sums = totals((*_stored(turn, day, besides), *doses), _own(turn))
    over = {total.key: total for dose in doses for total in touched(dose, sums) if total.is_over}
    if not over:
        return Markup("")
    message = N_("⚠️ That makes %(amount)s that day. Daily maximum: %(maximum)s.")
    lines = [_line(message, total, turn.tr) for total in over.values()]
    return Markup("\n").join([*lines, turn.tr("If in doubt, ask a doctor or a pharmacist.")])


def information(turn: Turn, name: str) -> Markup:
    """Tell what the dictionary knows of a medicine, with the source; empty if nothing."""
    products = dictionary.find(name)
    lines = [_product(product, name, turn.tr) for product in products[:_MOST_PRODUCTS]]
    if not lines:
        return Markup("")
    if len(products) > 1:
        lines.insert(0, turn.tr("ℹ️ It may be one of these:"))
    else:
        lines[0] = Markup("ℹ️ ") + lines[0]
    source = turn.tr("<i>Source: product labels; classes of ICHD-3. Your package leaflet counts.</i>")
    return Markup("\n").join([*lines, source])


def label_limit(name: str) -> Maximum | None:
    """Give the label's daily maximum in mg of a medicine with one substance."""
    products = dictionary.find(name)
    keys = {product.key(product.substances[0]) for product in products[:1] if product.is_single}
    return next((dictionary.label_maximum(key) for key in keys), None)


def maximum(own: float | None, label: Maximum | None, tr: Translator) -> str:
    """Write a daily maximum: one's own, and the label's where there is none or the own one is larger."""
    parts = []
    if own is not None:
        parts.append(tr.plain("%(amount)s (your own)", amount=words.amount(own, "mg", tr)))
    if label is not None and (own is None or own > label.amount):
        amount = words.amount(label.amount, label.unit, tr)
        places = ", ".join(_place(place, tr) for place in label.places)
        if places:
            parts.append(tr.plain("%(amount)s (label: %(places)s)", amount=amount, places=places))
        else:
            parts.append(tr.plain("%(amount)s (label)", amount=amount))
    return "; ".join(parts)


def _own(turn: Turn) -> tuple[Drug, ...]:
    return turn.facts(OwnDrugs(turn.user.id))


def _intakes(turn: Turn, day: date) -> IntakesBetween:
    return IntakesBetween(turn.user.id, day, day)


def _stored(turn: Turn, day: date, besides: int) -> list[Dose]:
    intakes = turn.facts(_intakes(turn, day))
    return [
        Dose(intake.drug, intake.amount, intake.unit)
        for intake in intakes
        if not besides or besides not in {intake.id, intake.headache_id}
    ]


def _line(message: str, total: Total, tr: Translator) -> Markup:
    amount = words.amount(total.amount, total.unit, tr)
    name = dictionary.substance_name(total.substance, tr.language) if total.substance else total.name
    known = amount if total.exact else tr.plain("at least %(amount)s", amount=amount)
    return tr(message, amount=f"{name} {known}", maximum=maximum(total.own, total.label, tr))


def _product(product: Product, name: str, tr: Translator) -> Markup:
    substances = " + ".join(dictionary.substance_name(substance, tr.language) for substance in product.substances)
    route = f", {tr.plain(_ROUTES[product.route])}" if product.route in _ROUTES else ""
    parts = [f"{substances}{route} – {tr.plain(CLASSES[dictionary.kind_of([product])])}"]
    if product.strengths:
        strengths = " · ".join("/".join(tr.number(part) for part in strength) for strength in product.strengths)
        parts.append(tr.plain("%(strengths)s mg", strengths=strengths))
    label = dictionary.maximum_of(product, name)
    if label is not None:
        parts.append(tr.plain("daily maximum %(maximum)s", maximum=maximum(None, label, tr)))
    if product.weekly_mg is not None:
        parts.append(tr.plain("weekly maximum %(amount)s", amount=words.amount(product.weekly_mg, "mg", tr)))
    if product.most_days is not None:
        parts.append(str(tr.n("at most %(n)s day running", "at most %(n)s days running", product.most_days)))
    return Markup("%s.") % "; ".join(parts)


def _place(place: str, tr: Translator) -> str:
    if place == "OTC":
        return tr.plain("without prescription")
    if place == "Rx":
        return tr.plain("on prescription")
    code = _TERRITORIES.get(place, place)
    return str(tr.locale.territories.get(code, place))
