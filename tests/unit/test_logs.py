from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import os
import re
import sqlite3
import subprocess
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from migrebot import logs
from migrebot.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_"
PHONE = "+491701234567"
DIARY = "the pain came after the funeral"


class Log(io.StringIO):
    """What was logged, in either form."""

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture(autouse=True)
def _configured_for_this_test_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for owner, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(logs, "_secrets", logs._Secrets())
    with warnings.catch_warnings():
        yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def machine() -> Log:
    log = Log()
    logs.configure(production=True, stream=log)
    return log


@pytest.fixture
def person() -> Log:
    log = Log()
    logs.configure(production=False, stream=log)
    return log


@pytest.fixture(params=[True, False], ids=["production", "console"])
def either(request: pytest.FixtureRequest) -> Log:
    log = Log()
    logs.configure(production=request.param, stream=log)
    return log


def fail_with(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as raised:
        return raised


# --- redaction -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://api.telegram.org/bot{TOKEN}/getMe", "https://api.telegram.org/bot[token]/getMe"),
        (f"file/bot{TOKEN.replace(':', '%3A')}/a.jpg", "file/bot[token]/a.jpg"),
        (f"from whatsapp:{PHONE} to whatsapp:+1", "from [phone] to [phone]"),
        (f"To=whatsapp%3A%2B{PHONE[1:]}&a=%2b{PHONE[1:]}", "To=[phone]&a=[phone]"),
        (f"call {PHONE}, or +4917012345671234567", "call [phone], or [phone]"),
        ("at postgresql://me:p%40ss@db:5432/x?host=1", "at postgresql://[login]@db:5432/x?host=1"),
        ("redis://:pw@r and http://h:80/a@b", "redis://[login]@r and http://h:80/a@b"),
        ("12 + 345 at 12:30:00+0200 in chat 4917012345", "12 + 345 at 12:30:00+0200 in chat 4917012345"),
    ],
)
def test_tokens_and_phone_numbers_are_recognised_by_their_form(text: str, expected: str) -> None:
    assert logs.redact(text) == expected


def test_a_hidden_secret_is_replaced_in_every_spelling() -> None:
    secret = 'p/ss "wörd"'
    logs.hide(secret)
    logs.hide("")
    logs.hide("abc")
    spellings = f"{secret} p%2Fss%20%22w%C3%B6rd%22 p%2Fss+%22w%C3%B6rd%22 {json.dumps(secret)} abc"
    assert logs.redact(spellings) == '[secret] [secret] [secret] "[secret]" abc'


def test_of_two_secrets_the_longer_one_does_not_show_its_end() -> None:
    logs.hide("secret")
    logs.hide("secret-and-more")
    assert logs.redact("secret-and-more secret") == "[secret] [secret]"


@given(before=st.text(), after=st.text().filter(lambda text: not re.match(r"[\w-]", text)))
def test_a_token_never_gets_out_whatever_stands_around_it(before: str, after: str) -> None:
    assert TOKEN not in logs.redact(before + TOKEN + after)


def test_redaction_takes_linear_time_on_hostile_text() -> None:
    # A quadratic pattern would take minutes here.
    for hostile in ("1" * 1_000_000, "+1" * 500_000, "123456:" * 200_000, "://:" * 250_000):
        logs.redact(hostile)


def test_values_keys_and_nested_values_are_redacted(either: Log) -> None:
    logs.hide("hush-hush")
    logs.get_logger("x").info(
        "sent", url=f"/bot{TOKEN}/x", to=[{PHONE: (PHONE, b"hush-hush")}], error=OSError(f"at {TOKEN}"), many={PHONE}
    )
    text = either.getvalue()
    assert "sent" in text
    assert not any(secret in text for secret in (TOKEN, PHONE, "hush-hush"))


def test_an_exception_is_redacted_with_its_causes(either: Log) -> None:
    error = fail_with(OSError(f"cannot reach /bot{TOKEN}/getMe"))
    error.__cause__ = fail_with(OSError(f"no route for {PHONE}"))
    logs.get_logger("x").error("failed", exc_info=error)
    text = either.getvalue()
    assert "cannot reach /bot[token]/getMe" in text
    assert "no route for [phone]" in text
    assert "fail_with" in text, "the traceback is there"
    assert not any(secret in text for secret in (TOKEN, PHONE))


@pytest.mark.parametrize("kind", [ValueError, KeyError, RuntimeError, AssertionError, UnicodeError])
def test_an_exception_that_may_quote_its_input_keeps_its_words_to_itself(either: Log, kind: type[Exception]) -> None:
    error = fail_with(ExceptionGroup(DIARY, [fail_with(kind(DIARY))]))
    error.__context__ = fail_with(kind(DIARY))
    error.add_note(DIARY)
    logs.get_logger("x").error("failed", exc_info=error, also=kind(DIARY))
    assert kind.__name__ in either.getvalue()
    assert DIARY not in either.getvalue()


@pytest.mark.parametrize("error", [UserError("mend this"), sqlite3.OperationalError("mend this"), OSError("mend this")])
def test_an_exception_that_speaks_of_the_machine_is_heard(either: Log, error: Exception) -> None:
    logs.get_logger("x").error("failed", exc_info=fail_with(error))
    assert "mend this" in either.getvalue()


def test_an_exception_that_causes_itself_is_told_once(machine: Log) -> None:
    error, other = OSError("one"), OSError("two")
    error.__cause__, other.__cause__ = other, error
    logs.get_logger("x").error("failed", exc_info=error)
    assert machine.events[0]["exception"].count("OSError: one") == 1


# --- the two forms ---------------------------------------------------------------------------------------------


def test_in_production_every_event_is_one_json_object(machine: Log) -> None:
    log = logs.get_logger("delivery")
    log.info("sent", chat=7, ok=True, none=None, took=float("nan"), kind=int)
    log.debug("too detailed")
    log.warning("late\nagain")
    sent, late = machine.events
    assert sent.pop("timestamp").endswith("Z")
    assert sent == {
        "event": "sent", "level": "info", "logger_name": "delivery", "chat": 7, "ok": True, "none": None, "took": "nan",
        "kind": "<class 'int'>",
    }  # fmt: skip
    assert late["event"] == "late\nagain"


def test_the_form_for_people_has_one_line_for_an_event(person: Log) -> None:
    logs.get_logger("delivery").info("sent", chat=7, to="Eve")
    (line,) = person.lines
    assert re.fullmatch(r"\S+Z \[info +\] sent +\[delivery\] chat=7 to='Eve'", line)


@pytest.mark.parametrize("breaker", ["\n", "\r", "\x1b[2K", "\x85", "\u2028", "\u202e", "\x00", "\ud800"])
def test_no_value_can_forge_a_line(person: Log, breaker: str) -> None:
    forged = f"x{breaker}2026-01-01T00:00:00Z [info] all is well"
    log = logs.get_logger(f"name{breaker}")
    log.info(forged, a=forged, b=[forged], c={forged: forged})
    assert len(person.lines) == 1
    log.error("failed", exc_info=fail_with(OSError(forged)))
    assert breaker not in person.getvalue().replace("\n", "" if breaker == "\n" else "\n")
    assert all(line.startswith("    | ") for line in person.lines[2:])


def test_the_current_exception_is_found(machine: Log) -> None:
    try:
        os.close(-1)
    except OSError:
        logs.get_logger("x").exception("failed")
    logs.get_logger("x").error("no exception", exc_info=True)
    assert "OSError: [Errno 9]" in machine.events[0]["exception"]
    assert "exception" not in machine.events[1]


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    logs.configure(production=True, stream=Full())
    logs.get_logger("x").info("unheard")


# --- what others log -------------------------------------------------------------------------------------------


def test_what_libraries_log_goes_through_the_same_gate(machine: Log) -> None:
    library = logging.getLogger("aiogram.dispatcher")
    library.warning("retry %s for %s", f"/bot{TOKEN}/getUpdates", PHONE)
    library.log(35, "an odd level")
    library.error("failed", exc_info=fail_with(ValueError(DIARY)))
    library.info("too detailed")
    retry, odd, failed = machine.events
    assert (retry["event"], retry["level"]) == ("retry /bot[token]/getUpdates for [phone]", "warning")
    assert retry["logger_name"] == "aiogram.dispatcher"
    assert odd["level"] == "warning"
    assert "ValueError: (text withheld)" in failed["exception"]


def test_a_library_that_gets_its_format_wrong_is_heard_without_its_arguments(machine: Log) -> None:
    record = logging.LogRecord("aiohttp", logging.ERROR, "a.py", 1, "a bad format %d", (f"/bot{TOKEN}/",), None)
    logs._FromLibraries().handle(record)
    assert machine.events[0]["event"] == "a bad format %d"


def test_an_error_nobody_waited_for_is_logged_without_its_words(machine: Log) -> None:
    async def fail() -> None:
        raise ValueError(DIARY)

    async def main() -> None:
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(main())
    (event,) = machine.events
    assert event["event"] == "Task exception was never retrieved"
    assert "ValueError: (text withheld)" in event["exception"]


def test_warnings_are_logged(machine: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old /bot{TOKEN}/", stacklevel=1)
    assert "UserWarning: old /bot[token]/" in machine.events[0]["event"]


def test_a_thread_that_crashes_and_an_error_in_a_finaliser_are_logged(machine: Log) -> None:
    def fail() -> None:
        raise OSError(f"/bot{TOKEN}/")

    class Bad:
        def __del__(self) -> None:
            fail()

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    Bad()
    gc.collect()
    crashed, finaliser = machine.events
    assert (crashed["event"], crashed["thread"]) == ("thread_crashed", "worker")
    assert finaliser["event"] == "error_not_raised"
    assert TOKEN not in machine.getvalue()


@pytest.mark.parametrize(("error", "said"), [(f"OSError('/bot{TOKEN}/')", "crashed"), ("KeyboardInterrupt()", "")])
def test_what_nobody_caught_is_logged_and_no_traceback_printed(error: str, said: str) -> None:
    script = f"from migrebot import logs; logs.configure(production=False); raise {error}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert TOKEN not in ended.stderr
    assert bool(ended.stderr) == bool(said)


def test_logging_pulls_in_no_pretty_printer() -> None:
    # As on a machine that has the locked dependencies alone, where there is no rich.
    script = (
        "import sys; sys.modules['rich'] = None; from migrebot import logs; logs.configure(production=False);"
        "logs.get_logger('x').info('works'); print(*sorted({'pygments', 'attr'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "works" in ended.stderr
    assert ended.stdout.strip() == ""
