"""Random `kill -9` while messages wait during maintenance, and while they are worked off: each is handled once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.crash.test_kills import check_all_shown, check_stored, ends, everybody, load, seeded
from tests.e2e.conftest import for_telegram
from tests.e2e.program import Program
from tests.e2e.test_telegram import polls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.databases import Database
    from tests.fakes.telegram import RemoteFakeTelegram

OWNER = 999
SOAK = int(os.environ.get("MIGREBOT_SOAK_KILLS") or 50)


@pytest.fixture
def program(tmp_path: Path, telegram: RemoteFakeTelegram, database: Database) -> Iterator[Program]:
    """The program with an owner, not started yet."""
    settings = for_telegram(telegram) | database.settings | {"MIGREBOT_BOT_OWNER": str(OWNER)}
    program = Program(tmp_path, **settings)
    yield program
    program.__exit__()


@pytest.mark.parametrize("rounds", [1, pytest.param(SOAK, marks=pytest.mark.soak)])
def test_killed_during_maintenance_and_after_it_each_message_is_handled_once(
    program: Program, telegram: RemoteFakeTelegram, database: Database, rounds: int
) -> None:
    chance = seeded()
    olga = telegram.user(OWNER, first_name="Olga", language_code="en")
    people, written = everybody(telegram)
    updates: list[int] = []
    for _ in range(rounds):
        program.start()
        polls(telegram)
        olga.says("/maintenance_on")
        program.waits_until(lambda: database.ask("SELECT 1 FROM meta WHERE name = 'instant maintenance since'") != [])
        new = load(people, written, chance)
        held_are(program, database, least=chance.randrange(1, len(new) + 1))
        program.kill()
        program.start()
        polls(telegram)
        held_are(program, database, least=len(new))
        updates += new
        begun = len(telegram.calls("sendMessage"))
        olga.says("/maintenance_off")
        telegram.waits_for("sendMessage", begun + chance.randrange(1, len(new) + 1), timeout=60)
        program.kill()
    program.start()
    polls(telegram)
    program.waits_until(lambda: database.ask("SELECT count(*) FROM held_messages") == [(0,)])
    ends(program, people)
    check_stored(database, written, updates)
    check_all_shown(database, people, written, 2 * rounds)


def held_are(program: Program, database: Database, *, least: int) -> None:
    """Wait until so many messages are held."""
    program.waits_until(lambda: database.ask("SELECT count(*) FROM held_messages") >= [(least,)])
