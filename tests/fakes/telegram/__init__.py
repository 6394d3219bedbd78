"""A fake Telegram Bot API server that behaves like the real one, and scripted people to talk with the bot.

In a test::

    async with FakeTelegram() as fake:
        # the program under test: telegram.api_base = fake.base_url, telegram.token = fake.token
        ann = fake.user(first_name="Anna", language_code="ru")
        await ann.says("/pain")
        question = await ann.sees("When")
        await ann.presses("Today")
        fake.goes_wrong(Fault.reset_after(), "sendMessage", chat_id=ann.user_id, times=1)
        await fake.waits_for("answerCallbackQuery")
        assert ann.chat.last.labels == ["Back", "Cancel"]

`FakeTelegram` runs in the test's own process, ``python -m tests.fakes.telegram`` in one of its own, driven by
`RemoteFakeTelegram`. Its facts come from the documentation and the behaviour of the real server; where it is simpler,
the module concerned says so.
"""

from .chats import Button, Chat, ChatMessage, Document, Toast
from .errors import Refused
from .fake import FakeTelegram
from .faults import Fault, FloodControl, Rule
from .journal import Call, Metrics, Spread, Step
from .people import Person, Room
from .remote import RemoteFakeTelegram, RemotePerson
from .world import DEFAULT_TOKEN

__all__ = [
    "DEFAULT_TOKEN",
    "Button",
    "Call",
    "Chat",
    "ChatMessage",
    "Document",
    "FakeTelegram",
    "Fault",
    "FloodControl",
    "Metrics",
    "Person",
    "Refused",
    "RemoteFakeTelegram",
    "RemotePerson",
    "Room",
    "Rule",
    "Spread",
    "Step",
    "Toast",
]
