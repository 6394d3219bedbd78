"""Who is to be asked the regular question, and where."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import pytest

from migrebot.messages import Address, Profile, QuestionDue
from migrebot.reminders.questions import Asking
from storage.changes import EraseUser, MoveQuestion, Mute, SaveAsking, SaveIdentity, Unmute
from storage.facts import AllOf, AskingOf
from storage.records import Identity
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, ask, commit, person, stored, with_session

if TYPE_CHECKING:
    from datetime import datetime

    from storage.interface import Storage

pytestmark = pytest.mark.anyio

SECOND = Address("whatsapp", "whatsapp:+1")


def asking(user_id: int = 1001, next_at: datetime | None = NOW) -> Asking:
    return Asking(user_id=user_id, every=2, at=time(7, 5), next_at=next_at)


async def test_questions_are_due_in_their_order(storage: Storage) -> None:
    assert await storage.next_question() is None
    boris = (await person(storage, BORIS)).user.id
    await person(storage)
    await stored(storage, SaveAsking(asking(next_at=NOW + HOUR)), SaveAsking(asking(boris, NOW)))
    assert await storage.next_question() == NOW
    first, second = QuestionDue(user_id=boris, due_at=NOW), QuestionDue(user_id=1001, due_at=NOW + HOUR)
    assert await storage.due_questions(NOW, 10) == [first]
    assert await storage.due_questions(NOW + HOUR, 10) == [first, second]
    assert await storage.due_questions(NOW + HOUR, 1) == [first]


async def test_whoever_is_not_asked_is_never_due(storage: Storage) -> None:
    await person(storage)
    assert await ask(storage, AskingOf(1001)) == Asking(user_id=1001)
    assert (await ask(storage, AllOf(1001))).asking is None
    await stored(storage, SaveAsking(asking(next_at=None)))
    assert await storage.next_question() is None
    assert await storage.due_questions(NOW, 10) == []


async def test_nobody_who_cannot_be_written_to_is_due(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveAsking(asking()), Mute(ANNA, "blocked"))
    assert await storage.next_question() is None
    assert await storage.due_questions(NOW, 10) == []
    assert await storage.reachable(1001) is None
    await stored(storage, Unmute(ANNA))
    assert len(await storage.due_questions(NOW, 10)) == 1


async def test_a_person_is_reached_where_they_wrote_last(storage: Storage) -> None:
    anna = await person(storage)
    form = await with_session(storage)
    second = Identity(address=SECOND, user_id=1001, profile=Profile(), seen_at=NOW + HOUR)
    await stored(storage, SaveIdentity(second))
    reached = await storage.reachable(1001)
    assert reached is not None
    assert (reached.user, reached.identity, reached.session) == (anna.user, second, form)
    await stored(storage, Mute(SECOND, "left"))
    reached = await storage.reachable(1001)
    assert reached is not None
    assert reached.identity == anna.identity
    assert await storage.reachable(404) is None


async def test_only_somebody_known_can_be_asked(storage: Storage) -> None:
    assert (await commit(storage, SaveAsking(asking(404)))).outcome == "failed"


async def test_nobody_who_was_erased_is_asked(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveAsking(asking()), EraseUser(1001))
    assert await storage.next_question() is None
    assert await ask(storage, AskingOf(1001)) == Asking(user_id=1001)


async def test_a_planned_question_is_moved_unless_it_was_planned_otherwise_meanwhile(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveAsking(asking(next_at=NOW)))
    assert (await commit(storage, MoveQuestion(1001, NOW, NOW + HOUR))).outcome == "done"
    assert (await commit(storage, MoveQuestion(1001, NOW, NOW + 2 * HOUR))).outcome == "failed"
    assert (await commit(storage, MoveQuestion(404, NOW, NOW + HOUR))).outcome == "failed"
    assert (await ask(storage, AskingOf(1001))).next_at == NOW + HOUR
