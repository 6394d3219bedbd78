"""What an actor is: a mailbox, a life cycle, and the one place where unexpected errors are caught.

An actor owns its state alone and is spoken to through its `Mailbox` only. Its life is run by the supervisor:
`start`, then `run` until the mailbox is closed and empty, then its resources are released. If `run` raises, the
actor is started again; its mailbox, and the message that was being handled, outlive it.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import anyio
import anyio.lowlevel
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AsyncExitStack

M = TypeVar("M")
R = TypeVar("R")

MAX_TRIES = 3
"""How often a message may be handled in vain before it is set aside."""


class MailboxClosed(Exception):
    """The mailbox takes no more messages: its actor is stopping.

    Raised to those who put, and to the reader once nothing is left.
    """


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
    """A message in a mailbox, with the way back to the one who asked; `mark` is the reader's own note on it."""

    __slots__ = ("_answer", "_error", "_settled", "mark", "message", "tries")

    def __init__(self, message: M, *, wants_answer: bool) -> None:
        self.message = message
        self.tries = 0
        self.mark: Any = None
        self._settled = anyio.Event() if wants_answer else None
        self._answer: Any = None
        self._error: BaseException | None = None

    @property
    def is_settled(self) -> bool:
        """Tell whether the asker got an answer, or the word that there will be none."""
        return self._settled is not None and self._settled.is_set()

    def answer(self, value: object = None) -> None:
        """Give the asker its answer; without an asker nothing happens. The first of `answer` and `fail` counts."""
        if self._settled is not None and not self._settled.is_set():
            self._answer = value
            self._settled.set()

    def fail(self, error: BaseException) -> None:
        """Tell the asker that there will be no answer."""
        if self._settled is not None and not self._settled.is_set():
            self._error = error
            self._settled.set()

    async def answered(self) -> Any:
        """Wait for the answer, whose type goes with the message's; raises `NotHandled` from the error of `fail`."""
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

    # anyio's memory stream, which has statistics too, cannot take a message back in front of the others, nor wake
    # its waiting reader when that happens beside it.

    def __init__(self, size: int = 1_000) -> None:
        if size < 1:
            raise ValueError("a mailbox holds at least one message")
        self._waiting: deque[Envelope[M]] = deque()
        self._blocked: OrderedDict[Envelope[M], anyio.Event] = OrderedDict()
        self._reader: anyio.Event | None = None
        self._closed = False
        self._abandoned = False
        self._size = size
        self._peak = 0
        self._total = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_over(self) -> bool:
        """Tell whether it is closed and empty."""
        return self._closed and not self._waiting

    @property
    def statistics(self) -> MailboxStatistics:
        """Tell how the mailbox fares."""
        return MailboxStatistics(len(self), self._peak, self._size, self._total)

    async def put(self, message: M) -> None:
        """Add a message, waiting for room; raises `MailboxClosed`."""
        await self._put(Envelope(message, wants_answer=False))

    def offer(self, message: M) -> bool:
        """Add a message if there is room and the mailbox is open; tell whether it was added."""
        if self._closed or len(self) >= self._size:
            return False
        self._add(Envelope(message, wants_answer=False))
        return True

    async def ask(self, message: M) -> Any:
        """Add a message and wait for its answer; raises `MailboxClosed` or `NotHandled`.

        Cancelling the wait does not take the message back.
        """
        return await (await self.post(message)).answered()

    async def post(self, message: M) -> Envelope[M]:
        """Add a message whose answer is wanted later, by `Envelope.answered`; raises `MailboxClosed`."""
        envelope = Envelope(message, wants_answer=True)
        await self._put(envelope)
        return envelope

    async def get(self) -> Envelope[M]:
        """Take the next message, waiting for it; raises `MailboxClosed` once it is closed and empty.

        Cancelling it loses no message.
        """
        await anyio.lowlevel.checkpoint()
        while not self._waiting:
            if self._closed:
                raise MailboxClosed
            self._reader = anyio.Event()
            await self._reader.wait()
        return self.take(1)[0]

    def take(self, limit: int) -> list[Envelope[M]]:
        """Take up to `limit` messages that wait now, without waiting."""
        taken: list[Envelope[M]] = []
        while self._waiting and len(taken) < limit:
            taken.append(self._waiting.popleft())
            self._admit()
        return taken

    def give_back(self, envelopes: list[Envelope[M]]) -> None:
        """Put messages back in front, in their order: they are the next to be taken.

        They may go above the bound, and into a closed mailbox; once it is abandoned, whoever asked is told.
        """
        self._waiting.extendleft(reversed(envelopes))
        if self._abandoned:
            self._fail_waiting()
        elif envelopes:
            self._grown()

    def close(self) -> None:
        """Take no more messages, not even from those who wait for room; those that wait inside can still be taken."""
        self._closed = True
        for room in self._blocked.values():
            room.set()
        self._wake_reader()

    def abandon(self) -> None:
        """Tell everybody who still waits for an answer that there will be none; called at the very end."""
        self.close()
        self._abandoned = True
        self._fail_waiting()

    async def _put(self, envelope: Envelope[M]) -> None:
        # No turn of the loop for each message: whoever puts many comes to wait for room by itself.
        await anyio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise MailboxClosed
        # Nobody overtakes those who wait for room already: `_admit` leaves no room while somebody waits.
        if len(self) < self._size:
            self._add(envelope)
            return
        self._blocked[envelope] = room = anyio.Event()
        try:
            await room.wait()
        finally:
            refused = self._blocked.pop(envelope, None) is not None
        if refused:
            raise MailboxClosed

    def _admit(self) -> None:
        while self._blocked and not self._closed and len(self) < self._size:
            envelope, room = self._blocked.popitem(last=False)
            self._add(envelope)
            room.set()

    def _add(self, envelope: Envelope[M]) -> None:
        self._waiting.append(envelope)
        self._total += 1
        self._grown()

    def _grown(self) -> None:
        self._peak = max(self._peak, len(self))
        self._wake_reader()

    def _wake_reader(self) -> None:
        if self._reader is not None:
            self._reader.set()
            self._reader = None

    def _fail_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().fail(MailboxClosed())


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

    Constructors are keyword-only and do no I/O. `health` may be set by the actor at any time. `set_aside` is called
    when a message was set aside; the supervisor gives every actor its own way to tell the owner.
    """

    name: ClassVar[str]

    def __init__(self, mailbox: Mailbox[M]) -> None:
        self.mailbox = mailbox
        self.health = Health()
        self.set_aside: Callable[[Poisoned], None] = _tell_nobody

    async def start(self, resources: AsyncExitStack) -> None:
        """Acquire what `run` needs, to be released with `resources`; the next actor starts after this returns.

        Called before every `run`, on a restart too. Must not wait for the network of others. Raising counts as a
        failed start, but `UserError`, until the actor has started once, ends the program with its line. Task groups
        and cancel scopes are not resources, since they have to be left in the order they were entered: open them in
        `run`.
        """

    async def run(self) -> None:
        """Work until the mailbox is closed and empty; the default handles its messages one by one.

        Returning before `stop` was called counts as a failure.
        """
        while True:
            try:
                envelope = await self.mailbox.get()
            except MailboxClosed:
                return
            await self.handle_or_set_aside(envelope)

    async def handle(self, message: M) -> object:
        """Handle one message; the return value is the answer to who asked.

        Raising `Permanent` sets the message aside. Any other error restarts the actor, which handles the message
        again, up to `MAX_TRIES` times.
        """
        raise TypeError(f"{self.name} handles no {type(message).__name__}")

    async def stop(self) -> None:
        """Close the intake, so that `run` comes to its end; called once, while `run` still runs. Must return soon."""
        self.mailbox.close()

    async def handle_or_set_aside(self, envelope: Envelope[M]) -> None:
        """Handle the message; set it aside when it is hopeless, else put it back and raise."""
        try:
            result = await attempt(self.handle(envelope.message))
        except BaseException:
            # Cancelled, which is nobody's failure: back it goes, so that whoever asked hears of it in the end.
            self.mailbox.give_back([envelope])
            raise
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


def _tell_nobody(poisoned: Poisoned) -> None:
    """Do nothing: what an actor without a supervisor does about a message set aside."""


def seconds_until(deadline: float | None, now: float) -> float | None:
    """Tell how long to wait for a deadline on the same clock: never negative, None for none."""
    return None if deadline is None or math.isinf(deadline) else max(0.0, deadline - now)
