"""Makes backups in a process of their own: neither the event loop nor the interpreter of the program is held.

`python -m actors.backup_process` reads an order from its input, since anybody on the machine can read the arguments of
a program, and writes what came of it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import anyio
import msgspec
from msgspec import Struct

from actors.actor import attempt
from migrebot import logs
from migrebot.errors import UserError
from storage.backups.order import Made, Order

NICENESS = 10
"""People come first."""

log = logs.get_logger("backup")


class Outcome(Struct, frozen=True):
    """The backup that was made, or why none was."""

    made: Made | None = None
    error: str = ""


async def make_apart(order: Order) -> Made:
    """Make a backup; raises `UserError`. Cancelling it ends the process, and there is no backup."""
    command = [sys.executable, "-m", "actors.backup_process"]
    try:
        ended = await anyio.run_process(command, input=msgspec.json.encode(order), check=False)
        outcome = msgspec.json.decode(ended.stdout, type=Outcome)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(f"the process that makes it did not come to its end ({type(error).__name__})") from error
    if ended.stderr:
        log.error("backup_process", told=ended.stderr.decode("utf-8", "replace")[-2_000:])
    if outcome.made is None:
        raise UserError(outcome.error)
    return outcome.made


def main() -> None:
    """Make the backup that is asked for."""
    from storage.backups.making import make

    logs.configure(production=True)
    with suppress(AttributeError):
        os.nice(NICENESS)  # there is none on Windows
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    result = anyio.run(attempt, make(order, _ignore))
    if isinstance(result, Made):
        outcome = Outcome(made=result)
    elif isinstance(result, UserError):
        outcome = Outcome(error=str(result))
    else:
        log.error("backup_crashed", exc_info=result)
        outcome = Outcome(error=f"an error of the program: {type(result).__name__}")
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


def _ignore(step: str, rows: int, of: int) -> None:
    del step, rows, of


if __name__ == "__main__":
    main()
