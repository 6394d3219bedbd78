"""Any person, form, entry or message that there could be."""

from __future__ import annotations

from datetime import UTC
from math import isfinite

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
    Toast,
    Withdraw,
)
from migrebot.reminders.questions import Asking
from migrebot.reminders.reminder import Medicine, Nagging, Occurrence, Reminder
from migrebot.reminders.schedule import Calendar, Cron, Interval, Once, Schedule
from storage.records import Frame, Identity, Offer, OveruseNotice, Session, User
from tests.storage.samples import ANNA

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
askings = st.builds(
    Asking,
    user_id=owned_by,
    every=st.integers(0, 7),
    at=st.times(),
    asked_on=st.none() | days,
    next_at=maybe_instants,
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
    deleted_at=maybe_instants,
)
overuse_notices = st.builds(OveruseNotice, user_id=owned_by, is_off=st.booleans(), told_at=maybe_instants)
plain_times = st.times().map(lambda at: at.replace(fold=0))
local_times = st.datetimes().map(lambda at: at.replace(fold=0))
patterns = st.one_of(
    st.builds(Once, local_times),
    st.builds(Interval, minutes=integers, start=instants),
    st.builds(
        Calendar,
        unit=st.sampled_from(["day", "week", "month"]),
        times=st.lists(plain_times).map(tuple),
        start=days,
        every=integers,
        weekdays=st.lists(st.integers(0, 6)).map(tuple),
        month_days=st.lists(st.integers(-1, 31)).map(tuple),
    ),
    st.builds(Cron, text),
)
schedules = st.builds(Schedule, pattern=patterns, timezone=text, until=st.none() | days, count=st.none() | integers)
reminders = st.builds(
    Reminder,
    id=integers,
    code=text,
    user_id=owned_by,
    address=addresses,
    task=text,
    schedule=schedules,
    created_at=instants,
    next_at=maybe_instants,
    fired=integers,
    paused_at=maybe_instants,
    medicine=st.none() | st.builds(Medicine, text, st.none() | numbers.filter(isfinite), text),
    nagging=st.none() | st.builds(Nagging, integers, integers),
    deleted_at=maybe_instants,
)
occurrences = st.builds(
    Occurrence,
    id=integers,
    reminder_id=st.just(1),
    user_id=owned_by,
    due_at=instants,
    fired_at=instants,
    missed=integers,
    answer=st.sampled_from([None, "done", "taken", "skipped", "snoozed"]),
    answered_at=maybe_instants,
    nagged=integers,
    again_at=maybe_instants,
)
keyboards = st.lists(st.lists(st.builds(Button, text, text), max_size=3).map(tuple), max_size=3).map(tuple)
bodies = st.one_of(
    st.builds(Say, text, keyboards),
    st.builds(Edit, text, text, keyboards),
    st.builds(Toast, text),
    st.builds(Document, text, text, text, st.dictionaries(text, text)),
    st.builds(Leave),
    st.builds(Withdraw, text),
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
