"""Driving a fake in another process, from plain synchronous programs."""

import base64
import http.client
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from .chats import ChatMessage, Toast
from .faults import Fault
from .journal import Call, Metrics, Step
from .people import PATIENCE, Wanted

_ROOT = Path(__file__).parents[3]
_MARGIN = 10.0  # seconds a waiting request may take beyond its own time limit

T = TypeVar("T")


class RemoteChat(msgspec.Struct, frozen=True):
    """What a chat showed at the moment it was asked for; see `Chat`."""

    messages: list[ChatMessage]
    deleted: list[ChatMessage]
    actions: list[str]
    toasts: list[Toast]
    appearances: int

    @property
    def texts(self) -> list[str]:
        """The texts of all messages, the oldest first."""
        return [message.text for message in self.messages]


class RemoteFault(msgspec.Struct, frozen=True):
    """A fault in force; `RemoteFakeTelegram.heals` ends it."""

    number: int


class RemotePerson:
    """Someone who talks with the bot; like `Person`, but nothing here is awaited.

    Attributes:
        user_id: the person's id, and that of the private chat.
    """

    def __init__(self, remote: "RemoteFakeTelegram", user_id: int) -> None:
        self._remote = remote
        self.user_id = user_id

    @property
    def chat(self) -> RemoteChat:
        """What the private chat shows now."""
        return self._remote.command("chat", RemoteChat, chat_id=self.user_id)

    def says(self, text: str, *, reply_to: int | None = None, extra: dict[str, Any] | None = None) -> int:
        """Write a text; ``reply_to`` is a message's id."""
        return self._act("says", text=text, reply_to=reply_to, extra=extra)

    def presses(self, label: str, *, on: int | None = None, timeout: float = PATIENCE) -> int:
        """Press a button by what it says, waiting for it; ``on`` is a message's id."""
        return self._act("presses", label=label, on=on, timeout=timeout)

    def presses_data(self, message: int, data: str) -> int:
        """Send any callback data for any message's id."""
        return self._act("presses_data", message=message, data=data)

    def shares_location(self, latitude: float, longitude: float) -> int:
        """Send a place."""
        return self._act("shares_location", latitude=latitude, longitude=longitude)

    def sends_photo(self, content: bytes = b"a picture", caption: str = "") -> int:
        """Send a picture."""
        return self._act("sends_photo", content=base64.b64encode(content).decode(), caption=caption)

    def edits(self, text: str, message: int | None = None) -> int:
        """Change the words of an own message, the newest one unless told its id."""
        return self._act("edits", text=text, message=message)

    def blocks(self) -> int:
        """Block the bot."""
        return self._act("blocks")

    def unblocks(self) -> int:
        """Let the bot write again."""
        return self._act("unblocks")

    def pays(self, message: ChatMessage) -> int:
        """Pay a bill; see `Person.pays`."""
        return self._act("pays", message=message.message_id)

    def deactivates(self) -> None:
        """Delete the account."""
        self._remote.order("act", user_id=self.user_id, act="deactivates")

    def sees(self, wanted: Wanted, *, timeout: float = PATIENCE, since: int | None = None) -> ChatMessage:
        """Wait until the chat shows a message or an edit of the bot; see `Person.sees`."""
        fits = (lambda message: wanted in message.text) if isinstance(wanted, str) else wanted
        while True:
            shown = self._remote.command(
                "appearances", _Appearances, user_id=self.user_id, since=since, timeout=timeout
            )
            found = next((message for message in shown.messages if fits(message)), None)
            if found is not None:
                return found
            what = repr(wanted) if isinstance(wanted, str) else "such a message"
            assert shown.messages, f"{what} did not appear; nothing new within {timeout} s:\n{shown.transcript}"
            since = shown.next

    def _act(self, act: str, **arguments: Any) -> int:
        given = {name: value for name, value in arguments.items() if value is not None}
        return self._remote.command("act", int, user_id=self.user_id, act=act, arguments=given)


class _Appearances(msgspec.Struct):
    next: int
    messages: list[ChatMessage]
    transcript: str


class RemoteFakeTelegram:
    """The control API of a fake in another process.

    ``RemoteFakeTelegram.start()`` runs such a process; as a context manager it is stopped at the end. Every thread
    that uses one has a connection of its own.

    Attributes:
        base_url: what ``telegram.api_base`` is set to.
        token: the bot's token.
        process: the process, if this object started it.
    """

    def __init__(
        self, control_url: str, base_url: str, token: str, process: subprocess.Popen[str] | None = None
    ) -> None:
        self.base_url = base_url
        self.token = token
        self.process = process
        self._address = urlsplit(control_url)
        self._local = threading.local()

    @classmethod
    def start(cls, *, port: int = 0, token: str | None = None) -> Self:
        """Run a fake in a new process and wait until it is ready."""
        command = [sys.executable, "-m", f"{__package__}", "--port", str(port), "--until-stdin-ends"]
        command += [] if token is None else ["--token", token]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the fake did not start: exit {process.wait()}"
        ready = msgspec.json.decode(line, type=dict[str, str])
        return cls(ready["control_url"], ready["base_url"], ready["token"], process)

    def stop(self) -> None:
        """End the process this object started, and the connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(_MARGIN)
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def user(self, user_id: int, **about: str) -> RemotePerson:
        """Give the person with this id, made on first mention; ``about`` as in `FakeTelegram.user`."""
        self.command("user", dict[str, Any], user_id=user_id, **about)
        return RemotePerson(self, user_id)

    def push(self, *updates: dict[str, Any]) -> list[int]:
        """Put crafted updates in the queue, and give their ids."""
        return self.command("push", list[int], updates=updates)

    def push_raw(self, *raw: str) -> list[int]:
        """Put updates in the queue that may be no JSON at all; ``UPDATE_ID`` in them becomes the id."""
        return self.command("push", list[int], raw=raw)

    def calls(self, method: str | None = None, *, since: int = 0) -> list[Call]:
        """Give the journal, of one method or all, from call number ``since`` on."""
        return self.command("calls", list[Call], method=method, since=since)

    def waits_for(self, method: str, count: int = 1, *, timeout: float = PATIENCE, since: int = 0) -> list[Call]:
        """Wait until a method was called so often; see `FakeTelegram.waits_for`."""
        return self.command("waits_for", list[Call], method=method, count=count, timeout=timeout, since=since)

    def steps(self) -> list[Step]:
        """Give every update with the times of what came of it."""
        return self.command("steps", list[Step])

    def metrics(self) -> Metrics:
        """Sum up the run so far."""
        return self.command("metrics", Metrics)

    def clear(self) -> None:
        """Forget calls and steps, between two parts of a benchmark."""
        self.order("clear")

    def goes_wrong(
        self,
        fault: Fault,
        method: str = "*",
        *,
        chat_id: int | None = None,
        times: int | None = None,
        seconds: float | None = None,
    ) -> RemoteFault:
        """Have calls meet a fault; see `FakeTelegram.goes_wrong`."""
        which = {"method": method, "chat_id": chat_id, "times": times, "seconds": seconds}
        return RemoteFault(self.command("goes_wrong", int, fault=fault, **which))

    def heals(self, fault: RemoteFault | None = None) -> int:
        """End one fault and give how many calls it met, or end all."""
        return self.command("heals", int, rule=None if fault is None else fault.number)

    def limits_flood(self, **limits: float) -> None:
        """Enforce limits, named as in `FloodControl`."""
        self.order("limits_flood", limits=limits)

    def allows_flood(self) -> None:
        """Enforce limits no more."""
        self.order("limits_flood", limits=None)

    def refuses_connections(self) -> None:
        """Close the Bot API's port; the control API stays."""
        self.order("refuses_connections")

    def accepts_connections(self) -> None:
        """Open the Bot API's port again."""
        self.order("accepts_connections")

    def advances(self, seconds: float) -> None:
        """Move the fake's clock ahead."""
        self.order("advances", seconds=seconds)

    def order(self, name: str, **given: object) -> None:
        """Carry out a command of the control API that has no result."""
        self._exchange(name, given)

    def command(self, name: str, result: type[T], **given: object) -> T:
        """Carry out a command of the control API and give its result as the wanted type."""
        return msgspec.json.decode(self._exchange(name, given), type=result)

    def _exchange(self, name: str, given: dict[str, Any]) -> msgspec.Raw:
        connection = self._connection(float(given.get("timeout", 0.0)) + _MARGIN)
        connection.request("POST", f"/control/{name}", msgspec.json.encode(given))
        body = connection.getresponse().read()
        answer = msgspec.json.decode(body, type=_Answer)
        if not answer.ok:
            raise AssertionError(answer.error)
        return answer.result

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._address.netloc, timeout=seconds)
            self._local.connection = connection
        connection.timeout = seconds
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        return connection


class _Answer(msgspec.Struct):
    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
