"""The state behind the Bot API: who there is, what was said, which files and presses exist."""

import time
from typing import Any

import msgspec

from .chats import Chat, ChatMessage, Document
from .errors import bad_request
from .faults import FaultBook, FloodControl
from .journal import Journal, Metrics
from .updates import UpdateQueue
from .wire import Arguments

DEFAULT_TOKEN = "123456789:fake-token_made-up-for-the-tests_00"
ANSWERABLE = 60.0
"""Seconds a press can be answered; Telegram does not publish the number."""


class Press(msgspec.Struct):
    """A press of a button that waits for answerCallbackQuery."""

    query_id: str
    chat: Chat
    update_id: int
    expires: float


CHECKOUT_ANSWERABLE = 10.0
"""Seconds a pre_checkout_query can be answered, as the documentation says."""


class Payment(msgspec.Struct):
    """A payment that waits for answerPreCheckoutQuery, or was made."""

    chat: Chat
    payer: dict[str, Any]
    receipt: dict[str, Any]
    expires: float = 0.0
    refunded: bool = False


class Webhook(msgspec.Struct):
    """Where updates are posted to, if anywhere."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    failed_at: int | None = None
    failure: str = ""


class Profile(msgspec.Struct):
    """What the bot says about itself, by language; the empty language is everybody else's."""

    names: dict[str, str]
    descriptions: dict[str, str] = {}
    short_descriptions: dict[str, str] = {}
    commands: dict[tuple[str, str], list[dict[str, str]]] = {}


class World:
    """Everything the fake remembers; the methods of the Bot API and the people both work on it.

    Attributes:
        token: the bot's token.
        bot: the bot as a User of the Bot API.
        updates: what waits for the bot.
        journal: what happened.
        faults: what goes wrong on purpose.
        flood: the limits enforced, if any.
    """

    def __init__(self, token: str, *, username: str, name: str, first_update_id: int | None) -> None:
        self.token = token
        self.bot: dict[str, Any] = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": name,
            "username": username,
        }
        self.profile = Profile({"": name})
        self.updates = UpdateQueue(self.now, first_update_id)
        self.journal = Journal()
        self.faults = FaultBook()
        self.flood: FloodControl | None = None
        self.webhook = Webhook()
        self.chats: dict[int, Chat] = {}
        self.presses: dict[str, Press] = {}
        self.payments: dict[str, Payment] = {}
        self.receipts: dict[str, Payment] = {}
        self.payloads: dict[tuple[int, int], str] = {}
        self.files: dict[str, tuple[str, Document]] = {}
        self._ahead = 0.0
        self._number = 0

    def now(self) -> float:
        """Tell the wall-clock time, as far ahead as it was moved."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock ahead, so that updates and presses grow old."""
        self._ahead += seconds

    def number(self) -> int:
        """Give a number that nothing else in this world has."""
        self._number += 1
        return self._number

    def push(self, chat: Chat, kind: str, content: dict[str, Any]) -> int:
        """Make an update about a chat."""
        if self.updates.wants(kind):
            self.journal.made(self.updates.next_id, chat.chat_id)
        return self.updates.push(kind, content)

    def readable(self, arguments: Arguments) -> Chat:
        """Find the chat a call is about."""
        given = arguments.text("chat_id")
        if given.startswith("@"):
            chat = next((chat for chat in self.chats.values() if chat.wire.get("username") == given[1:]), None)
        else:
            chat = self.chats.get(arguments.integer("chat_id"))
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def writable(self, arguments: Arguments) -> Chat:
        """Find the chat a call writes to, or refuse as that chat does."""
        chat = self.readable(arguments)
        if chat.refusal is not None:
            raise chat.refusal
        return chat

    def message(self, chat: Chat, arguments: Arguments, what: str) -> ChatMessage:
        """Find the message a call is about; ``what`` is how the refusal calls it."""
        message = chat.message(arguments.integer("message_id"))
        if message is None:
            raise bad_request(f"{what} not found")
        return message

    def store(self, name: str, mime: str, content: bytes, folder: str) -> Document:
        """Keep a file that can be fetched with getFile."""
        number = self.number()
        document = Document(f"FakeFileIdThatIsOpaqueToBots_{number:016d}", name, mime, content)
        self.files[document.file_id] = (f"{folder}/file_{number}", document)
        return document

    def metrics(self) -> Metrics:
        """Sum up the run so far."""
        journal = self.journal
        return Metrics(
            calls=dict(journal.counts),
            statuses=dict(journal.statuses),
            updates_made=self.updates.made,
            updates_pending=len(self.updates),
            conflicts=self.updates.conflicts,
            flood_refusals=0 if self.flood is None else self.flood.refusals,
            reply=journal.spread(lambda step: step.replied),
            answer=journal.spread(lambda step: step.answered),
            steps_per_second=journal.steps_per_second(),
        )
