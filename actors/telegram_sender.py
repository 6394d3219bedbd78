"""How messages leave for Telegram: the `Sender` of delivery."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import TYPE_CHECKING, TypeVar

import anyio

from actors.actor import attempt
from actors.channel import Limits
from actors.held_back import HeldBack
from actors.telegram_link import TokenRefused
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.messages import Alert, Document, Edit, Invoice, Leave, Say, Toast, Withdraw
from migrebot.money import STARS, written
from storage.interface import MAX_ATTEMPTS

if TYPE_CHECKING:
    from actors.actor import Mailbox
    from actors.telegram_client import TelegramClient
    from actors.telegram_link import TelegramLink
    from migrebot.config import Secret
    from migrebot.messages import ToDelivery
    from storage.records import OutboxRow

T = TypeVar("T")

Render = Callable[[Document, int], Awaitable[bytes]]
"""Makes a document's file from its recipe, for the user with this id."""

LARGEST_UPLOAD = 50 * 1024 * 1024
"""Bytes: Telegram takes no larger file from a bot."""

LONGEST_TOAST = 200
"""UTF-16 units, as Telegram counts."""

_UNCHANGED = "message is not modified"
_CANNOT_EDIT = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no text in the message to edit",
)
_ALREADY_DELETED = "message to delete not found"
_BAD_MARKUP = "can't parse entities"
_TAG = re.compile(r"<[^<>]*>")


class TelegramSender:
    """Sends what the outbox holds for Telegram, one row at a time for each chat."""

    def __init__(
        self,
        *,
        link: TelegramLink,
        limits: Limits,
        render: Render,
        provider_token: Secret,
        delivery: Mailbox[ToDelivery],
        on_alert: Callable[[Alert], None],
    ) -> None:
        self.link = link
        self._limits = limits
        self._render = render
        self._provider_token = provider_token
        self._on_alert = on_alert
        self._held_back = HeldBack("telegram", delivery, lambda: link.client is not None)

    @property
    def limits(self) -> Limits:
        """Tell Telegram's limits, as configured."""
        return self._limits

    def reachable(self, chat: str) -> bool:
        """Tell whether the client stands; a chat that was told no is opened by `opened` once it does."""
        return self._held_back.reachable(chat)

    async def opened(self) -> None:
        """Let the chats go that were held back until the client stood."""
        await self._held_back.let_go()

    async def send(self, row: OutboxRow) -> str:
        """Send the row, and answer the press that goes with it at the same time; see `Sender.send`."""
        client = self.link.client
        if client is None:
            raise NotSent("not connected yet", retry_after=1, whole_channel=True)
        try:
            return await self._sent(client, row)
        except TokenRefused as refused:
            self._on_alert(refused.alert)
            raise

    async def _sent(self, client: TelegramClient, row: OutboxRow) -> str:
        if not row.callback_id or isinstance(row.body, Toast):
            return await self._body_sent(client, row)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_end_press, client, row.callback_id)
            # As a value, since an error that leaves a task group leaves it inside an exception group.
            outcome = await attempt(self._body_sent(client, row))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _body_sent(self, client: TelegramClient, row: OutboxRow) -> str:
        match row.body:
            case Say() as say:
                return await _said(client, _number(row.address.value), say)
            case Edit() as edit:
                return await _edited(client, row, edit)
            case Toast() as toast:
                await _toasted(client, row.callback_id, toast.text)
                return ""
            case Document() as document:
                return await self._uploaded(client, row, document)
            case Invoice() as invoice:
                return await self._billed(client, _number(row.address.value), invoice)
            case Leave():
                await _left(client, _number(row.address.value))
                return ""
            case Withdraw(message_id):
                await _deleted(client, _number(row.address.value), message_id)
                return ""

    async def _billed(self, client: TelegramClient, chat: int, invoice: Invoice) -> str:
        """Send a bill; one that Telegram does not take is the owner's to know, and the person reads what to do."""
        token = "" if invoice.currency == STARS else self._provider_token.reveal()
        try:
            return await client.bill(chat, invoice, token)
        except Refused as refused:
            if refused.recipient_gone:
                raise
            text = f"Telegram does not take a bill over {written(invoice.amount, invoice.currency)}: {refused.reason}"
            self._on_alert(Alert(cause="bill-refused", text=text))
        return await _said(client, chat, Say(invoice.instead))

    async def _uploaded(self, client: TelegramClient, row: OutboxRow, document: Document) -> str:
        if row.user_id is None:
            raise Refused("a document of nobody")
        chat = _number(row.address.value)
        content = await self._render(document, row.user_id)
        if not 0 < len(content) <= LARGEST_UPLOAD:
            raise Refused("the document is empty or too large")
        return await _readable(
            document.caption,
            lambda caption, html: client.upload(chat, content, document.filename, caption, html=html),
        )


async def _said(client: TelegramClient, chat: int, said: Say | Edit) -> str:
    return await _readable(said.text, lambda text, html: client.say(chat, text, said.keyboard, html=html))


async def _edited(client: TelegramClient, row: OutboxRow, edit: Edit) -> str:
    chat = _number(row.address.value)
    if edit.message_id.isdecimal():
        try:
            await _readable(
                edit.text,
                lambda text, html: client.edit(chat, int(edit.message_id), text, edit.keyboard, html=html),
            )
        except Refused as refused:
            if _means(refused, _UNCHANGED):
                return edit.message_id
            if not _means(refused, *_CANNOT_EDIT):
                raise
        else:
            return edit.message_id
    if row.attempts > MAX_ATTEMPTS:
        # An edit may be tried many times, a new message only twice: each try may have left one in the chat.
        raise Refused("the message to edit is gone")
    return await _said(client, chat, edit)


async def _readable(text: str, send: Callable[[str, bool], Awaitable[T]]) -> T:
    """Send HTML; if Telegram cannot read it, which was surely not sent, send the words alone."""
    try:
        return await send(text, True)
    except Refused as refused:
        if not _means(refused, _BAD_MARKUP):
            raise
    return await send(without_markup(text), False)


async def _toasted(client: TelegramClient, callback_id: str, text: str) -> None:
    if not callback_id:
        return
    words = text.encode("utf-16-le", "replace")[: 2 * LONGEST_TOAST].decode("utf-16-le", "ignore")
    try:
        await client.answer_press(callback_id, words)
    except Refused:
        # Too old: nobody looks at the button any more.
        return


async def _end_press(client: TelegramClient, callback_id: str) -> None:
    """Take the waiting mark off the button; it goes by itself anyway, so a failure is no matter."""
    try:
        await client.answer_press(callback_id)
    except (NotSent, Uncertain, Refused):
        return


async def _deleted(client: TelegramClient, chat: int, message_id: str) -> None:
    if not message_id.isdecimal():
        raise Refused("Telegram's copy is the person's own")
    try:
        await client.delete(chat, int(message_id))
    except Refused as refused:
        if not _means(refused, _ALREADY_DELETED):
            raise


async def _left(client: TelegramClient, chat: int) -> None:
    try:
        await client.leave(chat)
    except Refused as refused:
        if not refused.recipient_gone:
            raise
        # Not in that chat any more, as wished; muting it would keep us from leaving it a second time.


def without_markup(text: str) -> str:
    """Make plain text of HTML, however broken."""
    return unescape(_TAG.sub("", text))


def _means(refused: Refused, *signs: str) -> bool:
    reason = refused.reason.lower()
    return any(sign in reason for sign in signs)


def _number(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise Refused("not an id of Telegram's", recipient_gone=True) from None
