"""What Twilio posts, and what is written for WhatsApp: whatever comes, nothing is raised and nothing is too long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import twilio_text, twilio_wire
from actors.twilio_errors import AccountUnknown, translated
from migrebot.dialogue import numbered
from migrebot.errors import NotSent, Refused, Uncertain
from migrebot.messages import Button, Inbound, Keyboard, Location, Press, Text, Undecodable, Unreadable

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SID = "SM" + "0" * 32
HONEST = {"MessageSid": SID, "From": "whatsapp:+15550001111", "Body": "hello"}
FIELDS = [
    "MessageSid",
    "From",
    "To",
    "Body",
    "NumMedia",
    "MediaUrl0",
    "MediaContentType0",
    "WaId",
    "ProfileName",
    "Latitude",
    "Longitude",
    "ButtonText",
    "ButtonPayload",
    "ListId",
    "ListTitle",
    "OptOutType",
    "MessageStatus",
    "ErrorCode",
]
forms = st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=40))
labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
keyboards = st.lists(st.lists(labels, min_size=1, max_size=4), max_size=8).map(
    lambda rows: tuple(
        tuple(Button(label, f"q:a1:{row * 4 + place}") for place, label in enumerate(line))
        for row, line in enumerate(rows)
    )
)


@given(forms, st.text(max_size=20))
def test_any_form_becomes_a_message_or_is_set_aside(form: dict[str, str], token: str) -> None:
    for fields in (form, HONEST | form):
        decoded = twilio_wire.decode(fields, b"raw", token, NOW)
        assert isinstance(decoded, Inbound | Undecodable)
        assert decoded.key
        twilio_wire.fate(fields)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({}, Text("hello")),
        ({"Body": ""}, Unreadable("other")),
        ({"Latitude": "48.5", "Longitude": "2"}, Location(48.5, 2.0)),
        ({"Latitude": "nan", "Longitude": "2"}, Unreadable("location")),
        ({"NumMedia": "2", "MediaContentType0": "audio/ogg"}, Unreadable("voice")),
        ({"ButtonPayload": "rm:show:5", "ButtonText": "Show"}, Press("rm:show:5", "")),
        ({"ButtonPayload": "YES", "ButtonText": "Yes, please"}, Text("Yes, please")),
        ({"ListId": "item-1", "ListTitle": "One"}, Text("One")),
    ],
    ids=str,
)
def test_what_a_form_means(fields: dict[str, str], content: object) -> None:
    decoded = twilio_wire.decode(HONEST | fields, b"", "", NOW)
    assert isinstance(decoded, Inbound)
    assert decoded.content == content


@given(st.text(st.characters(exclude_characters="<>&"), max_size=4_000), keyboards)
def test_no_part_is_longer_than_twilio_takes(text: str, keyboard: Keyboard) -> None:
    for part in twilio_text.parts(f"<b>{text}</b>", keyboard):
        assert len(part.encode("utf-16-le", "surrogatepass")) <= 2 * twilio_text.LONGEST
    line = twilio_text.one_line(text, keyboard)
    assert "\n" not in line
    assert "  " not in line


@given(keyboards)
def test_every_number_that_is_listed_means_its_button(keyboard: Keyboard) -> None:
    for line in numbered.lines(keyboard).splitlines():
        number, dot, label = line.partition(". ")
        if dot and number.isascii() and number.isdigit():
            meant = numbered.meant(keyboard, number, by_number=True)
            # A label may be that number itself, or hold a line break.
            assert meant
            assert label.split("\n")[0] in meant[0].label or any(b.label == number for row in keyboard for b in row)


def test_a_link_shows_its_address_and_marks_are_whatsapps() -> None:
    html = '<b>Bold</b> and <i>slanted</i>, see <a href="https://x.example/?a=1&amp;b=2">here</a> &lt;3'
    assert twilio_text.parts(html) == ["*Bold* and _slanted_, see here (https://x.example/?a=1&b=2) <3"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, 20429, NotSent),
        (429, 63018, NotSent),
        (429, 0, NotSent),
        (400, 63016, NotSent),
        (400, 21610, Refused),
        (400, 63021, Refused),
        (404, 20404, Refused),
        (302, 0, Refused),
        (500, 20500, Uncertain),
        (502, 0, Uncertain),
    ],
)
def test_what_an_error_means(status: int, code: int, kind: type[Exception]) -> None:
    assert isinstance(translated(status, code), kind)


def test_a_wrong_account_is_an_error_of_its_own() -> None:
    with pytest.raises(AccountUnknown):
        translated(401, 20003)
