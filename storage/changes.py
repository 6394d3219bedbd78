"""What can be written, as data: pure code says what shall be stored, the storage stores it.

Every change that names a user's row carries the user's id, and a driver touches the row only if it belongs to that
user.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from migrebot.announcements.announcement import Announcement, AnnouncementWish, Audience, Outcome
from migrebot.diary.entries import Drug, Headache, Intake, Pressure
from migrebot.messages import Address, Channel, Inbound, Keyboard, Outgoing, StateChanged, StateUnknown
from migrebot.reminders.questions import Asking
from migrebot.reminders.reminder import Occurrence, Reminder
from migrebot.reminders.timers import Timer
from migrebot.reports.daily import Day
from storage.records import (
    Bill,
    Correspondence,
    Identity,
    InboxKey,
    Letter,
    LinkCode,
    OveruseNotice,
    Payment,
    Session,
    User,
    Wish,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class SaveUser(Struct, frozen=True):
    """Insert the user, or replace all but the id."""

    user: User


class SaveIdentity(Struct, frozen=True):
    """Insert the address, or replace all but the address."""

    identity: Identity


class SaveAsking(Struct, frozen=True):
    """Insert how the user is asked whether the head hurt, or replace it."""

    asking: Asking


class SaveCorrespondence(Struct, frozen=True):
    """Insert what the user wants of messages to the owner, or replace it."""

    correspondence: Correspondence


class SaveLetter(Struct, frozen=True):
    """Add a message to the owner; its copies are the messages that wait in the outbox with these keys."""

    letter: Letter
    keys: tuple[str, ...]


class SaveBill(Struct, frozen=True):
    """Add a bill; `is_paid` is not stored."""

    bill: Bill


class SavePayment(Struct, frozen=True):
    """Add a payment; the unit fails if its number is known already."""

    payment: Payment


class NoteRefund(Struct, frozen=True):
    """Note that the payment with this number was given back, if it is known and that is not."""

    charge_id: str
    at: datetime


class SaveLinkCode(Struct, frozen=True):
    """Insert the code by which the user's diary can be joined, or replace it."""

    code: LinkCode


class ClaimLinkCode(Struct, frozen=True):
    """Use up the code of a user and note who entered it; it fails if the code is used or replaced already."""

    user_id: int
    hash: str
    claimed_by: Address
    expires_at: datetime


class DropLinkCode(Struct, frozen=True):
    """Delete the code of the user, if there is one."""

    user_id: int


class SaveLinkTry(Struct, frozen=True):
    """Note a wrong guess at a code."""

    user_id: int
    id: int
    tried_at: datetime


class MergeUsers(Struct, frozen=True):
    """Let all that belongs to the user `loser` belong to `winner`, and delete the loser.

    Of what a user has once, such as a form in progress, the winner's stays. Both codes to join are void.
    """

    winner: int
    loser: int


class Unlink(Struct, frozen=True):
    """Take an address from a user who has another one: whoever writes from it next is new.

    Reminders that fire there fire at `to` from now on; what waits for the address is given up.
    """

    user_id: int
    address: Address
    to: Address


class SaveSession(Struct, frozen=True):
    """Insert or replace the user's form in progress."""

    session: Session


class EndSession(Struct, frozen=True):
    """Delete the user's form in progress."""

    user_id: int


class SaveHeadache(Struct, frozen=True):
    """Insert the attack, or replace all but its id and owner.

    The days it touches are no longer recorded as free of headache, unless it is a deleted one.
    """

    headache: Headache


class MarkFree(Struct, frozen=True):
    """Record those of these days as free of headache that are still unknown; `source` as in `FreeDay`.

    A day that an attack touches, deleted ones aside, or that is recorded already stays as it is.
    """

    user_id: int
    days: tuple[date, ...]
    source: str


class UnmarkFree(Struct, frozen=True):
    """Take back that the day was recorded as free of headache: it is unknown then."""

    user_id: int
    day: date


class SaveIntakes(Struct, frozen=True):
    """Replace all intakes of an attack by these."""

    user_id: int
    headache_id: int
    intakes: tuple[Intake, ...]


class SaveIntake(Struct, frozen=True):
    """Insert the intake, or replace all but its id and owner."""

    intake: Intake


class SavePressure(Struct, frozen=True):
    """Insert the reading, or replace all but its id and owner."""

    pressure: Pressure


class SaveDrug(Struct, frozen=True):
    """Insert the drug, or replace all but its id and owner."""

    drug: Drug


class SaveOveruseNotice(Struct, frozen=True):
    """Insert what the user wants of the notice on frequent medicine, or replace it."""

    notice: OveruseNotice


class SaveReminder(Struct, frozen=True):
    """Insert the reminder, or replace all but its id and owner."""

    reminder: Reminder


class MoveReminder(Struct, frozen=True, kw_only=True, gc=False):
    """Let a reminder that was due at `due_at` fire next at `next_at`, None for never; it fired `fired` times more.

    If it is not due at that time any more, because it was changed, paused or deleted meanwhile, the unit fails.
    """

    user_id: int
    id: int
    due_at: datetime
    next_at: datetime | None
    fired: int = 1


class MoveQuestion(Struct, frozen=True):
    """Let the regular question that was planned for `due_at` come at `next_at`.

    If it is not planned for that time any more, the unit fails.
    """

    user_id: int
    due_at: datetime
    next_at: datetime


class SaveOccurrence(Struct, frozen=True, gc=False):
    """Insert the firing, or replace its answer and its repetition.

    The unit fails if there is another firing of that reminder for the same instant.
    """

    occurrence: Occurrence


class MoveOccurrence(Struct, frozen=True, kw_only=True):
    """Repeat a firing that was to be repeated at `due_at` next at `again_at`, None for never; it is unanswered.

    If it is not to be repeated at that time any more, because it was answered meanwhile, the unit fails.
    """

    user_id: int
    id: int
    due_at: datetime
    again_at: datetime | None
    nagged: int


class Silence(Struct, frozen=True):
    """Repeat no firing of this reminder any more."""

    user_id: int
    reminder_id: int


class SaveLastList(Struct, frozen=True):
    """Note the codes of the reminders that were listed last, in their order."""

    user_id: int
    codes: tuple[str, ...]


class Enqueue(Struct, frozen=True, gc=False):
    """Add a message to the outbox.

    One with a `key` that waits already, or is being sent, is not added; one for a muted address is given up at once.
    """

    message: Outgoing


class OfferKeyboard(Struct, frozen=True):
    """From now on these buttons are what a typed number or label means at this address, which is known; empty: none."""

    address: Address
    keyboard: Keyboard


class NoteFate(Struct, frozen=True, kw_only=True):
    """Note how a sent message fares at the messenger, unless something of the same or a higher `rank` is known.

    `rank` counts from 1; `reason`, if given, is why it was not delivered.
    """

    channel: Channel
    message_id: str
    fate: str
    rank: int
    reason: str = ""


class NoteInstant(Struct, frozen=True):
    """Remember an instant of the program's own under this name."""

    name: str
    at: datetime


class NoteNumber(Struct, frozen=True):
    """Remember a number of the program's own (up to 63 bits) under this name."""

    name: str
    number: int


class SaveWish(Struct, frozen=True):
    """Insert what the owner asks for, or replace what was asked of that kind before."""

    wish: Wish


class DropWish(Struct, frozen=True):
    """Delete what the owner asked for; if it is not there any more, the unit fails."""

    user_id: int
    id: int


class Note(Struct, frozen=True):
    """Remember a text of the program's own under this name, in no backup; an empty one is forgotten."""

    name: str
    text: str

    def __repr__(self) -> str:
        return f"Note({self.name!r}, ...)"


class ForgetInstant(Struct, frozen=True):
    """Remember the instant of this name no longer."""

    name: str


class HoldMessage(Struct, frozen=True):
    """Keep a message of the user until it is handled; `is_first` as in `Held`. It goes with the user."""

    user_id: int
    message: Inbound
    is_first: bool


class ReleaseMessage(Struct, frozen=True):
    """Keep a held message no longer, since it is handled in the same unit; if it is not held, the unit fails."""

    id: int


class SetAsideMessage(Struct, frozen=True):
    """Keep a held message no longer, but its input, `raw`, as set aside for this reason."""

    id: int
    raw: bytes
    reason: str


class CancelQueued(Struct, frozen=True):
    """Take back the waiting message with this key, if it is still waiting.

    One that is being sent at this moment is not sent a second time, whatever becomes of it.
    """

    key: str


class Mute(Struct, frozen=True):
    """Nothing may be sent to this address any more; what waits for it is given up.

    What is being sent at this moment is not sent a second time, whatever becomes of it.
    """

    address: Address
    reason: str


class Unmute(Struct, frozen=True):
    """The address can be written to again."""

    address: Address


class SaveAnnouncement(Struct, frozen=True):
    """Insert the draft of an announcement, or replace its texts; the unit fails if it is under way already."""

    announcement: Announcement


class DropAnnouncement(Struct, frozen=True):
    """Delete the draft of an announcement."""

    id: int


class StartAnnouncement(Struct, frozen=True, kw_only=True):
    """Send a draft to an audience; `lately` as for `Storage.totals`. The message `card_id` at `card` shows how far.

    The unit fails if it is under way already, or another one is.
    """

    id: int
    audience: Audience
    lately: datetime
    card: Address
    card_id: str


class SteerAnnouncement(Struct, frozen=True, kw_only=True):
    """Pause, resume (`sending`) or cancel an announcement; what waits to be sent is taken back unless it is resumed.

    The unit fails if the announcement is not under way.
    """

    id: int
    state: Literal["sending", "paused", "cancelled"]
    card: Address
    card_id: str


class TakeRecipient(Struct, frozen=True):
    """Note that the message that waits in the outbox with this key is somebody's of an announcement.

    The unit fails unless that person still waits for it, and it is being sent.
    """

    announcement_id: int
    user_id: int
    key: str


class SkipRecipient(Struct, frozen=True):
    """Note why somebody who waits for an announcement gets none."""

    announcement_id: int
    user_id: int
    outcome: Outcome


class MissRecipient(Struct, frozen=True):
    """Note that an announcement which the messenger took, as the message of this name, did not reach an open window."""

    channel: Channel
    message_id: str


class EndAnnouncement(Struct, frozen=True):
    """Note that nothing more comes of an announcement; the unit fails if it is paused or ended."""

    id: int


class SaveAnnouncementWish(Struct, frozen=True):
    """Insert whether the user wants announcements, or replace it."""

    wish: AnnouncementWish


class CloseDay(Struct, frozen=True):
    """Keep the counts of a day, and forget who left before `until`."""

    day: Day
    until: datetime


class EraseUser(Struct, frozen=True):
    """Delete the user and every row that belongs to the user, waiting messages and set-aside input included.

    Of messages from the user only the keys stay, so that none is handled again, and the `hashes` with the time, see
    `migrebot.erasures`; of payments all but who paid. Nothing else of it is left on the disk.
    """

    user_id: int
    hashes: tuple[str, ...] = ()


Change = (
    SaveUser
    | SaveIdentity
    | SaveAsking
    | SaveLinkCode
    | ClaimLinkCode
    | DropLinkCode
    | SaveLinkTry
    | MergeUsers
    | Unlink
    | SaveCorrespondence
    | SaveLetter
    | SaveBill
    | SavePayment
    | NoteRefund
    | SaveSession
    | EndSession
    | SaveHeadache
    | MarkFree
    | UnmarkFree
    | SaveIntakes
    | SaveIntake
    | SavePressure
    | SaveDrug
    | SaveOveruseNotice
    | SaveReminder
    | MoveReminder
    | MoveQuestion
    | SaveOccurrence
    | MoveOccurrence
    | Silence
    | SaveLastList
    | Enqueue
    | OfferKeyboard
    | NoteFate
    | NoteInstant
    | ForgetInstant
    | HoldMessage
    | ReleaseMessage
    | SetAsideMessage
    | NoteNumber
    | SaveWish
    | DropWish
    | Note
    | CancelQueued
    | Mute
    | Unmute
    | SaveAnnouncement
    | DropAnnouncement
    | StartAnnouncement
    | SteerAnnouncement
    | TakeRecipient
    | SkipRecipient
    | MissRecipient
    | EndAnnouncement
    | SaveAnnouncementWish
    | CloseDay
    | EraseUser
)


class Unit(Struct, frozen=True, kw_only=True, gc=False):
    """What belongs together: all of it is stored, or none.

    With a `key` the inbox row is stored along with it, and nothing at all if that key was handled before.
    `quarantine` (a reason) stores `raw` in a set-aside inbox row.
    """

    changes: tuple[Change, ...] = ()
    key: InboxKey | None = None
    user_id: int | None = None
    quarantine: str = ""
    raw: bytes = b""


def users_of(units: Iterable[Unit]) -> set[int]:
    """List the users whose data units change."""
    users: set[int] = set()
    for unit in units:
        if unit.user_id is not None:
            users.add(unit.user_id)
        for change in unit.changes:
            if isinstance(change, MergeUsers):
                users |= {change.winner, change.loser}
    return users


def timers_of(unit: Unit) -> Iterator[Timer]:
    """List when that rings what a unit sets or moves, as far as it rings at all."""
    for change in unit.changes:
        if (rings := _RINGS.get(type(change))) is not None:
            at, id_, repeats = rings(change)
            if at is not None:
                yield Timer(at, id_, repeats)


# A table, not a match: it is looked up for each change of all reminders that fire.
_RINGS: dict[type[Change], Callable[[Any], tuple[datetime | None, int, bool]]] = {
    SaveReminder: lambda change: (change.reminder.next_at, change.reminder.id, False),
    MoveReminder: lambda change: (change.next_at, change.id, False),
    SaveOccurrence: lambda change: (change.occurrence.again_at, change.occurrence.id, True),
    MoveOccurrence: lambda change: (change.again_at, change.id, True),
}


COUNTED = (SaveUser, SaveHeadache, SaveIntake, SaveIntakes, SavePressure, SaveDrug, EraseUser)
"""Changes that may change the daily report."""


def states_of(unit: Unit) -> Iterator[StateChanged | StateUnknown]:
    """List whose states a unit changes, or touches."""
    for change in unit.changes:
        match change:
            case SaveSession(session):
                yield StateChanged(session.user_id, session.state)
            case EndSession(user_id) | EraseUser(user_id):
                yield StateChanged(user_id, None)
            case MergeUsers(winner, loser):
                yield StateChanged(loser, None)
                # The form goes on as the winner's, unless the winner has one.
                yield StateUnknown(winner)
            case _:
                pass
