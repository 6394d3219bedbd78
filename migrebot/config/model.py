"""The configuration as the program sees it: one frozen struct a section, every value typed and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from migrebot.config.values import Owner, Secret


class Bot(Struct, frozen=True, kw_only=True):
    """The bot itself. `owner` is None without one, `timezone` an IANA name, `data_dir` absolute."""

    owner: Owner | None
    language: Literal["en", "ru", "uk", "fr", "es"]
    timezone: str
    data_dir: Path
    production: bool
    require_consent: bool


class Storage(Struct, frozen=True, kw_only=True):
    """The database: its address as given, and the absolute path of its SQLite file; None for Postgres.

    `connections` are those to a Postgres server, at most.
    """

    url: Secret
    connections: int
    file: Path | None

    @property
    def password(self) -> Secret:
        """The password in the address, as it was before it was put there; empty without one."""
        return Secret("" if self.file else unquote(urlsplit(self.url.reveal()).password or ""))


class Telegram(Struct, frozen=True, kw_only=True):
    """Telegram: off while `token` is empty; `webhook_secret` is empty when each start is to make its own."""

    token: Secret
    api_base: str
    mode: Literal["polling", "webhook"]
    webhook_secret: Secret
    messages_per_second: float
    messages_per_chat_second: float
    provider_token: Secret


class Twilio(Struct, frozen=True, kw_only=True):
    """WhatsApp by Twilio: off while the account, the token or the bot's number (`+…`) is empty."""

    account_sid: str
    auth_token: Secret
    whatsapp_number: str
    api_base: str
    reminder_content_sid: str
    messages_per_second: float

    @property
    def is_on(self) -> bool:
        """Tell whether there is all that WhatsApp needs."""
        return bool(self.account_sid and self.auth_token and self.whatsapp_number)

    def __repr__(self) -> str:
        return f"Twilio(account_sid={self.account_sid!r}, ...)"


class Donate(Struct, frozen=True, kw_only=True):
    """Donations: a page for them, empty for none; `currency` counts once Telegram has a payment provider."""

    url: str
    currency: str


class Http(Struct, frozen=True, kw_only=True):
    """The web server: `port` 0 picks a free one, `local_chat` None leaves it to the program.

    `public_url` is empty when it was not set and the port is yet to be picked: then `address` makes it.
    """

    host: str
    port: int
    public_url: str
    token: Secret
    local_chat: bool | None

    def address(self, port: int) -> str:
        """Return `http://HOST:PORT` for the port the server listens on."""
        return address(self.host, port)


class Redis(Struct, frozen=True, kw_only=True):
    """The Redis server that states are mirrored to; an empty `url` keeps the mirror in the process."""

    url: Secret


class Reports(Struct, frozen=True, kw_only=True):
    """When reports are made: cron expressions in `bot.timezone`, empty for never."""

    daily: str


class Backup(Struct, frozen=True, kw_only=True):
    """Backups: `schedule` is a cron expression in `bot.timezone` or empty, `directory` absolute."""

    schedule: str
    directory: Path
    keep_days: int
    recipient: str
    allow_plain_upload: bool
    yandex_token: Secret
    yandex_api_base: str


class Forms(Struct, frozen=True, kw_only=True):
    """Forms: after how many hours without an answer one is closed."""

    timeout_hours: float


class Retention(Struct, frozen=True, kw_only=True):
    """How long is kept what should not stay: answers of abandoned forms, and input that could not be handled."""

    abandoned_form_hours: float
    quarantine_days: float


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration; `notices` are lines for the log about what was given and has no effect."""

    bot: Bot
    storage: Storage
    telegram: Telegram
    twilio: Twilio
    donate: Donate
    http: Http
    redis: Redis
    reports: Reports
    backup: Backup
    forms: Forms
    retention: Retention
    notices: tuple[str, ...] = ()


class ConfigError(Exception):
    """The configuration cannot be used; `errors` holds one readable line for each thing that is wrong."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def address(host: str, port: int) -> str:
    """Return `http://HOST:PORT`, with an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
