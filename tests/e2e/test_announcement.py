"""An announcement through the real program: some blocked it, a storm of 429, a kill, and others go on asking.

`make test` sends it to 120 people, `make soak` to 3,000.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from itertools import cycle, takewhile
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Program
from tests.e2e.test_telegram import polls
from tests.fakes.telegram import DEFAULT_TOKEN, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.telegram import RemoteFakeTelegram

OLGA, PROBES, FIRST = 1, range(2, 7), 1_001
TEXT = "The bot has moved"
STORM = 40
"""Calls in a row that Telegram refuses, each with a second to wait."""


def settings(telegram: RemoteFakeTelegram) -> dict[str, str]:
    """Give settings with Telegram's own pace, in a zone where it is the early afternoon."""
    ahead = 14 - datetime.now(UTC).hour
    ahead += 24 if ahead < -12 else 0
    return {
        "API_TOKEN": DEFAULT_TOKEN,
        "MY_TG_ID": str(OLGA),
        "MIGREBOT_TELEGRAM_API_BASE": telegram.base_url,
        # The signs of these zones are the other way round.
        "MIGREBOT_BOT_TIMEZONE": f"Etc/GMT{-ahead:+d}",
    }


def move_in(directory: Path, telegram: RemoteFakeTelegram, count: int) -> set[int]:
    """Let so many people know the bot; gives those of whom Telegram says that they cannot be written to."""
    now = time.time_ns() // 1_000
    ids = range(FIRST, FIRST + count)
    with closing(sqlite3.connect(directory / "data/migrebot.db")) as database, database:
        database.executemany(
            "INSERT INTO users (id, language, created_at, timezone, zone_offered, greeted_at, agreed_at)"
            " VALUES (?, ?, ?, NULL, 0, ?, NULL)",
            [(user_id, "en" if user_id % 3 else "uk", now, now) for user_id in ids],
        )
        database.executemany(
            "INSERT INTO identities (channel, address, user_id, profile, seen_at, muted_at)"
            " VALUES ('telegram', ?, ?, '{}', ?, NULL)",
            [(str(user_id), user_id, now) for user_id in ids],
        )
    blocked = set(ids[::20])
    for user_id in ids:
        person = telegram.user(user_id)
        if user_id in blocked:
            person.deactivates()
    return blocked


class Watch:
    """Counts who has it, and the calls that the storm met; it reads each call once: the fake has other work."""

    def __init__(self, telegram: RemoteFakeTelegram) -> None:
        self._telegram = telegram
        self._read = 0
        self.got: Counter[int] = Counter()
        self.refused = 0

    def look(self, *, is_over: bool = False) -> int:
        """Read on, past what a kill broke off only once all `is_over`; gives how many messages people have."""
        calls = self._telegram.calls(since=self._read)
        ended = list(takewhile(lambda call: is_over or call.done is not None, calls))
        for call in ended:
            if call.status == 429:
                self.refused += call.fault is not None
            elif call.method == "sendMessage" and call.effect and call.chat_id and call.chat_id >= FIRST:
                self.got[call.chat_id] += 1
        self._read += len(ended)
        return self.got.total()


def waits_for_replies(telegram: RemoteFakeTelegram, watch: Watch, until: float, most: int) -> list[float]:
    """Let somebody ask for help again and again until so many have it; gives the waits for the answers, in seconds."""
    first = len(telegram.steps())
    # In turns, since Telegram takes one message a second for each chat.
    for user_id in cycle(PROBES):
        if watch.look() >= most:
            break
        assert time.monotonic() < until
        probe = telegram.user(user_id, first_name="Paul")
        probe.says("/help")
        probe.sees("What I can do")
        time.sleep(0.5)
    steps = [step for step in telegram.steps()[first:] if step.chat_id in PROBES]
    return sorted(step.replied - step.available for step in steps if step.replied is not None)


@pytest.mark.parametrize("count", [120, pytest.param(3_000, marks=pytest.mark.soak)])
def test_it_reaches_each_once_and_nobody_else_waits(tmp_path: Path, telegram: RemoteFakeTelegram, count: int) -> None:
    program = Program(tmp_path, **settings(telegram))
    assert program.command("migrate").returncode == 0
    blocked = move_in(program.directory, telegram, count)
    telegram.limits_flood()
    deadline = time.monotonic() + 90 + count / 15
    watch = Watch(telegram)
    olga = telegram.user(OLGA, first_name="Olga")
    with program:
        polls(telegram)
        olga.says("/announcement")
        for language in ("English", "Русский"):
            olga.presses(f"✎ {language}")
            olga.sees(f"people who speak {language} read?")
            olga.says(f"{TEXT} ({language})")
            olga.sees(f"{language}: ready")
        olga.presses("› Choose who gets it")
        olga.presses(f"Everybody ({count + 1})")
        olga.presses("📣 Send it")
        olga.sees("The announcement is on its way")

        waits = waits_for_replies(telegram, watch, deadline, count // 3)
        telegram.goes_wrong(Fault.too_many_requests(1), "sendMessage", times=STORM)
        program.waits_until(lambda: watch.look() > count // 2, timeout=90 + count / 15)
        program.kill()
        program.start()
        polls(telegram)
        report = olga.sees("The announcement is finished", timeout=90 + count / 15).text
        program.stop()

    watch.look(is_over=True)
    lines = dict(line.rsplit(": ", 1) for line in report.splitlines()[1:])
    unknown = int(lines.get("Arrived or not, the connection broke", 0))
    missed = set(range(FIRST, FIRST + count)) - blocked - watch.got.keys()
    print(f"\n{count} people, {lines}, missed: {len(missed)}; replies: {len(waits)},", end=" ")
    print(f"median {waits[len(waits) // 2]:.3f} s, slowest {[round(wait, 3) for wait in waits[-3:]]} s")
    assert set(watch.got.values()) == {1}, "nobody has it twice"
    assert not blocked & watch.got.keys()
    assert len(missed) <= unknown, "of each who does not have it the owner knows"
    assert unknown <= 8, "no more than were under way when it was killed"
    assert len(blocked) - unknown <= int(lines["Blocked the bot"]) <= len(blocked)
    assert watch.refused == STORM
    assert waits[len(waits) * 9 // 10] < 1, "the slowest depend on what else the machine has to do"
