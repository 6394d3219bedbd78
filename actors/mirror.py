"""The mirror: it owns who is in which step of which form, as listeners outside see it.

It receives the changes of states that were committed, numbers each transition, tells it to whoever listens over HTTP
(`/api/events`), and writes it to Redis if one is configured. Redis absent, slow, full or restarted delays nobody: what
is known here is written anew when it is back, and listeners are told to read it all again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

import anyio
import msgspec

from actors.actor import Actor, Health, MailboxClosed, attempt, seconds_until
from actors.mirror_redis import RedisGone
from migrebot import logs
from migrebot.errors import StorageUnavailable
from migrebot.messages import ReportChanged, StatesChanged, StateUnknown
from migrebot.states import IDLE, States, Transition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actors.actor import Mailbox
    from actors.feed import Feed
    from actors.mirror_redis import RedisMirror
    from migrebot.clock import Clock
    from migrebot.messages import StateChanged, ToMirror
    from storage.interface import Storage

TOGETHER_S = 0.05
"""Seconds in which transitions are gathered before they are written: however many people are in forms, Redis gets no
more than twenty scripts a second."""

CHECK_S = 1.0
"""Seconds between looks whether Redis still has what was written; a flush breaks no connection."""

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before trying Redis again, the last one over and over."""

WAITING = 10_000
"""Transitions, and log lines, that may wait for Redis; beyond, all is written anew, and the oldest lines are lost."""

log = logs.get_logger("mirror")


class Mirror(Actor["ToMirror"]):
    """Shows to the outside who is in which step; see the module."""

    name: ClassVar[str] = "mirror"

    def __init__(
        self,
        *,
        mailbox: Mailbox[ToMirror],
        states: Iterable[str],
        storage: Storage,
        feed: Feed,
        redis: RedisMirror | None,
        clock: Clock,
    ) -> None:
        super().__init__(mailbox)
        self._names = tuple(states)
        self._states = States(self._names)
        self._storage = storage
        self._feed = feed
        self._redis = redis
        self._clock = clock
        self._number = 0
        self._pending: deque[tuple[int, Transition]] = deque()
        self._lines: deque[str] = deque(maxlen=WAITING)
        self._line_number = 0
        self._report: bytes | None = None
        self._report_told = True
        self._renew = True
        self._closing = False
        self._reached = False
        self._work = anyio.Event()

    # --- what is known -------------------------------------------------------------------------------------------

    def states(self) -> dict[str, object]:
        """Give all states of all forms and the number of the last transition, as `/api/states` shows them."""
        listed = [{"state_name": name, "user_ids": people} for name, people in self._states.snapshot().items()]
        return {"states": listed, "incr_value": self._number}

    def counts(self) -> dict[str, int]:
        """Tell how many people are in each state of each form."""
        return {name: len(people) for name, people in self._states.snapshot().items()}

    def anew(self) -> list[tuple[str, bytes]]:
        """Give the events that have a listener know, or read, everything again."""
        return [("states", _REFRESH), *([("report", self._report)] if self._report else [])]

    @property
    def redis_up(self) -> bool | None:
        """Whether Redis has what it should have; None where none is configured."""
        return None if self._redis is None else self._reached

    def hear(self, line: str) -> None:
        """Take a line of the log; called from any thread."""
        if self._redis is not None:
            self._lines.append(line)

    async def run(self) -> None:
        """Follow what happens until the mailbox is closed; then what is left goes to Redis, if it is there."""
        self._closing = False
        await self._load()
        async with anyio.create_task_group() as tasks:
            if self._redis is not None:
                tasks.start_soon(self._keep_redis, self._redis)
            await self._follow()
            self._closing = True
            self._work.set()

    async def _follow(self) -> None:
        while True:
            with self._clock.move_on_after(self._until_idle()):
                try:
                    message = (await self.mailbox.get()).message
                except MailboxClosed:
                    return
                await self._take(message)
            self._tell(self._states.idle(self._clock.now()))

    async def _take(self, message: ToMirror) -> None:
        match message:
            case StatesChanged(changes, missed):
                if missed:
                    await self._load()
                for change in changes:
                    if isinstance(change, StateUnknown):
                        await self._look_up(change.user_id)
                    else:
                        self._follow_one(change)
            case ReportChanged(report):
                self._report, self._report_told = report, False
                self._feed.tell("report", report)
                self._work.set()

    def _follow_one(self, change: StateChanged) -> None:
        if change.state is None:
            self._tell(self._states.leave(change.user_id))
        else:
            self._tell(self._states.enter(change.user_id, change.state, self._clock.now()))

    async def _look_up(self, user_id: int) -> None:
        """Learn from the storage which form somebody is in; while it fails, the next answer tells."""
        found = await attempt(self._storage.holder(user_id))
        if isinstance(found, StorageUnavailable):
            return
        if isinstance(found, Exception):
            raise found
        session = found.session if found else None
        if session is None:
            self._tell(self._states.leave(user_id))
        elif self._clock.now() - session.updated_at < IDLE:
            self._tell(self._states.enter(user_id, session.state, self._clock.now()))

    def _until_idle(self) -> float | None:
        due = self._states.next_idle()
        return None if due is None else seconds_until((due - self._clock.now()).total_seconds(), 0.0)

    async def _load(self) -> None:
        """Learn from the storage who is in a form; while it fails, start from nobody: the next answers tell."""
        now = self._clock.now()
        found = await attempt(self._storage.active_forms(now - IDLE))
        if isinstance(found, Exception) and not isinstance(found, StorageUnavailable):
            raise found
        self._states = States(self._names)
        for user_id, state, since in [] if isinstance(found, Exception) else found:
            self._states.enter(user_id, state, since)
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Number from 0 and have every listener read all states again."""
        self._number = 0
        self._pending.clear()
        self._renew = True
        self._feed.tell("states", _REFRESH)
        self._work.set()

    def _tell(self, transitions: Iterable[Transition]) -> None:
        for transition in transitions:
            self._number += 1
            self._feed.tell("states", _message(transition, self._number))
            if self._redis is not None and not self._renew:
                self._pending.append((self._number, transition))
                self._work.set()
        if len(self._pending) > WAITING:
            self._begin_anew()

    # --- Redis ---------------------------------------------------------------------------------------------------

    async def _keep_redis(self, redis: RedisMirror) -> None:
        """Keep Redis equal to what is known here, through whatever happens to it."""
        failures = 0
        try:
            while not self._closing or not failures:
                try:
                    await redis.connect()
                    await self._write_anew(redis)
                    failures = 0
                    self._reached = True
                    self._fares("ok")
                    await self._go_on(redis)
                    if self._closing:
                        return
                except RedisGone as error:
                    self._reached = False
                    self._fares(f"redis: {error.reason}")
                    failures += 1
                    self._renew = True
                    await self._pause(RETRY_S[min(failures, len(RETRY_S)) - 1])
        finally:
            with anyio.CancelScope(shield=True):
                await redis.close()

    def _fares(self, detail: str) -> None:
        if detail != self.health.detail:
            (log.info if detail == "ok" else log.warning)("redis_changed", now=detail)
        self.health = Health(detail=detail)

    async def _write_anew(self, redis: RedisMirror) -> None:
        if self._number:
            self._begin_anew()
        self._renew = False
        self._report_told = self._report is None
        self._pending.clear()
        await redis.renew(self._states.snapshot(), self._states.everybody(), _REFRESH)

    async def _go_on(self, redis: RedisMirror) -> None:
        """Write what comes; returns when all has to be written anew, or when the end has come and nothing is left."""
        while True:
            if self._renew:
                return
            if self._pending and not await self._write_pending(redis):
                return
            await self._write_report(redis)
            await self._write_lines(redis)
            if self._closing and not self._pending:
                return
            self._work = anyio.Event()
            await self._pause(CHECK_S)
            if not self._pending and not await redis.is_ours(self._number):
                return

    async def _write_pending(self, redis: RedisMirror) -> bool:
        some = list(self._pending)
        self._pending.clear()
        return await redis.write(some[0][0] - 1, some[-1][0], self._changed(some), [_message(t, n) for n, t in some])

    def _changed(self, some: list[tuple[int, Transition]]) -> dict[str, bytes | None]:
        """Give the keys that these transitions changed, as they are now: each is written once, however often."""
        changed: dict[str, bytes | None] = {}
        for _, transition in some:
            people = self._states.people_in(transition.user_state)
            changed[f"state:{transition.user_state}"] = msgspec.json.encode(people)
            state = self._states.state_of(transition.user_id)
            changed[f"user_state:{transition.user_id}"] = None if state is None else state.encode()
        return changed

    async def _write_report(self, redis: RedisMirror) -> None:
        if self._report is not None and not self._report_told:
            self._report_told = True
            await redis.report(self._report)

    async def _write_lines(self, redis: RedisMirror) -> None:
        lines = [self._lines.popleft() for _ in range(min(len(self._lines), 500))]
        if lines:
            number, self._line_number = self._line_number, self._line_number + len(lines)
            await redis.log(lines, number)

    async def _pause(self, seconds: float) -> None:
        """Wait for work, but not longer than this; what comes at the same time is gathered."""
        with self._clock.move_on_after(seconds):
            await self._work.wait()
            if not self._closing:
                await self._clock.sleep(TOGETHER_S)


def _message(transition: Transition, number: int) -> bytes:
    return msgspec.json.encode(
        {
            "user_id": transition.user_id,
            "user_state": transition.user_state,
            "action": transition.action,
            "incr_value": number,
        }
    )


_REFRESH = _message(Transition(0, "null", "refresh"), 0)
