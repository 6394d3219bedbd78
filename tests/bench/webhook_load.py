"""Signed webhooks, as many as are taken or at a pace, beside a fake Twilio: `python -m tests.bench.webhook_load`.

It prints one JSON line with the fake's address, then answers each line of its input, a JSON list of a stage and its
arguments, with a line of figures. What is posted is made and signed before the clock starts.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import msgspec
import uvloop

from tests.fakes.twilio import TOKEN, FakeTwilio
from tests.fakes.twilio.posting import signature

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 500
CONNECTIONS = 32
PATH = "/webhooks/twilio"


class _Wire:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def post(self, request: bytes) -> float:
        """Post, and tell how many seconds the answer took."""
        begin = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self._reader.readexactly(int(length.split(b":")[1]))
        return time.perf_counter() - begin

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


class _Load:
    def __init__(self, fake: FakeTwilio, url: str) -> None:
        self._fake = fake
        self._url = urlsplit(url)
        self._people = [fake.person(f"+15550{number:06}", "Ann") for number in range(PEOPLE)]

    async def busy(self, count: int) -> dict[str, float]:
        """Post as fast as the answers come."""
        requests = iter(self._requests(count))
        took: list[float] = []
        wires = [await self._wire() for _ in range(CONNECTIONS)]

        async def keep_posting(wire: _Wire) -> None:
            took.extend([await wire.post(request) for request in requests])

        begin = time.perf_counter()
        await asyncio.gather(*(keep_posting(wire) for wire in wires))
        seconds = time.perf_counter() - begin
        for wire in wires:
            wire.close()
        return {"per_second": count / seconds, "p99_ms": _p99(took)}

    async def paced(self, rate: float, count: int) -> dict[str, float]:
        """Post at even intervals."""
        idle = [await self._wire() for _ in range(CONNECTIONS * 4)]
        wires, took, tasks = list(idle), list[float](), set[asyncio.Task[None]]()

        async def post(request: bytes) -> None:
            wire = idle.pop()
            took.append(await wire.post(request))
            idle.append(wire)

        requests = self._requests(count)
        begin = time.perf_counter()
        for number, request in enumerate(requests):
            await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            tasks.add(asyncio.create_task(post(request)))
        await asyncio.gather(*tasks)
        seconds = time.perf_counter() - begin
        for wire in wires:
            wire.close()
        return {"per_second": count / seconds, "p50_ms": sorted(took)[count // 2] * 1_000, "p99_ms": _p99(took)}

    async def _wire(self) -> _Wire:
        return _Wire(*await asyncio.open_connection(self._url.hostname, self._url.port))

    def _requests(self, count: int) -> list[bytes]:
        return list(self._made(count))

    def _made(self, count: int) -> Iterator[bytes]:
        for number in range(count):
            person = self._people[number % PEOPLE]
            received = self._fake.world.receive(person.address, "/cancel")
            form = person.form(received, [("Body", "/cancel")])
            del self._fake.world.messages[received.sid]
            body = urlencode(form)
            yield (
                f"POST {PATH} HTTP/1.1\r\nHost: {self._url.netloc}\r\n"
                f"X-Twilio-Signature: {signature(TOKEN, self._fake.public_url + PATH, form)}\r\n"
                "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
                f"I-Twilio-Idempotency-Token: {received.sid}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()


def _p99(took: list[float]) -> float:
    return sorted(took)[math.ceil(0.99 * len(took)) - 1] * 1_000


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with FakeTwilio() as fake:
        _print({"api_base": fake.api_base, "public_url": fake.public_url})
        while line := await lines.readline():
            stage, url, *arguments = msgspec.json.decode(line)
            load = _Load(fake, url)
            _print(await (load.busy(*arguments) if stage == "busy" else load.paced(*arguments)))


def _print(figures: dict[str, Any]) -> None:
    print(msgspec.json.encode(figures).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve())
