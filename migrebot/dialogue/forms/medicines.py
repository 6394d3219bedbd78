"""The steps that ask which medicines were taken and how much, as often as there were medicines."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from migrebot.dialogue import doses, words
from migrebot.dialogue.form import ENTRY, Choice, Complaint, Rows, Step, View
from migrebot.diary import dictionary
from migrebot.diary.parsing import parse_amount, parse_yes_no
from migrebot.diary.totals import Dose
from migrebot.typed import folded
from storage.facts import DrugNames, HeadacheById, UsualAmounts

if TYPE_CHECKING:
    from collections.abc import Sequence

SIMILAR = "similar"
"""Under this a medicine that seems mistyped has the name that may be meant, until that is answered."""

IN_ONE_LINE = "line"
"""The answer that a form has while it only asks about what was told in one line."""

MAX_MEDICINES = 10
"""How many medicines one form takes."""

MAX_NAME = 100
"""How long, in characters, the name of a medicine may be."""

PAGE = 8
"""How many names are on offer at once."""

COMMON_AMOUNTS = (25, 50, 100, 200, 250, 400, 500, 600, 1000)
"""Amounts in mg on offer where nothing better is known."""

COMMON_TABLETS = (1, 2, 0.5)
"""Tablets on offer of a medicine with several substances, which no number of mg describes."""

MOST_STRENGTHS = 6

Medicine = dict[str, Any]


def medicines_of(answers: dict[str, Any]) -> list[Medicine]:
    """List the medicines answered so far: `{"drug": …, "amount": [number, unit] | None}`, and see `SIMILAR`."""
    return list(answers.get("medicines") or [])


def _store_drug(view: View, value: Any) -> dict[str, Any]:
    loop, told = view.session.loop, medicines_of(view.answers)
    if unclear := _unclear(view):
        # What else was told in the same line stays.
        named = {"drug": value or unclear["drug"], "amount": unclear["amount"]}
        return {**view.answers, "medicines": [*told[:loop], named, *told[loop + 1 :]]}
    if value is None:
        return {**view.answers, "medicines": told[:loop]}
    return {**view.answers, "medicines": [*told[:loop], *doubted(view, [{"drug": value, "amount": None}])]}


def doubted(view: View, told: Sequence[Medicine]) -> list[Medicine]:
    """Add to each medicine that seems mistyped the name that may be meant, as `similar`."""
    return [{**item, SIMILAR: similar} if (similar := _similar(view, item["drug"])) else item for item in told]


def first_doubted(answers: dict[str, Any]) -> int | None:
    """Tell in which round the first medicine is that seems mistyped."""
    return next((number for number, item in enumerate(medicines_of(answers)) if SIMILAR in item), None)


def _similar(view: View, name: str) -> str:
    """Give what may be meant by a name; empty if it is known, to the dictionary or as one's own, or like no other."""
    similar = dictionary.nearest(name, view.tr.language)
    if not similar:
        return ""
    names = view.facts(DrugNames(view.user_id))
    return "" if folded(name) in map(folded, names) else similar


def _unclear(view: View) -> Medicine | None:
    """Give the medicine of this round if it waits for the answer whether it was mistyped."""
    told = medicines_of(view.answers)[view.session.loop :]
    return told[0] if told and SIMILAR in told[0] else None


def _store_amount(view: View, value: Any) -> dict[str, Any]:
    *before, last = medicines_of(view.answers)[: view.session.loop + 1]
    return {**view.answers, "medicines": [*before, {**last, "amount": value}]}


def _store_another(view: View, value: Any) -> dict[str, Any]:
    # Whoever came back here and wants no other one takes back those that followed.
    told = medicines_of(view.answers)[: view.session.loop + 1]
    answers = {name: answer for name, answer in view.answers.items() if name != IN_ONE_LINE}
    return {**answers, "another": value, "medicines": told}


def _drug_choices(view: View) -> Rows:
    if unclear := _unclear(view):
        typed, similar = unclear["drug"], unclear[SIMILAR]
        return [[Choice(similar, similar)], [Choice(view.tr.plain("Keep “%(name)s”", name=typed), typed)]]
    names = view.facts(DrugNames(view.user_id))
    start = int(view.session.page or 0)
    shown = [Choice(name, name) for name in names[start : start + PAGE]]
    rows = [shown[i : i + 2] for i in range(0, len(shown), 2)]
    turning = []
    if start:
        turning.append(Choice("‹", str(max(0, start - PAGE)), turns_page=True))
    if len(names) > start + PAGE:
        turning.append(Choice(view.tr.plain("More…"), str(start + PAGE), turns_page=True))
    return [*rows, turning]


def _drug_question(view: View) -> str:
    if unclear := _unclear(view):
        typed, similar = unclear["drug"], unclear[SIMILAR]
        return view.tr("I do not know “%(typed)s”. Did you mean <b>%(similar)s</b>?", typed=typed, similar=similar)
    if view.facts(DrugNames(view.user_id)):
        return view.tr("Which medicine? Choose it or write its name.")
    return view.tr("Which medicine? Write its name.")


def _parse_drug(view: View, text: str) -> str | Complaint:
    """Take a name, or a yes or no where one is suggested."""
    if unclear := _unclear(view):
        answer = parse_yes_no(text)
        if answer is not None:
            return str(unclear[SIMILAR] if answer else unclear["drug"])
    return parse_name(view, text)


def parse_name(view: View, text: str) -> str | Complaint:
    """Take the name of a medicine as it is, on one line."""
    name = " ".join(text.split())
    if len(name) > MAX_NAME:
        return Complaint(view.tr("Please keep the name within %(limit)s characters.", limit=MAX_NAME))
    return name or Complaint(view.tr("Please write the name of the medicine."))


def _current(view: View) -> str:
    medicines = medicines_of(view.answers)
    return str(medicines[view.session.loop]["drug"]) if len(medicines) > view.session.loop else ""


def _amount_choices(view: View) -> Rows:
    usual_amounts = UsualAmounts(view.user_id, _current(view))
    view.facts.expect(usual_amounts, *doses.facts(view.turn, taken_on(view)))  # the question needs the others
    usual = view.facts(usual_amounts)[:3]
    known = {_in_mg(amount) for amount in usual}
    more = [amount for amount in _common_amounts(_current(view)) if _in_mg(amount) not in known]
    mine, common = (
        [Choice(words.amount(number, unit, view.tr), [number, unit]) for number, unit in amounts]
        for amounts in (usual, more)
    )
    return [mine, *(common[i : i + 3] for i in range(0, len(common), 3))]


def _in_mg(amount: tuple[float, str]) -> tuple[float, str]:
    number, unit = amount
    return (number * 1000, "mg") if unit == "g" else amount


def _common_amounts(drug: str) -> list[tuple[float, str]]:
    """List the strengths the dictionary knows of a medicine, tablets of one with several substances, or usual ones."""
    products = dictionary.find(drug)
    if any(not product.is_single for product in products):
        return [(float(number), "tablet") for number in COMMON_TABLETS]
    strengths = dict.fromkeys(strength[0] for product in products for strength in product.strengths)
    return [(float(number), "mg") for number in (list(strengths)[:MOST_STRENGTHS] or COMMON_AMOUNTS)]


def _amount_question(view: View) -> Markup:
    question = view.tr("How much <b>%(drug)s</b>?", drug=_current(view))
    before = doses_of(view.answers, taken_on(view))[: view.session.loop]
    so_far = doses.so_far(view.turn, taken_on(view), _current(view), before, besides=view.answers.get(ENTRY, 0))
    return Markup("\n").join(part for part in (question, so_far) if part)


# --- how much that makes in a day --------------------------------------------------------------------------------


def taken_on(view: View) -> date:
    """Tell on which day a medicine named now is noted: that of the entry, or today while an attack still hurts."""
    if "date" in view.answers:
        return date.fromisoformat(view.answers["date"])
    attack = view.facts(HeadacheById(view.user_id, view.answers[ENTRY]))
    return view.today if attack is None or attack.is_open else attack.day


def doses_of(answers: dict[str, Any], day: date) -> list[Dose]:
    """List the medicines answered so far that were taken on that day."""
    known = [(item, item["amount"] or (None, "mg")) for item in medicines_of(answers)]
    return [Dose(item["drug"], *amount) for item, amount in known if item.get("day") in {None, str(day)}]


def warning(view: View) -> Markup:
    """Warn if the medicines answered so far bring a day's total above its maximum; empty if not."""
    day = taken_on(view)
    return doses.warning(view.turn, day, doses_of(view.answers, day), besides=view.answers.get(ENTRY, 0))


def _another_question(view: View) -> Markup:
    question = view.tr("Another medicine?")
    return Markup("\n\n").join(part for part in (warning(view), question) if part)


def _parse_amount(view: View, text: str) -> list[Any] | Complaint:
    amount = parse_amount(text)
    if amount is None:
        return Complaint(
            view.tr("I did not understand that amount. Please write a number and a unit, for example “400 mg”.")
        )
    return list(amount)


def parse_yes_or_no(view: View, text: str) -> bool | Complaint:
    """Understand yes or no in any of the languages."""
    answer = parse_yes_no(text)
    return Complaint(view.tr("Please answer yes or no.")) if answer is None else answer


def yes_no_choices(view: View) -> Rows:
    """Offer yes and no."""
    return [[Choice(view.tr.plain("Yes"), value=True), Choice(view.tr.plain("No"), value=False)]]


# --- whether there were any --------------------------------------------------------------------------------------

ADD = "add"
"""The answer to "did you take any medicine" of a stored attack that means: one more."""


def _taken_question(view: View) -> str:
    known = medicines_of(view.answers)
    if not view.changes_record or not known:
        return view.tr("Did you take any medicine?")
    named = []
    for item in known:
        number, unit = item["amount"] or (None, "")
        named.append(words.medicine(item["drug"], number, unit, view.tr))
    return view.tr("Noted so far: %(list)s. What shall be changed?", list=view.tr.list(named))


def _taken_choices(view: View) -> Rows:
    if not view.changes_record or not medicines_of(view.answers):
        return yes_no_choices(view)
    tr = view.tr
    return [
        [Choice(tr.plain("Add one"), ADD), Choice(tr.plain("Begin anew"), value=True)],
        [Choice(tr.plain("No medicine"), value=False)],
    ]


def _parse_taken(view: View, text: str) -> bool | str | Complaint:
    answer = parse_yes_or_no(view, text)
    return ADD if answer is True and view.changes_record else answer


def _store_taken(view: View, value: Any) -> dict[str, Any]:
    if value == ADD:
        return {**view.answers, "medicine": True}
    if value is None:
        return {**view.answers, "medicine": None}
    return {**view.answers, "medicine": value, "medicines": []}


TAKEN = Step(
    name="medicine",
    wire_name="was_medecine_taken",
    question=_taken_question,
    choices=_taken_choices,
    parse=_parse_taken,
    optional=True,
    saveable=True,
    store=_store_taken,
)
DRUG = Step(
    name="drug",
    wire_name="drugname",
    question=_drug_question,
    choices=_drug_choices,
    parse=_parse_drug,
    optional=True,
    saveable=True,
    store=_store_drug,
)
AMOUNT = Step(
    name="amount",
    wire_name="amount",
    question=_amount_question,
    choices=_amount_choices,
    parse=_parse_amount,
    optional=True,
    saveable=True,
    store=_store_amount,
)
ANOTHER = Step(
    name="another",
    wire_name="amount",
    question=_another_question,
    choices=yes_no_choices,
    parse=parse_yes_or_no,
    optional=True,
    saveable=True,
    store=_store_another,
)


def following(view: View, step: str) -> tuple[str, int] | None:
    """Name the next step and round after one of these; None when the medicines are complete."""
    loop = view.session.loop
    if step == "medicine":
        return ("drug", len(medicines_of(view.answers))) if view.answers["medicine"] else None
    if step == "drug":
        if _unclear(view):
            return ("drug", loop)
        return ("amount", loop) if len(medicines_of(view.answers)) > loop else None
    if step == "amount":
        return ("another", loop)
    again = view.answers.get("another") and loop + 1 < MAX_MEDICINES
    return ("drug", loop + 1) if again else None
