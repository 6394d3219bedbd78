"""What travels between the actors: frozen structs, events named in the past tense.

Text meant for a person is HTML with `<b>`, `<i>` and `<a href>` only, everything else escaped (`migrebot.i18n`
sees to it); labels of buttons are plain text.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Literal

from msgspec import Struct

Channel = Literal["telegram", "whatsapp", "local"]


class Address(Struct, frozen=True, gc=False):
    """One end of a conversation: a chat of a messenger.

    `value` is what that messenger calls the chat: a Telegram chat id, `whatsapp:+…`, an id of the local chat.
    """

    channel: Channel
    value: str


# --- what comes in ---------------------------------------------------------------------------------------------


class Profile(Struct, frozen=True, kw_only=True):
    """What a messenger tells about the person who writes; empty where it tells nothing."""

    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language_code: str = ""


class Text(Struct, frozen=True, tag=True):
    """The person wrote `text` (a command included), as it came, in reply to the message `reply_to` if to any."""

    text: str
    reply_to: str = ""


class Press(Struct, frozen=True, tag=True):
    """The person pressed a button: `data` is the button's, `message_id` the message that carries it.

    `callback_id` is the messenger's handle for the answer to the press, empty where there is none.
    """

    data: str
    message_id: str
    callback_id: str = ""


class Location(Struct, frozen=True, tag=True):
    """The person shared a place, in degrees."""

    latitude: float
    longitude: float


class Unreadable(Struct, frozen=True, tag=True):
    """The person sent what the bot cannot read; `kind` is the messenger's word for it (sticker, photo, edit …)."""

    kind: str


class Left(Struct, frozen=True, tag=True):
    """The person blocked the bot or left: nothing may be sent any more."""


class Returned(Struct, frozen=True, tag=True):
    """The person unblocked the bot."""


class Paid(Struct, frozen=True, tag=True):
    """The person paid a bill: `amount` in the smallest units of `currency`; `payload` is what the bill carries.

    `charge_id` is the messenger's number for the payment, the same however often it is told.
    """

    currency: str
    amount: int
    payload: str
    charge_id: str


class Refunded(Struct, frozen=True, tag=True):
    """The payment with this number was given back to the person."""

    charge_id: str


class InGroup(Struct, frozen=True, tag=True):
    """The bot was spoken to in, or added to, a chat that is not private."""


Content = Text | Press | Location | Unreadable | Left | Returned | InGroup | Paid | Refunded


class Inbound(Struct, frozen=True, kw_only=True):
    """One message from a person; `key` is unique within its channel and stays the same when it comes again.

    `written_at` is when the messenger took it in, None where it does not tell: much earlier than `received_at` after a
    spell in which nobody could fetch it. `raw` is what the messenger sent, kept only if it has to be set aside.
    `message_id` is what the messenger calls a message that was written, by which it can be deleted.
    """

    address: Address
    key: str
    content: Content
    received_at: datetime
    written_at: datetime | None = None
    profile: Profile = Profile()
    raw: bytes = b""
    message_id: str = ""


class Undecodable(Struct, frozen=True, kw_only=True):
    """Input that no decoder understood; it is stored as a quarantined row and never handled."""

    channel: Channel
    key: str
    raw: bytes
    reason: str
    received_at: datetime


class Checkout(Struct, frozen=True, kw_only=True):
    """Somebody is about to pay a bill and waits to hear, for some seconds only, whether that is right.

    `key` as in `Inbound`, the sum as in `Paid`; `query_id` is the messenger's handle for the answer.
    """

    address: Address
    key: str
    query_id: str
    currency: str
    amount: int
    payload: str
    profile: Profile = Profile()


class FormExpired(Struct, frozen=True, kw_only=True):
    """A form has been left alone until its time-out; `token` names the question that was open then."""

    user_id: int
    token: str


class QuestionDue(Struct, frozen=True, kw_only=True):
    """The regular question to a user is due; `due_at` tells this one from those before and after."""

    user_id: int
    due_at: datetime


Outcome = Literal["done", "repeated", "quarantined"]


class Stored(Struct, frozen=True):
    """The dialogue actor's answer to an `Inbound`: it is durable, the messenger may forget it."""

    outcome: Outcome


# --- what goes out ---------------------------------------------------------------------------------------------


class Priority(IntEnum):
    """The order in which messages of one channel are sent; the lower number goes first."""

    REPLY = 0
    REMINDER = 1
    QUESTION = 2
    ANNOUNCEMENT = 3


class Button(Struct, frozen=True, array_like=True, gc=False):
    """A button: its plain label and the data that come back when it is pressed (1 to 64 bytes)."""

    label: str
    data: str


INERT = "-"
"""The data of a button that only fills a place in a grid: pressing it does nothing, and a list has no use for it."""

Keyboard = tuple[tuple[Button, ...], ...]


class Say(Struct, frozen=True, tag=True, omit_defaults=True, gc=False):
    """A new message."""

    text: str
    keyboard: Keyboard = ()


class Edit(Struct, frozen=True, tag=True, omit_defaults=True):
    """Text and buttons of the message `message_id` are replaced; if it is gone, the text is sent as a new message."""

    message_id: str
    text: str
    keyboard: Keyboard = ()


class Toast(Struct, frozen=True, tag=True):
    """Nothing but the answer to a press: `text` is shown for a moment (plain, up to 200 characters)."""

    text: str


class Document(Struct, frozen=True, tag=True):
    """A file, rendered when it is its turn: `recipe` names the maker, `arguments` are the maker's."""

    recipe: str
    filename: str
    caption: str
    arguments: dict[str, str] = {}


class Invoice(Struct, frozen=True, tag=True):
    """A bill with a button to pay it: `amount` in the smallest units of `currency` (ISO 4217, or XTR: Telegram Stars).

    Plain: `title` (1 to 32 characters) and `description` (1 to 255). `payload` comes back with the payment; `instead`,
    HTML, is said if the messenger does not take such a bill.
    """

    title: str
    description: str
    payload: str
    currency: str
    amount: int
    instead: str


class Leave(Struct, frozen=True, tag=True):
    """The bot leaves this chat (a group)."""


class Withdraw(Struct, frozen=True, tag=True):
    """The messenger deletes its own copy of the message `message_id`; of all exchanged with this chat if empty."""

    message_id: str = ""


Body = Say | Edit | Toast | Document | Invoice | Leave | Withdraw


class Outgoing(Struct, frozen=True, kw_only=True, gc=False):
    """One message to a person, as the outbox stores it.

    `callback_id` is a press to be answered together with it; `not_before` holds it back; `key`, if given, is unique
    among the waiting ones, so that it can be cancelled or is not queued twice.
    """

    address: Address
    body: Body
    user_id: int | None = None
    priority: Priority = Priority.REPLY
    callback_id: str = ""
    not_before: datetime | None = None
    key: str | None = None


class Ticket(Struct, frozen=True, order=True, gc=False):
    """A waiting row of the outbox, as delivery keeps it in memory: sorts in sending order within one chat."""

    priority: int
    id: int
    address: Address
    not_before: datetime | None = None


class OutboxFilled(Struct, frozen=True):
    """Rows were committed to the outbox."""

    tickets: tuple[Ticket, ...]


class ChatOpened(Struct, frozen=True):
    """A chat that could not be reached can be reached now (a browser connected, a person came back)."""

    address: Address


class PlansChanged(Struct, frozen=True):
    """Something was stored that may be due earlier than anything known before."""


class AnnouncementSteered(Struct, frozen=True):
    """An announcement was started, paused, resumed or cancelled."""


class Alert(Struct, frozen=True, kw_only=True):
    """Something the owner should know; `cause` is stable (one message an hour for each), `text` is plain English."""

    cause: str
    text: str


class StateChanged(Struct, frozen=True):
    """Somebody is asked, or asked again, what the step `state` asks (its wire name); None: the form ended."""

    user_id: int
    state: str | None


class StateUnknown(Struct, frozen=True):
    """Somebody may be in another form's step now, or in the first at all: the storage tells."""

    user_id: int


class StatesChanged(Struct, frozen=True):
    """Changes of states were committed, in this order; with `missed` others before them were not told."""

    changes: tuple[StateChanged | StateUnknown, ...]
    missed: bool = False


class Wished(Struct, frozen=True):
    """The owner asked something of the backups, and it is stored."""


ToDialogue = Inbound | Undecodable | FormExpired | QuestionDue
"""What the dialogue actor takes."""

ToScheduler = PlansChanged
"""What the scheduler takes."""

ToDelivery = OutboxFilled | ChatOpened
"""What the delivery actor takes."""


class ReportChanged(Struct, frozen=True):
    """Today's report is another one now; it is given as JSON."""

    report: bytes


class Recorded(Struct, frozen=True):
    """Something that a report counts was committed."""


class Erased(Struct, frozen=True):
    """Somebody was erased; that was committed."""


ToMirror = StatesChanged | ReportChanged
"""What the mirror takes."""
