"""The fake against the clients that will talk to it, and against the published specification of the Bot API."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import msgspec
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import SendMessage
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LabeledPrice,
)
from aiohttp import web

from tests.fakes.telegram import DEFAULT_TOKEN, FakeTelegram, Fault, FloodControl, RemoteFakeTelegram
from tests.fakes.telegram.entities import format_text
from tests.fakes.telegram.schema import NEEDED_WITHOUT_INLINE_ID, REQUIRED
from tests.fakes.telegram.specification import Specification
from tests.fakes.telegram.updates import CONFLICT_POLLER

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


class RawBot:
    """A bot of nothing but HTTP requests."""

    def __init__(self, session: aiohttp.ClientSession, fake: FakeTelegram) -> None:
        self.session = session
        self.url = f"{fake.base_url}/bot{fake.token}"

    async def call(self, method: str, **params: object) -> Json:
        """Call a method with a JSON body, and give the whole answer with the HTTP status in it."""
        async with self.session.post(f"{self.url}/{method}", json=params) as response:
            return {"status": response.status, **await response.json()}

    async def updates(self, **params: object) -> list[Json]:
        """Fetch updates."""
        result: list[Json] = (await self.call("getUpdates", **params))["result"]
        return result


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(fake.base_url))
    yield Bot(fake.token, session=session)
    await (await session.create_session()).close()  # its own close() sleeps a quarter of a second for TLS


@pytest.fixture
async def raw(fake: FakeTelegram) -> AsyncIterator[RawBot]:
    async with aiohttp.ClientSession() as session:
        yield RawBot(session, fake)


@pytest.fixture
def remote() -> Iterator[RemoteFakeTelegram]:
    with RemoteFakeTelegram.start() as remote:
        yield remote


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    """Make a keyboard of one row whose buttons send their labels in lower case."""
    row = [InlineKeyboardButton(text=label, callback_data=label.lower()) for label in labels]
    return InlineKeyboardMarkup(inline_keyboard=[row])


# A conversation, with aiogram


async def test_words_reach_the_bot_and_the_reply_reaches_the_person(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user(first_name="Анна", username="ann", language_code="ru")
    update_id = await ann.says("/start now")
    (update,) = await bot.get_updates(timeout=5)
    assert update.update_id == update_id
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.entities is not None
    assert (update.message.text, update.message.from_user.language_code) == ("/start now", "ru")
    assert update.message.entities[0].extract_from("/start now") == "/start"
    waiting = asyncio.create_task(ann.sees("Hello"))
    sent = await bot.send_message(ann.user_id, "Hello, <b>Анна</b> 🙂", parse_mode="HTML")
    seen = await waiting
    assert (seen.message_id, seen.text, seen.from_bot) == (sent.message_id, "Hello, Анна 🙂", True)
    assert ann.chat.texts == ["/start now", "Hello, Анна 🙂"]


async def test_a_button_is_pressed_by_its_words_and_its_message_edited_in_place(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    sent = await bot.send_message(ann.user_id, "Aura?", reply_markup=keyboard("✅ Yes", "No"))
    await ann.presses("yes")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert update.callback_query.data == "✅ yes"
    assert await bot.answer_callback_query(update.callback_query.id, text="Noted")
    await bot.edit_message_text("Aura: yes", chat_id=ann.user_id, message_id=sent.message_id)
    seen = await ann.sees("Aura: yes")
    assert (seen.message_id, seen.edited, seen.labels) == (sent.message_id, True, [])
    assert len(ann.chat.messages) == 1
    assert [toast.text for toast in ann.chat.toasts] == ["Noted"]


async def test_a_press_is_answered_once(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    await bot.send_message(ann.user_id, "?", reply_markup=keyboard("Yes"))
    await ann.presses("Yes")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    await bot.answer_callback_query(update.callback_query.id)
    with pytest.raises(TelegramBadRequest, match="query is too old and response timeout expired or query ID"):
        await bot.answer_callback_query(update.callback_query.id)


async def test_a_press_that_is_too_old_cannot_be_answered(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    await bot.send_message(ann.user_id, "?", reply_markup=keyboard("Yes"))
    await ann.presses("Yes")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    fake.advances(100)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(update.callback_query.id)


async def test_an_edit_that_changes_nothing_is_refused(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    sent = await bot.send_message(ann.user_id, "<b>Same</b>", parse_mode="HTML", reply_markup=keyboard("Yes"))
    with pytest.raises(TelegramBadRequest, match="message is not modified: specified new message content and reply"):
        await bot.edit_message_text(
            "<strong>Same</strong> ",
            chat_id=ann.user_id,
            message_id=sent.message_id,
            parse_mode="HTML",
            reply_markup=keyboard("Yes"),
        )
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_reply_markup(
            chat_id=ann.user_id, message_id=sent.message_id, reply_markup=keyboard("Yes")
        )
    assert not ann.chat.last.edited


async def test_only_own_text_messages_that_exist_can_be_edited(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    await ann.says("mine")
    document = await bot.send_document(ann.user_id, BufferedInputFile(b"x", "x.txt"))
    for message_id, words in (
        (1, "message can't be edited"),
        (document.message_id, "there is no text in the message to edit"),
        (99, "message to edit not found"),
    ):
        with pytest.raises(TelegramBadRequest, match=words):
            await bot.edit_message_text("new", chat_id=ann.user_id, message_id=message_id)


async def test_a_deleted_message_is_gone(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    sent = await bot.send_message(ann.user_id, "oops")
    assert await bot.delete_message(ann.user_id, sent.message_id)
    assert ann.chat.messages == []
    assert [message.text for message in ann.chat.deleted] == ["oops"]
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_message(ann.user_id, sent.message_id)


async def test_a_bot_cannot_write_to_strangers_or_to_those_who_do_not_want_it(fake: FakeTelegram, bot: Bot) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(404, "hello?")
    ann, bob = fake.user(), fake.user()
    await ann.blocks()
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(ann.user_id, "hello?")
    await ann.unblocks()
    await bot.send_message(ann.user_id, "hello again")
    await bob.deactivates()
    with pytest.raises(TelegramForbiddenError, match="Forbidden: user is deactivated"):
        await bot.send_message(bob.user_id, "hello?")
    changes = [update.my_chat_member for update in await bot.get_updates()]
    assert [change.new_chat_member.status for change in changes if change] == ["kicked", "member"]


async def test_a_document_arrives_whole_and_can_be_fetched_and_sent_again(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    content = bytes(range(256)) * 400 + b"\r\n--"
    upload = BufferedInputFile(content, 'Ане "отчёт".pdf')
    sent = await bot.send_document(ann.user_id, upload, caption="<i>May</i>", parse_mode="HTML")
    assert sent.document is not None
    document = ann.chat.last.document
    assert document is not None
    assert (document.content, document.name, ann.chat.last.text) == (content, 'Ане "отчёт".pdf', "May")
    file = await bot.get_file(sent.document.file_id)
    assert file.file_path is not None
    fetched = await bot.download_file(file.file_path)
    assert fetched is not None
    assert fetched.read() == content
    again = await bot.send_document(ann.user_id, sent.document.file_id)
    assert again.document is not None
    assert again.document.file_size == len(content)


async def test_people_send_photos_places_and_corrections(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    await ann.sends_photo(b"a picture", caption="my pills")
    await ann.shares_location(50.45, 30.52)
    await ann.says("ibuprofn")
    await ann.edits("ibuprofen")
    photo, place, _, correction = await bot.get_updates()
    assert photo.message is not None
    assert photo.message.photo is not None
    assert photo.message.caption == "my pills"
    file = await bot.get_file(photo.message.photo[-1].file_id)
    assert file.file_path is not None
    picture = await bot.download_file(file.file_path)
    assert picture is not None
    assert picture.read() == b"a picture"
    assert place.message is not None
    assert place.message.location is not None
    assert place.message.location.latitude == 50.45
    assert correction.edited_message is not None
    assert correction.edited_message.text == "ibuprofen"


async def test_the_native_reply_carries_the_message_it_answers(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    await bot.send_message(ann.user_id, "A question from a user")
    await ann.says("The answer", reply_to=ann.chat.last)
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.reply_to_message is not None
    assert update.message.reply_to_message.text == "A question from a user"
    sent = await bot.send_message(ann.user_id, "Thanks", reply_to_message_id=update.message.message_id)
    assert sent.text == "Thanks"


async def test_groups_and_channels_take_the_bot_in_and_the_bot_leaves(fake: FakeTelegram, bot: Bot) -> None:
    ann, group, channel = fake.user(), fake.group("Family"), fake.channel("News")
    await group.adds_bot(ann)
    await ann.says("/start", to=group)
    await channel.posts("Good news")
    added, service, text, post = await bot.get_updates()
    assert added.my_chat_member is not None
    assert added.my_chat_member.new_chat_member.status == "member"
    assert service.message is not None
    assert service.message.new_chat_members is not None
    assert text.message is not None
    assert (text.message.chat.type, text.message.chat.title) == ("supergroup", "Family")
    assert post.channel_post is not None
    assert post.channel_post.text == "Good news"
    await bot.send_message(group.chat.chat_id, "I only talk in private")
    await group.sees("private")
    assert await bot.leave_chat(group.chat.chat_id)
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the supergroup chat"):
        await bot.send_message(group.chat.chat_id, "still here?")


async def test_commands_names_and_descriptions_are_kept_by_language(fake: FakeTelegram, bot: Bot) -> None:
    commands = [BotCommand(command="pain", description="Записать боль")]
    scope = BotCommandScopeAllPrivateChats()
    assert await bot.set_my_commands(commands, scope=scope, language_code="ru")
    kept = await bot.get_my_commands(scope=scope, language_code="ru")
    assert [(command.command, command.description) for command in kept] == [("pain", "Записать боль")]
    assert await bot.get_my_commands(language_code="ru") == []
    assert await bot.delete_my_commands(scope=scope, language_code="ru")
    assert await bot.get_my_commands(scope=scope, language_code="ru") == []
    await bot.set_my_name("Мигребот", language_code="ru")
    await bot.set_my_description("Дневник", language_code="ru")
    await bot.set_my_short_description("Short")
    assert (await bot.get_my_name(language_code="ru")).name == "Мигребот"
    assert (await bot.get_my_name(language_code="fr")).name == "Migrebot"
    assert (await bot.get_my_description(language_code="ru")).description == "Дневник"
    assert (await bot.get_my_description()).description == ""
    assert (await bot.get_my_short_description(language_code="es")).short_description == "Short"
    with pytest.raises(TelegramBadRequest):
        await bot.set_my_commands([BotCommand(command="Bad Name", description="x")])
    assert fake.profile()["names"] == {"": "Migrebot", "ru": "Мигребот"}


async def test_a_bill_is_paid_once_the_bot_agrees(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    prices = [LabeledPrice(label="Coffee", amount=300)]
    await bot.send_invoice(
        ann.user_id,
        title="Thanks",
        description="A coffee",
        payload="p1",
        provider_token="123456:TEST:abc",
        currency="EUR",
        prices=prices,
    )
    await ann.pays(ann.chat.last)
    (update,) = await bot.get_updates()
    assert update.pre_checkout_query is not None
    assert update.pre_checkout_query.invoice_payload == "p1"
    assert await bot.answer_pre_checkout_query(update.pre_checkout_query.id, ok=True)
    (paid,) = await bot.get_updates(offset=update.update_id + 1)
    assert paid.message is not None
    assert paid.message.successful_payment is not None
    assert paid.message.successful_payment.total_amount == 300


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"title": "x" * 33}, "INVOICE_TITLE_INVALID"),
        ({"description": "x" * 256}, "INVOICE_DESCRIPTION_INVALID"),
        ({"payload": "ы" * 65}, "INVOICE_PAYLOAD_INVALID"),
        ({"provider_token": "123456:TEST:abc"}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "l", "amount": 1}] * 2}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "l", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [{"label": "l", "amount": 10_001}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"currency": "EUR"}, "PAYMENT_PROVIDER_INVALID"),
    ],
)
async def test_a_bill_that_telegram_would_not_take_is_refused(
    fake: FakeTelegram, raw: RawBot, wrong: Json, reason: str
) -> None:
    prices = [{"label": "l", "amount": 1}]
    bill = {"title": "t", "description": "d", "payload": "p", "provider_token": "", "currency": "XTR", "prices": prices}
    answer = await raw.call("sendInvoice", chat_id=fake.user().user_id, **(bill | wrong))
    assert answer["description"] == f"Bad Request: {reason}"


async def test_a_payment_is_answered_within_ten_seconds_or_not_at_all(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    prices = [LabeledPrice(label="Coffee", amount=3)]
    await bot.send_invoice(ann.user_id, title="T", description="D", payload="p", currency="XTR", prices=prices)
    await ann.pays(ann.chat.last)
    (update,) = await bot.get_updates()
    assert update.pre_checkout_query is not None
    fake.advances(11)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_pre_checkout_query(update.pre_checkout_query.id, ok=True)


async def test_stars_are_given_back_once(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    prices = [LabeledPrice(label="Coffee", amount=3)]
    await bot.send_invoice(ann.user_id, title="T", description="D", payload="p", currency="XTR", prices=prices)
    await ann.pays(ann.chat.last)
    (update,) = await bot.get_updates()
    assert update.pre_checkout_query is not None
    await bot.answer_pre_checkout_query(update.pre_checkout_query.id, ok=True)
    charge = ann.chat.last.extra["successful_payment"]["telegram_payment_charge_id"]
    assert await bot.refund_star_payment(ann.user_id, charge)
    *_, told = await bot.get_updates()
    assert told.message is not None
    assert told.message.refunded_payment is not None
    assert told.message.refunded_payment.telegram_payment_charge_id == charge
    with pytest.raises(TelegramBadRequest, match="CHARGE_ALREADY_REFUNDED"):
        await bot.refund_star_payment(ann.user_id, charge)


async def test_a_busy_mark_is_shown(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    assert await bot.send_chat_action(ann.user_id, "upload_document")
    assert ann.chat.actions == ["upload_document"]


# What people see and find


async def test_only_what_appeared_since_the_last_act_is_seen(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    old = await bot.send_message(ann.user_id, "Saved")
    assert (await ann.sees("Saved")).message_id == old.message_id
    await ann.says("once more")
    with pytest.raises(AssertionError, match=r"'Saved' did not appear within 0 s:\n.*bot: Saved\n.*person: once more"):
        await ann.sees("Saved", timeout=0)
    assert (await ann.sees("Saved", since=0)).message_id == old.message_id
    new = await bot.send_message(ann.user_id, "Saved")
    assert (await ann.sees(lambda message: message.text == "Saved")).message_id == new.message_id


async def test_a_press_waits_for_its_button_and_takes_the_newest(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    first = await bot.send_message(ann.user_id, "1", reply_markup=keyboard("Skip", "Done"))
    second = await bot.send_message(ann.user_id, "2", reply_markup=keyboard("Skip"))
    pressing = asyncio.create_task(ann.presses("Later"))
    await bot.send_message(ann.user_id, "3", reply_markup=keyboard("⏰ Later"))
    await pressing
    await ann.presses("skip")
    await ann.presses("Done")
    await ann.presses("Skip", on=ann.chat.messages[0])
    pressed = [update.callback_query for update in await bot.get_updates()]
    ids = [query.message.message_id for query in pressed if query and query.message]
    assert ids[1:] == [second.message_id, first.message_id, first.message_id]
    with pytest.raises(AssertionError, match="no button 'Never' in the chat"):
        await ann.presses("Never", timeout=0)


async def test_a_crafted_press_may_name_any_message_and_any_data(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    await ann.presses_data(12345, "user=1\x00" + "x" * 10_000)
    (update,) = await raw.updates()
    assert update["callback_query"]["message"] == {"chat": ann.chat.wire, "message_id": 12345, "date": 0}
    assert len(update["callback_query"]["data"]) == 10_007


# Fetching updates


async def test_an_offset_confirms_what_lies_below_it_and_nothing_else_does(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    ids = [await ann.says(str(number)) for number in range(5)]
    assert ids == list(range(ids[0], ids[0] + 5))
    assert [update["update_id"] for update in await raw.updates(limit=2)] == ids[:2]
    assert [update["update_id"] for update in await raw.updates()] == ids
    assert [update["update_id"] for update in await raw.updates(offset=ids[2])] == ids[2:]
    assert [update["update_id"] for update in await raw.updates(offset=ids[0])] == ids[2:]
    assert [update["update_id"] for update in await raw.updates(offset=-1)] == ids[4:]
    assert [update["update_id"] for update in await raw.updates(offset=ids[4] + 1)] == []
    assert fake.metrics().updates_pending == 0


async def test_an_offset_far_ahead_is_ignored_because_ids_may_start_anew(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    fake.world.updates.restart_ids(1000)
    await ann.says("after a quiet week")
    assert len(await raw.updates(offset=700_000_000)) == 1
    assert await raw.updates(offset=1001) == []


async def test_a_long_poll_ends_with_the_first_update(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    poll = asyncio.create_task(raw.updates(timeout=50))
    await fake.waits_for("getUpdates")
    await ann.says("a")
    await ann.says("b")
    assert [update["message"]["text"] for update in await poll] == ["a", "b"]


async def test_a_second_poller_ends_the_first_with_a_conflict(fake: FakeTelegram, raw: RawBot) -> None:
    first = asyncio.create_task(raw.call("getUpdates", timeout=50))
    await fake.waits_for("getUpdates")
    second = asyncio.create_task(raw.updates(timeout=50))
    assert (await first) == {"status": 409, "ok": False, "error_code": 409, "description": CONFLICT_POLLER}
    await fake.user().says("hello")
    assert len(await second) == 1
    assert fake.metrics().conflicts == 1


async def test_only_wanted_kinds_of_updates_are_kept_from_then_on(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    await ann.says("before")
    await raw.updates(allowed_updates=["message"])
    await ann.blocks()
    await ann.says("after")
    assert [min(update) for update in await raw.updates()] == ["message", "message"]
    await raw.updates(allowed_updates=[])
    await ann.unblocks()
    assert "my_chat_member" in (await raw.updates())[-1]


async def test_presses_leave_the_queue_after_150_seconds_and_messages_after_a_day(
    fake: FakeTelegram, raw: RawBot
) -> None:
    ann = fake.user()
    await ann.says("hello")
    await ann.presses_data(1, "x")
    assert len(await raw.updates()) == 2
    fake.advances(151)
    assert [update["message"]["text"] for update in await raw.updates()] == ["hello"]
    fake.advances(24 * 3600)
    assert await raw.updates() == []


async def test_updates_that_no_client_can_decode_are_passed_on_as_they_are(fake: FakeTelegram, raw: RawBot) -> None:
    first = fake.push_raw({"message": {"text": ["not", "text"]}})
    second = fake.push_raw(b'{"update_id":UPDATE_ID,"message":"\\ud800"}')
    await fake.user().says("lone \ud800 surrogate and \x00")
    fake.push_raw(b"{broken")
    async with raw.session.post(f"{raw.url}/getUpdates") as response:
        body = await response.read()
    assert body.startswith(b'{"ok":true,"result":[{"update_id":%d,"message":{"text":["not","text"]}},' % first)
    assert b'{"update_id":%d,"message":"\\ud800"}' % second in body
    assert b"lone \\ud800 surrogate and \\u0000" in body
    assert body.endswith(b",{broken]}")


async def test_a_webhook_gets_the_updates_in_order_until_it_takes_them(fake: FakeTelegram, raw: RawBot) -> None:
    taken: asyncio.Queue[tuple[str | None, str]] = asyncio.Queue()
    refusals = iter([500])

    async def receive(request: web.BaseRequest) -> web.Response:
        update = await request.read()
        text = msgspec.json.decode(update)["message"]["text"]
        taken.put_nowait((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), text))
        return web.Response(status=next(refusals, 200))

    receiver = web.Server(receive)
    listener = await asyncio.get_running_loop().create_server(receiver, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/hook"
    assert (await raw.call("setWebhook", url=url, secret_token="s3cret"))["result"]
    await fake.user().says("a")
    await fake.user().says("b")
    async with asyncio.timeout(5):
        assert [await taken.get() for _ in range(3)] == [("s3cret", "a"), ("s3cret", "a"), ("s3cret", "b")]
    conflict = await raw.call("getUpdates")
    assert conflict["status"] == 409
    assert "can't use getUpdates method while webhook is active" in conflict["description"]
    info = (await raw.call("getWebhookInfo"))["result"]
    assert (info["url"], info["last_error_message"]) == (url, "Wrong response from the webhook: 500")
    assert (await raw.call("deleteWebhook"))["result"]
    assert (await raw.call("getWebhookInfo"))["result"]["url"] == ""
    listener.close()
    await receiver.shutdown(0)


# Requests of all kinds


async def test_a_wrong_token_an_unknown_method_and_a_foreign_path_are_refused(fake: FakeTelegram, raw: RawBot) -> None:
    async with raw.session.get(f"{fake.base_url}/bot1:wrong/getMe") as response:
        assert response.status == 401
        assert await response.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert (await raw.call("sendTelepathy"))["description"] == "Not Found: method not found"
    for path in ("/", "/control/calls", f"/file/bot{fake.token}/documents/file_9"):
        async with raw.session.get(fake.base_url + path) as response:
            assert response.status == 404


async def test_arguments_come_as_query_form_multipart_or_json_alike(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    text = "100% — a&b=c+d\r\n«é» 🙂"
    fields = {"chat_id": str(ann.user_id), "text": text}
    multipart = aiohttp.FormData(fields, default_to_multipart=True)
    for given in ({"params": fields}, {"data": fields}, {"data": multipart}, {"json": fields}):
        async with raw.session.post(f"{raw.url}/SENDMESSAGE", **given) as response:
            assert response.status == 200
    assert ann.chat.texts == ["100% — a&b=c+d\n«é» 🙂"] * 4
    assert {call.method for call in fake.calls} == {"sendMessage"}


@pytest.mark.parametrize("method", [name for name in REQUIRED if REQUIRED[name] or name in NEEDED_WITHOUT_INLINE_ID])
async def test_a_call_without_what_it_needs_is_refused(fake: FakeTelegram, raw: RawBot, method: str) -> None:
    ann = fake.user()
    needed = REQUIRED[method] + NEEDED_WITHOUT_INLINE_ID.get(method, ())
    given = {"chat_id": ann.user_id, "message_id": 1, "text": "x", "ok": True, "url": "http://127.0.0.1:9"}
    for missing in needed:
        answer = await raw.call(method, **{name: given.get(name, "x") for name in needed if name != missing})
        assert answer["status"] == 400, missing
        assert answer["description"].startswith("Bad Request: ")


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": ""}, "message text is empty"),
        ({"text": " \n\u200b"}, "text must be non-empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, "text must be non-empty"),
        ({"text": "x" * 4097}, "message is too long"),
        ({"text": "🙂" * 2049}, "message is too long"),
        ({"text": "a <3 b", "parse_mode": "HTML"}, 'can\'t parse entities: Unsupported start tag "3" at byte offset 2'),
        ({"text": "é<x>", "parse_mode": "html"}, 'can\'t parse entities: Unsupported start tag "x" at byte offset 2'),
        (
            {"text": "<b>a", "parse_mode": "HTML"},
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        ({"text": "a</b>", "parse_mode": "HTML"}, "can't parse entities: Unexpected end tag at byte offset 1"),
        (
            {"text": "<b><i>a</b>", "parse_mode": "HTML"},
            'can\'t parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        ),
        ({"text": "a <b", "parse_mode": "HTML"}, "can't parse entities: Unclosed start tag at byte offset 2"),
        ({"text": "x", "parse_mode": "Wiki"}, "unsupported parse_mode"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"text": "x", "reply_markup": []}, "object expected as reply markup"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [{}]}},
            'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "y"}]]}},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "y", "callback_data": "é" * 33}]]}},
            "BUTTON_DATA_INVALID",
        ),
        ({"text": "x", "reply_parameters": {"message_id": 9}}, "message to be replied not found"),
    ],
)
async def test_a_message_that_cannot_be_sent_is_refused_in_the_servers_words(
    fake: FakeTelegram, raw: RawBot, params: Json, description: str
) -> None:
    ann = fake.user()
    answer = await raw.call("sendMessage", chat_id=ann.user_id, **params)
    assert (answer["status"], answer["description"]) == (400, f"Bad Request: {description}")
    assert ann.chat.messages == []


async def test_length_is_measured_after_the_markup_is_gone(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    text = "<b>" + "&amp;" * 4096 + "</b>"
    assert (await raw.call("sendMessage", chat_id=ann.user_id, text=text, parse_mode="HTML"))["ok"]
    assert ann.chat.last.text == "&" * 4096
    data = {"text": "y", "callback_data": "é" * 32}
    assert (await raw.call("sendMessage", chat_id=ann.user_id, text="x", reply_markup={"inline_keyboard": [[data]]}))[
        "ok"
    ]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("&lt;&#65;&#x42;&quot;&nbsp;&", '<AB"&nbsp;&', []),
        ("🙂<b>bold</b>", "🙂bold", [("bold", 2, 4)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        (
            "<u>a</u><S>b</S><tg-spoiler>c</tg-spoiler>",
            "abc",
            [("underline", 0, 1), ("strikethrough", 1, 1), ("spoiler", 2, 1)],
        ),
        ("<span class='tg-spoiler'>x</span>", "x", [("spoiler", 0, 1)]),
        ('<a href="https://x.org/?a=1&amp;b=2">x</a>', "x", [("text_link", 0, 1)]),
        ("<a href='javascript:alert(1)'>x</a>", "x", []),
        ('<code>a</code><pre><code class="language-py">b</code></pre>', "ab", [("code", 0, 1), ("pre", 1, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", 0, 1)]),
        ("  <b> x </b>  ", " x", [("bold", 0, 2)]),
        ("\n a\x00b\r\n ", "a b", []),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    formatted = format_text(source, "HTML")
    assert formatted.text == text
    assert [(e["type"], e["offset"], e["length"]) for e in formatted.entities] == entities


# Trouble


async def test_too_many_requests_tells_how_long_to_wait_and_only_where_it_was_set(fake: FakeTelegram, bot: Bot) -> None:
    ann, bob = fake.user(), fake.user()
    fake.goes_wrong(Fault.too_many_requests(7), "sendMessage", chat_id=ann.user_id, times=1)
    await bot.send_message(bob.user_id, "hello")
    with pytest.raises(TelegramRetryAfter) as refusal:
        await bot.send_message(ann.user_id, "hello")
    assert refusal.value.retry_after == 7
    await bot.send_message(ann.user_id, "hello")
    assert [call.status for call in fake.calls] == [200, 429, 200]


@pytest.mark.parametrize(
    ("fault", "error", "arrives"),
    [
        (Fault.unauthorized(), TelegramUnauthorizedError, False),
        (Fault.server_error(), TelegramServerError, False),
        (Fault.bad_gateway(), ClientDecodeError, False),
        (Fault.reset_before(), TelegramNetworkError, False),
        (Fault.reset_after(), TelegramNetworkError, True),
        (Fault.truncated(), ClientDecodeError, True),
        (Fault.refusal(403, "Forbidden: bot was kicked"), TelegramForbiddenError, False),
    ],
    ids=["401", "500", "502", "reset before", "reset after", "truncated", "403"],
)
async def test_a_fault_shows_as_the_right_error_and_has_its_effect_or_not(
    fake: FakeTelegram, bot: Bot, fault: Fault, error: type[Exception], arrives: bool
) -> None:
    ann = fake.user()
    rule = fake.goes_wrong(fault, "sendMessage", times=1)
    with pytest.raises(error):
        await bot.send_message(ann.user_id, "hello")
    assert ann.chat.texts == (["hello"] if arrives else [])
    assert (fake.calls[0].effect, fake.calls[0].fault, rule.hits) == (arrives, fault.kind, 1)
    await bot.send_message(ann.user_id, "well again")


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_call_hangs_until_the_fault_is_healed(fake: FakeTelegram, bot: Bot, after_effect: bool) -> None:
    ann = fake.user()
    fake.goes_wrong(Fault.hang(after_effect=after_effect), "sendMessage")
    call = asyncio.create_task(bot.send_message(ann.user_id, "hello"))
    await fake.waits_for("sendMessage")
    assert ann.chat.texts == (["hello"] if after_effect else [])
    assert fake.calls[-1].done is None
    fake.heals()
    with pytest.raises(TelegramNetworkError):
        await call


async def test_a_slow_answer_comes_after_its_effect_or_before_it_as_wanted(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.user()
    fake.goes_wrong(Fault.slow(30), "sendMessage", times=1)
    fake.goes_wrong(Fault.slow(30, before_effect=True), "sendMessage", times=1)
    for text in ("seen at once", "never seen"):
        with pytest.raises(TelegramNetworkError, match="timeout"):
            await bot(SendMessage(chat_id=ann.user_id, text=text), request_timeout=1)
    assert ann.chat.texts == ["seen at once"]


async def test_a_fault_can_be_healed_alone_and_ends_by_itself(fake: FakeTelegram, raw: RawBot) -> None:
    lasting = fake.goes_wrong(Fault.server_error(), "getMe")
    fake.goes_wrong(Fault.bad_gateway(), "getWebhookInfo", seconds=0)
    assert (await raw.call("getMe"))["status"] == 500
    assert (await raw.call("getWebhookInfo"))["status"] == 200
    fake.heals(lasting)
    assert (await raw.call("getMe"))["status"] == 200


async def test_a_closed_port_refuses_and_an_opened_one_serves_again(fake: FakeTelegram, raw: RawBot) -> None:
    poll = asyncio.create_task(raw.updates(timeout=50))
    await fake.waits_for("getUpdates")
    await fake.refuses_connections()
    with pytest.raises(aiohttp.ClientConnectionError):
        await poll
    with pytest.raises(aiohttp.ClientConnectorError):
        await raw.call("getMe")
    await fake.accepts_connections()
    assert (await raw.call("getMe"))["ok"]


async def test_telegrams_limits_can_be_enforced(fake: FakeTelegram, raw: RawBot) -> None:
    ann, bob, group = fake.user(), fake.user(), fake.group()
    fake.limits_flood(FloodControl(per_second=1000, chat_per_second=0.1, chat_burst=2, group_per_minute=1))
    answers = [await raw.call("sendMessage", chat_id=ann.user_id, text="x") for _ in range(3)]
    assert [answer["status"] for answer in answers] == [200, 200, 429]
    assert 1 <= answers[2]["parameters"]["retry_after"] <= 10
    assert answers[2]["description"] == f"Too Many Requests: retry after {answers[2]['parameters']['retry_after']}"
    assert (await raw.call("sendMessage", chat_id=bob.user_id, text="x"))["ok"]
    in_group = [(await raw.call("sendMessage", chat_id=group.chat.chat_id, text="x"))["status"] for _ in range(2)]
    assert in_group == [200, 429]
    assert fake.metrics().flood_refusals == 2
    fake.limits_flood(FloodControl(per_second=1, chat_burst=9))
    overall = [(await raw.call("sendMessage", chat_id=person.user_id, text="x"))["status"] for person in (ann, bob)]
    assert overall == [200, 429]
    fake.limits_flood(None)
    assert (await raw.call("sendMessage", chat_id=bob.user_id, text="x"))["ok"]


async def test_the_time_from_update_to_reply_is_measured(fake: FakeTelegram, raw: RawBot) -> None:
    ann = fake.user()
    for _ in range(3):
        await ann.presses_data(1, "x")
        (update,) = await raw.updates(offset=fake.world.updates.next_id - 1)
        await raw.call("sendMessage", chat_id=ann.user_id, text="reply")
        await raw.call("answerCallbackQuery", callback_query_id=update["callback_query"]["id"])
    assert len(fake.steps) == 3
    for step in fake.steps:
        assert step.delivered is not None
        assert step.replied is not None
        assert step.answered is not None
        assert step.available <= step.delivered <= step.replied <= step.answered
    metrics = fake.metrics()
    assert (metrics.reply.count, metrics.answer.count, metrics.calls["sendMessage"]) == (3, 3, 3)
    assert 0 < metrics.reply.p50 <= metrics.reply.p99 <= metrics.reply.highest
    assert metrics.steps_per_second > 0
    fake.clear()
    assert fake.metrics().reply.count == 0


async def test_calls_are_waited_for_by_number(fake: FakeTelegram, raw: RawBot) -> None:
    await raw.call("getMe")
    mark = fake.calls_so_far
    waiting = asyncio.create_task(fake.waits_for("getMe", 2, since=mark))
    for _ in range(2):
        await raw.call("getMe")
    assert [call.number for call in await waiting] == [mark, mark + 1]
    with pytest.raises(AssertionError, match="getMe was called 3 times within 0 s, not 4"):
        await fake.waits_for("getMe", 4, timeout=0)


# The specification


@pytest.fixture
def specification() -> Specification:
    tables = Specification.load()
    if tables is None:
        pytest.skip("the published tables are not on this machine")
    return tables


def test_the_methods_and_what_they_need_are_those_of_the_specification(specification: Specification) -> None:
    for method, needed in REQUIRED.items():
        fields = specification.methods[method].get("fields", [])
        assert set(needed) == {field["name"] for field in fields if field["required"]}, method
        assert set(NEEDED_WITHOUT_INLINE_ID.get(method, ())) <= {field["name"] for field in fields}


async def test_every_update_has_the_shape_of_the_specification(
    fake: FakeTelegram, raw: RawBot, specification: Specification
) -> None:
    ann, group, channel = fake.user(last_name="Lee", username="ann"), fake.group(), fake.channel()
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}, {"text": "Web", "url": "https://x.org"}]]}
    await raw.call("sendMessage", chat_id=ann.user_id, text="<b>?</b>", parse_mode="HTML", reply_markup=markup)
    invoice = {
        "title": "t",
        "description": "d",
        "payload": "p",
        "currency": "XTR",
        "prices": [{"label": "l", "amount": 1}],
    }
    await raw.call("sendInvoice", chat_id=ann.user_id, **invoice)
    await ann.says("/start", reply_to=ann.chat.last)
    await ann.edits("/help")
    await ann.presses("Yes")
    await ann.presses_data(999, "old")
    await ann.pays(ann.chat.messages[1])
    await ann.sends_photo()
    await ann.sends_document("a.txt", b"a")
    await ann.shares_location(1, 2)
    await group.adds_bot(ann)
    await group.kicks_bot(ann)
    await ann.says("hi all", to=group)
    await channel.posts("news")
    await ann.blocks()
    await ann.unblocks()
    updates = await raw.updates()
    await raw.call("answerPreCheckoutQuery", ok=True, pre_checkout_query_id=updates[4]["pre_checkout_query"]["id"])
    updates = await raw.updates()
    assert len(updates) == 16
    for update in updates:
        assert specification.complain(update, ["Update"], "update") == []


async def test_every_result_has_the_shape_of_the_specification(
    fake: FakeTelegram, raw: RawBot, specification: Specification
) -> None:
    ann, group = fake.user(), fake.group()
    await ann.sends_document("a.txt", b"a")
    file_id = ann.chat.last.document.file_id if ann.chat.last.document else ""
    here = {"chat_id": ann.user_id}
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    calls: list[tuple[str, Json]] = [
        ("getMe", {}),
        ("sendMessage", here | {"text": "x", "reply_parameters": {"message_id": 1}}),
        ("editMessageText", here | {"message_id": 2, "text": "y", "reply_markup": markup}),
        ("editMessageReplyMarkup", here | {"message_id": 2}),
        ("sendDocument", here | {"document": file_id, "caption": "<i>c</i>", "parse_mode": "HTML"}),
        ("sendPhoto", here | {"photo": file_id}),
        ("sendChatAction", here | {"action": "typing"}),
        ("deleteMessage", here | {"message_id": 2}),
        ("getChat", here),
        ("getFile", {"file_id": file_id}),
        ("getUpdates", {}),
        ("setMyCommands", {"commands": [{"command": "a", "description": "b"}]}),
        ("getMyCommands", {}),
        ("deleteMyCommands", {}),
        ("setMyName", {"name": "n"}),
        ("getMyName", {}),
        ("setMyDescription", {"description": "n"}),
        ("getMyDescription", {}),
        ("setMyShortDescription", {"short_description": "n"}),
        ("getMyShortDescription", {}),
        ("setWebhook", {"url": "http://127.0.0.1:9/", "allowed_updates": ["message"]}),
        ("getWebhookInfo", {}),
        ("deleteWebhook", {}),
        ("leaveChat", {"chat_id": group.chat.chat_id}),
    ]
    for method, params in calls:
        answer = await raw.call(method, **params)
        assert answer["ok"], answer
        assert specification.complain(answer["result"], specification.methods[method]["returns"], method) == []


# The process of its own


def test_a_fake_in_another_process_is_driven_from_outside(remote: RemoteFakeTelegram) -> None:
    ann = remote.user(77, first_name="Zoë")
    ann.says("/start")
    answer = _post(remote, "sendMessage", chat_id=77, text="Aura?", reply_markup=keyboard("✅ Yes").model_dump())
    assert answer["ok"]
    assert ann.sees("Aura").labels == ["✅ Yes"]
    press = ann.presses("Yes")
    (crafted,) = remote.push({"message": {"text": 5}})
    assert crafted == press + 1
    remote.push_raw("{broken UPDATE_ID")
    assert [call.chat_id for call in remote.waits_for("sendMessage")] == [77]
    assert ann.chat.texts == ["/start", "Aura?"]
    with pytest.raises(AssertionError, match="'Never' did not appear"):
        ann.sees("Never", timeout=0)
    with pytest.raises(AssertionError, match="no button 'Never'"):
        ann.presses("Never", timeout=0)
    ann.sends_photo(b"picture")
    ann.blocks()
    assert _post(remote, "sendMessage", chat_id=77, text="x")["error_code"] == 403
    ann.unblocks()
    assert remote.metrics().updates_made == 7
    assert len(remote.steps()) == 5


def test_faults_limits_and_the_port_are_set_from_outside(remote: RemoteFakeTelegram) -> None:
    remote.user(77)
    fault = remote.goes_wrong(Fault.too_many_requests(3), "sendMessage", chat_id=77)
    assert _post(remote, "sendMessage", chat_id=77, text="x")["parameters"] == {"retry_after": 3}
    assert remote.heals(fault) == 1
    remote.limits_flood(per_second=100, chat_burst=1)
    assert [_post(remote, "sendMessage", chat_id=77, text="x")["ok"] for _ in range(2)] == [True, False]
    remote.allows_flood()
    remote.refuses_connections()
    with pytest.raises(OSError, match="refused"):
        _post(remote, "getMe")
    remote.accepts_connections()
    assert _post(remote, "getMe")["result"]["id"] == int(DEFAULT_TOKEN.partition(":")[0])
    assert [call.method for call in remote.calls("getMe")] == ["getMe"]


def test_the_process_ends_when_it_is_told_to(remote: RemoteFakeTelegram) -> None:
    assert remote.process is not None
    assert remote.process.stdin is not None
    remote.process.stdin.close()
    assert remote.process.wait(10) == 0


def _post(remote: RemoteFakeTelegram, method: str, **params: object) -> Json:
    request = urllib.request.Request(
        f"{remote.base_url}/bot{remote.token}/{method}",
        msgspec.json.encode(params),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as response:
            answer: Json = msgspec.json.decode(response.read())
    except urllib.error.HTTPError as error:
        answer = msgspec.json.decode(error.read())
    return answer
