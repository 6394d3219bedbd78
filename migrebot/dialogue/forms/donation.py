"""The form that asks how much somebody wants to give, and makes the bill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot import money
from migrebot.dialogue import donations, engine
from migrebot.dialogue.form import Choice, Complaint, Form, Rows, Step, View
from migrebot.dialogue.turn import Answer, say
from migrebot.messages import Invoice
from migrebot.money import STARS
from storage.changes import SaveBill
from storage.records import Bill

if TYPE_CHECKING:
    from migrebot.dialogue.turn import Turn
    from migrebot.i18n import Translator

_GROUPED = re.compile(r"(?<=\d)[\s.,'\u2019](?=\d{3}(?!\d))")
"""What stands between the thousands of a number."""

_AMOUNT = re.compile(r"(\d{1,9})\s*(\D*)")
_STARS = re.compile(r"⭐\ufe0f?|xtr|stars?|зв[её]зд\w*|зір\w*|étoiles?|etoiles?|estrellas?", re.IGNORECASE)
_SIGNS = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "₴": "UAH",
    "₽": "RUB",
    "zł": "PLN",
    "¥": "JPY",
    "₸": "KZT",
    "₪": "ILS",
    "грн": "UAH",
}


def donate(turn: Turn) -> Answer:
    """Ask how much where a bill can be paid; elsewhere show the page for donations, if there is one."""
    return engine.begin(FORM, turn) if _takes_bills(turn) else _elsewhere(turn)


def _takes_bills(turn: Turn) -> bool:
    return turn.conversation.identity.address.channel == "telegram"


def _elsewhere(turn: Turn) -> Answer:
    tr = turn.tr
    if not turn.setup.donate_url:
        return say(
            tr("That is kind of you, but there is no need: I am free, and nothing is collected here."), in_place=True
        )
    return say(Markup("{}\n\n{}").format(_free(tr), _page(turn)), in_place=True)


def _free(tr: Translator) -> Markup:
    return tr("I am free and stay free. If you like, you can give something to the person who runs this bot.")


def _page(turn: Turn) -> Markup:
    url = turn.setup.donate_url
    return turn.tr("The page for it: %(page)s", page=Markup('<a href="{}">{}</a>').format(url, url))


def _currencies(turn: Turn) -> tuple[str, ...]:
    return (STARS, turn.setup.currency) if turn.setup.currency else (STARS,)


def _question(view: View) -> Markup:
    tr, setup = view.tr, view.turn.setup
    low, high = money.limits(STARS)
    asked = [
        tr(
            "How many Telegram Stars shall it be? Choose, or write a number from %(low)s to %(high)s.",
            low=tr.number(low),
            high=tr.number(high),
        )
    ]
    if setup.currency:
        low, high = money.limits(setup.currency)
        asked.append(
            tr(
                "Money works, too: write for example %(example)s, from %(low)s to %(high)s.",
                example=_label(setup.currency, money.offers(setup.currency)[0]),
                low=tr.number(low),
                high=tr.number(high),
            )
        )
    paragraphs = [_free(tr), donations.terms(tr), Markup(" ").join(asked)]
    if setup.donate_url:
        paragraphs.append(_page(view.turn))
    paragraphs.append(tr("Questions about a payment: /paysupport"))
    return Markup("\n\n").join(paragraphs)


def _choices(view: View) -> Rows:
    stars = money.offers(STARS)
    rows = [(STARS, stars[:2]), (STARS, stars[2:])]
    if currency := view.turn.setup.currency:
        rows.append((currency, money.offers(currency)))
    return [[Choice(_label(kind, units), [kind, units]) for units in amounts] for kind, amounts in rows]


def _label(currency: str, units: int) -> str:
    return money.written(money.smallest_units(units, currency), currency)


def _parse(view: View, text: str) -> list[str | int] | Complaint:
    """Read "50", "50 Stars", "10 EUR", "€10"; a number alone means Stars."""
    tr = view.tr
    # One space at most: many of them would take the patterns quadratic time.
    words = re.sub(r"^(\D+?)\s*(\d.*)$", r"\2 \1", " ".join(_GROUPED.sub("", text).split()))
    found = _AMOUNT.fullmatch(words)
    currency = _currency(found[2].strip()) if found else None
    if found is None or currency not in _currencies(view.turn):
        return Complaint(tr("Please write a whole number, for example 50; it stands for Telegram Stars."))
    units, (low, high) = int(found[1]), money.limits(currency)
    if not low <= units <= high:
        return Complaint(
            tr("Please write a number from %(low)s to %(high)s.", low=tr.number(low), high=tr.number(high))
        )
    return [currency, units]


def _currency(word: str) -> str | None:
    if not word or _STARS.fullmatch(word):
        return STARS
    return _SIGNS.get(word.lower()) or (word.upper() if word.upper() in money.CURRENCIES else None)


def _finish(view: View) -> Answer:
    turn, tr = view.turn, view.tr
    if not _takes_bills(turn):
        return _elsewhere(turn)
    currency, units = view.answers["amount"]
    bill = Bill(
        id=turn.new_id(),
        user_id=turn.user.id,
        currency=currency,
        amount=money.smallest_units(units, currency),
        made_at=turn.now,
    )
    invoice = Invoice(
        title=tr.plain("A donation"),
        description=tr.plain("A gift that helps to keep this bot running. Nothing is sold for it."),
        payload=donations.payload(bill),
        currency=currency,
        amount=bill.amount,
        instead=str(
            tr("Telegram does not take that amount just now. Nothing was paid; please try another one: /donate")
        ),
    )
    said = tr(
        "Here is the bill for %(amount)s. Nothing is paid before you press its button and agree; if you change your"
        " mind, just leave it.",
        amount=_label(currency, units),
    )
    return Answer(changes=(SaveBill(bill),)) + say(said, in_place=True) + Answer(replies=(invoice,))


FORM = Form(
    name="donation",
    wire_name="Donation",
    wire_steps=("amount",),
    steps=(
        Step(
            name="amount",
            wire_name="amount",
            question=_question,
            choices=_choices,
            parse=_parse,
            by_value=True,
        ),
    ),
    following=lambda view, step: None,  # noqa: ARG005 - there is one step
    finish=_finish,
    abandon=lambda view: Answer(),  # noqa: ARG005 - nothing is known before the end
    cancel=lambda view: say(view.tr("Cancelled, nothing was paid."), in_place=True),
)
"""The form as the engine conducts it."""
