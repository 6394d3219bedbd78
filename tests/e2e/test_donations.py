"""A donation as the giver and the owner meet it, also when the program dies in the middle of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import for_telegram
from tests.e2e.program import Program
from tests.e2e.test_telegram import polls
from tests.fakes.telegram import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.telegram import RemoteFakeTelegram, RemotePerson
    from tests.fakes.telegram.chats import ChatMessage

OWNER = 4001


@pytest.fixture
def program(tmp_path: Path, telegram: RemoteFakeTelegram) -> Iterator[Program]:
    """The program of somebody who takes donations, not started yet."""
    settings = for_telegram(telegram) | {
        "MY_TG_ID": str(OWNER),
        "MIGREBOT_TELEGRAM_PROVIDER_TOKEN": "123456:TEST:abc",
        "MIGREBOT_DONATE_CURRENCY": "uah",
        "MIGREBOT_DONATE_URL": "https://give.example.org/?to=me",
    }
    program = Program(tmp_path, **settings)
    yield program
    program.__exit__()


def begins(telegram: RemoteFakeTelegram, text: str) -> tuple[RemotePerson, RemotePerson, ChatMessage]:
    """Let the owner and Ann come, and Ann ask for a bill; gives both and the bill."""
    olga = telegram.user(OWNER, first_name="Olga", language_code="en")
    olga.says("/start")
    olga.sees("/export")
    ann = telegram.user(7001, first_name="Ann", language_code="ru")
    ann.says("/donate")
    ann.sees("https://give.example.org/?to=me")
    ann.says(text)
    return olga, ann, ann.sees(lambda message: "invoice" in message.extra)


def payments(program: Program) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(program.directory / "data/migrebot.db")) as database:
        return database.execute("SELECT user_id, currency, amount FROM payments").fetchall()


@pytest.mark.parametrize(
    ("text", "paid", "shown"), [("50", ("XTR", 50), "⭐ 50"), ("200 грн", ("UAH", 20_000), "200 UAH")]
)
def test_a_donation_is_asked_for_paid_thanked_for_and_told(
    program: Program, telegram: RemoteFakeTelegram, text: str, paid: tuple[str, int], shown: str
) -> None:
    with program:
        polls(telegram)
        olga, ann, bill = begins(telegram, text)
        ann.pays(bill)
        ann.sees(f"Спасибо! {shown}")
        told = olga.sees(f"Ann (id 7001) donated {shown}")
        assert "tg-" in told.text
        ann.pays(bill)
        telegram.waits_for("answerPreCheckoutQuery", 2)
        assert program.stop() == 0
    assert payments(program) == [(7001, *paid)]
    answers = [call.value("ok") for call in telegram.calls("answerPreCheckoutQuery")]
    assert answers == [True, False]
    assert "7001" not in program.log
    assert "tg-" not in program.log


def test_a_kill_between_the_payment_and_the_thanks_loses_nothing_and_doubles_nothing(
    program: Program, telegram: RemoteFakeTelegram
) -> None:
    with program:
        polls(telegram)
        olga, ann, bill = begins(telegram, "50")
        hanging = telegram.goes_wrong(Fault.hang(), "sendMessage")
        sent = len(telegram.calls("sendMessage"))
        ann.pays(bill)
        telegram.waits_for("sendMessage", sent + 2)
        program.kill()
        telegram.heals(hanging)
        program.start()
        polls(telegram)
        ann.sees("Спасибо! ⭐ 50")
        olga.sees("donated ⭐ 50")
        program.stop()
    assert payments(program) == [(7001, "XTR", 50)]
    assert len([text for text in ann.chat.texts if text.startswith("Спасибо!")]) == 1


def test_a_kill_right_after_the_answer_finds_the_payment_at_the_next_start(
    program: Program, telegram: RemoteFakeTelegram
) -> None:
    with program:
        polls(telegram)
        _, ann, bill = begins(telegram, "50")
        ann.pays(bill)
        telegram.waits_for("answerPreCheckoutQuery")
        program.kill()
        program.start()
        polls(telegram)
        ann.sees("Спасибо! ⭐ 50")
        program.stop()
    assert payments(program) == [(7001, "XTR", 50)]
