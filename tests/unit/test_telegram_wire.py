"""Decoding Telegram's updates: whatever comes, a message or a quarantined row comes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors import telegram_wire as wire
from migrebot.messages import (
    Address,
    Checkout,
    Inbound,
    InGroup,
    Left,
    Location,
    Paid,
    Press,
    Profile,
    Refunded,
    Returned,
    Text,
    Undecodable,
    Unreadable,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
WRITTEN = datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
ANN = {"id": 501, "is_bot": False, "first_name": "Ann", "last_name": "Lee", "username": "ann", "language_code": "fr"}
HER_CHAT = {"id": 501, "type": "private", "first_name": "Ann"}
GROUP = {"id": -100_7, "type": "supergroup", "title": "Pub"}
CHANNEL = {"id": -100_8, "type": "channel", "title": "News"}
DEEP = b"[" * 5_000 + b"]" * 5_000


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 9, "from": ANN, "chat": HER_CHAT, "date": 1_780_000_000, **content}


def decoded(**update: Any) -> Inbound | Undecodable:
    result = wire.decode(json.dumps({"update_id": 77, **update}).encode(), NOW)
    assert not isinstance(result, Checkout)
    return result


def understood(**update: Any) -> Inbound:
    result = decoded(**update)
    assert isinstance(result, Inbound), result
    return result


def refused(raw: bytes) -> Undecodable:
    result = wire.decode(raw, NOW)
    assert isinstance(result, Undecodable), result
    assert result.raw == raw
    return result


# --- what people do ---


def test_a_text_keeps_its_words_its_sender_and_the_raw_update() -> None:
    raw = json.dumps({"update_id": 77, "message": message(text="/pain 7 3h")}).encode()
    assert wire.decode(raw, NOW) == Inbound(
        address=Address("telegram", "501"),
        key="77",
        content=Text("/pain 7 3h"),
        received_at=NOW,
        written_at=WRITTEN,
        profile=Profile(first_name="Ann", last_name="Lee", username="ann", language_code="fr"),
        raw=raw,
        message_id="9",
    )


@pytest.mark.parametrize("date", [0, -5, 10**10, 10**400])
def test_a_message_from_no_time_or_from_the_future_was_written_now(date: int) -> None:
    assert understood(message=message(text="hi", date=date)).written_at == NOW


def test_a_place_is_its_two_degrees_even_as_a_venue() -> None:
    place = {"latitude": 48.85, "longitude": 2.35}
    assert understood(message=message(location=place)).content == Location(48.85, 2.35)
    assert understood(message=message(venue={"title": "x"}, location=place)).content == Location(48.85, 2.35)


@pytest.mark.parametrize("bad", [{"latitude": 91, "longitude": 0}, {"latitude": 0, "longitude": "x"}, {}, None, 5])
def test_a_place_that_is_nowhere_is_unreadable_and_nothing_worse(bad: object) -> None:
    content = decoded(message=message(location=bad))
    assert isinstance(content, Inbound)
    assert isinstance(content.content, Unreadable)


def test_a_number_beyond_all_floats_is_no_place() -> None:
    raw = json.dumps({"update_id": 77, "message": message(location={"latitude": "X", "longitude": 1})}).encode()
    result = wire.decode(raw.replace(b'"X"', b"1e309"), NOW)
    assert isinstance(result, Inbound)
    assert result.content == Unreadable("location")


@pytest.mark.parametrize("kind", wire.KINDS)
def test_what_the_bot_cannot_read_is_told_by_its_name(kind: str) -> None:
    if kind == "location":
        return
    assert understood(message=message(caption="see", **{kind: {"file_id": "x"}})).content == Unreadable(kind)


def test_an_animation_is_not_taken_for_the_document_it_also_is() -> None:
    both = understood(message=message(document={}, animation={}))
    assert both.content == Unreadable("animation")


def test_a_kind_of_message_that_is_still_to_be_invented_is_other() -> None:
    assert understood(message=message(hologram={})).content == Unreadable("other")


@pytest.mark.parametrize(
    ("replied", "told"), [({"message_id": 5, "text": "?"}, "5"), ({"message_id": "x"}, ""), ([], ""), ({}, "")]
)
def test_a_reply_tells_what_it_replies_to(replied: object, told: str) -> None:
    assert understood(message=message(text="7", reply_to_message=replied)).content == Text("7", told)


def test_a_forwarded_command_is_not_obeyed_but_forwarded_words_are_heard() -> None:
    origin = {"type": "user", "sender_user": {"id": 1}}
    assert understood(message=message(text=" /forget", forward_origin=origin)).content == Unreadable("forward")
    assert understood(message=message(text="7", forward_origin=origin)).content == Text("7")


def test_an_edit_is_an_edit_and_a_moving_place_is_told_apart() -> None:
    assert understood(edited_message=message(text="8")).content == Unreadable("edit")
    moving = message(location={"latitude": 1, "longitude": 2, "live_period": 900})
    assert understood(edited_message=moving).content == Unreadable("live_location")


def press(**changes: Any) -> dict[str, Any]:
    query = {"id": "4242", "from": ANN, "chat_instance": "1", "data": "q1:3", "message": message(text="?")}
    return {name: value for name, value in (query | changes).items() if value is not None}


def test_a_press_tells_the_button_the_message_and_the_way_to_answer() -> None:
    pressed = understood(callback_query=press())
    assert pressed.content == Press("q1:3", "9", "4242")
    assert pressed.address == Address("telegram", "501")


def test_a_press_on_a_message_too_old_to_be_shown_still_names_it() -> None:
    old = {"chat": HER_CHAT, "message_id": 5, "date": 0}
    assert understood(callback_query=press(message=old)).content == Press("q1:3", "5", "4242")


def test_a_press_on_an_inline_message_names_none_and_belongs_to_who_pressed() -> None:
    pressed = understood(callback_query=press(message=None, inline_message_id="AAA"))
    assert pressed.content == Press("q1:3", "", "4242")
    assert pressed.address == Address("telegram", "501")


def test_a_press_of_a_game_button_is_unreadable() -> None:
    assert understood(callback_query=press(data=None, game_short_name="g")).content == Unreadable("game")


@pytest.mark.parametrize("data", ["x" * 10_000, "502:done", "a:b:c:d:e:f", "", "'; DROP TABLE users"])
def test_crafted_button_data_pass_as_they_are(data: str) -> None:
    assert understood(callback_query=press(data=data)).content == Press(data, "9", "4242")


def test_nul_in_button_data_becomes_what_no_button_of_ours_holds() -> None:
    assert understood(callback_query=press(data="q1\0:3")).content == Press("q1�:3", "9", "4242")


def membership(status: str, chat: dict[str, Any] = HER_CHAT) -> dict[str, Any]:
    member = {"user": {"id": 1, "is_bot": True}, "status": status}
    return {"chat": chat, "from": ANN, "date": 1, "old_chat_member": member, "new_chat_member": member}


def test_blocking_and_unblocking_are_noticed() -> None:
    assert understood(my_chat_member=membership("kicked")).content == Left()
    assert understood(my_chat_member=membership("member")).content == Returned()


@pytest.mark.parametrize("chat", [GROUP, CHANNEL, {"id": -5, "type": "group"}, {"id": 501, "type": "of a new kind"}])
def test_only_a_private_chat_is_served_whatever_happens_elsewhere(chat: dict[str, Any]) -> None:
    elsewhere = message(text="/backup", chat=chat)
    updates: tuple[dict[str, Any], ...] = (
        {"message": elsewhere},
        {"edited_message": elsewhere},
        {"channel_post": elsewhere},
        {"callback_query": press(message=elsewhere)},
        {"my_chat_member": membership("administrator", chat)},
    )
    for update in updates:
        heard = understood(**update)
        assert heard.content == InGroup()
        assert heard.address == Address("telegram", str(chat["id"]))
        assert heard.profile == Profile()


def test_being_thrown_out_of_a_group_is_not_answered_there() -> None:
    assert understood(my_chat_member=membership("kicked", GROUP)).content == Left()
    assert understood(my_chat_member=membership("left", GROUP)).content == Left()


# --- payments ---

SUM = {"currency": "XTR", "total_amount": 50, "invoice_payload": "bill:7"}
CHARGES = {"telegram_payment_charge_id": "tg-1", "provider_payment_charge_id": "p-1"}


def test_who_is_about_to_pay_is_told_apart_from_what_people_say() -> None:
    query = {"id": "q-1", "from": ANN, **SUM}
    assert wire.decode(json.dumps({"update_id": 77, "pre_checkout_query": query}).encode(), NOW) == Checkout(
        address=Address("telegram", "501"),
        key="77",
        query_id="q-1",
        currency="XTR",
        amount=50,
        payload="bill:7",
        profile=Profile(first_name="Ann", last_name="Lee", username="ann", language_code="fr"),
    )


def test_a_payment_and_its_return_are_messages() -> None:
    paid = understood(message=message(successful_payment=SUM | CHARGES))
    assert paid.content == Paid("XTR", 50, "bill:7", "tg-1")
    refund = {name: value for name, value in (SUM | CHARGES).items() if not name.startswith("provider")}
    assert understood(message=message(refunded_payment=refund)).content == Refunded("tg-1")


@pytest.mark.parametrize(
    "payment", [5, {}, SUM, SUM | CHARGES | {"total_amount": -1}, SUM | {"telegram_payment_charge_id": ""}]
)
def test_a_payment_that_cannot_be_read_is_set_aside_and_not_taken_for_something_else(payment: object) -> None:
    assert isinstance(decoded(message=message(successful_payment=payment)), Undecodable)


# --- attacks ---


def test_a_private_chat_whose_sender_is_somebody_else_is_not_believed() -> None:
    updates: tuple[dict[str, Any], ...] = (
        {"message": message(text="/forget", chat={"id": 502, "type": "private"})},
        {"callback_query": press(message=message(chat={"id": 502, "type": "private"}))},
        {"my_chat_member": membership("kicked", {"id": 502, "type": "private"})},
        {"message": {"message_id": 1, "chat": HER_CHAT, "text": "nobody's"}},
    )
    for update in updates:
        assert isinstance(decoded(**update), Undecodable)


@pytest.mark.parametrize("id_", [2**52, -(2**52), 2**63, 10**30, 1.5, "501", True, None])
def test_an_id_that_telegram_never_gives_is_not_understood(id_: object) -> None:
    who = {**ANN, "id": id_}
    result = decoded(message=message(text="x", **{"from": who, "chat": {"id": id_, "type": "private"}}))
    assert isinstance(result, Undecodable)
    assert result.key == "77"


@pytest.mark.parametrize("name", ["A\u202enn", "<b>Ann", '=HYPERLINK("x")', "+cmd|x", "\u200b", "x" * 4_097, "𝒜" * 70])
def test_strange_names_and_texts_pass_unharmed(name: str) -> None:
    heard = understood(message=message(text=name, **{"from": {**ANN, "first_name": name}}))
    assert heard.content == Text(name)
    assert heard.profile.first_name == name


def test_nul_is_replaced_since_not_every_database_holds_it() -> None:
    heard = understood(message=message(text="a\0b", **{"from": {**ANN, "first_name": "\0"}}))
    assert heard.content == Text("a�b")
    assert heard.profile.first_name == "�"


def test_a_lone_surrogate_is_cleaned_and_its_writer_heard() -> None:
    heard = understood(message=message(text="hi \ud83d", **{"from": {**ANN, "first_name": "\udc00x"}}))
    assert isinstance(heard.content, Text)
    for text in (heard.content.text, heard.profile.first_name):
        text.encode()  # raises if one is left
    assert heard.content.text.startswith("hi ")
    assert understood(message=message(sticker={}, caption="\ud83d")).content == Unreadable("sticker")


def test_bytes_that_are_not_utf_8_are_cleaned_too() -> None:
    raw = json.dumps({"update_id": 77, "message": message(text="XX")}).encode().replace(b"XX", b"\xff\xfe ok")
    heard = wire.decode(raw, NOW)
    assert isinstance(heard, Inbound)
    assert isinstance(heard.content, Text)
    assert heard.content.text.endswith(" ok")
    assert heard.raw == raw


def test_a_kind_of_update_that_was_not_asked_for_is_set_aside_under_its_number() -> None:
    for kind in ("inline_query", "poll_answer", "business_message", "what_comes_next_year"):
        result = decoded(**{kind: {"id": "1"}})
        assert isinstance(result, Undecodable)
        assert result.key == "77"


@pytest.mark.parametrize("bad", [5, "x", [], {}, None, {"chat": 5}, {"id": 5}])
@pytest.mark.parametrize("kind", wire.ALLOWED_UPDATES)
def test_an_update_of_the_wrong_shape_is_set_aside_under_its_number(kind: str, bad: object) -> None:
    assert refused(json.dumps({"update_id": 77, kind: bad}).encode()).key == "77"


def test_broken_json_is_set_aside_under_the_number_it_begins_with() -> None:
    assert refused(b'{"update_id": 78, "message": {"text": oops}}').key == "78"
    assert refused(b'{"update_id":79,"message":' + DEEP + b"}").key == "79"


def test_without_a_usable_number_the_key_is_a_hash_and_the_same_each_time() -> None:
    for raw in (b"", b"null", b"[]", b'{"message":{}}', b'{"update_id":"x"}', b'{"update_id":99999999999}', b"\xff"):
        first = refused(raw)
        assert first.key.startswith("sha256:")
        assert refused(raw).key == first.key
    assert refused(b"1").key != refused(b"2").key


def test_a_person_cannot_pretend_to_be_an_update_number() -> None:
    quoted = json.dumps({"text": '{"update_id": 5, '}).encode()
    assert refused(quoted[:-1]).key.startswith("sha256:")


def test_the_reason_never_quotes_what_was_written() -> None:
    for raw in (
        b'{"update_id":1,"message":"my head hurts"}',
        b'{"update_id":1,"message":{"text":"my head hurts",}}',
        json.dumps({"update_id": 1, "message": message(text=["my head hurts"])}).encode(),
    ):
        assert "hurts" not in refused(raw).reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "update_id",
        "message",
        "callback_query",
        "my_chat_member",
        "chat",
        "from",
        "id",
        "type",
        "text",
        "data",
        "location",
    ]
)
UPDATES = st.recursive(
    JSON, lambda inner: st.dictionaries(FIELDS, inner | st.just(ANN) | st.just(HER_CHAT), max_size=5), max_leaves=20
)


@given(UPDATES)
def test_no_json_whatever_makes_decoding_fail(update: object) -> None:
    raw = json.dumps(update).encode("utf-8", "surrogatepass")
    result = wire.decode(raw, NOW)
    assert isinstance(result, Checkout) or result.raw == raw
    assert result.key.isdecimal() or result.key.startswith("sha256:")


@given(st.binary())
@example(b'{"update_id":')
def test_no_bytes_whatever_make_decoding_fail(raw: bytes) -> None:
    result = wire.decode(raw, NOW)
    assert isinstance(result, Checkout) or result.raw == raw
    wire.is_update(raw)


# --- whole answers ---


def test_an_answer_is_split_into_its_updates_as_they_came() -> None:
    assert wire.split(b'{"ok":true,"result":[{"update_id":1} , {"update_id" : 2}]}') == [
        b'{"update_id":1}',
        b'{"update_id" : 2}',
    ]
    assert wire.split(b'{"ok":true,"result":[]}') == []


def test_one_lone_surrogate_does_not_spoil_the_whole_answer() -> None:
    bad = b'{"update_id":1,"message":{"text":"\\ud800"}}'
    parts = wire.split(b'{"ok":true,"result":[' + bad + b',{"update_id":2}]}')
    assert [wire.update_id(part) for part in parts] == [1, 2]


def test_members_that_are_no_objects_do_not_spoil_the_others() -> None:
    parts = wire.split(b'{"ok":true,"result":[null,5,"x",{"update_id":2}]}')
    assert [wire.update_id(part) for part in parts] == [None, None, None, 2]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"{}",
        b'{"ok":true,"result":true}',
        b'{"ok":true,"result":[{"update_id":',
        b"[" * 9_000,
    ],
)
def test_an_answer_that_is_none_says_so(body: bytes) -> None:
    with pytest.raises(wire.UnreadableBody):
        wire.split(body)


# --- what may be confirmed ---


def test_nothing_is_confirmed_beyond_what_was_stored() -> None:
    assert wire.next_offset([]) is None
    assert wire.next_offset([(5, True), (6, True)]) == 7
    assert wire.next_offset([(5, True), (6, False), (7, True)]) == 6
    assert wire.next_offset([(5, False)]) is None
    assert wire.next_offset([(None, True)]) is None
    assert wire.next_offset([(5, True), (None, True)]) == 6
    assert wire.next_offset([(5, True), (None, False), (6, True)]) == 6


@given(st.lists(st.tuples(st.none() | st.integers(1, 60), st.booleans()), max_size=12))
def test_the_offset_is_at_most_one_above_what_is_stored_and_never_above_what_is_not(
    results: list[tuple[int | None, bool]],
) -> None:
    offset = wire.next_offset(results)
    if offset is None:
        return
    assert offset <= max(number for number, stored in results if stored and number is not None) + 1
    assert all(number >= offset for number, stored in results if number is not None and not stored)
