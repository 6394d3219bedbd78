"""Who keeps the actors alive: starts them in order, restarts those that fail, stops them in reverse order.

Owns the life of every actor and nothing else. Receives what they raise, emits log events and, for the owner, alerts.
"""

from __future__ import annotations

import os
import random
import signal
from collections import deque
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import anyio
from msgspec import Struct

from actors.actor import Actor, Health, MailboxStatistics, Poisoned, attempt
from migrebot.errors import UserError
from migrebot.logs import get_logger
from migrebot.messages import Alert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anyio.abc import TaskStatus

    from migrebot.clock import Clock

START_LIMIT = 30.0
"""Seconds an actor may take to start: the next one waits for it."""

RELEASE_LIMIT = 5.0
"""Seconds an actor's resources may take to be released before a restart; at a stop, what is left of its share."""

FIRST_DELAY = 0.1
LONGEST_DELAY = 30.0
"""Seconds before a restart: the first delay doubles with every failure in a row, up to the longest."""

WINDOW = 60.0
"""Seconds: an actor that has run for so long without failing is well again."""

MAX_RESTARTS = 5
"""More restarts than that inside the window make an actor degraded."""

_RUNNING_PART = 0.8
"""Of its share of the grace, what an actor has for coming to its end; the rest is for releasing its resources."""

_log = get_logger("supervisor")


class RanOut(Exception):
    """An actor's `run` returned though nobody had asked it to stop."""


class StartTimedOut(Exception):
    """An actor's `start` took longer than `START_LIMIT`."""


Phase = Literal["waiting", "starting", "running", "failed", "stopped"]
State = Literal[Phase, "degraded"]


class ActorState(Struct, frozen=True, kw_only=True):
    """How an actor fares, for readyz and metrics.

    `failed` waits to be restarted soon; `degraded` failed too often: it is restarted at the longest delay, and counts
    as degraded until it has run for the whole window. `detail` never holds the text of an error.
    """

    state: State
    serving: bool
    detail: str
    restarts: int
    set_aside: int
    last_error: str
    mailbox: MailboxStatistics
    since: datetime


class Backoff:
    """How long a failing actor has to wait, and whether it fails too often; knows no clock of its own."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self.degraded = False
        self._chance = chance
        self._in_a_row = 0
        self._recent: deque[float] = deque()

    def failed(self, now: float, *, ran_for: float) -> float:
        """Note a failure at `now` after a run of `ran_for` seconds; returns the seconds to wait."""
        if ran_for >= WINDOW:
            self.degraded = False
            self._in_a_row = 0
        self._in_a_row += 1
        self._recent.append(now)
        while self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        self.degraded = self.degraded or len(self._recent) > MAX_RESTARTS
        doublings = 10 if self.degraded else min(self._in_a_row - 1, 10)
        # Jitter keeps actors that failed together from hammering together on what failed them.
        return min(LONGEST_DELAY, FIRST_DELAY * 2.0**doublings) * (0.5 + self._chance() / 2)


class _Life:
    """The life of one actor: started, run, released, and again if it failed."""

    def __init__(
        self,
        *,
        actor: Actor[Any],
        clock: Clock,
        backoff: Backoff,
        on_alert: Callable[[Alert], None],
        on_change: Callable[[str, Phase], None],
        on_fatal: Callable[[UserError], None],
    ) -> None:
        self.actor = actor
        self.tried = anyio.Event()
        self._clock = clock
        self._backoff = backoff
        self._on_alert = on_alert
        self._on_change = on_change
        self._on_fatal = on_fatal
        self._phase: Phase = "waiting"
        self._since = clock.now()
        self._running_from = 0.0
        self._ever_ran = False
        self._restarts = 0
        self._messages_set_aside = 0
        self._last_error = ""
        self._closing = anyio.Event()
        self._ended = anyio.Event()
        self._everything: anyio.CancelScope | None = None
        self._start: anyio.CancelScope | None = None
        self._release_by: float | None = None
        actor.set_aside = self._set_aside

    @property
    def state(self) -> ActorState:
        """Tell how the actor fares now."""
        state: State = self._phase
        since = self._since
        if self._backoff.degraded and self._phase != "stopped":
            recovered = self._ran_for() >= WINDOW
            since += timedelta(seconds=WINDOW if recovered else 0)
            state = "running" if recovered else "degraded"
        running = state == "running"
        return ActorState(
            state=state,
            serving=running and self.actor.health.serving,
            detail=self.actor.health.detail if running else self._reason(),
            restarts=self._restarts,
            set_aside=self._messages_set_aside,
            last_error=self._last_error,
            mailbox=self.actor.mailbox.statistics,
            since=since,
        )

    async def live(self) -> None:
        """Keep the actor alive until `interrupt`; from then on it is not started any more."""
        try:
            with anyio.CancelScope() as self._everything:
                while not self._closing.is_set():
                    delay = await self._live_once()
                    self.tried.set()
                    await self._pause(delay)
        finally:
            self._enter("stopped")
            self.actor.mailbox.close()
            self.tried.set()
            self._ended.set()

    def interrupt(self) -> None:
        """Start the actor no more; it ends now unless it runs, then `stop` ends it."""
        self._closing.set()
        if self._start is not None:
            self._start.cancel()

    async def stop(self, share: float) -> None:
        """Bring the actor to its end within `share` seconds, by cancelling it if need be; called after `interrupt`."""
        self._release_by = self._clock.monotonic() + share
        with self._clock.move_on_after(share * _RUNNING_PART):
            if self._phase == "running":
                self._log_if_error("stop_failed", await attempt(self.actor.stop()))
            # Also if its own `stop` failed: without this, `run` would never end.
            self.actor.mailbox.close()
            await self._ended.wait()
        if not self._ended.is_set() and self._everything is not None:
            _log.warning("actor_cancelled", actor=self.actor.name)
            self._everything.cancel()
            with self._clock.move_on_after(max(0.0, self._release_by - self._clock.monotonic())):
                await self._ended.wait()

    async def _live_once(self) -> float:
        """Start and run the actor and release its resources; returns the seconds to wait before the restart."""
        resources = AsyncExitStack()
        try:
            error = await attempt(self._start_and_run(resources))
            if error is not None:
                return self._failed(error)
            self._enter("stopped")
            return 0.0
        finally:
            await self._release(resources)

    async def _start_and_run(self, resources: AsyncExitStack) -> None:
        """Return only if it was asked for."""
        if self._restarts:
            self.actor.health = Health()
        self._enter("starting")
        await self._get_started(resources)
        if self._closing.is_set():
            return
        self._running_from = self._clock.monotonic()
        self._ever_ran = True
        self._enter("running")
        self.tried.set()
        _log.info("actor_started", actor=self.actor.name)
        await self.actor.run()
        if not self._closing.is_set():
            raise RanOut(self.actor.name)

    async def _get_started(self, resources: AsyncExitStack) -> None:
        with self._clock.move_on_after(START_LIMIT) as scope:
            self._start = scope
            try:
                await self.actor.start(resources)
            finally:
                self._start = None
        if scope.cancelled_caught and not self._closing.is_set():
            raise StartTimedOut(self.actor.name)

    async def _release(self, resources: AsyncExitStack) -> None:
        limit = RELEASE_LIMIT
        if self._release_by is not None:
            limit = max(0.0, self._release_by - self._clock.monotonic())
        with anyio.CancelScope(shield=True), self._clock.move_on_after(limit) as bound:
            # An error here must neither hide the one of `run` nor keep the actor from its restart.
            self._log_if_error("release_failed", await attempt(resources.aclose()))
        if bound.cancelled_caught:
            _log.warning("release_timed_out", actor=self.actor.name)

    async def _pause(self, seconds: float) -> None:
        with self._clock.move_on_after(seconds):
            await self._closing.wait()

    def _failed(self, error: Exception) -> float:
        """Note the failure; returns the seconds to wait before the restart."""
        fatal = None if self._ever_ran else _user_error(error)
        if fatal is not None:
            self._on_fatal(fatal)
            return 0.0
        was_degraded = self._backoff.degraded
        delay = self._backoff.failed(self._clock.monotonic(), ran_for=self._ran_for())
        if self._closing.is_set():
            delay = 0.0
        else:
            self._restarts += 1
        self._last_error = _kind(error)
        self._enter("failed")
        _log.error("actor_failed", actor=self.actor.name, error=self._last_error, delay=round(delay, 3), exc_info=error)
        if self._backoff.degraded and not was_degraded:
            self._tell(f"actor:{self.actor.name}", f"{self.actor.name} does not work: {self._reason()}.")
        return delay

    def _set_aside(self, poisoned: Poisoned) -> None:
        self._messages_set_aside += 1
        _log.error("message_set_aside", actor=poisoned.actor, message=poisoned.message_type, error=poisoned.error)
        self._tell(
            f"set_aside:{poisoned.actor}",
            f"{poisoned.actor} set aside what it could not handle ({poisoned.message_type}: {poisoned.error}).",
        )

    def _tell(self, cause: str, text: str) -> None:
        self._on_alert(Alert(cause=cause, text=text))

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._since = self._clock.now()
        self._on_change(self.actor.name, phase)

    def _ran_for(self) -> float:
        return self._clock.monotonic() - self._running_from if self._phase == "running" else 0.0

    def _reason(self) -> str:
        match self._phase:
            case "waiting":
                return "waits for those before it"
            case "starting":
                return f"starts again after {self._last_error}" if self._last_error else "starts"
            case "running":
                return f"runs again after {self._last_error}, but not for long yet"
            case "failed" if self._backoff.degraded:
                return f"failed too often, last with {self._last_error}; tried again every {LONGEST_DELAY:.0f} s"
            case "failed":
                return f"failed with {self._last_error}; starts again soon"
            case "stopped":
                return "stopped"

    def _log_if_error(self, event: str, error: Exception | None) -> None:
        if error is not None:
            _log.error(event, actor=self.actor.name, error=_kind(error), exc_info=error)


def _tell_nobody(name: str, phase: Phase) -> None:
    """Do nothing about an actor that enters another phase."""


class Supervisor:
    """Runs the actors: `run` starts them in order and returns once all have stopped.

    `on_alert` is called for what the owner should know, `on_change` when an actor enters another phase of its life;
    both must return at once and not raise. `grace` bounds a clean
    stop of all actors together: its default leaves a second of the ten that a container is given for closing the
    storage and the process itself.
    """

    def __init__(
        self,
        *,
        actors: Sequence[Actor[Any]],
        clock: Clock,
        on_alert: Callable[[Alert], None],
        on_change: Callable[[str, Phase], None] = _tell_nobody,
        grace: float = 9.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._lives = {
            actor.name: _Life(
                actor=actor,
                clock=clock,
                backoff=Backoff(chance),
                on_alert=on_alert,
                on_change=on_change,
                on_fatal=self._end_with,
            )
            for actor in actors
        }
        if len(self._lives) < len(actors):
            raise ValueError("two actors have the same name")
        self._clock = clock
        self._grace = grace
        self._fatal: UserError | None = None
        self._running = False
        self._asked = anyio.Event()
        self._stopped = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Start the actors, each after the one before has started or failed to; return after `stop`.

        `task_status` is told once all have been started. Raises the `UserError` of an actor that never started, after
        the others were stopped. Cancelling it cancels all actors; their resources are released all the same.
        """
        self._running = True
        try:
            async with anyio.create_task_group() as tasks:
                for name, life in self._lives.items():
                    tasks.start_soon(life.live, name=name)
                    await life.tried.wait()
                if self._fatal is None:
                    task_status.started()
                await self._asked.wait()
                await self._stop_all()
        finally:
            for life in self._lives.values():
                life.actor.mailbox.abandon()
            self._stopped.set()
        if self._fatal is not None:
            raise self._fatal

    async def stop(self) -> None:
        """Stop all actors in reverse order and wait until they have stopped; may be called at any time, repeatedly."""
        self._ask_to_stop()
        if self._running:
            await self._stopped.wait()

    def states(self) -> dict[str, ActorState]:
        """Tell how each actor fares, in starting order."""
        return {name: life.state for name, life in self._lives.items()}

    def readiness(self) -> tuple[bool, dict[str, str]]:
        """Tell whether all actors do their work, and of each "ok", what limits it, or why it does not work."""
        states = self.states()
        return all(state.serving for state in states.values()), {name: state.detail for name, state in states.items()}

    async def _stop_all(self) -> None:
        end = self._clock.monotonic() + self._grace
        lives = list(self._lives.values())
        while lives:
            # What one does not need of its share is there for all that come after it.
            share = max(0.0, end - self._clock.monotonic()) / len(lives)
            await lives.pop().stop(share)

    def _ask_to_stop(self) -> None:
        self._asked.set()
        for life in self._lives.values():
            life.interrupt()

    def _end_with(self, error: UserError) -> None:
        self._fatal = self._fatal or error
        self._ask_to_stop()


async def stop_on_signals(
    supervisor: Supervisor,
    *,
    at_once: Callable[[int], object] = os._exit,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Stop cleanly on the first SIGTERM or SIGINT and return then; a second one ends the process at once.

    `task_status` is told once signals are heard.
    """
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                await supervisor.stop()
                tasks.cancel_scope.cancel()

            first = True
            async for received in signals:
                _log.info("stopping" if first else "killed", signal=received.name)
                if first:
                    tasks.start_soon(stop)
                else:
                    # Not `sys.exit`: it would wait for threads and clean-up, the very things that hang when somebody
                    # asks twice. Nothing is lost: what was committed is on the disk, what was not will come again.
                    at_once(128 + received)
                first = False


def _user_error(error: BaseException) -> UserError | None:
    """Find the operator's error, also inside a group: `start` may have used a task group."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := _user_error(each))), None)
    return error if isinstance(error, UserError) else None


def _kind(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return type(error).__name__
