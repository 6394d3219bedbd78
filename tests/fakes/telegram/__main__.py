"""The fake as a process of its own: ``python -m tests.fakes.telegram --port N --token T``.

It prints one JSON line with its addresses when it is ready, and runs until SIGTERM or SIGINT.
"""

import argparse
import asyncio
import os
import signal
import sys

import msgspec
import uvloop

from .control import Control
from .fake import FakeTelegram, Listener
from .world import DEFAULT_TOKEN


async def serve(options: argparse.Namespace) -> None:
    """Serve the Bot API and, on a port of its own that faults leave alone, the control API."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if options.until_stdin_ends:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _read_on, stop)
    async with FakeTelegram(options.token, port=options.port, first_update_id=options.first_update_id) as fake:
        control = Listener(Control(fake), options.control_port)
        await control.open()
        ready = {"base_url": fake.base_url, "control_url": control.url, "token": fake.token}
        print(msgspec.json.encode(ready).decode(), flush=True)
        await stop.wait()
        await control.close()


def _read_on(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.telegram", description="A fake Telegram Bot API.")
    parser.add_argument("--port", type=int, default=0, help="the Bot API's port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--control-port", type=int, default=0, help="the control API's port")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the bot's token")
    parser.add_argument("--first-update-id", type=int, help="where update ids start; random without it")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when whoever started it is gone")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
