"""The fake Bot API with a crowd of people, in one process: `python -m tests.bench.crowd PEOPLE`.

The people live beside the fake, so that what they do costs nearly nothing. It prints one JSON line with the fake's
address, then answers each line of its input, a JSON list of a stage and its arguments, with a line of figures.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
import uvloop

from tests.bench.walk import COMMAND, END, PRESSES
from tests.fakes.telegram import FakeTelegram

if TYPE_CHECKING:
    from tests.fakes.telegram import ChatMessage, Person

FIRST = 7_000
"""The messenger's id of the first of the people."""

_NUMBER = re.compile(r"^⏰ .*, (\d+)</b>$")

PATIENCE = 60.0
"""Seconds until a reply counts as lost."""


class _Walker:
    """Somebody who goes through the form again and again."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.begin_anew()

    def begin_anew(self) -> None:
        """Go on with the command, whatever was asked last: other commands may have ended the form."""
        self._place = 0
        self._question: ChatMessage | None = None

    async def step(self) -> None:
        """Write or press what comes next, and wait for the reply."""
        chat, label = self._person.chat, PRESSES[self._place - 1]
        following = PRESSES[self._place] if self._place < len(PRESSES) else END
        since = len(chat.appearances)
        data = _data(self._question, label) if self._place and self._question else None
        if self._question is not None and data is not None:
            await self._person.presses_data(self._question, data)
        else:
            await self._person.says(label if self._place else COMMAND)
        seen = await chat.sees(lambda message: _fits(message, following), since, PATIENCE)
        assert seen is not None, f"no reply at {following}:\n{chat.transcript()}"
        self._question = seen
        self._place = (self._place + 1) % (len(PRESSES) + 1)


async def _step_once(walker: _Walker, idle: deque[_Walker]) -> None:
    await walker.step()
    idle.append(walker)


def _fits(message: ChatMessage, label: str) -> bool:
    # A medicine is not on offer the first time: the question is known by its controls then.
    return _data(message, label) is not None or (label == "Ibuprofen" and "medicine?" in message.text)


def _data(message: ChatMessage | None, label: str) -> str | None:
    rows = message.keyboard if message is not None else None
    buttons = [button for row in rows or [] for button in row]
    return next((button["callback_data"] for button in buttons if button["text"].endswith(label)), None)


class _Crowd:
    def __init__(self, fake: FakeTelegram, size: int) -> None:
        self._fake = fake
        self._people = [fake.user(FIRST + number, first_name="Ann") for number in range(size)]
        self._walkers = [_Walker(person) for person in self._people]

    async def warm_up(self) -> None:
        """Let everybody go through the form once."""
        await asyncio.gather(*(self._walk(walker, len(PRESSES) + 1) for walker in self._walkers))

    async def busy(self, seconds: float) -> dict[str, Any]:
        """Let everybody press as soon as the reply is there, and count."""
        self._fake.clear()
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._walk_until(walker, end) for walker in self._walkers))
        return self._figures()

    async def paced(self, rate: float, seconds: float) -> dict[str, Any]:
        """Let somebody press at even intervals, however long the others' replies take."""
        self._fake.clear()
        idle = deque(self._walkers)
        steps: set[asyncio.Task[None]] = set()
        begin = time.monotonic()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            while not idle:  # everybody waits: the pace is lost, and the figure of steps per second says so
                await asyncio.wait(steps, return_when=asyncio.FIRST_COMPLETED)
            walker = idle.popleft()
            task = asyncio.create_task(_step_once(walker, idle))
            steps.add(task)
            task.add_done_callback(steps.discard)
        await asyncio.gather(*steps)
        return self._figures()

    async def fired(self, start: float, count: int, seconds: float, rate: float) -> dict[str, Any]:
        """Wait for reminders that are due at even intervals from a wall time on, and tell how late they come.

        Meanwhile somebody presses at a `rate`, if it is not 0.
        """
        if rate:
            for walker in self._walkers:
                walker.begin_anew()
            await self.warm_up()
        since = [len(person.chat.appearances) for person in self._people]
        # What comes before the calls are forgotten would be missing.
        assert time.time() < start - 1, "the people were not ready in time"
        self._fake.clear()
        await asyncio.sleep(start - 0.5 - time.time())
        if rate:
            await self.paced(rate, seconds)
        # The fake shares this process: to look for them while more are on their way would make those late.
        await asyncio.sleep(start + seconds - time.time())
        last = range(max(0, count - len(self._people)), count)
        await asyncio.gather(*(self._reminded(number, since[number % len(since)]) for number in last))
        late = self._lateness(start, count, seconds)
        assert len(late) == count, f"{count - len(late)} reminders did not come"
        return {"p50_ms": late[count // 2], "p99_ms": late[count * 99 // 100]}

    async def _reminded(self, number: int, since: int) -> None:
        """Wait for a reminder that is the last one of somebody: those before it have come then."""
        chat = self._people[number % len(self._people)].chat
        assert await chat.sees(lambda message: message.text.endswith(f", {number}"), since, PATIENCE), number

    def _lateness(self, start: float, count: int, seconds: float) -> list[float]:
        """List by how many ms those that came were late, in order."""
        ahead = time.time() - time.monotonic()
        came = [(call.at + ahead, _NUMBER.search(str(call.params.get("text", "")))) for call in self._fake.calls]
        return sorted((at - start - seconds * int(found[1]) / count) * 1_000 for at, found in came if found)

    async def add(self, rate: float, seconds: float) -> dict[str, Any]:
        """Let people set reminders at even intervals; tell how soon each is answered."""
        self._fake.clear()
        begin, steps = time.monotonic(), set[asyncio.Task[None]]()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            steps.add(asyncio.create_task(self._set(self._people[number % len(self._people)], number)))
        await asyncio.gather(*steps)
        return self._figures()

    async def _set(self, person: Person, number: int) -> None:
        since = len(person.chat.appearances)
        await person.says(f"/add remind me to call number {number} back in 3 hours")
        seen = await person.chat.sees(lambda message: f"number {number}" in message.text, since, PATIENCE)
        assert seen is not None, f"no reply:\n{person.chat.transcript()}"

    async def _walk(self, walker: _Walker, steps: int) -> None:
        for _ in range(steps):
            await walker.step()

    async def _walk_until(self, walker: _Walker, end: float) -> None:
        while time.monotonic() < end:
            await walker.step()

    def _figures(self) -> dict[str, Any]:
        metrics = self._fake.metrics()
        return {
            "steps": metrics.reply.count,
            "steps_per_second": metrics.steps_per_second,
            "p50_ms": metrics.reply.p50,
            "p99_ms": metrics.reply.p99,
            "highest_ms": metrics.reply.highest,
            "answers": metrics.answer.count,
            "calls": metrics.calls,
            "first_poll": next((call.at for call in self._fake.calls if call.method == "getUpdates"), 0.0),
        }


async def _serve(size: int) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with FakeTelegram() as fake:
        crowd = _Crowd(fake, size)
        _print({"base_url": fake.base_url, "token": fake.token})
        while line := await lines.readline():
            match msgspec.json.decode(line):
                case ["polled"]:
                    await fake.waits_for("getUpdates", timeout=PATIENCE)
                    _print(crowd._figures())
                case ["warm up"]:
                    await crowd.warm_up()
                    _print({})
                case ["busy", seconds]:
                    _print(await crowd.busy(seconds))
                case ["paced", rate, seconds]:
                    _print(await crowd.paced(rate, seconds))
                case ["fired", start, count, seconds, rate]:
                    _print(await crowd.fired(start, count, seconds, rate))
                case ["add", rate, seconds]:
                    _print(await crowd.add(rate, seconds))
                case unknown:
                    raise ValueError(unknown)


def _print(figures: dict[str, Any]) -> None:
    print(msgspec.json.encode(figures).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
