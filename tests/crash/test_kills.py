"""Random `kill -9` during a running dialogue load: nothing lost, nothing stored twice, nothing sent more than twice.

`make test` runs a short seed of it, `make soak` two hundred kills, or as many as `MIGREBOT_SOAK_KILLS` says.
`MIGREBOT_SOAK_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Program
from tests.e2e.test_telegram import polls

if TYPE_CHECKING:
    from tests.fakes.telegram import RemoteFakeTelegram, RemotePerson

PEOPLE = 12
AT_ONCE = 4
FORM = ("/pain", "today", "3", "7", "no", "next", "skip", "yes", "{tag}", "400 mg", "no", "skip")
"""A headache typed answer by answer: whatever is lost or doubled on the way ends in another entry or in none."""


GIVEN_UP = "SELECT user_id, count(*) FROM outbox WHERE state = 'given_up' GROUP BY user_id"

SOAK = int(os.environ.get("MIGREBOT_SOAK_KILLS") or 200)


@pytest.mark.parametrize("kills", [2, pytest.param(SOAK, marks=pytest.mark.soak)])
def test_killed_at_random_it_loses_nothing_and_doubles_nothing_but_what_was_being_sent(
    program: Program, telegram: RemoteFakeTelegram, kills: int
) -> None:
    seed = int(os.environ.get("MIGREBOT_SOAK_SEED") or random.randrange(10**6))
    print(f"seed {seed}")
    chance = random.Random(seed)
    people = [telegram.user(1000 + n, first_name=f"P{n}", language_code="en") for n in range(PEOPLE)]
    written: dict[int, list[str]] = {person.user_id: [] for person in people}
    updates: list[int] = []
    for _ in range(kills):
        program.start()
        polls(telegram)
        begun = len(telegram.calls("sendMessage"))
        new = load(people, written, chance)
        updates += new
        # Every update has an answer at least, so that as many sends are sure to come.
        telegram.waits_for("sendMessage", begun + chance.randrange(1, len(new) + 1), timeout=60)
        program.kill()
    program.start()
    for person in people:
        person.says("/pain 5 1h the-end 1")
        person.sees("the-end", timeout=120)
    assert program.stop() == 0
    with closing(sqlite3.connect(program.directory / "data/migrebot.db")) as database:
        check_stored(database, written, updates)
        given_up = dict(database.execute(GIVEN_UP))
    for person in people:
        check_shown(person, written[person.user_id], kills, given_up.get(person.user_id, 0))


def load(people: list[RemotePerson], written: dict[int, list[str]], chance: random.Random) -> list[int]:
    """Let some people write at once, by line or by form; gives the numbers of the updates.

    Not all of them each time: what piles up while the program is down must stay below what the flood gate lets in.
    """
    updates = []
    for person in chance.sample(people, AT_ONCE):
        mine = written[person.user_id]
        tag = f"drug-{person.user_id}-{len(mine)}"
        mine.append(tag)
        lines = FORM if chance.random() < 0.5 else ("/pain 7 3h {tag} 400",)
        updates += [person.says(line.format(tag=tag)) for line in lines]
    return updates


def check_stored(database: sqlite3.Connection, written: dict[int, list[str]], updates: list[int]) -> None:
    """Every update has one inbox row that is done, every line one entry, and nothing waits or is left half way."""
    rows = dict(database.execute("SELECT key, status FROM inbox WHERE channel = 'telegram'"))
    assert {rows.get(str(update)) for update in updates} == {"done"}
    assert database.execute("SELECT count(*) FROM inbox WHERE status <> 'done'").fetchone() == (0,)
    assert database.execute("SELECT count(*) FROM inbox WHERE user_id IS NULL").fetchone() == (0,), "a flood"
    found = Counter(database.execute("SELECT user_id, drug FROM intakes WHERE drug <> 'the-end'"))
    assert found == Counter((user_id, tag) for user_id, tags in written.items() for tag in tags)
    entries = dict(database.execute("SELECT user_id, count(*) FROM headaches GROUP BY user_id"))
    assert entries == {user_id: len(tags) + 1 for user_id, tags in written.items()}
    assert database.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    # Two kills in the middle of sending the same message: it may have gone twice already, so it is given up.
    other = "SELECT DISTINCT state, reason FROM outbox WHERE state <> 'sent'"
    assert set(database.execute(other)) <= {("given_up", "interrupted")}
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check_shown(person: RemotePerson, tags: list[str], kills: int, given_up: int) -> None:
    """Every entry was confirmed unless given up, in order, at most twice, twice no more often than killed."""
    cards = [text for text in person.chat.texts if "Saved" in text]
    shown = [tag for text in cards for tag in tags if f"{tag} 400 mg" in text]
    copies = Counter(shown)
    assert len(set(tags) - set(copies)) <= given_up
    assert max(copies.values(), default=0) <= 2
    assert sum(count - 1 for count in copies.values()) <= kills
    assert shown == sorted(shown, key=tags.index), "out of order"
