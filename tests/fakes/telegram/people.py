"""Scripted people, their groups and channels: what they do becomes updates, what the bot does they see."""

from collections.abc import Mapping
from typing import Any

from .chats import Chat, ChatMessage, ChatType, Predicate
from .entities import Formatted, utf16_length
from .world import ANSWERABLE, CHECKOUT_ANSWERABLE, Payment, Press, World

PATIENCE = 30.0
"""Seconds a person waits for something before the test fails."""

_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000"
    "000049454e44ae426082"
)

Wanted = str | Predicate


class Room:
    """A group or a channel.

    Attributes:
        chat: what it shows.
    """

    def __init__(self, world: World, chat: Chat) -> None:
        self._world = world
        self.chat = chat

    async def posts(self, text: str) -> int:
        """Post in a channel, and give the update's id."""
        message = self.chat.add(None, int(self._world.now()), text=text, extra={"sender_chat": self.chat.wire})
        return self._world.push(self.chat, "channel_post", message.wire(self.chat.wire))

    async def adds_bot(self, by: "Person") -> int:
        """Take the bot in, with a my_chat_member update and the service message; give the latter's id."""
        self.chat.close_to_bot(None)
        self._membership(by, "left", "member")
        extra = {"new_chat_members": [self._world.bot]}
        message = self.chat.add(by.wire, int(self._world.now()), extra=extra)
        return self._world.push(self.chat, "message", message.wire(self.chat.wire))

    async def kicks_bot(self, by: "Person") -> int:
        """Throw the bot out."""
        self.chat.close_to_bot(f"bot was kicked from the {self.chat.type} chat")
        return self._membership(by, "member", "kicked")

    async def sees(
        self,
        wanted: Wanted,
        *,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - its failure tells what was missing
        since: int = 0,
    ) -> ChatMessage:
        """Wait until the room shows a message of the bot; see `Person.sees`."""
        return await _seen(self.chat, wanted, since, timeout)

    def _membership(self, by: "Person", before: str, after: str) -> int:
        return self._world.push(self.chat, "my_chat_member", _member_change(self._world, self.chat, by, before, after))


class Person:
    """Someone who talks with the bot in a private chat, or in rooms.

    Whatever a person does returns the update's id at once; nothing waits for the bot.

    Attributes:
        user_id: the person's id, and that of the private chat.
        wire: the person as a User of the Bot API.
        chat: what the private chat shows.
        since: where in `Chat.appearances` the person's last act lies; `sees` looks from there on.
    """

    def __init__(self, world: World, wire: dict[str, Any]) -> None:
        self._world = world
        self.wire = wire
        self.user_id: int = wire["id"]
        about: dict[str, Any] = {name: wire[name] for name in ("first_name", "last_name", "username") if name in wire}
        self.chat = world.chats[self.user_id] = Chat(self.user_id, "private", about)
        self.since = 0

    async def says(
        self,
        text: str,
        *,
        to: Room | None = None,
        reply_to: ChatMessage | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> int:
        """Write a text.

        Args:
            text: the words; a leading command becomes an entity as at Telegram.
            to: the group to write in instead of the private chat.
            reply_to: the message it replies to.
            extra: more fields of the message, such as ``forward_origin``.
        """
        return self._writes(to, reply_to, text=text, entities=_command_entity(text), extra=dict(extra or {}))

    async def presses(
        self,
        label: str,
        *,
        on: ChatMessage | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - its failure tells what was missing
    ) -> int:
        """Press a button by what it says, waiting for it to appear if it is not there yet.

        Args:
            label: the words on the button; a mark or emoji before them and letter case do not count.
            on: the message it is under; without it the newest message that has such a button.
            timeout: seconds to wait for the button.
        """
        found = self.chat.message(on.message_id) if on is not None else self.chat.with_button(label)
        if found is None or found.button(label) is None:
            here = None if on is None else on.message_id
            now = len(self.chat.appearances)
            found = await self.chat.sees(lambda m: here in {None, m.message_id} and bool(m.button(label)), now, timeout)
        button = found.button(label) if found is not None else None
        assert found is not None, f"no button {label!r} in the chat:\n{self.chat.transcript()}"
        assert button is not None
        assert button.data is not None, f"the button {label!r} is a link"
        return await self.presses_data(found, button.data)

    async def presses_data(self, message: ChatMessage | int, data: str) -> int:
        """Send any callback data for any message, as a crafted client can; an unknown one counts as inaccessible."""
        self._act()
        message_id = message if isinstance(message, int) else message.message_id
        shown = self.chat.message(message_id)
        inaccessible = {"chat": self.chat.wire, "message_id": message_id, "date": 0}
        query_id = str(7_000_000_000_000_000 + self._world.number())
        expires = self._world.now() + ANSWERABLE
        self._world.presses[query_id] = Press(query_id, self.chat, self._world.updates.next_id, expires)
        query = {
            "id": query_id,
            "from": self.wire,
            "message": inaccessible if shown is None else shown.wire(self.chat.wire),
            "chat_instance": str(-self.user_id),
            "data": data,
        }
        return self._world.push(self.chat, "callback_query", query)

    async def shares_location(self, latitude: float, longitude: float) -> int:
        """Send a place."""
        return self._writes(None, None, extra={"location": {"latitude": latitude, "longitude": longitude}})

    async def sends_photo(self, content: bytes = _PICTURE, caption: str = "") -> int:
        """Send a picture."""
        photo = self._world.store("photo.png", "image/png", content, "photos")
        return self._writes(None, None, text=caption, photo=photo)

    async def sends_document(self, name: str, content: bytes, mime: str = "application/octet-stream") -> int:
        """Send a file."""
        return self._writes(None, None, document=self._world.store(name, mime, content, "documents"))

    async def edits(self, text: str, message: ChatMessage | None = None) -> int:
        """Change the words of an own message, the newest one unless told which."""
        own = message or next(known for known in reversed(self.chat.messages) if not known.from_bot)
        self._act()
        content = Formatted(text, _command_entity(text))
        changed = self.chat.edit(own, int(self._world.now()), content, None)
        return self._world.push(self.chat, "edited_message", changed.wire(self.chat.wire))

    async def pays(self, message: ChatMessage) -> int:
        """Pay a bill: a pre_checkout_query now, and the payment message once the bot agreed."""
        self._act()
        invoice = message.extra["invoice"]
        payload = self._world.payloads[self.chat.chat_id, message.message_id]
        sums = {"currency": invoice["currency"], "total_amount": invoice["total_amount"], "invoice_payload": payload}
        number = self._world.number()
        charges = {"telegram_payment_charge_id": f"tg-{number}", "provider_payment_charge_id": f"provider-{number}"}
        query = {"id": str(number), "from": self.wire, **sums}
        self._world.payments[str(number)] = Payment(
            self.chat, self.wire, sums | charges, self._world.now() + CHECKOUT_ANSWERABLE
        )
        return self._world.push(self.chat, "pre_checkout_query", query)

    async def blocks(self) -> int:
        """Block the bot: its messages are refused, and a my_chat_member update tells."""
        self.chat.close_to_bot("bot was blocked by the user")
        return self._membership("member", "kicked")

    async def unblocks(self) -> int:
        """Let the bot write again."""
        self.chat.close_to_bot(None)
        return self._membership("kicked", "member")

    async def deactivates(self) -> None:
        """Delete the account; Telegram makes no update of it."""
        self.chat.close_to_bot("user is deactivated")

    async def sees(
        self,
        wanted: Wanted,
        *,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - its failure tells what was missing
        since: int | None = None,
    ) -> ChatMessage:
        """Wait until the private chat shows a message or an edit of the bot, and give it as it looked then.

        Args:
            wanted: words somewhere in its text, or a function of the message.
            timeout: seconds; then the test fails with a transcript of the chat.
            since: an index into ``chat.appearances`` to look from; without it from the person's last act on.
        """
        return await _seen(self.chat, wanted, self.since if since is None else since, timeout)

    def _act(self) -> None:
        self.since = len(self.chat.appearances)

    def _writes(self, to: Room | None, reply_to: ChatMessage | None, **content: Any) -> int:
        self._act()
        chat = self.chat if to is None else to.chat
        extra = dict(content.pop("extra", {}))
        if reply_to is not None:
            extra["reply_to_message"] = reply_to.quoted(chat.wire)
        message = chat.add(self.wire, int(self._world.now()), extra=extra, **content)
        return self._world.push(chat, "message", message.wire(chat.wire))

    def _membership(self, before: str, after: str) -> int:
        change = _member_change(self._world, self.chat, self, before, after)
        return self._world.push(self.chat, "my_chat_member", change)


def make_room(world: World, chat_id: int, kind: ChatType, title: str) -> Room:
    """Make a group or a channel; the bot is in it."""
    chat = world.chats[chat_id] = Chat(chat_id, kind, {"title": title})
    return Room(world, chat)


async def _seen(chat: Chat, wanted: Wanted, since: int, patience: float) -> ChatMessage:
    fits = (lambda message: wanted in message.text) if isinstance(wanted, str) else wanted
    message = await chat.sees(fits, since, patience)
    what = repr(wanted) if isinstance(wanted, str) else "such a message"
    assert message is not None, f"{what} did not appear within {patience} s:\n{chat.transcript()}"
    return message


def _command_entity(text: str) -> list[dict[str, Any]]:
    if not text.startswith("/") or len(text) < 2:
        return []
    return [{"type": "bot_command", "offset": 0, "length": utf16_length(text.split(maxsplit=1)[0])}]


def _member_change(world: World, chat: Chat, by: Person, before: str, after: str) -> dict[str, Any]:
    return {
        "chat": chat.wire,
        "from": by.wire,
        "date": int(world.now()),
        "old_chat_member": _member(world, before),
        "new_chat_member": _member(world, after),
    }


def _member(world: World, status: str) -> dict[str, Any]:
    member: dict[str, Any] = {"status": status, "user": world.bot}
    return {**member, "until_date": 0} if status == "kicked" else member
