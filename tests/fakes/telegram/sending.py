"""The methods that show something in a chat."""

import re
from typing import Any

from .chats import Chat, ChatMessage, Document, Toast
from .entities import MAX_CAPTION, MAX_TEXT, Formatted, format_text, is_blank, utf16_length
from .errors import bad_request
from .journal import Call
from .keyboards import Keyboard, inline_keyboard
from .wire import Arguments
from .world import World

MOST_STARS = 10_000
"""Telegram publishes no number; it is one that is often named."""

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


def send_message(world: World, arguments: Arguments, call: Call) -> object:
    """Show a text."""
    chat = world.writable(arguments)
    content = _text(arguments)
    return _shown(world, chat, call, text=content.text, entities=content.entities, **_around(arguments, chat))


def send_document(world: World, arguments: Arguments, call: Call) -> object:
    """Show a file with a caption."""
    chat = world.writable(arguments)
    document = _file(world, arguments, "document", "documents")
    content = _caption(arguments)
    around = _around(arguments, chat)
    return _shown(world, chat, call, document=document, text=content.text, entities=content.entities, **around)


def send_photo(world: World, arguments: Arguments, call: Call) -> object:
    """Show a picture with a caption."""
    chat = world.writable(arguments)
    photo = _file(world, arguments, "photo", "photos")
    content = _caption(arguments)
    around = _around(arguments, chat)
    return _shown(world, chat, call, photo=photo, text=content.text, entities=content.entities, **around)


def send_invoice(world: World, arguments: Arguments, call: Call) -> object:
    """Show a bill that a person can pay."""
    chat = world.writable(arguments)
    prices = arguments.structure("prices", "prices")
    if not isinstance(prices, list) or not prices:
        raise bad_request("expected an Array of labeled prices")
    _check_invoice(arguments, prices)
    invoice = {
        "title": arguments.text("title"),
        "description": arguments.text("description"),
        "start_parameter": arguments.text("start_parameter"),
        "currency": arguments.text("currency"),
        "total_amount": sum(int(price["amount"]) for price in prices),
    }
    around = _around(arguments, chat)
    around["extra"] |= {"invoice": invoice}
    shown = _shown(world, chat, call, **around)
    world.payloads[chat.chat_id, shown["message_id"]] = arguments.text("payload")
    return shown


def _check_invoice(arguments: Arguments, prices: list[Any]) -> None:
    """Refuse what the documentation does not allow; of currencies it knows no limits but those of Stars."""
    if not 1 <= len(arguments.text("title")) <= 32:
        raise bad_request("INVOICE_TITLE_INVALID")
    if not 1 <= len(arguments.text("description")) <= 255:
        raise bad_request("INVOICE_DESCRIPTION_INVALID")
    if not 1 <= len(arguments.text("payload").encode()) <= 128:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    total = sum(int(price["amount"]) for price in prices)
    if arguments.text("currency") != "XTR":
        if not re.fullmatch(r"\d+:(TEST|LIVE):\S+", arguments.text("provider_token")):
            raise bad_request("PAYMENT_PROVIDER_INVALID")
        if total <= 0:
            raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
        return
    if arguments.text("provider_token") or len(prices) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    if not 1 <= total <= MOST_STARS:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")


def send_chat_action(world: World, arguments: Arguments, call: Call) -> object:
    """Show that the bot is busy."""
    chat = world.writable(arguments)
    action = arguments.text("action").lower()
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat.actions.append(action)
    return bool(call)


def edit_message_text(world: World, arguments: Arguments, call: Call) -> object:
    """Replace the text and the buttons of a message."""
    chat = world.writable(arguments)
    message = _own(world, chat, arguments)
    if message.document is not None or message.photo is not None or "invoice" in message.extra:
        raise bad_request("there is no text in the message to edit")
    return _told(chat, call, chat.edit(message, int(world.now()), _text(arguments), _keyboard(arguments)))


def edit_message_reply_markup(world: World, arguments: Arguments, call: Call) -> object:
    """Replace the buttons of a message alone."""
    chat = world.writable(arguments)
    message = _own(world, chat, arguments)
    content = Formatted(message.text, message.entities)
    return _told(chat, call, chat.edit(message, int(world.now()), content, _keyboard(arguments)))


def delete_message(world: World, arguments: Arguments, call: Call) -> object:
    """Take a message out of a chat."""
    chat = world.writable(arguments)
    message = world.message(chat, arguments, "message to delete")
    if not message.from_bot and chat.type != "private":
        raise bad_request("message can't be deleted")
    chat.delete(message)
    call.message_id = message.message_id
    return True


def answer_callback_query(world: World, arguments: Arguments, call: Call) -> object:
    """End the waiting mark on a pressed button, perhaps with a few words; once per press."""
    press = world.presses.pop(arguments.text("callback_query_id"), None)
    if press is None or press.expires <= world.now():
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = arguments.text("text")
    if utf16_length(text) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    if text:
        press.chat.toasts.append(Toast(text, arguments.flag("show_alert")))
    call.chat_id = press.chat.chat_id
    world.journal.answered(press.update_id)
    return True


def answer_pre_checkout_query(world: World, arguments: Arguments, call: Call) -> object:
    """Let a payment go through, or stop it with a reason."""
    payment = world.payments.pop(arguments.text("pre_checkout_query_id"), None)
    if payment is None or payment.expires <= world.now():
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if not arguments.flag("ok"):
        if not arguments.has("error_message"):
            raise bad_request('parameter "error_message" is required')
        payment.chat.toasts.append(Toast(arguments.text("error_message"), alert=True))
        return True
    paid = {"successful_payment": payment.receipt}
    world.receipts[payment.receipt["telegram_payment_charge_id"]] = payment
    message = payment.chat.add(payment.payer, int(world.now()), extra=paid)
    world.push(payment.chat, "message", message.wire(payment.chat.wire))
    call.chat_id = payment.chat.chat_id
    return True


def refund_star_payment(world: World, arguments: Arguments, call: Call) -> object:
    """Give Stars back, once; the chat shows it, and an update tells."""
    payment = world.receipts.get(arguments.text("telegram_payment_charge_id"))
    if payment is None or payment.payer["id"] != arguments.integer("user_id") or payment.receipt["currency"] != "XTR":
        raise bad_request("CHARGE_NOT_FOUND")
    if payment.refunded:
        raise bad_request("CHARGE_ALREADY_REFUNDED")
    payment.refunded = True
    message = payment.chat.add(payment.payer, int(world.now()), extra={"refunded_payment": payment.receipt})
    world.push(payment.chat, "message", message.wire(payment.chat.wire))
    call.chat_id = payment.chat.chat_id
    return True


def _text(arguments: Arguments) -> Formatted:
    content = format_text(arguments.text("text"), arguments.text("parse_mode"), _given_entities(arguments, "entities"))
    if is_blank(content.text):
        raise bad_request("text must be non-empty")
    if utf16_length(content.text) > MAX_TEXT:
        raise bad_request("message is too long")
    return content


def _caption(arguments: Arguments) -> Formatted:
    given = _given_entities(arguments, "caption_entities")
    content = format_text(arguments.text("caption"), arguments.text("parse_mode"), given)
    if utf16_length(content.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return content


def _given_entities(arguments: Arguments, name: str) -> list[dict[str, Any]] | None:
    if arguments.has("parse_mode") or not arguments.has(name):
        return None
    entities = arguments.structure(name, "entities")
    if not isinstance(entities, list):
        raise bad_request("expected an Array of message entities")
    return entities


def _keyboard(arguments: Arguments) -> Keyboard | None:
    if not arguments.has("reply_markup"):
        return None
    return inline_keyboard(arguments.structure("reply_markup", "reply keyboard markup"))


def _around(arguments: Arguments, chat: Chat) -> dict[str, Any]:
    """Read what any kind of message can have: buttons, and the message it replies to."""
    extra: dict[str, Any] = {}
    reply = arguments.structure("reply_parameters", "reply parameters") if arguments.has("reply_parameters") else None
    if isinstance(reply, dict):
        replied = chat.message(int(reply.get("message_id", 0)))
        if replied is not None:
            extra["reply_to_message"] = replied.quoted(chat.wire)
        elif not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
    return {"keyboard": _keyboard(arguments), "extra": extra}


def _file(world: World, arguments: Arguments, name: str, folder: str) -> Document:
    upload = arguments.upload(name)
    if upload is not None:
        if not upload.content:
            raise bad_request("file must be non-empty")
        return world.store(upload.name, upload.mime, upload.content, folder)
    known = world.files.get(arguments.text(name))
    if known is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return known[1]


def _own(world: World, chat: Chat, arguments: Arguments) -> ChatMessage:
    message = world.message(chat, arguments, "message to edit")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    return message


def _shown(world: World, chat: Chat, call: Call, **content: Any) -> dict[str, Any]:
    return _told(chat, call, chat.add(world.bot, int(world.now()), **content))


def _told(chat: Chat, call: Call, message: ChatMessage) -> dict[str, Any]:
    call.message_id = message.message_id
    return message.wire(chat.wire)
