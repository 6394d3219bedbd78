"""Giving something to the person who runs the bot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from migrebot.dialogue import donations
from migrebot.dialogue.turn import Setup
from migrebot.flood import FloodGate
from migrebot.i18n import translator
from migrebot.languages import LANGUAGES
from migrebot.messages import Address, Checkout, Paid, Refunded, Text
from storage.facts import AllOf, BillById
from storage.records import Bill, Payment
from tests.storage.samples import NOW
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from migrebot.messages import Invoice
    from storage.facts import Everything
    from storage.interface import Storage
    from storage.sqlite import SqliteStorage
    from tests.clock import FakeClock
    from tests.talk import House, Person

pytestmark = pytest.mark.anyio

PAGE = "https://give.example.org/?to=me&for=coffee"
RICH = Setup(owner=Address("telegram", "1"), donate_url=PAGE, currency="EUR")


@pytest.fixture
async def house(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A bot that somebody runs."""
    async with open_house(storage, clock, Setup(owner=Address("telegram", "1"))) as house:
        yield house


@pytest.fixture
async def olga(house: House) -> Person:
    """The owner."""
    olga = house.person(1, first_name="Olga")
    await olga.says("/start")
    olga.chat.clear()
    return olga


@pytest.fixture
async def bob(house: House) -> Person:
    bob = house.person(8, first_name="Bob", last_name="+49 151 1234567")
    await bob.says("/start")
    bob.chat.clear()
    return bob


def invoice(person: Person) -> Invoice:
    """Give the bill that was sent last."""
    bill = person.last.invoice
    assert bill is not None
    return bill


def payment(bill: Invoice, charge_id: str = "tg-1") -> Paid:
    return Paid(bill.currency, bill.amount, bill.payload, charge_id)


async def payments(house: House, user_id: int = 8) -> tuple[Payment, ...]:
    everything: Everything = (await house.storage.load([AllOf(user_id)]))[AllOf(user_id)]
    return everything.payments


# --- how much ---------------------------------------------------------------------------------------------------


async def test_a_choice_becomes_a_bill_that_is_stored(house: House, bob: Person) -> None:
    question = await bob.says("/donate")
    assert "nothing is sold for it" in question
    assert "from 1 to 10000" in question
    assert "/paysupport" in question
    session = await bob.session()
    assert session is not None
    assert session.state == "Donation:0:amount"
    await bob.presses("⭐ 50")
    bill = invoice(bob)
    assert (bill.currency, bill.amount) == ("XTR", 50)
    assert "Here is the bill for ⭐ 50" in bob.chat[-2].text
    assert bob.chat[-2].keyboard == ()
    bill_id = donations.bill_id(bill.payload)
    assert bill_id is not None
    found = (await house.storage.load([BillById(8, bill_id)]))[BillById(8, bill_id)]
    assert found == Bill(id=bill_id, user_id=8, currency="XTR", amount=50, made_at=house.clock.now())
    assert await bob.session() is None


async def test_long_nonsense_holds_nobody_up(bob: Person) -> None:
    await bob.says("/donate")
    began = time.process_time()
    for text in ("a" + " " * 4_000 + "b", "1" + " " * 4_000 + "x1", "a" + " " * 4_000 + "c", "1" + " " * 4_000 + "y1"):
        assert "Please write a whole number" in await bob.says(text)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("text", ["7", " 7 ", "⭐ 7", "7 stars", "7 звёзд", "7 XTR", "٧", "0007"])
async def test_a_number_can_be_typed(bob: Person, text: str) -> None:
    await bob.says("/donate")
    await bob.says(text)
    assert (invoice(bob).currency, invoice(bob).amount) == ("XTR", 7)


@pytest.mark.parametrize("text", ["0", "10001", "-5", "7.5", "many", "7 EUR", "999999999999999999999", "7 bananas"])
async def test_what_is_no_amount_is_asked_for_again(bob: Person, text: str) -> None:
    await bob.says("/donate")
    await bob.says(text)
    assert "Please write a" in bob.last.text
    assert await bob.session() is not None


async def test_the_limits_are_amounts(bob: Person) -> None:
    for text, amount in (("1", 1), ("10 000", 10_000), ("10,000", 10_000)):
        await bob.says("/donate")
        await bob.says(text)
        assert invoice(bob).amount == amount


async def test_cancel_leaves_no_bill(bob: Person) -> None:
    await bob.says("/donate")
    await bob.presses("Cancel")
    assert bob.last.text == "Cancelled, nothing was paid."


async def test_with_a_payment_provider_money_is_taken_besides(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, RICH) as house:
        bob = house.person(8)
        question = await bob.says("/donate")
        assert "write for example 5 EUR, from 2 to 5000" in question
        assert PAGE in question
        await bob.presses("10 EUR")
        assert (invoice(bob).currency, invoice(bob).amount) == ("EUR", 1_000)
        for text in ("20 EUR", "€20", "20 euR", "20€"):
            await bob.says("/donate")
            await bob.says(text)
            assert (invoice(bob).currency, invoice(bob).amount) == ("EUR", 2_000)
        for text in ("1 EUR", "5001 EUR"):
            await bob.says("/donate")
            assert "from 2 to 5000" in await bob.says(text)
        await bob.says("20 USD")
        assert "Please write a whole number" in bob.last.text


# --- elsewhere --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["whatsapp", "local"])
async def test_elsewhere_there_is_the_page_or_no_need(storage: Storage, clock: FakeClock, channel: str) -> None:
    value = {"whatsapp": "whatsapp:+4917", "local": "browser"}[channel]
    async with open_house(storage, clock, RICH) as house:
        carl = house.person(value=value, channel=channel)
        assert PAGE in await carl.says("/donate")
        assert await carl.session() is None
    async with open_house(storage, clock, Setup()) as house:
        carl = house.person(value=value, channel=channel)
        await carl.sends(Text("/donate"), key="anew")
        assert "there is no need" in carl.last.text


async def test_a_form_that_goes_on_in_another_messenger_makes_no_bill_there(house: House, bob: Person) -> None:
    phone = house.person(0, channel="whatsapp", value="whatsapp:+4917", first_name="Bob")
    code = (await bob.says("/link")).partition("/link ")[2].split()[0]
    await phone.says(f"/link {code}")
    await bob.presses("Yes, join")
    await bob.says("/donate")
    await phone.says("50")
    assert phone.last.invoice is None
    assert "there is no need" in phone.last.text


# --- what was paid ----------------------------------------------------------------------------------------------


async def test_a_payment_is_noted_once_with_thanks_and_a_word_to_the_owner(
    house: House, bob: Person, olga: Person
) -> None:
    await bob.says("/donate")
    await bob.says("70")
    bill = invoice(bob)
    await bob.sends(payment(bill))
    assert bob.last.text.startswith("Thank you! ⭐ 70 arrived.")
    assert "/paysupport" in bob.last.text
    assert olga.last.text == "🎁 Bob (id 8) donated ⭐ 70. The number of the payment, to give it back: tg-1"
    noted = await payments(house)
    assert noted == (
        Payment(
            charge_id="tg-1",
            user_id=8,
            bill_id=donations.bill_id(bill.payload),
            currency="XTR",
            amount=70,
            paid_at=house.clock.now(),
        ),
    )
    seen = len(bob.chat), len(olga.chat)
    await bob.sends(payment(bill), key="told again under another number")
    assert await payments(house) == noted
    assert (len(bob.chat), len(olga.chat)) == seen
    assert house.alerts == []


async def test_a_payment_leaves_an_open_question_as_it_is(bob: Person) -> None:
    await bob.says("/donate")
    await bob.says("70")
    bill = invoice(bob)
    await bob.says("/pain")
    before = await bob.session()
    await bob.sends(payment(bill))
    assert await bob.session() == before


async def test_a_payment_without_a_bill_is_noted_all_the_same(house: House, bob: Person) -> None:
    await bob.sends(Paid("XTR", 5, "?", "tg-9"))
    assert [(paid.bill_id, paid.amount) for paid in await payments(house)] == [(None, 5)]


async def test_whoever_left_meanwhile_is_thanked_and_greeted_anew(house: House, bob: Person) -> None:
    await bob.says("/donate")
    await bob.says("70")
    bill = invoice(bob)
    await bob.says("/forget")
    await bob.presses("Delete everything")
    await bob.presses("Yes, delete")
    await bob.sends(payment(bill))
    assert "Thank you!" in bob.last.text
    assert len(await payments(house)) == 1


async def test_no_flood_drowns_a_payment(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, Setup(), flood=FloodGate(burst=1, per_second=0.001)) as house:
        bob = house.person(8)
        for _ in range(3):
            await bob.says("/help")
        await bob.sends(Paid("XTR", 5, "?", "tg-9"))
        assert "Thank you!" in bob.last.text


async def test_the_owners_own_payment_needs_no_second_word(olga: Person) -> None:
    await olga.says("/donate")
    await olga.says("5")
    await olga.sends(payment(invoice(olga)))
    assert [shown.text for shown in olga.chat if "🎁" in shown.text] == []


async def test_what_was_given_back_is_noted_and_said(house: House, bob: Person) -> None:
    await bob.says("/donate")
    await bob.says("5")
    await bob.sends(payment(invoice(bob)))
    await bob.sends(Refunded("tg-1"))
    assert bob.last.text == "Your donation was given back to you."
    assert (await payments(house))[0].refunded_at == house.clock.now()


# --- whose it is ------------------------------------------------------------------------------------------------


async def test_a_donation_is_shown_and_parted_from_whoever_leaves(house: House, bob: Person) -> None:
    await bob.says("/donate")
    await bob.says("5")
    await bob.sends(payment(invoice(bob)))
    assert "• donations: 1; what they came to stays, without your name" in await bob.says("/forget")
    await bob.presses("Delete everything")
    await bob.presses("Yes, delete")
    assert "amount, day and number of your donations" in bob.last.text
    assert await payments(house) == ()
    assert "/forget takes your name off them" in await bob.says("/privacy")


@pytest.mark.usefixtures("olga")
async def test_paysupport_tells_who_helps(bob: Person, house: House, clock: FakeClock) -> None:
    said = await bob.says("/paysupport")
    assert "it goes to the person who runs this bot" in said
    assert "nothing is sold for it" in said
    async with open_house(house.storage, clock, Setup()) as nobodys:
        carl = nobodys.person(88)
        await carl.sends(Text("/paysupport"), key="anew")
        assert "Nobody reads" in carl.last.text


# --- whether it may be paid -------------------------------------------------------------------------------------

BILL = Bill(id=7, user_id=8, currency="XTR", amount=50, made_at=NOW)


def checkout(currency: str = "XTR", amount: int = 50) -> Checkout:
    return Checkout(
        address=Address("telegram", "8"), key="1", query_id="q", currency=currency, amount=amount, payload="bill:7"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_ones_own_bill_of_that_amount_that_is_not_paid_may_be_paid(language: str) -> None:
    tr = translator(language)
    paid = Bill(id=7, user_id=8, currency="XTR", amount=50, made_at=NOW, is_paid=True)
    assert donations.objection(checkout(), BILL, tr) == ""
    reasons = [
        donations.objection(checkout(), None, tr),
        donations.objection(checkout(amount=49), BILL, tr),
        donations.objection(checkout(currency="EUR"), BILL, tr),
        donations.objection(checkout(), paid, tr),
    ]
    assert all(0 < len(reason) < 200 and "<" not in reason for reason in reasons)


@pytest.mark.parametrize("payload", ["", "bill:", "bill:x", "bill:-1", "7", "bill:7:8", "bill:" + "9" * 40])
def test_what_names_no_bill_names_none(payload: str) -> None:
    assert donations.bill_id(payload) is None


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_bill_keeps_the_limits_of_the_bot_api(sqlite: SqliteStorage, clock: FakeClock, language: str) -> None:
    async with open_house(sqlite, clock, RICH) as house:
        ann = house.person(9, language=language)
        await ann.says("/donate")
        await ann.says("50")
        bill = invoice(ann)
        assert 1 <= len(bill.title) <= 32
        assert 1 <= len(bill.description) <= 255
        assert 1 <= len(bill.payload.encode()) <= 128
        await ann.sends(payment(bill))
        await ann.says("/paysupport")
