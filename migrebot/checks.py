"""Tries every part that the configuration names, for `migrebot check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from msgspec import Struct

from actors.backup_process import try_apart
from actors.front_door import open_paths
from actors.telegram_link import TelegramLink
from actors.twilio_link import TwilioLink
from migrebot import logs
from migrebot.access import has_local_name
from migrebot.clock import SystemClock
from migrebot.errors import NotSent, Refused, StorageUnavailable, Uncertain, UserError
from migrebot.i18n import translator
from migrebot.parts import open_storage
from migrebot.reports.backups import Trouble, size, told
from storage.backups.order import Disk, DiskFailed, Trial
from storage.facts import Noted
from storage.migrations.runner import NEWEST
from storage.names import DISK_ACCESS

if TYPE_CHECKING:
    from migrebot.config import Config


class Check(Struct, frozen=True):
    """One part of the program that was tried: whether it works, and what is to be said of it."""

    name: str
    ok: bool
    detail: str = ""


async def check_all(config: Config) -> list[Check]:
    """Try one part after the other."""
    storage = await _check_storage(config)
    checks = [storage, await _check_backup(config)]
    # A check changes nothing, and opening the storage would bring an older schema up to date.
    sent = await _token_sent(config) if storage.ok and storage.detail.endswith(f"schema {NEWEST}") else ""
    if token := sent or config.backup.yandex_token.reveal():
        checks.append(await _check_disk(config, token))
    if config.telegram.token.reveal():
        checks.append(await _check_telegram(config))
    if config.twilio.is_on:
        checks.append(await _check_twilio(config))
    if not has_local_name(config.http.public_url):
        checks.append(await _check_front_door(config.http.public_url))
    return checks


async def _check_storage(config: Config) -> Check:
    try:
        detail = await open_storage(config).probe()
    except UserError as error:
        return Check("storage", ok=False, detail=str(error))
    return Check("storage", ok=True, detail=detail)


async def _check_backup(config: Config) -> Check:
    from storage.backups.making import probe

    try:
        work = config.storage.file.parent if config.storage.file else config.bot.data_dir
        detail = await anyio.to_thread.run_sync(probe, config.backup.directory, config.backup.recipient, work)
    except UserError as error:
        return Check("backup", ok=False, detail=str(error))
    return Check("backup", ok=True, detail=detail)


async def _token_sent(config: Config) -> str:
    """Find the token of the Yandex Disk that the owner sent, which counts before that of the configuration."""
    storage, fact = open_storage(config, alone=False), Noted(0, DISK_ACCESS)
    try:
        await storage.open()
        token: str = (await storage.load([fact]))[fact]
    except (UserError, StorageUnavailable):
        return ""  # it was there a moment ago
    finally:
        with anyio.CancelScope(shield=True):
            await storage.close()
    logs.hide(token)
    return token


async def _check_disk(config: Config, token: str) -> Check:
    backup, tr = config.backup, translator("en")
    try:
        tried = await try_apart(Trial(disk=Disk(token=token, api_base=backup.yandex_api_base)))
    except DiskFailed as failed:
        return Check("yandex disk", ok=False, detail=told(failed.trouble, tr).unescape())
    if not backup.recipient and not backup.allow_plain_upload:
        return Check("yandex disk", ok=False, detail=told(Trouble(kind="unencrypted"), tr).unescape())
    free = "" if tried.free is None else f", {size(tried.free, tr)} are free"
    return Check("yandex disk", ok=True, detail=f"backups go to {tried.folder}{free}")


async def _check_telegram(config: Config) -> Check:
    link = TelegramLink(config=config.telegram, clock=SystemClock())
    try:
        client = await link.open()
        return Check("telegram", ok=True, detail=f"the bot is @{await client.me()}")
    except (NotSent, Uncertain, Refused) as error:
        return Check("telegram", ok=False, detail=error.reason)
    finally:
        await link.close()


async def _check_front_door(public_url: str) -> Check:
    seen = await open_paths(public_url)
    if seen is None:
        return Check("front door", ok=True, detail=f"nobody answers at {public_url} now")
    if seen:
        detail = f"{', '.join(seen)} can be seen without login at {public_url}: set http.token"
        return Check("front door", ok=False, detail=detail)
    return Check("front door", ok=True, detail=f"closed to strangers at {public_url}")


async def _check_twilio(config: Config) -> Check:
    link = TwilioLink(config=config.twilio, clock=SystemClock())
    try:
        client = await link.open()
        status = await client.account()
        return Check("twilio", ok=status == "active", detail=f"the account is {status}")
    except (NotSent, Uncertain, Refused) as error:
        return Check("twilio", ok=False, detail=error.reason)
    finally:
        await link.close()
