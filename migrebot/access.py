"""Who may open what over HTTP, and the signed things that prove it: login links, sessions, chat cookies.

Plain rules without a server. What signs lives in one file of the data directory, shared by the command line, which
makes login links, and the server, which accepts them; without that file nobody can forge either.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from contextlib import suppress
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from msgspec import Struct

from migrebot.errors import StorageUnavailable, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrebot.clock import Clock

LINK_LIFETIME = timedelta(minutes=10)
"""How long a login link may wait to be opened."""

SESSION_LIFETIME = timedelta(days=30)
"""How long a browser stays signed in."""

CHAT_LIFETIME = timedelta(days=400)
"""How long a browser keeps its chat after the last visit; browsers cut anything longer down to this."""

FILE_LIFETIME = timedelta(minutes=10)
"""How long a link to a document is good."""

_OPEN_TO_ALL = frozenset({"/healthz", "/readyz", "/login", "/files/{token}"})
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
_SECRET_BYTES = 32

Verdict = Literal["enter", "stay out", "wait"]


class ChatPass(Struct, frozen=True, kw_only=True):
    """What one browser is in the local chat.

    `cookie` opens the chat and is known to the browser alone; `chat` is the address the program stores, from which the
    cookie cannot be found; `csrf` is the token that the chat's own page sends along.
    """

    cookie: str
    chat: str
    csrf: str


class Guesses:
    """Counts wrong guesses for each peer: after too many within a minute that peer has to wait for the minute's end."""

    limit = 10
    window = 60.0
    peers = 1_000

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[float, int]] = {}

    def wait(self, peer: str, now: float) -> float:
        """Tell for how many seconds this peer's guesses are not looked at."""
        since, count = self._wrong.get(_neighbourhood(peer), (now, 0))
        return max(0.0, since + self.window - now) if count >= self.limit else 0.0

    def wrong(self, peer: str, now: float) -> None:
        """Note a wrong guess."""
        peer = _neighbourhood(peer)
        since, count = self._wrong.pop(peer, (now, 0))
        if now - since >= self.window:
            since, count = now, 0
        if len(self._wrong) >= self.peers:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[peer] = (since, count + 1)


class Access:
    """Decides who may enter.

    `token` is `http.token` (empty: none), `public_url` the address people know, `secret` what `load_secret` gave.
    `used_links` is a directory where opened links leave a mark: an empty file each, created exclusively. A list in
    memory would let a restart open a link again, and to refuse all links older than the start would refuse those made
    just before it, which is when people make them.
    """

    def __init__(self, *, token: str, public_url: str, secret: bytes, used_links: Path, clock: Clock) -> None:
        self.public_url = public_url.rstrip("/")
        self.secure = public_url.lower().startswith("https://")
        self._token = token.encode("utf-8", "surrogateescape")
        self._secret = secret
        self._used_links = used_links
        self._clock = clock
        self._guesses = Guesses()
        self._links = _timed(secret, "migrebot login link")
        self._sessions = _timed(secret, "migrebot session")
        self._files = _timed(secret, "migrebot file")
        self._chats = URLSafeSerializer(secret, "migrebot chat", signer_kwargs=_SIGNING)
        # Cookies know no ports: without its own name, a second program on this machine would overwrite the cookie of
        # the first, and with it somebody's way to their diary.
        mark = hashlib.sha256(b"migrebot installation" + secret).hexdigest()[:8]
        prefix = "__Host-" if self.secure else ""
        self.installation = mark
        self.session_cookie = f"{prefix}migrebot-session-{mark}"
        self.chat_cookie = f"{prefix}migrebot-chat-{mark}"

    # --- who may enter -----------------------------------------------------------------------------------------

    def judge(self, *, peer: str, headers: Mapping[str, str], session: str) -> Verdict:
        """Decide about a request to anything that is not open to all; `session` is the value of the session cookie."""
        if self.session_valid(session):
            return "enter"
        if not self._token:
            return "enter" if is_local(peer, headers.get("Host", ""), headers) else "stay out"
        given = _BEARER.fullmatch(headers.get("Authorization", ""))
        if given is None:
            return "stay out"
        if self.seconds_to_wait(peer):
            return "wait"
        if hmac.compare_digest(given[1].encode("utf-8", "surrogateescape"), self._token):
            return "enter"
        self._guesses.wrong(peer, self._clock.monotonic())
        return "stay out"

    def seconds_to_wait(self, peer: str) -> float:
        """Tell for how long this peer may not try tokens and links, after too many wrong ones."""
        return self._guesses.wait(peer, self._clock.monotonic())

    # --- links and sessions ------------------------------------------------------------------------------------

    def login_link(self) -> str:
        """Make a link that opens one session, once, within `LINK_LIFETIME`."""
        return f"{self.public_url}/login?code={self._links.dumps(secrets.token_urlsafe(16))}"

    def open_session(self, code: str, peer: str) -> str | None:
        """Use up a link's code: gives the value of a session cookie, or None if the code does not count (any more).

        Raises `StorageUnavailable` if it cannot be noted that the link was used.
        """
        nonce = self._read(self._links, code, LINK_LIFETIME)
        if nonce is None or not self._use(nonce):
            self._guesses.wrong(peer, self._clock.monotonic())
            return None
        return str(self._sessions.dumps(secrets.token_urlsafe(16)))

    def session_valid(self, cookie: str) -> bool:
        """Tell whether this cookie is an open session."""
        return bool(cookie) and self._read(self._sessions, cookie, SESSION_LIFETIME) is not None

    # --- documents ---------------------------------------------------------------------------------------------

    def sign_file(self, what: bytes) -> str:
        """Make the token of a link to a document."""
        return str(self._files.dumps(what.decode()))

    def signed_file(self, token: str) -> bytes | None:
        """Read the token of a link; None if it is not one of ours, or older than `FILE_LIFETIME`."""
        what = self._read(self._files, token, FILE_LIFETIME)
        return None if what is None else what.encode()

    # --- the local chat ----------------------------------------------------------------------------------------

    def new_chat(self) -> ChatPass:
        """Make a chat for a browser that has none."""
        return self._chat_pass(secrets.token_urlsafe(24))

    def open_chat(self, cookie: str) -> ChatPass | None:
        """Read a chat cookie; None if it is not one of ours."""
        try:
            chat_id = self._chats.loads(cookie)
        except BadData:
            return None
        return self._chat_pass(str(chat_id))

    def own_request(self, visitor: ChatPass, headers: Mapping[str, str]) -> bool:
        """Tell whether a changing request comes from the chat's own page and not from a stranger's (CSRF)."""
        site = headers.get("Sec-Fetch-Site")
        origin = headers.get("Origin")
        if site is not None:
            ours = site == "same-origin"
        else:
            ours = origin is None or origin.lower() in self._origins(headers.get("Host", ""))
        token = headers.get("X-CSRF-Token", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(token, visitor.csrf.encode()) and ours

    def _origins(self, host: str) -> set[str]:
        return {f"http://{host}".lower(), f"https://{host}".lower(), self.public_url.lower()}

    def _chat_pass(self, chat_id: str) -> ChatPass:
        return ChatPass(
            cookie=str(self._chats.dumps(chat_id)),
            chat=hashlib.sha256(b"migrebot chat:" + chat_id.encode()).hexdigest()[:32],
            csrf=hmac.new(self._secret, b"csrf:" + chat_id.encode(), hashlib.sha256).hexdigest()[:32],
        )

    def _read(self, serializer: URLSafeTimedSerializer, value: str, lifetime: timedelta) -> str | None:
        try:
            content, signed_at = serializer.loads(value, return_timestamp=True)
        except BadData:
            return None
        # Not the serializer's own `max_age`: it asks the machine's clock, not the program's.
        return str(content) if self._clock.now() - signed_at <= lifetime else None

    def _use(self, nonce: str) -> bool:
        mark = self._used_links / hashlib.sha256(nonce.encode()).hexdigest()[:32]
        try:
            self._prepare_marks()
            return _created(mark)
        except OSError as error:
            raise StorageUnavailable(f"cannot note that a login link was used: {error.strerror}") from error

    def _prepare_marks(self) -> None:
        self._used_links.mkdir(mode=0o700, parents=True, exist_ok=True)
        outlived = self._clock.now().timestamp() - 2 * LINK_LIFETIME.total_seconds()
        for mark in self._used_links.iterdir():
            with suppress(FileNotFoundError):
                if mark.stat().st_mtime < outlived:
                    mark.unlink()


def is_local(peer: str, host: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request comes from this machine itself: loopback peer, local name, no proxy in between.

    The name matters because a page of a stranger can make its own name point to 127.0.0.1 (DNS rebinding).
    """
    if not _LOCAL_HOST.fullmatch(host) or not _is_loopback(peer):
        return False
    names = {name.lower() for name in headers}
    return not any(name in {"forwarded", "via"} or name.startswith("x-forwarded-") for name in names)


def has_local_name(url: str) -> bool:
    """Tell whether an address names this machine itself, or nothing at all."""
    return not url or _LOCAL_HOST.fullmatch(urlsplit(url).netloc) is not None


def is_open(route: str) -> bool:
    """Tell whether this route (as it was declared, not as it was asked for) is open to all."""
    return route in _OPEN_TO_ALL or route.startswith("/webhooks/")


def load_secret(path: Path) -> bytes:
    """Read the signing secret, making it first if there is none; whoever comes first wins, others read theirs."""
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    if len(secret) < _SECRET_BYTES:
        raise UserError(f"{path}: damaged; restore it, or delete it (all browsers are signed out then)")
    return secret


def _created(path: Path) -> bool:
    """Create an empty file; tell whether it is new."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _make_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(_SECRET_BYTES).encode())
            file.flush()
            os.fsync(descriptor)
        # A rename would replace a secret that somebody else has made meanwhile and already uses.
        with suppress(FileExistsError):
            _link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        draft.replace(path)  # a file system without hard links


_SIGNING: dict[str, Any] = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}


def _timed(secret: bytes, salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt, signer_kwargs=_SIGNING)


def _is_loopback(peer: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _neighbourhood(peer: str) -> str:
    """Give the network whose guesses count together: whoever has one IPv6 address has the 2^64 beside it."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)
