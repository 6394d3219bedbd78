from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from actors.actor import Actor, Health, Mailbox, MailboxClosed, NotHandled
from actors.supervisor import (
    LONGEST_DELAY,
    MAX_RESTARTS,
    RELEASE_LIMIT,
    START_LIMIT,
    WINDOW,
    Backoff,
    Supervisor,
    stop_on_signals,
)
from migrebot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AsyncExitStack

    from structlog.typing import EventDict

    from migrebot.messages import Alert
    from tests.clock import FakeClock

GRACE = 10.0


class Probe(Actor[str]):
    """Does what the test tells it, and writes down in the common diary what happens to it."""

    name = "probe"

    def __init__(self, diary: list[str], name: str = "probe") -> None:
        super().__init__(Mailbox(10))
        self.name = name  # type: ignore[misc]  # one class plays all parts
        self.diary = diary
        self.start_errors: list[Exception] = []
        self.start_takes: anyio.Event | None = None
        self.run_errors: list[Exception] = []
        self.returns = False
        self.stop_error: Exception | None = None
        self.deaf = False
        self.shielded = False
        self.hold: anyio.Event | None = None
        self.release_error: Exception | None = None
        self.release_takes: anyio.Event | None = None

    def note(self, what: str) -> None:
        self.diary.append(f"{self.name} {what}")

    async def start(self, resources: AsyncExitStack) -> None:
        self.note("starts")
        resources.push_async_callback(self.release)
        if self.start_takes is not None:
            await self.start_takes.wait()
        if self.start_errors:
            raise self.start_errors.pop(0)
        self.note("started")

    async def release(self) -> None:
        await anyio.lowlevel.checkpoint()
        if self.release_takes is not None:
            await self.release_takes.wait()
        if self.release_error is not None:
            raise self.release_error
        self.note("released")

    async def run(self) -> None:
        if self.run_errors:
            raise self.run_errors.pop(0)
        if self.returns:
            return
        if self.deaf:
            await anyio.sleep_forever()
        with anyio.CancelScope(shield=self.shielded):
            await super().run()

    async def handle(self, message: str) -> str:
        if message == "poison":
            raise ValueError(message)
        if self.hold is not None:
            await self.hold.wait()
        self.note(f"handled {message}")
        return message

    async def stop(self) -> None:
        self.note("stops")
        if self.stop_error is not None:
            raise self.stop_error
        await super().stop()


class Stage:
    """A supervisor with its probes, its alerts and the common diary."""

    def __init__(self, clock: FakeClock, *names: str) -> None:
        self.clock = clock
        self.diary: list[str] = []
        self.alerts: list[Alert] = []
        self.probes = [Probe(self.diary, name) for name in names or ("probe",)]
        self.supervisor = Supervisor(
            actors=self.probes, clock=clock, on_alert=self.alerts.append, grace=GRACE, chance=lambda: 1.0
        )

    @property
    def probe(self) -> Probe:
        return self.probes[0]

    def state(self, name: str = "probe") -> str:
        return self.supervisor.states()[name].state

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.supervisor.run)
            await self.clock.settle()
            yield
            tasks.start_soon(self.supervisor.stop)
            await self.clock.advance(GRACE)
            with anyio.fail_after(5):
                await self.supervisor.stop()


@pytest.fixture
def stage(clock: FakeClock) -> Stage:
    return Stage(clock)


@pytest.fixture
def trio(clock: FakeClock) -> Stage:
    return Stage(clock, "first", "second", "third")


@pytest.fixture(autouse=True)
def log() -> Iterator[list[EventDict]]:
    with capture_logs() as events:
        yield events


def named(log: list[EventDict], event: str) -> list[dict[str, Any]]:
    return [dict(each) for each in log if each["event"] == event]


# --- starting --------------------------------------------------------------------------------------------------


async def test_each_actor_starts_after_the_one_before_has_started(trio: Stage) -> None:
    trio.probes[1].start_takes = anyio.Event()
    async with trio.running():
        assert trio.diary == ["first starts", "first started", "second starts"]
        assert [state.state for state in trio.supervisor.states().values()] == ["running", "starting", "waiting"]
        trio.probes[1].start_takes.set()
        await trio.clock.settle()
        assert trio.diary[3:] == ["second started", "third starts", "third started"]


async def test_run_tells_when_all_have_been_started(trio: Stage) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(trio.supervisor.run)
        assert trio.diary[-1] == "third started"
        await trio.supervisor.stop()


async def test_a_failed_start_does_not_keep_the_others_from_starting(trio: Stage) -> None:
    trio.probes[0].start_errors = [OSError()]
    async with trio.running():
        assert trio.state("first") == "failed"
        assert "third started" in trio.diary
        assert "first started" not in trio.diary
        await trio.clock.advance(0.1)
        assert trio.state("first") == "running"


async def test_a_start_that_takes_too_long_counts_as_failed_and_the_next_one_starts(trio: Stage) -> None:
    trio.probes[0].start_takes = anyio.Event()
    async with trio.running():
        await trio.clock.advance(START_LIMIT - 1)
        assert "second starts" not in trio.diary
        await trio.clock.advance(1)
        assert "third started" in trio.diary
        assert trio.supervisor.states()["first"].last_error == "StartTimedOut"


@pytest.mark.parametrize("grouped", [False, True])
async def test_an_error_the_operator_can_mend_ends_the_program_after_a_clean_stop(trio: Stage, grouped: bool) -> None:
    error = UserError("the port is taken")
    trio.probes[1].start_errors = [ExceptionGroup("", [error]) if grouped else error]
    with pytest.raises(UserError, match="the port is taken"):
        await trio.supervisor.run()
    assert trio.diary[-2:] == ["first stops", "first released"]
    assert "second released" in trio.diary
    assert "third starts" not in trio.diary


async def test_that_error_is_raised_to_who_waits_for_the_start(trio: Stage) -> None:
    trio.probes[2].start_errors = [UserError("the port is taken")]
    started = anyio.Event()

    async def start() -> None:
        async with anyio.create_task_group() as tasks:
            await tasks.start(trio.supervisor.run)
            started.set()

    with pytest.raises(ExceptionGroup) as raised:
        await start()
    assert not started.is_set()
    assert raised.group_contains(UserError, depth=1)


async def test_an_actor_that_once_worked_does_not_end_the_program(stage: Stage) -> None:
    stage.probe.run_errors = [OSError()]
    async with stage.running():
        stage.probe.start_errors = [UserError("the port is taken")]
        await stage.clock.advance(0.1)
        assert stage.state() == "failed"
        await stage.clock.advance(0.2)
        assert stage.state() == "running"


def test_two_actors_cannot_have_the_same_name(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="same name"):
        Stage(clock, "twin", "twin")


# --- failing ---------------------------------------------------------------------------------------------------


async def test_an_actor_that_fails_is_released_logged_and_started_again(stage: Stage, log: list[EventDict]) -> None:
    error = OSError("the wire is cut")
    stage.probe.run_errors = [error]
    async with stage.running():
        assert stage.diary == ["probe starts", "probe started", "probe released"]
        (event,) = named(log, "actor_failed")
        assert (event["actor"], event["error"], event["delay"]) == ("probe", "OSError", 0.1)
        assert event["exc_info"] is error
        await stage.clock.advance(0.09)
        assert stage.state() == "failed"
        await stage.clock.advance(0.01)
        assert stage.state() == "running"
        assert stage.alerts == []


async def test_the_delays_double_up_to_the_longest(stage: Stage, log: list[EventDict]) -> None:
    stage.probe.run_errors = [OSError() for _ in range(8)]
    async with stage.running():
        await stage.clock.advance(200)
        delays = [event["delay"] for event in named(log, "actor_failed")]
        assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 30, 30, 30]


async def test_an_actor_that_returns_unasked_has_failed(stage: Stage) -> None:
    stage.probe.returns = True
    async with stage.running():
        assert stage.supervisor.states()["probe"].last_error == "RanOut"


async def test_the_mailbox_outlives_a_failure(stage: Stage) -> None:
    stage.probe.run_errors = [OSError()]
    async with stage.running():
        asked = await stage.probe.mailbox.post("hello")
        await stage.clock.advance(0.1)
        assert await asked.answered() == "hello"


async def test_a_poisoned_message_is_told_without_its_text_and_the_actor_goes_on(
    stage: Stage, log: list[EventDict]
) -> None:
    async with stage.running():
        await stage.probe.mailbox.put("poison")
        asked = await stage.probe.mailbox.post("hello")
        await stage.clock.advance(1)
        assert await asked.answered() == "hello"
        (event,) = named(log, "message_set_aside")
        assert (event["actor"], event["message"], event["error"]) == ("probe", "str", "ValueError")
        (alert,) = stage.alerts
        assert alert.cause == "set_aside:probe"
        assert stage.supervisor.states()["probe"].set_aside == 1
        assert "poison" not in alert.text


async def test_an_actor_that_fails_too_often_is_degraded_and_the_owner_told_once(trio: Stage) -> None:
    trio.probes[1].run_errors = [OSError() for _ in range(MAX_RESTARTS + 3)]
    async with trio.running():
        await trio.clock.advance(3)
        assert trio.state("second") == "failed"
        await trio.clock.advance(1)
        assert trio.state("second") == "degraded"
        await trio.clock.advance(2 * LONGEST_DELAY)
        (alert,) = trio.alerts
        assert alert.cause == "actor:second"
        assert "OSError" in alert.text
        assert (trio.state("first"), trio.state("third")) == ("running", "running")


async def test_a_degraded_actor_is_well_again_once_it_ran_for_the_window(stage: Stage, log: list[EventDict]) -> None:
    stage.probe.run_errors = [OSError() for _ in range(MAX_RESTARTS + 1)]
    async with stage.running():
        await stage.clock.advance(3.1 + LONGEST_DELAY)
        assert stage.diary[-1] == "probe started"
        runs_since = stage.supervisor.states()["probe"].since
        await stage.clock.advance(WINDOW - 1)
        assert stage.state() == "degraded"
        assert not stage.supervisor.readiness()[0]
        await stage.clock.advance(1.1)
        assert stage.state() == "running"
        assert stage.supervisor.states()["probe"].since == runs_since + timedelta(seconds=WINDOW)
        await stage.probe.mailbox.put("poison")
        await stage.clock.settle()
        assert named(log, "actor_failed")[-1]["delay"] == 0.1


async def test_an_actor_that_only_starts_is_not_well_again(stage: Stage) -> None:
    stage.probe.start_errors = [OSError() for _ in range(40)]
    async with stage.running():
        await stage.clock.advance(600)
        assert stage.state() == "degraded"
        assert len(stage.alerts) == 1


async def test_a_failing_release_hides_nothing_and_stops_no_restart(stage: Stage, log: list[EventDict]) -> None:
    stage.probe.run_errors = [OSError()]
    stage.probe.release_error = ValueError()
    async with stage.running():
        await stage.clock.advance(0.1)
        assert stage.state() == "running"
        assert [event["error"] for event in named(log, "actor_failed")] == ["OSError"]
        assert [event["error"] for event in named(log, "release_failed")] == ["ValueError"]


async def test_a_release_that_hangs_is_given_up(stage: Stage, log: list[EventDict]) -> None:
    stage.probe.run_errors = [OSError()]
    stage.probe.release_takes = anyio.Event()
    async with stage.running():
        await stage.clock.advance(RELEASE_LIMIT)
        stage.probe.release_takes.set()
        await stage.clock.advance(0.1)
        assert stage.state() == "running"
        assert named(log, "release_timed_out")


async def test_cancelling_the_supervisor_releases_everything_and_abandons_the_mailboxes(trio: Stage) -> None:
    trio.probes[0].hold = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(trio.supervisor.run)
        asked = await trio.probes[0].mailbox.post("hello")
        await trio.clock.settle()
        tasks.cancel_scope.cancel()
    assert {"first released", "second released", "third released"} <= set(trio.diary)
    assert not any("stops" in line for line in trio.diary)
    with pytest.raises(NotHandled):
        await asked.answered()
    await trio.supervisor.stop()


# --- telling ---------------------------------------------------------------------------------------------------


async def test_readiness_tells_what_works_what_limits_it_and_what_does_not(trio: Stage) -> None:
    async with trio.running():
        assert trio.supervisor.readiness() == (True, {"first": "ok", "second": "ok", "third": "ok"})
        trio.probes[0].health = Health(detail="Redis does not answer")
        assert trio.supervisor.readiness() == (True, {"first": "Redis does not answer", "second": "ok", "third": "ok"})
        trio.probes[0].health = Health(serving=False, detail="the token was refused")
        ready, details = trio.supervisor.readiness()
        assert (ready, details["first"]) == (False, "the token was refused")


async def test_readiness_gives_the_reason_of_a_failure_but_never_its_text(stage: Stage) -> None:
    stage.probe.run_errors = [OSError("secret")]
    async with stage.running():
        ready, details = stage.supervisor.readiness()
        assert not ready
        assert "OSError" in details["probe"]
        assert "secret" not in details["probe"]


async def test_a_restarted_actor_begins_in_good_health(stage: Stage) -> None:
    async with stage.running():
        stage.probe.health = Health(serving=False, detail="bad")
        await stage.probe.mailbox.put("poison")
        await stage.clock.advance(1)
        assert stage.supervisor.readiness() == (True, {"probe": "ok"})


async def test_states_tell_restarts_the_last_error_the_mailbox_and_since_when(stage: Stage) -> None:
    stage.probe.run_errors = [OSError(), ExceptionGroup("", [KeyError()])]
    async with stage.running():
        await stage.clock.advance(0.5)
        await stage.probe.mailbox.put("hello")
        state = stage.supervisor.states()["probe"]
        assert (state.state, state.restarts, state.last_error) == ("running", 2, "KeyError")
        assert (stage.clock.now() - state.since).total_seconds() == pytest.approx(0.2)
        assert state.mailbox.total == 1


async def test_before_the_start_nothing_is_ready(stage: Stage) -> None:
    assert stage.supervisor.readiness() == (False, {"probe": "waits for those before it"})


# --- stopping --------------------------------------------------------------------------------------------------


async def test_actors_stop_in_reverse_order_each_after_finishing_what_it_accepted(trio: Stage) -> None:
    async with trio.running():
        trio.probes[2].hold = anyio.Event()
        await trio.probes[2].mailbox.put("one")
        await trio.probes[2].mailbox.put("two")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.settle()
            assert trio.diary[-1] == "third stops"
            with pytest.raises(MailboxClosed):
                await trio.probes[2].mailbox.put("three")
            trio.probes[2].hold.set()
    assert trio.diary[6:] == [
        "third stops", "third handled one", "third handled two", "third released",
        "second stops", "second released", "first stops", "first released",
    ]  # fmt: skip
    assert trio.state("first") == "stopped"
    assert trio.clock.monotonic() == GRACE, "only `running` let time pass"


async def test_an_actor_that_does_not_stop_is_cancelled_within_its_share(trio: Stage, log: list[EventDict]) -> None:
    trio.probes[2].deaf = True
    async with trio.running():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.advance(GRACE / 3)
        assert trio.diary[-5:-4] == ["third released"]
        assert trio.diary[-1] == "first released"
        assert [event["actor"] for event in named(log, "actor_cancelled")] == ["third"]


async def test_all_together_stop_within_the_grace_whatever_they_do(trio: Stage) -> None:
    for probe in trio.probes:
        probe.deaf = True
        probe.release_takes = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(trio.supervisor.run)
        await trio.clock.settle()
        tasks.start_soon(trio.supervisor.stop)
        await trio.clock.advance(GRACE)
        with anyio.fail_after(5):
            await trio.supervisor.stop()
    assert [probe.name for probe in trio.probes if f"{probe.name} stops" in trio.diary] == ["first", "second", "third"]


async def test_what_one_does_not_need_of_its_share_is_there_for_the_next(trio: Stage) -> None:
    hold = trio.probes[0].hold = anyio.Event()
    async with trio.running():
        await trio.probes[0].mailbox.put("slow")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.advance(GRACE * 0.75)
            hold.set()
        assert "first handled slow" in trio.diary


async def test_an_actor_whose_stop_fails_still_comes_to_its_end(stage: Stage, log: list[EventDict]) -> None:
    stage.probe.stop_error = ValueError()
    async with stage.running():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stage.supervisor.stop)
            await stage.clock.settle()
        assert stage.diary[-1] == "probe released"
        assert named(log, "stop_failed")
        assert not named(log, "actor_cancelled")


async def test_an_actor_that_waits_for_its_restart_or_still_starts_ends_at_once(
    trio: Stage, log: list[EventDict]
) -> None:
    trio.probes[0].run_errors = [OSError()]
    trio.probes[1].start_takes = anyio.Event()
    async with trio.running():
        asked = await trio.probes[0].mailbox.post("hello")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.settle()
        assert trio.state("first") == trio.state("second") == "stopped"
        assert not any("stops" in line or "third" in line for line in trio.diary)
        assert [event["actor"] for event in named(log, "actor_failed")] == ["first"]
        with pytest.raises(NotHandled):
            await asked.answered()


async def test_an_actor_that_waits_for_its_restart_takes_nothing_more_while_the_others_stop(trio: Stage) -> None:
    trio.probes[0].run_errors = [OSError()]
    hold = trio.probes[2].hold = anyio.Event()
    async with trio.running():
        await trio.probes[2].mailbox.put("slow")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.settle()
            with pytest.raises(MailboxClosed):
                await trio.probes[0].mailbox.put("hello")
            hold.set()


async def test_a_cancelled_actor_has_time_left_to_release_what_it_holds(stage: Stage) -> None:
    stage.probe.deaf = True
    takes = stage.probe.release_takes = anyio.Event()
    async with stage.running():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stage.supervisor.stop)
            await stage.clock.advance(GRACE - 1)
            takes.set()
        assert stage.diary[-1] == "probe released"


async def test_an_actor_that_cannot_be_cancelled_does_not_keep_the_others_from_stopping(trio: Stage) -> None:
    trio.probes[2].shielded = True
    hold = trio.probes[2].hold = anyio.Event()
    async with trio.running():
        await trio.probes[2].mailbox.put("slow")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.advance(GRACE)
            assert "first released" in trio.diary
            assert "third released" not in trio.diary
            hold.set()


async def test_an_actor_that_fails_during_the_stop_is_logged_but_not_started_again(
    trio: Stage, log: list[EventDict]
) -> None:
    hold = trio.probes[2].hold = anyio.Event()
    async with trio.running():
        await trio.probes[2].mailbox.put("slow")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(trio.supervisor.stop)
            await trio.clock.settle()
            await trio.probes[0].mailbox.put("poison")
            await trio.clock.advance(1)
            hold.set()
        assert [event["actor"] for event in named(log, "actor_failed")] == ["first"]
        assert trio.diary.count("first starts") == 1


async def test_stopping_twice_or_before_the_start_does_no_harm(stage: Stage) -> None:
    await stage.supervisor.stop()
    with anyio.fail_after(5):
        await stage.supervisor.run()
    await stage.supervisor.stop()
    assert stage.diary == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_stops_cleanly_and_the_second_at_once(stage: Stage, number: signal.Signals) -> None:
    statuses: list[int] = []
    ended = anyio.Event()

    def at_once(status: int) -> None:
        statuses.append(status)
        ended.set()

    async def listen(*, task_status: Any) -> None:
        await stop_on_signals(stage.supervisor, at_once=at_once, task_status=task_status)

    hold = stage.probe.hold = anyio.Event()
    async with anyio.create_task_group() as tasks:
        await tasks.start(listen)
        await tasks.start(stage.supervisor.run)
        await stage.probe.mailbox.put("slow")
        os.kill(os.getpid(), number)
        with anyio.fail_after(5):
            while "probe stops" not in stage.diary:
                await anyio.lowlevel.checkpoint()
        assert statuses == []
        os.kill(os.getpid(), number)
        with anyio.fail_after(5):
            await ended.wait()
        assert statuses == [128 + number]
        hold.set()
    assert stage.diary[-1] == "probe released"


# --- the backoff alone -----------------------------------------------------------------------------------------


@given(chance=st.floats(0, 1, exclude_max=True), failures=st.integers(1, 2_000))
def test_a_delay_is_jittered_but_never_above_the_longest_nor_below_half_of_its_own(
    chance: float, failures: int
) -> None:
    backoff = Backoff(lambda: chance)
    delays = [backoff.failed(number * 1_000.0, ran_for=0) for number in range(failures)]
    wanted = [min(LONGEST_DELAY, 0.1 * 2 ** min(number, 20)) for number in range(failures)]
    assert all(want / 2 <= delay <= want for want, delay in zip(wanted, delays, strict=True))
    assert delays[0] == pytest.approx(0.05 + 0.05 * chance)


def test_only_restarts_inside_the_window_make_an_actor_degraded() -> None:
    slow, quick = Backoff(), Backoff()
    for number in range(100):
        slow.failed(number * WINDOW / MAX_RESTARTS, ran_for=0)
    for number in range(MAX_RESTARTS + 1):
        assert not quick.degraded
        quick.failed(number * WINDOW / (MAX_RESTARTS + 1), ran_for=0)
    assert (slow.degraded, quick.degraded) == (False, True)
    quick.failed(1_000, ran_for=WINDOW)
    assert not quick.degraded
