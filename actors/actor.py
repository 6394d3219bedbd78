"""What an actor is: a mailbox, a life cycle, and the one place where unexpected errors are caught.

An actor owns its state alone and is spoken to through its `Mailbox` only. Its life is run by the supervisor:
`start`, then `run` until the mailbox is closed and empty, then its resources are released. If `run` raises, the
actor is started again; its mailbox, and the message that was being handled, outlive it.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import anyio
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from contextlib import AsyncExitStack

M = TypeVar("M")
R = TypeVar("R")

MAX_TRIES = 3
"""How often a message may be handled in vain before it is set aside."""


class MailboxClosed(Exception):
    """The mailbox takes no more messages: its actor is stopping. Raised to those who put, and to the reader at the end."""


class NotHandled(Exception):
    """The message asked about was set aside or left unhandled; the cause says why. It may be asked again later."""


class Permanent(Exception):
    """Raised by `Actor.handle`: this message can never be handled, set it aside at once."""


class Poisoned(Struct, frozen=True):
    """A message was set aside: of which actor, of which type, and the name of the last error (never its content)."""

    actor: str
    message_type: str
    error: str


class Envelope(Generic[M]):
    """A message in a mailbox, with the way back to the one who asked."""

    __slots__ = ("_answer", "_error", "_settled", "message", "tries")

    def __init__(self, message: M, *, wants_answer: bool) -> None:
        self.message = message
        self.tries = 0
        self._settled = anyio.Event() if wants_answer else None
        self._answer: Any = None
        self._error: BaseException | None = None

    def answer(self, value: Any = None) -> None:
        """Give the asker its answer; without an asker nothing happens."""
        if self._settled is not None:
            self._answer = value
            self._settled.set()

    def fail(self, error: BaseException) -> None:
        """Tell the asker that there will be no answer."""
        if self._settled is not None:
            self._error = error
            self._settled.set()

    async def answered(self) -> Any:
        """Wait for the answer; raises `NotHandled` from the error given to `fail`."""
        if self._settled is None:
            raise TypeError("nobody asked")
        await self._settled.wait()
        if self._error is not None:
            raise NotHandled(type(self.message).__name__) from self._error
        return self._answer


class MailboxStatistics(Struct, frozen=True):
    """How a mailbox fares: messages waiting now, at most so far, the bound, and put in all."""

    depth: int
    peak: int
    size: int
    total: int


class Mailbox(Generic[M]):
    """A bounded queue with one reader, in order; whoever puts into a full one waits."""

    def __init__(self, size: int = 1_000) -> None:
        if size < 1:
            raise ValueError("a mailbox holds at least one message")
        self._send, self._receive = anyio.create_memory_object_stream[Envelope[M]](size)
        self._returned: deque[Envelope[M]] = deque()
        self._size = size
        self._peak = 0
        self._total = 0

    def __len__(self) -> int:
        return self._receive.statistics().current_buffer_used + len(self._returned)

    @property
    def statistics(self) -> MailboxStatistics:
        """Tell how the mailbox fares."""
        return MailboxStatistics(len(self), self._peak, self._size, self._total)

    async def put(self, message: M) -> None:
        """Add a message, waiting for room; raises `MailboxClosed`."""
        await self._put(Envelope(message, wants_answer=False))

    def offer(self, message: M) -> bool:
        """Add a message if there is room and the mailbox is open; tell whether it was added."""
        try:
            self._send.send_nowait(Envelope(message, wants_answer=False))
        except (anyio.WouldBlock, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return False
        self._count()
        return True

    async def ask(self, message: M) -> Any:
        """Add a message and wait for its answer; raises `MailboxClosed` or `NotHandled`."""
        return await (await self.post(message)).answered()

    async def post(self, message: M) -> Envelope[M]:
        """Add a message whose answer is wanted later, by `Envelope.answered`; raises `MailboxClosed`."""
        envelope = Envelope(message, wants_answer=True)
        await self._put(envelope)
        return envelope

    async def get(self) -> Envelope[M]:
        """Take the next message, waiting for it; raises `MailboxClosed` once it is closed and empty."""
        if self._returned:
            return self._returned.popleft()
        try:
            return await self._receive.receive()
        except anyio.EndOfStream:
            raise MailboxClosed from None

    def take(self, limit: int) -> list[Envelope[M]]:
        """Take up to `limit` messages that wait now, without waiting."""
        taken: list[Envelope[M]] = []
        while len(taken) < limit:
            if self._returned:
                taken.append(self._returned.popleft())
                continue
            try:
                taken.append(self._receive.receive_nowait())
            except (anyio.WouldBlock, anyio.EndOfStream):
                break
        return taken

    def give_back(self, envelopes: list[Envelope[M]]) -> None:
        """Put messages back in front, in their order: they are the next to be taken."""
        self._returned.extendleft(reversed(envelopes))

    def close(self) -> None:
        """Take no more messages; those that wait can still be taken."""
        self._send.close()

    def abandon(self) -> None:
        """Tell everybody who still waits for an answer that there will be none; called at the very end."""
        self._send.close()
        for envelope in self.take(self._size + len(self._returned)):
            envelope.fail(MailboxClosed())
        self._receive.close()

    async def _put(self, envelope: Envelope[M]) -> None:
        try:
            await self._send.send(envelope)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise MailboxClosed from None
        self._count()

    def _count(self) -> None:
        self._total += 1
        self._peak = max(self._peak, len(self))


async def attempt(work: Awaitable[R]) -> R | Exception:
    """Await the work and return its result, or the error it raised; cancellation passes through.

    The one broad `except Exception` of the program: for what nobody foresaw, around a message or around an actor.
    """
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - the one place, see above
        return error


class Health(Struct, frozen=True):
    """How an actor fares: `serving` is false while it does not do its work (readyz answers 503); `detail` says why.

    An actor that works but whose messenger, Redis or backup target is out keeps `serving` and says so in `detail`.
    """

    serving: bool = True
    detail: str = "ok"


class Actor(Generic[M]):
    """One independent part of the program. A subclass names itself and overrides what it needs.

    Constructors are keyword-only and do no I/O. `health` may be set by the actor at any time.
    """

    name: ClassVar[str]

    def __init__(self, mailbox: Mailbox[M]) -> None:
        self.mailbox = mailbox
        self.health = Health()

    async def start(self, resources: AsyncExitStack) -> None:
        """Acquire what `run` needs, to be released with `resources`; the next actor starts after this returns.

        Called before every `run`, on a restart too. Must not wait for the network of others. Raising counts as a
        failed start.
        """

    async def run(self) -> None:
        """Work until the mailbox is closed and empty; the default handles its messages one by one."""
        while True:
            try:
                envelope = await self.mailbox.get()
            except MailboxClosed:
                return
            await self.handle_or_set_aside(envelope)

    async def handle(self, message: M) -> Any:
        """Handle one message; the return value is the answer to who asked.

        Raising `Permanent` sets the message aside. Any other error restarts the actor, which handles the message
        again, up to `MAX_TRIES` times.
        """
        raise TypeError(f"{self.name} handles no messages")

    async def stop(self) -> None:
        """Close the intake, so that `run` comes to its end; called once, while `run` still runs. Must return soon."""
        self.mailbox.close()

    def set_aside(self, poisoned: Poisoned) -> None:
        """Note that a message was set aside; the supervisor replaces this by its own way to tell the owner."""

    async def handle_or_set_aside(self, envelope: Envelope[M]) -> None:
        """Handle the message; set it aside when it is hopeless, else put it back and raise."""
        result = await attempt(self.handle(envelope.message))
        if not isinstance(result, Exception):
            envelope.answer(result)
            return
        envelope.tries += 1
        if isinstance(result, Permanent) or envelope.tries >= MAX_TRIES:
            self.set_aside(Poisoned(self.name, type(envelope.message).__name__, type(result).__name__))
            envelope.fail(result)
        else:
            self.mailbox.give_back([envelope])
        if not isinstance(result, Permanent):
            raise result


def seconds_until(deadline: float | None, now: float) -> float | None:
    """Tell how long to wait for a deadline on the same clock: never negative, None for none."""
    return None if deadline is None or math.isinf(deadline) else max(0.0, deadline - now)
