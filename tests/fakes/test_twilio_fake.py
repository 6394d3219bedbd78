"""The fake Twilio is as Twilio's description and its own package have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from tests.fakes.twilio import ACCOUNT, NUMBER, TOKEN, FakeTwilio
from tests.fakes.twilio.errors import Refused
from tests.fakes.twilio.posting import signature
from tests.fakes.twilio.specification import Specification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
TO = "whatsapp:+15550001111"


@pytest.fixture
async def fake() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        fake.world.receive(TO, "hello")
        yield fake


@pytest.fixture
def specification() -> Specification:
    found = Specification.load()
    if found is None:
        pytest.skip("this machine has no copy of Twilio's description")
    return found


async def call(
    fake: FakeTwilio, method: str, path: str, form: dict[str, str] | None = None, **query: str
) -> tuple[int, Any]:
    login = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with (
        aiohttp.ClientSession(headers=login) as session,
        session.request(method, fake.api_base + path, data=form, params=query) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


async def send(fake: FakeTwilio, **form: str) -> tuple[int, Any]:
    return await call(fake, "POST", MESSAGES, {"To": TO, "From": f"whatsapp:{NUMBER}", "Body": "hi"} | form)


async def test_a_message_has_the_published_shape(fake: FakeTwilio, specification: Specification) -> None:
    status, message = await send(fake)
    assert status == 201
    assert specification.complain(message, specification.schema("api.v2010.account.message"), "message") == []


async def test_a_page_has_the_published_shape(fake: FakeTwilio, specification: Specification) -> None:
    for _ in range(3):
        fake.world.receive(TO, "more")
    status, page = await call(fake, "GET", MESSAGES, PageSize="2")
    assert status == 200
    assert specification.complain(page, specification.list_answer(), "page") == []
    assert page["next_page_uri"].startswith(MESSAGES)


async def test_the_program_sends_only_fields_that_there_are(specification: Specification) -> None:
    used = {"To", "From", "Body", "MediaUrl", "StatusCallback", "ContentSid", "ContentVariables"}
    assert used <= specification.form_fields()


async def test_errors_come_in_twilios_body(fake: FakeTwilio) -> None:
    status, error = await send(fake, To="nobody")
    assert (status, error["code"], error["status"]) == (400, 21211, 400)
    assert error["more_info"] == "https://www.twilio.com/docs/errors/21211"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": "whatsapp:+1"}, 63007),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1_601}, 21617),
        ({"ContentSid": "HX", "ContentVariables": '{"1": "a\\nb"}'}, 21656),
        ({"StatusCallback": "http://127.0.0.1/x"}, 21609),
    ],
    ids=str,
)
async def test_it_refuses_what_twilio_refuses(fake: FakeTwilio, form: dict[str, str], code: int) -> None:
    assert (await send(fake, **form))[1]["code"] == code


async def test_the_window_closes_after_a_day_at_once_or_later(fake: FakeTwilio) -> None:
    fake.world.advance(25 * 3600)
    _, accepted = await send(fake)
    assert fake.world.messages[accepted["sid"]].swallowed
    fake.world.async_errors = False
    with pytest.raises(Refused):
        fake.world.create({"To": TO, "From": f"whatsapp:{NUMBER}", "Body": "x"})


async def test_only_the_account_gets_in(fake: FakeTwilio) -> None:
    async with aiohttp.ClientSession() as session, session.get(fake.api_base + MESSAGES) as answer:
        assert answer.status == 401


async def test_its_signatures_are_those_of_twilios_own_package() -> None:
    fields = [("Body", "ünï & = +"), ("A", ""), ("From", TO)]
    url = "https://bot.example/webhooks/twilio"
    assert RequestValidator(TOKEN).validate(url, dict(fields), signature(TOKEN, url, fields))
