"""The program on Postgres, set up by the names that the older deployments used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import for_telegram
from tests.e2e.program import Program
from tests.e2e.test_telegram import polls
from tests.postgres import ADMIN, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.telegram import RemoteFakeTelegram
    from tests.postgres import PostgresServer


@pytest.fixture
def on_postgres(
    tmp_path: Path, telegram: RemoteFakeTelegram, postgres_server: PostgresServer, blank_postgres: str
) -> Iterator[Program]:
    """The program beside an empty database, not started yet."""
    names = {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(postgres_server.port),
        "POSTGRES_USER": ADMIN,
        "POSTGRES_PASS": PASSWORD,
        "POSTGRES_DB": blank_postgres,
    }
    program = Program(tmp_path, **for_telegram(telegram), **names)
    yield program
    program.__exit__()


def test_a_headache_is_logged_on_postgres_and_no_file_is_made(
    on_postgres: Program, telegram: RemoteFakeTelegram, postgres_server: PostgresServer, blank_postgres: str
) -> None:
    checked = on_postgres.command("check")
    assert "storage: ok: PostgreSQL" in checked.stdout
    migrated = on_postgres.command("migrate")
    assert (migrated.returncode, "it was empty" in migrated.stdout) == (0, True)
    ann = telegram.user(7001, first_name="Ann", language_code="en")
    with on_postgres:
        polls(telegram)
        ann.says("/pain 7 3h ibuprofen 400")
        ann.sees("Pain 7 of 10, 3 h")
        assert on_postgres.readiness()["status"] == "ready"
        on_postgres.kill()
        on_postgres.start()
        polls(telegram)
        ann.says("/pain 5 1h")
        ann.sees("Pain 5 of 10, 1 h")
        assert on_postgres.stop() == 0
    found = postgres_server.fetch("SELECT user_id, intensity FROM migrebot.headaches ORDER BY id", blank_postgres)
    assert found == [(7001, 7), (7001, 5)]
    assert not list(on_postgres.directory.rglob("*.db"))
    assert PASSWORD not in on_postgres.log + checked.stdout + checked.stderr + migrated.stdout
    assert "Traceback" not in on_postgres.log


def test_a_server_that_is_gone_is_told_by_readyz_and_found_again(
    on_postgres: Program, telegram: RemoteFakeTelegram, postgres_server: PostgresServer
) -> None:
    ann = telegram.user(7001, first_name="Ann", language_code="en")
    with on_postgres:
        polls(telegram)
        ann.says("/help")
        ann.sees("What I can do")
        postgres_server.stop("fast")
        ann.says("/pain 7 3h ibuprofen 400")
        on_postgres.waits_until(lambda: on_postgres.get("/readyz")[0] == 503)
        assert on_postgres.readiness()["actors"]["storage"]
        assert on_postgres.get("/healthz")[0] == 200
        postgres_server.start()
        on_postgres.waits_until(lambda: on_postgres.get("/readyz")[0] == 200)
        ann.sees("Pain 7 of 10, 3 h", timeout=60)
        assert on_postgres.stop() == 0
    assert PASSWORD not in on_postgres.log
    assert "Traceback" not in on_postgres.log
