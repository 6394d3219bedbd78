"""Whatever happens between Telegram and the storage, no update is lost and none is confirmed before it is stored."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import FakeClock
from tests.fakes.telegram import FakeTelegram, Fault
from tests.integration.telegram_rig import Rig, ScriptedDialogue

if TYPE_CHECKING:
    from tests.fakes.telegram import Call

FIRST_ID = 1_000

JUNK = (
    b'{"update_id":UPDATE_ID,"message":{"text":5}}',
    b'{"update_id":UPDATE_ID,"message":{"text":"\\ud800"}}',
    b'{"update_id":UPDATE_ID,"poll":{}}',
    b'{"update_id":UPDATE_ID,"message":{oops}}',
)
FAULTS = (
    Fault.server_error(),
    Fault.bad_gateway(),
    Fault.reset_before(),
    Fault.reset_after(),
    Fault.truncated(),
    Fault.unauthorized(),
    Fault.too_many_requests(3),
    Fault.refusal(409, "Conflict: terminated by other getUpdates request"),
)

STEPS = st.one_of(
    st.tuples(st.just("says"), st.integers(1, 5)),
    st.tuples(st.just("sends junk"), st.integers(0, len(JUNK) - 1)),
    st.tuples(st.just("meets fault"), st.integers(0, len(FAULTS) - 1)),
    st.tuples(st.just("is not stored"), st.integers(0, 6)),
    st.tuples(st.just("starts anew"), st.just(0)),
    st.tuples(st.just("waits"), st.integers(1, 90)),
)


class Story:
    """One run of a channel, with everything that happens to it."""

    def __init__(self, fake: FakeTelegram) -> None:
        self.fake = fake
        self.clock = FakeClock(datetime(2026, 6, 15, 12, tzinfo=UTC))
        self.dialogue = ScriptedDialogue()
        self.made: list[int] = []

    async def happens(self, steps: list[tuple[str, int]]) -> None:
        runs = AsyncExitStack()
        rig = await runs.enter_async_context(Rig(self.fake, self.clock, dialogue=self.dialogue).runs())
        for what, number in steps:
            if what == "starts anew":
                await runs.aclose()
                self.dialogue = self.dialogue.reopened()
                rig = await runs.enter_async_context(Rig(self.fake, self.clock, dialogue=self.dialogue).runs())
            else:
                await self._happens(what, number)
        self.fake.heals()
        await rig.in_time(lambda: len(self.dialogue.stored) >= len(self.made), step=20)
        await runs.aclose()

    async def _happens(self, what: str, number: int) -> None:
        match what:
            case "says":
                self.made += [await self.fake.user().says(str(count)) for count in range(number)]
            case "sends junk":
                self.made.append(self.fake.push_raw(JUNK[number]))
            case "meets fault":
                self.fake.goes_wrong(FAULTS[number], "getUpdates", times=2)
            case "is not stored":
                self.dialogue.refuses[str(FIRST_ID + len(self.made) + number)] = 2
            case "waits":
                await self.clock.advance(number)
            case _:
                raise AssertionError(what)

    def check(self) -> None:
        assert sorted(self.dialogue.stored) == sorted(map(str, self.made))
        for call in self.fake.calls:
            if call.method == "getUpdates":
                self._check(call)

    def _check(self, call: Call) -> None:
        offset = call.value("offset")
        if offset is None:
            return
        stored = {int(key) for key, at in self.dialogue.stored.items() if at <= call.at}
        assert offset <= max(stored) + 1
        assert all(number in stored for number in self.made if number < offset)


@settings(max_examples=20)
@given(st.lists(STEPS, min_size=3, max_size=12))
async def test_every_update_is_stored_once_and_none_is_confirmed_before(steps: list[tuple[str, int]]) -> None:
    async with FakeTelegram(first_update_id=FIRST_ID) as fake:
        story = Story(fake)
        await story.happens(steps)
        story.check()
