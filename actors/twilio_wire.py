"""How Twilio's webhooks become messages: pure functions from a form to `Inbound` or `Undecodable`.

The fields are those of www.twilio.com/docs/messaging/guides/webhook-request. Of a picture only its kind is looked at:
nothing is ever fetched from an address that came in.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from migrebot.messages import (
    Address,
    Content,
    Inbound,
    Left,
    Location,
    Press,
    Profile,
    Returned,
    Text,
    Undecodable,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_SENDER = re.compile(r"whatsapp:\+[1-9]\d{4,14}", re.ASCII)
_SID = re.compile(r"[A-Za-z]{2}[0-9a-fA-F]{32}")
_OURS = re.compile(r"[a-z]{1,3}:[\x21-\x7e]{1,62}")
_KINDS = {"image": "photo", "audio": "voice", "video": "video", "text": "contact"}

RANKS = {
    "accepted": 1,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "read": 5,
}
"""How far a message has come; callbacks arrive in any order."""

LOST = frozenset({"undelivered", "failed"})


class Fate(Struct, frozen=True, kw_only=True):
    """How a sent message fares; `code` is Twilio's error, 0 for none."""

    sid: str
    to: str
    status: str
    code: int


def decode(form: Mapping[str, str], raw: bytes, token: str, now: datetime) -> Inbound | Undecodable:
    """Decode an inbound webhook; `token` is its idempotency token, the same when it comes again. Never raises."""
    sid = form.get("MessageSid") or form.get("SmsMessageSid") or ""
    key = sid if _SID.fullmatch(sid) else _key_without_sid(raw, token)
    sender = form.get("From", "")
    if not _SENDER.fullmatch(sender):
        reason = "not from a number of WhatsApp"
        return Undecodable(channel="whatsapp", key=key, raw=raw, reason=reason, received_at=now)
    return Inbound(
        address=Address("whatsapp", sender),
        key=key,
        content=_content(form),
        received_at=now,
        profile=Profile(first_name=_clean(form.get("ProfileName", ""))[:256]),
        raw=raw,
        message_id=key if key == sid else "",
    )


def listed(sid: str, sender: str, body: str, media: int, sent_at: datetime) -> Inbound | None:
    """Make a message of what a listing shows of it; None if it is not from WhatsApp."""
    if not (_SENDER.fullmatch(sender) and _SID.fullmatch(sid)):
        return None
    content: Content = Text(_clean(body)) if body and not media else Unreadable("photo" if media else "other")
    return Inbound(address=Address("whatsapp", sender), key=sid, content=content, received_at=sent_at)


def fate(form: Mapping[str, str]) -> Fate | None:
    """Decode a status callback; None if it is none that means anything here."""
    sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    if not _SID.fullmatch(sid) or status not in RANKS:
        return None
    code = form.get("ErrorCode", "")
    to = form.get("To", "")
    return Fate(
        sid=sid,
        to=to if _SENDER.fullmatch(to) else "",
        status=status,
        code=int(code) if code.isascii() and code.isdigit() and len(code) < 7 else 0,
    )


def _key_without_sid(raw: bytes, token: str) -> str:
    return f"token:{token[:100]}" if token else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _content(form: Mapping[str, str]) -> Content:
    opted = form.get("OptOutType", "").upper()
    if opted in ("STOP", "START"):
        return Left() if opted == "STOP" else Returned()
    if form.get("Latitude") or form.get("Longitude"):
        return _place(form)
    if form.get("NumMedia", "0") not in ("", "0") or "MediaUrl0" in form:
        return Unreadable(_KINDS.get(form.get("MediaContentType0", "").partition("/")[0], "document"))
    for payload, shown in (("ButtonPayload", "ButtonText"), ("ListId", "ListTitle")):
        if form.get(payload) or form.get(shown):
            return _chosen(form.get(payload, ""), form.get(shown, "") or form.get("Body", ""))
    body = _clean(form.get("Body", ""))
    return Text(body, form.get("OriginalRepliedMessageSid", "")) if body else Unreadable("other")


def _chosen(payload: str, shown: str) -> Content:
    """Read a pressed button of a template: ours carry what our own buttons do, any other stands for its words."""
    if _OURS.fullmatch(payload):
        return Press(payload, "")
    return Text(_clean(shown or payload))


def _place(form: Mapping[str, str]) -> Content:
    try:
        latitude, longitude = float(form.get("Latitude", "")), float(form.get("Longitude", ""))
    except ValueError:
        return Unreadable("location")
    # Neither comparison holds for what is no number.
    if math.fabs(latitude) <= 90 and math.fabs(longitude) <= 180:
        return Location(latitude, longitude)
    return Unreadable("location")


def _clean(text: str) -> str:
    """Replace NUL, which not every database can store; nothing else, since the rest is what the person wrote."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
