"""One turn of a conversation: what a handler may know (`Turn`) and what it may decide (`Answer`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Struct, UnsetType

from migrebot.i18n import Translator, translator
from migrebot.messages import Address, Content, Invoice, Keyboard, Press, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from storage.changes import Change
    from storage.facts import Fact
    from storage.records import Conversation, Session, User

T = TypeVar("T")


class FactsMissing(Exception):
    """A handler asked for facts that were not loaded yet: load them and call the handler again."""

    def __init__(self, *facts: Fact[Any]) -> None:
        super().__init__(*facts)
        self.facts = facts


class Facts:
    """What was loaded from the storage for this turn."""

    def __init__(self, loaded: Mapping[Fact[Any], Any] | None = None) -> None:
        self._loaded = loaded or {}

    def __call__(self, fact: Fact[T]) -> T:
        """Give the answer to the question; raises `FactsMissing` if it was not asked yet."""
        try:
            value: T = self._loaded[fact]
        except KeyError:
            raise FactsMissing(fact) from None
        return value

    def expect(self, *facts: Fact[Any]) -> None:
        """Announce what will be asked for, so that it is loaded together; raises `FactsMissing` for what is not yet.

        Without it, the whole turn is worked out once more for each.
        """
        missing = [fact for fact in facts if fact not in self._loaded]
        if missing:
            raise FactsMissing(*missing)


Uploads = Literal["never", "encrypted", "plain"]
"""How backups go to the Yandex Disk, if they do."""


class Setup(Struct, frozen=True, kw_only=True):
    """What the operator decided and the dialogue has to know; `form_hours` is the time-out of a form, in hours.

    `owner` is where the person who runs the bot is written to, None without one; a local address without a value stands
    for whoever wrote last in the local chat. `erasure_key` makes the marks of those who were forgotten.
    `has_disk_token` tells that the configuration has a token of the Yandex Disk, `uploads` how backups go there once
    there is one.

    `donate_url` is a page for donations, empty for none; `currency` what bills can be in besides Telegram Stars.
    """

    timezone: str = "UTC"
    require_consent: bool = False
    form_hours: float = 24
    backup_days: int = 180
    owner: Address | None = None
    donate_url: str = ""
    currency: str = ""
    erasure_key: bytes = b""
    has_disk_token: bool = False
    uploads: Uploads = "never"


class Turn(Struct, frozen=True, kw_only=True):
    """What came in, from whom, when, and what is known. `new_id` yields fresh positive ids for rows and tokens.

    `message_id` is what the messenger calls the message that came in, empty where it has no name.
    """

    content: Content
    conversation: Conversation
    now: datetime
    new_id: Callable[[], int]
    setup: Setup = Setup()
    facts: Facts = Facts()
    message_id: str = ""

    @property
    def user(self) -> User:
        """Who writes."""
        return self.conversation.user

    @property
    def session(self) -> Session | None:
        """The form in progress."""
        return self.conversation.session

    @property
    def tr(self) -> Translator:
        """The translator of the user's language."""
        return translator(self.user.language)

    @property
    def timezone(self) -> str:
        """The user's time zone, or the program's default."""
        return self.user.timezone or self.setup.timezone

    @property
    def local_now(self) -> datetime:
        """The present moment in the user's zone."""
        return self.now.astimezone(ZoneInfo(self.timezone))

    @property
    def today(self) -> date:
        """The present date in the user's zone."""
        return self.local_now.date()

    def after(self, answer: Answer) -> Turn:
        """Give the turn as it stands once the answer took effect, for a second handler."""
        conversation = self.conversation
        if answer.user is not None:
            conversation = msgspec.structs.replace(conversation, user=answer.user)
        if answer.session is not UNSET:
            conversation = msgspec.structs.replace(conversation, session=answer.session)
        return msgspec.structs.replace(self, conversation=conversation)


class Reply(Struct, frozen=True, kw_only=True):
    """Something to say.

    With `in_place` it replaces the message whose button was pressed, if one was. `not_before` and `key` hold it back
    and let it be cancelled, see `Outgoing`.
    """

    text: str
    keyboard: Keyboard = ()
    in_place: bool = False
    priority: Priority = Priority.REPLY
    not_before: datetime | None = None
    key: str | None = None


class Attachment(Struct, frozen=True, kw_only=True):
    """A document to send; see `Document`."""

    recipe: str
    filename: str
    caption: str
    arguments: dict[str, str] = {}


class Answer(Struct, frozen=True, kw_only=True):
    """What a handler decided: what is said and stored, the user as changed, the form as it stands then.

    `session` None ends the form, unset leaves it as it is. `toast` is shown for a moment where a button was pressed.
    `took_offer` tells that a typed text stood for a button that was on offer, `is_foreign` that a button was refused
    because what it is about belongs to somebody else.
    """

    replies: tuple[Reply | Attachment | Invoice, ...] = ()
    changes: tuple[Change, ...] = ()
    user: User | None = None
    session: Session | UnsetType | None = UNSET
    toast: str = ""
    took_offer: bool = False
    is_foreign: bool = False

    def __add__(self, later: Answer) -> Answer:
        """Join two answers; where both decide, the later one counts."""
        return Answer(
            replies=self.replies + later.replies,
            changes=self.changes + later.changes,
            user=later.user or self.user,
            session=self.session if later.session is UNSET else later.session,
            toast=later.toast or self.toast,
            took_offer=later.took_offer or self.took_offer,
            is_foreign=later.is_foreign or self.is_foreign,
        )


def say(text: str, keyboard: Keyboard = (), *, in_place: bool = False) -> Answer:
    """Answer with one message."""
    return Answer(replies=(Reply(text=text, keyboard=keyboard, in_place=in_place),))


def pressed(turn: Turn) -> bool:
    """Tell whether a button was pressed, so that its message can be edited in place."""
    return isinstance(turn.content, Press) and bool(turn.content.message_id)
