"""What several commands need made from the configuration: the storage, access, the order of a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrebot import logs
from migrebot.access import Access, load_secret
from storage.backups.order import Order, Place
from storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from datetime import datetime

    from migrebot.clock import Clock
    from migrebot.config import Config
    from storage.interface import Storage


def open_storage(config: Config, *, alone: bool = True) -> Storage:
    """Give the storage that the configuration names, not opened yet; `alone` refuses a second process on a file."""
    language = config.bot.language
    if config.storage.file is not None:
        return SqliteStorage(config.storage.file, default_language=language, alone=alone)
    from storage.postgres import PostgresStorage

    url, connections = config.storage.url.reveal(), config.storage.connections
    return PostgresStorage(url, connections=connections, default_language=language)


def make_access(config: Config, clock: Clock) -> Access:
    """Give the rules of who may open what over HTTP; raises `UserError` if the signing secret cannot be read."""
    return Access(
        token=config.http.token.reveal(),
        public_url=config.http.public_url,
        secret=load_secret(config.bot.data_dir / "secret.key"),
        used_links=config.bot.data_dir / "used-links",
        clock=clock,
    )


def backup_order(config: Config, now: datetime) -> Order:
    """Give the order of a backup as it is configured."""
    database, backup = config.storage.file, config.backup
    if database is None:
        place = Place(url=config.storage.url.reveal(), work=str(config.bot.data_dir))
    else:
        place = Place(file=str(database), work=str(database.parent))
    return Order(
        place=place,
        directory=str(backup.directory),
        now=now,
        recipient=backup.recipient,
        keep_days=backup.keep_days,
    )


def hide_secrets(config: Config) -> None:
    """Keep every secret of the configuration out of the log."""
    telegram = config.telegram
    secrets = (telegram.token, telegram.webhook_secret, config.http.token, config.twilio.auth_token)
    for secret in (*secrets, config.storage.password, config.backup.yandex_token):
        logs.hide(secret.reveal())
    logs.hide(urlsplit(config.redis.url.reveal()).password or "")
