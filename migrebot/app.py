"""The composition root: the one place that knows which concrete parts there are, and how they are put together."""

from __future__ import annotations

import gc
import sys
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from actors.actor import Actor, Mailbox
from actors.alerts import Alerts
from actors.api import Api
from actors.backup import Backup
from actors.backup_process import make_apart
from actors.channel import Limits, Sender
from actors.delivery import Delivery
from actors.dialogue import Dialogue
from actors.feed import Feed
from actors.file_links import FileLinks
from actors.front_door import open_paths
from actors.local_chat import LocalChat
from actors.local_chat_sender import LocalChatSender
from actors.metrics import Metrics
from actors.mirror import Mirror
from actors.mirror_redis import RedisMirror
from actors.overview import Overview
from actors.owner_page import OwnerPage, Shown
from actors.pacing import UNLIMITED
from actors.rendering import Renderer
from actors.reporter import Reporter, Reporting
from actors.scheduler import Keeping, Scheduler
from actors.supervisor import Supervisor, stop_on_signals
from actors.telegram import TelegramActor, TelegramTask
from actors.telegram_link import TelegramLink
from actors.telegram_profile import BotProfile
from actors.telegram_sender import TelegramSender
from actors.twilio import TwilioActor, TwilioTask, callback_address, webhook_address
from actors.twilio_link import TwilioLink
from actors.twilio_sender import TwilioSender
from actors.web import Web
from migrebot import logs
from migrebot.access import Access, has_local_name, load_secret
from migrebot.clock import SystemClock
from migrebot.dialogue import profile
from migrebot.dialogue.router import FORMS
from migrebot.dialogue.turn import Setup
from migrebot.errors import NotSent, Refused, Uncertain, UserError
from migrebot.i18n import translator, translators
from migrebot.ids import id_source
from migrebot.messages import Address
from migrebot.reminders.phrases import understand
from migrebot.reminders.schedule import Cron, Schedule
from migrebot.reminders.timers import RemindersMoved
from migrebot.zones import find_zones
from storage.backups.order import Order, Place
from storage.facts import AllOf
from storage.sqlite import SqliteStorage

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from anyio.abc import TaskStatus

    from actors.supervisor import ActorState
    from migrebot.clock import Clock
    from migrebot.config import Config
    from migrebot.config import Storage as Database
    from migrebot.messages import Alert, Channel, ToDelivery, ToDialogue, ToScheduler
    from storage.backups.order import Made
    from storage.backups.restoring import Restored
    from storage.interface import Storage
    from storage.moving import Report, Side

log = logs.get_logger("migrebot")


# --- the commands of the command line ----------------------------------------------------------------------------


def run(config: Config) -> None:
    """Run the bot until SIGTERM or SIGINT; raises `UserError` for what the operator can mend."""
    logs.configure(config.bot.production)
    _hide_secrets(config)
    for notice in config.notices:
        log.warning("configuration", notice=notice)
    anyio.run(_run, config, backend_options={"use_uvloop": sys.platform != "win32"})


def migrate(config: Config) -> str:
    """Bring the database to the newest schema; returns one line on what was done."""
    logs.configure(config.bot.production)
    _hide_secrets(config)
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
    _hide_secrets(config)
    order = _backup_order(config, SystemClock().now())
    if target is not None:
        directory, name = (target, "") if target.is_dir() else (target.parent, target.name)
        order = replace(order, directory=str(directory), name=name, keep_days=None)
    return anyio.run(make, order, report)


def restore(config: Config, file: Path, key: Path | None, report: Report, *, force: bool) -> Restored:
    """Put a backup in the place of the database; `key` is the file with its age identity. Raises `UserError`."""
    from storage.backups.restoring import restore as restore_backup

    logs.configure(config.bot.production)
    _hide_secrets(config)
    order = _backup_order(config, SystemClock().now())
    return anyio.run(partial(restore_backup, file, order, report, key=key, force=force))


def _backup_order(config: Config, now: datetime) -> Order:
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


def _side(database: Database) -> Side:
    if database.file is None:
        from storage.moving.postgres_side import PostgresSide

        return PostgresSide(database.url.reveal())
    from storage.moving.sqlite_side import SqliteSide

    return SqliteSide(database.file)


def _hide_secrets(config: Config) -> None:
    telegram = config.telegram
    secrets = (telegram.token, telegram.webhook_secret, config.http.token, config.twilio.auth_token)
    for secret in (*secrets, config.storage.password):
        logs.hide(secret.reveal())


def login_link(config: Config) -> str:
    """Make a one-time link to the owner's page and the local chat."""
    if not config.http.public_url:
        raise UserError("http.port is 0, so the address is not known: set http.port or http.public_url")
    return _access(config, SystemClock()).login_link()


def export(config: Config, user_id: int, form: str) -> bytes:
    """Give all data of one person in one of the `EXPORTS`, also while the program runs; raises `UserError`."""
    logs.configure(config.bot.production)
    _hide_secrets(config)
    return anyio.run(_export, config, user_id, form)


class Check(Struct, frozen=True):
    """One part of the program that was tried: whether it works, and what is to be said of it."""

    name: str
    ok: bool
    detail: str = ""


def check(config: Config) -> list[Check]:
    """Try every part that the configuration names."""
    logs.configure(config.bot.production)
    _hide_secrets(config)
    return anyio.run(_check, config)


# --- the program -------------------------------------------------------------------------------------------------


async def _run(config: Config) -> None:
    clock = SystemClock()
    storage = _storage(config)
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


def _storage(config: Config, *, alone: bool = True) -> Storage:
    language = config.bot.language
    if config.storage.file is not None:
        return SqliteStorage(config.storage.file, default_language=language, alone=alone)
    from storage.postgres import PostgresStorage

    url, connections = config.storage.url.reveal(), config.storage.connections
    return PostgresStorage(url, connections=connections, default_language=language)


async def _export(config: Config, user_id: int, form: str) -> bytes:
    from migrebot.reports.export import export as write

    storage = _storage(config, alone=False)
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


class Program:
    """All actors, put together from the configuration."""

    def __init__(self, *, config: Config, storage: Storage, clock: Clock, with_local_chat: bool) -> None:
        self._config = config
        self._storage = storage
        self._clock = clock
        self._dialogue: Mailbox[ToDialogue] = Mailbox()
        self._delivery: Mailbox[ToDelivery] = Mailbox()
        self._scheduler: Mailbox[ToScheduler | RemindersMoved] = Mailbox()
        self._new_id = id_source(clock)
        self._alerts: Mailbox[Alert] = Mailbox(100)
        self._log = logs.Tail()
        logs.listen(self._log.hear)
        self._feed = Feed()
        self._renderer = Renderer(storage)
        self._access = _access(config, clock)
        self._mirror = self._mirror_actor()
        self._reporter = self._reporter_actor()
        self._senders: dict[Channel, Sender] = {}
        self._chat = self._local_chat() if with_local_chat else None
        self._link = TelegramLink(config=config.telegram, clock=clock)
        self._telegram = self._telegram_actor() if config.telegram.token.reveal() else None
        self._files = FileLinks(access=self._access, render=self._renderer, clock=clock)
        self._twilio_link = TwilioLink(config=config.twilio, clock=clock)
        self._twilio = self._twilio_actor() if config.twilio.is_on else None
        self._deliverer = self._delivery_actor()
        self._timekeeper = self._scheduler_actor()
        self.web = self._web()
        self.supervisor = Supervisor(
            actors=self._actors(), clock=clock, on_alert=self._alert, on_change=self._actor_changed
        )

    async def run(self) -> None:
        """Run until a signal comes; raises `UserError` if an actor cannot start for a reason the operator can mend."""
        try:
            async with anyio.create_task_group() as tasks:
                await tasks.start(stop_on_signals, self.supervisor)
                await tasks.start(self._supervise, tasks.cancel_scope)
                self._announce()
        except* UserError as group:
            raise group.exceptions[0] from None
        finally:
            with anyio.CancelScope(shield=True):
                await self._link.close()
                await self._twilio_link.close()

    async def _supervise(self, everything: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        await self.supervisor.run(task_status=task_status)
        everything.cancel()

    def _announce(self) -> None:
        if not self._config.http.public_url:
            self._access.public_url = self.web.url
        gc.collect()
        gc.freeze()
        _print(f"ready {self.web.url}")
        if self._chat:
            _print(f"chat  {self._access.public_url}/chat")
        if self._twilio:
            _print(f"whatsapp  paste into Twilio as the webhook: {webhook_address(self._access.public_url)}")

    def _actors(self) -> list[Actor[Any]]:
        """List the actors in starting order: who is written to comes before who writes."""
        config = self._config
        alerts = Alerts(
            mailbox=self._alerts,
            owner=self._owner,
            storage=self._storage,
            delivery=self._delivery,
            clock=self._clock,
        )
        dialogue = Dialogue(
            mailbox=self._dialogue,
            storage=self._storage,
            delivery=self._delivery,
            scheduler=self._scheduler,
            clock=self._clock,
            setup=Setup(
                timezone=config.bot.timezone,
                require_consent=config.bot.require_consent,
                form_hours=config.forms.timeout_hours,
                backup_days=config.backup.keep_days,
                owner=self._owner_address(),
                erasure_key=load_secret(config.bot.data_dir / "secret.key"),
            ),
            new_id=self._new_id,
            on_alert=self._alert,
            mirror=self._mirror.mailbox,
            reporter=self._reporter.mailbox,
        )
        found = (
            alerts,
            self._deliverer,
            self._mirror,
            dialogue,
            self._timekeeper,
            self._reporter,
            self._backup_actor(),
            self._chat,
            self.web,
            self._telegram,
            self._twilio,
        )
        return [actor for actor in found if actor is not None]

    def _alert(self, alert: Alert) -> None:
        if not self._alerts.offer(alert):
            log.error("alert_lost", cause=alert.cause)

    async def _owner(self) -> Address | None:
        """Find where the owner is written to; the local chat's latest visitor while it is the owner."""
        owner = self._owner_address()
        return owner if owner is None or owner.value else await self._storage.latest_address("local")

    def _actor_changed(self, name: str, phase: str) -> None:
        self._feed.tell("actors", msgspec.json.encode({"actor": name, "state": phase}))

    def _owner_address(self) -> Address | None:
        """Tell where the owner is written to; a local address without a value stands for the latest visitor's."""
        owner = self._config.bot.owner
        if owner is None and (self._telegram or self._twilio):
            return None
        if owner is None or owner.channel == "local":
            return Address("local", "")
        value = f"whatsapp:{owner.address}" if owner.channel == "whatsapp" else owner.address
        return Address(owner.channel, value)

    def _local_chat(self) -> LocalChat:
        sender = LocalChatSender(render=self._renderer, clock=self._clock)
        self._senders["local"] = sender
        return LocalChat(
            mailbox=Mailbox(1),
            sender=sender,
            dialogue=self._dialogue,
            delivery=self._delivery,
            access=self._access,
            clock=self._clock,
            default_language=self._config.bot.language,
        )

    def _telegram_actor(self) -> TelegramActor:
        config = self._config.telegram
        sender = TelegramSender(
            link=self._link,
            limits=Limits(per_second=config.messages_per_second, per_chat_second=config.messages_per_chat_second),
            render=self._renderer,
            delivery=self._delivery,
            on_alert=self._alert,
        )
        self._senders["telegram"] = sender
        return TelegramActor(
            mailbox=Mailbox(1),
            dialogue=self._dialogue,
            sender=sender,
            clock=self._clock,
            task=TelegramTask(config=config, profile=_bot_profile(), public_url=lambda: self._access.public_url),
            on_alert=self._alert,
        )

    def _twilio_actor(self) -> TwilioActor:
        config = self._config.twilio
        sender = TwilioSender(
            link=self._twilio_link,
            # Twilio limits the sender as a whole and no single chat.
            limits=Limits(per_second=config.messages_per_second, per_chat_second=UNLIMITED),
            template=config.reminder_content_sid,
            callback_url=lambda: callback_address(self._access.public_url),
            files=self._files,
            storage=self._storage,
            delivery=self._delivery,
            clock=self._clock,
            on_alert=self._alert,
        )
        self._senders["whatsapp"] = sender
        return TwilioActor(
            mailbox=Mailbox(1),
            dialogue=self._dialogue,
            delivery=self._delivery,
            sender=sender,
            storage=self._storage,
            clock=self._clock,
            task=TwilioTask(config=config, public_url=lambda: self._access.public_url),
            on_alert=self._alert,
        )

    def _delivery_actor(self) -> Delivery:
        return Delivery(
            mailbox=self._delivery,
            storage=self._storage,
            senders=self._senders,
            clock=self._clock,
            on_alert=self._alert,
        )

    def _scheduler_actor(self) -> Scheduler:
        config = self._config
        return Scheduler(
            mailbox=self._scheduler,
            delivery=self._delivery,
            dialogue=self._dialogue,
            storage=self._storage,
            clock=self._clock,
            keeping=Keeping(
                form_timeout=timedelta(hours=config.forms.timeout_hours),
                forms=timedelta(hours=config.retention.abandoned_form_hours),
                quarantine=timedelta(days=config.retention.quarantine_days),
            ),
            new_id=self._new_id,
            on_alert=self._alert,
        )

    def _mirror_actor(self) -> Mirror:
        redis = self._config.redis.url.reveal()
        mirror = Mirror(
            mailbox=Mailbox(10_000),
            states=[state for form in FORMS.values() for state in form.states()],
            storage=self._storage,
            feed=self._feed,
            redis=RedisMirror(redis) if redis else None,
            clock=self._clock,
        )
        if redis:
            logs.listen(mirror.hear)
        return mirror

    def _reporter_actor(self) -> Reporter:
        return Reporter(
            mailbox=Mailbox(1),
            storage=self._storage,
            owner=self._owner,
            delivery=self._delivery,
            mirror=self._mirror.mailbox,
            clock=self._clock,
            reporting=Reporting(cron=self._config.reports.daily, timezone=self._config.bot.timezone),
        )

    def _backup_actor(self) -> Backup:
        cron, timezone = self._config.backup.schedule, self._config.bot.timezone
        return Backup(
            mailbox=Mailbox(1),
            storage=self._storage,
            make=lambda now: make_apart(_backup_order(self._config, now)),
            schedule=Schedule(pattern=Cron(cron), timezone=timezone) if cron else None,
            clock=self._clock,
            on_alert=self._alert,
        )

    def _states(self) -> dict[str, ActorState]:
        return self.supervisor.states()

    def _readiness(self) -> tuple[bool, dict[str, str]]:
        ready, actors = self.supervisor.readiness()
        if trouble := self._storage.trouble:
            return False, actors | {"storage": trouble}
        return ready, actors

    def _overview(self) -> Overview:
        return Overview(
            actors=self._states,
            channels=lambda: self._deliverer.statistics,
            lateness=lambda: self._timekeeper.lateness,
            redis=lambda: self._mirror.redis_up,
            jobs={
                "report": lambda: self._reporter.closed_until,
                "purge": lambda: self._timekeeper.purged_at,
            },
            storage=self._storage,
            kind="sqlite" if self._config.storage.file else "postgres",
            clock=self._clock,
        )

    def _owner_page(self, overview: Overview) -> OwnerPage:
        bot = self._config.bot
        return OwnerPage(
            status=overview.status,
            forms=self._mirror.counts,
            report=self._reporter.current,
            days=self._storage.closed_days,
            log=self._log.lines,
            shown=Shown(language=bot.language, timezone=bot.timezone, chat=self._chat is not None),
            clock=self._clock,
        )

    def _web(self) -> Web:
        config = self._config.http
        api = Api(
            states=self._mirror.states,
            report=self._reporter.current,
            days=self._storage.closed_days,
            feed=self._feed,
            anew=self._mirror.anew,
            clock=self._clock,
        )
        overview = self._overview()
        sources = (
            api,
            self._owner_page(overview),
            Metrics(overview.status),
            self._chat,
            self._telegram,
            self._twilio,
            self._files if self._twilio else None,
        )
        return Web(
            mailbox=Mailbox(1),
            host=config.host,
            port=config.port,
            routes=[route for source in sources if source is not None for route in source.routes()],
            # Asked for when somebody asks: the supervisor is made of the actors, this one among them.
            readiness=self._readiness,
            access=self._access,
        )


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _access(config: Config, clock: Clock) -> Access:
    return Access(
        token=config.http.token.reveal(),
        public_url=config.http.public_url,
        secret=load_secret(config.bot.data_dir / "secret.key"),
        used_links=config.bot.data_dir / "used-links",
        clock=clock,
    )


def _bot_profile() -> BotProfile:
    spoken = {tr.language: tr for tr in translators()} | {"": translator("en")}
    return BotProfile(
        commands={language: profile.commands(tr) for language, tr in spoken.items()},
        name={language: profile.name(tr) for language, tr in spoken.items()},
        description={language: profile.description(tr) for language, tr in spoken.items()},
        short_description={language: profile.short_description(tr) for language, tr in spoken.items()},
    )


async def _check(config: Config) -> list[Check]:
    checks = [await _check_storage(config), await _check_backup(config)]
    if config.telegram.token.reveal():
        checks.append(await _check_telegram(config))
    if config.twilio.is_on:
        checks.append(await _check_twilio(config))
    if not has_local_name(config.http.public_url):
        checks.append(await _check_front_door(config.http.public_url))
    return checks


async def _check_storage(config: Config) -> Check:
    try:
        detail = await _storage(config).probe()
    except UserError as error:
        return Check("storage", ok=False, detail=str(error))
    return Check("storage", ok=True, detail=detail)


async def _check_backup(config: Config) -> Check:
    from storage.backups.making import probe

    try:
        detail = await anyio.to_thread.run_sync(probe, config.backup.directory, config.backup.recipient)
    except UserError as error:
        return Check("backup", ok=False, detail=str(error))
    return Check("backup", ok=True, detail=detail)


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
