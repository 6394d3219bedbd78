"""The mirror against a real Redis: a listener who knows the contract alone ends up with the truth, whatever happens."""

from __future__ import annotations

import json
import random
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.actor import Mailbox
from actors.feed import Feed
from actors.mirror import Mirror
from actors.mirror_redis import LOGS_KEPT, RedisMirror
from migrebot.clock import SystemClock
from migrebot.messages import StateChanged, StatesChanged, StateUnknown
from storage.sqlite import SqliteStorage
from tests.clock import FakeClock
from tests.redis import RedisServer
from tests.talk import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from migrebot.clock import Clock
    from storage.interface import Storage
    from tests.talk import House

pytestmark = pytest.mark.anyio

NAMES = ("ReportPainCaseForm:0:date", "ReportPainCaseForm:1:durability", "AddDrugForm:0:name", "Donation:0:amount")
WITHIN = 30.0
"""Seconds for what takes one or two on a quiet machine."""


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def mirroring(storage: Storage, clock: Clock, redis: RedisServer | None = None) -> AsyncIterator[Mirror]:
    mirror = Mirror(
        mailbox=Mailbox(10_000),
        states=NAMES,
        storage=storage,
        feed=Feed(),
        redis=RedisMirror(redis.url) if redis else None,
        clock=clock,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mirror.run)
        yield mirror
        await mirror.stop()


async def becomes_true(condition: Callable[[], bool]) -> None:
    """Wait for something outside of this process, which tells nobody when it happens."""
    with anyio.fail_after(WITHIN):
        # Redis sets no event of ours.
        while not await anyio.to_thread.run_sync(condition, abandon_on_cancel=True):  # noqa: ASYNC110
            await anyio.sleep(0.01)


def shown(redis: RedisServer) -> dict[str, list[int]]:
    client = redis.client()
    keys = client.keys("state:*")
    return {key.removeprefix("state:"): json.loads(client.get(key)) for key in keys}


def people(mirror: Mirror, state: str) -> tuple[int, ...]:
    listed: Any = mirror.states()["states"]
    return next(entry["user_ids"] for entry in listed if entry["state_name"] == state)


async def enters(mirror: Mirror, user_id: int, state: str | None) -> None:
    await mirror.mailbox.put(StatesChanged((StateChanged(user_id, state),)))


class Listener:
    """What somebody would write who has read the contract and nothing else."""

    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis
        self.states: dict[str, set[int]] = {}
        self.messages: list[dict[str, Any]] = []
        self._number: int | None = None

    async def follow(self) -> None:
        while True:
            client: Any = Redis.from_url(self._redis.url, decode_responses=True)
            channel = client.pubsub()
            try:
                await channel.subscribe("channel:states")
                await self._read_all(client)
                while True:
                    message = await channel.get_message(ignore_subscribe_messages=True, timeout=0.2)
                    if message is not None:
                        await self._take(json.loads(message["data"]), client)
            except (RedisError, OSError):
                await anyio.sleep(0.01)
            finally:
                with anyio.CancelScope(shield=True):
                    await channel.aclose()
                    await client.aclose()

    async def _read_all(self, client: Any) -> None:
        self._number = int(await client.get("incr_value") or 0)
        keys = [key async for key in client.scan_iter("state:*")]
        self.states = {key.removeprefix("state:"): set(json.loads(await client.get(key) or "[]")) for key in keys}

    async def _take(self, message: dict[str, Any], client: Any) -> None:
        self.messages.append(message)
        if message["action"] == "refresh":
            assert message == {"user_id": 0, "user_state": "null", "action": "refresh", "incr_value": 0}
            await self._read_all(client)
        elif self._number is not None and message["incr_value"] > self._number:
            assert message["incr_value"] == self._number + 1, "a number was left out"
            self._number += 1
            inside = self.states.setdefault(message["user_state"], set())
            inside.add(message["user_id"]) if message["action"] == "set" else inside.discard(message["user_id"])


async def test_all_states_are_there_from_the_start_as_empty_lists(storage: Storage, redis: RedisServer) -> None:
    client = redis.client()
    client.set("user_state:99", "Gone:0:x")
    client.set("state:Gone:0:x", "[99]")
    async with mirroring(storage, SystemClock(), redis):
        await becomes_true(lambda: client.get("incr_value") == "0")
        assert {key: client.get(key) for key in client.keys("state:*")} == {f"state:{name}": "[]" for name in NAMES}
        assert client.keys("user_state:*") == []


async def test_moving_between_steps_tells_unset_of_the_old_then_set_of_the_new(
    storage: Storage, redis: RedisServer
) -> None:
    client = redis.client()
    channel = client.pubsub()
    channel.subscribe("channel:states")
    async with mirroring(storage, SystemClock(), redis) as mirror:
        await becomes_true(lambda: client.get("incr_value") == "0")
        await enters(mirror, -5, NAMES[0])
        await enters(mirror, -5, NAMES[1])
        await becomes_true(lambda: client.get("incr_value") == "3")
        assert client.get("user_state:-5") == NAMES[1]
        assert shown(redis)[NAMES[1]] == [-5]
        await enters(mirror, -5, None)
        await becomes_true(lambda: client.get("incr_value") == "4")
        assert client.get("user_state:-5") is None
    told = []
    while (message := channel.get_message(timeout=1)) is not None:
        if message["type"] == "message":
            told.append(message["data"])
    channel.close()
    expected = [(0, "null", "refresh"), (-5, NAMES[0], "set"), (-5, NAMES[0], "unset"), (-5, NAMES[1], "set")]
    expected.append((-5, NAMES[1], "unset"))
    assert told == [
        json.dumps({"user_id": u, "user_state": s, "action": a, "incr_value": n}, separators=(",", ":"))
        for n, (u, s, a) in enumerate(expected)
    ]


async def test_whoever_idles_for_two_minutes_is_gone_here_and_back_with_the_next_answer(
    storage: Storage, clock: FakeClock
) -> None:
    async with mirroring(storage, clock) as mirror:
        await enters(mirror, 7, NAMES[2])
        await becomes_true(lambda: people(mirror, NAMES[2]) == (7,))
        await clock.advance(119)
        assert people(mirror, NAMES[2]) == (7,)
        await clock.advance(2)
        assert mirror.states() == {"states": [{"state_name": n, "user_ids": ()} for n in NAMES], "incr_value": 2}
        await enters(mirror, 7, NAMES[2])
        await clock.advance(1)
        assert mirror.states()["incr_value"] == 3


async def test_a_listener_ends_with_the_truth_after_ten_thousand_transitions_two_restarts_and_a_flush(
    storage: Storage, redis: RedisServer
) -> None:
    chance, truth = random.Random(5), dict[int, str]()
    listener = Listener(redis)
    async with mirroring(storage, SystemClock(), redis) as mirror, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.follow)
        for number in range(5_000):
            user_id, state = chance.randrange(1, 400), chance.choice([*NAMES, None])
            await enters(mirror, user_id, state)
            if state is None:
                truth.pop(user_id, None)
            else:
                truth[user_id] = state
            if number % 50 == 0:
                await anyio.sleep(0.005)
            if number in (1_500, 3_500):
                await anyio.to_thread.run_sync(redis.kill)
                await anyio.to_thread.run_sync(redis.start)
            if number == 2_500:
                redis.client().flushall()
        expected = {name: sorted(u for u, state in truth.items() if state == name) for name in NAMES}
        await becomes_true(lambda: {name: sorted(people) for name, people in shown(redis).items()} == expected)
        await becomes_true(lambda: {name: sorted(people) for name, people in listener.states.items()} == expected)
        assert sum(message["action"] == "refresh" for message in listener.messages) >= 3
        tasks.cancel_scope.cancel()


async def test_without_redis_everything_is_known_all_the_same(storage: Storage, tmp_path: Path) -> None:
    nowhere = RedisServer(tmp_path)
    async with mirroring(storage, SystemClock(), nowhere) as mirror:
        await enters(mirror, 7, NAMES[0])
        await becomes_true(lambda: "redis" in mirror.health.detail)
        assert mirror.health.serving
        assert people(mirror, NAMES[0]) == (7,)
        await anyio.to_thread.run_sync(nowhere.start)
        await becomes_true(lambda: shown(nowhere).get(NAMES[0]) == [7])
        await becomes_true(lambda: mirror.health.detail == "ok")
        nowhere.kill()


async def test_a_redis_that_is_full_is_written_anew_once_there_is_room(storage: Storage, redis: RedisServer) -> None:
    client = redis.client()
    async with mirroring(storage, SystemClock(), redis) as mirror:
        await becomes_true(lambda: client.get("incr_value") == "0")
        client.config_set("maxmemory", 1)
        await enters(mirror, 7, NAMES[0])
        await becomes_true(lambda: "redis" in mirror.health.detail)
        assert shown(redis)[NAMES[0]] == []
        client.config_set("maxmemory", 0)
        await becomes_true(lambda: shown(redis).get(NAMES[0]) == [7])


async def test_ten_thousand_people_cost_few_writes(storage: Storage, redis: RedisServer) -> None:
    client = redis.client()
    async with mirroring(storage, SystemClock(), redis) as mirror:
        await becomes_true(lambda: client.get("incr_value") == "0")
        for user_id in range(10_000):
            await enters(mirror, user_id, NAMES[0])
            if user_id % 500 == 0:
                await anyio.lowlevel.checkpoint()
        await becomes_true(lambda: client.get("incr_value") in ("10000", "0") and len(shown(redis)[NAMES[0]]) == 10_000)
        assert client.info("commandstats")["cmdstat_eval"]["calls"] < 100


async def test_the_log_goes_to_a_list_with_the_newest_first(storage: Storage, redis: RedisServer) -> None:
    client = redis.client()
    channel = client.pubsub()
    channel.subscribe("channel:logs")
    async with mirroring(storage, SystemClock(), redis) as mirror:
        for number in range(3):
            mirror.hear(f"line {number}")
        await becomes_true(lambda: client.get("log_incr_value") == "2")
        assert client.lrange("logs", 0, -1) == ["line 2", "line 1", "line 0"]
    messages = [channel.get_message(timeout=0.2) for _ in range(10)]
    told = [message["data"] for message in messages if message and message["type"] == "message"]
    assert told[0] == '{"log_record":"line 0","log_incr_value":0}'
    channel.close()
    assert LOGS_KEPT == 10_000


async def test_after_a_restart_those_active_in_the_last_two_minutes_are_shown(
    storage: Storage, clock: FakeClock
) -> None:
    async with open_house(storage, clock) as house:
        await house.person(8).says("/pain")
        await clock.advance(100)
        await house.person(9).says("/pain")
        told = [envelope.message.changes for envelope in house.mirror.take(100)]
    assert told == [(StateChanged(8, NAMES[0]),), (StateChanged(9, NAMES[0]),)]
    async with mirroring(storage, clock) as mirror:
        await becomes_true(lambda: people(mirror, NAMES[0]) == (8, 9))
    await clock.advance(30)
    async with mirroring(storage, clock) as mirror:
        await becomes_true(lambda: people(mirror, NAMES[0]) == (9,))


async def test_a_mirror_that_missed_something_asks_the_storage(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock, mirror_size=1) as house:
        await house.person(8).says("/pain")
        await house.person(9).says("/pain")  # there is no room: nobody waits for it
        house.mirror.take(1)
        await house.person(8).says("today")
        missed = house.mirror.take(1)[0].message
    assert missed == StatesChanged((StateChanged(8, NAMES[1]),), missed=True)
    async with mirroring(storage, clock) as mirror:
        await mirror.mailbox.put(missed)
        await becomes_true(lambda: people(mirror, NAMES[0]) == (9,))


@pytest.mark.parametrize("both", [False, True])
async def test_the_form_of_who_is_joined_goes_on_as_the_others_unless_they_have_one(
    storage: Storage, redis: RedisServer, both: bool
) -> None:
    client = redis.client()
    here, there = NAMES[0], "PressureForm:0:systolic"
    listener = Listener(redis)
    async with (
        open_house(storage, FakeClock(datetime.now(UTC))) as house,
        mirroring(storage, SystemClock(), redis) as mirror,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.follow)
        ann, wanda = house.person(8), house.person(value="whatsapp:+491511234567", channel="whatsapp")
        await ann.says("/link")
        code = re.search(r"/link ([A-Z2-9-]{14})", ann.last.text)
        assert code
        await wanda.says(f"/link {code[1]}")
        loser = (await wanda.known()).user.id
        await wanda.says("/pain")
        if both:
            await ann.says("/pressure")
            there = (await storage.holder(8)).session.state  # type: ignore[union-attr]
        await pass_on(house, mirror)
        await becomes_true(lambda: client.get(f"user_state:{loser}") == here)
        await ann.presses("Yes, join")
        await pass_on(house, mirror)
        left = there if both else here
        await becomes_true(lambda: client.get("user_state:8") == left and shown(redis)[left] == [8])
        await becomes_true(lambda: client.get(f"user_state:{loser}") is None)
        assert [state for state, people in shown(redis).items() if people] == [left]
        await becomes_true(
            lambda: {state: people for state, people in listener.states.items() if people} == {left: {8}}
        )
        tasks.cancel_scope.cancel()


async def pass_on(house: House, mirror: Mirror) -> None:
    for envelope in house.mirror.take(100):
        await mirror.mailbox.put(envelope.message)


async def test_a_form_left_long_ago_is_not_shown_because_its_diary_was_joined(
    storage: Storage, clock: FakeClock
) -> None:
    async with open_house(storage, clock) as house, mirroring(storage, clock) as mirror:
        await house.person(8).says("/pain")
        house.mirror.take(100)
        await clock.advance(121)
        await mirror.mailbox.put(StatesChanged((StateUnknown(8), StateUnknown(9), StateChanged(10, NAMES[1]))))
        await becomes_true(lambda: people(mirror, NAMES[1]) == (10,))
        assert people(mirror, NAMES[0]) == ()
