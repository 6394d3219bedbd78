"""What can be asked of the storage by pure code: each question is a value, its answer's type its parameter."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, TypeVar

from msgspec import Struct

from migrebot.announcements.announcement import Announcement, AnnouncementWish, Counts, Sizes
from migrebot.diary.entries import Drug, FreeDay, Headache, Intake, Pressure
from migrebot.messages import Address, Channel, Keyboard
from migrebot.reminders.questions import Asking
from migrebot.reminders.reminder import Occurrence, Reminder
from migrebot.reports.daily import Span, Totals
from storage.records import Bill, Correspondence, Held, Identity, Letter, LinkCode, OveruseNotice, Payment, User, Wish

T = TypeVar("T")


class Fact(Struct, Generic[T], frozen=True):
    """A question about one user's data; `user_id` is whose."""

    user_id: int


class DrugNames(Fact[tuple[str, ...]], frozen=True):
    """Names to choose from: the user's own list first, then what was taken before, most often first; at most 30."""


class UsualAmounts(Fact[tuple[tuple[float, str], ...]], frozen=True):
    """Amounts (number, unit) recorded for `drug` before, most often first; at most 6."""

    drug: str


class LastIntakes(Fact[tuple[Intake, ...]], frozen=True):
    """The medicines of the latest attack that has any, apart from attack `besides`."""

    besides: int = 0


class HeadacheById(Fact[Headache | None], frozen=True):
    """One attack of the user, deleted ones included; None if there is none with this id."""

    id: int


class IntakesOf(Fact[tuple[Intake, ...]], frozen=True):
    """The medicines of one attack, in the order they were recorded; those deleted along with it included."""

    headache_id: int


class IntakeById(Fact[Intake | None], frozen=True):
    """One intake of the user, deleted ones included; None if there is none with this id."""

    id: int


class LastIntake(Fact[Intake | None], frozen=True):
    """The latest intake by its day, of those the one recorded last."""


class IntakesBetween(Fact[tuple[Intake, ...]], frozen=True):
    """The intakes between two days, both included, in order; deleted ones are left out."""

    first: date
    last: date


class OwnDrugs(Fact[tuple[Drug, ...]], frozen=True):
    """The user's own list of medicines, in the order they were added."""


class DrugById(Fact[Drug | None], frozen=True):
    """One medicine of the user's list, deleted ones included; None if there is none with this id."""

    id: int


class PressureById(Fact[Pressure | None], frozen=True):
    """One blood pressure reading of the user, deleted ones included; None if there is none with this id."""

    id: int


class OveruseNoticeOf(Fact[OveruseNotice], frozen=True):
    """What the user wants of the notice on frequent medicine: on and never given, unless something else is stored."""


class OpenHeadache(Fact[Headache | None], frozen=True):
    """The latest attack recorded while it hurt and not known to be over."""


class BelongsToAnother(Fact[bool], frozen=True):
    """Whether an entry, medicine, reminder or firing with this id is somebody else's."""

    id: int


class HasHadAura(Fact[bool], frozen=True):
    """Whether any attack apart from attack `besides` was recorded with an aura."""

    besides: int = 0


class FrequentChoices(Fact[tuple[str, ...]], frozen=True):
    """What the user chose before for `field` (`triggers` or `symptoms`), most often first; at most 30."""

    field: str


class DayMarks(Struct, frozen=True, kw_only=True):
    """Which days are known to be what: with headache, with medicine, recorded as free of headache.

    A day in neither `headache` nor `free` is unknown, never free.
    """

    headache: frozenset[date] = frozenset()
    medicine: frozenset[date] = frozenset()
    free: frozenset[date] = frozenset()


class MarksBetween(Fact[DayMarks], frozen=True):
    """What is known of each day from `first` to `last`; an attack over midnight marks each day it touches."""

    first: date
    last: date


class Entries(Struct, frozen=True, kw_only=True):
    """The entries of some days, in order of time; `intakes` are all medicines, those of the attacks included.

    `free` are the days recorded as free of headache.
    """

    headaches: tuple[Headache, ...] = ()
    intakes: tuple[Intake, ...] = ()
    pressures: tuple[Pressure, ...] = ()
    free: frozenset[date] = frozenset()


class EntriesBetween(Fact[Entries], frozen=True):
    """The entries of the days from `first` to `last`, deleted ones left out.

    An attack belongs to each day it touches, a reading to the local date of its own zone.
    """

    first: date
    last: date


class OfferedKeyboard(Fact[Keyboard], frozen=True):
    """The buttons that a typed number or label means at the user's `address`; empty if none are on offer."""

    address: Address


class HeldBack(Fact[int], frozen=True):
    """How many reminders wait until the user writes again, since the messenger takes none before."""


class IsOurMessage(Fact[bool], frozen=True):
    """Whether a message of ours is known that the messenger calls `message_id`. `user_id` is 0."""

    channel: Channel
    message_id: str


class IsAnnouncement(Fact[bool], frozen=True):
    """Whether the message that the messenger calls `message_id` is an announcement. `user_id` is 0."""

    channel: Channel
    message_id: str


class NotedInstant(Fact[datetime | None], frozen=True):
    """An instant of the program's own, see `NoteInstant`; None if there is none. `user_id` is 0."""

    name: str


class ErasureMarks(Fact[dict[str, int]], frozen=True):
    """All marks of erased addresses, and when each was erased last, in microseconds. `user_id` is 0."""


class SpanBetween(Fact[Span], frozen=True):
    """What everybody recorded, who came and who left from `since` up to, but not with, `until`, whoever asks."""

    since: datetime
    until: datetime


class TotalsLately(Fact[Totals], frozen=True):
    """How many people and entries there are, see `Storage.totals`, whoever asks."""

    lately: datetime


class NotedNumber(Fact[int | None], frozen=True):
    """A number of the program's own, see `NoteNumber`; None if there is none. `user_id` is 0."""

    name: str


class HasHeld(Fact[bool], frozen=True):
    """Whether messages from the address are held, see `HoldMessage`, whoever asks."""

    address: Address


class HeldInAll(Fact[int], frozen=True):
    """How many messages are held, everybody's; `user_id` is 0."""


class NextHeld(Fact[tuple[Held, ...]], frozen=True):
    """The messages that have been held longest, at most `limit`, in order; `user_id` is 0."""

    limit: int


class RemindersOf(Fact[tuple[Reminder, ...]], frozen=True):
    """What the user is still to be reminded of: the next one first, paused ones last."""


class SnoozedOf(Fact[tuple[Occurrence, ...]], frozen=True):
    """The firings the user put off and that have yet to be repeated, the next one first."""


class ReminderById(Fact[Reminder | None], frozen=True):
    """One reminder of the user, deleted and ended ones included; None if there is none with this id."""

    id: int


class OccurrenceById(Fact[Occurrence | None], frozen=True):
    """One firing of a reminder of the user; None if there is none with this id."""

    id: int


class CodesInUse(Fact[frozenset[str]], frozen=True):
    """The codes a new reminder may not have: those of all that are stored, and of those listed last."""


class LastList(Fact[tuple[str, ...] | None], frozen=True):
    """The codes of the reminders that were listed last, in their order; None before the first list."""


class Noted(Fact[str], frozen=True):
    """The text that the program remembers under this name; empty if there is none."""

    name: str


class Wishes(Fact[tuple[Wish, ...]], frozen=True):
    """All that the owner asked of the backups and has yet to be done, in order."""


class AskingOf(Fact[Asking], frozen=True):
    """How the user is asked whether the head hurt; as everybody is at first, if nothing is stored of it."""


class CorrespondenceOf(Fact[Correspondence], frozen=True):
    """What the user wants of messages to the owner; as everybody does at first, if nothing is stored of it."""


class LetterById(Fact[Letter | None], frozen=True):
    """A message somebody wrote to the owner, whose `user_id` asks; None if there is none with this id."""

    id: int


class LetterCopiedIn(Fact[Letter | None], frozen=True):
    """The message to the owner whose copy at `address` the messenger calls `message_id`; None if that is none."""

    address: Address
    message_id: str


class BillById(Fact[Bill | None], frozen=True):
    """One bill of the user; None if there is none with this id."""

    id: int


class PaymentById(Fact[Payment | None], frozen=True):
    """What was paid under a number of the messenger's, whoever asks; None if nothing was."""

    charge_id: str


class LinkCodeOf(Fact[LinkCode | None], frozen=True):
    """The code of the user; None without one."""


class LinkCodeByHash(Fact[LinkCode | None], frozen=True):
    """The code with this hash that nobody entered yet, whoever asks; None if there is none."""

    hash: str


class LinkTries(Fact[tuple[int, int]], frozen=True):
    """How many wrong guesses at codes there were since an instant: the user's, and everybody's."""

    since: datetime


class OpenAnnouncements(Fact[tuple[Announcement, ...]], frozen=True):
    """The announcements that are prepared or under way, whoever asks; the one prepared first comes first."""


class AnnouncementCounts(Fact[Counts], frozen=True):
    """How many of the people chosen for an announcement are where, whoever asks."""

    id: int


class AudienceSizes(Fact[Sizes], frozen=True):
    """How many people an announcement would go to, whoever asks; `lately` as for `Storage.totals`."""

    lately: datetime


class AnnouncementWishOf(Fact[AnnouncementWish], frozen=True):
    """What the user wants of announcements: they are on, unless something else is stored."""


class IdentitiesOf(Fact[tuple[Identity, ...]], frozen=True):
    """All addresses of the user, the one seen last first."""


class UserAt(Fact[User | None], frozen=True):
    """Who writes from the address and can be written to there, whoever asks; None if nobody does."""

    address: Address


class SeenLast(Fact[Address | None], frozen=True):
    """The address of the channel that was seen last, whoever asks; None if nobody ever wrote there."""

    channel: Channel


class Everything(Struct, frozen=True, kw_only=True):
    """All that is stored about a user and may be exported; deleted entries are left out.

    `user` is None if nothing is stored about the user; `overuse_notice`, `asking`, `correspondence` and
    `announcement_wish` if they are as they are for everybody at first.
    """

    user: User | None
    identities: tuple[Identity, ...]
    headaches: tuple[Headache, ...]
    intakes: tuple[Intake, ...]
    pressures: tuple[Pressure, ...]
    drugs: tuple[Drug, ...]
    reminders: tuple[Reminder, ...]
    free_days: tuple[FreeDay, ...]
    overuse_notice: OveruseNotice | None
    asking: Asking | None
    correspondence: Correspondence | None
    letters: tuple[Letter, ...]
    announcement_wish: AnnouncementWish | None
    payments: tuple[Payment, ...]


class AllOf(Fact[Everything], frozen=True):
    """All of one user's data."""
