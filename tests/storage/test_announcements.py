"""Who gets an announcement, and that nobody gets it twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migrebot.announcements.announcement import Announcement, AnnouncementWish, Counts, Sizes
from migrebot.messages import Address, Priority, Profile
from storage.changes import (
    CancelQueued,
    DropAnnouncement,
    EndAnnouncement,
    Enqueue,
    EraseUser,
    MergeUsers,
    MissRecipient,
    Mute,
    SaveAnnouncement,
    SaveAnnouncementWish,
    SaveHeadache,
    SaveIdentity,
    SkipRecipient,
    StartAnnouncement,
    SteerAnnouncement,
    TakeRecipient,
    Unit,
)
from storage.facts import AllOf, AnnouncementCounts, AnnouncementWishOf, AudienceSizes, OpenAnnouncements
from storage.interface import GivenUp, Postponed, Sent
from storage.records import Identity, Recipient
from tests.storage.samples import ANNA, BORIS, HOUR, NOW, ask, commit, headache, message, person, stored
from tests.storage.test_forgetting import retention

if TYPE_CHECKING:
    from migrebot.announcements.announcement import Audience
    from migrebot.messages import Ticket
    from storage.interface import Storage

pytestmark = pytest.mark.anyio

SECOND = Address("telegram", "2002")
OWNER = Address("telegram", "1")
LATELY = NOW - timedelta(days=31)


def draft(id_: int = 1, **texts: str) -> Announcement:
    return Announcement(id=id_, created_at=NOW, texts=texts or {"en": "<b>News</b>"})


def start(id_: int = 1, audience: Audience = "all") -> StartAnnouncement:
    return StartAnnouncement(id=id_, audience=audience, lately=LATELY, card=OWNER, card_id="7")


def steer(state: str, id_: int = 1) -> SteerAnnouncement:
    return SteerAnnouncement(id=id_, state=state, card=OWNER, card_id="8")  # type: ignore[arg-type]


async def begun(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveAnnouncement(draft()), start())


def posted(user_id: int = 1001, address: Address = ANNA) -> Unit:
    key = f"announcement:1:{user_id}"
    outgoing = message("News", address, user_id=user_id, key=key, priority=Priority.ANNOUNCEMENT)
    return Unit(changes=(Enqueue(outgoing), TakeRecipient(1, user_id, key)), user_id=user_id)


async def take(storage: Storage, user_id: int = 1001, address: Address = ANNA) -> Ticket:
    [result] = await storage.commit([posted(user_id, address)], NOW)
    assert result.outcome == "done", result
    return result.tickets[0]


async def counts(storage: Storage) -> Counts:
    return await ask(storage, AnnouncementCounts(0, 1))


async def waiting(storage: Storage) -> list[int]:
    zones = await storage.recipient_zones(1)
    return [one.user_id for one in await storage.waiting_recipients(1, zones, 100)] if zones else []


async def test_a_draft_is_changed_until_it_is_sent(storage: Storage) -> None:
    await person(storage)
    await stored(storage, SaveAnnouncement(draft(en="Old")))
    await stored(storage, SaveAnnouncement(draft(en="New", ru="<b>Новое</b>")))
    assert await ask(storage, OpenAnnouncements(0)) == (draft(en="New", ru="<b>Новое</b>"),)
    await stored(storage, start())
    assert (await commit(storage, SaveAnnouncement(draft()))).outcome == "failed"
    await stored(storage, DropAnnouncement(1))
    [announcement] = await ask(storage, OpenAnnouncements(404))
    assert announcement.texts == {"en": "New", "ru": "<b>Новое</b>"}
    assert (announcement.state, announcement.chosen, announcement.card, announcement.card_id) == (
        "sending",
        1,
        OWNER,
        "7",
    )
    await stored(storage, SaveAnnouncement(draft(2)))
    assert (await commit(storage, start())).outcome == "failed"
    assert (await commit(storage, start(2))).outcome == "failed", "one at a time"
    await stored(storage, DropAnnouncement(2))
    assert [one.id for one in await ask(storage, OpenAnnouncements(0))] == [1]


async def test_audiences_are_those_of_the_daily_report_without_those_who_want_none(storage: Storage) -> None:
    people = [(await person(storage, Address("telegram", str(n)))).user.id for n in (11, 12, 13, 14, 15)]
    recorded = {11: NOW, 12: LATELY - HOUR, 14: NOW}
    for user_id, at in recorded.items():
        await stored(storage, SaveHeadache(headache(user_id, user_id, created_at=at)))
    await stored(storage, SaveHeadache(headache(13, 13, deleted_at=NOW)))
    await stored(storage, SaveAnnouncementWish(AnnouncementWish(user_id=14, is_off=True)))
    await stored(storage, SaveAnnouncementWish(AnnouncementWish(user_id=15)))
    totals = await storage.totals(LATELY)
    assert await ask(storage, AudienceSizes(0, LATELY)) == Sizes(all=4, active=2, super_active=1, off=1)
    assert (totals.users, totals.active, totals.super_active) == (5, 3, 2)
    for id_, (audience, wanted) in enumerate(
        {"all": [11, 12, 13, 15], "active": [11, 12], "super-active": [11]}.items(), 1
    ):
        await stored(storage, SaveAnnouncement(draft(id_)), start(id_, audience))  # type: ignore[arg-type]
        found = await storage.waiting_recipients(id_, ["", "Europe/Paris"], 100)
        assert found == [Recipient(user_id=user_id, language="en") for user_id in wanted]
        assert (await ask(storage, AnnouncementCounts(0, id_))).off == 1
        await stored(storage, steer("cancelled", id_), EndAnnouncement(id_))
    assert people == [11, 12, 13, 14, 15]


async def test_each_person_is_taken_once(storage: Storage) -> None:
    await begun(storage)
    assert await storage.recipient_zones(1) == [""]
    await take(storage)
    [again] = await storage.commit([posted()], NOW)
    assert again.outcome == "failed"
    [twice, other] = await storage.commit([posted(), Unit()], NOW)
    assert (twice.outcome, other.outcome) == ("failed", "done")
    assert await counts(storage) == Counts(queued=1)
    assert await waiting(storage) == []
    assert await storage.settle_announcement(1) == 1


@pytest.mark.parametrize(
    ("reason", "mute", "outcome"),
    [
        ("bot was blocked", True, "blocked"),
        ("window", False, "outside"),
        ("outcome unknown", False, "unknown"),
        ("message is too long", False, "failed"),
    ],
)
async def test_what_became_of_it_is_noted(storage: Storage, reason: str, mute: bool, outcome: str) -> None:
    await begun(storage)
    ticket = await take(storage)
    await storage.claim([ticket.id], NOW)
    await storage.settle([GivenUp(id=ticket.id, reason=reason, mute=mute)], NOW)
    assert await storage.settle_announcement(1) == 0
    assert await counts(storage) == Counts(**{outcome: 1})
    await stored(storage, EndAnnouncement(1))
    assert await ask(storage, OpenAnnouncements(0)) == ()


@pytest.mark.parametrize("settled", [True, False])
async def test_what_the_messenger_took_and_could_not_deliver_is_counted_as_outside(
    storage: Storage, *, settled: bool
) -> None:
    await begun(storage)
    ticket = await take(storage)
    await storage.claim([ticket.id], NOW)
    await storage.settle([Sent(ticket.id, "SM1")], NOW)
    if settled:
        await storage.settle_announcement(1)
        assert await counts(storage) == Counts(sent=1)
    await stored(storage, MissRecipient("whatsapp", "SM1"), MissRecipient(ANNA.channel, "SM2"))
    assert await counts(storage) != Counts(outside=1)
    await stored(storage, MissRecipient(ANNA.channel, "SM1"))
    assert await storage.settle_announcement(1) == 0
    assert await counts(storage) == Counts(outside=1)


async def test_what_was_sent_stays_so_when_its_row_is_purged(storage: Storage) -> None:
    await begun(storage)
    ticket = await take(storage)
    await storage.claim([ticket.id], NOW)
    await storage.settle([Sent(ticket.id, "1")], NOW)
    await storage.settle_announcement(1)
    await storage.purge(retention(settled=NOW + HOUR))
    assert await counts(storage) == Counts(sent=1)
    await storage.commit([Unit(changes=(EndAnnouncement(1),))], NOW)
    await storage.purge(retention(settled=NOW + HOUR))
    assert await counts(storage) == Counts()
    await stored(storage, SaveAnnouncement(draft()))


async def test_whoever_blocked_one_messenger_waits_for_the_other(storage: Storage) -> None:
    await begun(storage)
    await stored(storage, SaveIdentity(Identity(address=SECOND, user_id=1001, profile=Profile(), seen_at=NOW)))
    ticket = await take(storage)
    await storage.claim([ticket.id], NOW)
    await storage.settle([GivenUp(id=ticket.id, reason="bot was blocked", mute=True)], NOW)
    await storage.settle_announcement(1)
    assert await counts(storage) == Counts(waiting=1)


async def test_one_that_is_paused_takes_back_what_waits_and_what_goes_goes_no_second_time(storage: Storage) -> None:
    await person(storage, BORIS)
    await begun(storage)
    boris = (await storage.who([(BORIS, Profile())], NOW))[0].user.id
    going, resting = await take(storage), await take(storage, boris, BORIS)
    assert await storage.settle_announcement(1) == 1, "a local chat does not count"
    await storage.claim([going.id], NOW)
    await stored(storage, steer("paused"))
    assert await storage.claim([resting.id], NOW) == []
    assert await counts(storage) == Counts(queued=1, waiting=1)
    [refused] = await storage.commit([posted(boris, BORIS)], NOW)
    assert refused.outcome == "failed", "nothing is taken while it is paused"
    assert (await commit(storage, EndAnnouncement(1))).outcome == "failed"
    await storage.settle([Postponed(id=going.id, not_before=NOW, reason="429", reached=False)], NOW)
    await storage.settle_announcement(1)
    assert await counts(storage) == Counts(waiting=2)
    await stored(storage, steer("sending"))
    assert (await take(storage)).id != going.id
    await stored(storage, steer("cancelled"))
    assert (await commit(storage, steer("sending"))).outcome == "failed"
    await stored(storage, EndAnnouncement(1))


async def test_a_restart_takes_back_what_waits_and_not_what_may_have_gone(storage: Storage) -> None:
    await person(storage, BORIS)
    await begun(storage)
    boris = (await storage.who([(BORIS, Profile())], NOW))[0].user.id
    going, _ = await take(storage), await take(storage, boris, BORIS)
    await storage.claim([going.id], NOW)
    assert await storage.recover(NOW) == []
    await storage.settle_announcement(1)
    assert await counts(storage) == Counts(unknown=1, waiting=1)
    assert await waiting(storage) == [boris]


async def test_the_end_of_a_day_takes_back_what_waits(storage: Storage) -> None:
    await begun(storage)
    ticket = await take(storage)
    await storage.withdraw_announcement(1, NOW)
    assert await storage.claim([ticket.id], NOW) == []
    assert await waiting(storage) == [1001]


async def test_whoever_is_skipped_waits_no_longer(storage: Storage) -> None:
    await begun(storage)
    await stored(storage, SkipRecipient(1, 1001, "outside"))
    await stored(storage, SkipRecipient(1, 1001, "blocked"))
    assert await counts(storage) == Counts(outside=1)


async def test_nothing_is_taken_for_an_address_that_is_muted_meanwhile(storage: Storage) -> None:
    await begun(storage)
    await stored(storage, Mute(ANNA, "blocked"))
    [result] = await storage.commit([posted()], NOW)
    assert result.outcome == "failed"
    assert await counts(storage) == Counts(waiting=1)


async def test_whoever_is_erased_or_unreachable_by_then_is_none_of_them(storage: Storage) -> None:
    await begun(storage)
    await take(storage)
    await stored(storage, EraseUser(1001))
    assert await storage.settle_announcement(1) == 0
    assert await counts(storage) == Counts()
    assert await storage.recover(NOW) == []
    [announcement] = await ask(storage, OpenAnnouncements(0))
    assert announcement.chosen == 1


@pytest.mark.parametrize("who", ["loser", "winner", "both", "nobody"])
async def test_two_who_become_one_get_it_once(storage: Storage, who: str) -> None:
    boris = (await person(storage, BORIS)).user.id
    await begun(storage)
    tickets = []
    if who in ("loser", "both"):
        tickets.append(await take(storage, boris, BORIS))
    if who in ("winner", "both"):
        tickets.append(await take(storage))
    await stored(storage, MergeUsers(1001, boris))
    claimed = await storage.claim([ticket.id for ticket in tickets], NOW)
    assert len(claimed) == (0 if who == "nobody" else 1)
    await storage.settle_announcement(1)
    assert await counts(storage) == (Counts(waiting=1) if who == "nobody" else Counts(queued=1))


async def test_a_wish_is_kept_and_joined(storage: Storage) -> None:
    boris = (await person(storage, BORIS)).user.id
    await person(storage)
    assert await ask(storage, AnnouncementWishOf(1001)) == AnnouncementWish(user_id=1001)
    assert (await ask(storage, AllOf(1001))).announcement_wish is None
    await stored(storage, SaveAnnouncementWish(AnnouncementWish(user_id=boris, is_off=True)))
    await stored(storage, MergeUsers(1001, boris))
    off = AnnouncementWish(user_id=1001, is_off=True)
    assert await ask(storage, AnnouncementWishOf(1001)) == off
    assert (await ask(storage, AllOf(1001))).announcement_wish == off
    await stored(storage, SaveAnnouncement(draft()), start())
    assert await counts(storage) == Counts(off=1)
    await stored(storage, CancelQueued("none"))
