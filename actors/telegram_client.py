"""The Bot API, by aiogram: its methods, its sessions, and the one place where its errors become ours.

Never imported at the top of another module: see `actors.telegram_link`.

aiogram's own session writes multipart forms and builds whole `Message` objects; two thirds of a send's CPU go there.
The session here is the same one, connections and all, but writes JSON. The few methods that are called all the time
pass by aiogram's models, and of a sent message read its id alone; aiogram says what is wrong with any other answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import BotCommandScopeType
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    DetailedAiogramError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import (
    DeleteMessage,
    DeleteWebhook,
    GetMe,
    GetMyCommands,
    GetMyDescription,
    GetMyName,
    GetMyShortDescription,
    GetUpdates,
    GetWebhookInfo,
    LeaveChat,
    SendDocument,
    SetMyCommands,
    SetMyDescription,
    SetMyName,
    SetMyShortDescription,
    SetWebhook,
    TelegramMethod,
)
from aiogram.types import BotCommand, BotCommandScopeChat, BufferedInputFile, MessageId
from aiogram.utils.token import TokenValidationError
from aiohttp import ClientConnectorError, ClientError, ClientTimeout, ConnectionTimeoutError

from actors.telegram_link import Conflict, TokenRefused
from migrebot.errors import NotSent, Refused, Uncertain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from aiogram.client.session.base import BaseSession
    from pydantic import BaseModel

    from migrebot.clock import Clock
    from migrebot.messages import Invoice, Keyboard

T = TypeVar("T")

DEADLINE = 15.0
"""Seconds a call may take; Telegram answers within one or never."""

PRESS_DEADLINE = 5.0
"""Seconds the answer to a press, or to who is about to pay, may take: others wait for it."""

UPLOAD_DEADLINE = 60.0
"""Seconds a file may take; a few megabytes over a slow line."""

LONG_POLL_SLACK = 10.0
"""Seconds after the agreed end of a long poll at which the connection counts as dead."""

CONNECTIONS = 100
"""At once: delivery's parallel sends, as many answers to presses, and the poll."""

# The deadlines above bound a call as a whole. The connect has its own, since one that fails was surely not sent.
# Connections are kept for aiohttp's 15 seconds only: one that Telegram closes just as we use it leaves us uncertain.
_TIMEOUT = ClientTimeout(total=None, connect=10, sock_connect=10)
_JSON = {"Content-Type": "application/json"}
_TRUE = b'{"ok":true,"result":true}'
_NO_PREVIEW = {"is_disabled": True}

_GONE = ("chat not found", "user not found", "user is deactivated", "peer_id_invalid")
_TOKEN = re.compile(r"\d{6,}:[\w-]{30,}")


class _Shows(TelegramMethod[MessageId]):
    """Stands for any method that shows a message, where aiogram judges an answer that is not a plain success."""

    __api_method__ = "sendMessage"
    __returning__ = MessageId


class _Does(TelegramMethod[bool]):
    """The same for those that answer with true."""

    __api_method__ = "answerCallbackQuery"
    __returning__ = bool


class _Shown(msgspec.Struct):
    message_id: int


class _ShownReply(msgspec.Struct):
    ok: bool
    result: _Shown


class Webhook(msgspec.Struct, frozen=True):
    """What Telegram knows of the webhook: its address (empty: none), the updates it asks for, the last failure."""

    url: str
    allowed_updates: frozenset[str]
    last_error: str


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(exclude_unset=True)


def _loads(text: str) -> Any:
    """Decode an answer; one without a description gets an empty one, which aiogram would stumble over otherwise.

    Raises `DecodeError` for a success without a result: every method has one, and aiogram would give None for it.
    """
    answer = msgspec.json.decode(text)
    if isinstance(answer, dict):
        if answer.get("ok") and answer.get("result") is None:
            raise msgspec.DecodeError("a success without a result")
        if not isinstance(answer.get("description"), str):
            answer["description"] = ""
    return answer


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_shown_reply = msgspec.json.Decoder(_ShownReply)
_SHOWS, _DOES = _Shows(), _Does()


class _Session(AiohttpSession):
    """aiogram's session, speaking JSON; only files go by its own way, as forms."""

    async def make_request(self, bot: Bot, method: TelegramMethod[T], timeout: int | None = None) -> T:  # noqa: ASYNC109 - aiogram's signature
        if isinstance(method, SendDocument):
            return cast("T", await super().make_request(bot, method, timeout))
        given = {name: value for name in method.model_fields_set if (value := getattr(method, name)) is not None}
        status, body = await self.post(bot, method.__api_method__, given)
        return self.checked(bot, method, status, body)

    def checked(self, bot: Bot, method: TelegramMethod[T], status: int, body: bytes) -> T:
        """Give the result, or raise aiogram's error for it."""
        text = body.decode("utf-8", "replace")
        return cast("T", self.check_response(bot=bot, method=method, status_code=status, content=text).result)

    async def post(self, bot: Bot, name: str, arguments: dict[str, Any]) -> tuple[int, bytes]:
        """Call a method; gives the HTTP status and the body, whatever they are."""
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=name)
        data = _encoder.encode(arguments)
        # A redirect would carry the token elsewhere.
        async with session.post(url, data=data, headers=_JSON, timeout=_TIMEOUT, allow_redirects=False) as answer:
            return answer.status, await answer.read()


class TelegramClient:
    """One bot's Bot API.

    Every method is bounded in time and raises `NotSent`, `Uncertain` or `Refused`; `TokenRefused` and `Conflict` are
    among the first. No error holds the token, nor what was written.
    """

    def __init__(self, *, token: str, api_base: str, clock: Clock) -> None:
        session = _Session(
            api=TelegramAPIServer.from_base(api_base),
            limit=CONNECTIONS,
            json_loads=_loads,
            timeout=UPLOAD_DEADLINE + LONG_POLL_SLACK,
        )
        try:
            self._bot = Bot(token, session=cast("BaseSession", session))
        except TokenValidationError:
            raise TokenRefused from None
        self._session = session
        self._clock = clock

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    # --- what comes in ---

    async def updates(self, *, offset: int | None, limit: int, wait: int, kinds: Sequence[str]) -> bytes:
        """Ask for updates, waiting up to `wait` seconds for the first; gives the body as it came."""
        arguments = {"limit": limit, "timeout": wait, "allowed_updates": kinds}
        if offset is not None:
            arguments["offset"] = offset
        return await self._bounded(self._updates(arguments), wait + LONG_POLL_SLACK)

    async def _updates(self, arguments: dict[str, Any]) -> bytes:
        status, body = await self._session.post(self._bot, "getUpdates", arguments)
        if status != 200:
            self._session.checked(self._bot, GetUpdates(), status, body)
        return body

    async def webhook(self) -> Webhook:
        """Ask where Telegram posts updates to."""
        info = await self._call(GetWebhookInfo())
        return Webhook(info.url, frozenset(info.allowed_updates or ()), info.last_error_message or "")

    async def set_webhook(self, url: str, secret: str, kinds: Sequence[str]) -> None:
        """Have updates posted to this address, with the secret in a header."""
        await self._call(SetWebhook(url=url, secret_token=secret, allowed_updates=list(kinds)))

    async def delete_webhook(self) -> None:
        """Go back to polling; what waits is kept."""
        await self._call(DeleteWebhook(drop_pending_updates=False))

    # --- what goes out ---

    async def say(self, chat: int, text: str, keyboard: Keyboard, *, html: bool) -> str:
        """Send a text; gives the message's id."""
        return await self._show("sendMessage", _written(chat, text, keyboard, html=html))

    async def edit(self, chat: int, message_id: int, text: str, keyboard: Keyboard, *, html: bool) -> None:
        """Replace text and buttons of a message; without buttons it has none afterwards."""
        await self._show("editMessageText", {"message_id": message_id, **_written(chat, text, keyboard, html=html)})

    async def answer_press(self, callback_id: str, text: str = "") -> None:
        """End the waiting mark on a pressed button, perhaps with a few words."""
        words = {"text": text} if text else {}
        await self._do_quickly("answerCallbackQuery", {"callback_query_id": callback_id, **words})

    async def upload(self, chat: int, content: bytes, filename: str, caption: str, *, html: bool) -> str:
        """Send a file; gives the message's id."""
        method = SendDocument(
            chat_id=chat,
            document=BufferedInputFile(content, filename),
            caption=caption or None,
            parse_mode="HTML" if html else None,
        )
        return str((await self._bounded(self._bot(method), UPLOAD_DEADLINE)).message_id)

    async def bill(self, chat: int, invoice: Invoice, provider_token: str) -> str:
        """Send a bill; the token is empty for Telegram Stars. Gives the message's id.

        With a `start_parameter` a forwarded copy leads to the bot and cannot be paid by somebody else.
        """
        bill = {
            "chat_id": chat,
            "title": invoice.title,
            "description": invoice.description,
            "payload": invoice.payload,
            "provider_token": provider_token,
            "currency": invoice.currency,
            "prices": [{"label": invoice.title, "amount": invoice.amount}],
            "start_parameter": "donate",
        }
        return await self._show("sendInvoice", bill)

    async def answer_checkout(self, query_id: str, objection: str) -> None:
        """Let a payment go through, or stop it with an objection that the person reads."""
        verdict = {"ok": False, "error_message": objection} if objection else {"ok": True}
        await self._do_quickly("answerPreCheckoutQuery", {"pre_checkout_query_id": query_id, **verdict})

    async def delete(self, chat: int, message_id: int) -> None:
        """Delete a message; in a private chat also one that the person wrote, for 48 hours (Bot API deleteMessage)."""
        await self._call(DeleteMessage(chat_id=chat, message_id=message_id))

    async def leave(self, chat: int) -> None:
        """Leave a group or a channel."""
        await self._call(LeaveChat(chat_id=chat))

    # --- what the bot says of itself; the language "" is everybody's whose own has no words ---

    async def me(self) -> str:
        """Ask for the bot's user name."""
        return (await self._call(GetMe())).username or ""

    async def commands(self, language: str, *, chat: str = "") -> tuple[tuple[str, str], ...]:
        """Ask for the commands shown in that language, in every chat or in one."""
        known = await self._call(GetMyCommands(scope=_scope(chat), language_code=language or None))
        return tuple((command.command, command.description) for command in known)

    async def set_commands(self, language: str, commands: Sequence[tuple[str, str]], *, chat: str = "") -> None:
        """Set the commands shown in that language, in every chat or in one."""
        shown = [BotCommand(command=name, description=description) for name, description in commands]
        await self._call(SetMyCommands(commands=shown, scope=_scope(chat), language_code=language or None))

    async def name(self, language: str) -> str:
        """Ask for the bot's name."""
        return (await self._call(GetMyName(language_code=language or None))).name

    async def set_name(self, language: str, text: str) -> None:
        """Set the bot's name."""
        await self._call(SetMyName(name=text, language_code=language or None))

    async def description(self, language: str) -> str:
        """Ask for what an empty chat shows."""
        return (await self._call(GetMyDescription(language_code=language or None))).description

    async def set_description(self, language: str, text: str) -> None:
        """Set what an empty chat shows."""
        await self._call(SetMyDescription(description=text, language_code=language or None))

    async def short_description(self, language: str) -> str:
        """Ask for what the profile page shows."""
        return (await self._call(GetMyShortDescription(language_code=language or None))).short_description

    async def set_short_description(self, language: str, text: str) -> None:
        """Set what the profile page shows."""
        await self._call(SetMyShortDescription(short_description=text, language_code=language or None))

    # --- inside ---

    async def _show(self, name: str, arguments: dict[str, Any]) -> str:
        return await self._bounded(self._shown(name, arguments), DEADLINE)

    async def _shown(self, name: str, arguments: dict[str, Any]) -> str:
        status, body = await self._session.post(self._bot, name, arguments)
        shown = _plainly_shown(body) if status == 200 else None
        return str((shown or self._session.checked(self._bot, _SHOWS, status, body)).message_id)

    async def _do_quickly(self, name: str, arguments: dict[str, Any]) -> None:
        await self._bounded(self._done(name, arguments), PRESS_DEADLINE)

    async def _done(self, name: str, arguments: dict[str, Any]) -> None:
        status, body = await self._session.post(self._bot, name, arguments)
        if status != 200 or body != _TRUE:
            self._session.checked(self._bot, _DOES, status, body)

    async def _call(self, method: TelegramMethod[T]) -> T:
        return await self._bounded(self._bot(method), DEADLINE)

    async def _bounded(self, work: Awaitable[T], seconds: float) -> T:
        with self._clock.move_on_after(seconds):
            try:
                return await work
            except (AiogramError, ClientError, OSError, UnicodeEncodeError) as error:
                # Not chained: aiogram's errors carry the method with its texts, aiohttp's may carry the URL.
                raise translated(error) from None
        raise Uncertain("no answer in time")


def _written(chat: int, text: str, keyboard: Keyboard, *, html: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"chat_id": chat, "text": text, "link_preview_options": _NO_PREVIEW}
    if html:
        written["parse_mode"] = "HTML"
    if keyboard:
        rows = [[{"text": button.label, "callback_data": button.data} for button in row] for row in keyboard]
        written["reply_markup"] = {"inline_keyboard": rows}
    return written


def _plainly_shown(body: bytes) -> _Shown | None:
    """Read a plain success; None leaves it to aiogram to say what else it is."""
    try:
        reply = _shown_reply.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return reply.result if reply.ok else None


def translated(error: Exception) -> NotSent | Uncertain | Refused:
    """Turn an error of aiogram or aiohttp into what its catcher must do."""
    match error:
        case TelegramUnauthorizedError():
            return TokenRefused()
        case TelegramNotFound():
            # Either the server is older than the method, or the token does not even look like one.
            return Refused(_words(error)) if "method" in error.message else TokenRefused()
        case TelegramConflictError():
            return Conflict(_words(error))
        case TelegramRetryAfter():
            return NotSent("too many requests", retry_after=error.retry_after)
        case _:
            return _refused(error) or _network(error)


def _refused(error: Exception) -> Refused | None:
    match error:
        case TelegramForbiddenError():
            return Refused(_words(error), recipient_gone=True)
        case TelegramBadRequest():
            words = _words(error)
            return Refused(words, recipient_gone=any(sign in words.lower() for sign in _GONE))
        case TelegramEntityTooLarge() | TelegramMigrateToChat() | UnicodeEncodeError():
            return Refused(type(error).__name__)
        case _:
            return None


def _network(error: Exception) -> NotSent | Uncertain:
    cause = error if isinstance(error, ClientError | OSError) else error.__cause__
    if isinstance(cause, ClientConnectorError | ConnectionTimeoutError):
        # Name not found, refused, no route, TLS, or no connection in time: the request never left.
        return NotSent(type(cause).__name__, whole_channel=True)
    if isinstance(error, ClientDecodeError):
        return Uncertain("the answer is not the Bot API's")
    return Uncertain(type(cause if isinstance(cause, ClientError | OSError) else error).__name__)


def _words(error: DetailedAiogramError) -> str:
    """Keep of a description what names the error: what follows a second colon quotes the message."""
    words = ":".join(error.message.split(":")[:2]).strip()
    return _TOKEN.sub("<token>", " ".join(words.split()))[:200]


def _scope(chat: str) -> BotCommandScopeChat | None:
    # Of a model only what was set is sent.
    return BotCommandScopeChat(type=BotCommandScopeType.CHAT, chat_id=int(chat)) if chat else None
