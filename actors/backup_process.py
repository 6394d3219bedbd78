"""Makes and uploads backups in a process of its own: neither the event loop nor the interpreter is held by it.

`python -m actors.backup_process` reads an order from its input, since anybody on the machine can read the arguments of
a program, and writes what came of it. Its input stays open for as long as somebody waits for that: the process ends
with whoever started it, even by `kill -9`.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
import msgspec
from msgspec import Struct

from actors.actor import attempt
from migrebot import logs
from migrebot.errors import UserError
from migrebot.reports.backups import Trouble
from storage.backups.order import DiskFailed, Made, Order, Trial, Tried, Upload, Uploaded

if TYPE_CHECKING:
    from collections.abc import Iterator

NICENESS = 10
"""People come first."""

UPLOAD_S = 3_600.0
TRIAL_S = 120.0
"""Seconds after which an upload or a trial is given up, whatever keeps it."""

Task = Order | Upload | Trial
Result = Made | Uploaded | Tried | Trouble

R = TypeVar("R", Made, Uploaded, Tried)

log = logs.get_logger("backup")


class Outcome(Struct, frozen=True):
    """What came of an order, or why nothing did."""

    result: Result | None = None
    error: str = ""


async def make_apart(order: Order) -> Made:
    """Make a backup; raises `UserError`. Cancelling it ends the process, and there is no backup."""
    return await _apart(order, Made)


async def upload_apart(order: Upload) -> Uploaded:
    """Copy a backup to a Disk; raises `DiskFailed`. Cancelling it leaves a temporary file there at most."""
    return await _on_disk(order, Uploaded, UPLOAD_S)


async def try_apart(trial: Trial) -> Tried:
    """Try a Disk; raises `DiskFailed`."""
    return await _on_disk(trial, Tried, TRIAL_S)


async def _on_disk(task: Upload | Trial, kind: type[R], limit: float) -> R:
    try:
        with anyio.fail_after(limit):
            return await _apart(task, kind)
    except TimeoutError as error:
        raise DiskFailed(Trouble(kind="unreachable")) from error
    except UserError as error:
        raise DiskFailed(Trouble(kind="refused", detail=str(error))) from error


async def _apart(task: Task, kind: type[R]) -> R:
    command = [sys.executable, "-m", "actors.backup_process"]
    try:
        with _open_input(task) as told:
            ended = await anyio.run_process(command, stdin=told, check=False)
        outcome = msgspec.json.decode(ended.stdout, type=Outcome)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(f"the process that makes it did not come to its end ({type(error).__name__})") from error
    if ended.stderr:
        log.error("backup_process", told=ended.stderr.decode("utf-8", "replace")[-2_000:])
    if isinstance(outcome.result, Trouble):
        raise DiskFailed(outcome.result)
    if not isinstance(outcome.result, kind):
        raise UserError(outcome.error)
    return outcome.result


@contextmanager
def _open_input(task: Task) -> Iterator[int]:
    """Give a pipe with the task in it, which does not end before this program or the context does."""
    source, target = os.pipe()
    try:
        os.write(target, msgspec.json.encode(task) + b"\n")
        yield source
    finally:
        os.close(target)
        os.close(source)


def main() -> None:
    """Do what is asked for."""
    logs.configure(production=True)
    with suppress(AttributeError):
        os.nice(NICENESS)  # there is none on Windows
    task: Task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_end_with_whoever_waits, daemon=True).start()
    result = anyio.run(attempt, _done(task))
    if isinstance(result, DiskFailed):
        outcome = Outcome(result.trouble)
    elif isinstance(result, UserError):
        outcome = Outcome(error=str(result))
    elif isinstance(result, Exception):
        log.error("backup_crashed", exc_info=result)
        outcome = Outcome(error=f"an error of the program: {type(result).__name__}")
    else:
        outcome = Outcome(result)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


def _end_with_whoever_waits() -> None:
    """Wait until nobody holds the other end of the input, and end at once: what is left undone is cleared by the next.

    It is not read by `sys.stdin`, which the interpreter could not close then.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


async def _done(task: Task) -> Result:
    if isinstance(task, Order):
        from storage.backups.making import make

        return await make(task, _ignore)
    from storage.backups import disk

    logs.hide(task.disk.token)
    try:
        return disk.upload(task) if isinstance(task, Upload) else disk.attempt(task)
    except OSError as error:
        raise UserError(error.strerror or type(error).__name__) from error


def _ignore(step: str, rows: int, of: int) -> None:
    del step, rows, of


if __name__ == "__main__":
    main()
