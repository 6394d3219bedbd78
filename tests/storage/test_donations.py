"""Bills, and what was paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from storage.changes import EraseUser, MergeUsers, NoteRefund, SaveBill, SavePayment
from storage.facts import AllOf, BillById, PaymentById
from storage.interface import Retention
from storage.records import Bill, Payment
from tests.storage.samples import BORIS, HOUR, NOW, ask, commit, person, stored

if TYPE_CHECKING:
    from storage.interface import Storage

pytestmark = pytest.mark.anyio

BILL = Bill(id=7, user_id=1001, currency="XTR", amount=50, made_at=NOW)
PAYMENT = Payment(charge_id="charge", user_id=1001, bill_id=7, currency="XTR", amount=50, paid_at=NOW + HOUR)


async def test_a_bill_is_its_owners_and_is_paid_once_there_is_a_payment(storage: Storage) -> None:
    await person(storage)
    boris = await person(storage, BORIS)
    await stored(storage, SaveBill(BILL))
    assert await ask(storage, BillById(1001, 7)) == BILL
    assert await ask(storage, BillById(boris.user.id, 7)) is None
    assert await ask(storage, PaymentById(1001, "charge")) is None
    await stored(storage, SavePayment(PAYMENT))
    assert await ask(storage, BillById(1001, 7)) == msgspec.structs.replace(BILL, is_paid=True)
    assert await ask(storage, PaymentById(boris.user.id, "charge")) == PAYMENT
    assert (await ask(storage, AllOf(1001))).payments == (PAYMENT,)


async def test_a_payment_is_noted_once_whatever_comes_again(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SavePayment(PAYMENT))
    again = msgspec.structs.replace(PAYMENT, amount=1, paid_at=NOW)
    assert (await commit(storage, SavePayment(again))).outcome == "failed"
    assert (await ask(storage, AllOf(1001))).payments == (PAYMENT,)
    await stored(storage, SavePayment(msgspec.structs.replace(PAYMENT, charge_id="another", bill_id=None)))
    assert len((await ask(storage, AllOf(1001))).payments) == 2


async def test_a_refund_is_noted_once(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SavePayment(PAYMENT))
    await stored(storage, NoteRefund("charge", NOW + 2 * HOUR), NoteRefund("another", NOW))
    await stored(storage, NoteRefund("charge", NOW + 3 * HOUR))
    refunded = msgspec.structs.replace(PAYMENT, refunded_at=NOW + 2 * HOUR)
    assert (await ask(storage, AllOf(1001))).payments == (refunded,)


async def test_of_a_payment_all_stays_but_who_paid_and_bills_go(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveBill(BILL), SavePayment(PAYMENT))
    await stored(storage, EraseUser(1001))
    assert await ask(storage, PaymentById(1001, "charge")) == msgspec.structs.replace(PAYMENT, user_id=None)
    assert await ask(storage, BillById(1001, 7)) is None
    assert (await ask(storage, AllOf(1001))).payments == ()


async def test_who_is_joined_to_another_one_brings_bills_and_payments(storage: Storage) -> None:
    await person(storage)
    boris = (await person(storage, BORIS)).user.id
    await stored(storage, SaveBill(BILL), SavePayment(PAYMENT))
    await stored(storage, MergeUsers(boris, 1001))
    assert await ask(storage, BillById(boris, 7)) is not None
    assert (await ask(storage, AllOf(boris))).payments == (msgspec.structs.replace(PAYMENT, user_id=boris),)


async def test_bills_go_after_a_while_and_payments_stay(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveBill(BILL), SavePayment(PAYMENT))
    later = NOW + 2 * HOUR
    await storage.purge(Retention(forms=NOW, quarantine=NOW, settled=later, inbox=NOW, deleted=NOW))
    assert await ask(storage, BillById(1001, 7)) is None
    assert (await ask(storage, AllOf(1001))).payments == (PAYMENT,)
