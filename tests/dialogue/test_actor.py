"""The promises of the dialogue actor: once for each key, all or nothing, nobody held up by somebody's poison."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.actor import Health, NotHandled
from actors.dialogue import CAREFUL_PER_CHANNEL
from migrebot.dialogue import router
from migrebot.dialogue.turn import Answer, Turn
from migrebot.errors import StorageUnavailable
from migrebot.flood import FloodGate
from migrebot.messages import FormExpired, Inbound, Press, Profile, Text, Undecodable
from storage.facts import HeadacheById
from storage.records import InboxKey
from storage.sqlite import SqliteStorage
from tests.clock import FakeClock
from tests.dialogue.test_headache import everything
from tests.talk import House, Person, open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from storage.facts import Fact
    from storage.interface import Storage

pytestmark = pytest.mark.anyio


def inbound(person: Person, key: str, text: str, clock: FakeClock) -> Inbound:
    return Inbound(
        address=person.address, key=key, content=Text(text), received_at=clock.now(), profile=Profile(), raw=b"secret"
    )


async def test_the_same_key_is_handled_once(house: House, ann: Person) -> None:
    first = await ann.sends(Text("/pain 7 3h"), key="update-1")
    second = await ann.sends(Text("/pain 7 3h"), key="update-1")
    assert (first.outcome, second.outcome) == ("done", "repeated")
    assert len((await everything(house, ann)).headaches) == 1
    assert sum("Saved" in shown.text for shown in ann.chat) == 1


async def test_messages_of_one_person_are_handled_in_order_though_batches_hold_one_each(
    house: House, ann: Person, clock: FakeClock
) -> None:
    texts = ["/pain", "today", "3", "7", "skip", "skip", "skip", "no", "skip"]
    envelopes = [await house.mailbox.post(inbound(ann, f"k{n}", text, clock)) for n, text in enumerate(texts)]
    for envelope in envelopes:
        assert (await envelope.answered()).outcome == "done"
    (headache,) = (await everything(house, ann)).headaches
    assert (headache.duration_h, headache.intensity, headache.medicine_taken) == (3, 7, False)


async def test_an_answer_that_asks_for_facts_is_worked_out_with_the_same_ids_until_it_knows_them(
    house: House, ann: Person
) -> None:
    asked: list[object] = []
    load = house.storage.load

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(house.storage, name)

        async def load(self, facts: Iterable[Fact[Any]]) -> dict[Fact[Any], Any]:
            facts = list(facts)
            asked.extend(facts)
            return await load(facts)

    house.dialogue._answering._storage = cast("Storage", Watched())
    await ann.says("/pain")
    for label in ("Hurts now", "9"):
        await ann.presses(label)
    assert "It is over" in ann.question.labels
    assert 0 < len(asked) < 10


async def test_many_people_are_handled_in_one_batch(house: House, clock: FakeClock) -> None:
    people = [house.person(1000 + n) for n in range(200)]
    posted = [await house.mailbox.post(inbound(one, f"p{one.address.value}", "/pain 5 1h", clock)) for one in people]
    for envelope in posted:
        assert (await envelope.answered()).outcome == "done"
    for one in people:
        assert len((await everything(house, one)).headaches) == 1


async def test_input_that_nobody_understands_is_set_aside(house: House, clock: FakeClock) -> None:
    garbage = Undecodable(channel="telegram", key="9", raw=b"\xff", reason="no update", received_at=clock.now())
    assert (await house.mailbox.ask(garbage)).outcome == "quarantined"
    assert await house.storage.handled([InboxKey("telegram", "9")])


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> str:
    """A text that makes its handler raise, as a bug would: a command whose handler divides by zero."""

    def explode(_turn: object, _arguments: str) -> Answer:
        raise ZeroDivisionError("diary text must not get out")

    monkeypatch.setitem(router.COMMANDS, "poison", router.Command(explode, ""))
    return "/poison"


async def test_a_message_that_always_raises_is_set_aside_the_third_time_and_hurts_no_other(
    house: House, ann: Person, clock: FakeClock, poison: str
) -> None:
    bob = house.person(8)
    bad = await house.mailbox.post(inbound(bob, "bad", poison, clock))
    good = await house.mailbox.post(inbound(ann, "good", "/pain 5 1h", clock))
    assert (await good.answered()).outcome == "done"
    assert (await bad.answered()).outcome == "quarantined"
    assert len((await everything(house, ann)).headaches) == 1
    assert [alert.cause for alert in house.alerts] == ["message set aside"]
    assert "diary text" not in house.alerts[0].text


async def test_a_message_that_kills_the_process_is_set_aside_after_three_attempts(
    storage: Storage, clock: FakeClock
) -> None:
    key = InboxKey("telegram", "killer")
    for _ in range(3):  # three runs that died right after they had counted their attempt
        await storage.begin_run()
        await storage.attempt(key, clock.now())
    async with open_house(storage, clock) as house:
        bob = house.person(8)
        assert (await bob.sends(Text("/pain 5 1h"), key="killer")).outcome == "quarantined"
        assert (await bob.sends(Text("/pain 5 1h"), key="harmless")).outcome == "done"


async def test_after_an_unclean_stop_a_repeated_message_is_known(storage: Storage, clock: FakeClock) -> None:
    async with open_house(storage, clock) as house:
        await house.person(8).sends(Text("/pain 5 1h"), key="one")
    async with open_house(storage, clock) as house:
        assert (await house.person(8).sends(Text("/pain 5 1h"), key="one")).outcome == "repeated"


async def test_nothing_is_acknowledged_while_the_storage_fails(tmp_path: Path, clock: FakeClock) -> None:
    storage = SqliteStorage(tmp_path / "migrebot.db")
    await storage.open()
    async with open_house(storage, clock) as house:
        ann = house.person(7001)
        await ann.says("/start")
        other = sqlite3.connect(tmp_path / "migrebot.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotHandled):
            await ann.sends(Text("/pain 5 1h"), key="later")
        assert house.dialogue.health != Health()
        assert [alert.cause for alert in house.alerts] == ["storage"]
        other.execute("ROLLBACK")
        other.close()
        assert (await ann.sends(Text("/pain 5 1h"), key="later")).outcome == "done"
        assert house.dialogue.health == Health()
    await storage.close()


@pytest.fixture
async def roomy(storage: Storage, clock: FakeClock) -> AsyncIterator[House]:
    """A house that takes any number of messages at once."""
    async with open_house(storage, clock, flood=FloodGate(burst=1_000_000)) as house:
        yield house


WORDS = st.sampled_from(
    [
        "/pain",
        "/cancel",
        "/help",
        "/settings",
        "today",
        "yesterday",
        "3",
        "7",
        "yes",
        "no",
        "next",
        "skip",
        "back",
        "save now",
        "stress, own word",
        "ibuprofen",
        "400 mg",
        "/pain 7 3h aspirin 500",
        "hurts now",
        "31.12",
        "🙂",
        "",
    ]
)


@given(texts=st.lists(WORDS | st.text(max_size=20), max_size=25))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_written_each_message_is_answered_and_none_is_set_aside(
    roomy: House, texts: list[str]
) -> None:
    person = roomy.person(int(100_000 + anyio.current_time() * 1000))
    for text in texts:
        before = [(shown.text, shown.keyboard) for shown in person.chat]
        stored = await person.sends(Text(text))
        assert stored.outcome == "done"
        assert [(shown.text, shown.keyboard) for shown in person.chat] != before
    session = await person.session()
    assert session is None or session.state.count(":") == 2


@given(choices=st.lists(st.integers(0, 40), max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_button_is_pressed_the_form_goes_on_or_ends(roomy: House, choices: list[int]) -> None:
    person = roomy.person(int(200_000 + anyio.current_time() * 1000))
    await person.says("/pain")
    for choice in choices:
        labels = [label for shown in person.chat for label in shown.labels]
        if labels:
            await person.presses(labels[choice % len(labels)])
        else:
            await person.says("/pain")
    assert not roomy.alerts


# --- what an attacker and bad luck tried -------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["9999999999999999999", "٣٣", "-1", "0", "1e9", ""])
async def test_a_made_up_number_on_a_button_hurts_nobody(house: House, ann: Person, number: str) -> None:
    await ann.sends(Press(f"h:show:{number}", "1", "callback"))
    assert ann.toasts[-1]
    await ann.says("/help")
    assert "What I can do" in ann.last.text
    assert house.dialogue.health == Health()


async def test_a_fact_that_cannot_be_loaded_sets_aside_only_who_asks_for_it(
    house: House, ann: Person, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_the_impossible(turn: Turn, _arguments: str) -> Answer:
        turn.facts(HeadacheById(turn.user.id, 2**70))
        return Answer()

    monkeypatch.setitem(router.COMMANDS, "poison", router.Command(ask_the_impossible, ""))
    await ann.says("/pain 5 1h")
    bob = house.person(8)
    bad = await house.mailbox.post(inbound(bob, "bad", "/poison", clock))
    good = await house.mailbox.post(inbound(ann, "good", "/forget", clock))
    assert (await good.answered()).outcome == "done"
    assert (await bad.answered()).outcome == "quarantined"


async def test_after_a_storage_failure_nothing_overtakes_what_comes_again(
    house: House, ann: Person, clock: FakeClock
) -> None:
    for text in ("/pain", "today"):
        await ann.says(text)
    commit = house.storage.commit
    failures = [StorageUnavailable("full")]

    class Failing:
        def __getattr__(self, name: str) -> object:
            return getattr(house.storage, name)

        async def commit(self, units: Any, now: Any) -> Any:
            if failures:
                raise failures.pop()
            return await commit(units, now)

    house.dialogue._storage = cast("Storage", Failing())
    for _ in range(2):
        posted = [await house.mailbox.post(inbound(ann, f"again-{text}", text, clock)) for text in ("5", "8")]
        for envelope in posted:
            with suppress(NotHandled):
                await envelope.answered()
    session = await ann.session()
    assert session is not None
    assert (session.answers["duration"], session.answers["intensity"]) == (5, 8)


async def test_a_press_that_meets_the_time_out_of_its_form_brings_nothing_back_to_life(
    house: House, ann: Person, clock: FakeClock
) -> None:
    for text in ("/pain", "today", "3", "7", "no"):
        await ann.says(text)
    session = await ann.session()
    assert session is not None
    await clock.advance(24 * 3600 + 1)
    over = await house.mailbox.post(FormExpired(user_id=session.user_id, token=session.token))
    press = Press(f"q:{session.token}:0", ann.question.id, "callback")
    pressed = await house.mailbox.post(replace(inbound(ann, "press", "", clock), content=press))
    await over.answered()
    await pressed.answered()
    assert await ann.session() is None
    assert len((await everything(house, ann)).headaches) == 1


async def test_after_an_unclean_stop_care_ends_with_the_hundredth_message_of_a_channel(
    storage: Storage, clock: FakeClock
) -> None:
    await storage.begin_run()
    async with open_house(storage, clock, flood=FloodGate(burst=1_000)) as house:
        bob = house.person(8)
        for _ in range(CAREFUL_PER_CHANNEL):
            assert house.dialogue._is_careful(inbound(bob, "x", "", clock))
            await bob.says("hello")
        assert not house.dialogue._is_careful(inbound(bob, "x", "", clock))


async def test_forgetting_takes_what_was_set_aside_along(
    house: House, ann: Person, clock: FakeClock, poison: str, tmp_path: Path
) -> None:
    bad = Inbound(
        address=ann.address,
        key="bad",
        content=Text(poison),
        received_at=clock.now(),
        profile=ann.profile,
        raw=b"what nobody shall keep",
    )
    assert (await house.mailbox.ask(bad)).outcome == "quarantined"
    await ann.says("/forget")
    for label in ("Delete everything", "Yes, delete"):
        await ann.presses(label)
    with closing(sqlite3.connect(tmp_path / "migrebot.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        left = [row for table in tables for row in database.execute(f"SELECT * FROM {table}")]
    values = [value for row in left for value in row]
    assert not any("nobody shall keep" in str(value) for value in values)
    assert 7001 not in values
    assert [row for row in left if "7001" in row] == []
