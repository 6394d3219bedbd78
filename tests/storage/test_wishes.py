"""What the owner asked of the backups, and what the program remembers of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from storage.changes import DropWish, EraseUser, MergeUsers, Note, SaveWish
from storage.facts import Noted, Wishes
from storage.records import Wish
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, ask, commit, person, stored

if TYPE_CHECKING:
    from storage.interface import Storage

pytestmark = pytest.mark.anyio

TOKEN = Wish(kind="token", id=1, user_id=1001, address=ANNA, asked_at=NOW, token="secret")
BACKUP = Wish(kind="backup", id=2, user_id=1001, address=ANNA, asked_at=NOW + HOUR)


async def test_there_is_one_wish_of_a_kind_and_the_latest_counts(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveWish(BACKUP), SaveWish(TOKEN))
    assert await ask(storage, Wishes(0)) == (TOKEN, BACKUP)
    other = msgspec.structs.replace(TOKEN, id=3, token="another", asked_at=NOW + 2 * HOUR)
    await stored(storage, SaveWish(other))
    assert await ask(storage, Wishes(0)) == (BACKUP, other)


async def test_a_wish_is_done_once_and_with_all_that_belongs_to_it(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveWish(TOKEN))
    assert (await commit(storage, DropWish(1001, 9), Note("x", "1"))).outcome == "failed"
    assert (await commit(storage, DropWish(1002, 1), Note("x", "1"))).outcome == "failed"
    await stored(storage, DropWish(1001, 1), Note("y", "2"))
    assert (await commit(storage, DropWish(1001, 1), Note("x", "1"))).outcome == "failed"
    assert await ask(storage, Wishes(0)) == ()
    assert [await ask(storage, Noted(0, name)) for name in ("x", "y")] == ["", "2"]


async def test_wishes_go_with_whoever_had_them(storage: Storage) -> None:
    await person(storage)
    boris = (await person(storage, BORIS)).user.id
    await stored(storage, SaveWish(TOKEN))
    await stored(storage, MergeUsers(boris, 1001))
    [wish] = await ask(storage, Wishes(0))
    assert wish.user_id == boris
    await stored(storage, EraseUser(boris))
    assert await ask(storage, Wishes(0)) == ()


async def test_a_note_is_replaced_and_forgotten(storage: Storage) -> None:
    await stored(storage, Note("a", "1"), Note("b", "2"))
    await stored(storage, Note("a", "3"), Note("b", ""))
    assert [await ask(storage, Noted(0, name)) for name in ("a", "b", "c")] == ["3", "", ""]


def test_a_wish_and_a_note_do_not_show_the_token() -> None:
    assert "secret" not in repr((TOKEN, SaveWish(TOKEN), Note("disk token", "secret")))
