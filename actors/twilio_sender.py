"""How messages leave for WhatsApp: the `Sender` of delivery.

WhatsApp cannot edit, flash or show buttons: an edit is a new message, choices are numbered lines, and what would flash
is said. A person who has not written for a day gets reminders and questions by an approved template, everything else
once they write again.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING

from actors.file_types import file_type
from actors.held_back import HeldBack
from actors.twilio_errors import OutsideWindow
from actors.twilio_link import AccountRefused
from actors.twilio_text import one_line, parts
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.logs import get_logger
from migrebot.messages import (
    Address,
    Alert,
    ChatOpened,
    Document,
    Edit,
    Invoice,
    Leave,
    Priority,
    Profile,
    Say,
    Toast,
    Withdraw,
)
from storage.facts import IsOurMessage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from actors.actor import Mailbox
    from actors.channel import Limits
    from actors.file_links import FileLinks
    from actors.twilio_client import TwilioClient
    from actors.twilio_link import TwilioLink
    from migrebot.clock import Clock
    from migrebot.messages import Body, ToDelivery
    from storage.interface import Storage
    from storage.records import OutboxRow

WINDOW = timedelta(hours=24) - timedelta(minutes=1)
"""How long after a person's last message WhatsApp takes ours; a minute less, since both clocks and the way count."""

DELETED_AT_ONCE = 25
"""Messages deleted in one go: each takes some calls, and others wait for the chat."""

CLOCKS_APART = timedelta(minutes=1)
"""How much earlier than here a message may seem to have come into being at Twilio."""

_SHOWN = frozenset({file_type(name) for name in (".pdf", ".png", ".xlsx")})
"""The kinds of ours that WhatsApp shows as files; of any other the person gets the link itself."""

log = get_logger("twilio")

_NO_TEMPLATE = Alert(
    cause="whatsapp-window",
    text="A message waits until its person writes again: after a day of silence WhatsApp takes approved templates"
    " alone. Set twilio.reminder_content_sid to a template with one variable, such as “Reminder: {{1}}.”, and reminders"
    " get through.",
)


class TwilioSender:
    """Sends what the outbox holds for WhatsApp, one row at a time for each chat.

    `template` is the approved template for reminders, empty for none; `callback_url` tells where Twilio is to report
    how messages fare, empty if it cannot reach us.
    """

    def __init__(
        self,
        *,
        link: TwilioLink,
        limits: Limits,
        template: str,
        callback_url: Callable[[], str],
        files: FileLinks,
        storage: Storage,
        delivery: Mailbox[ToDelivery],
        clock: Clock,
        on_alert: Callable[[Alert], None],
    ) -> None:
        self.link = link
        self._limits = limits
        self._template = template
        self._callback_url = callback_url
        self._files = files
        self._storage = storage
        self._delivery = delivery
        self._clock = clock
        self._on_alert = on_alert
        self._held_back = HeldBack("whatsapp", delivery, lambda: link.client is not None)
        self._closed_at: dict[str, datetime] = {}

    @property
    def limits(self) -> Limits:
        """Tell Twilio's limits, as configured."""
        return self._limits

    def reachable(self, chat: str) -> bool:
        """Tell whether the client stands; a chat that was told no is opened by `opened` once it does."""
        return self._held_back.reachable(chat)

    async def opened(self) -> None:
        """Let the chats go that were held back until the client stood."""
        await self._held_back.let_go()

    async def person_wrote(self, chat: str) -> None:
        """Let a chat go that may have waited for its person."""
        self._closed_at.pop(chat, None)
        await self._delivery.put(ChatOpened(Address("whatsapp", chat)))

    def window_closed(self, chat: str) -> None:
        """Note that Twilio says so, whatever we think."""
        self._closed_at[chat] = self._clock.now()

    async def send(self, row: OutboxRow) -> str:
        """Send the row; see `Sender.send`."""
        client = self.link.client
        if client is None:
            raise NotSent("not connected yet", retry_after=1, whole_channel=True)
        try:
            return await self._sent(client, row)
        except AccountRefused as refused:
            self._on_alert(refused.alert)
            raise

    async def _sent(self, client: TwilioClient, row: OutboxRow) -> str:
        if row.attempts > 1 and (sid := await self._went_before(client, row)):
            log.info("went_before", row=row.id)
            return sid
        match row.body:
            case Say() | Edit():
                return await self._said(client, row, row.body)
            case Toast(text):
                return await self._said(client, row, Say(escape(text))) if text else ""
            case Document() as document:
                return await self._attached(client, row, document)
            case Withdraw(message_id):
                await _withdrawn(client, row.address.value, message_id)
                return ""
            case Invoice():
                raise Refused("only Telegram takes payments")
            case Leave():
                return ""

    # --- what may have gone before ---

    async def _went_before(self, client: TwilioClient, row: OutboxRow) -> str:
        """Look for a message at Twilio that an attempt before left there; gives its sid, empty if none is to be seen.

        It is one with the same text that is younger than the row, and of which nothing is known here. What a template
        made of a text cannot be told by it, nor what holds a link, since each has its own.
        """
        text = _last_text(row.body)
        if not text:
            return ""
        try:
            listed = await client.sent(row.address.value)
        except (Uncertain, Refused) as error:
            # It goes once more then, as it would without looking.
            log.warning("sent_messages_not_listed", reason=error.reason)
            return ""
        since = row.created_at - CLOCKS_APART
        alike = [IsOurMessage(0, "whatsapp", one.sid) for one in listed if one.body == text and one.created_at > since]
        is_ours = await self._storage.load(alike) if alike else {}
        return next((fact.message_id for fact in alike if not is_ours[fact]), "")

    def _callback(self, row: OutboxRow, *, withdraw: bool = False) -> str:
        """Give the address where Twilio is to report on the message that makes a row whole."""
        url = self._callback_url()
        return f"{url}?row={row.id}{'&withdraw=1' if withdraw else ''}" if url else ""

    # --- texts ---

    async def _said(self, client: TwilioClient, row: OutboxRow, said: Say | Edit) -> str:
        if await self._is_open(row.address):
            try:
                return await self._in_parts(client, row, parts(said.text, said.keyboard))
            except OutsideWindow:
                self.window_closed(row.address.value)
        if row.priority not in (Priority.REMINDER, Priority.QUESTION):
            raise OutsideWindow
        if not self._template:
            self._on_alert(_NO_TEMPLATE)
            raise OutsideWindow
        variables = {"1": one_line(said.text, said.keyboard) or "…"}
        callback = self._callback(row)
        return await client.say_by_template(row.address.value, self._template, variables, callback=callback)

    async def _in_parts(self, client: TwilioClient, row: OutboxRow, texts: list[str]) -> str:
        """Send one message after another; gives the id of the last, which tells that all of them went."""
        sid = ""
        for number, text in enumerate(texts, start=1):
            callback = self._callback(row) if number == len(texts) else self._callback_url()
            try:
                sid = await client.say(row.address.value, text, callback=callback)
            except NotSent as error:
                if not sid:
                    raise
                # The ones before did go, and would go again as often as this one does.
                raise Uncertain(error.reason) from None
        return sid

    async def _is_open(self, address: Address) -> bool:
        """Tell whether the person wrote within the day; whoever is not known any more did so to be forgotten."""
        (known,) = await self._storage.who([(address, Profile())], self._clock.now())
        if known.is_new:
            return True
        seen_at = known.identity.seen_at
        closed_at = self._closed_at.get(address.value)
        return self._clock.now() - seen_at < WINDOW and (closed_at is None or closed_at < seen_at)

    # --- files ---

    async def _attached(self, client: TwilioClient, row: OutboxRow, document: Document) -> str:
        """Hand a file over by a link; Twilio's copy is withdrawn once the person has it."""
        if row.user_id is None:
            raise Refused("a document of nobody")
        if not await self._is_open(row.address):
            raise OutsideWindow
        url = self._files.link(document, row.user_id)
        callback = self._callback(row, withdraw=True)
        caption = parts(document.caption)[0]
        try:
            if file_type(document.filename) in _SHOWN:
                return await client.say(row.address.value, caption, callback=callback, media=url)
            return await client.say(row.address.value, f"{caption}\n{url}".strip(), callback=callback)
        except OutsideWindow:
            self.window_closed(row.address.value)
            raise


def _last_text(body: Body) -> str:
    """Give the text of the last message that a body becomes; empty where it could not be told from another one."""
    match body:
        case Say(text, keyboard) | Edit(_, text, keyboard):
            return parts(text, keyboard)[-1]
        case Toast(text):
            return parts(escape(text))[-1] if text else ""
        case Document(filename=name, caption=caption) if file_type(name) in _SHOWN:
            return parts(caption)[0]
        case Document() | Invoice() | Withdraw() | Leave():
            return ""


async def _withdrawn(client: TwilioClient, chat: str, message_id: str) -> None:
    """Delete Twilio's copy of one message, or of all that were exchanged with the chat."""
    if message_id:
        await client.delete(message_id)
        return
    sids = await client.exchanged(chat)
    for sid in sids[:DELETED_AT_ONCE]:
        await client.delete(sid)
    if len(sids) > DELETED_AT_ONCE:
        raise NotSent("there is more to delete")
