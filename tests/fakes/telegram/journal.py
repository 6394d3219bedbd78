"""What happened: every call, every step from update to reply, and how long the steps took.

Times are ``time.monotonic()``, which all processes of a machine share.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

SHOWING = frozenset(
    {"sendMessage", "editMessageText", "editMessageReplyMarkup", "sendDocument", "sendPhoto", "sendInvoice"}
)
"""The methods a person notices: the first of them after an update counts as its reply."""


class Call(msgspec.Struct):
    """One request to the Bot API.

    Attributes:
        number: its place in the journal of the whole life of the fake, from 0.
        method: the method's name as the documentation spells it, or as given if there is none such.
        params: the arguments as they came: strings from forms, any JSON value from JSON bodies.
        chat_id: the chat it is about, if any.
        at: when it had arrived whole.
        done: when it was answered; None while it is not.
        status: the HTTP status of the answer, 0 while there is none or when the connection was broken off.
        error: the description of a refusal.
        effect: whether it changed or read what it was meant to.
        message_id: the message it sent or edited.
        fault: the kind of fault it met.
    """

    number: int
    method: str
    params: dict[str, Any]
    at: float
    chat_id: int | None = None
    done: float | None = None
    status: int = 0
    error: str | None = None
    effect: bool = False
    message_id: int | None = None
    fault: str | None = None

    def value(self, name: str) -> Any:
        """Read one argument, with JSON text in it decoded."""
        given = self.params.get(name)
        if isinstance(given, str):
            try:
                return msgspec.json.decode(given)
            except msgspec.DecodeError:
                return given
        return given


class Step(msgspec.Struct):
    """One update and what came of it.

    Attributes:
        update_id: which update.
        chat_id: whose chat.
        available: when getUpdates could have returned it.
        delivered: when getUpdates first did.
        answered: when the callback query of a press was answered.
        replied: when the first message or edit after it was fetched reached the chat. One open step per chat at a
            time makes this exact; with more, one reply counts for all that were fetched.
    """

    update_id: int
    chat_id: int
    available: float
    delivered: float | None = None
    answered: float | None = None
    replied: float | None = None


class Spread(msgspec.Struct, frozen=True):
    """Durations in milliseconds, summed up."""

    count: int
    p50: float
    p90: float
    p99: float
    highest: float


class Metrics(msgspec.Struct, frozen=True):
    """The numbers of a run.

    Attributes:
        calls: how often each method was called.
        statuses: how often each HTTP status was answered.
        updates_made: updates that entered the queue.
        updates_pending: updates nobody has confirmed.
        conflicts: long polls ended with a 409.
        flood_refusals: calls refused by the strict flood control.
        reply: from update available to reply shown.
        answer: from press available to callback query answered.
        steps_per_second: replies per second between the first and the last one.
    """

    calls: dict[str, int]
    statuses: dict[int, int]
    updates_made: int
    updates_pending: int
    conflicts: int
    flood_refusals: int
    reply: Spread
    answer: Spread
    steps_per_second: float


class _Watch:
    """Someone who waits for calls."""

    def __init__(self, method: str, count: int, enough: asyncio.Future[None]) -> None:
        self.found: list[Call] = []
        self.enough = enough
        self._method = method
        self._count = count
        self.look(None)

    def look(self, call: Call | None) -> None:
        """Take a call into account."""
        if call is not None and call.method == self._method:
            self.found.append(call)
        if len(self.found) >= self._count and not self.enough.done():
            self.enough.set_result(None)


class Journal:
    """The record of calls and steps; tests wait on it instead of sleeping."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.steps: list[Step] = []
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.number = 0
        self._open: dict[int, list[Step]] = {}
        self._by_update: dict[int, Step] = {}
        self._watches: list[_Watch] = []

    def opened(self, method: str, params: dict[str, Any], chat_id: int | None) -> Call:
        """Note that a call has arrived."""
        call = Call(self.number, method, params, time.monotonic(), chat_id)
        self.number += 1
        self.calls.append(call)
        self.counts[method] += 1
        for watch in self._watches:
            watch.look(call)
        return call

    def closed(self, call: Call, status: int) -> None:
        """Note that a call was answered."""
        call.done = time.monotonic()
        call.status = status
        self.statuses[status] += 1

    def took_effect(self, call: Call) -> None:
        """Note that a call did its work, which may be the reply of a step."""
        call.effect = True
        if call.method in SHOWING and call.chat_id is not None:
            for step in self._open.pop(call.chat_id, ()):
                if step.delivered is None:
                    self._open.setdefault(call.chat_id, []).append(step)
                else:
                    step.replied = time.monotonic()

    def made(self, update_id: int, chat_id: int) -> None:
        """Note that an update can be fetched from now on."""
        step = Step(update_id, chat_id, time.monotonic())
        self.steps.append(step)
        self._by_update[update_id] = step
        self._open.setdefault(chat_id, []).append(step)

    def delivered(self, update_ids: list[int]) -> None:
        """Note that updates were given to the bot."""
        now = time.monotonic()
        for update_id in update_ids:
            step = self._by_update.get(update_id)
            if step is not None and step.delivered is None:
                step.delivered = now

    def answered(self, update_id: int) -> None:
        """Note that the callback query of a press was answered."""
        step = self._by_update.get(update_id)
        if step is not None:
            step.answered = time.monotonic()

    def clear(self) -> None:
        """Forget calls, steps and counts, between two parts of a benchmark; the numbering of calls goes on."""
        self.calls.clear()
        self.steps.clear()
        self.counts.clear()
        self.statuses.clear()
        self._open.clear()
        self._by_update.clear()

    async def waits_for(self, method: str, count: int, since: int, patience: float) -> list[Call]:
        """Wait for so many calls of a method, number ``since`` or later, and give those there are when time is up."""
        watch = _Watch(method, count, asyncio.get_running_loop().create_future())
        for call in self.calls:
            if call.number >= since:
                watch.look(call)
        self._watches.append(watch)
        try:
            async with asyncio.timeout(patience):
                await watch.enough
        except TimeoutError:
            pass
        finally:
            self._watches.remove(watch)
        return watch.found

    def spread(self, of: Callable[[Step], float | None]) -> Spread:
        """Sum up how long after being available the steps came to a certain point."""
        taken = sorted((end - step.available) * 1000 for step in self.steps if (end := of(step)) is not None)
        if not taken:
            return Spread(0, 0.0, 0.0, 0.0, 0.0)
        return Spread(len(taken), _quantile(taken, 0.5), _quantile(taken, 0.9), _quantile(taken, 0.99), taken[-1])

    def steps_per_second(self) -> float:
        """Count replies over the time between the first and the last one."""
        ends = [step.replied for step in self.steps if step.replied is not None]
        return (len(ends) - 1) / (max(ends) - min(ends)) if len(ends) > 1 and max(ends) > min(ends) else 0.0


def _quantile(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))]
