"""What the commands of the command line do."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from msgspec.structs import replace

from migrebot import logs
from migrebot.access import load_secret
from migrebot.checks import Check, check_all
from migrebot.clock import SystemClock
from migrebot.errors import UserError
from migrebot.i18n import translator, translators
from migrebot.parts import backup_order, hide_secrets, make_access, open_storage
from migrebot.program import Program
from migrebot.reminders.phrases import understand
from migrebot.zones import find_zones
from storage.facts import AllOf

if TYPE_CHECKING:
    from pathlib import Path

    from migrebot.config import Config
    from migrebot.config import Storage as Database
    from storage.backups.order import Made
    from storage.backups.restoring import Restored
    from storage.interface import Storage
    from storage.moving import Report, Side

log = logs.get_logger("migrebot")


def run(config: Config) -> None:
    """Run the bot until SIGTERM or SIGINT; raises `UserError` for what the operator can mend."""
    logs.configure(config.bot.production)
    hide_secrets(config)
    for notice in config.notices:
        log.warning("configuration", notice=notice)
    anyio.run(_run, config, backend_options={"use_uvloop": sys.platform != "win32"})


def migrate(config: Config) -> str:
    """Bring the database to the newest schema; returns one line on what was done."""
    logs.configure(config.bot.production)
    hide_secrets(config)
    if config.storage.file is None:
        from storage.migrations import postgres_runner

        return anyio.run(postgres_runner.migrate, config.storage.url.reveal())
    from storage.migrations import sqlite_runner

    return sqlite_runner.migrate(config.storage.file)


def move(source: Database, target: Database, report: Report) -> str:
    """Copy everything from one database to another; returns one line on what was done, raises `UserError`."""
    from storage.moving import move as move_everything

    logs.configure(production=False)
    for database in (source, target):
        logs.hide(database.password.reveal())
    return anyio.run(move_everything, _side(source), _side(target), report)


def backup(config: Config, target: Path | None, report: Report) -> Made:
    """Make a backup at a path, or where scheduled ones go; also while the program runs. Raises `UserError`."""
    from storage.backups.making import make

    logs.configure(config.bot.production)
    hide_secrets(config)
    order = backup_order(config, SystemClock().now())
    if target is not None:
        directory, name = (target, "") if target.is_dir() else (target.parent, target.name)
        order = replace(order, directory=str(directory), name=name, keep_days=None)
    return anyio.run(make, order, report)


def restore(config: Config, file: Path, key: Path | None, report: Report, *, force: bool) -> Restored:
    """Put a backup in the place of the database; `key` is the file with its age identity. Raises `UserError`."""
    from storage.backups.restoring import restore as restore_backup

    logs.configure(config.bot.production)
    hide_secrets(config)
    order = backup_order(config, SystemClock().now())
    secret = config.bot.data_dir / "secret.key"
    # A new one would be the key to nothing.
    erasure_key = load_secret(secret) if secret.exists() else None
    return anyio.run(partial(restore_backup, file, order, report, key=key, force=force, erasure_key=erasure_key))


def login_link(config: Config) -> str:
    """Make a one-time link to the owner's page and the local chat."""
    if not config.http.public_url:
        raise UserError("http.port is 0, so the address is not known: set http.port or http.public_url")
    return make_access(config, SystemClock()).login_link()


def export(config: Config, user_id: int, form: str) -> bytes:
    """Give all data of one person in one of the `EXPORTS`, also while the program runs; raises `UserError`."""
    logs.configure(config.bot.production)
    hide_secrets(config)
    return anyio.run(_export, config, user_id, form)


def check(config: Config) -> list[Check]:
    """Try every part that the configuration names."""
    logs.configure(config.bot.production)
    hide_secrets(config)
    return anyio.run(check_all, config)


async def _run(config: Config) -> None:
    clock = SystemClock()
    storage = open_storage(config)
    try:
        await storage.open()
        with_chat = await _with_local_chat(config, storage)
        # Loading five languages takes longer than the event loop may be held.
        await anyio.to_thread.run_sync(_warm_up)
        program = Program(config=config, storage=storage, clock=clock, with_local_chat=with_chat)
        await program.run()
        await storage.end_run()
    finally:
        with anyio.CancelScope(shield=True):
            await storage.close()


def _side(database: Database) -> Side:
    if database.file is None:
        from storage.moving.postgres_side import PostgresSide

        return PostgresSide(database.url.reveal())
    from storage.moving.sqlite_side import SqliteSide

    return SqliteSide(database.file)


async def _export(config: Config, user_id: int, form: str) -> bytes:
    from migrebot.reports.export import export as write

    storage = open_storage(config, alone=False)
    try:
        await storage.open()
        fact = AllOf(user_id)
        everything = (await storage.load([fact]))[fact]
    finally:
        with anyio.CancelScope(shield=True):
            await storage.close()
    if everything.user is None:
        raise UserError(f"nothing is stored about a user {user_id}")
    return write(everything, form, translator(everything.user.language))


def _warm_up() -> None:
    translators()
    find_zones("")
    # It is none in any language, so the words of all are looked up.
    understand("nothing", language="en", timezone="UTC", now=SystemClock().now())


async def _with_local_chat(config: Config, storage: Storage) -> bool:
    if config.http.local_chat is not None:
        return config.http.local_chat
    if not config.telegram.token.reveal() and not config.twilio.is_on:
        return True
    return await storage.latest_address("local") is not None
