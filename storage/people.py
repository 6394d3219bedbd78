"""The people who wrote lately, kept in memory, so that the busiest question asks the database nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from storage.changes import EndSession, EraseUser, MergeUsers, Mute, SaveIdentity, SaveSession, SaveUser, Unlink, Unmute
from storage.records import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrebot.messages import Address
    from storage.changes import Change
    from storage.records import Identity, Session, User

K = TypeVar("K")
V = TypeVar("V")

PEOPLE_KEPT = 5_000
"""About 10 MB with forms in progress."""


class _Latest(Generic[K, V]):
    """The values asked for last, by key."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        self._values.pop(key, None)

    def drop_where(self, condition: Callable[[V], bool]) -> None:
        for key in [key for key, value in self._values.items() if condition(value)]:
            del self._values[key]

    def clear(self) -> None:
        self._values.clear()


class _Person(Struct, frozen=True, gc=False):
    """A user and the user's form in progress: what is known is known of both."""

    user: User
    session: Session | None


class People:
    """What the database has about people, at any time; a part of it.

    Changed in the worker thread alone, in the order of the commits, and read in the event loop: hence a lock, held
    for microseconds.
    """

    def __init__(self, size: int = PEOPLE_KEPT) -> None:
        self._lock = threading.Lock()
        self._identities: _Latest[Address, Identity] = _Latest(size)
        self._persons: _Latest[int, _Person] = _Latest(size)

    def at(self, addresses: Iterable[Address]) -> dict[Address, Conversation]:
        """Find who is known to write from these addresses."""
        found: dict[Address, Conversation] = {}
        with self._lock:
            for address in addresses:
                identity = self._identities.get(address)
                person = None if identity is None else self._persons.get(identity.user_id)
                if identity is not None and person is not None:
                    found[address] = Conversation(user=person.user, identity=identity, session=person.session)
        return found

    def session(self, user_id: int) -> tuple[bool, Session | None]:
        """Tell whether it is known what form the user has in progress, and which."""
        with self._lock:
            person = self._persons.get(user_id)
        return (False, None) if person is None else (True, person.session)

    def learn(self, conversations: Iterable[Conversation]) -> None:
        """Keep what was read."""
        with self._lock:
            for conversation in conversations:
                user = conversation.user
                self._identities.put(conversation.identity.address, conversation.identity)
                self._persons.put(user.id, _Person(user, conversation.session))

    def follow(self, changes: Iterable[Change]) -> None:
        """Keep up with changes that were committed."""
        with self._lock:
            for change in changes:
                self._follow(change)

    def forget_persons(self) -> None:
        """Forms were deleted, no matter whose."""
        with self._lock:
            self._persons.clear()

    def forget_addresses(self, addresses: Iterable[Address]) -> None:
        """These addresses were changed."""
        with self._lock:
            for address in addresses:
                self._identities.drop(address)

    def _follow(self, change: Change) -> None:
        match change:
            case SaveSession(session):
                self._set_session(session.user_id, session)
            case EndSession(user_id):
                self._set_session(user_id, None)
            case SaveIdentity(identity):
                self._identities.put(identity.address, identity)
            case SaveUser(user):
                if (known := self._persons.get(user.id)) is not None:
                    self._persons.put(user.id, _Person(user, known.session))
            case Mute(address) | Unmute(address):
                self._identities.drop(address)
            case MergeUsers(winner, loser):
                self._forget_user(winner)
                self._forget_user(loser)
            case Unlink(user_id):
                self._forget_user(user_id)
            case EraseUser(user_id):
                self._forget_user(user_id)
            case _:
                pass

    def _forget_user(self, user_id: int) -> None:
        self._persons.drop(user_id)
        self._identities.drop_where(lambda identity: identity.user_id == user_id)

    def _set_session(self, user_id: int, session: Session | None) -> None:
        if (known := self._persons.get(user_id)) is not None:
            self._persons.put(user_id, _Person(known.user, session))
