"""The composition root: the one place that knows which concrete actors there are, and how they are put together."""

from __future__ import annotations

import gc
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import msgspec

from actors.actor import Actor, Mailbox
from actors.alerts import Alerts
from actors.announcer import Announcer
from actors.api import Api
from actors.backup import Backup, Disks, Work
from actors.backup_process import make_apart, try_apart, upload_apart
from actors.channel import Limits, Sender
from actors.delivery import Delivery
from actors.dialogue import Dialogue
from actors.erasures import Erasures
from actors.feed import Feed
from actors.file_links import FileLinks
from actors.listeners import Listeners
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
from actors.telegram_cashier import Cashier
from actors.telegram_link import TelegramLink
from actors.telegram_profile import BotProfile
from actors.telegram_sender import TelegramSender
from actors.twilio import TwilioActor, TwilioTask, callback_address, webhook_address
from actors.twilio_link import TwilioLink
from actors.twilio_sender import TwilioSender
from actors.web import Web
from actors.zone_rules import rules_mark
from migrebot import logs
from migrebot.access import has_local_name, load_secret
from migrebot.dialogue import profile
from migrebot.dialogue.router import FORMS
from migrebot.dialogue.turn import Setup
from migrebot.errors import UserError
from migrebot.i18n import translator, translators
from migrebot.ids import id_source
from migrebot.messages import Address
from migrebot.parts import backup_order, make_access
from migrebot.reminders.schedule import Cron, Schedule
from migrebot.reminders.timers import RemindersMoved

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from actors.supervisor import ActorState
    from migrebot.clock import Clock
    from migrebot.config import Config
    from migrebot.dialogue.turn import Uploads
    from migrebot.messages import Alert, AnnouncementSteered, Channel, ToDelivery, ToDialogue, ToScheduler
    from storage.interface import Storage

log = logs.get_logger("migrebot")


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
        self._announcements: Mailbox[AnnouncementSteered] = Mailbox(1)
        self._log = logs.Tail()
        logs.listen(self._log.hear)
        self._feed = Feed()
        self._renderer = Renderer(storage)
        self._access = make_access(config, clock)
        self._mirror = self._mirror_actor()
        self._backup = self._backup_actor()
        self._reporter = self._reporter_actor()
        self._erasure_key = load_secret(config.bot.data_dir / "secret.key")
        self._erasures = self._erasures_actor()
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
        found = (
            self._alerts_actor(),
            self._deliverer,
            self._mirror,
            self._dialogue_actor(),
            self._timekeeper,
            self._reporter,
            self._erasures,
            self._announcer_actor(),
            self._backup,
            self._chat,
            self.web,
            self._telegram,
            self._twilio,
        )
        return [actor for actor in found if actor is not None]

    def _alert(self, alert: Alert) -> None:
        if not self._alerts.offer(alert):
            log.error("alert_lost", cause=alert.cause)

    def _login_link(self, is_here: bool) -> str:
        """Make a link to the owner's page; empty if it leads to this machine alone and its reader is elsewhere."""
        is_elsewhere = has_local_name(self._access.public_url) and not is_here
        return "" if is_elsewhere else self._access.login_link()

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

    def _alerts_actor(self) -> Alerts:
        return Alerts(
            mailbox=self._alerts,
            owner=self._owner,
            storage=self._storage,
            delivery=self._delivery,
            clock=self._clock,
        )

    def _dialogue_actor(self) -> Dialogue:
        config = self._config
        return Dialogue(
            mailbox=self._dialogue,
            storage=self._storage,
            delivery=self._delivery,
            listeners=Listeners(
                scheduler=self._scheduler,
                mirror=self._mirror.mailbox,
                reporter=self._reporter.mailbox,
                erasures=self._erasures.mailbox,
                announcer=self._announcements,
                backup=self._backup.mailbox,
            ),
            clock=self._clock,
            setup=Setup(
                timezone=config.bot.timezone,
                require_consent=config.bot.require_consent,
                form_hours=config.forms.timeout_hours,
                backup_days=config.backup.keep_days,
                owner=self._owner_address(),
                donate_url=config.donate.url,
                currency=config.donate.currency if config.telegram.provider_token else "",
                erasure_key=self._erasure_key,
                has_disk_token=bool(config.backup.yandex_token),
                uploads=_uploads(config),
            ),
            new_id=self._new_id,
            on_alert=self._alert,
            login_link=self._login_link,
        )

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
            provider_token=config.provider_token,
            delivery=self._delivery,
            on_alert=self._alert,
        )
        self._senders["telegram"] = sender
        return TelegramActor(
            mailbox=Mailbox(1),
            dialogue=self._dialogue,
            cashier=Cashier(storage=self._storage, clock=self._clock),
            sender=sender,
            clock=self._clock,
            task=TelegramTask(config=config, profile=self._bot_profile(), public_url=lambda: self._access.public_url),
            on_alert=self._alert,
        )

    def _bot_profile(self) -> BotProfile:
        spoken = {tr.language: tr for tr in translators()} | {"": translator("en")}
        owner = self._config.bot.owner
        return BotProfile(
            commands={language: profile.commands(tr) for language, tr in spoken.items()},
            owner=owner.address if owner is not None and owner.channel == "telegram" else "",
            owner_commands={language: profile.owner_commands(tr) for language, tr in spoken.items()},
            name={language: profile.name(tr) for language, tr in spoken.items()},
            description={language: profile.description(tr) for language, tr in spoken.items()},
            short_description={language: profile.short_description(tr) for language, tr in spoken.items()},
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
            zone_rules=rules_mark,
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

    def _erasures_actor(self) -> Erasures:
        return Erasures(
            mailbox=Mailbox(1),
            storage=self._storage,
            directory=self._config.backup.directory,
            key=self._erasure_key,
            clock=self._clock,
            on_alert=self._alert,
        )

    def _announcer_actor(self) -> Announcer:
        return Announcer(
            mailbox=self._announcements,
            storage=self._storage,
            owner=self._owner,
            delivery=self._delivery,
            clock=self._clock,
            timezone=self._config.bot.timezone,
        )

    def _backup_actor(self) -> Backup:
        config, timezone = self._config.backup, self._config.bot.timezone
        cron = config.schedule
        return Backup(
            mailbox=Mailbox(1),
            storage=self._storage,
            delivery=self._delivery,
            work=Work(
                make=lambda now: make_apart(backup_order(self._config, now)), upload=upload_apart, attempt=try_apart
            ),
            disks=Disks(
                token=config.yandex_token.reveal(),
                api_base=config.yandex_api_base,
                keep_days=config.keep_days,
                allowed=_uploads(self._config) != "never",
            ),
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
                "backup": lambda: self._backup.figures.made_at,
                "upload": lambda: self._backup.figures.uploaded_at,
            },
            backup=lambda: self._backup.figures,
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


def _uploads(config: Config) -> Uploads:
    """Tell how backups may go to the Disk."""
    return "encrypted" if config.backup.recipient else "plain" if config.backup.allow_plain_upload else "never"
