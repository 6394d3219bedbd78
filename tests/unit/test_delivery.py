"""The delivery actor, between the real storage and a small messenger made of memory."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Mailbox
from actors.channel import Limits
from actors.delivery import Delivery
from migrebot.errors import NotSent, Refused, StorageUnavailable, Uncertain
from migrebot.messages import (
    Address,
    Alert,
    Body,
    Channel,
    ChatOpened,
    Document,
    Edit,
    OutboxFilled,
    Outgoing,
    Priority,
    Profile,
    Say,
    Ticket,
    Toast,
)
from storage.changes import CancelQueued, Change, Enqueue, Mute, SaveIdentity, SaveUser, Unit
from storage.interface import MAX_ATTEMPTS, REPEATABLE_ATTEMPTS
from storage.records import Identity
from storage.sqlite import SqliteStorage
from tests.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from storage.interface import Storage
    from storage.records import OutboxRow

FAST = Limits(per_second=1e9, per_chat_second=1e9)
NOT_SENT = NotSent("slow down", retry_after=4)
NO_NETWORK = NotSent("connection refused", whole_channel=True)
TOO_SOON = NotSent("slow down, all of you", retry_after=4, whole_channel=True)
UNSURE = Uncertain("connection reset")
GONE = Refused("blocked", recipient_gone=True)
BAD = Refused("can't parse entities")


class Messenger:
    """A messenger of memory: keeps what arrives, answers by the script of each chat, and can be made to hold on."""

    def __init__(self, clock: FakeClock, limits: Limits = FAST) -> None:
        self.limits = limits
        self.clock = clock
        self.arrived: list[tuple[str, str]] = []
        self.times: list[float] = []
        self.script: dict[str, deque[Exception | None]] = defaultdict(deque)
        self.closed: set[str] = set()
        self.open_gate = anyio.Event()
        self.open_gate.set()
        self.inside: Counter[str] = Counter()
        self.most_inside = 0

    def reachable(self, chat: str) -> bool:
        return chat not in self.closed

    def hold(self) -> None:
        """Answer nobody until `let_go`."""
        self.open_gate = anyio.Event()

    def let_go(self) -> None:
        self.open_gate.set()

    async def send(self, row: OutboxRow) -> str:
        chat = row.address.value
        self.inside[chat] += 1
        self.most_inside = max(self.most_inside, self.inside.total())
        assert self.inside[chat] == 1, "two messages of one chat at once"
        try:
            answer = self.script[chat].popleft() if self.script[chat] else None
            if not isinstance(answer, NotSent | Refused):
                self.arrived.append((chat, words(row.body)))
                self.times.append(self.clock.monotonic())
            await self.open_gate.wait()
            if answer is not None:
                raise answer
            return f"m{row.id}"
        finally:
            self.inside[chat] -= 1

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.arrived]


def words(body: Body) -> str:
    match body:
        case Say(text) | Edit(text=text) | Toast(text):
            return text
        case Document(recipe):
            return recipe
        case _:
            return ""


class Tapped:
    """The real storage, with the calls under way counted, and failing while told to."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.under_way = 0
        self.idle = anyio.Event()
        self.broken: set[str] = set()
        self.answers = anyio.Event()
        self.answers.set()
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._storage, name)

        async def call(*args: object) -> object:
            self.calls[name] += 1
            if name in self.broken:
                raise StorageUnavailable("disk full")
            self.under_way += 1
            try:
                # What is cancelled on the way never gets there.
                await anyio.lowlevel.checkpoint()
                answer = await method(*args)
                await self.answers.wait()
                return answer
            finally:
                self.under_way -= 1
                if not self.under_way:
                    self.idle.set()
                    self.idle = anyio.Event()

        return call


class World:
    """A delivery actor at work, and what is around it."""

    def __init__(self, storage: Storage, clock: FakeClock, limits: Limits = FAST) -> None:
        self.clock = clock
        self.tap = Tapped(storage)
        self.storage = cast("Storage", self.tap)
        self.telegram = Messenger(clock, limits)
        self.local = Messenger(clock)
        self.alerts: list[Alert] = []
        self.mailbox: Mailbox[OutboxFilled | ChatOpened] = Mailbox()
        self.delivery = self.make()

    def make(self) -> Delivery:
        self.mailbox = Mailbox()
        return Delivery(
            mailbox=self.mailbox,
            storage=self.storage,
            senders={"telegram": self.telegram, "local": self.local},
            clock=self.clock,
            on_alert=self.alerts.append,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the actor; at the end it is stopped, and has to come to its end."""
        ended = anyio.Event()

        async def run() -> None:
            await self.delivery.run()
            ended.set()

        async with AsyncExitStack() as stack, anyio.create_task_group() as group:
            await self.delivery.start(stack)
            group.start_soon(run)
            yield
            self.telegram.let_go()
            self.tap.broken.clear()
            await self.delivery.stop()
            await self.quiet()
            while not ended.is_set():
                assert self.clock.monotonic() < 10_000, "it does not end"
                await self.pass_time(0.25)

    @property
    def health(self) -> tuple[bool, str]:
        return self.delivery.health.serving, self.delivery.health.detail

    async def meet(self, chat: str) -> None:
        """Make the person at that chat known."""
        ((address, profile),) = asked = [(Address("telegram", chat), Profile())]
        (conversation,) = await self.storage.who(asked, self.clock.now())
        identity = Identity(address=address, user_id=conversation.user.id, profile=profile, seen_at=self.clock.now())
        await self.change(SaveUser(conversation.user), SaveIdentity(identity))

    async def store(self, *messages: Outgoing) -> tuple[Ticket, ...]:
        return await self.change(*map(Enqueue, messages))

    async def change(self, *changes: Change) -> tuple[Ticket, ...]:
        (result,) = await self.storage.commit([Unit(changes=changes)], self.clock.now())
        assert result.outcome == "done"
        return result.tickets

    async def tell(self, *messages: Outgoing) -> None:
        """Store messages, tell the actor, and wait until it has done what it can do now."""
        await self.mailbox.put(OutboxFilled(await self.store(*messages)))
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until nobody has anything to do at this moment."""
        while True:
            await self.clock.settle()
            if not self.tap.under_way:
                return
            await self.tap.idle.wait()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, so that the storage, which lives in real time, keeps up."""
        await self.quiet()
        for _ in range(int(seconds * 4)):
            await self.clock.advance(0.25)
            await self.quiet()

    async def left(self) -> list[Ticket]:
        """What would still be sent after a restart."""
        return await self.storage.recover(self.clock.now())


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Storage]:
    made = cast("Storage", SqliteStorage(folder / "test.db"))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
def world(storage: Storage, clock: FakeClock) -> World:
    return World(storage, clock)


def say(text: str, chat: str = "a", priority: Priority = Priority.REPLY, channel: Channel = "telegram") -> Outgoing:
    return Outgoing(address=Address(channel, chat), body=Say(text), priority=priority)


def edit(text: str, chat: str = "a") -> Outgoing:
    return Outgoing(address=Address("telegram", chat), body=Edit("7", text))


def toast(text: str, chat: str = "a") -> Outgoing:
    return Outgoing(address=Address("telegram", chat), body=Toast(text), callback_id="c")


def announce(text: str, chat: str) -> Outgoing:
    return say(text, chat, Priority.ANNOUNCEMENT)


# --- order ---


async def test_what_waited_before_the_start_and_what_comes_later_is_sent_in_order(world: World) -> None:
    await world.store(say("1"), say("2"))
    async with world.running():
        await world.tell(say("3"), say("4"))
        assert world.telegram.texts == ["1", "2", "3", "4"]
    assert await world.left() == []


async def test_the_next_message_of_a_chat_waits_for_the_one_before_other_chats_do_not(world: World) -> None:
    world.telegram.hold()
    async with world.running():
        await world.tell(say("1"), say("2"), say("3", "b"))
        assert world.telegram.texts == ["1", "3"]
        world.telegram.let_go()
        await world.quiet()
        assert world.telegram.texts == ["1", "3", "2"]


async def test_the_next_message_of_a_chat_waits_until_the_outcome_of_the_one_before_is_stored(world: World) -> None:
    async with world.running():
        world.tap.broken.add("settle")
        await world.tell(say("1"), say("2"))
        assert world.telegram.texts == ["1"]
        world.tap.broken.clear()
        await world.pass_time(2)
        assert world.telegram.texts == ["1", "2"]


async def test_urgent_messages_overtake_those_that_wait(world: World) -> None:
    world.telegram.limits = Limits(per_second=1e9, per_chat_second=1e9, parallel=1)
    world.delivery = world.make()
    world.telegram.hold()
    async with world.running():
        await world.tell(say("now"))
        await world.tell(
            say("news", "b", Priority.ANNOUNCEMENT),
            say("how are you", "c", Priority.QUESTION),
            say("pills", "d", Priority.REMINDER),
            say("answer", "e"),
        )
        world.telegram.let_go()
        await world.quiet()
        assert world.telegram.texts == ["now", "answer", "pills", "how are you", "news"]


async def test_a_message_held_back_holds_nobody_and_goes_at_its_time(world: World) -> None:
    later = Outgoing(
        address=Address("telegram", "a"),
        body=Say("still?"),
        priority=Priority.QUESTION,
        not_before=world.clock.now() + timedelta(seconds=90),
    )
    await world.store(later)
    async with world.running():
        await world.tell(say("1"), say("2", priority=Priority.ANNOUNCEMENT))
        await world.pass_time(89)
        assert world.telegram.texts == ["1", "2"]
        await world.pass_time(1)
        assert world.telegram.texts == ["1", "2", "still?"]


async def test_a_message_held_back_goes_when_the_wall_clock_is_set_forward(world: World) -> None:
    hour = timedelta(hours=1)
    later = Outgoing(address=Address("telegram", "a"), body=Say("still?"), not_before=world.clock.now() + hour)
    async with world.running():
        await world.tell(later)
        world.clock.set_wall(world.clock.now() + hour)
        await world.pass_time(30)
        assert world.telegram.texts == ["still?"]


async def test_a_message_held_back_is_asked_for_once_however_often_it_was_announced(world: World) -> None:
    later = Outgoing(
        address=Address("telegram", "a"), body=Say("still?"), not_before=world.clock.now() + timedelta(seconds=5)
    )
    tickets = await world.store(later)
    async with world.running():
        await world.mailbox.put(OutboxFilled(tickets))
        await world.mailbox.put(OutboxFilled(tickets))
        await world.pass_time(5)
        assert world.telegram.texts == ["still?"]
        assert world.tap.calls["claim"] == 1


async def test_a_message_taken_back_meanwhile_is_not_sent(world: World) -> None:
    later = Outgoing(
        address=Address("telegram", "a"),
        body=Say("still?"),
        not_before=world.clock.now() + timedelta(seconds=9),
        key="still",
    )
    async with world.running():
        await world.tell(later)
        await world.change(CancelQueued("still"))
        await world.pass_time(10)
        await world.tell(say("1"))
        assert world.telegram.texts == ["1"]


async def test_a_repetition_waiting_over_a_restart_still_holds_those_behind_it(world: World) -> None:
    world.telegram.script["a"].append(NotSent("slow down", retry_after=60))
    async with world.running():
        await world.tell(say("1"), say("2"))
    assert world.telegram.texts == []
    world.delivery = world.make()
    async with world.running():
        await world.pass_time(30)
        assert world.telegram.texts == []
        await world.pass_time(30)
        assert world.telegram.texts == ["1", "2"]


# --- pace ---


async def test_a_chat_gets_its_burst_and_then_one_message_a_second(storage: Storage, clock: FakeClock) -> None:
    world = World(storage, clock, Limits(per_second=30, per_chat_second=1, burst=3))
    async with world.running():
        await world.tell(*(say(str(n)) for n in range(6)))
        await world.pass_time(4)
        assert world.telegram.texts == list("012345")
        assert world.telegram.times == [0, 0, 0, 1, 2, 3]
    assert world.delivery.statistics["telegram"].postponed == 0


async def test_answers_to_taps_wait_for_no_pace(storage: Storage, clock: FakeClock) -> None:
    world = World(storage, clock, Limits(per_second=3, per_chat_second=1, burst=1))
    async with world.running():
        await world.tell(say("1"), edit("2"), edit("3"))
        assert world.telegram.texts == ["1", "2", "3"]
        await world.tell(*(toast(str(n), f"chat {n}") for n in range(10)))
        assert len(world.telegram.texts) == 13


async def test_the_channel_keeps_its_pace_across_chats(storage: Storage, clock: FakeClock) -> None:
    world = World(storage, clock, Limits(per_second=4, per_chat_second=1))
    async with world.running():
        await world.tell(*(say(str(n), f"chat {n}") for n in range(10)))
        await world.pass_time(3)
        assert world.telegram.times == [0] * 4 + [1] * 4 + [2] * 2


async def test_no_more_than_the_allowed_number_are_sent_at_once(storage: Storage, clock: FakeClock) -> None:
    world = World(storage, clock, Limits(per_second=1e9, per_chat_second=1e9, parallel=5))
    world.telegram.hold()
    async with world.running():
        await world.tell(*(say(str(n), f"chat {n}") for n in range(20)))
        assert len(world.telegram.texts) == 5
        world.telegram.let_go()
        await world.quiet()
        assert len(world.telegram.texts) == 20
        assert world.telegram.most_inside == 5


async def test_a_channel_waits_for_no_other_channel(world: World) -> None:
    world.telegram.hold()
    async with world.running():
        await world.tell(say("1"), say("2", channel="local"), say("3", channel="local"))
        assert world.local.texts == ["2", "3"]


async def test_what_waits_for_a_channel_that_is_not_set_up_stays(world: World) -> None:
    async with world.running():
        await world.tell(say("1", channel="whatsapp"))
    assert len(await world.left()) == 1


# --- when it goes wrong ---


async def test_a_chat_asked_to_wait_waits_as_long_as_told_and_others_do_not(world: World) -> None:
    world.telegram.script["a"].append(NOT_SENT)
    async with world.running():
        await world.tell(say("1"), say("2"), say("3", "b"))
        await world.tell(toast("4"))
        assert world.telegram.texts == ["3"]
        await world.pass_time(3.75)
        assert world.telegram.texts == ["3"]
        await world.pass_time(0.25)
        assert world.telegram.texts == ["3", "1", "2", "4"]


async def test_a_channel_asked_to_wait_waits_as_a_whole(world: World) -> None:
    world.telegram.script["a"].append(TOO_SOON)
    async with world.running():
        await world.tell(say("1"))
        await world.tell(say("2", "b"))
        await world.pass_time(3.75)
        assert world.telegram.texts == []
        assert world.health == (True, "ok")
        await world.pass_time(0.25)
        assert world.telegram.texts == ["1", "2"]


async def test_two_chats_asked_to_wait_pause_the_channel(world: World) -> None:
    world.telegram.script["a"].append(NotSent("slow", retry_after=9))
    world.telegram.script["b"].append(NOT_SENT)
    async with world.running():
        await world.tell(say("1"))
        await world.tell(say("2", "b"))
        await world.tell(say("3", "c"))
        await world.pass_time(3.75)
        assert world.telegram.texts == []
        await world.pass_time(0.25)
        assert sorted(world.telegram.texts) == ["2", "3"]
        await world.pass_time(5)
        assert sorted(world.telegram.texts) == ["1", "2", "3"]


async def test_a_messenger_out_of_reach_is_told_tried_less_and_less_and_forgiven(world: World) -> None:
    world.telegram.script["a"].extend([NO_NETWORK] * 4)
    async with world.running():
        await world.tell(say("1"), say("2"))
        await world.tell(say("3", "b"))
        assert world.health == (True, "telegram: cannot be reached since 12:00")
        await world.pass_time(14.75)
        assert world.telegram.texts == []
        await world.pass_time(0.25)
        assert world.telegram.texts in (["1", "2", "3"], ["1", "3", "2"])
        assert world.health == (True, "ok")
        world.telegram.script["a"].append(NO_NETWORK)
        await world.tell(say("4"))
        await world.pass_time(1)
        assert world.telegram.texts[-1] == "4"


async def test_a_chat_that_fails_alone_is_tried_again_alone(world: World) -> None:
    world.telegram.script["a"].extend([NotSent("busy")] * 3)
    async with world.running():
        await world.tell(say("1"), say("2", "b"))
        assert world.telegram.texts == ["2"]
        await world.pass_time(7)
        assert world.telegram.texts == ["2", "1"]
        assert world.health == (True, "ok")


async def test_a_reply_with_an_unknown_outcome_is_sent_once_more_and_never_a_third_time(world: World) -> None:
    world.telegram.script["a"].extend([UNSURE] * 5)
    async with world.running():
        await world.tell(say("1"))
        await world.pass_time(60)
        assert world.telegram.texts == ["1"] * MAX_ATTEMPTS
    assert await world.left() == []
    assert world.delivery.statistics["telegram"].failed == 1
    assert [alert.text for alert in world.alerts] == ["A message by telegram was given up: outcome unknown"]


async def test_nobody_is_alerted_of_a_message_that_the_messenger_was_found_to_have(world: World) -> None:
    world.telegram.script["a"].extend([UNSURE] * MAX_ATTEMPTS)
    async with world.running():
        await world.tell(say("1"))
        world.telegram.hold()
        await world.pass_time(60)
        assert world.telegram.texts == ["1", "1"]
        await world.storage.confirm(1, Address("telegram", "a"), "m1", world.clock.now())
        world.telegram.let_go()
        await world.quiet()
    assert await world.left() == []
    assert world.alerts == []


async def test_only_attempts_that_may_have_reached_the_messenger_count(storage: Storage, clock: FakeClock) -> None:
    world = World(storage, clock, Limits(per_second=1e9, per_chat_second=1, burst=1))
    world.telegram.script["a"].extend([None, NOT_SENT, NotSent("busy"), UNSURE])
    async with world.running():
        await world.tell(say("1"), say("2"))
        await world.pass_time(20)
        assert world.telegram.texts == ["1", "2", "2"]


async def test_an_announcement_with_an_unknown_outcome_is_never_repeated(world: World) -> None:
    world.telegram.script["a"].append(UNSURE)
    async with world.running():
        await world.tell(say("news", priority=Priority.ANNOUNCEMENT))
        await world.pass_time(60)
    assert world.telegram.texts == ["news"]
    assert await world.left() == []


async def test_an_edit_with_an_unknown_outcome_is_tried_more_often(world: World) -> None:
    world.telegram.script["a"].extend([UNSURE] * 50)
    async with world.running():
        await world.tell(edit("1"))
        await world.pass_time(400)
    assert world.telegram.texts == ["1"] * REPEATABLE_ATTEMPTS


async def test_what_was_provably_not_sent_is_tried_until_it_is(world: World) -> None:
    world.telegram.script["a"].extend([NotSent("slow", retry_after=1)] * 20)
    async with world.running():
        await world.tell(say("1"))
        await world.pass_time(20)
        assert world.telegram.texts == ["1"]


async def test_a_refused_message_is_given_up_and_the_next_one_goes(world: World) -> None:
    world.telegram.script["a"].append(BAD)
    async with world.running():
        await world.tell(say("1"), say("2"))
        assert world.telegram.texts == ["2"]
    assert await world.left() == []
    assert [alert.cause for alert in world.alerts] == ["telegram lost"]


async def test_nothing_more_is_sent_to_who_blocked_the_bot(world: World) -> None:
    await world.meet("a")
    world.telegram.script["a"].append(GONE)
    async with world.running():
        await world.tell(say("1"), say("2"), say("3", "b"))
        assert world.telegram.texts == ["3"]
        await world.tell(say("4"))
        assert world.telegram.texts == ["3"]
        assert world.tap.calls["claim"] == 1, "it asked for what was given up long ago"
        assert world.alerts == []
    assert await world.left() == []


async def test_a_reminder_that_a_chat_refuses_goes_to_another_one_of_the_same_person(world: World) -> None:
    await world.meet("77")
    second = Identity(address=Address("local", "b"), user_id=77, profile=Profile(), seen_at=world.clock.now())
    await world.change(SaveIdentity(second))
    world.telegram.script["77"].append(GONE)
    async with world.running():
        await world.tell(msgspec.structs.replace(say("drink", "77"), user_id=77, priority=Priority.REMINDER))
        await world.quiet()
        assert world.telegram.texts == []
        assert world.local.texts == ["drink"]
    assert await world.left() == []


async def test_nothing_is_sent_to_an_address_muted_by_somebody_else(world: World) -> None:
    await world.meet("a")
    async with world.running():
        tickets = await world.store(say("1"), say("2"))
        await world.change(Mute(Address("telegram", "a"), "left"))
        await world.mailbox.put(OutboxFilled(tickets))
        await world.tell(say("3"))
        assert world.telegram.texts == []
        assert world.delivery.statistics["telegram"].waiting == 0


async def test_an_error_nobody_foresaw_counts_as_unknown_and_stops_nobody(world: World) -> None:
    world.telegram.script["a"].extend([KeyError("x"), None])
    async with world.running():
        await world.tell(say("1"), say("2", "b"))
        await world.pass_time(2)
        assert world.telegram.texts == ["1", "2", "1"]
        assert world.alerts == [Alert(cause="telegram sender", text="Sending by telegram met an unforeseen error.")]


async def test_a_chat_nobody_listens_at_is_left_alone_until_it_opens(world: World) -> None:
    world.telegram.closed.add("a")
    async with world.running():
        await world.tell(say("1"), say("2", "b"))
        await world.pass_time(100)
        assert world.telegram.texts == ["2"]
        world.telegram.closed.clear()
        await world.mailbox.put(ChatOpened(Address("telegram", "a")))
        await world.quiet()
        assert world.telegram.texts == ["2", "1"]


# --- when the storage fails ---


async def test_without_storage_nothing_is_sent_and_health_says_so(world: World) -> None:
    async with world.running():
        tickets = await world.store(say("1"))
        world.tap.broken.add("claim")
        await world.mailbox.put(OutboxFilled(tickets))
        await world.pass_time(5)
        assert world.telegram.texts == []
        assert world.health == (False, "storage: not available since 12:00")
        assert world.tap.calls["claim"] == 3
        world.tap.broken.clear()
        await world.pass_time(10)
        assert world.telegram.texts == ["1"]
        assert world.health == (True, "ok")


async def test_what_cannot_be_stored_is_stored_later_and_sent_once(world: World) -> None:
    async with world.running():
        world.tap.broken.add("settle")
        await world.tell(say("1"), say("2", "b"))
        await world.pass_time(100)
        assert world.health == (False, "storage: not available since 12:00")
        world.tap.broken.clear()
        await world.pass_time(10)
        assert world.health == (True, "ok")
    assert sorted(world.telegram.texts) == ["1", "2"]
    assert await world.left() == []


async def test_what_could_not_be_stored_before_a_restart_is_stored_by_the_next_start(world: World) -> None:
    async with AsyncExitStack() as stack:
        await world.delivery.start(stack)
        async with anyio.create_task_group() as group:
            group.start_soon(world.delivery.run)
            world.tap.broken.add("settle")
            await world.tell(say("1"))
            group.cancel_scope.cancel()
        world.tap.broken.clear()
        await world.delivery.start(stack)
    assert await world.left() == []


# --- the end ---


async def test_when_stopped_it_first_sends_what_can_be_sent(world: World) -> None:
    world.telegram.limits = Limits(per_second=1e9, per_chat_second=1, burst=1)
    world.delivery = world.make()
    async with world.running():
        await world.mailbox.put(OutboxFilled(await world.store(*(say(str(n)) for n in range(20)))))
    assert world.telegram.texts == [str(n) for n in range(5)]
    assert len(await world.left()) == 15


async def test_when_stopped_with_nothing_to_do_it_ends_at_once(world: World) -> None:
    world.telegram.script["a"].append(NotSent("slow", retry_after=30))
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        await world.delivery.start(stack)
        group.start_soon(world.delivery.run)
        await world.tell(say("1"))
        await world.delivery.stop()
    assert world.clock.monotonic() == 0
    assert len(await world.left()) == 1


async def test_when_stopped_it_waits_for_what_is_under_way(world: World) -> None:
    world.telegram.hold()
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        await world.delivery.start(stack)
        group.start_soon(world.delivery.run)
        await world.tell(say("1"), say("2"))
        await world.delivery.stop()
        await world.pass_time(8)
        world.telegram.let_go()
    assert world.telegram.texts == ["1"]
    assert [ticket.id for ticket in await world.left()] == [2]


async def test_when_cancelled_it_stores_what_it_knows_and_what_is_under_way_stays_uncertain(world: World) -> None:
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        await world.delivery.start(stack)
        group.start_soon(world.delivery.run)
        await world.tell(say("1"))
        world.telegram.hold()
        await world.tell(say("2", "b", Priority.ANNOUNCEMENT), say("3", "c"))
        group.cancel_scope.cancel()
    assert [ticket.id for ticket in await world.left()] == [3]


async def test_when_cancelled_it_stores_what_could_not_be_stored_before(world: World) -> None:
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        await world.delivery.start(stack)
        group.start_soon(world.delivery.run)
        world.tap.broken.add("settle")
        await world.tell(say("1"))
        world.tap.broken.clear()
        group.cancel_scope.cancel()
    assert world.telegram.texts == ["1"]
    assert await world.left() == []


async def test_a_message_claimed_when_the_actor_is_cancelled_is_not_counted_as_tried(world: World) -> None:
    async with AsyncExitStack() as stack:
        await world.delivery.start(stack)
        tickets = await world.store(say("1", priority=Priority.ANNOUNCEMENT))
        async with anyio.create_task_group() as group:
            group.start_soon(world.delivery.run)
            world.tap.answers = anyio.Event()
            await world.mailbox.put(OutboxFilled(tickets))
            await world.clock.settle()
            group.cancel_scope.cancel()
            world.tap.answers.set()
    assert world.tap.calls["claim"] == 1
    assert world.telegram.texts == []
    assert len(await world.left()) == 1


# --- how it fares ---


async def test_it_tells_how_each_channel_fares(world: World) -> None:
    world.telegram.script["a"].append(NotSent("slow", retry_after=30))
    world.telegram.script["b"].append(BAD)
    async with world.running():
        await world.tell(say("1"), say("2"), say("3", "b"), say("4", "b"), say("5", "c"))
        await world.pass_time(10)
        counts = world.delivery.statistics["telegram"]
        assert (counts.sent, counts.failed, counts.postponed, counts.waiting) == (2, 1, 1, 2)
        assert (counts.failures, counts.postponements) == ({"refused": 1}, {"rate_limit": 1})
        assert counts.oldest_seconds == 10
        assert world.delivery.statistics["local"].waiting == 0


async def test_it_asks_nobody_anything_while_there_is_nothing_to_do(world: World) -> None:
    async with world.running():
        await world.tell(say("1"))
        before = world.tap.calls.copy()
        assert not [alarm for alarm in world.clock._alarms if alarm.ring]
        await world.pass_time(10)
        assert world.tap.calls == before


async def test_tasks_are_used_again(world: World) -> None:
    async with world.running():
        await world.tell(say("first"))
        before = len(anyio.get_running_tasks())
        for number in range(10):
            await world.tell(say(str(number)))
        assert len(anyio.get_running_tasks()) == before


async def test_outcomes_that_come_together_are_stored_together(world: World) -> None:
    world.telegram.hold()
    async with world.running():
        await world.tell(*(say(str(n), f"chat {n}") for n in range(30)))
        before = world.tap.calls["settle"]
        world.telegram.let_go()
        await world.quiet()
        assert world.tap.calls["settle"] <= before + 2
        assert world.tap.calls["claim"] <= 2


async def test_ten_thousand_messages_are_sent_once_each_and_in_order(world: World) -> None:
    messages = [say(f"{chat}:{number}", str(chat)) for number in range(10) for chat in range(1_000)]
    await world.store(*messages)
    async with world.running():
        await world.quiet()
        assert Counter(world.telegram.texts) == Counter(words(message.body) for message in messages)
        last: dict[str, int] = {}
        for text in world.telegram.texts:
            chat, _, number = text.partition(":")
            assert int(number) == last.get(chat, -1) + 1
            last[chat] = int(number)
        assert world.tap.calls["claim"] < 2_000


# --- whatever happens ---

outcomes = st.sampled_from([None, None, NOT_SENT, NO_NETWORK, TOO_SOON, UNSURE, UNSURE, BAD])
chats = st.sampled_from("abc")
happenings = st.sampled_from(["tell", "tell", "claim fails", "settle fails", "works", "time", "kill", "gate"])
kinds = st.sampled_from([say, edit, toast, announce])


@settings(max_examples=30)
@given(
    st.lists(st.tuples(kinds, chats), min_size=1, max_size=12),
    st.fixed_dictionaries({chat: st.lists(outcomes, max_size=8) for chat in "abc"}),
    st.lists(happenings, max_size=15),
)
async def test_whatever_happens_order_is_kept_and_no_message_arrives_more_often_than_it_may(
    tmp_path_factory: pytest.TempPathFactory,
    messages: list[tuple[Callable[[str, str], Outgoing], str]],
    script: dict[str, list[Exception | None]],
    events: list[str],
) -> None:
    async with opened(tmp_path_factory.mktemp("outbox")) as storage:
        clock = FakeClock(datetime(2026, 6, 15, 12, tzinfo=UTC))
        world = World(storage, clock, Limits(per_second=4, per_chat_second=1, burst=2, parallel=2))
        for chat, answers in script.items():
            world.telegram.script[chat].extend(answers)
        to_tell = deque(make(str(number), chat) for number, (make, chat) in enumerate(messages))
        sent = list(to_tell)
        await live(world, to_tell, deque(events))
        check(world.telegram, sent)
        assert await world.left() == []


async def live(world: World, to_tell: deque[Outgoing], events: deque[str]) -> None:
    """Run the actor through the events, killed and started anew; then let it come to rest."""
    while events:
        async with AsyncExitStack() as stack, anyio.create_task_group() as group:
            world.delivery = world.make()
            await world.delivery.start(stack)
            group.start_soon(world.delivery.run)
            while events and (event := events.popleft()) != "kill":
                await happens(world, event, to_tell)
            # What a killed process knows, nobody learns.
            world.tap.broken |= {"claim", "settle"}
            group.cancel_scope.cancel()
        world.telegram.let_go()
        world.tap.broken.clear()
    world.delivery = world.make()
    async with world.running():
        await world.tell(*to_tell)
        for _ in range(100):
            if world.delivery.statistics["telegram"].waiting:
                await world.clock.advance(10)
                await world.quiet()


async def happens(world: World, event: str, to_tell: deque[Outgoing]) -> None:
    match event:
        case "tell" if to_tell:
            await world.tell(to_tell.popleft())
        case "claim fails":
            world.tap.broken.add("claim")
        case "settle fails":
            world.tap.broken.add("settle")
        case "works":
            world.tap.broken.clear()
            world.telegram.let_go()
        case "gate":
            world.telegram.hold()
        case _:
            await world.pass_time(1)


def check(messenger: Messenger, sent: Iterable[Outgoing]) -> None:
    copies = Counter(messenger.texts)
    for message in sent:
        repeatable = isinstance(message.body, Edit | Toast)
        most = REPEATABLE_ATTEMPTS if repeatable else 1 if message.priority is Priority.ANNOUNCEMENT else MAX_ATTEMPTS
        assert copies[words(message.body)] <= most
    urgency = {words(message.body): message.priority for message in sent}
    for chat in "abc":
        arrived = [(urgency[text], int(text)) for name, text in messenger.arrived if name == chat]
        for priority in Priority:
            numbers = [number for one, number in arrived if one is priority]
            assert numbers == sorted(numbers), "out of order"
