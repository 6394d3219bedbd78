"""A chat as the people in it see it."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from .entities import Entity, Formatted
from .errors import Refused, bad_request, forbidden
from .keyboards import Keyboard

ChatType = Literal["private", "group", "supergroup", "channel"]
Predicate = Callable[["ChatMessage"], bool]

_LEADING_MARK = re.compile(r"^[\W_]+")


class Button(msgspec.Struct, frozen=True):
    """A button under a message; ``data`` is what a press sends, None for links."""

    text: str
    data: str | None = None
    url: str | None = None


class Document(msgspec.Struct, frozen=True):
    """A file or picture in a message, with its content."""

    file_id: str
    name: str
    mime: str
    content: bytes


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it looked at one moment; an edit makes a new one under the same ``message_id``.

    Attributes:
        message_id: rising within the chat.
        chat_id: which chat.
        sender: who wrote it, as a User of the Bot API; None in channels.
        date: when it was sent, unix time.
        text: the text or caption, without markup.
        entities: what is bold, a link and so on.
        keyboard: the inline keyboard as the Bot API has it.
        edited: whether this is not how it was sent.
        document: the file, if it has one.
        photo: the picture, if it has one.
        extra: whatever else the Bot API's message carries: location, invoice, reply_to_message…
        seen_at: when it appeared like this, monotonic.
    """

    message_id: int
    chat_id: int
    sender: dict[str, Any] | None
    date: int
    text: str = ""
    entities: list[Entity] = []
    keyboard: Keyboard | None = None
    edited: bool = False
    edit_date: int | None = None
    document: Document | None = None
    photo: Document | None = None
    extra: dict[str, Any] = {}
    seen_at: float = msgspec.field(default_factory=time.monotonic)

    @property
    def from_bot(self) -> bool:
        """Whether the bot sent it."""
        return self.sender is not None and bool(self.sender["is_bot"])

    @property
    def buttons(self) -> list[list[Button]]:
        """The rows of buttons under it."""
        return [[_button(button) for button in row] for row in self.keyboard or []]

    @property
    def labels(self) -> list[str]:
        """What its buttons say, row after row."""
        return [button["text"] for row in self.keyboard or [] for button in row]

    def button(self, label: str) -> Button | None:
        """Find a button by what it says; a mark or emoji before the words and letter case do not count."""
        everything = [button for row in self.keyboard or [] for button in row]
        found = next((button for button in everything if button["text"] == label), None)
        if found is None and (words := _plain(label)):
            found = next((button for button in everything if _plain(button["text"]) == words), None)
        return None if found is None else _button(found)

    def wire(self, chat: dict[str, Any]) -> dict[str, Any]:
        """Give it as a Message of the Bot API."""
        message: dict[str, Any] = {"message_id": self.message_id, "chat": chat, "date": self.date}
        if self.sender is not None:
            message["from"] = self.sender
        if self.edit_date is not None:
            message["edit_date"] = self.edit_date
        if self.document is not None:
            message["document"] = _file(self.document) | {
                "file_name": self.document.name,
                "mime_type": self.document.mime,
            }
        if self.photo is not None:
            message["photo"] = [_file(self.photo) | {"width": 800, "height": 600}]
        has_file = self.document is not None or self.photo is not None
        if self.text:
            message["caption" if has_file else "text"] = self.text
        if self.entities:
            message["caption_entities" if has_file else "entities"] = self.entities
        if self.keyboard:
            message["reply_markup"] = {"inline_keyboard": self.keyboard}
        return message | self.extra

    def quoted(self, chat: dict[str, Any]) -> dict[str, Any]:
        """Give it as the ``reply_to_message`` of another one, which never carries a further one."""
        message = self.wire(chat)
        message.pop("reply_to_message", None)
        return message


class Toast(msgspec.Struct, frozen=True):
    """What answerCallbackQuery showed to the person who pressed."""

    text: str
    alert: bool


class Chat:
    """What a chat shows, who may write to it, and those who wait to see something in it.

    Attributes:
        chat_id: its id; negative for groups and channels.
        type: its kind.
        wire: the chat as the Bot API gives it inside messages.
        deleted: messages that were there and were deleted.
        appearances: every message and edit of the bot in the order it showed.
        actions: the chat actions (“typing”…) that were shown.
        toasts: the answers to presses that had words.
        refusal: why the bot cannot write here, if it cannot.
    """

    def __init__(self, chat_id: int, type: ChatType, about: dict[str, Any]) -> None:  # noqa: A002 - the API's own word
        self.chat_id = chat_id
        self.type: ChatType = type
        self.wire: dict[str, Any] = {"id": chat_id, "type": type, **about}
        self.deleted: list[ChatMessage] = []
        self.appearances: list[ChatMessage] = []
        self.actions: list[str] = []
        self.toasts: list[Toast] = []
        self.refusal: Refused | None = None
        self._messages: dict[int, ChatMessage] = {}
        self._next_id = 1
        self._waiters: list[tuple[Predicate, asyncio.Future[ChatMessage]]] = []

    @property
    def messages(self) -> list[ChatMessage]:
        """All messages, the oldest first, each as it looks now."""
        return list(self._messages.values())

    @property
    def texts(self) -> list[str]:
        """The texts of all messages, the oldest first."""
        return [message.text for message in self._messages.values()]

    @property
    def last(self) -> ChatMessage:
        """The newest message."""
        return next(reversed(self._messages.values()))

    def message(self, message_id: int) -> ChatMessage | None:
        """Find a message as it looks now."""
        return self._messages.get(message_id)

    def with_button(self, label: str) -> ChatMessage | None:
        """Find the newest message that has such a button."""
        newest_first = reversed(self._messages.values())
        return next((message for message in newest_first if message.keyboard and message.button(label)), None)

    def add(self, sender: dict[str, Any] | None, date: int, **content: Any) -> ChatMessage:
        """Put a new message at the end."""
        message = ChatMessage(message_id=self._next_id, chat_id=self.chat_id, sender=sender, date=date, **content)
        self._next_id += 1
        self._messages[message.message_id] = message
        self._appear(message)
        return message

    def edit(self, message: ChatMessage, date: int, content: Formatted, keyboard: Keyboard | None) -> ChatMessage:
        """Replace what a message shows; the 400 of the server if nothing would change."""
        same = message.text == content.text and message.entities == content.entities and message.keyboard == keyboard
        if same and message.from_bot:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        changed = msgspec.structs.replace(
            message,
            text=content.text,
            entities=content.entities,
            keyboard=keyboard,
            edited=True,
            edit_date=date,
            seen_at=time.monotonic(),
        )
        self._messages[message.message_id] = changed
        self._appear(changed)
        return changed

    def delete(self, message: ChatMessage) -> None:
        """Take a message out of sight."""
        self.deleted.append(self._messages.pop(message.message_id))

    def close_to_bot(self, reason: str | None) -> None:
        """Answer the bot's messages with this 403 from now on; None opens the chat again."""
        self.refusal = None if reason is None else forbidden(reason)

    async def sees(self, wanted: Predicate, since: int, patience: float) -> ChatMessage | None:
        """Wait for an appearance, number ``since`` or later, that fits; None if time runs out."""
        for message in self.appearances[since:]:
            if wanted(message):
                return message
        waiter: asyncio.Future[ChatMessage] = asyncio.get_running_loop().create_future()
        entry = (wanted, waiter)
        self._waiters.append(entry)
        try:
            async with asyncio.timeout(patience):
                return await waiter
        except TimeoutError:
            return None
        finally:
            self._waiters.remove(entry)

    def transcript(self) -> str:
        """Write the whole chat down, for the message of a failed test."""
        lines = []
        for message in self._messages.values():
            who = "bot" if message.from_bot else "person"
            buttons = "  " + " ".join(f"[{label}]" for label in message.labels) if message.keyboard else ""
            lines.append(
                f"  {message.message_id} {who}{' (edited)' if message.edited else ''}: {message.text}{buttons}"
            )
        return "\n".join(lines) or "  (empty)"

    def _appear(self, message: ChatMessage) -> None:
        if not message.from_bot:
            return
        self.appearances.append(message)
        for wanted, waiter in self._waiters:
            if not waiter.done() and wanted(message):
                waiter.set_result(message)


def _plain(label: str) -> str:
    return _LEADING_MARK.sub("", label).strip().casefold()


def _button(wire: dict[str, Any]) -> Button:
    return Button(wire["text"], wire.get("callback_data"), wire.get("url"))


def _file(file: Document) -> dict[str, Any]:
    return {"file_id": file.file_id, "file_unique_id": file.file_id[-16:], "file_size": len(file.content)}
