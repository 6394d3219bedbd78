"""Bills on Telegram: sent, answered in time whatever else is going on, and paid by whom they are for alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from migrebot.errors import StorageUnavailable
from migrebot.messages import Address, Inbound, Invoice, Paid, Priority, Profile
from storage.changes import SaveBill, SaveIdentity, SavePayment, SaveUser, Unit
from storage.records import Bill, InboxKey, OutboxRow, Payment
from tests.fakes.telegram import FakeTelegram, Fault
from tests.integration.telegram_rig import Rig
from tests.integration.test_telegram import served
from tests.storage.conftest import sqlite, sqlite_backend, sqlite_template

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.sqlite import SqliteStorage
    from tests.clock import FakeClock
    from tests.fakes.telegram import ChatMessage, Person

__all__ = ["sqlite", "sqlite_backend", "sqlite_template"]

TOKEN = "123456:TEST:abc"
INVOICE = Invoice(title="A donation", description="x", payload="bill:7", currency="XTR", amount=50, instead="<b>no</b>")


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(first_update_id=1_000) as fake:
        yield fake


@pytest.fixture
async def rig(fake: FakeTelegram, clock: FakeClock, sqlite: SqliteStorage) -> AsyncIterator[Rig]:
    """A channel that polls, has had its first answer, and whose bills are stored."""
    rig = Rig(fake, clock, storage=sqlite, provider_token=TOKEN)
    async with rig.runs():
        await fake.waits_for("getUpdates", 2)
        yield rig


@pytest.fixture
async def ann(fake: FakeTelegram, sqlite: SqliteStorage, clock: FakeClock) -> Person:
    """Somebody who has a bill."""
    ann = fake.user(501, language_code="fr")
    address = Address("telegram", "501")
    known = (await sqlite.who([(address, Profile(language_code="fr"))], clock.now()))[0]
    bill = Bill(id=7, user_id=501, currency="XTR", amount=50, made_at=clock.now())
    changes = (SaveUser(known.user), SaveIdentity(known.identity), SaveBill(bill))
    await sqlite.commit([Unit(changes=changes)], clock.now())
    return ann


async def billed(rig: Rig, ann: Person, invoice: Invoice = INVOICE) -> ChatMessage:
    """Send a bill, and give it as it is shown."""
    row = OutboxRow(
        id=1,
        address=Address("telegram", str(ann.user_id)),
        body=invoice,
        priority=Priority.REPLY,
        created_at=rig.clock.now(),
        attempts=1,
    )
    await rig.until(lambda: rig.link.client)
    message_id = await rig.sender.send(row)
    shown = ann.chat.message(int(message_id))
    assert shown is not None
    return shown


def changed(**changes: object) -> Invoice:
    return msgspec.structs.replace(INVOICE, **changes)


# --- sending ---


async def test_a_bill_in_stars_goes_without_a_provider(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    shown = await billed(rig, ann)
    assert shown.extra["invoice"]["currency"] == "XTR"
    assert shown.extra["invoice"]["total_amount"] == 50
    [call] = [call for call in fake.calls if call.method == "sendInvoice"]
    assert call.value("provider_token") == ""
    assert call.value("start_parameter") == "donate", "a forwarded copy cannot be paid by others"


async def test_a_bill_in_money_goes_with_the_provider(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    shown = await billed(rig, ann, changed(currency="EUR", amount=1_000))
    assert shown.extra["invoice"]["total_amount"] == 1_000
    [call] = [call for call in fake.calls if call.method == "sendInvoice"]
    assert call.value("provider_token") == TOKEN


async def test_of_a_bill_that_telegram_does_not_take_both_hear_in_words(rig: Rig, ann: Person) -> None:
    shown = await billed(rig, ann, changed(amount=10_001))
    assert shown.text == "no"
    [alert] = rig.alerts
    assert alert.text == "Telegram does not take a bill over ⭐ 10001: Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID"


# --- whoever is about to pay ---


async def test_a_bill_that_is_right_is_paid_and_the_payment_is_handed_on(
    fake: FakeTelegram, rig: Rig, ann: Person, sqlite: SqliteStorage
) -> None:
    update_id = await ann.pays(await billed(rig, ann))
    await rig.hears(1)
    [paid] = [message.content for message in rig.dialogue.heard if isinstance(message, Inbound)]
    assert isinstance(paid, Paid)
    assert (paid.currency, paid.amount, paid.payload) == ("XTR", 50, "bill:7")
    assert paid.charge_id.startswith("tg-")
    key = InboxKey("telegram", str(update_id))
    assert await sqlite.handled([key]) == {key}
    await rig.until(lambda: not len(fake.world.updates))


@pytest.mark.parametrize(
    ("invoice", "reason"),
    [
        (changed(payload="bill:8"), "n’est pas la vôtre"),
        (changed(payload="nonsense"), "n’est pas la vôtre"),
        (changed(amount=49), "n’est pas la vôtre"),
        (changed(currency="EUR"), "n’est pas la vôtre"),
    ],
)
async def test_another_bill_is_stopped_with_a_reason(rig: Rig, ann: Person, invoice: Invoice, reason: str) -> None:
    await ann.pays(await billed(rig, ann, invoice))
    await rig.until(lambda: ann.chat.toasts)
    assert reason in ann.chat.toasts[0].text
    assert rig.dialogue.heard == []


@pytest.mark.usefixtures("ann")
async def test_somebody_elses_bill_cannot_be_paid(fake: FakeTelegram, rig: Rig) -> None:
    eve = fake.user(666, language_code="en")
    await eve.pays(await billed(rig, eve))
    await rig.until(lambda: eve.chat.toasts)
    assert "This bill is not yours" in eve.chat.toasts[0].text


async def test_a_bill_is_paid_once(rig: Rig, ann: Person, sqlite: SqliteStorage) -> None:
    now = rig.clock.now()
    payment = Payment(charge_id="tg-0", user_id=501, bill_id=7, currency="XTR", amount=50, paid_at=now)
    await sqlite.commit([Unit(changes=(SavePayment(payment),))], now)
    await ann.pays(await billed(rig, ann))
    await rig.until(lambda: ann.chat.toasts)
    assert "déjà payée" in ann.chat.toasts[0].text


async def test_who_pays_is_answered_while_the_dialogue_is_busy(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    bill = await billed(rig, ann)
    rig.dialogue.gate = anyio.Event()
    first = await fake.user(502).says("hello")
    await rig.until(lambda: rig.dialogue.heard)
    await ann.pays(bill)
    begun = rig.clock.monotonic()
    await rig.in_time(lambda: "successful_payment" in ann.chat.last.extra, step=0.5)
    assert rig.clock.monotonic() - begun < 8
    assert max(call.value("offset") or 0 for call in fake.calls if call.method == "getUpdates") <= first
    rig.dialogue.gate.set()
    await rig.until(lambda: not len(fake.world.updates))
    assert len([call for call in fake.calls if call.method == "answerPreCheckoutQuery"]) == 1


async def test_who_pays_stands_before_what_came_earlier_in_the_same_batch(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    bill = await billed(rig, ann)
    rig.dialogue.gate = anyio.Event()
    fault = fake.goes_wrong(Fault.bad_gateway(), "getUpdates")
    await fake.user(502).says("hello")
    await ann.pays(bill)
    fake.heals(fault)
    await rig.in_time(lambda: "successful_payment" in ann.chat.last.extra, step=0.5)
    assert rig.dialogue.stored == {}
    rig.dialogue.gate.set()


async def test_without_the_storage_nobody_pays_and_the_update_comes_again(
    fake: FakeTelegram, rig: Rig, ann: Person, sqlite: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise StorageUnavailable("the disk is full")

    bill = await billed(rig, ann)
    with monkeypatch.context() as broken:
        broken.setattr(sqlite, "handled", fails)
        broken.setattr(sqlite, "commit", fails)
        await ann.pays(bill)
        await rig.in_time(lambda: ann.chat.toasts)
        assert "réessayer" in ann.chat.toasts[0].text
        assert len(fake.world.updates) == 1
    await rig.in_time(lambda: not len(fake.world.updates))
    assert len(ann.chat.toasts) == 1


async def test_an_answer_that_did_not_arrive_is_given_again(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    bill = await billed(rig, ann)
    fake.goes_wrong(Fault.reset_before(), "answerPreCheckoutQuery", times=1)
    await ann.pays(bill)
    await rig.in_time(lambda: "successful_payment" in ann.chat.last.extra)


async def test_one_whose_time_is_over_is_let_go(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    bill = await billed(rig, ann)
    fake.goes_wrong(Fault.bad_gateway(), "answerPreCheckoutQuery", times=1)
    await ann.pays(bill)
    fake.advances(11)
    await rig.in_time(lambda: not len(fake.world.updates))
    assert ann.chat.toasts == []


async def test_in_webhook_mode_it_is_the_same(
    fake: FakeTelegram, clock: FakeClock, ann: Person, sqlite: SqliteStorage
) -> None:
    async with served(fake, clock, storage=sqlite) as (rig, _):
        await fake.waits_for("setWebhook")
        await ann.pays(await billed(rig, ann))
        await rig.hears(1)
        assert [type(content) for content in rig.dialogue.contents] == [Paid]
        await ann.pays(await billed(rig, ann, changed(amount=49)))
        await rig.until(lambda: ann.chat.toasts)
        await rig.until(lambda: not len(fake.world.updates))
