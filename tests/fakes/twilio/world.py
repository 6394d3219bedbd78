"""What the fake Twilio knows: messages of both directions, who wrote when, who wants nothing any more."""

import asyncio
import secrets
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec

from tests.fakes.telegram.faults import FaultBook

from .errors import ERRORS, Refused

WINDOW = timedelta(hours=24)
LONGEST_BODY = 1_600
UNDERWAY = frozenset({"queued", "sending"})


class Message(msgspec.Struct, eq=False):
    """A message as Twilio keeps it; `template` is the ContentSid of one that was sent by it.

    One that is `swallowed` was accepted but never reaches the person, who has not written for a day.
    """

    sid: str
    sender: str
    to: str
    body: str
    direction: str
    status: str
    created: datetime
    sent: datetime | None = None
    error_code: int | None = None
    media: tuple[str, ...] = ()
    template: str = ""
    variables: str = ""
    callback: str = ""
    deleted_media: bool = False
    swallowed: bool = False

    @property
    def text(self) -> str:
        """What the person sees of it."""
        return self.variables if self.template else self.body

    def wire(self, account: str) -> dict[str, Any]:
        """Write it as the API does."""
        path = f"/2010-04-01/Accounts/{account}/Messages/{self.sid}"
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": _rfc(self.created),
            "date_sent": _rfc(self.sent),
            "date_updated": _rfc(self.sent or self.created),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": ERRORS[self.error_code][1] if self.error_code else None,
            "from": self.sender,
            "messaging_service_sid": None,
            "num_media": "0" if self.deleted_media else str(len(self.media)),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": self.to,
            "uri": f"{path}.json",
        }


class Call(msgspec.Struct):
    """A call of the API: what it was for, its form, and the HTTP status it was answered with (0: not at all)."""

    operation: str
    form: dict[str, str]
    status: int = 0
    at: float = 0.0


class World:
    """All that stays; time can be moved ahead.

    `async_errors` tells that a message outside the window is accepted and fails later, as at the real Twilio.
    """

    def __init__(self, account: str, token: str, number: str) -> None:
        self.account = account
        self.token = token
        self.number = number
        self.messages: dict[str, Message] = {}
        self.calls: list[Call] = []
        self.faults = FaultBook()
        self.wrote_at: dict[str, datetime] = {}
        self.opted_out: set[str] = set()
        self.unknown: set[str] = set()
        self.async_errors = True
        self.changed = asyncio.Condition()
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        """Move time ahead."""
        self.ahead += timedelta(seconds=seconds)

    def receive(self, sender: str, body: str, media: tuple[str, ...] = ()) -> Message:
        """Keep a message that a person sent."""
        now = self.now()
        self.wrote_at[sender] = now
        message = Message(new_sid("SM"), sender, self.number, body, "inbound", "received", now, now, media=media)
        self.messages[message.sid] = message
        return message

    def create(self, form: dict[str, str]) -> Message:
        """Accept a message to a person, or refuse it."""
        self._check_ends(form)
        template, body, to = form.get("ContentSid", ""), form.get("Body", ""), form["To"]
        if template:
            _check_variables(form.get("ContentVariables", ""))
        elif not body and "MediaUrl" not in form:
            raise Refused(21602)
        if len(body.encode("utf-16-le")) // 2 > LONGEST_BODY:
            raise Refused(21617)
        closed = not template and self.now() - self.wrote_at.get(to, datetime.min.replace(tzinfo=UTC)) > WINDOW
        if closed and not self.async_errors:
            raise Refused(63016)
        message = Message(
            new_sid("MM" if "MediaUrl" in form else "SM"),
            self.number,
            to,
            body,
            "outbound-api",
            "queued",
            self.now(),
            swallowed=closed,
            media=tuple(value for name, value in form.items() if name == "MediaUrl"),
            template=template,
            variables=form.get("ContentVariables", ""),
            callback=form.get("StatusCallback", ""),
        )
        self.messages[message.sid] = message
        return message

    def _check_ends(self, form: dict[str, str]) -> None:
        to = form.get("To", "")
        if not to:
            raise Refused(21604)
        if form.get("From") != self.number:
            raise Refused(63007)
        if not to.removeprefix("whatsapp:+").isdigit():
            raise Refused(21211)
        if to in self.opted_out:
            raise Refused(21610)
        if to in self.unknown:
            raise Refused(63024)
        if "://127." in form.get("StatusCallback", ""):
            raise Refused(21609)

    def delete(self, sid: str) -> None:
        """Delete a message."""
        message = self.messages.get(sid)
        if message is None:
            raise Refused(20404)
        if message.status in UNDERWAY:
            raise Refused(20009)
        del self.messages[sid]

    async def tell(self) -> None:
        """Wake those who wait for a change."""
        async with self.changed:
            self.changed.notify_all()

    def note(self, operation: str, form: dict[str, str]) -> Call:
        """Keep a call."""
        call = Call(operation, form, at=time.monotonic())
        self.calls.append(call)
        return call


def new_sid(prefix: str) -> str:
    """Make a new identifier."""
    return prefix + secrets.token_hex(16)


def _check_variables(text: str) -> None:
    """Refuse what a template cannot take: no JSON object of strings, line breaks, many spaces, nothing at all."""
    try:
        variables = msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        raise Refused(21656) from None
    if any(not value or "\n" in value or "\t" in value or "     " in value for value in variables.values()):
        raise Refused(21656)


def _rfc(instant: datetime | None) -> str | None:
    return None if instant is None else format_datetime(instant.replace(microsecond=0))
