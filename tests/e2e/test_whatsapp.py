"""The program as a person on WhatsApp meets it."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest
from anyio import to_thread

from tests.e2e.program import Program
from tests.fakes.twilio import NUMBER, PUBLIC_URL, TOKEN, FakeTwilio, Fault
from tests.integration.twilio_rig import settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        yield fake


@pytest.fixture
async def program(tmp_path: Path, twilio: FakeTwilio) -> AsyncIterator[Program]:
    """The program with a Twilio account, not started yet."""
    program = Program(tmp_path, **settings_for(twilio))
    yield program
    await to_thread.run_sync(program.__exit__)


async def start(program: Program, twilio: FakeTwilio) -> None:
    await to_thread.run_sync(program.start)
    twilio.calls_back(program.url)


async def test_a_signed_webhook_is_answered_by_message_and_a_kill_goes_unnoticed(
    program: Program, twilio: FakeTwilio
) -> None:
    ann = twilio.person("+15550001111", "Ann")
    await start(program, twilio)
    assert await ann.says("/pain") == 200
    await ann.sees("When did your head hurt?")
    await ann.says("2")
    await ann.sees("How long")
    await to_thread.run_sync(program.kill)
    received = twilio.world.receive(ann.address, "3")
    assert await ann.posts(received, [("Body", "3")], retries=0) == 0
    await start(program, twilio)
    await ann.sees("How strong")
    twilio.goes_wrong(Fault.reset_before(), "create", times=1)
    await ann.says("7")
    await ann.sees("aura")
    await ann.says("save now")
    await ann.sees("Pain 7 of 10, 3 h")
    assert await to_thread.run_sync(program.stop) == 0
    database = sqlite3.connect(program.directory / "data/migrebot.db")
    assert database.execute("SELECT user_id, intensity, duration_h FROM headaches").fetchall() == [(-1, 7, 3.0)]
    database.close()
    assert TOKEN not in program.log
    assert not re.search(r"\d{9,}", program.log.replace(NUMBER, ""))
    assert NUMBER not in program.log
    assert "Traceback" not in program.log


async def test_the_start_tells_what_to_paste_and_the_check_tries_the_account(
    program: Program, twilio: FakeTwilio
) -> None:
    await start(program, twilio)
    await to_thread.run_sync(program.stop)
    assert program.lines[-1] == (
        f"whatsapp  paste into Twilio as the webhook: {PUBLIC_URL}/webhooks/twilio#rc=5&rp=all"
    )
    good = await to_thread.run_sync(program.command, "check")
    assert "twilio: ok: the account is active" in good.stdout
    twilio.goes_wrong(Fault.refusal(20003, ""), "account")
    bad = await to_thread.run_sync(program.command, "check")
    assert bad.returncode == 1
    assert "twilio: failed: account refused" in bad.stdout
