"""How Telegram's updates become messages: pure functions from bytes to `Inbound`, `Checkout` or `Undecodable`.

Only the few fields that are needed are decoded, and of those only the ids of chat and sender are trusted. Whatever
an update holds, decoding it gives one of the three and raises nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from migrebot.messages import (
    Address,
    Checkout,
    Content,
    Inbound,
    InGroup,
    Left,
    Location,
    Paid,
    Press,
    Profile,
    Refunded,
    Returned,
    Text,
    Undecodable,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ALLOWED_UPDATES = (
    "message",
    "edited_message",
    "channel_post",
    "callback_query",
    "my_chat_member",
    "pre_checkout_query",
)
"""The kinds of update that are asked for; a channel is told once that this bot is for private chats, and left."""

KINDS = (
    "photo",
    "sticker",
    "voice",
    "video_note",
    "video",
    "animation",
    "audio",
    "document",
    "contact",
    "location",
    "poll",
    "dice",
    "game",
    "story",
    "checklist",
    "paid_media",
)
"""What a message can be instead of text. An animation is a document too, so it stands before it."""

UpdateId = Annotated[int, Meta(ge=1, lt=2**31 - 1)]
"""Telegram's queue counts in 32 bits; a larger number could not be confirmed and is taken for none."""

Id = Annotated[int, Meta(gt=-(2**52), lt=2**52)]
"""Telegram promises at most 52 significant bits for people and chats; the storage holds 64."""


Amount = Annotated[int, Meta(ge=0, lt=2**53)]
"""Smallest units of a currency."""


class UnreadableBody(Exception):
    """The answer as a whole is not the JSON it should be."""


_ABSENT = Raw()
"""Stands for a field that did not come; what is looked at later, or not at all, must not spoil the rest."""


class _Chat(Struct):
    id: Id
    type: str


class _Person(Struct):
    id: Id
    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class _Place(Struct):
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


class _Message(Struct):
    chat: _Chat
    message_id: int = 0
    date: int = 0
    sender: _Person | None = field(default=None, name="from")
    text: str | None = None
    location: Raw = _ABSENT
    forward_origin: Raw = _ABSENT
    successful_payment: Raw = _ABSENT
    refunded_payment: Raw = _ABSENT
    reply_to_message: Raw = _ABSENT


class _Replied(Struct):
    message_id: Annotated[int, Meta(ge=1)]


class _Carrier(Struct):
    """The message a button was pressed on; of an old one Telegram tells no more than this."""

    chat: _Chat
    message_id: int = 0


class _Payment(Struct):
    telegram_payment_charge_id: Annotated[str, Meta(min_length=1)]
    currency: str
    total_amount: Amount
    invoice_payload: str


class _Checkout(Struct):
    id: str
    sender: _Person = field(name="from")
    currency: str
    total_amount: Amount
    invoice_payload: str


class _Callback(Struct):
    id: str
    sender: _Person = field(name="from")
    message: _Carrier | None = None
    data: str | None = None


class _Membership(Struct):
    status: str


class _Member(Struct):
    chat: _Chat
    sender: _Person = field(name="from")
    new: _Membership = field(name="new_chat_member")


class _Update(Struct):
    update_id: UpdateId
    message: _Message | None = None
    edited_message: _Message | None = None
    channel_post: _Message | None = None
    callback_query: _Callback | None = None
    my_chat_member: _Member | None = None
    pre_checkout_query: _Checkout | None = None


class _Numbered(Struct):
    update_id: UpdateId


class _Answer(Struct):
    result: list[Raw]


_update = msgspec.json.Decoder(_Update)
_numbered = msgspec.json.Decoder(_Numbered)
_answer = msgspec.json.Decoder(_Answer)
_place = msgspec.json.Decoder(_Place)
_reply = msgspec.json.Decoder(_Replied)
_payment = msgspec.json.Decoder(_Payment)
_fields = msgspec.json.Decoder(dict[str, Raw])

# Inside a JSON string the quotes would carry backslashes, so a person's text cannot pretend to be this.
_FIRST_ID = re.compile(rb'\{\s*"update_id"\s*:\s*(\d{1,9})\s*[,}]')

# RecursionError: nesting deeper than the interpreter's limit; ValueError: msgspec's and json's errors, bad UTF-8.
_MALFORMED = (ValueError, RecursionError)


def split(body: bytes) -> list[bytes]:
    """Split the body of a `getUpdates` answer into its updates, undecoded; raises `UnreadableBody`."""
    try:
        return [bytes(raw) for raw in _answer.decode(body).result]
    except _MALFORMED:
        pass
    try:
        return [bytes(raw) for raw in _answer.decode(_mended(body)).result]
    except _MALFORMED as error:
        raise UnreadableBody(type(error).__name__) from None


def update_id(raw: bytes) -> int | None:
    """Tell the number of an update, however broken the rest is; None if it has none."""
    try:
        return _numbered.decode(raw).update_id
    except _MALFORMED:
        found = _FIRST_ID.search(raw)
    return int(found[1]) if found else None


def is_update(raw: bytes) -> bool:
    """Tell whether this is an update at all, even one that nobody understands."""
    if update_id(raw) is not None:
        return True
    try:
        _fields.decode(_mended(raw))
    except _MALFORMED:
        return False
    return True


def decode(raw: bytes, now: datetime) -> Inbound | Undecodable | Checkout:
    """Decode one update; never raises.

    What is not valid JSON only for a lone surrogate or bytes that are not UTF-8 is cleaned and decoded: such
    characters come from a cut emoji in somebody's name, and that person shall not be locked out.
    """
    try:
        update, readable = _decoded(raw)
        if update.pre_checkout_query is not None:
            return _checkout(update, update.pre_checkout_query)
        chat, person, content = _understood(update, readable)
    except _MALFORMED as error:
        return undecodable(raw, _reason(error), now)
    return Inbound(
        address=Address("telegram", str(chat)),
        key=str(update.update_id),
        content=content,
        received_at=now,
        written_at=_written_at(update, now),
        profile=_profile(person),
        raw=raw,
        message_id=str(update.message.message_id) if update.message and update.message.message_id else "",
    )


def _checkout(update: _Update, query: _Checkout) -> Checkout:
    return Checkout(
        address=Address("telegram", str(query.sender.id)),
        key=str(update.update_id),
        query_id=_clean(query.id),
        currency=_clean(query.currency),
        amount=query.total_amount,
        payload=_clean(query.invoice_payload),
        profile=_profile(query.sender),
    )


def undecodable(raw: bytes, reason: str, now: datetime) -> Undecodable:
    """Wrap what could not be decoded; its key is the update's number, or a hash where it has none."""
    number = update_id(raw)
    key = f"sha256:{hashlib.sha256(raw).hexdigest()}" if number is None else str(number)
    return Undecodable(channel="telegram", key=key, raw=raw, reason=reason, received_at=now)


def _decoded(raw: bytes) -> tuple[_Update, bytes]:
    """Decode the update, and give the bytes that could be: the same, or cleaned."""
    try:
        return _update.decode(raw), raw
    except msgspec.ValidationError:
        raise
    except _MALFORMED:
        readable = _mended(raw)
        return _update.decode(readable), readable


def _mended(raw: bytes) -> bytes:
    """Replace what a strict decoder refuses: lone surrogates, control characters, bytes that are not UTF-8."""
    loose = json.loads(raw.decode("utf-8", "replace"), strict=False)
    return json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace")


def _reason(error: Exception) -> str:
    """Tell what is wrong without telling what was written: msgspec names fields and types only, json quotes."""
    return str(error) if isinstance(error, msgspec.ValidationError | _Strange) else type(error).__name__


class _Strange(ValueError):
    """The update is well-formed, but not one this bot can place."""


_Meaning = tuple[int, "_Person | None", Content]
"""Which chat, who, and what."""


def _understood(update: _Update, readable: bytes) -> _Meaning:
    if update.message is not None:
        return _written(update.message, readable)
    if update.callback_query is not None:
        return _pressed(update.callback_query)
    if update.edited_message is not None:
        return _edited(update.edited_message)
    if update.my_chat_member is not None:
        return _moved(update.my_chat_member)
    if update.channel_post is not None:
        return update.channel_post.chat.id, None, InGroup()
    raise _Strange("an update of a kind that was not asked for")


def _written(message: _Message, readable: bytes) -> _Meaning:
    if message.chat.type != "private":
        return message.chat.id, None, InGroup()
    return _own_chat(message.chat, message.sender), message.sender, _said(message, readable)


def _said(message: _Message, readable: bytes) -> Content:
    if message.text is not None:
        # A forwarded command is somebody else's wish: "/forget" passed on shall not be done.
        if message.forward_origin and message.text.lstrip().startswith("/"):
            return Unreadable("forward")
        return Text(_clean(message.text), _replied_to(message))
    if message.location:
        try:
            place = _place.decode(message.location)
        except _MALFORMED:
            return Unreadable("location")
        return Location(place.latitude, place.longitude)
    if message.successful_payment:
        # One that cannot be read is no message like another: whoever paid shall not be told so in passing.
        paid = _payment.decode(message.successful_payment)
        return Paid(_clean(paid.currency), paid.total_amount, _clean(paid.invoice_payload), _charge(paid))
    if message.refunded_payment:
        return Refunded(_charge(_payment.decode(message.refunded_payment)))
    return Unreadable(_kind(readable))


def _charge(payment: _Payment) -> str:
    return _clean(payment.telegram_payment_charge_id)


def _replied_to(message: _Message) -> str:
    try:
        return str(_reply.decode(message.reply_to_message).message_id) if message.reply_to_message else ""
    except _MALFORMED:
        return ""


def _kind(readable: bytes) -> str:
    present = _fields.decode(_fields.decode(readable)["message"])
    return next((kind for kind in KINDS if kind in present), "other")


def _edited(message: _Message) -> _Meaning:
    if message.chat.type != "private":
        return message.chat.id, None, InGroup()
    # A live location is edited every few seconds; the word lets the dialogue stay silent then.
    kind = "live_location" if message.location else "edit"
    return _own_chat(message.chat, message.sender), message.sender, Unreadable(kind)


def _pressed(press: _Callback) -> _Meaning:
    carrier = press.message
    if carrier is not None and carrier.chat.type != "private":
        return carrier.chat.id, None, InGroup()
    if carrier is not None:
        _own_chat(carrier.chat, press.sender)
    if press.data is None:
        return press.sender.id, press.sender, Unreadable("game")
    message_id = str(carrier.message_id) if carrier is not None and carrier.message_id else ""
    return press.sender.id, press.sender, Press(_clean(press.data), message_id, _clean(press.id))


def _moved(member: _Member) -> _Meaning:
    gone = member.new.status in ("left", "kicked")
    if member.chat.type != "private":
        return member.chat.id, None, Left() if gone else InGroup()
    return _own_chat(member.chat, member.sender), member.sender, Left() if gone else Returned()


def _written_at(update: _Update, now: datetime) -> datetime:
    """Tell when it was written; of presses Telegram does not tell, and nothing was written later than now."""
    message = update.message or update.edited_message
    if message is None or not 0 < message.date < now.timestamp():
        return now
    return datetime.fromtimestamp(message.date, UTC)


def _own_chat(chat: _Chat, person: _Person | None) -> int:
    """Give the id of a private chat, which is the person's: one that differs is not Telegram's doing."""
    if person is None or person.id != chat.id or chat.id <= 0:
        raise _Strange("a private chat of somebody else")
    return chat.id


def _profile(person: _Person | None) -> Profile:
    if person is None:
        return Profile()
    return Profile(
        first_name=_clean(person.first_name),
        last_name=_clean(person.last_name),
        username=_clean(person.username),
        language_code=_clean(person.language_code),
    )


def _clean(text: str) -> str:
    """Replace NUL, which not every database can store; nothing else, since the rest is what the person wrote."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def next_offset(results: Sequence[tuple[int | None, bool]]) -> int | None:
    """Tell what to confirm after a batch: its updates' numbers in order, each with whether it was stored.

    All that lies below the offset is deleted at Telegram, so it is just above the last one that was stored before
    the first that was not, and never above one that was not. None: nothing can be confirmed.
    """
    confirmed: int | None = None
    for number, stored in results:
        if not stored:
            break
        if number is not None:
            confirmed = max(confirmed or 0, number + 1)
    missing = [number for number, stored in results if number is not None and not stored]
    return confirmed if confirmed is None else min([confirmed, *missing])
