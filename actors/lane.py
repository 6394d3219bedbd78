"""What waits to be sent through one channel, and which of it may go next: pure, `now` is passed in.

Within a chat messages go by priority, then by id, one at a time: the next one when the one before is settled. A row
that waits to be repeated holds those behind it. Across chats the most urgent head goes first, then the oldest.

A chat stands in at most one of three heaps: timers (its head may go later), `_paced` (its head may go now if the
channel has room) or `_tellable` (its head may be chosen even without room). Whatever changes a chat gives it a new
version, which voids its older places in the heaps: nothing is ever searched.
"""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from actors.pacing import UNLIMITED, Bucket, Window, backoff
from migrebot.messages import Document, Invoice, Priority, Say, Toast

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.channel import Limits
    from migrebot.messages import Body, Ticket


class Row:
    """A waiting row of the outbox.

    `kind` is the type of its body, unknown (None) until it was claimed once. `retry_at` is when it may be repeated.
    """

    __slots__ = ("chat", "id", "kind", "priority", "reserved", "retry_at", "since")

    def __init__(self, ticket: Ticket, chat: Chat, now: float) -> None:
        self.id = ticket.id
        self.priority = ticket.priority
        self.chat = chat
        self.since = now
        self.kind: type[Body] | None = None
        self.retry_at = 0.0
        self.reserved = False


class Chat:
    """One chat of the channel, remembered while something waits for it or its pace is not yet forgotten."""

    __slots__ = ("busy", "closed", "failures", "full_at", "name", "opened", "paused_until", "rows", "version")

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[tuple[int, int, Row]] = []
        self.busy = False
        self.closed = False
        self.opened = False
        self.failures = 0
        self.paused_until = 0.0
        self.full_at = 0.0
        self.version = 0


_Place = tuple[float, int, int, Chat]
"""A chat in a heap: priority or time, id of its head, its version; no two are equal in all three."""


class Lane:
    """The waiting rows of one channel.

    A row goes round: `add`, `pick` (its chat is busy now), `admit` just before it is sent, `landed` when the messenger
    has spoken, and, once that is stored, `forget`, `repeat` or `drop_chat`, which free the chat.
    """

    def __init__(self, limits: Limits, reachable: Callable[[str], bool]) -> None:
        self._limits = limits
        self._reachable = reachable
        self._window = Window(limits.per_second)
        self._bucket = None if limits.per_chat_second >= UNLIMITED else Bucket(limits.per_chat_second, limits.burst)
        self._chats: dict[str, Chat] = {}
        self._rows: dict[int, Row] = {}
        self._timers: list[_Place] = []
        self._paced: list[_Place] = []
        self._tellable: list[_Place] = []
        self._idle: list[tuple[float, str]] = []
        self._limited: dict[str, float] = {}
        self._in_flight = 0
        self._paused_until = 0.0
        self._failures = 0

    # --- what is asked of it ---

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row_id: int) -> bool:
        return row_id in self._rows

    @property
    def in_flight(self) -> int:
        """Count the rows picked and not yet landed."""
        return self._in_flight

    def oldest_age(self, now: float) -> float:
        """Tell for how long the first row has waited that still waits; 0 without one."""
        return max(0.0, now - next(iter(self._rows.values())).since) if self._rows else 0.0

    def next_deadline(self, now: float) -> float | None:
        """Tell when `pick` may give something that it does not give now; None if only an event changes that."""
        self._discard_void(self._timers)
        at = self._timers[0][0] if self._timers else math.inf
        if not self._full:
            if self._peek(self._tellable):
                at = min(at, now)
            elif (room_at := self._room_at(now)) is not None:
                at = min(at, room_at)
        return None if math.isinf(at) else max(at, self._paused_until)

    # --- what goes round ---

    def add(self, ticket: Ticket, now: float, *, retry_at: float = 0.0) -> None:
        """Let the row wait; with `retry_at` as one that is repeated then. A row that waits already stays as it is."""
        if ticket.id in self._rows:
            return
        name = ticket.address.value
        chat = self._chats.get(name)
        if chat is None:
            chat = self._chats[name] = Chat(name)
        row = self._rows[ticket.id] = Row(ticket, chat, now)
        row.retry_at = retry_at
        heappush(chat.rows, (row.priority, row.id, row))
        if not chat.busy and chat.rows[0][2] is row:
            self._schedule(chat, now)

    def open_chat(self, name: str, now: float) -> None:
        """Note that the chat can be reached again."""
        chat = self._chats.get(name)
        if chat is None:
            return
        # What is under way may yet find out that the chat was closed before.
        chat.opened = chat.busy
        if chat.closed:
            chat.closed = False
            self._schedule(chat, now)

    def close_chat(self, row: Row) -> None:
        """Note that nothing goes to a landed row's chat until it is opened, unless it was since the row was picked."""
        row.chat.closed = not row.chat.opened

    def pick(self, now: float) -> list[Row]:
        """Choose what may go now, and hold it back from being chosen again."""
        self._wake(now)
        picked: list[Row] = []
        while not self._full and now >= self._paused_until:
            chat = self._next(now)
            if chat is None:
                break
            if not self._reachable(chat.name):
                chat.closed = True
                continue
            row = heappop(chat.rows)[2]
            row.reserved = self._window.reserve(now)
            chat.busy = True
            chat.opened = False
            self._in_flight += 1
            picked.append(row)
        return picked

    def admit(self, row: Row, body: Body, now: float) -> bool:
        """Tell whether a picked row, now that its body is known, may really go; if so its place is used up.

        If not, the row has landed: it goes back unsent.
        """
        row.kind = type(body)
        new_message = isinstance(body, Say | Document | Invoice)
        if (
            now < self._paused_until
            or (new_message and self._bucket is not None and self._bucket.ready_at(row.chat.full_at) > now)
            or not (isinstance(body, Toast) or row.reserved or self._reserve(row, now))
        ):
            self.landed(row)
            return False
        if not isinstance(body, Toast):
            self._window.use(now)
            row.reserved = False
        if new_message and self._bucket is not None:
            row.chat.full_at = self._bucket.after_one(row.chat.full_at, now)
        return True

    def landed(self, row: Row) -> None:
        """Note that the row is no longer under way; its chat stays busy until the outcome is settled."""
        if row.reserved:
            self._window.release()
            row.reserved = False
        self._in_flight -= 1

    def forget(self, row: Row, now: float) -> None:
        """Let go of a landed row that will not be sent any more, and free its chat."""
        self._rows.pop(row.id, None)
        self._free(row.chat, now)

    def repeat(self, row: Row, at: float, now: float) -> None:
        """Let a landed row wait again, until then, and free its chat."""
        row.retry_at = at
        heappush(row.chat.rows, (row.priority, row.id, row))
        self._free(row.chat, now)

    def drop_chat(self, row: Row, now: float) -> None:
        """Let go of a landed row and of all that waits for its chat."""
        for _, _, waiting in row.chat.rows:
            self._rows.pop(waiting.id, None)
        row.chat.rows.clear()
        self.forget(row, now)

    # --- how the messenger fares ---

    def succeeded(self, row: Row) -> None:
        """Note that the messenger answered for this row, whatever it said."""
        self._failures = 0
        row.chat.failures = 0

    def limited(self, row: Row, seconds: float, now: float) -> float:
        """Note that the messenger asks for a pause of that chat; tell until when.

        If another chat of the channel is paused for the same reason, it is the channel that is too fast: it pauses.
        """
        until = now + seconds
        self._limited = {name: end for name, end in self._limited.items() if end > now and name != row.chat.name}
        if self._limited:
            self.pause(until)
        self._limited[row.chat.name] = until
        row.chat.paused_until = max(row.chat.paused_until, until)
        return until

    def pause(self, until: float) -> None:
        """Choose nothing until then."""
        self._paused_until = max(self._paused_until, until)

    def unreachable(self, now: float) -> float:
        """Note that the messenger cannot be reached; tell until when the channel pauses.

        What failed beside it in the same outage makes no longer pause.
        """
        if now >= self._paused_until:
            self._failures += 1
            self.pause(now + backoff(self._failures))
        return self._paused_until

    def failed(self, row: Row, now: float) -> float:
        """Note that this chat alone failed, without a word on when to try again; tell until when it pauses."""
        row.chat.failures += 1
        row.chat.paused_until = max(row.chat.paused_until, now + backoff(row.chat.failures, row.chat.name))
        return row.chat.paused_until

    # --- inside ---

    @property
    def _full(self) -> bool:
        """Whether as many rows are under way as may be: after a failure one, to see whether the messenger is back."""
        return self._in_flight >= (1 if self._failures else self._limits.parallel)

    def _reserve(self, row: Row, now: float) -> bool:
        row.reserved = self._window.reserve(now)
        return row.reserved

    def _schedule(self, chat: Chat, now: float) -> None:
        """Put a chat that is not busy where it belongs now."""
        chat.version += 1
        if chat.closed or not chat.rows:
            return
        priority, row_id, head = chat.rows[0]
        at = max(chat.paused_until, head.retry_at)
        if self._bucket is not None and _counts(head):
            at = max(at, self._bucket.ready_at(chat.full_at))
        if at > now:
            heappush(self._timers, (at, row_id, chat.version, chat))
        else:
            heap = self._tellable if head.kind is Toast or _may_be_toast(head) else self._paced
            heappush(heap, (priority, row_id, chat.version, chat))

    def _wake(self, now: float) -> None:
        """Move the chats whose time has come to those that are ready."""
        while self._timers and self._timers[0][0] <= now:
            _, _, version, chat = heappop(self._timers)
            if chat.version == version:
                self._schedule(chat, now)

    def _next(self, now: float) -> Chat | None:
        """Take the chat whose head goes next out of its heap."""
        paced = self._peek(self._paced) if self._room_at(now) == now else None
        tellable = self._peek(self._tellable)
        if paced is None and tellable is None:
            return None
        heap = self._paced if tellable is None or (paced is not None and paced < tellable) else self._tellable
        chat = heappop(heap)[3]
        chat.version += 1
        return chat

    def _room_at(self, now: float) -> float | None:
        """Tell when the channel has room for the most urgent paced head; None without one, or if only an event helps.

        Announcements leave room for others, in what the messenger takes and in what is under way: of what was under way
        when the program was killed, nobody can tell afterwards whether it arrived.
        """
        head = self._peek(self._paced)
        if head is None:
            return None
        is_urgent = head[0] < Priority.ANNOUNCEMENT
        if not is_urgent and self._in_flight >= max(1, self._limits.parallel // 4):
            return None
        return self._window.next_room(now, is_urgent=is_urgent)

    def _peek(self, heap: list[_Place]) -> _Place | None:
        self._discard_void(heap)
        return heap[0] if heap else None

    def _discard_void(self, heap: list[_Place]) -> None:
        while heap and heap[0][3].version != heap[0][2]:
            heappop(heap)

    def _free(self, chat: Chat, now: float) -> None:
        chat.busy = False
        self._schedule(chat, now)
        if not chat.rows:
            heappush(self._idle, (_fresh_at(chat), chat.name))
        while self._idle and self._idle[0][0] <= now:
            self._forget_chat(heappop(self._idle)[1], now)

    def _forget_chat(self, name: str, now: float) -> None:
        """Forget the chat if nothing waits for it and it is as if nothing had ever been sent there."""
        chat = self._chats.get(name)
        if chat is not None and not chat.rows and not chat.busy and _fresh_at(chat) <= now:
            del self._chats[name]


def _fresh_at(chat: Chat) -> float:
    return max(chat.paused_until, chat.full_at)


def _counts(row: Row) -> bool:
    """Tell whether the row is to wait for its chat's pace.

    An answer to a tap is not; a reply that was not looked at yet may be one.
    """
    if row.kind is None:
        return row.priority > Priority.REPLY
    return issubclass(row.kind, Say | Document)


def _may_be_toast(row: Row) -> bool:
    return row.kind is None and row.priority == Priority.REPLY
