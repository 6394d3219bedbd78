"""Answers whoever is about to pay: Telegram waits ten seconds for it, so it goes past the dialogue and the outbox.

What is paid then comes as a message and goes the way of all messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrebot.dialogue import donations
from migrebot.errors import NotSent, Refused, StorageUnavailable, Uncertain
from migrebot.i18n import translator
from migrebot.languages import LANGUAGES, choose
from migrebot.logs import get_logger
from storage.changes import Unit
from storage.facts import BillById
from storage.records import InboxKey

if TYPE_CHECKING:
    from actors.telegram_client import TelegramClient
    from migrebot.clock import Clock
    from migrebot.messages import Checkout
    from storage.interface import Storage

LOOKING_UP = 4.0
"""Seconds to find the bill in; the other six are for the way here and back."""

_log = get_logger("telegram")


class Cashier:
    """Compares what is about to be paid with the bill as it is stored."""

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def answer(self, client: TelegramClient, checkout: Checkout) -> bool:
        """Let the payment go through, or stop it with a reason; tell whether that is noted for good.

        If not, it has to come again; answering twice does no harm. Bounded in time, raises nothing.
        """
        try:
            answered = await self._answered(client, checkout)
            return answered and await self._noted(checkout)
        except StorageUnavailable as error:
            _log.warning("checkout_not_noted", reason=str(error))
            return False

    async def _answered(self, client: TelegramClient, checkout: Checkout) -> bool:
        reason = donations.cannot_tell(translator(choose(checkout.profile.language_code, LANGUAGES[0])))
        with self._clock.move_on_after(LOOKING_UP):
            try:
                if _key(checkout) in await self._storage.handled([_key(checkout)]):
                    return True
                reason = await self._objection(checkout)
            except StorageUnavailable as error:
                _log.warning("checkout_not_looked_up", reason=str(error))
        try:
            await client.answer_checkout(checkout.query_id, reason)
        except Refused as refused:
            _log.warning("checkout_too_late", reason=refused.reason)
        except (NotSent, Uncertain) as error:
            _log.warning("checkout_not_answered", reason=error.reason)
            return False
        else:
            _log.info("checkout_answered", stopped=bool(reason))
        return True

    async def _objection(self, checkout: Checkout) -> str:
        [conversation] = await self._storage.who([(checkout.address, checkout.profile)], self._clock.now())
        bill = None
        if (bill_id := donations.bill_id(checkout.payload)) is not None:
            fact = BillById(conversation.user.id, bill_id)
            bill = (await self._storage.load([fact]))[fact]
        return donations.objection(checkout, bill, translator(conversation.user.language))

    async def _noted(self, checkout: Checkout) -> bool:
        [result] = await self._storage.commit([Unit(key=_key(checkout))], self._clock.now())
        return result.outcome != "failed"


def _key(checkout: Checkout) -> InboxKey:
    return InboxKey(checkout.address.channel, checkout.key)
