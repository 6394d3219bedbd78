"""Answering: from the messages of a batch to what is to be stored, asking for facts until all is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import structlog

from actors.actor import attempt
from actors.batch import Item, key_of, question_key, timer_key
from migrebot.dialogue import maintenance
from migrebot.dialogue.menus.question import ask_regularly
from migrebot.dialogue.menus.report import LoginLink
from migrebot.dialogue.outcome import changes_of
from migrebot.dialogue.router import expire, meanwhile, released, respond
from migrebot.dialogue.turn import Answer, Facts, FactsMissing, Setup, Turn, say
from migrebot.dialogue.whereabouts import ZonesAt
from migrebot.errors import StorageUnavailable
from migrebot.ids import RepeatableIds
from migrebot.messages import FormExpired, Inbound, QuestionDue, Text, Undecodable
from storage.changes import ReleaseMessage, SaveUser, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from actors.backlog import Backlog
    from actors.map_room import MapRoom
    from migrebot.clock import Clock
    from migrebot.flood import Verdict
    from storage.facts import Fact
    from storage.interface import Storage
    from storage.records import Conversation

MAX_ROUNDS = 20
"""How often a message may ask for more facts: a handler that never has enough must not hold up the others."""

BREATH = 4
"""Messages worked out at a stretch: between them others go on, not least what stores the batch before."""

log = structlog.get_logger("dialogue")


class Answering:
    """Works out answers, and stores nothing.

    `login_link` makes a link to the owner's page, see `LoginLink`; the backlog tells whether there is maintenance.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        setup: Setup,
        new_id: Callable[[], int],
        backlog: Backlog,
        map_room: MapRoom,
        login_link: Callable[[bool], str],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._setup = setup
        self._new_id = new_id
        self._backlog = backlog
        self._map_room = map_room
        self._login_link = login_link

    async def answer(self, items: list[Item]) -> None:
        """Give each item its unit, or the error its handling raised; facts they ask for are loaded on the way."""
        loaded: dict[Fact[Any], Any] = {}
        open_items = [item for item in items if item.conversation is not None]
        for _ in range(MAX_ROUNDS):
            missing: set[Fact[Any]] = set()
            undecided = []
            for number, item in enumerate(open_items):
                if number % BREATH == BREATH - 1:
                    await anyio.lowlevel.checkpoint()
                result = await attempt(self._unit(item, Facts(loaded)))
                if isinstance(result, FactsMissing):
                    place = next((fact for fact in result.facts if isinstance(fact, ZonesAt)), None)
                    if place is not None and self._waits_for_map(item, place, loaded):
                        continue
                    missing.update(set(result.facts) - loaded.keys())
                    undecided.append(item)
                elif isinstance(result, Exception):
                    item.error = type(result).__name__
                    log.error("message_failed", exc_info=result)
                else:
                    item.unit = result
            if missing:
                loaded |= await self._load(missing)
            if not (open_items := undecided):
                return
        for item in open_items:
            item.error = "it asks for ever new facts"

    def _waits_for_map(self, item: Item, place: ZonesAt, loaded: dict[Fact[Any], Any]) -> bool:
        """Let a message wait for its place, beside all others; tell whether it does, or whether the place is known."""
        if item.was_on_map or item.held is not None or not isinstance(item.envelope.message, Inbound):
            return False
        zones = self._map_room.found(item.envelope)
        if zones is not None:
            loaded[place], item.was_on_map = zones, True
            return False
        item.place = place
        return True

    async def _load(self, facts: set[Fact[Any]]) -> dict[Fact[Any], Any]:
        """Load the facts; one that cannot be loaded is left out, and whoever asks for it again is set aside."""
        found = await attempt(self._look_up(facts))
        if isinstance(found, StorageUnavailable):
            raise found
        if not isinstance(found, Exception):
            return found
        log.error("facts_failed", exc_info=found)
        if len(facts) == 1:
            return {}
        loaded: dict[Fact[Any], Any] = {}
        for fact in facts:
            loaded |= await self._load({fact})
        return loaded

    async def _look_up(self, facts: set[Fact[Any]]) -> dict[Fact[Any], Any]:
        on_the_map = {fact for fact in facts if isinstance(fact, ZonesAt)}
        links = {fact for fact in facts if isinstance(fact, LoginLink)}
        found = await self._storage.load(facts - on_the_map - links)
        for fact in on_the_map:
            found[fact] = await self._map_room.find(fact)
        for link in links:
            found[link] = self._login_link(link.is_here)
        return found

    async def _unit(self, item: Item, facts: Facts) -> Unit:
        message, conversation = item.envelope.message, item.conversation
        if conversation is None or isinstance(message, Undecodable):
            raise TypeError("nobody to answer")
        turn = self._turn(item, conversation, facts)
        if isinstance(message, FormExpired):
            changes = changes_of(turn, expire(turn))
            return Unit(changes=changes, key=timer_key(message, conversation), user_id=conversation.user.id)
        if isinstance(message, QuestionDue):
            changes = changes_of(turn, ask_regularly(turn, message.due_at))
            return Unit(changes=changes, key=question_key(message), user_id=conversation.user.id)
        if item.held is not None:
            answer = released(turn, is_first=item.held.is_first)
            changes = (ReleaseMessage(item.held.id), *changes_of(turn, answer, message.profile))
            return Unit(changes=changes, user_id=conversation.user.id)
        answer = self._answered(turn, message, item.envelope.mark)
        item.is_foreign = answer.is_foreign
        changes = changes_of(turn, answer, message.profile)
        is_known = not conversation.is_new or any(isinstance(change, SaveUser) for change in changes)
        return Unit(changes=changes, key=key_of(message), user_id=conversation.user.id if is_known else None)

    def _turn(self, item: Item, conversation: Conversation, facts: Facts) -> Turn:
        """Give the turn of this round: the same ids and the same moment as in the rounds before."""
        message = item.envelope.message
        if item.ids is None:
            item.ids = RepeatableIds(self._new_id)
        item.ids.rewind()
        if item.now is None:
            # A fact that is asked for up to now would be another one each time.
            item.now = self._clock.now()
        return Turn(
            content=message.content if isinstance(message, Inbound) else Text(""),
            conversation=conversation,
            now=item.now,
            new_id=item.ids,
            setup=self._setup,
            facts=facts,
            message_id=message.message_id if isinstance(message, Inbound) else "",
        )

    def _answered(self, turn: Turn, message: Inbound, verdict: Verdict) -> Answer:
        if verdict == "tell":
            return _slow_down(turn)
        is_over = not self._backlog.is_maintenance
        waits = self._backlog.is_maintenance or self._backlog.is_releasing
        if waits and maintenance.concerns(turn, is_over=is_over):
            return meanwhile(turn, message, is_over=is_over)
        return respond(turn)


def _slow_down(turn: Turn) -> Answer:
    return say(turn.tr("That was a lot at once, so I left out the last messages. Please wait a moment and go on."))
