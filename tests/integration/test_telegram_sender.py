"""Sending to Telegram: what arrives, and what delivery is told when something does not."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
import pytest
from aiogram.exceptions import AiogramError
from aiogram.methods import GetMe

from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.messages import (
    Address,
    Button,
    ChatOpened,
    Document,
    Edit,
    Leave,
    Priority,
    Say,
    Toast,
)
from storage.interface import MAX_ATTEMPTS
from storage.records import OutboxRow
from tests.clock import FakeClock
from tests.fakes.telegram import FakeTelegram, Fault
from tests.integration.telegram_rig import Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from migrebot.messages import Body
    from tests.fakes.telegram import Person

ANN = 501
KEYBOARD = ((Button("Yes", "q:y"), Button("No", "q:n")), (Button("✖ Cancel", "q:c"),))


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def rig(fake: FakeTelegram) -> AsyncIterator[Rig]:
    """A channel whose client stands, and which does not poll."""
    rig = Rig(fake, FakeClock(datetime(2026, 6, 15, 12, tzinfo=UTC)))
    await rig.link.open()
    yield rig
    await rig.link.close()


@pytest.fixture
def ann(fake: FakeTelegram) -> Person:
    return fake.user(ANN)


def row(
    body: Body, *, to: object = ANN, callback_id: str = "", attempts: int = 1, user_id: int | None = ANN
) -> OutboxRow:
    return OutboxRow(
        id=1,
        address=Address("telegram", str(to)),
        body=body,
        priority=Priority.REPLY,
        attempts=attempts,
        created_at=datetime(2026, 6, 15, 12, tzinfo=UTC),
        callback_id=callback_id,
        user_id=user_id,
    )


async def press(rig: Rig, fake: FakeTelegram, ann: Person) -> str:
    """Have a button pressed, and give the way to answer."""
    message = await rig.sender.send(row(Say("Sure?", KEYBOARD)))
    await ann.presses_data(int(message), "q:y")
    return next(iter(fake.world.presses))


# --- what arrives ---


async def test_a_message_arrives_with_its_markup_its_buttons_and_no_preview(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    message_id = await rig.sender.send(row(Say("<b>How</b> strong? &lt;1&gt; 😀", KEYBOARD)))
    shown = ann.chat.last
    assert str(shown.message_id) == message_id
    assert shown.text == "How strong? <1> 😀"
    assert [(entity["type"], entity["length"]) for entity in shown.entities] == [("bold", 3)]
    assert [[(button.text, button.data) for button in line] for line in shown.buttons] == [
        [("Yes", "q:y"), ("No", "q:n")],
        [("✖ Cancel", "q:c")],
    ]
    assert fake.calls[0].value("link_preview_options") == {"is_disabled": True}


async def test_an_edit_changes_the_message_and_takes_its_buttons_away(rig: Rig, ann: Person) -> None:
    message_id = await rig.sender.send(row(Say("one", KEYBOARD)))
    assert await rig.sender.send(row(Edit(message_id, "<i>two</i>"))) == message_id
    assert ann.chat.texts == ["two"]
    assert ann.chat.last.labels == []


async def test_an_edit_that_changes_nothing_counts_as_sent(rig: Rig, ann: Person) -> None:
    message_id = await rig.sender.send(row(Say("one", KEYBOARD)))
    assert await rig.sender.send(row(Edit(message_id, "one", KEYBOARD))) == message_id
    assert ann.chat.texts == ["one"]


@pytest.mark.parametrize("gone", ["77", "", "not a number"])
async def test_an_edit_of_a_message_that_is_gone_is_sent_anew(rig: Rig, ann: Person, gone: str) -> None:
    message_id = await rig.sender.send(row(Edit(gone, "two", KEYBOARD)))
    assert ann.chat.texts == ["two"]
    assert str(ann.chat.last.message_id) == message_id


async def test_an_edit_of_what_cannot_be_edited_is_sent_anew(rig: Rig, ann: Person) -> None:
    await ann.says("hers")
    await rig.sender.send(row(Edit(str(ann.chat.last.message_id), "ours")))
    document = await rig.sender.send(row(Document("chart", "chart.png", "")))
    await rig.sender.send(row(Edit(document, "instead of a chart")))
    assert ann.chat.texts == ["hers", "ours", "", "instead of a chart"]


async def test_an_edit_that_became_a_message_is_not_sent_a_third_time(rig: Rig, ann: Person) -> None:
    with pytest.raises(Refused, match="gone"):
        await rig.sender.send(row(Edit("77", "two"), attempts=MAX_ATTEMPTS + 1))
    assert ann.chat.texts == []


async def test_a_press_is_answered_along_with_the_message(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    callback_id = await press(rig, fake, ann)
    await rig.sender.send(row(Say("noted"), callback_id=callback_id))
    assert ann.chat.last.text == "noted"
    assert not fake.world.presses


async def test_the_message_and_the_answer_to_the_press_go_at_the_same_time(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    callback_id = await press(rig, fake, ann)
    fake.goes_wrong(Fault.hang(), "sendMessage")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rig.sender.send, row(Say("noted"), callback_id=callback_id))
        await fake.waits_for("answerCallbackQuery")
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    "fault", [Fault.server_error(), Fault.reset_before(), Fault.too_many_requests(9), Fault.bad_gateway()]
)
async def test_a_press_that_cannot_be_answered_does_not_harm_the_message(
    fake: FakeTelegram, rig: Rig, ann: Person, fault: Fault
) -> None:
    fake.goes_wrong(fault, "answerCallbackQuery")
    assert await rig.sender.send(row(Say("noted"), callback_id="1"))
    assert ann.chat.texts == ["noted"]


async def test_an_answer_to_a_press_that_hangs_holds_the_message_up_for_five_seconds_only(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    fake.goes_wrong(Fault.hang(), "answerCallbackQuery")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rig.sender.send, row(Say("noted"), callback_id="1"))
        await ann.sees("noted")
        await rig.in_time(lambda: rig.clock.monotonic() >= 5)
    assert rig.clock.monotonic() <= 6


async def test_a_toast_is_shown_on_the_press_alone(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    callback_id = await press(rig, fake, ann)
    assert await rig.sender.send(row(Toast("That was an old button."), callback_id=callback_id)) == ""
    assert [toast.text for toast in ann.chat.toasts] == ["That was an old button."]


async def test_a_toast_is_cut_where_telegram_would_refuse_it(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    callback_id = await press(rig, fake, ann)
    await rig.sender.send(row(Toast("x" + "😀" * 200), callback_id=callback_id))
    assert [toast.text for toast in ann.chat.toasts] == ["x" + "😀" * 99]


async def test_a_toast_for_a_press_too_old_is_done_with(rig: Rig, ann: Person) -> None:
    assert await rig.sender.send(row(Toast("late"), callback_id="1")) == ""
    assert await rig.sender.send(row(Toast("to nobody"))) == ""
    assert ann.chat.toasts == []


async def test_a_document_is_rendered_and_uploaded_with_its_name_and_caption(rig: Rig, ann: Person) -> None:
    message_id = await rig.sender.send(row(Document("export", "diary.csv", "<b>Your</b> diary")))
    shown = ann.chat.last
    assert shown.document is not None
    assert (shown.document.name, shown.document.content) == ("diary.csv", b"export of 501")
    assert shown.text == "Your diary"
    assert str(shown.message_id) == message_id


async def test_a_document_that_is_empty_too_large_or_nobodys_is_refused(rig: Rig, ann: Person) -> None:
    rig.files = {"empty": b"", "huge": bytes(50 * 1024 * 1024 + 1)}
    for recipe in rig.files:
        with pytest.raises(Refused, match="empty or too large"):
            await rig.sender.send(row(Document(recipe, "x", "")))
    with pytest.raises(Refused, match="nobody"):
        await rig.sender.send(row(Document("export", "x", ""), user_id=None))
    assert ann.chat.texts == []


async def test_a_group_is_left_and_one_that_is_left_already_too(fake: FakeTelegram, rig: Rig) -> None:
    group = fake.group()
    await rig.sender.send(row(Leave(), to=group.chat.chat_id))
    assert group.chat.refusal is not None
    await rig.sender.send(row(Leave(), to=group.chat.chat_id))
    assert [call.method for call in fake.calls] == ["leaveChat", "leaveChat"]


@pytest.mark.parametrize("text", ["a <b>bold", "a </i>bold", "a <b>bo<ld>", "a <x>bold</x>", "a <b>b</i>old</b>"])
async def test_markup_that_telegram_cannot_read_is_sent_as_plain_words(rig: Rig, ann: Person, text: str) -> None:
    await rig.sender.send(row(Say(text + " &amp; more", KEYBOARD)))
    assert ann.chat.last.text.endswith("& more")
    assert "<" not in ann.chat.last.text
    assert ann.chat.last.labels
    message_id = str(ann.chat.last.message_id)
    await rig.sender.send(row(Edit(message_id, text + " &amp; changed")))
    assert ann.chat.last.text.endswith("& changed")
    await rig.sender.send(row(Edit(message_id, text + " &amp; changed")))
    await rig.sender.send(row(Document("export", "x", text)))
    assert len(ann.chat.messages) == 2


# --- what delivery is told ---


async def test_a_person_who_blocked_the_bot_or_is_gone_is_not_written_to_again(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    await ann.blocks()
    gone = fake.user(502)
    await gone.deactivates()
    for to in (ANN, 502, 999_999, "not an id"):
        with pytest.raises(Refused) as refused:
            await rig.sender.send(row(Say("hello"), to=to, callback_id="1"))
        assert refused.value.recipient_gone, to


async def test_a_message_that_telegram_will_never_take_is_refused_without_muting_the_chat(
    rig: Rig, ann: Person
) -> None:
    for body in (Say(" "), Say("x" * 4_097), Say("ok", ((Button("x", "y" * 65),),)), Say("lone \ud800 half")):
        with pytest.raises(Refused) as refused:
            await rig.sender.send(row(body))
        assert not refused.value.recipient_gone
    assert ann.chat.texts == []


async def test_a_pause_that_telegram_asks_for_is_passed_on(fake: FakeTelegram, rig: Rig, ann: Person) -> None:
    fake.goes_wrong(Fault.too_many_requests(17), "sendMessage")
    with pytest.raises(NotSent) as not_sent:
        await rig.sender.send(row(Say("hello")))
    assert not_sent.value.retry_after == 17
    assert not not_sent.value.whole_channel
    assert ann.chat.texts == []


async def test_without_a_connection_nothing_was_sent_and_the_whole_channel_waits(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    await fake.refuses_connections()
    for body in (Say("hello"), Document("export", "x", "")):
        with pytest.raises(NotSent) as not_sent:
            await rig.sender.send(row(body))
        assert not_sent.value.whole_channel
    assert ann.chat.texts == []


async def test_a_name_that_cannot_be_found_means_that_nothing_was_sent(rig: Rig, ann: Person) -> None:
    elsewhere = Rig(FakeTelegram(port=1), rig.clock, api_base="http://telegram.invalid")
    await elsewhere.link.open()
    with pytest.raises(NotSent) as not_sent:
        await elsewhere.sender.send(row(Say("hello")))
    assert not_sent.value.whole_channel
    await elsewhere.link.close()
    assert ann.chat.texts == []


FAULTS = [
    Fault.server_error(),
    Fault.bad_gateway(),
    Fault.reset_before(),
    Fault.reset_after(),
    Fault.truncated(),
    Fault.refusal(500, "Internal Server Error: restart"),
    Fault.refusal(200, "not ok, but 200"),
    Fault.refusal(418, "I am a teapot"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("body", [Say("my head hurts"), Document("export", "x", "my head hurts")])
async def test_when_the_outcome_is_unknown_it_is_said_so(
    fake: FakeTelegram, rig: Rig, ann: Person, fault: Fault, body: Body
) -> None:
    fake.goes_wrong(fault)
    with pytest.raises(Uncertain) as uncertain:
        await rig.sender.send(row(body))
    assert "hurts" not in uncertain.value.reason
    assert len(ann.chat.texts) <= 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        '{"ok":true}',
        '{"ok":true,"result":null}',
        '{"ok":true,"result":{}}',
        '{"ok":false,"result":{"message_id":7}}',
        '{"result":{"message_id":7}}',
        '{"ok":true,"more":' + "[" * 10_000 + "]" * 10_000 + ',"result":{"message_id":7}}',
    ],
    ids=["empty", "list", "no result", "null", "no id", "not ok", "neither", "deep"],
)
@pytest.mark.parametrize("body", [Say("hello"), Edit("1", "hello"), Document("export", "x", "hello")])
async def test_an_answer_that_is_not_the_bot_apis_leaves_the_outcome_unknown(
    fake: FakeTelegram, rig: Rig, ann: Person, answer: str, body: Body
) -> None:
    assert await rig.sender.send(row(Say("first"))) == "1"
    fake.goes_wrong(Fault.answer(answer))
    with pytest.raises(Uncertain):
        await rig.sender.send(row(body))
    assert ann.chat.last.text == "hello"


async def test_an_answer_that_never_comes_is_not_waited_for_longer_than_fifteen_seconds(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    fake.goes_wrong(Fault.hang(after_effect=True), "sendMessage")
    outcome: list[Exception] = []

    async def send() -> None:
        try:
            await rig.sender.send(row(Say("hello")))
        except Uncertain as error:
            outcome.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await ann.sees("hello")
        await rig.clock.advance(14)
        assert not outcome
        await rig.clock.advance(2)
        await rig.until(lambda: outcome)


async def test_a_refused_token_holds_the_channel_for_ten_minutes_and_tells_the_owner(
    fake: FakeTelegram, rig: Rig, ann: Person
) -> None:
    fake.goes_wrong(Fault.unauthorized())
    with pytest.raises(NotSent) as not_sent:
        await rig.sender.send(row(Say("hello"), callback_id="1"))
    assert not_sent.value.whole_channel
    assert not_sent.value.retry_after == 600
    assert [alert.cause for alert in rig.alerts] == ["telegram-token-refused"]
    assert ann.chat.texts == []


async def test_an_answer_without_a_description_is_an_error_like_any_other(fake: FakeTelegram, rig: Rig) -> None:
    fake.user(ANN)
    for code, kind in ((500, Uncertain), (403, Refused), (400, Refused), (401, NotSent)):
        fake.goes_wrong(Fault.refusal(code, ""), times=1)
        with pytest.raises(kind):
            await rig.sender.send(row(Say("hello")))


async def test_an_outage_without_a_word_is_an_error_of_aiograms_and_no_other(rig: Rig) -> None:
    client = await rig.link.open()
    with pytest.raises(AiogramError):
        client._session.checked(client._bot, GetMe(), 500, b'{"ok":false,"error_code":500}')


async def test_before_the_client_stands_chats_are_held_back_and_opened_then(fake: FakeTelegram) -> None:
    rig = Rig(fake, FakeClock(datetime(2026, 6, 15, 12, tzinfo=UTC)))
    assert not rig.sender.reachable("501")
    assert not rig.sender.reachable("502")
    with pytest.raises(NotSent):
        await rig.sender.send(row(Say("hello")))
    async with rig.runs():
        await fake.waits_for("getUpdates")
        assert rig.sender.reachable("501")
        opened = {envelope.message for envelope in rig.delivered.take(10)}
        assert opened == {ChatOpened(Address("telegram", "501")), ChatOpened(Address("telegram", "502"))}


async def test_a_stop_of_the_actor_does_not_keep_what_waits_from_being_sent(fake: FakeTelegram, ann: Person) -> None:
    rig = Rig(fake, FakeClock(datetime(2026, 6, 15, 12, tzinfo=UTC)))
    async with rig.runs():
        await fake.waits_for("getUpdates")
        await rig.actor.stop()
        await rig.sender.send(row(Say("goodbye")))
    assert ann.chat.texts == ["goodbye"]


# --- the token ---


@pytest.mark.parametrize(
    "fault",
    [
        *FAULTS,
        Fault.unauthorized(),
        Fault.too_many_requests(2),
        Fault.refusal(403, "Forbidden: TOKEN"),
        Fault.refusal(400, "TOKEN"),
        Fault.refusal(400, "Bad Request: something is odd: my head hurts"),
        Fault.refusal(400, "Bad Request: https://api.telegram.org/botTOKEN/sendMessage"),
    ],
)
async def test_no_error_holds_the_token_or_what_was_written(
    fake: FakeTelegram, rig: Rig, ann: Person, fault: Fault
) -> None:
    del ann
    fake.goes_wrong(
        Fault(
            kind=fault.kind,
            code=fault.code,
            description=fault.description.replace("TOKEN", fake.token),
            retry_after=fault.retry_after,
        )
    )
    with pytest.raises((NotSent, Uncertain, Refused)) as raised:
        await rig.sender.send(row(Say("my head hurts")))
    told = "".join(traceback.format_exception(raised.value))
    assert fake.token not in told
    assert "hurts" not in told.replace('Say("my head hurts")', "")
    assert raised.value.__suppress_context__
