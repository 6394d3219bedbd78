"""The WhatsApp channel by Twilio, its inward half: takes webhooks and acknowledges them only once they are stored.

Owns the two webhooks and the catching up. Receives nothing; asks the dialogue to store each `Inbound` or `Undecodable`
and waits for its `Stored`; stores how sent messages fare. Emits `ChatOpened` when a person writes, and alerts. The
outward half is `actors.twilio_sender`.

Twilio tries a webhook again for fifteen seconds and then never more. So what came while the program was down, or could
not be reached, is fetched: at the start, before any newer message is taken, and every few minutes. It has the same
keys, and is stored once.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from datetime import timedelta
from html import escape
from ipaddress import ip_address
from typing import TYPE_CHECKING, Never
from urllib.parse import parse_qsl, urlsplit

import anyio
from aiohttp import web
from anyio import to_thread
from msgspec import Struct

from actors import twilio_wire as wire
from actors.actor import Actor, Health, Mailbox, MailboxClosed, NotHandled
from actors.twilio_errors import OUTSIDE_WINDOW, ends_contact
from actors.twilio_link import AccountRefused
from actors.waking import wake
from migrebot.errors import NotSent, Refused, StorageUnavailable, Uncertain
from migrebot.logs import get_logger
from migrebot.messages import Address, Alert, Inbound, Outgoing, Priority, Profile, Say, Withdraw
from storage.changes import Change, Enqueue, MissRecipient, Mute, NoteFate, NoteInstant, Unit
from storage.facts import IsAnnouncement, NotedInstant
from storage.records import InboxKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack
    from datetime import datetime

    from twilio.request_validator import RequestValidator

    from actors.twilio_client import Received, TwilioClient
    from actors.twilio_sender import TwilioSender
    from migrebot.clock import Clock
    from migrebot.config import Twilio
    from migrebot.messages import ToDelivery, ToDialogue
    from storage.interface import Storage

PATH = "/webhooks/twilio"
STATUS_PATH = "/webhooks/twilio/status"
"""Where Twilio posts what people write, and how our messages fare, below the program's public address."""

RETRY_ADVICE = "#rc=5&rp=all"
"""The end of the webhook's address that makes Twilio try again whatever went wrong, not only the connection."""

STORING_LIMIT = 8.0
"""Seconds a message may take to be stored; after that Twilio is asked to post it again."""

CATCHING_UP_LIMIT = 5.0
"""Seconds after the start for which new messages wait for older ones; Twilio gives up after 15."""

LOOK_EVERY = 300.0
"""Seconds between two looks for messages whose webhook failed."""

RETRY = 30.0
"""Seconds until a look that failed is tried again; also the time of the second look, for what came during the start."""

OVERLAP = timedelta(minutes=5)
"""How much of the time looked at before is looked at again: listings show a message late now and then."""

GRACE = timedelta(seconds=30)
"""How long a webhook has for itself: it tells more than a listing does (places, buttons)."""

MOST = 10_000
"""Messages fetched at once; who was away for longer than these last gets the newest."""

WITHDRAW_AFTER = timedelta(minutes=1)
"""How long a file that arrived stays at Twilio."""

_ROW = re.compile(r"[0-9]{1,18}")
_NOTED = "whatsapp listed"
_DONE = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_log = get_logger("twilio")


class TwilioTask(Struct, frozen=True, kw_only=True):
    """What the actor is to do: its slice of the configuration; `public_url` is asked once the actor runs."""

    config: Twilio
    public_url: Callable[[], str]


class TwilioActor(Actor[Never]):
    """Takes what people write on WhatsApp: each message once, none acknowledged before it is stored."""

    name = "twilio"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Never],
        dialogue: Mailbox[ToDialogue],
        delivery: Mailbox[ToDelivery],
        sender: TwilioSender,
        storage: Storage,
        clock: Clock,
        task: TwilioTask,
        on_alert: Callable[[Alert], None],
    ) -> None:
        super().__init__(mailbox)
        self._dialogue = dialogue
        self._delivery = delivery
        self._sender = sender
        self._storage = storage
        self._clock = clock
        self._task = task
        self._on_alert = on_alert
        self._number = f"whatsapp:{task.config.whatsapp_number}"
        self._validator: RequestValidator | None = None
        self._caught_up = anyio.Event()
        self._holds_until = 0.0
        self._scope = anyio.CancelScope()
        self._stopped = False

    async def start(self, resources: AsyncExitStack) -> None:
        """Load what checks signatures, so that webhooks are taken from the first moment."""
        del resources
        self._validator = await to_thread.run_sync(_validator, self._task.config.auth_token.reveal())
        self._holds_until = self._clock.monotonic() + CATCHING_UP_LIMIT
        self.health = Health(detail="starting")

    async def run(self) -> None:
        """Open the client, then look now and then for messages whose webhook failed, until `stop`."""
        with anyio.CancelScope() as self._scope:
            if self._stopped:
                return
            client = await self._sender.link.open()
            await self._sender.opened()
            is_first = True
            while True:
                is_done = await self._look(client, is_first=is_first)
                self._caught_up.set()
                await self._clock.sleep(LOOK_EVERY if is_done and not is_first else RETRY)
                is_first = is_first and not is_done

    async def stop(self) -> None:
        """Look no more; webhooks end with the web server."""
        await super().stop()
        self._stopped = True
        self._scope.cancel()

    # --- webhooks ---

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve."""
        return [web.post(PATH, self._inbound), web.post(STATUS_PATH, self._status)]

    async def _inbound(self, request: web.Request) -> web.Response:
        """Store a message that Twilio posts, then say so; what is not answered with 200 is posted again."""
        form = await self._form(request)
        if form.get("To") != self._number or not form.get("From", "whatsapp:").startswith("whatsapp:"):
            raise web.HTTPForbidden
        token = request.headers.get("I-Twilio-Idempotency-Token", "")
        message = wire.decode(form, await request.read(), token, self._clock.now())
        if not self._caught_up.is_set():
            with self._clock.move_on_after(self._holds_until - self._clock.monotonic()):
                await self._caught_up.wait()
        with self._clock.move_on_after(STORING_LIMIT):
            await self._dialogue.ask(message)
            if isinstance(message, Inbound):
                await self._sender.person_wrote(message.address.value)
            return web.Response(text=_DONE, content_type="text/xml")
        raise web.HTTPServiceUnavailable

    async def _form(self, request: web.Request) -> dict[str, str]:
        """Read a form that Twilio itself signed for this address and this account."""
        if request.content_type != "application/x-www-form-urlencoded":
            raise web.HTTPBadRequest(text="A form is expected.\n")
        try:
            body = (await request.read()).decode(request.charset or "utf-8")
            fields = parse_qsl(body, keep_blank_values=True, errors="strict")
        except ValueError:
            raise web.HTTPBadRequest(text="The form cannot be read.\n") from None
        form = dict(fields)
        url = self._task.public_url().rstrip("/") + request.rel_url.raw_path_qs
        if not self._is_signed(url, form, request.headers.get("X-Twilio-Signature", "")):
            raise web.HTTPForbidden
        if form.get("AccountSid") != self._task.config.account_sid:
            raise web.HTTPForbidden
        if len(form) != len(fields):
            raise web.HTTPBadRequest(text="A field comes twice.\n")
        return form

    def _is_signed(self, url: str, form: dict[str, str], signature: str) -> bool:
        """Tell whether Twilio signed this form for this address."""
        if self._validator is None or not signature:
            return False
        given = signature.encode("utf-8", "surrogateescape")
        # As Twilio's own validator does it where no field comes twice; that one takes a tenth of the whole request.
        signed = url + "".join([name + form[name] for name in sorted(form)])
        token = self._task.config.auth_token.reveal().encode()
        if hmac.compare_digest(b64encode(hmac.digest(token, signed.encode(), "sha1")), given):
            return True
        # It tries the address with a port and without one.
        return bool(self._validator.validate(url, form, signature))

    # --- how our messages fare ---

    async def _status(self, request: web.Request) -> web.Response:
        """Note how a message fares, in whatever order the news come."""
        form = await self._form(request)
        fate = wire.fate(form)
        if fate is not None and form.get("From", self._number) == self._number:
            row = request.query.get("row", "")
            # First: what follows depends on what the message was, which is known by its name.
            if fate.to and _ROW.fullmatch(row):
                await self._storage.confirm(int(row), Address("whatsapp", fate.to), fate.sid, self._clock.now())
            changes = await self._consequences(fate, withdraw=request.query.get("withdraw") == "1")
            reason = f"error {fate.code}" if fate.code else ""
            note = NoteFate(
                channel="whatsapp", message_id=fate.sid, fate=fate.status, rank=wire.RANKS[fate.status], reason=reason
            )
            await self._store(Unit(changes=(note,)))
            if changes:
                # Once for each message, however often its end is told.
                await self._store(Unit(key=InboxKey("whatsapp", f"end:{fate.sid}"), changes=changes))
        return web.Response()

    async def _store(self, unit: Unit) -> None:
        (result,) = await self._storage.commit([unit], self._clock.now())
        await wake(self._delivery, result.tickets)

    async def _consequences(self, fate: wire.Fate, *, withdraw: bool) -> tuple[Change, ...]:
        address = Address("whatsapp", fate.to)
        changes: list[Change] = []
        if fate.status in wire.LOST and fate.to:
            _log.warning("message_lost", error=fate.code)
            if ends_contact(fate.code):
                changes.append(Mute(address, f"error {fate.code}"))
            elif fate.code == OUTSIDE_WINDOW:
                changes += await self._once_more(address, fate.sid)
            else:
                text = f"A WhatsApp message did not arrive: Twilio's error {fate.code}."
                self._on_alert(Alert(cause=f"whatsapp lost {fate.code}", text=text))
        if withdraw and wire.RANKS[fate.status] >= wire.RANKS["delivered"]:
            at = self._clock.now() + WITHDRAW_AFTER
            changes.append(
                Enqueue(Outgoing(address=address, body=Withdraw(fate.sid), priority=Priority.QUESTION, not_before=at))
            )
        return tuple(changes)

    async def _once_more(self, address: Address, sid: str) -> list[Change]:
        """Take a message that the closed window swallowed from Twilio's own copy: it waits now, or goes by template.

        An announcement does neither, and did not reach that person.
        """
        self._sender.window_closed(address.value)
        fact = IsAnnouncement(0, "whatsapp", sid)
        if (await self._storage.load([fact]))[fact]:
            return [MissRecipient("whatsapp", sid)]
        client = self._sender.link.client
        (known,) = await self._storage.who([(address, Profile())], self._clock.now())
        if client is None or known.is_new:
            return []
        try:
            text = await client.body(sid)
        except (NotSent, Uncertain, Refused) as error:
            _log.warning("lost_message_not_read", reason=error.reason)
            raise web.HTTPServiceUnavailable from None
        again = Say(escape(text, quote=False))
        return [Enqueue(Outgoing(address=address, body=again, user_id=known.user.id, priority=Priority.REMINDER))]

    # --- catching up ---

    async def _look(self, client: TwilioClient, *, is_first: bool) -> bool:
        """Store what came since the last look and was not stored; tell whether all of it is."""
        now = self._clock.now()
        try:
            since: datetime | None = (await self._storage.load([_LAST_LOOK]))[_LAST_LOOK]
            if since is not None:
                found = await client.received(since - OVERLAP, MOST)
                await self._take([message for message in found if is_first or message.sent_at <= now - GRACE])
            await self._storage.commit([Unit(changes=(NoteInstant(_NOTED, now),))], now)
        except AccountRefused as refused:
            self._on_alert(refused.alert)
            self.health = Health(detail=refused.reason)
        except (NotSent, Uncertain, Refused) as error:
            _log.warning("messages_not_listed", reason=error.reason)
            self.health = Health(detail=f"messages cannot be listed: {error.reason}")
        except (StorageUnavailable, NotHandled, MailboxClosed) as error:
            _log.warning("messages_not_stored", reason=type(error).__name__)
        else:
            self.health = Health()
            return True
        return False

    async def _take(self, found: list[Received]) -> None:
        keys = [InboxKey("whatsapp", message.sid) for message in found]
        handled = await self._storage.handled(keys) if keys else set()
        taken = 0
        for received, key in zip(found, keys, strict=True):
            message = wire.listed(received.sid, received.sender, received.body, received.media, received.sent_at)
            if key in handled or message is None:
                continue
            outcome = (await self._dialogue.ask(message)).outcome
            taken += outcome == "done"
            await self._sender.person_wrote(message.address.value)
        if taken:
            _log.warning("messages_caught_up", count=taken)


_LAST_LOOK = NotedInstant(0, _NOTED)


def _validator(token: str) -> RequestValidator:
    from twilio.request_validator import RequestValidator

    return RequestValidator(token)


def webhook_address(public_url: str) -> str:
    """Give what the operator pastes into Twilio's console."""
    return f"{public_url}{PATH}{RETRY_ADVICE}"


def callback_address(public_url: str) -> str:
    """Give where Twilio is to report; empty for an address that it refuses, being none of the world outside."""
    host = urlsplit(public_url).hostname or ""
    try:
        is_inside = ip_address(host).is_private
    except ValueError:
        is_inside = host == "localhost"
    return "" if is_inside else f"{public_url}{STATUS_PATH}"
