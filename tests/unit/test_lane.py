"""What waits for one channel, and what may go next."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.channel import Limits
from actors.lane import Lane, Row
from actors.pacing import LONGEST_BACKOFF
from migrebot.messages import Address, Document, Edit, Leave, Priority, Say, Ticket, Toast

if TYPE_CHECKING:
    from migrebot.messages import Body

SAY = Say("hello")
EDIT = Edit("1", "hello")
TOAST = Toast("hello")
BODIES: list[Body] = [SAY, EDIT, TOAST, Document("chart", "a.png", ""), Leave()]
UNLIMITED = Limits(per_second=1e9, per_chat_second=1e9)


def ticket(row_id: int, chat: str = "a", priority: Priority = Priority.REPLY) -> Ticket:
    return Ticket(priority, row_id, Address("telegram", chat))


def make(limits: Limits = UNLIMITED, *tickets: Ticket, closed: set[str] | None = None) -> Lane:
    shut = closed if closed is not None else set()
    lane = Lane(limits, lambda chat: chat not in shut)
    for one in tickets:
        lane.add(one, 0)
    return lane


def ids(rows: list[Row]) -> list[int]:
    return [row.id for row in rows]


def send_all(lane: Lane, now: float, body: Body = SAY) -> list[int]:
    """Send whatever goes at this moment; the messenger takes everything."""
    sent = []
    while picked := lane.pick(now):
        for row in picked:
            if lane.admit(row, body, now):
                lane.landed(row)
                lane.succeeded(row)
                lane.forget(row, now)
                sent.append(row.id)
            else:
                lane.repeat(row, 0, now)
    return sent


def test_a_chat_is_written_to_one_at_a_time_in_order_of_urgency_and_age() -> None:
    lane = make(UNLIMITED, ticket(3), ticket(1), ticket(2, priority=Priority.REMINDER), ticket(4))
    assert ids(lane.pick(0)) == [1]
    assert lane.pick(0) == []
    lane = make(UNLIMITED, ticket(3), ticket(1), ticket(2, priority=Priority.REMINDER), ticket(4))
    assert send_all(lane, 0) == [1, 3, 4, 2]


def test_across_chats_the_most_urgent_goes_first_then_the_oldest() -> None:
    lane = make(
        UNLIMITED,
        ticket(1, "a", Priority.ANNOUNCEMENT),
        ticket(2, "b", Priority.QUESTION),
        ticket(5, "c"),
        ticket(4, "d"),
        ticket(3, "e", Priority.REMINDER),
    )
    assert ids(lane.pick(0)) == [4, 5, 3, 2, 1]


def test_what_waits_to_be_repeated_holds_those_behind_it_but_not_what_is_more_urgent() -> None:
    lane = make(UNLIMITED, ticket(1, priority=Priority.REMINDER), ticket(2, priority=Priority.REMINDER))
    (row,) = lane.pick(0)
    lane.landed(row)
    lane.repeat(row, 5, 0)
    assert lane.pick(4) == []
    lane.add(ticket(3), 4)
    assert send_all(lane, 4) == [3]
    assert lane.next_deadline(4) == 5
    assert send_all(lane, 5) == [1, 2]


def test_no_more_than_the_allowed_number_are_under_way() -> None:
    lane = make(Limits(per_second=1e9, per_chat_second=1e9, parallel=2), *(ticket(n, str(n)) for n in range(5)))
    first = lane.pick(0)
    assert len(first) == 2
    assert lane.next_deadline(0) is None
    lane.landed(first[0])
    assert len(lane.pick(0)) == 1


def test_a_chat_that_cannot_be_reached_is_left_alone_until_it_opens() -> None:
    closed = {"a"}
    lane = make(UNLIMITED, ticket(1), ticket(2, "b"), closed=closed)
    assert ids(lane.pick(0)) == [2]
    assert lane.next_deadline(0) is None
    closed.clear()
    assert lane.pick(0) == []
    lane.open_chat("a", 0)
    assert ids(lane.pick(0)) == [1]


def test_new_messages_keep_the_pace_of_the_chat_and_answers_to_taps_do_not() -> None:
    limits = Limits(per_second=1e9, per_chat_second=1, burst=2)
    lane = make(limits, *(ticket(n) for n in range(5)))
    assert send_all(lane, 0) == [0, 1]
    assert lane.next_deadline(0) == 1
    assert send_all(lane, 1) == [2]
    assert send_all(make(limits, *(ticket(n) for n in range(5))), 0, EDIT) == [0, 1, 2, 3, 4]


def test_an_edit_does_not_overtake_the_message_before_it() -> None:
    lane = make(Limits(per_second=1e9, per_chat_second=1, burst=1), ticket(1), ticket(2))
    assert send_all(lane, 0) == [1]
    lane.add(ticket(3), 0.25)
    assert lane.pick(0.5) == []
    assert ids(lane.pick(1)) == [2]


def test_toasts_go_even_when_the_channel_has_sent_all_it_may() -> None:
    lane = make(Limits(per_second=1, per_chat_second=1e9), ticket(1), ticket(2, "b"), ticket(3, "c"))
    first, second, third = lane.pick(0)
    assert lane.admit(first, SAY, 0)
    assert lane.admit(second, TOAST, 0)
    assert not lane.admit(third, EDIT, 0)
    lane.repeat(third, 0, 0)
    assert lane.pick(0.5) == []
    assert lane.next_deadline(0.5) == 1
    assert ids(lane.pick(1)) == [3]


def test_only_replies_are_looked_at_when_the_channel_has_sent_all_it_may() -> None:
    lane = make(Limits(per_second=1, per_chat_second=1e9), ticket(1))
    assert send_all(lane, 0) == [1]
    lane.add(ticket(2, "b", Priority.REMINDER), 0)
    lane.add(ticket(3, "c"), 0)
    assert ids(lane.pick(0)) == [3]


def test_one_chat_asked_to_wait_waits_alone_a_second_one_pauses_the_channel() -> None:
    lane = make(UNLIMITED, *(ticket(n, str(n)) for n in range(3)), ticket(10, "x"))
    first, second, *_ = lane.pick(0)
    assert lane.limited(first, 30, 0) == 30
    lane.add(ticket(20, "y"), 1)
    assert ids(lane.pick(1)) == [20]
    assert lane.limited(second, 10, 2) == 12
    lane.add(ticket(21, "z"), 2)
    assert lane.pick(11) == []
    assert lane.next_deadline(11) == 12
    assert ids(lane.pick(12)) == [21]


def test_a_chat_asked_to_wait_waits_with_more_urgent_messages_too() -> None:
    lane = make(UNLIMITED, ticket(1, priority=Priority.REMINDER))
    (row,) = lane.pick(0)
    until = lane.limited(row, 5, 0)
    lane.landed(row)
    lane.repeat(row, until, 0)
    lane.add(ticket(2), 1)
    assert lane.pick(4) == []
    assert send_all(lane, 5) == [2, 1]


def test_what_was_chosen_before_the_channel_was_paused_does_not_go() -> None:
    lane = make(UNLIMITED, ticket(1), ticket(2, "b"))
    _, second = lane.pick(0)
    lane.pause(5)
    assert not lane.admit(second, SAY, 0)
    lane.repeat(second, 0, 0)
    assert lane.pick(4) == []
    assert ids(lane.pick(5)) == [2]


def test_a_chat_that_fails_alone_waits_longer_each_time_until_the_messenger_answers() -> None:
    lane = make(UNLIMITED, ticket(1))
    (row,) = lane.pick(0)
    first, second = lane.failed(row, 0), lane.failed(row, 0)
    assert second == 2 * first
    lane.succeeded(row)
    row.chat.paused_until = 0
    assert lane.failed(row, 0) == first


def test_the_same_chat_asked_twice_does_not_pause_the_channel() -> None:
    lane = make(UNLIMITED, ticket(1), ticket(2, "b"))
    first, _ = lane.pick(0)
    lane.limited(first, 30, 0)
    lane.limited(first, 30, 1)
    lane.add(ticket(3, "c"), 2)
    assert ids(lane.pick(2)) == [3]


def test_an_outage_makes_one_pause_however_many_were_under_way() -> None:
    lane = make(UNLIMITED, *(ticket(n, str(n)) for n in range(10)))
    for row in lane.pick(0):
        until = lane.unreachable(0)
        lane.landed(row)
        lane.repeat(row, until, 0)
    assert lane.next_deadline(0) == 1


def test_after_an_outage_one_message_finds_out_and_its_success_opens_the_channel() -> None:
    lane = make(UNLIMITED, *(ticket(n, str(n)) for n in range(10)))
    now = 0.0
    pauses = []
    for _ in range(9):
        rows = lane.pick(now)
        until = now
        for row in rows:
            until = lane.unreachable(now)
            lane.landed(row)
            lane.repeat(row, until, now)
        pauses.append(until - now)
        now = until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    (probe,) = lane.pick(now)
    lane.succeeded(probe)
    assert len(lane.pick(now)) == 9


def test_dropping_a_chat_drops_all_that_waits_for_it_and_nothing_else() -> None:
    lane = make(UNLIMITED, ticket(1), ticket(2), ticket(3, "b"))
    row = lane.pick(0)[0]
    lane.landed(row)
    lane.drop_chat(row, 0)
    assert len(lane) == 1
    assert 2 not in lane
    lane.add(ticket(4), 0)
    assert ids(lane.pick(0)) == [4]


def test_a_ticket_that_comes_again_is_the_same_row() -> None:
    lane = make(UNLIMITED, ticket(1), ticket(1))
    assert len(lane) == 1
    assert ids(lane.pick(0)) == [1]
    lane.add(ticket(1), 0)
    assert send_all(lane, 0) == []


def test_the_oldest_row_is_known_without_a_search() -> None:
    lane = make()
    assert lane.oldest_age(5) == 0
    lane.add(ticket(2), 1)
    lane.add(ticket(1, "b"), 3)
    assert lane.oldest_age(5) == 4


def test_chats_at_rest_are_forgotten_once_their_pace_is() -> None:
    lane = make(Limits(per_second=1e9, per_chat_second=1), *(ticket(n, str(n)) for n in range(100)))
    send_all(lane, 0)
    lane.add(ticket(1_000, "x"), 5)
    send_all(lane, 5)
    assert set(lane._chats) == {"x"}
    assert not lane._timers
    assert not lane._paced
    assert not lane._tellable


class LaneMachine(RuleBasedStateMachine):
    """Any order of arrivals, outcomes and pauses, against a model that looks at every row every time."""

    chats = "abc"

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.next_id = 0
        self.closed: set[str] = set()
        self.limits = Limits(per_second=4, per_chat_second=1, burst=2, parallel=2)
        self.lane = Lane(self.limits, lambda chat: chat not in self.closed)
        self.waiting: dict[str, set[tuple[int, int]]] = defaultdict(set)
        self.bodies: dict[int, Body] = {}
        self.retry_at: dict[int, float] = {}
        self.under_way: dict[str, Row] = {}
        self.landed: dict[str, Row] = {}
        self.paused_until = 0.0
        self.chat_paused_until: dict[str, float] = defaultdict(float)
        self.counted: list[float] = []
        self.new: dict[str, list[float]] = defaultdict(list)

    @rule(chat=st.sampled_from(chats), priority=st.sampled_from(list(Priority)), body=st.sampled_from(BODIES))
    def arrives(self, chat: str, priority: Priority, body: Body) -> None:
        self.next_id += 1
        self.bodies[self.next_id] = body
        self.waiting[chat].add((int(priority), self.next_id))
        self.lane.add(ticket(self.next_id, chat, priority), self.now)

    @rule(seconds=st.sampled_from([0.125, 0.25, 1, 8]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(chat=st.sampled_from(chats))
    def closes(self, chat: str) -> None:
        self.closed.add(chat)

    @rule(chat=st.sampled_from(chats))
    def opens(self, chat: str) -> None:
        self.closed.discard(chat)
        self.lane.open_chat(chat, self.now)

    @rule()
    def is_sent(self) -> None:
        for row in self.lane.pick(self.now):
            chat = row.chat.name
            assert self.now >= max(self.paused_until, self.chat_paused_until[chat])
            assert chat not in self.closed
            assert chat not in self.under_way
            assert chat not in self.landed
            assert (row.priority, row.id) == min(self.waiting[chat]), "out of order"
            assert self.now >= self.retry_at.get(row.id, 0)
            self.waiting[chat].discard((row.priority, row.id))
            self.admit(chat, row)

    def admit(self, chat: str, row: Row) -> None:
        body = self.bodies[row.id]
        if not self.lane.admit(row, body, self.now):
            assert not isinstance(body, Toast), "a toast has to wait for nothing"
            self.waiting[chat].add((row.priority, row.id))
            self.lane.repeat(row, 0, self.now)
            return
        self.under_way[chat] = row
        if not isinstance(body, Toast):
            self.counted.append(self.now)
        if isinstance(body, Say | Document):
            self.new[chat].append(self.now)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), outcome=st.sampled_from(["sent", "limited", "unreachable", "failed", "later"]))
    def lands(self, data: st.DataObject, outcome: str) -> None:
        chat = data.draw(st.sampled_from(sorted(self.under_way)))
        row = self.landed[chat] = self.under_way.pop(chat)
        until = {
            "sent": lambda: 0.0,
            "limited": lambda: self.lane.limited(row, 2, self.now),
            "unreachable": lambda: self.lane.unreachable(self.now),
            "failed": lambda: self.lane.failed(row, self.now),
            "later": lambda: self.now + 3,
        }[outcome]()
        if outcome == "sent":
            self.lane.succeeded(row)
            self.retry_at.pop(row.id, None)
        else:
            self.retry_at[row.id] = until
        if outcome == "unreachable":
            self.paused_until = max(self.paused_until, until)
        elif outcome in {"limited", "failed"}:
            self.chat_paused_until[chat] = max(self.chat_paused_until[chat], until)
        self.lane.landed(row)

    @precondition(lambda self: self.landed)
    @rule(data=st.data())
    def is_settled(self, data: st.DataObject) -> None:
        chat = data.draw(st.sampled_from(sorted(self.landed)))
        row = self.landed.pop(chat)
        if row.id in self.retry_at:
            self.waiting[chat].add((row.priority, row.id))
            self.lane.repeat(row, self.retry_at[row.id], self.now)
        else:
            self.lane.forget(row, self.now)

    @invariant()
    def no_more_than_allowed_are_under_way(self) -> None:
        assert len(self.under_way) == self.lane.in_flight <= self.limits.parallel

    @invariant()
    def the_messengers_limits_are_kept(self) -> None:
        for first, later in zip(self.counted, self.counted[4:], strict=False):
            assert later - first >= 1
        for sent in self.new.values():
            for first, later in zip(sent, sent[2:], strict=False):
                assert later - first >= 1

    @invariant()
    def every_row_is_known_once(self) -> None:
        known = sum(map(len, self.waiting.values())) + len(self.under_way) + len(self.landed)
        assert len(self.lane) == known

    def teardown(self) -> None:
        """Whatever happened, at last all goes, and the lane itself tells when."""
        for chat in self.chats:
            self.opens(chat)
        for row in self.under_way.values():
            self.landed[row.chat.name] = row
            self.lane.landed(row)
        for row in self.landed.values():
            self.lane.forget(row, self.now)
        while len(self.lane):
            for row in self.lane.pick(self.now):
                if self.lane.admit(row, self.bodies[row.id], self.now):
                    self.lane.landed(row)
                    self.lane.succeeded(row)
                    self.lane.forget(row, self.now)
                else:
                    self.lane.repeat(row, 0, self.now)
            deadline = self.lane.next_deadline(self.now)
            if len(self.lane):
                assert deadline is not None, "nobody would wake up for what waits"
                assert deadline <= self.now + LONGEST_BACKOFF
                self.now = max(self.now, deadline)


LaneMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLane = LaneMachine.TestCase


def announcement(row_id: int) -> Ticket:
    return ticket(row_id, chat=f"chat {row_id}", priority=Priority.ANNOUNCEMENT)


def test_announcements_leave_room_for_whoever_asks_something() -> None:
    lane = make(Limits(per_second=30, per_chat_second=1), *map(announcement, range(1, 101)))
    assert len(send_all(lane, 0)) == 24
    assert lane.next_deadline(0) == 1
    lane.add(ticket(101), 0.1)
    assert lane.next_deadline(0.1) == 0.1
    assert send_all(lane, 0.1) == [101]
    assert lane.next_deadline(0.1) == 1
    assert len(send_all(lane, 1)) == 23


def test_few_announcements_are_under_way_at_once_and_a_reply_goes_beside_them() -> None:
    lane = make(UNLIMITED, *map(announcement, range(1, 101)))
    picked = lane.pick(0)
    assert len(picked) == 8
    assert lane.pick(0) == []
    assert lane.next_deadline(0) is None, "only an answer makes room"
    lane.add(ticket(101), 0)
    assert ids(lane.pick(0)) == [101]
    for row in picked:
        assert lane.admit(row, SAY, 0)
        lane.landed(row)
        lane.forget(row, 0)
    assert len(lane.pick(0)) == 7
