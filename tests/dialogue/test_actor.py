"""The promises of the dialogue actor: once for each key, all or nothing, nobody held up by somebody's poison."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.actor import Health, NotHandled
from migrebot.dialogue import router
from migrebot.dialogue.turn import Answer
from migrebot.flood import FloodGate
from migrebot.messages import Inbound, Profile, Text, Undecodable
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

    house.dialogue._storage = cast("Storage", Watched())
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
