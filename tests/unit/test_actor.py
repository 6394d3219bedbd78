from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.actor import (
    MAX_TRIES,
    Actor,
    Envelope,
    Mailbox,
    MailboxClosed,
    NotHandled,
    Permanent,
    Poisoned,
    attempt,
    seconds_until,
)

if TYPE_CHECKING:
    from tests.clock import FakeClock


class Echo(Actor[str]):
    """Answers in capitals; fails as often as told for a message, for ever at a negative number."""

    name = "echo"

    def __init__(self, **failures: int) -> None:
        super().__init__(Mailbox(10))
        self.failures = failures
        self.tried: list[str] = []
        self.handled: list[str] = []
        self.poisoned: list[Poisoned] = []
        self.set_aside = self.poisoned.append
        self.hold: anyio.Event | None = None

    async def handle(self, message: str) -> str:
        if self.hold is not None:
            await self.hold.wait()
        self.tried.append(message)
        if message == "hopeless":
            raise Permanent
        if self.failures.get(message):
            self.failures[message] -= 1
            raise ValueError(message)
        self.handled.append(message)
        return message.upper()


def messages(envelopes: list[Envelope[str]]) -> list[str]:
    return [envelope.message for envelope in envelopes]


# --- the mailbox -----------------------------------------------------------------------------------------------


async def test_messages_come_out_in_the_order_they_were_put() -> None:
    mailbox: Mailbox[str] = Mailbox()
    for message in "abc":
        await mailbox.put(message)
    assert [(await mailbox.get()).message for _ in range(3)] == ["a", "b", "c"]


async def test_take_gives_what_waits_and_does_not_wait() -> None:
    mailbox: Mailbox[str] = Mailbox()
    assert mailbox.take(5) == []
    for message in "abc":
        await mailbox.put(message)
    assert messages(mailbox.take(2)) == ["a", "b"]
    assert messages(mailbox.take(2)) == ["c"]


async def test_a_waiting_reader_gets_what_is_given_back() -> None:
    mailbox: Mailbox[str] = Mailbox()
    got: list[str] = []

    async def read() -> None:
        got.extend([(await mailbox.get()).message for _ in range(2)])

    await mailbox.put("a")
    await mailbox.put("b")
    taken = mailbox.take(2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        mailbox.give_back(taken)
    assert got == ["a", "b"]


async def test_what_is_given_back_goes_in_front_of_what_waits() -> None:
    mailbox: Mailbox[str] = Mailbox()
    for message in "abc":
        await mailbox.put(message)
    mailbox.give_back(mailbox.take(2))
    assert messages(mailbox.take(9)) == ["a", "b", "c"]


async def test_a_full_mailbox_makes_those_who_put_wait_and_keeps_their_order(clock: FakeClock) -> None:
    mailbox: Mailbox[str] = Mailbox(1)
    await mailbox.put("a")
    async with anyio.create_task_group() as tasks:
        for message in "bc":
            tasks.start_soon(mailbox.put, message)
            await clock.settle()
        assert len(mailbox) == 1
        assert not mailbox.offer("x"), "it overtook those who wait"
        assert [(await mailbox.get()).message for _ in range(3)] == ["a", "b", "c"]


async def test_who_gives_up_waiting_for_room_has_put_nothing(clock: FakeClock) -> None:
    mailbox: Mailbox[str] = Mailbox(1)
    await mailbox.put("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.put, "b")
        await clock.settle()
        tasks.cancel_scope.cancel()
    assert messages(mailbox.take(9)) == ["a"]
    assert mailbox.statistics.total == 1


async def test_a_reader_that_gives_up_waiting_loses_nothing(clock: FakeClock) -> None:
    mailbox: Mailbox[str] = Mailbox()
    got: list[Envelope[str]] = []

    async def read() -> None:
        got.append(await mailbox.get())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await clock.settle()
        # The reader is woken and cancelled in the same turn: either way the message has to be somewhere.
        assert mailbox.offer("a")
        tasks.cancel_scope.cancel()
    assert messages(got + mailbox.take(9)) == ["a"]


async def test_reading_a_full_mailbox_lets_other_tasks_work() -> None:
    mailbox: Mailbox[int] = Mailbox(100)
    for number in range(100):
        assert mailbox.offer(number)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while mailbox.statistics.depth:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count_turns)
        for _ in range(100):
            await mailbox.get()
    assert turns > 50


async def test_a_closed_mailbox_takes_nothing_but_gives_out_the_rest() -> None:
    mailbox: Mailbox[str] = Mailbox()
    await mailbox.put("a")
    mailbox.close()
    with pytest.raises(MailboxClosed):
        await mailbox.put("b")
    with pytest.raises(MailboxClosed):
        await mailbox.ask("b")
    assert not mailbox.offer("b")
    assert (await mailbox.get()).message == "a"
    with pytest.raises(MailboxClosed):
        await mailbox.get()


async def test_closing_tells_the_reader_and_those_who_wait_for_room(clock: FakeClock) -> None:
    told: list[str] = []

    async def read(mailbox: Mailbox[str]) -> None:
        with pytest.raises(MailboxClosed):
            await mailbox.get()
        told.append("reader")

    async def put(mailbox: Mailbox[str]) -> None:
        with pytest.raises(MailboxClosed):
            await mailbox.put("b")
        told.append("putter")

    empty: Mailbox[str] = Mailbox()
    full: Mailbox[str] = Mailbox(1)
    await full.put("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, empty)
        tasks.start_soon(put, full)
        await clock.settle()
        empty.close()
        full.close()
        assert messages(full.take(9)) == ["a"]
    assert sorted(told) == ["putter", "reader"]
    assert len(full) == 0


async def test_a_closed_mailbox_still_takes_back_what_was_taken() -> None:
    mailbox: Mailbox[str] = Mailbox()
    await mailbox.put("a")
    taken = mailbox.take(1)
    mailbox.close()
    mailbox.give_back(taken)
    assert (await mailbox.get()).message == "a"


async def test_abandoning_tells_everybody_who_still_waits_for_an_answer() -> None:
    mailbox: Mailbox[str] = Mailbox()
    inside, taken = await mailbox.post("inside"), await mailbox.post("taken")
    envelopes = mailbox.take(2)
    mailbox.give_back(envelopes[:1])
    mailbox.abandon()
    mailbox.give_back(envelopes[1:])
    for envelope in (inside, taken):
        with pytest.raises(NotHandled) as raised:
            await envelope.answered()
        assert isinstance(raised.value.__cause__, MailboxClosed)
    assert len(mailbox) == 0
    with pytest.raises(MailboxClosed):
        await mailbox.get()


async def test_the_first_answer_counts() -> None:
    envelope: Envelope[str] = Envelope("a", wants_answer=True)
    envelope.answer(1)
    envelope.fail(ValueError())
    envelope.answer(2)
    assert await envelope.answered() == 1


async def test_nobody_waits_for_the_answer_to_what_was_only_put() -> None:
    envelope: Envelope[str] = Envelope("a", wants_answer=False)
    envelope.answer(1)
    with pytest.raises(TypeError):
        await envelope.answered()


async def test_statistics_count_what_was_put_and_the_most_that_waited() -> None:
    mailbox: Mailbox[str] = Mailbox(2)
    await mailbox.put("a")
    await mailbox.put("b")
    assert not mailbox.offer("c")
    taken = mailbox.take(2)
    await mailbox.put("c")
    mailbox.give_back(taken)
    fares = mailbox.statistics
    assert (fares.depth, fares.peak, fares.size, fares.total) == (3, 3, 2, 3)


def test_a_mailbox_holds_at_least_one_message() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Mailbox(0)


@given(steps=st.lists(st.tuples(st.sampled_from(["offer", "take", "give back", "settle"]), st.integers(1, 4))))
def test_whatever_is_taken_and_given_back_nothing_is_lost_doubled_or_overtaken(steps: list[tuple[str, int]]) -> None:
    mailbox: Mailbox[int] = Mailbox(5)
    put = 0
    out: deque[Envelope[int]] = deque()
    settled: list[int] = []
    for step, number in steps:
        match step:
            case "offer":
                for _ in range(number):
                    put += mailbox.offer(put)
            case "take":
                out.extend(mailbox.take(number))
            case "give back":
                # The reader gives back the last it took: what it took before is done or still in its hands.
                back = [out.pop() for _ in range(min(number, len(out)))][::-1]
                mailbox.give_back(back)
            case _:
                settled.extend(out.popleft().message for _ in range(min(number, len(out))))
    inside = [envelope.message for envelope in mailbox.take(1_000)]
    assert [*settled, *(envelope.message for envelope in out), *inside] == list(range(put))
    assert mailbox.statistics.total == put


@given(size=st.integers(1, 3), count=st.integers(0, 12), portion=st.integers(1, 5))
def test_order_holds_through_a_full_mailbox(size: int, count: int, portion: int) -> None:
    async def exchange() -> list[int]:
        mailbox: Mailbox[int] = Mailbox(size)
        read: list[int] = []

        async def put_all() -> None:
            for number in range(count):
                await mailbox.put(number)
            mailbox.close()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(put_all)
            while True:
                try:
                    read.append((await mailbox.get()).message)
                except MailboxClosed:
                    break
                read.extend(envelope.message for envelope in mailbox.take(portion))
        assert mailbox.statistics.peak <= size
        return read

    assert anyio.run(exchange) == list(range(count))


# --- the actor -------------------------------------------------------------------------------------------------


async def test_an_actor_answers_until_its_mailbox_is_closed_and_empty() -> None:
    echo = Echo()
    await echo.mailbox.put("a")
    asked = await echo.mailbox.post("b")
    await echo.stop()
    await echo.run()
    assert await asked.answered() == "B"
    assert echo.handled == ["a", "b"]


async def test_a_message_that_fails_goes_back_in_front_and_the_error_is_raised() -> None:
    echo = Echo(a=1)
    asked = await echo.mailbox.post("a")
    await echo.mailbox.put("b")
    echo.mailbox.close()
    with pytest.raises(ValueError, match="a"):
        await echo.run()
    await echo.run()
    assert echo.handled == ["a", "b"]
    assert await asked.answered() == "A"
    assert echo.poisoned == []


async def test_a_message_that_keeps_failing_is_set_aside_and_the_next_one_handled() -> None:
    echo = Echo(a=-1)
    asked = await echo.mailbox.post("a")
    await echo.mailbox.put("b")
    echo.mailbox.close()
    for _ in range(MAX_TRIES):
        with pytest.raises(ValueError, match="a"):
            await echo.run()
    await echo.run()
    assert echo.handled == ["b"]
    assert echo.poisoned == [Poisoned("echo", "str", "ValueError")]
    with pytest.raises(NotHandled):
        await asked.answered()


async def test_a_hopeless_message_is_set_aside_at_once_without_a_restart() -> None:
    echo = Echo()
    await echo.mailbox.put("hopeless")
    await echo.mailbox.put("b")
    echo.mailbox.close()
    await echo.run()
    assert echo.tried == ["hopeless", "b"]
    assert echo.handled == ["b"]
    assert echo.poisoned == [Poisoned("echo", "str", "Permanent")]


async def test_a_message_whose_handling_is_cancelled_goes_back_and_costs_no_try(clock: FakeClock) -> None:
    echo = Echo()
    echo.hold = anyio.Event()
    asked = await echo.mailbox.post("a")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(echo.run)
        await clock.settle()
        tasks.cancel_scope.cancel()
    assert [(envelope.message, envelope.tries) for envelope in echo.mailbox.take(9)] == [("a", 0)]
    echo.mailbox.give_back([asked])
    echo.mailbox.abandon()
    with pytest.raises(NotHandled):
        await asked.answered()


async def test_an_actor_without_messages_says_which_one_it_got() -> None:
    class Silent(Actor[str]):
        name = "silent"

    silent = Silent(Mailbox())
    with pytest.raises(TypeError, match="silent handles no str"):
        await silent.handle("a")


async def test_an_attempt_gives_the_result_or_the_error() -> None:
    async def succeed() -> int:
        return 1

    async def fail() -> int:
        raise ValueError

    assert await attempt(succeed()) == 1
    assert isinstance(await attempt(fail()), ValueError)


async def test_cancellation_passes_through_an_attempt() -> None:
    passed = True
    with anyio.CancelScope() as scope:
        scope.cancel()
        await attempt(anyio.sleep_forever())
        passed = False
    assert passed
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("deadline", "now", "expected"), [(None, 5.0, None), (float("inf"), 5.0, None), (7.0, 5.0, 2.0), (3.0, 5.0, 0.0)]
)
def test_a_deadline_is_never_waited_for_backwards(deadline: float | None, now: float, expected: float | None) -> None:
    assert seconds_until(deadline, now) == expected
