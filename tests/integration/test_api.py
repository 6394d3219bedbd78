"""What programs may ask over HTTP, by a real client: states, and a stream that can be taken up again."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING

import anyio
import pytest
from aiohttp import ClientSession

from actors.actor import Mailbox
from actors.api import Api
from actors.feed import REMEMBERED, Feed
from actors.web import Web
from migrebot.clock import SystemClock
from tests.local_chat import make_access

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import ClientResponse

pytestmark = pytest.mark.anyio
REFRESH = ("states", '{"refresh":1}')
WITHIN = 20.0


async def report() -> object:
    return {"n_pains": 3}


async def days(first: date, last: date) -> object:
    return [first, last]


@asynccontextmanager
async def serving(folder: Path, feed: Feed) -> AsyncIterator[str]:
    api = Api(
        states=lambda: {"states": [{"state_name": "AddDrugForm:0:name", "user_ids": (123,)}], "incr_value": 7},
        report=report,
        days=days,
        feed=feed,
        anew=lambda: [("states", b'{"refresh":1}')],
        clock=SystemClock(),
    )
    web = Web(
        mailbox=Mailbox(1),
        host="127.0.0.1",
        port=0,
        routes=api.routes(),
        readiness=lambda: (True, {}),
        access=make_access(folder, SystemClock(), token="a-long-enough-token"),
    )
    async with AsyncExitStack() as resources, anyio.create_task_group() as tasks:
        await web.start(resources)
        tasks.start_soon(web.run)
        yield web.url
        await web.stop()


@asynccontextmanager
async def listening(url: str, last: str = "") -> AsyncIterator[ClientResponse]:
    headers = {"Authorization": "Bearer a-long-enough-token"} | ({"Last-Event-ID": last} if last else {})
    async with ClientSession() as client, client.get(f"{url}/api/events", headers=headers) as response:
        assert response.status == 200
        yield response


async def event(response: ClientResponse) -> tuple[str, str, str]:
    """Read the next event: its id, its kind, its data."""
    fields: dict[str, str] = {}
    with anyio.fail_after(WITHIN):
        while "data" not in fields:
            name, _, value = (await response.content.readline()).decode().rstrip("\n").partition(": ")
            fields[name] = value
    return fields["id"], fields["event"], fields["data"]


async def test_states_are_shown_as_the_contract_says_to_whoever_may_see_them(tmp_path: Path) -> None:
    async with serving(tmp_path, Feed()) as url, ClientSession() as client:
        async with client.get(f"{url}/api/states") as refused:
            assert refused.status == 401
        async with client.get(f"{url}/api/states", headers={"Authorization": "Bearer a-long-enough-token"}) as answer:
            assert (
                await answer.text()
                == '{"states":[{"state_name":"AddDrugForm:0:name","user_ids":[123]}],"incr_value":7}'
            )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/report", (200, '{"n_pains":3}')),
        ("/api/statistics", (200, '{"days":["0001-01-01","9999-12-31"]}')),
        ("/api/statistics?from=2026-06-01&to=2026-06-30", (200, '{"days":["2026-06-01","2026-06-30"]}')),
        ("/api/statistics?from=01.06.2026", (400, "from: a date is written YYYY-MM-DD.\n")),
        ("/api/statistics?from=", (400, "from: a date is written YYYY-MM-DD.\n")),
        ("/api/statistics?to=20260601", (400, "to: a date is written YYYY-MM-DD.\n")),
        ("/api/statistics?to=2026-W01-1", (400, "to: a date is written YYYY-MM-DD.\n")),
        ("/api/statistics?to=2026-02-30", (400, "to: a date is written YYYY-MM-DD.\n")),
    ],
)
async def test_the_report_and_the_days_are_asked_for_by_plain_dates(
    tmp_path: Path, path: str, expected: tuple[int, str]
) -> None:
    headers = {"Authorization": "Bearer a-long-enough-token"}
    async with (
        serving(tmp_path, Feed()) as url,
        ClientSession() as client,
        client.get(url + path, headers=headers) as answer,
    ):
        assert (answer.status, await answer.text()) == expected


async def test_a_listener_hears_what_comes_and_goes_on_where_it_left_off(tmp_path: Path) -> None:
    feed = Feed()
    feed.tell("states", b'"before"')
    async with serving(tmp_path, feed) as url:
        async with listening(url) as response:
            feed.tell("states", b'"one"')
            last, kind, data = await event(response)
            assert (kind, data) == ("states", '"one"')
        feed.tell("report", b'"two"')
        feed.tell("states", b'"three"')
        async with listening(url, last) as response:
            assert (await event(response))[1:] == ("report", '"two"')
            assert (await event(response))[1:] == ("states", '"three"')


async def test_a_listener_who_missed_too_much_or_knows_another_run_is_told_to_read_anew(tmp_path: Path) -> None:
    feed = Feed()
    async with serving(tmp_path, feed) as url:
        async with listening(url) as response:
            feed.tell("states", b'"one"')
            last = (await event(response))[0]
        for number in range(REMEMBERED + 1):
            feed.tell("states", b"%d" % number)
        for known in (last, "deadbeef-1", "nonsense", f"{last}000000"):
            async with listening(url, known) as response:
                assert (await event(response))[1:] == REFRESH
                feed.tell("states", b'"next"')
                assert (await event(response))[1:] == ("states", '"next"')
