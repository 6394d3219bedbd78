"""Twilio's REST API, by its own package: the few calls made here, and where the network's errors become ours.

Never imported at the top of another module: see `actors.twilio_link`.

The package's asynchronous HTTP client leaves its timeout out, cannot write a form with a list in it, and hides the
`Retry-After` header; the one here does these three things, the rest is the package's.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

import msgspec
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    TCPConnector,
    encode_basic_auth,
)
from msgspec import Struct
from twilio.base import values
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from actors.twilio_errors import NOT_FOUND, AccountUnknown, translated
from actors.twilio_link import AccountRefused
from migrebot.errors import NotSent, Refused, Uncertain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from datetime import datetime

    from migrebot.clock import Clock
    from migrebot.config import Twilio

T = TypeVar("T")

DEADLINE = 15.0
"""Seconds a call may take; Twilio answers within one or two."""

CONNECTIONS = 64
"""At once: delivery's parallel sends and the listing."""

PAGE = 200
"""Messages of one page of a listing; Twilio gives up to 1,000."""

# The connect has a deadline of its own, since one that fails was surely not sent.
_TIMEOUT = ClientTimeout(total=None, connect=8, sock_connect=8)


class _Error(Struct):
    code: int = 0


_error = msgspec.json.Decoder(_Error)


class Received(Struct, frozen=True, kw_only=True):
    """A message from a person, as a listing shows it: no more than its text and how many pictures came with it."""

    sid: str
    sender: str
    body: str
    media: int
    sent_at: datetime


class OfOurs(Struct, frozen=True, kw_only=True):
    """A message to a person, as a listing shows it; `created_at` is in whole seconds."""

    sid: str
    body: str
    created_at: datetime


class _Http(AsyncHttpClient):  # type: ignore[misc]  # the package has no types
    """The package's HTTP, on aiohttp: every call goes to `api_base`, and an error is raised as ours."""

    def __init__(self, api_base: str) -> None:
        super().__init__(logging.getLogger("twilio.http"), is_async=True)
        self._base = api_base.rstrip("/")
        self._session = ClientSession(connector=TCPConnector(limit=CONNECTIONS), timeout=_TIMEOUT)

    async def request(  # noqa: PLR0917 - the package's signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_: object,
    ) -> Response:
        """Make a request."""
        parts = urlsplit(uri)
        url = f"{self._base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        # A redirect would carry the account's token elsewhere.
        async with self._session.request(
            method,
            url,
            params={name: str(value) for name, value in (params or {}).items()},
            data=urlencode(data, doseq=True) if data else None,
            headers={**(headers or {}), "Authorization": encode_basic_auth(*auth or ("", ""))},
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            if answer.status >= 300:
                raise translated(answer.status, _code(body), _seconds(answer.headers.get("Retry-After")))
            return Response(answer.status, body.decode("utf-8", "replace"), answer.headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


class TwilioClient:
    """One account's Messages.

    Every method is bounded in time and raises `NotSent` (`AccountRefused` among them), `Uncertain` or `Refused`.
    """

    def __init__(self, *, config: Twilio, clock: Clock) -> None:
        self._http = _Http(config.api_base)
        self._number = f"whatsapp:{config.whatsapp_number}"
        self._client = Client(config.account_sid, config.auth_token.reveal(), http_client=self._http)
        self._clock = clock

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def say(self, to: str, body: str, *, callback: str, media: str = "") -> str:
        """Send a text, perhaps with a file that Twilio fetches at the address `media`; gives the message's sid."""
        message = await self._bounded(
            self._client.messages.create_async(
                to=to,
                from_=self._number,
                body=body or values.unset,
                media_url=[media] if media else values.unset,
                status_callback=callback or values.unset,
            )
        )
        return _sid(message)

    async def say_by_template(self, to: str, content_sid: str, variables: Mapping[str, str], *, callback: str) -> str:
        """Send an approved template; gives the message's sid."""
        message = await self._bounded(
            self._client.messages.create_async(
                to=to,
                from_=self._number,
                content_sid=content_sid,
                content_variables=msgspec.json.encode(variables).decode(),
                status_callback=callback or values.unset,
            )
        )
        return _sid(message)

    async def received(self, since: datetime, most: int) -> list[Received]:
        """List what people sent since then, the oldest first; of more than `most` the newest."""
        page = await self._bounded(
            self._client.messages.page_async(to=self._number, date_sent_after=since, page_size=PAGE)
        )
        found: list[Received] = []
        while page is not None:
            found += [_received(message) for message in page if message.direction == "inbound" and message.date_sent]
            page = await self._bounded(page.next_page_async()) if len(found) < most else None
        return sorted(found, key=lambda message: message.sent_at)

    async def sent(self, to: str) -> list[OfOurs]:
        """List the latest messages to an address, as many as fit on a page."""
        page = await self._bounded(self._client.messages.page_async(to=to, from_=self._number, page_size=PAGE))
        return [
            OfOurs(sid=str(message.sid), body=str(message.body or ""), created_at=message.date_created)
            for message in page
            if message.direction != "inbound" and message.date_created
        ]

    async def body(self, sid: str) -> str:
        """Read the text of a message."""
        return str((await self._bounded(self._client.messages(sid).fetch_async())).body or "")

    async def exchanged(self, address: str) -> list[str]:
        """List the sids of all messages to and from an address, as many as fit on a page each."""
        messages = self._client.messages
        to = await self._bounded(messages.page_async(to=address, page_size=PAGE))
        from_ = await self._bounded(messages.page_async(from_=address, page_size=PAGE))
        return [str(message.sid) for page in (to, from_) for message in page]

    async def delete(self, sid: str) -> None:
        """Delete a message and its files at Twilio; one that is gone counts as deleted."""
        message = self._client.messages(sid)
        try:
            for media in await self._bounded(message.media.list_async(limit=10)):
                await self._bounded(message.media(media.sid).delete_async())
            await self._bounded(message.delete_async())
        except Refused as refused:
            if refused.reason not in (f"error {NOT_FOUND}", "error 404"):
                raise

    async def account(self) -> str:
        """Ask for the account's status."""
        return str((await self._bounded(self._client.api.v2010.account.fetch_async())).status)

    async def _bounded(self, work: Awaitable[T]) -> T:
        with self._clock.move_on_after(DEADLINE):
            try:
                return await work
            except AccountUnknown:
                raise AccountRefused from None
            except (TwilioException, ClientError, OSError, ValueError) as error:
                # Not chained: these carry addresses, and an address holds a telephone number.
                raise _network(error) from None
        raise Uncertain("no answer in time")


def _network(error: Exception) -> NotSent | Uncertain:
    name = type(error).__name__
    if isinstance(error, ClientConnectorError | ConnectionTimeoutError):
        # Name not found, refused, no route, TLS, or no connection in time: the request never left.
        return NotSent(name, whole_channel=True)
    return Uncertain("the answer is not Twilio's" if isinstance(error, ValueError | TwilioException) else name)


def _sid(message: Any) -> str:
    if not isinstance(message.sid, str):
        raise Uncertain("the answer names no message")
    return message.sid


def _received(message: Any) -> Received:
    media = str(message.num_media or "0")
    return Received(
        sid=str(message.sid),
        sender=str(message.from_),
        body=str(message.body or ""),
        media=int(media) if media.isdecimal() and len(media) < 4 else 0,
        sent_at=cast("datetime", message.date_sent),
    )


def _code(body: bytes) -> int:
    try:
        return _error.decode(body).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdecimal() and len(header) < 7 else None
