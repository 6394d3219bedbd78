"""What is logged and how: one event name and its fields, to stderr, and nothing in it that must not get out.

Everything goes through one gate: our own events, what libraries log by the standard library, warnings, and errors
nobody caught. Behind it there are no tokens, no phone numbers, no registered secrets, no line that the content of a
value has broken in two, and of an exception only the words that speak of the machine: many an error quotes the input
it failed on, and here the input is somebody's diary.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sqlite3
import sys
import threading
import traceback
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast
from urllib.parse import quote, quote_plus

import structlog

from migrebot.errors import StorageUnavailable, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

# Digits are matched from the start of their run only: anything else takes quadratic time on a long one.
_RECOGNISED = re.compile(
    r"(?P<token>(?<!\d)\d{6,}(?::|%3A)[\w-]{30,})"
    r"|(?P<login>(?<=://)[^\s:/@]{0,100}:[^\s/@]{1,300}(?=@))"
    r"|(?P<phone>whatsapp(?::|%3A)(?:\+|%2B)\d+|(?:\+|%2B)\d{7,})",
    re.IGNORECASE,
)

SHORTEST_SECRET = 4
"""Characters; hiding anything shorter would garble every other line and give it away all the same."""

_SPEAK_OF_THE_MACHINE = (
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    OSError,
    RecursionError,
    StorageUnavailable,
    TypeError,
    UserError,
    sqlite3.Error,
)

_LONGEST_CHAIN = 20
"""Exceptions shown of one chain or group: an error that comes back for ever must not fill the disk by itself."""

# Control characters, line separators, marks that reorder text, lone surrogates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class _Secrets:
    """The values that have no form to be recognised by."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        if len(secret) < SHORTEST_SECRET:
            return
        # As it is, and as it looks inside a URL, in JSON, and in a repr.
        self._values |= {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            repr(secret)[1:-1],
        }
        # The longest first, or a secret that begins with another one would show its end.
        self._pattern = re.compile("|".join(re.escape(value) for value in sorted(self._values, key=len, reverse=True)))

    def redact(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub("[secret]", text)


_secrets = _Secrets()


def hide(secret: str) -> None:
    """Never log this value; a secret shorter than `SHORTEST_SECRET` is not hidden."""
    _secrets.add(secret)


def redact(text: str) -> str:
    """Replace bot tokens, phone numbers and hidden secrets; also for texts that go to the owner."""
    return _RECOGNISED.sub(lambda found: f"[{found.lastgroup}]", _secrets.redact(text))


def get_logger(name: str) -> FilteringBoundLogger:
    """Give a logger: `log.info("event_name", field=value)`; it follows every later `configure`."""
    return cast("FilteringBoundLogger", structlog.get_logger(logger_name=name))


def configure(production: bool, stream: TextIO | None = None) -> None:
    """Send all logs of the process to `stream` (stderr): JSON lines in production, else a form for people.

    Libraries are heard from WARNING on. May be called again.
    """
    stream = sys.stderr if stream is None else stream
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _gate,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.JSONRenderer()] if production else [_one_line_each, _for_people(stream)]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Writer(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromLibraries()]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    sys.unraisablehook = _not_raised


_listeners: list[Callable[[str], None]] = []
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def listen(listener: Callable[[str], None]) -> None:
    """Have every line that is written told to `listener` too, without colours; called from any thread, must not log."""
    _listeners.append(listener)


class Tail:
    """Remembers the newest lines, for those who come later to look; give its `hear` to `listen`."""

    def __init__(self, size: int = 200) -> None:
        self._lines: deque[str] = deque(maxlen=size)

    def hear(self, line: str) -> None:
        """Take a line; may be called from any thread."""
        self._lines.append(line)

    def lines(self) -> list[str]:
        """Give the lines, the newest last."""
        return list(self._lines.copy())


class _Writer:
    """Writes whole lines. A log that cannot be written (closed pipe, full disk) stops nobody."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()
        for listener in _listeners:
            listener(_COLOURS.sub("", line))

    debug = info = warning = error = critical = write


class _FromLibraries(logging.Handler):
    """Brings what libraries log by the standard library through the same gate."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage().strip()
        except (TypeError, ValueError, KeyError):
            text = str(record.msg)
        if record.name == "asyncio":
            # The lines below the first one are the repr of the task, with the words of its exception.
            text = text.partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        # Levels between the usual five have no name.
        level = min(max(record.levelno // 10, 1), 5) * 10
        get_logger(record.name).log(level, text, **({} if error is None else {"exc_info": error}))


def _gate(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    error = _error_of(event.pop("exc_info", None))
    cleaned = {key: _clean(value) for key, value in event.items()}
    if error is not None:
        cleaned["exception"] = redact("\n".join(_told(error, set())))
    return cleaned


def _error_of(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return cast("BaseException | None", exc_info[1])
    return sys.exc_info()[1] if exc_info else None


def _clean(value: object) -> object:
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, BaseException):
        return redact(_words(value))
    if isinstance(value, Mapping):
        return {redact(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return redact(repr(value))


def _words(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, _SPEAK_OF_THE_MACHINE):
        return f"{name}: {error}"
    return f"{name}: (text withheld)" if str(error) else name


def _told(error: BaseException, seen: set[int]) -> Iterator[str]:
    """Tell an exception as Python does, its causes first, but in our `_words`."""
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen and len(seen) < _LONGEST_CHAIN:
        yield from _told(before, seen)
        yield "… which led to:"
    for frame in traceback.format_tb(error.__traceback__):
        yield from frame.rstrip("\n").split("\n")
    yield _words(error)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            if id(each) not in seen and len(seen) < _LONGEST_CHAIN:
                yield from (f"  + {line}" for line in _told(each, seen))


def _for_people(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        # A repr escapes whatever could break or reorder the line.
        repr_native_str=True,
        # Never reached, since `_gate` has told the exception; the default one would import rich where there is one.
        exception_formatter=structlog.dev.plain_traceback,
    )


def _one_line_each(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape what the renderer for people prints as it is; lines of a traceback are marked as such."""
    for key in ("event", "logger_name"):
        if key in event:
            event[key] = _escape(str(event[key]))
    if "exception" in event:
        event["exception"] = "\n".join(f"    | {_escape(line)}" for line in event["exception"].split("\n"))
    return event


def _escape(text: str) -> str:
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _crashed(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
    # Ctrl-C before there is anything to stop is no crash.
    if not isinstance(error, KeyboardInterrupt):
        get_logger("migrebot").critical("crashed", exc_info=error)


def _thread_crashed(args: threading.ExceptHookArgs) -> None:
    if not issubclass(args.exc_type, SystemExit):
        thread = args.thread.name if args.thread else ""
        get_logger("migrebot").error("thread_crashed", thread=thread, exc_info=args.exc_value)


def _not_raised(args: sys.UnraisableHookArgs) -> None:
    get_logger("migrebot").error("error_not_raised", hint=args.err_msg or "", exc_info=args.exc_value)
