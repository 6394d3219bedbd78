"""The program as a person on Telegram meets it."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

from tests.fakes.telegram import DEFAULT_TOKEN, Fault

if TYPE_CHECKING:
    from tests.e2e.program import Program
    from tests.fakes.telegram import RemoteFakeTelegram


def polls(telegram: RemoteFakeTelegram) -> None:
    """Wait until the program asks for updates: loading its Telegram client takes seconds."""
    telegram.waits_for("getUpdates", timeout=60, since=len(telegram.calls()))


def test_a_headache_is_logged_on_telegram_by_button_and_by_typing(
    program: Program, telegram: RemoteFakeTelegram
) -> None:
    with program:
        polls(telegram)
        ann = telegram.user(7001, first_name="Ann", language_code="en")
        ann.says("/start")
        ann.sees("/export")
        ann.says("/pain")
        ann.sees("When did your head hurt?")
        for label, question in (
            ("Today", "How long did it last"),
            ("3", "How strong"),
            ("7", "aura"),
            ("No", "set it off"),
            ("Stress", "set it off"),
            ("Next", "came with it"),
            ("Skip", "medicine"),
            ("Yes", "Which medicine"),
        ):
            ann.presses(label)
            ann.sees(question)
        ann.says("Ibuprofen <b>")
        ann.sees("How much Ibuprofen")
        ann.presses("400 mg")
        ann.sees("Another medicine?")
        ann.presses("No")
        ann.sees("Anything to note?")
        ann.says("a note")
        card = ann.sees("Pain 7 of 10, 3 h")
        assert "Ibuprofen <b> 400 mg" in card.text
        assert program.stop() == 0
    rows = sqlite3.connect(program.directory / "data/migrebot.db").execute(
        "SELECT user_id, intensity, duration_h, note FROM headaches"
    )
    assert rows.fetchall() == [(7001, 7, 3.0, "a note")]


def test_a_kill_in_the_middle_of_a_form_is_not_noticed(program: Program, telegram: RemoteFakeTelegram) -> None:
    ann = telegram.user(7001, first_name="Ann", language_code="ru")
    with program:
        polls(telegram)
        ann.says("/pain")
        ann.sees("Когда")
        ann.presses("Сегодня")
        ann.sees("часов")
        program.kill()
        ann.presses("3")
        program.start()
        polls(telegram)
        ann.sees("10")
        program.stop()


def test_what_was_written_while_the_program_was_down_is_answered_once_it_is_up(
    program: Program, telegram: RemoteFakeTelegram
) -> None:
    ann = telegram.user(7001, first_name="Ann", language_code="en")
    ann.says("/pain 7 3h ibuprofen 400")
    with program:
        polls(telegram)
        ann.sees("Pain 7 of 10, 3 h")
        program.stop()


def test_after_a_conversation_only_the_entry_remains_and_no_log_knows_a_secret(
    program: Program, telegram: RemoteFakeTelegram
) -> None:
    ann = telegram.user(7001, first_name="Roswitha", language_code="en")
    with program:
        polls(telegram)
        ann.says("something very private nobody shall keep")
        ann.sees("/help")
        ann.says("/pain 7 3h ibuprofen 400")
        ann.sees("Pain 7 of 10")
        telegram.goes_wrong(Fault.bad_gateway(), "sendMessage", times=1)
        ann.says("/help")
        ann.sees("What I can do")
        told = [program.get(path)[1] for path in ("/metrics", "/api/status", "/api/log", "/api/states", "/")]
        program.stop()
    assert "7001" not in told[0]
    for secret in (DEFAULT_TOKEN, "private", "ibuprofen", "Roswitha"):
        assert not any(secret in text for text in told)
    stored = (program.directory / "data/migrebot.db").read_bytes()
    assert b"something very private" not in stored
    assert b"Pain 7 of 10" not in stored
    assert b"ibuprofen" in stored
    assert DEFAULT_TOKEN not in program.log
    assert "private" not in program.log
    assert "ibuprofen" not in program.log
    assert not re.search(r"Traceback", program.log)


def test_the_bot_introduces_itself_in_five_languages(program: Program, telegram: RemoteFakeTelegram) -> None:
    with program:
        polls(telegram)
        telegram.waits_for("setMyCommands", 6, timeout=60)
        telegram.waits_for("setMyShortDescription", 5, timeout=60)
        program.stop()
        telegram.clear()
        program.start()
        polls(telegram)
        telegram.waits_for("getMyShortDescription", 6, timeout=60)
        assert telegram.calls("setMyCommands") == []
        program.stop()
