"""Donations: what happens with a bill once there is one, and how to reach somebody about a payment.

Telegram asks that a bot which takes payments answers /paysupport and says what the terms are: nobody at Telegram
settles a dispute (core.telegram.org/bots/payments-stars, "live checklist").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from migrebot import money
from migrebot.dialogue import owner
from migrebot.dialogue.letters import called
from migrebot.dialogue.turn import Answer, Turn, say
from migrebot.i18n import translator
from migrebot.messages import Outgoing, Paid, Refunded, Say
from migrebot.typed import parse_id
from storage.changes import Enqueue, NoteRefund, SavePayment
from storage.facts import PaymentById
from storage.records import Payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrebot.i18n import Translator
    from migrebot.messages import Checkout
    from storage.records import Bill

_PAYLOAD = "bill:"


def payload(bill: Bill) -> str:
    """Give the word by which a payment names its bill."""
    return f"{_PAYLOAD}{bill.id}"


def bill_id(given: str) -> int | None:
    """Tell which bill a payment names; None if it names none."""
    return parse_id(given.removeprefix(_PAYLOAD)) if given.startswith(_PAYLOAD) else None


def objection(checkout: Checkout, bill: Bill | None, tr: Translator) -> str:
    """Tell, in plain text, why a bill of the person who wants to pay it shall not be paid; empty if it may be."""
    if bill is None or (bill.currency, bill.amount) != (checkout.currency, checkout.amount):
        return tr.plain("This bill is not yours, or too old. Nothing was paid. For a new one, write /donate.")
    if bill.is_paid:
        return tr.plain("This bill is paid already, thank you! Nothing was paid twice. For another one, write /donate.")
    return ""


def cannot_tell(tr: Translator) -> str:
    """Tell, in plain text, that it cannot be found out at present whether a bill is right."""
    return tr.plain("I cannot take anything just now. Nothing was paid. Please try again in a few minutes.")


def hear(turn: Turn, told: Paid | Refunded) -> Answer:
    """Note a payment, once, say thanks and tell the owner; or note that one was given back."""
    return _paid(turn, told) if isinstance(told, Paid) else _refunded(turn, told)


def _paid(turn: Turn, paid: Paid) -> Answer:
    if turn.facts(PaymentById(turn.user.id, paid.charge_id)) is not None:
        return Answer()
    payment = Payment(
        charge_id=paid.charge_id,
        user_id=turn.user.id,
        bill_id=bill_id(paid.payload),
        currency=paid.currency,
        amount=paid.amount,
        paid_at=turn.now,
    )
    thanks = turn.tr(
        "Thank you! %(amount)s arrived. It helps to keep this bot running. If anything is wrong with it: /paysupport",
        amount=money.written(payment.amount, payment.currency),
    )
    return Answer(changes=(SavePayment(payment), *_told(turn, payment))) + say(thanks)


def _told(turn: Turn, payment: Payment) -> Iterator[Enqueue]:
    """Tell the owner, unless it was the owner who paid."""
    to, reader = owner.address(turn), owner.user(turn)
    if to is None or reader is None or reader.id == turn.user.id:
        return
    tr = translator(reader.language)
    text = tr(
        "🎁 <b>%(name)s</b> (id %(id)s) donated %(amount)s. The number of the payment, to give it back: %(charge)s",
        name=called(turn.conversation.identity.profile),
        id=turn.user.id,
        amount=money.written(payment.amount, payment.currency),
        charge=payment.charge_id,
    )
    message = Outgoing(address=to, body=Say(str(text)), user_id=reader.id, key=f"payment:{payment.charge_id}")
    yield Enqueue(message)


def _refunded(turn: Turn, refunded: Refunded) -> Answer:
    said = turn.tr("Your donation was given back to you.")
    return Answer(changes=(NoteRefund(refunded.charge_id, turn.now),)) + say(said)


def paysupport(turn: Turn) -> Answer:
    """Tell who helps with a payment, and on what terms one gives."""
    tr = turn.tr
    if owner.user(turn) is None:
        help_ = tr("Nobody reads what is written here. About a payment, please ask whoever you know this bot from.")
    else:
        help_ = tr(
            "Is something wrong with a payment, or do you want it back? Write it here as an ordinary message, with the"
            " day and the amount: it goes to the person who runs this bot, who can give it back. Telegram itself does"
            " not help with payments to bots."
        )
    return say(Markup("\n\n").join((help_, terms(tr))))


def terms(tr: Translator) -> Markup:
    """Tell on what terms one gives."""
    return tr("A donation is a gift of your own free will: nothing is sold for it, and everything works without it.")
