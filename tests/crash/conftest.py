"""The same program and the same fake Telegram as in the end-to-end tests."""

from tests.e2e.conftest import program, telegram

__all__ = ["program", "telegram"]
