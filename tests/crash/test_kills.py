"""Random `kill -9` during a running dialogue load: nothing lost, nothing stored twice, nothing sent more than twice.

The program is killed on each database, and Postgres under the running program. `make test` runs a short seed of it,
`make soak` two hundred kills of the program and twenty of Postgres, or as many as `MIGREBOT_SOAK_KILLS` says.
`MIGREBOT_SOAK_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Program
from tests.e2e.test_telegram import polls

if TYPE_CHECKING:
    from tests.crash.databases import Database, PostgresDatabase
    from tests.fakes.telegram import RemoteFakeTelegram, RemotePerson

PEOPLE = 12
AT_ONCE = 4
FORM = ("/pain", "today", "3", "7", "no", "next", "skip", "yes", "{tag}", "400 mg", "no", "skip")
"""A headache typed answer by answer: whatever is lost or doubled on the way ends in another entry or in none."""


GIVEN_UP = "SELECT user_id, count(*) FROM outbox WHERE state = 'given_up' GROUP BY user_id"

SOAK = int(os.environ.get("MIGREBOT_SOAK_KILLS") or 200)
SOAK_OF_THE_SERVER = int(os.environ.get("MIGREBOT_SOAK_KILLS") or 20)


@pytest.mark.parametrize("kills", [2, pytest.param(SOAK, marks=pytest.mark.soak)])
def test_killed_at_random_it_loses_nothing_and_doubles_nothing_but_what_was_being_sent(
    program: Program, telegram: RemoteFakeTelegram, database: Database, kills: int
) -> None:
    chance = seeded()
    people, written = everybody(telegram)
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
    ends(program, people)
    check_stored(database, written, updates)
    check_all_shown(database, people, written, kills)


@pytest.mark.parametrize("kills", [1, pytest.param(SOAK_OF_THE_SERVER, marks=pytest.mark.soak)])
@pytest.mark.parametrize("database", ["postgres_database"], indirect=True)
def test_postgres_killed_at_random_loses_nothing_and_is_found_again_without_a_restart_of_the_program(
    program: Program, telegram: RemoteFakeTelegram, database: PostgresDatabase, kills: int
) -> None:
    chance = seeded()
    people, written = everybody(telegram)
    updates: list[int] = []
    program.start()
    polls(telegram)
    for _ in range(kills):
        begun = len(telegram.calls("sendMessage"))
        new = load(people, written, chance)
        updates += new
        telegram.waits_for("sendMessage", begun + chance.randrange(1, len(new) + 1), timeout=60)
        database.server.stop("immediate")
        program.waits_until(lambda: program.get("/readyz")[0] == 503)
        assert "storage" in program.readiness()["actors"]
        database.server.start()
        program.waits_until(lambda: program.get("/readyz")[0] == 200)
    ends(program, people)
    check_stored(database, written, updates)
    check_all_shown(database, people, written, kills)


def seeded() -> random.Random:
    """Give chance that can be repeated."""
    seed = int(os.environ.get("MIGREBOT_SOAK_SEED") or random.randrange(10**6))
    print(f"seed {seed}")
    return random.Random(seed)


def everybody(telegram: RemoteFakeTelegram) -> tuple[list[RemotePerson], dict[int, list[str]]]:
    """Let people come, and give them and what they have written, by the id of each."""
    people = [telegram.user(1000 + n, first_name=f"P{n}", language_code="en") for n in range(PEOPLE)]
    return people, {person.user_id: [] for person in people}


def ends(program: Program, people: list[RemotePerson]) -> None:
    """All that waited is handled before what comes last; then the program ends as it should."""
    for person in people:
        person.says("/pain 5 1h the-end 1")
        person.sees("the-end", timeout=120)
    assert program.stop() == 0


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


def check_stored(database: Database, written: dict[int, list[str]], updates: list[int]) -> None:
    """Every update has one inbox row that is done, every line one entry, and nothing waits or is left half way."""
    rows: dict[str, str] = dict(database.ask("SELECT key, status FROM inbox WHERE channel = 'telegram'"))
    assert {rows.get(str(update)) for update in updates} == {"done"}
    assert database.ask("SELECT count(*) FROM inbox WHERE status <> 'done'") == [(0,)]
    # The daily report may fall due meanwhile, and is nobody's.
    dropped = "SELECT count(*) FROM inbox WHERE user_id IS NULL AND channel = 'telegram'"
    assert database.ask(dropped) == [(0,)], "a flood"
    found = Counter(database.ask("SELECT user_id, drug FROM intakes WHERE drug <> 'the-end'"))
    assert found == Counter((user_id, tag) for user_id, tags in written.items() for tag in tags)
    entries: dict[int, int] = dict(database.ask("SELECT user_id, count(*) FROM headaches GROUP BY user_id"))
    assert entries == {user_id: len(tags) + 1 for user_id, tags in written.items()}
    assert database.ask("SELECT count(*) FROM sessions") == [(0,)]
    # Two kills in the middle of sending the same message: it may have gone twice already, so it is given up.
    other = "SELECT DISTINCT state, reason FROM outbox WHERE state <> 'sent'"
    assert set(database.ask(other)) <= {("given_up", "interrupted")}
    assert database.is_sound()


def check_all_shown(database: Database, people: list[RemotePerson], written: dict[int, list[str]], kills: int) -> None:
    """Everybody saw what came of it."""
    given_up: dict[int, int] = dict(database.ask(GIVEN_UP))
    for person in people:
        check_shown(person, written[person.user_id], kills, given_up.get(person.user_id, 0))


def check_shown(person: RemotePerson, tags: list[str], kills: int, given_up: int) -> None:
    """Every entry was confirmed unless given up, in order, at most twice, twice no more often than killed."""
    cards = [text for text in person.chat.texts if "Saved" in text]
    shown = [tag for text in cards for tag in tags if f"{tag} 400 mg" in text]
    copies = Counter(shown)
    assert len(set(tags) - set(copies)) <= given_up
    assert max(copies.values(), default=0) <= 2
    assert sum(count - 1 for count in copies.values()) <= kills
    assert shown == sorted(shown, key=tags.index), "out of order"
