"""What the storage remembers besides the diary: people, their addresses, open forms, waiting messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from migrebot.messages import Address, Body, Edit, Inbound, Keyboard, Priority, Profile, Say, Ticket
from migrebot.reminders.reminder import Occurrence, Reminder
from migrebot.reminders.timers import Timer


class User(Struct, frozen=True, kw_only=True):
    """A person with a diary.

    `id` is the Telegram id for people who came by Telegram and negative for all others. `timezone` is None until the
    person chose one (the program's default counts meanwhile); `zone_offered` tells that the choice was offered.
    `agreed_at` is when the person agreed to the privacy notice, `greeted_at` when it was shown first.
    """

    id: int
    language: str
    created_at: datetime
    timezone: str | None = None
    zone_offered: bool = False
    greeted_at: datetime | None = None
    agreed_at: datetime | None = None


class OveruseNotice(Struct, frozen=True, kw_only=True):
    """What somebody wants of the notice on frequent medicine, and when it was given last."""

    user_id: int
    is_off: bool = False
    told_at: datetime | None = None


class Identity(Struct, frozen=True, kw_only=True):
    """One address of a person; `muted_at` is set when the messenger said that nothing may be sent there."""

    address: Address
    user_id: int
    profile: Profile
    seen_at: datetime
    muted_at: datetime | None = None


class Offer(Struct, frozen=True, array_like=True):
    """One answer that the open question offers: the label shown and the value it stands for (JSON).

    With `turns_page` it answers nothing: the value is the page to show instead.
    """

    label: str
    value: Any
    turns_page: bool = False


class Frame(Struct, frozen=True, array_like=True):
    """A step that was answered, to go back to; `loop` counts the rounds of a repeated part."""

    step: str
    loop: int = 0


class Session(Struct, frozen=True, kw_only=True):
    """A form in progress; a person has at most one.

    `answers` holds JSON values by step name. `token` is new with every question: a press that carries another one
    belongs to an old question. `offers` are the answers the open question offers, in the order of its buttons.
    `page` is the part of a paged question on show (a month, a page of drugs). `state` is the wire name of the step,
    `Form:number:step`, as outside listeners see it. `address` is where the conversation is held.
    """

    user_id: int
    form: str
    step: str
    state: str
    token: str
    address: Address
    started_at: datetime
    updated_at: datetime
    expires_at: datetime
    answers: dict[str, Any] = {}
    history: tuple[Frame, ...] = ()
    offers: tuple[Offer, ...] = ()
    loop: int = 0
    page: str = ""


class Correspondence(Struct, frozen=True, kw_only=True):
    """What a person wants of messages to the owner.

    `agreed_at` is when the person agreed that they are sent. `form_expired_at` is set from the time-out of a form until
    the person's next text, which may be a late answer to it.
    """

    user_id: int
    agreed_at: datetime | None = None
    form_expired_at: datetime | None = None


class Letter(Struct, frozen=True, kw_only=True):
    """A message to the owner, without its text: who wrote it, and from where, which is where an answer goes."""

    id: int
    user_id: int
    address: Address
    written_at: datetime


class Recipient(Struct, frozen=True, kw_only=True):
    """Somebody who waits for an announcement; `is_off` tells that it is not wanted."""

    user_id: int
    language: str
    is_off: bool = False


class Bill(Struct, frozen=True, kw_only=True):
    """A bill for a donation; `amount` is in the smallest units of `currency` (ISO 4217, or XTR: Telegram Stars)."""

    id: int
    user_id: int
    currency: str
    amount: int
    made_at: datetime
    is_paid: bool = False


class Payment(Struct, frozen=True, kw_only=True):
    """A donation that was paid; `charge_id` is the messenger's number for it, by which it is given back.

    `user_id` is None once whoever paid was erased. `bill_id` is what the messenger says was paid, None if no bill.
    `refunded_at` is when it was given back.
    """

    charge_id: str
    user_id: int | None
    bill_id: int | None
    currency: str
    amount: int
    paid_at: datetime
    refunded_at: datetime | None = None


class LinkCode(Struct, frozen=True, kw_only=True):
    """A code by which another messenger can join the user's diary, until `expires_at`; the code itself is not stored.

    `address` is where it was asked for. Once it was entered at `claimed_by` it is used up, and `expires_at` is until
    when that can be confirmed.
    """

    user_id: int
    hash: str
    address: Address
    expires_at: datetime
    claimed_by: Address | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """All that is known about who writes from an address; `is_new` tells that nothing of it is stored yet."""

    user: User
    identity: Identity
    session: Session | None = None
    is_new: bool = False


class Wish(Struct, frozen=True, kw_only=True):
    """What the owner asks of the backups, and where the answer goes: to make one now, or to use a token of the Disk."""

    kind: Literal["backup", "token"]
    id: int
    user_id: int
    address: Address
    asked_at: datetime
    token: str = ""

    def __repr__(self) -> str:
        return f"Wish(kind={self.kind!r}, id={self.id}, ...)"


class Held(Struct, frozen=True, kw_only=True):
    """A message that came in during maintenance and is yet to be handled; `is_first` tells that its sender was told."""

    id: int
    user_id: int
    message: Inbound
    is_first: bool = False


class InboxKey(Struct, frozen=True):
    """What makes a message from outside unique."""

    channel: str
    key: str


class OutboxRow(Struct, frozen=True, kw_only=True):
    """A message claimed for sending.

    `attempts` counts how often it may have reached the messenger, this time included; `created_at` is since when it
    has waited.
    """

    id: int
    address: Address
    body: Body
    priority: Priority
    attempts: int
    created_at: datetime
    callback_id: str = ""
    user_id: int | None = None

    @property
    def ticket(self) -> Ticket:
        """Give the row's ticket."""
        return Ticket(self.priority, self.id, self.address)

    @property
    def to_offer(self) -> Keyboard:
        """Give the buttons that are on offer only once it was sent: those of a reply have been since it was stored."""
        is_reply = self.priority == Priority.REPLY
        return () if is_reply or not isinstance(self.body, Say | Edit) else self.body.keyboard


class Due(Struct, frozen=True, kw_only=True, gc=False):
    """A reminder that may be due, and its owner's language and time zone (None: the program's default).

    With an `occurrence` it is that firing which is to be repeated. `address` is where to: the reminder's own, or the
    owner's latest one if that is muted or belongs to somebody else by now.
    """

    reminder: Reminder
    language: str
    timezone: str | None
    address: Address
    occurrence: Occurrence | None = None

    @property
    def timer(self) -> Timer | None:
        """Tell when it is due, if it is at all."""
        if self.occurrence is None:
            at = self.reminder.next_at
            return None if at is None else Timer(at, self.reminder.id)
        at = self.occurrence.again_at
        return None if at is None else Timer(at, self.occurrence.id, repeats=True)
