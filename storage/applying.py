"""What a driver has to execute for each change: named SQL and its values, as data, shared by the drivers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from migrebot.diary.entries import days_touched
from migrebot.messages import Outgoing, Ticket
from storage import (
    announcement_rows,
    columns,
    diary_rows,
    donation_rows,
    held_rows,
    letter_rows,
    link_rows,
    reminder_rows,
    report_rows,
    rows,
)
from storage.changes import (
    CancelQueued,
    Change,
    ClaimLinkCode,
    CloseDay,
    DropAnnouncement,
    DropLinkCode,
    DropWish,
    EndAnnouncement,
    EndSession,
    Enqueue,
    EraseUser,
    ForgetInstant,
    HoldMessage,
    MarkFree,
    MergeUsers,
    MissRecipient,
    MoveOccurrence,
    MoveQuestion,
    MoveReminder,
    Mute,
    Note,
    NoteFate,
    NoteInstant,
    NoteNumber,
    NoteRefund,
    OfferKeyboard,
    ReleaseMessage,
    SaveAnnouncement,
    SaveAnnouncementWish,
    SaveAsking,
    SaveBill,
    SaveCorrespondence,
    SaveDrug,
    SaveHeadache,
    SaveIdentity,
    SaveIntake,
    SaveIntakes,
    SaveLastList,
    SaveLetter,
    SaveLinkCode,
    SaveLinkTry,
    SaveOccurrence,
    SaveOveruseNotice,
    SavePayment,
    SavePressure,
    SaveReminder,
    SaveSession,
    SaveUser,
    SaveWish,
    SetAsideMessage,
    Silence,
    SkipRecipient,
    StartAnnouncement,
    SteerAnnouncement,
    TakeRecipient,
    Unit,
    Unlink,
    UnmarkFree,
    Unmute,
)
from storage.columns import Row, clean
from storage.interface import GivenUp, Postponed, Sent, Settlement

if TYPE_CHECKING:
    from collections.abc import Callable


class Foreign(Exception):
    """A change names a row that belongs to another user, or is not as it was expected: its unit fails."""


class Statement(Struct, frozen=True, gc=False):
    """Named SQL and its values. If it is `owned` and touches no row, the row is another user's or has changed."""

    sql: str
    values: Row
    owned: bool = False


class Posting(Struct, frozen=True, gc=False):
    """A message for the outbox: `add` touches no row if its key waits already."""

    add: Statement
    message: Outgoing
    now: int

    def give_up_if_muted(self, row_id: int) -> Statement:
        """Give what has to follow `add`; if it touches a row, there is no ticket."""
        return Statement("give_up_if_muted", (self.now, row_id))

    def ticket(self, row_id: int) -> Ticket:
        """Give the ticket of the row."""
        return Ticket(int(self.message.priority), row_id, self.message.address, self.message.not_before)


Step = Statement | Posting


class PreparedUnit(Struct, frozen=True, gc=False):
    """A unit ready to be executed: if `receive` touches no row, the unit's key was handled before."""

    changes: tuple[Change, ...]
    receive: Statement | None
    steps: tuple[Step, ...]


def prepare(unit: Unit, now: int) -> PreparedUnit:
    """Work out all that has to be executed for a unit; raises `Foreign`."""
    steps: list[Step] = []
    for change in unit.changes:
        steps += _STEPS[type(change)](change, now)
    return PreparedUnit(unit.changes, _receive(unit, now), tuple(steps))


def _receive(unit: Unit, now: int) -> Statement | None:
    if unit.key is None:
        return None
    channel, key = unit.key.channel, clean(unit.key.key)
    if unit.quarantine:
        return Statement("receive", (channel, key, unit.user_id, "quarantined", now, unit.raw, clean(unit.quarantine)))
    return Statement("receive", (channel, key, unit.user_id, "done", now, None, None))


def _save_user(change: SaveUser, _now: int) -> tuple[Step, ...]:
    return (Statement("save_user", rows.user_values(change.user)),)


def _save_identity(change: SaveIdentity, _now: int) -> tuple[Step, ...]:
    return (Statement("save_identity", rows.identity_values(change.identity)),)


def _save_asking(change: SaveAsking, _now: int) -> tuple[Step, ...]:
    return (Statement("save_asking", rows.asking_values(change.asking)),)


def _save_correspondence(change: SaveCorrespondence, _now: int) -> tuple[Step, ...]:
    return (Statement("save_correspondence", letter_rows.correspondence_values(change.correspondence)),)


def _save_letter(change: SaveLetter, _now: int) -> tuple[Step, ...]:
    copies = (Statement("save_letter_copy", (change.letter.id, clean(key))) for key in change.keys)
    return (Statement("save_letter", letter_rows.letter_values(change.letter)), *copies)


def _save_bill(change: SaveBill, _now: int) -> tuple[Step, ...]:
    return (Statement("save_bill", donation_rows.bill_values(change.bill)),)


def _save_payment(change: SavePayment, _now: int) -> tuple[Step, ...]:
    return (Statement("save_payment", donation_rows.payment_values(change.payment), owned=True),)


def _note_refund(change: NoteRefund, _now: int) -> tuple[Step, ...]:
    return (Statement("note_refund", (columns.micros(change.at), clean(change.charge_id))),)


def _save_link_code(change: SaveLinkCode, _now: int) -> tuple[Step, ...]:
    return (Statement("save_link_code", link_rows.link_code_values(change.code)),)


def _claim_link_code(change: ClaimLinkCode, _now: int) -> tuple[Step, ...]:
    by = change.claimed_by
    values = (columns.micros(change.expires_at), by.channel, clean(by.value), change.user_id, change.hash)
    return (Statement("claim_link_code", values, owned=True),)


def _drop_link_code(change: DropLinkCode, _now: int) -> tuple[Step, ...]:
    return (Statement("drop_link_code", (change.user_id,)),)


def _save_link_try(change: SaveLinkTry, _now: int) -> tuple[Step, ...]:
    return (Statement("save_link_try", (change.id, change.user_id, columns.micros(change.tried_at))),)


def _unlink(change: Unlink, now: int) -> tuple[Step, ...]:
    address, to = ((place.channel, clean(place.value)) for place in (change.address, change.to))
    return (
        Statement("unlink", (*address, change.user_id), owned=True),
        Statement("unlink_session", (change.user_id, *address)),
        Statement("unlink_reminders", (*to, change.user_id, *address)),
        Statement("unlink_letters", (change.user_id, *address)),
        Statement("give_up_address", (now, "unlinked", *address)),
    )


_MOVES = (
    "merge_pressures",
    "merge_drugs",
    "merge_reminders",
    "merge_occurrences",
    "merge_letters",
    "merge_bills",
    "merge_payments",
    "merge_link_tries",
    "merge_wishes",
    "merge_inbox",
    "merge_outbox",
    "merge_held_messages",
)
_SINGLES = (
    "merge_sessions",
    "merge_questions",
    "merge_correspondences",
    "merge_overuse_notices",
    "merge_last_lists",
    "merge_announcement_wishes",
    "merge_announcement_recipients",
)


def _merge_users(change: MergeUsers, now: int) -> tuple[Step, ...]:
    winner, loser = change.winner, change.loser
    if winner == loser:
        raise Foreign("a user is no two users")
    return (
        Statement("merge_identities", (winner, loser), owned=True),
        Statement("merge_note_intakes", (loser,)),
        Statement("merge_intakes", (winner, loser)),
        Statement("merge_headaches", (winner, loser)),
        Statement("merge_join_intakes", ()),
        Statement("merge_end", ()),
        Statement("merge_free_days", (winner, loser, winner)),
        Statement("merge_clear_free", (winner,)),
        Statement("merge_rename_reminders", (loser, winner)),
        Statement("merge_twice_announced", (now, loser, winner)),
        Statement("merge_already_announced", (winner, loser)),
        *(Statement(name, (winner, loser)) for name in _MOVES),
        *(Statement(name, (winner, loser, winner)) for name in _SINGLES),
        Statement("merge_link_codes", (winner, loser)),
        Statement("erase_user", (loser,)),
        *((Statement("remember_erased", (loser,)),) if loser < 0 else ()),
    )


def _save_session(change: SaveSession, _now: int) -> tuple[Step, ...]:
    return (Statement("save_session", rows.session_values(change.session)),)


def _end_session(change: EndSession, _now: int) -> tuple[Step, ...]:
    return (Statement("end_session", (change.user_id,)),)


def _save_headache(change: SaveHeadache, _now: int) -> tuple[Step, ...]:
    attack = change.headache
    save = Statement("save_headache", diary_rows.headache_values(attack), owned=True)
    if attack.deleted_at is not None:
        return (save,)
    return (save, *(_clear_free(attack.user_id, day) for day in days_touched(attack)))


def _mark_free(change: MarkFree, _now: int) -> tuple[Step, ...]:
    return tuple(
        Statement("mark_free", (change.user_id, day, clean(change.source), change.user_id, day, day))
        for day in map(date.isoformat, change.days)
    )


def _unmark_free(change: UnmarkFree, _now: int) -> tuple[Step, ...]:
    return (_clear_free(change.user_id, change.day),)


def _clear_free(user_id: int, day: date) -> Statement:
    return Statement("clear_free", (user_id, day.isoformat()))


def _save_intakes(change: SaveIntakes, _now: int) -> tuple[Step, ...]:
    for intake in change.intakes:
        if intake.user_id != change.user_id or intake.headache_id != change.headache_id:
            raise Foreign("an intake of another attack")
    return (
        Statement("clear_intakes", (change.headache_id, change.user_id)),
        *(
            Statement("save_intake", diary_rows.intake_values(intake, position), owned=True)
            for position, intake in enumerate(change.intakes)
        ),
    )


def _save_intake(change: SaveIntake, _now: int) -> tuple[Step, ...]:
    return (Statement("save_intake", diary_rows.intake_values(change.intake), owned=True),)


def _save_pressure(change: SavePressure, _now: int) -> tuple[Step, ...]:
    return (Statement("save_pressure", diary_rows.pressure_values(change.pressure), owned=True),)


def _save_drug(change: SaveDrug, _now: int) -> tuple[Step, ...]:
    return (Statement("save_drug", diary_rows.drug_values(change.drug), owned=True),)


def _save_overuse_notice(change: SaveOveruseNotice, _now: int) -> tuple[Step, ...]:
    return (Statement("save_overuse_notice", diary_rows.overuse_notice_values(change.notice)),)


def _save_reminder(change: SaveReminder, _now: int) -> tuple[Step, ...]:
    return (Statement("save_reminder", reminder_rows.reminder_values(change.reminder), owned=True),)


def _move_reminder(change: MoveReminder, _now: int) -> tuple[Step, ...]:
    next_at, due_at = columns.maybe_micros(change.next_at), columns.micros(change.due_at)
    return (Statement("save_next_firing", (next_at, change.fired, change.id, change.user_id, due_at), owned=True),)


def _move_question(change: MoveQuestion, _now: int) -> tuple[Step, ...]:
    values = (columns.micros(change.next_at), change.user_id, columns.micros(change.due_at))
    return (Statement("move_question", values, owned=True),)


def _save_occurrence(change: SaveOccurrence, _now: int) -> tuple[Step, ...]:
    return (Statement("save_occurrence", reminder_rows.occurrence_values(change.occurrence), owned=True),)


def _move_occurrence(change: MoveOccurrence, _now: int) -> tuple[Step, ...]:
    again_at, due_at = columns.maybe_micros(change.again_at), columns.micros(change.due_at)
    return (Statement("save_next_repeat", (again_at, change.nagged, change.id, change.user_id, due_at), owned=True),)


def _silence(change: Silence, _now: int) -> tuple[Step, ...]:
    return (Statement("silence", (change.reminder_id, change.user_id)),)


def _save_last_list(change: SaveLastList, _now: int) -> tuple[Step, ...]:
    return (Statement("save_last_list", (change.user_id, columns.to_json(change.codes))),)


def _enqueue(change: Enqueue, now: int) -> tuple[Step, ...]:
    return (Posting(Statement("enqueue", rows.outgoing_values(change.message, now)), change.message, now),)


def _offer(change: OfferKeyboard, _now: int) -> tuple[Step, ...]:
    address = (change.address.channel, clean(change.address.value))
    return (Statement("offer_keyboard", (*address, columns.to_json(change.keyboard))),)


def _note_fate(change: NoteFate, _now: int) -> tuple[Step, ...]:
    values = (clean(change.fate), change.rank, clean(change.reason) or None, change.channel, clean(change.message_id))
    return (Statement("note_fate", (*values, change.rank)),)


def _note_instant(change: NoteInstant, _now: int) -> tuple[Step, ...]:
    return (Statement("note_instant", (f"instant {change.name}", columns.micros(change.at))),)


def _note_number(change: NoteNumber, _now: int) -> tuple[Step, ...]:
    return (Statement("note_instant", (f"number {change.name}", change.number)),)


def _save_wish(change: SaveWish, _now: int) -> tuple[Step, ...]:
    return (Statement("save_wish", rows.wish_values(change.wish)),)


def _drop_wish(change: DropWish, _now: int) -> tuple[Step, ...]:
    return (Statement("drop_wish", (change.id, change.user_id), owned=True),)


def _note(change: Note, _now: int) -> tuple[Step, ...]:
    if not change.text:
        return (Statement("forget_note", (change.name,)),)
    return (Statement("note", (change.name, clean(change.text))),)


def _forget_instant(change: ForgetInstant, _now: int) -> tuple[Step, ...]:
    return (Statement("forget_instant", (f"instant {change.name}",)),)


def _hold(change: HoldMessage, _now: int) -> tuple[Step, ...]:
    return (Statement("hold", held_rows.held_values(change.user_id, change.message, is_first=change.is_first)),)


def _release(change: ReleaseMessage, _now: int) -> tuple[Step, ...]:
    return (Statement("release", (change.id,), owned=True),)


def _set_aside(change: SetAsideMessage, _now: int) -> tuple[Step, ...]:
    return (
        Statement("set_aside_held", (change.raw, clean(change.reason), change.id)),
        Statement("release", (change.id,)),
    )


def _cancel(change: CancelQueued, now: int) -> tuple[Step, ...]:
    return (Statement("cancel", (now, clean(change.key))),)


def _mute(change: Mute, now: int) -> tuple[Step, ...]:
    address = (change.address.channel, clean(change.address.value))
    return (
        Statement("mute", (now, *address)),
        Statement("give_up_address", (now, clean(change.reason), *address)),
    )


def _unmute(change: Unmute, _now: int) -> tuple[Step, ...]:
    return (Statement("unmute", (change.address.channel, clean(change.address.value))),)


def _save_announcement(change: SaveAnnouncement, _now: int) -> tuple[Step, ...]:
    return (Statement("save_announcement", announcement_rows.announcement_values(change.announcement), owned=True),)


def _drop_announcement(change: DropAnnouncement, _now: int) -> tuple[Step, ...]:
    return (Statement("drop_announcement", (change.id,)),)


def _start_announcement(change: StartAnnouncement, _now: int) -> tuple[Step, ...]:
    since = {"all": None, "active": columns.BEGINNING, "super-active": columns.micros(change.lately)}[change.audience]
    card = (change.card.channel, clean(change.card.value), clean(change.card_id))
    return (
        Statement("start_announcement", (change.audience, *card, change.id), owned=True),
        Statement("choose_recipients", (since, change.id)),
        Statement("count_chosen", (change.id,)),
    )


def _steer_announcement(change: SteerAnnouncement, now: int) -> tuple[Step, ...]:
    card = (change.card.channel, clean(change.card.value), clean(change.card_id))
    steer = Statement("steer_announcement", (change.state, *card, change.id), owned=True)
    return (steer,) if change.state == "sending" else (steer, *withdrawing(change.id, now))


def withdrawing(announcement_id: int, now: int) -> tuple[Statement, ...]:
    """Work out what has to be executed to take back what of an announcement waits to be sent."""
    return (
        Statement("withdraw_announcement", (now, announcement_id)),
        Statement("settle_recipients", (announcement_id,)),
    )


def _take_recipient(change: TakeRecipient, _now: int) -> tuple[Step, ...]:
    key = clean(change.key)
    return (Statement("take_recipient", (key, change.announcement_id, change.user_id, key), owned=True),)


def _skip_recipient(change: SkipRecipient, _now: int) -> tuple[Step, ...]:
    return (Statement("skip_recipient", (change.outcome, change.announcement_id, change.user_id)),)


def _miss_recipient(change: MissRecipient, _now: int) -> tuple[Step, ...]:
    return (Statement("miss_recipient", (change.channel, clean(change.message_id))),)


def _end_announcement(change: EndAnnouncement, now: int) -> tuple[Step, ...]:
    return (Statement("end_announcement", (now, change.id), owned=True),)


def _save_announcement_wish(change: SaveAnnouncementWish, _now: int) -> tuple[Step, ...]:
    return (Statement("save_announcement_wish", announcement_rows.wish_values(change.wish)),)


def _close_day(change: CloseDay, _now: int) -> tuple[Step, ...]:
    return (
        Statement("close_day", report_rows.day_values(change.day)),
        Statement("forget_departures", (columns.micros(change.until),)),
    )


def _erase_user(change: EraseUser, now: int) -> tuple[Step, ...]:
    return (
        Statement("note_departure", (now, change.user_id)),
        *erasing(change.user_id),
        *(Statement("remember_erasure", (hash_, now)) for hash_ in change.hashes),
    )


def erasing(user_id: int) -> tuple[Statement, ...]:
    """Give what has to be executed to delete a user and every row that belongs to the user."""
    erase = (
        Statement("erase_letters", (user_id,)),
        Statement("erase_announcement_cards", (user_id,)),
        Statement("erase_waiting", (user_id, user_id)),
        Statement("erase_inbox", (user_id,)),
        Statement("erase_user", (user_id,)),
    )
    return (*erase, Statement("remember_erased", (user_id,))) if user_id < 0 else erase


# A table, not a match: it is looked up once for each change on the busiest path.
_STEPS: dict[type[Change], Callable[[Any, int], tuple[Step, ...]]] = {
    SaveUser: _save_user,
    SaveIdentity: _save_identity,
    SaveAsking: _save_asking,
    SaveLinkCode: _save_link_code,
    ClaimLinkCode: _claim_link_code,
    DropLinkCode: _drop_link_code,
    SaveLinkTry: _save_link_try,
    MergeUsers: _merge_users,
    Unlink: _unlink,
    SaveCorrespondence: _save_correspondence,
    SaveLetter: _save_letter,
    SaveBill: _save_bill,
    SavePayment: _save_payment,
    NoteRefund: _note_refund,
    SaveSession: _save_session,
    EndSession: _end_session,
    SaveHeadache: _save_headache,
    MarkFree: _mark_free,
    UnmarkFree: _unmark_free,
    SaveIntakes: _save_intakes,
    SaveIntake: _save_intake,
    SavePressure: _save_pressure,
    SaveDrug: _save_drug,
    SaveOveruseNotice: _save_overuse_notice,
    SaveReminder: _save_reminder,
    MoveReminder: _move_reminder,
    MoveQuestion: _move_question,
    SaveOccurrence: _save_occurrence,
    MoveOccurrence: _move_occurrence,
    Silence: _silence,
    SaveLastList: _save_last_list,
    Enqueue: _enqueue,
    OfferKeyboard: _offer,
    NoteFate: _note_fate,
    NoteInstant: _note_instant,
    ForgetInstant: _forget_instant,
    HoldMessage: _hold,
    ReleaseMessage: _release,
    SetAsideMessage: _set_aside,
    NoteNumber: _note_number,
    SaveWish: _save_wish,
    DropWish: _drop_wish,
    Note: _note,
    CancelQueued: _cancel,
    Mute: _mute,
    Unmute: _unmute,
    SaveAnnouncement: _save_announcement,
    DropAnnouncement: _drop_announcement,
    StartAnnouncement: _start_announcement,
    SteerAnnouncement: _steer_announcement,
    TakeRecipient: _take_recipient,
    SkipRecipient: _skip_recipient,
    MissRecipient: _miss_recipient,
    EndAnnouncement: _end_announcement,
    SaveAnnouncementWish: _save_announcement_wish,
    CloseDay: _close_day,
    EraseUser: _erase_user,
}


def settling(settlement: Settlement, now: int) -> tuple[Statement, ...]:
    """Work out what has to be executed for what became of a claimed message."""
    row_id = settlement.id
    match settlement:
        case Sent():
            sent = Statement("sent", (clean(settlement.message_id), now, row_id))
            if not settlement.keyboard:
                return (sent,)
            return (sent, Statement("offer_sent_keyboard", (columns.to_json(settlement.keyboard), row_id)))
        case Postponed():
            not_reached = int(not settlement.reached)
            values = (now, columns.micros(settlement.not_before), not_reached, clean(settlement.reason), row_id)
            return (Statement("postpone", values),)
        case GivenUp():
            reason = clean(settlement.reason)
            give_up = Statement("give_up", (reason, now, row_id))
            if not settlement.mute:
                return (give_up,)
            return (
                Statement("reroute", (row_id,)),
                give_up,
                Statement("mute_recipient", (now, row_id)),
                Statement("give_up_recipient", (now, reason, row_id)),
            )
