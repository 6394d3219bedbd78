"""The program beside a fake Telegram, each in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Program
from tests.fakes.telegram import DEFAULT_TOKEN, RemoteFakeTelegram

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def telegram() -> Iterator[RemoteFakeTelegram]:
    """A fake Bot API server."""
    with RemoteFakeTelegram.start() as fake:
        yield fake


@pytest.fixture
def program(tmp_path: Path, telegram: RemoteFakeTelegram) -> Iterator[Program]:
    """The program with a Telegram token, not started yet."""
    program = Program(tmp_path, **for_telegram(telegram))
    yield program
    program.__exit__()


def for_telegram(telegram: RemoteFakeTelegram) -> dict[str, str]:
    """Give the settings that connect the program to a fake Telegram, without its pace."""
    return {
        "API_TOKEN": DEFAULT_TOKEN,
        "MIGREBOT_TELEGRAM_API_BASE": telegram.base_url,
        "MIGREBOT_TELEGRAM_MESSAGES_PER_SECOND": "1000",
        "MIGREBOT_TELEGRAM_MESSAGES_PER_CHAT_SECOND": "1000",
    }
