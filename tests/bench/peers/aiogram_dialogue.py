"""One round of the same dialogue in aiogram: `python aiogram_dialogue.py FORMS PEOPLE WALK memory|redis` prints JSON.

What the bot sends is answered by a session without network. A bot in aiogram's style: states, filters by
`StateFilter`, answers kept in the FSM context, the message edited and the press answered. Nothing of it is durable.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from aiogram import Bot, Dispatcher, Router
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.base import BaseSession
from aiogram.filters import Command, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.methods import AnswerCallbackQuery, TelegramMethod
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update

TOGETHER = {"memory": 1, "redis": 64}
"""Updates handled at the same time: alone is fastest in memory, many at once where each waits for the network."""

_CHAT = {"id": 1, "type": "private"}
_SENT = Message.model_validate({"message_id": 2, "date": 1, "chat": _CHAT, "text": "sent"})


class Silent(BaseSession):
    """Answers every call at once."""

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ARG002, ASYNC109 - aiogram's signature
        """Give what Telegram would, more or less."""
        return True if isinstance(method, AnswerCallbackQuery) else _SENT

    async def close(self) -> None:
        """Nothing is open."""

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - aiogram's signature
        """No file is ever fetched."""
        yield b""


def markup(keyboard: list[list[str]]) -> InlineKeyboardMarkup:
    """Build the keyboard of a question, as a handler does for each message."""
    rows = [
        [InlineKeyboardButton(text=label, callback_data=f"answer:{number}") for number, label in enumerate(row)]
        for row in keyboard
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows)


def bot_for(walk: list[dict[str, Any]], storage: BaseStorage) -> Dispatcher:
    """Write the bot: the command asks the first question, each press the next one."""
    router = Router()
    states = [State(f"step{number}", "Pain") for number in range(len(walk))]

    @router.message(Command("pain"))
    async def begin(message: Message, state: FSMContext) -> None:
        await state.set_state(states[0])
        await message.answer(walk[0]["text"], reply_markup=markup(walk[0]["keyboard"]))

    for number in range(1, len(walk)):

        async def go_on(query: CallbackQuery, state: FSMContext, number: int = number) -> None:
            if number < len(walk) - 1:
                await state.update_data({f"step{number}": query.data})
                await state.set_state(states[number])
            else:
                await state.get_data()
                await state.clear()
            await query.answer()
            if isinstance(query.message, Message):
                await query.message.edit_text(walk[number]["text"], reply_markup=markup(walk[number]["keyboard"]))

        router.callback_query(StateFilter(states[number - 1]))(go_on)
    dispatcher = Dispatcher(storage=storage)
    dispatcher.include_router(router)
    return dispatcher


def updates_of(people: int, steps: int) -> list[list[Update]]:
    """Make the updates of one form, decoded already: by steps, one for each person."""
    now = int(datetime.now(UTC).timestamp())
    waves = []
    for step in range(steps):
        wave = []
        for number in range(7_000, 7_000 + people):
            person = {"id": number, "is_bot": False, "first_name": "Ann", "language_code": "en"}
            chat = {"id": number, "type": "private", "first_name": "Ann"}
            message = {"message_id": 1, "date": now, "chat": chat, "from": person, "text": "/pain"}
            press = {"id": "1", "from": person, "chat_instance": "1", "data": "answer:0", "message": message}
            content = {"callback_query": press} if step else {"message": message}
            wave.append(Update.model_validate({"update_id": step * people + number, **content}))
        waves.append(wave)
    return waves


async def one_form(dispatcher: Dispatcher, bot: Bot, waves: list[list[Update]], together: int) -> None:
    """Let everybody go through the form once, step by step."""
    for wave in waves:
        if together == 1:
            for update in wave:
                await dispatcher.feed_update(bot, update)
            continue
        for start in range(0, len(wave), together):
            await asyncio.gather(*(dispatcher.feed_update(bot, each) for each in wave[start : start + together]))


async def measure(
    storage: BaseStorage, forms: int, people: int, walk: list[dict[str, Any]], together: int
) -> dict[str, float]:
    """Measure one round."""
    dispatcher = bot_for(walk, storage)
    bot = Bot("42:made-up", session=Silent(), default=DefaultBotProperties(parse_mode="HTML"))
    waves = updates_of(people, len(walk))
    await one_form(dispatcher, bot, waves, together)
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(forms):
        await one_form(dispatcher, bot, waves, together)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await storage.close()
    steps = forms * people * len(walk)
    return {"steps_per_second": steps / wall, "cpu_us_per_step": cpu / steps * 1e6}


def _redis() -> AbstractContextManager[str]:
    from own_redis import redis  # there is no wheel with a Redis in it for Python 3.13 and newer

    running: AbstractContextManager[str] = redis()
    return running


def main() -> None:
    """Measure one round."""
    forms, people, walk, kind = sys.argv[1:]
    with _redis() if kind == "redis" else nullcontext("") as socket:
        storage = RedisStorage.from_url(f"unix://{socket}") if socket else MemoryStorage()
        shown = json.loads(Path(walk).read_text())
        figures = uvloop.run(measure(storage, int(forms), int(people), shown, TOGETHER[kind]))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
