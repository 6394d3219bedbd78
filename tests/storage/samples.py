"""People, forms, entries and messages to store, and any that there could be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from migrebot.diary.entries import Drug, Headache, Intake, Pressure
from migrebot.messages import (
    Address,
    Button,
    Document,
    Edit,
    Leave,
    Outgoing,
    Priority,
    Profile,
    Say,
    Ticket,
    Toast,
)
from storage.changes import Change, Enqueue, SaveHeadache, SaveIdentity, SaveSession, SaveUser, Unit
from storage.records import Conversation, Frame, Identity, InboxKey, Offer, Session, User

if TYPE_CHECKING:
    from storage.facts import Fact
    from storage.interface import Result, Storage

T = TypeVar("T")

NOW = datetime(2026, 6, 15, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA = Address("telegram", "1001")
BORIS = Address("local", "boris")


def key(name: str = "1") -> InboxKey:
    return InboxKey("telegram", name)


async def commit(storage: Storage, *changes: Change, now: datetime = NOW) -> Result:
    """Store one unit of these changes."""
    [result] = await storage.commit([Unit(changes=changes)], now)
    return result


async def stored(storage: Storage, *changes: Change, now: datetime = NOW) -> Result:
    """Do so and insist that it works."""
    result = await commit(storage, *changes, now=now)
    assert result.outcome == "done", result
    return result


async def person(storage: Storage, address: Address = ANNA, **profile: str) -> Conversation:
    """Let somebody write for the first time."""
    [conversation] = await storage.who([(address, Profile(**profile))], NOW)
    await stored(storage, SaveUser(conversation.user), SaveIdentity(conversation.identity))
    return conversation


async def whois(storage: Storage, address: Address = ANNA) -> Conversation:
    [conversation] = await storage.who([(address, Profile())], NOW)
    return conversation


async def ask(storage: Storage, fact: Fact[T]) -> T:
    answer: T = (await storage.load([fact]))[fact]
    return answer


def session(user_id: int = 1001, address: Address = ANNA, **changed: Any) -> Session:
    fields: dict[str, Any] = {
        "form": "pain",
        "step": "intensity",
        "state": "ReportPainCaseForm:2:intensity",
        "token": "t1",
        "started_at": NOW,
        "updated_at": NOW,
        "expires_at": NOW + 24 * HOUR,
        "answers": {"date": "2026-06-15", "amounts": [400, 2.5], "aura": None},
        "history": (Frame("date"), Frame("drug", 2)),
        "offers": (Offer("1", 1), Offer("more", "2", turns_page=True)),
        "loop": 2,
        "page": "2026-06",
    }
    return Session(user_id=user_id, address=address, **(fields | changed))


def headache(id_: int = 1, user_id: int = 1001, **changed: Any) -> Headache:
    fields: dict[str, Any] = {"day": date(2026, 6, 15), "timezone": "Europe/Paris", "created_at": NOW}
    return Headache(id=id_, user_id=user_id, **(fields | changed))


def intake(id_: int = 1, user_id: int = 1001, **changed: Any) -> Intake:
    fields: dict[str, Any] = {
        "day": date(2026, 6, 15),
        "timezone": "Europe/Paris",
        "drug": "Ibuprofen",
        "created_at": NOW,
    }
    return Intake(id=id_, user_id=user_id, **(fields | changed))


def pressure(id_: int = 1, user_id: int = 1001, **changed: Any) -> Pressure:
    fields: dict[str, Any] = {
        "measured_at": NOW,
        "timezone": "Europe/Paris",
        "systolic": 120,
        "diastolic": 80,
        "created_at": NOW,
    }
    return Pressure(id=id_, user_id=user_id, **(fields | changed))


def drug(id_: int = 1, user_id: int = 1001, **changed: Any) -> Drug:
    fields: dict[str, Any] = {"name": "Sumatriptan", "created_at": NOW}
    return Drug(id=id_, user_id=user_id, **(fields | changed))


def message(text: str = "Hello", address: Address = ANNA, **changed: Any) -> Outgoing:
    fields: dict[str, Any] = {"body": Say(text), "user_id": 1001}
    return Outgoing(address=address, **(fields | changed))


async def queued(storage: Storage, *messages: Outgoing) -> list[Ticket]:
    """Put messages into the outbox."""
    return list((await stored(storage, *(Enqueue(one) for one in messages))).tickets)


async def with_headache(storage: Storage, **changed: Any) -> Headache:
    attack = headache(**changed)
    await stored(storage, SaveHeadache(attack))
    return attack


async def with_session(storage: Storage, **changed: Any) -> Session:
    form = session(**changed)
    await stored(storage, SaveSession(form))
    return form


# --- any that there could be -------------------------------------------------------------------------------------

# What databases hold; what they do not is in `wild_text`.
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
wild_text = st.text(st.characters() | st.sampled_from("\0\ud800\udfff\u202e\u200b"))
integers = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=False, width=64)
instants = st.datetimes(timezones=st.just(UTC))
days = st.dates()
maybe_instants = st.none() | instants
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda children: st.lists(children) | st.dictionaries(text, children),
    max_leaves=5,
)
channels = st.sampled_from(["telegram", "whatsapp", "local"])
addresses: st.SearchStrategy[Address] = st.builds(Address, channels, text)
owned_by = st.just(1001)

users = st.builds(
    User,
    id=owned_by,
    language=text,
    created_at=instants,
    timezone=st.none() | text,
    zone_offered=st.booleans(),
    greeted_at=maybe_instants,
    agreed_at=maybe_instants,
)
profiles = st.builds(Profile, first_name=text, last_name=text, username=text, language_code=text)
identities = st.builds(
    Identity, address=addresses, user_id=owned_by, profile=profiles, seen_at=instants, muted_at=maybe_instants
)
sessions = st.builds(
    Session,
    user_id=owned_by,
    form=text,
    step=text,
    state=text,
    token=text,
    address=st.just(ANNA),
    started_at=instants,
    updated_at=instants,
    expires_at=instants,
    answers=st.dictionaries(text, json),
    history=st.lists(st.builds(Frame, text, st.integers(0, 99))).map(tuple),
    offers=st.lists(st.builds(Offer, text, json, st.booleans())).map(tuple),
    loop=st.integers(0, 99),
    page=text,
)
string_tuples = st.none() | st.lists(text).map(tuple)
headaches = st.builds(
    Headache,
    id=integers,
    user_id=owned_by,
    day=days,
    timezone=text,
    created_at=instants,
    onset=maybe_instants,
    end=maybe_instants,
    duration_h=st.none() | numbers,
    intensity=st.none() | integers,
    aura=st.none() | st.booleans(),
    triggers=string_tuples,
    symptoms=string_tuples,
    medicine_taken=st.none() | st.booleans(),
    note=st.none() | text,
    deleted_at=maybe_instants,
)
intakes = st.builds(
    Intake,
    id=integers,
    user_id=owned_by,
    day=days,
    timezone=text,
    drug=text,
    created_at=instants,
    amount=st.none() | numbers,
    unit=text,
)
pressures = st.builds(
    Pressure,
    id=integers,
    user_id=owned_by,
    measured_at=instants,
    timezone=text,
    systolic=integers,
    diastolic=integers,
    created_at=instants,
    pulse=st.none() | integers,
)
drugs = st.builds(
    Drug,
    id=integers,
    user_id=owned_by,
    name=text,
    created_at=instants,
    daily_max_mg=st.none() | numbers,
    is_painkiller=st.none() | st.booleans(),
    is_antipyretic=st.none() | st.booleans(),
)
keyboards = st.lists(st.lists(st.builds(Button, text, text), max_size=3).map(tuple), max_size=3).map(tuple)
bodies = st.one_of(
    st.builds(Say, text, keyboards),
    st.builds(Edit, text, text, keyboards),
    st.builds(Toast, text),
    st.builds(Document, text, text, text, st.dictionaries(text, text)),
    st.builds(Leave),
)
outgoing = st.builds(
    Outgoing,
    address=addresses,
    body=bodies,
    user_id=st.none() | integers,
    priority=st.sampled_from(Priority),
    callback_id=text,
    not_before=maybe_instants,
)
