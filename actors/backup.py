"""The backup actor: it owns when a backup is made, and whether it is on the Yandex Disk.

It receives word that the owner asked for something: a backup, or that a token of the Disk be used. Both are stored, and
answered once; whatever was asked for before a stop is done after it. When a backup is due it has one made, and the
superfluous ones deleted, by a process beside this one, which uploads it too; one that was missed while the program was
down is made up for at the start. A failure is told to the owner, once a day, and tried again every hour.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import anyio
from msgspec import Struct
from msgspec.structs import replace

from actors.actor import Actor, Health, MailboxClosed
from actors.backup_records import BACKED_UP, Records
from migrebot.errors import StorageUnavailable, UserError
from migrebot.i18n import translator
from migrebot.logs import get_logger
from migrebot.messages import Alert, Wished
from migrebot.reminders.occurrences import next_firing
from migrebot.reports import backups as told
from migrebot.reports.backups import Figures, Trouble
from storage.backups.order import REHEARSAL_FAILED, Disk, DiskFailed, Trial, Upload
from storage.changes import Note, NoteInstant
from storage.names import DISK_ACCESS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from actors.actor import Mailbox
    from migrebot.clock import Clock
    from migrebot.messages import ToDelivery
    from migrebot.reminders.schedule import Schedule
    from storage.backups.order import Made, Tried, Uploaded
    from storage.changes import Change
    from storage.interface import Storage
    from storage.records import Wish

LOOK = timedelta(seconds=30)
"""The wall clock is looked at again after it, at the latest: it may have been set."""

RETRY = timedelta(hours=1)
"""Between two attempts at the same backup, or at the same upload."""

TELL_AGAIN = timedelta(days=1)
"""Between two words to the owner about the same failure."""

log = get_logger("backup")


class Work(Struct, frozen=True, kw_only=True):
    """What is done in a process apart: a backup of an instant, an upload, a trial of a Disk."""

    make: Callable[[datetime], Awaitable[Made]]
    upload: Callable[[Upload], Awaitable[Uploaded]]
    attempt: Callable[[Trial], Awaitable[Tried]]


class Disks(Struct, frozen=True, kw_only=True):
    """Of uploads: the token in the configuration, the API's server, how long is kept what, whether they are allowed."""

    token: str
    api_base: str
    keep_days: int
    allowed: bool
    patience: float = 60

    def opened_by(self, token: str) -> Disk:
        """Give the Disk that a token opens."""
        return Disk(token=token, api_base=self.api_base, patience=self.patience)


class _Attempts:
    """When something may be tried again, and when its failure was told last."""

    def __init__(self) -> None:
        self.not_before: datetime | None = None
        self._told_at: datetime | None = None

    def succeeded(self) -> None:
        self.not_before = self._told_at = None

    def failed(self, now: datetime) -> bool:
        """Note a failure; tells whether the owner is to hear of it."""
        self.not_before = now + RETRY
        if self._told_at is not None and now - self._told_at < TELL_AGAIN:
            return False
        self._told_at = now
        return True

    def may_begin(self, now: datetime) -> bool:
        return self.not_before is None or now >= self.not_before


class Backup(Actor[Wished]):
    """Has backups made and uploaded; without a schedule it makes those that the owner asks for."""

    name: ClassVar[str] = "backup"

    def __init__(
        self,
        *,
        mailbox: Mailbox[Wished],
        storage: Storage,
        delivery: Mailbox[ToDelivery],
        work: Work,
        disks: Disks,
        schedule: Schedule | None,
        clock: Clock,
        on_alert: Callable[[Alert], None],
    ) -> None:
        super().__init__(mailbox)
        self._records = Records(storage, delivery, clock)
        self._work = work
        self._disks = disks
        self._schedule = schedule
        self._clock = clock
        self._on_alert = on_alert
        self._last: datetime | None = None
        self._making, self._uploading = _Attempts(), _Attempts()
        self._asked = True
        self._word = anyio.Event()

    @property
    def figures(self) -> Figures:
        """How the backups fare, as far as it is known yet."""
        return self._records.figures

    async def run(self) -> None:
        """Make what is due and asked for until the mailbox is closed; what is under way then is given up."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep)
            try:
                while True:
                    await self.mailbox.get()
                    self._asked = True
                    self._word.set()
            except MailboxClosed:
                tasks.cancel_scope.cancel()

    async def _keep(self) -> None:
        self._asked = True
        while True:
            self._word = word = anyio.Event()
            try:
                wake_at = await self._go_on()
            except StorageUnavailable as error:
                self._asked = True
                self.health = Health(detail=f"storage: {error}")
                wake_at = self._clock.now() + LOOK
            pause = min(LOOK, wake_at - self._clock.now())
            with self._clock.move_on_after(max(0.0, pause.total_seconds())):
                await word.wait()

    async def _go_on(self) -> datetime:
        """Do what was asked for and what is due; tells when to look again."""
        self._show_health(await self._records.recall())
        await self._grant_wishes()
        wake_at = await self._make_if_due()
        await self._upload_if_due()
        return wake_at

    async def _note(self, figures: Figures, *also: Change) -> None:
        await self._records.note(figures, *also)
        self._show_health(figures)

    def _show_health(self, figures: Figures) -> None:
        if figures.failure:
            self.health = Health(detail=f"the last backup failed: {figures.failure}")
        elif figures.trouble is not None and figures.trouble.kind != "unencrypted":
            self.health = Health(detail=f"the last backup was not uploaded: {figures.trouble.kind}")
        else:
            self.health = Health()

    # --- what the owner asks for ---------------------------------------------------------------------------------

    async def _grant_wishes(self) -> None:
        while self._asked:
            self._asked = False
            for wish in await self._records.wishes():
                await (self._try_token(wish) if wish.kind == "token" else self._make_as_asked(wish))

    async def _try_token(self, wish: Wish) -> None:
        try:
            tried = await self._work.attempt(Trial(disk=self._disks.opened_by(wish.token)))
        except DiskFailed as failed:
            trouble = failed.trouble
            log.warning("disk_token_refused", kind=trouble.kind, detail=trouble.detail)
            await self._records.settle(wish, lambda tr: told.token_refused(trouble, tr))
            return
        log.info("disk_token_taken")
        free, allowed = tried.free, self._disks.allowed
        answer = Note(DISK_ACCESS, wish.token)
        await self._records.settle(wish, lambda tr: told.token_taken(free, tr, encrypted=allowed), answer)
        self._uploading.succeeded()

    async def _make_as_asked(self, wish: Wish) -> None:
        try:
            await self._make(self._clock.now())
        except UserError as error:
            reason = str(error)
            await self._records.settle(wish, lambda tr: told.not_made(reason, tr))
            return
        uploads = bool(await self._token())
        await self._upload()
        figures = self.figures
        await self._records.settle(wish, lambda tr: told.made(figures, tr, uploads=uploads))

    # --- backups -------------------------------------------------------------------------------------------------

    async def _make_if_due(self) -> datetime:
        """Make a backup if one is due; tells when to look again."""
        now = self._clock.now()
        if self._schedule is None:
            return now + LOOK
        if self._last is None:
            self._last = await self._records.last_time()
        # A last time that is still to come was noted by a clock that has been set back since.
        due = next_firing(self._schedule, min(self._last, now))
        if due is None:
            return now + LOOK
        if due > now:
            return due
        if not self._making.may_begin(now):
            return self._making.not_before or now
        try:
            await self._make(now)
        except UserError as error:
            if self._making.failed(self._clock.now()):
                text = f"No backup could be made, it is tried every hour: {error}"
                is_rehearsal = str(error).startswith(REHEARSAL_FAILED)
                self._on_alert(Alert(cause="backup rehearsal" if is_rehearsal else "backup", text=text))
            return self._clock.now() + RETRY
        return now

    async def _make(self, now: datetime) -> None:
        """Make a backup and note what came of it; raises `UserError`."""
        try:
            made = await self._work.make(now)
        except UserError as error:
            log.warning("backup_failed", reason=str(error))
            await self._note(replace(self.figures, failed_at=self._clock.now(), failure=str(error)))
            raise
        figures = replace(
            self.figures,
            made_at=now,
            verified_at=self._clock.now(),
            file=made.path,
            size=made.size,
            rows=made.rows,
            same_disk=made.same_disk,
            failure="",
            trouble=None,
        )
        await self._note(figures, NoteInstant(BACKED_UP, now))
        self._last = now
        self._making.succeeded()
        self._uploading.not_before = None
        log.info("backup_made", file=made.path, rows=made.rows, bytes=made.size, removed=made.removed)
        if made.same_disk:
            log.warning("backup_on_same_disk", file=made.path)

    # --- uploads -------------------------------------------------------------------------------------------------

    async def _token(self) -> str:
        """Give the token that counts: the one that the owner sent, else that of the configuration."""
        return await self._records.token() or self._disks.token

    async def _upload_if_due(self) -> None:
        now = self._clock.now()
        if self.figures.waits and self._uploading.may_begin(now):
            self._uploading.not_before = now + RETRY
            await self._upload()

    async def _upload(self) -> None:
        """Upload the last backup if there is a token, and note what came of it."""
        figures, now = self.figures, self._clock.now()
        token = await self._token()
        if not token:
            if figures.trouble is not None:
                await self._note(replace(figures, trouble=None))
            return
        if not self._disks.allowed and not figures.file.endswith(".age"):
            await self._not_uploaded(Trouble(kind="unencrypted"))
            return
        disk, keep_days = self._disks.opened_by(token), self._disks.keep_days
        try:
            uploaded = await self._work.upload(Upload(path=figures.file, disk=disk, now=now, keep_days=keep_days))
        except DiskFailed as failed:
            await self._not_uploaded(failed.trouble)
            return
        done = replace(figures, uploaded=figures.file, uploaded_at=self._clock.now(), trouble=None)
        await self._note(done)
        self._uploading.succeeded()
        log.info("backup_uploaded", file=figures.file, removed=uploaded.removed)

    async def _not_uploaded(self, trouble: Trouble) -> None:
        now = self._clock.now()
        if trouble.kind != "unencrypted" or trouble != self.figures.trouble:
            log.warning("backup_not_uploaded", kind=trouble.kind, detail=trouble.detail)
        if trouble != self.figures.trouble:
            await self._note(replace(self.figures, upload_failed_at=now, trouble=trouble))
        if self._uploading.failed(now) and trouble.kind != "unencrypted":
            words = told.told(trouble, translator("en"))
            text = f"The last backup is on this machine only, its upload is tried every hour. {words.unescape()}"
            self._on_alert(Alert(cause="backup upload", text=text))
