"""What strangers may try on the webhooks: nothing of it is stored, answered with an error, or logged."""

from __future__ import annotations

import gzip
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
import anyio
import pytest

from storage.migrations.sqlite_runner import migrate
from tests.fakes.twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.fakes.twilio.posting import signature
from tests.integration.twilio_rig import Rig, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
PATH = "/webhooks/twilio"


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """One program for all attacks: none may leave a trace."""
    place = tmp_path_factory.mktemp("attacked")
    (place / "data").mkdir()
    migrate(place / "template.db")
    shutil.copy(place / "template.db", place / "data/migrebot.db")
    async with FakeTwilio() as fake, running(fake, place) as rig:
        yield rig


def usual(rig: Rig, **changed: str) -> list[tuple[str, str]]:
    """Give the form of an honest message, with some fields changed."""
    ann = rig.fake.person()
    received = rig.fake.world.receive(ann.address, "")
    return ann.form(received, [("Body", "/pain 7 3h"), *changed.items()])


async def post(
    rig: Rig, body: bytes | str, *, signed: str | None = "", path: str = PATH, headers: dict[str, str] | None = None
) -> int:
    """Post a body; `signed` is the signature, None for none, empty for that of an empty form."""
    given = {"Content-Type": FORM} | (headers or {})
    if signed is not None:
        given["X-Twilio-Signature"] = signed
    url = rig.program.web.url + path
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=given) as answer:
        text = await answer.text()
        assert "Traceback" not in text
        return answer.status


def sign(rig: Rig, fields: list[tuple[str, str]], url: str = "") -> str:
    return signature(TOKEN, url or rig.fake.public_url + PATH, fields)


async def stored(rig: Rig) -> int:
    """Count the people known to the program."""
    found = await rig.storage.latest_address("whatsapp")
    return 0 if found is None else 1


@pytest.fixture(autouse=True)
async def nothing_is_stored(rig: Rig) -> AsyncIterator[None]:
    yield
    assert await stored(rig) == 0
    assert rig.fake.calls_of("create") == []
    assert rig.program.supervisor.readiness()[0]


async def test_without_a_signature(rig: Rig) -> None:
    assert await post(rig, urlencode(usual(rig)), signed=None) == 403
    assert await post(rig, urlencode(usual(rig)), signed="") == 403


@pytest.mark.parametrize("wrong", ["x", "ÿ" * 28, "A" * 27 + "=", "=" * 5_000])
async def test_with_a_wrong_signature(rig: Rig, wrong: str) -> None:
    assert await post(rig, urlencode(usual(rig)), signed=wrong) == 403


async def test_signed_for_another_address_or_with_another_token(rig: Rig) -> None:
    fields = usual(rig)
    for url in ("https://evil.example" + PATH, rig.fake.public_url + PATH + "/status", rig.program.web.url + PATH):
        assert await post(rig, urlencode(fields), signed=sign(rig, fields, url)) == 403
    assert await post(rig, urlencode(fields), signed=signature("0" * 32, rig.fake.public_url + PATH, fields)) == 403


async def test_the_address_is_not_taken_from_what_the_request_says_of_itself(rig: Rig) -> None:
    fields = usual(rig)
    signed = sign(rig, fields, "https://evil.example" + PATH)
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert await post(rig, urlencode(fields), signed=signed, headers=forged) == 403


async def test_signed_for_other_fields(rig: Rig) -> None:
    fields = usual(rig)
    signed = sign(rig, fields)
    changed = [(name, "/forget" if name == "Body" else value) for name, value in fields]
    assert await post(rig, urlencode(changed), signed=signed) == 403
    assert await post(rig, urlencode([*fields, ("More", "1")]), signed=signed) == 403
    assert await post(rig, urlencode(fields), signed=signed, path=PATH + "?x=1") == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"AccountSid": "AC" + "f" * 32},
        {"AccountSid": ""},
        {"To": "whatsapp:+14155230000"},
        {"To": ""},
        {"From": "+15550001111"},
        {"From": "messenger:123"},
    ],
    ids=str,
)
async def test_of_another_account_or_for_another_number(rig: Rig, changed: dict[str, str]) -> None:
    fields = usual(rig, **changed)
    assert await post(rig, urlencode(fields), signed=sign(rig, fields)) == 403


async def test_status_callbacks_need_a_signature_too(rig: Rig) -> None:
    fields = [("MessageSid", "SM" + "0" * 32), ("MessageStatus", "failed"), ("AccountSid", ACCOUNT)]
    path = PATH + "/status"
    assert await post(rig, urlencode(fields), signed=None, path=path) == 403
    good = signature(TOKEN, rig.fake.public_url + path, fields)
    assert await post(rig, urlencode(fields), signed=good, path=path) == 200
    odd = [*fields[:1], ("MessageStatus", "exploded"), *fields[2:]]
    assert await post(rig, urlencode(odd), signed=signature(TOKEN, rig.fake.public_url + path, odd), path=path) == 200


async def test_a_field_that_comes_twice(rig: Rig) -> None:
    fields = [*usual(rig), ("Body", "again")]
    assert await post(rig, urlencode(fields), signed=sign(rig, fields)) in {400, 403}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"Body": "x"}', "application/json"),
        (b"Body=x", "text/plain"),
        (b"", ""),
        (b"Body=\xff\xfe", FORM),
        (b"Body=%ff%fe", FORM),
        (b"Body=x", f"{FORM}; charset=klingon"),
        (b"Body=x", f"{FORM}; charset=utf-16"),
        (b"--x\r\n\r\n", "multipart/form-data"),
        (b"&".join(b"f%d=x" % n for n in range(2_000)), FORM),
        (b"&" * 100_000, FORM),
    ],
    ids=["json", "text", "nothing", "bytes", "percent", "charset", "utf-16", "multipart", "fields", "ampersands"],
)
async def test_malformed(rig: Rig, body: bytes, kind: str) -> None:
    assert await post(rig, body, signed="x", headers={"Content-Type": kind} if kind else {"Content-Type": "x/y"}) == 400


async def test_too_large(rig: Rig) -> None:
    assert await post(rig, b"Body=" + b"x" * 300_000) == 413


async def test_a_bomb_of_zeros(rig: Rig) -> None:
    bomb = gzip.compress(b"Body=" + b"x" * 50_000_000)
    assert await post(rig, bomb, headers={"Content-Encoding": "gzip"}) == 415


async def test_a_body_that_drips_is_cut_off(rig: Rig) -> None:
    rig.program.web.request_seconds = 0.5
    try:
        with anyio.fail_after(20):
            stream = await anyio.connect_tcp("127.0.0.1", rig.program.web.port)
            async with stream:
                head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 100\r\n\r\nBody="
                await stream.send(head.encode())
                answer = await stream.receive()
        assert b"408" in answer
    finally:
        rig.program.web.request_seconds = 10.0


async def test_files_cannot_be_guessed(rig: Rig) -> None:
    async with aiohttp.ClientSession() as session:
        for token in ("x", "../data/migrebot.db", "..%2f..%2fetc%2fpasswd", "e30.aaaa.bbbb", "%00", "a" * 5_000):
            async with session.get(f"{rig.program.web.url}/files/{token}") as answer:
                assert answer.status in {401, 404}
