"""Messages to the owner: whose copy is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrebot.messages import Address
from storage.changes import Enqueue, EraseUser, Mute, SaveCorrespondence, SaveLetter
from storage.facts import AllOf, CorrespondenceOf, LetterById, LetterCopiedIn, SeenLast, UserAt
from storage.interface import Sent
from storage.records import Correspondence, Letter
from tests.storage.samples import ANNA, BORIS, NOW, ask, commit, message, person, stored

if TYPE_CHECKING:
    from storage.interface import Storage

pytestmark = pytest.mark.anyio

LETTER = Letter(id=7, user_id=1001, address=ANNA, written_at=NOW)
KEYS = ("letter:7:0", "letter:7:1")


async def written(storage: Storage) -> list[int]:
    """Let Anna write to Boris, who owns the bot, in two parts; gives the rows of the outbox."""
    await person(storage)
    boris = await person(storage, BORIS)
    copies = [Enqueue(message(address=BORIS, user_id=boris.user.id, key=key)) for key in KEYS]
    result = await stored(storage, *copies, SaveLetter(LETTER, KEYS))
    return [ticket.id for ticket in result.tickets]


async def test_a_letter_is_found_by_the_messengers_name_of_any_of_its_copies(storage: Storage) -> None:
    ids = await written(storage)
    await storage.claim(ids, NOW)
    await storage.settle([Sent(row_id, f"m{row_id}") for row_id in ids], NOW)
    for row_id in ids:
        assert await ask(storage, LetterCopiedIn(2, BORIS, f"m{row_id}")) == LETTER
    assert await ask(storage, LetterCopiedIn(2, Address("local", "another"), f"m{ids[0]}")) is None
    assert await ask(storage, LetterCopiedIn(2, BORIS, "")) is None
    assert await ask(storage, LetterById(2, 7)) == LETTER
    assert await ask(storage, LetterById(2, 8)) is None
    assert (await ask(storage, AllOf(1001))).letters == (LETTER,)


async def test_a_message_that_is_no_copy_is_no_letter(storage: Storage) -> None:
    await written(storage)
    [other] = (await stored(storage, Enqueue(message(address=BORIS)))).tickets
    await storage.claim([other.id], NOW)
    await storage.settle([Sent(other.id, "m")], NOW)
    assert await ask(storage, LetterCopiedIn(2, BORIS, "m")) is None


async def test_with_their_writer_copies_go_that_wait(storage: Storage) -> None:
    ids = await written(storage)
    await stored(storage, EraseUser(1001))
    assert await storage.claim(ids, NOW) == []
    assert await ask(storage, LetterById(2, 7)) is None


async def test_what_somebody_wants_of_letters_is_kept(storage: Storage) -> None:
    await person(storage)
    assert await ask(storage, CorrespondenceOf(1001)) == Correspondence(user_id=1001)
    wishes = Correspondence(user_id=1001, agreed_at=NOW, form_expired_at=NOW)
    await stored(storage, SaveCorrespondence(Correspondence(user_id=1001)))
    await stored(storage, SaveCorrespondence(wishes))
    assert await ask(storage, CorrespondenceOf(1001)) == wishes
    assert (await ask(storage, AllOf(1001))).correspondence == wishes
    assert (await commit(storage, SaveCorrespondence(Correspondence(user_id=404)))).outcome == "failed"


async def test_who_writes_from_an_address_can_be_asked(storage: Storage) -> None:
    anna = await person(storage)
    assert await ask(storage, UserAt(2, ANNA)) == anna.user
    assert await ask(storage, UserAt(2, Address("local", "nobody"))) is None
    await stored(storage, Mute(ANNA, "blocked"))
    assert await ask(storage, UserAt(2, ANNA)) is None
    assert await ask(storage, SeenLast(2, "telegram")) == ANNA
    assert await ask(storage, SeenLast(2, "local")) is None
