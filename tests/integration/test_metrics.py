"""What Prometheus scrapes, read by its own parser."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from aiohttp import ClientSession
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read

from actors.actor import Mailbox
from actors.metrics import Metrics
from actors.web import Web
from migrebot.clock import SystemClock
from tests.local_chat import make_access
from tests.statuses import NOW, status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from prometheus_client import Metric

    from migrebot.reports.status import Status

pytestmark = pytest.mark.anyio
KEY = {"Authorization": "Bearer a-long-enough-token"}


@asynccontextmanager
async def serving(folder: Path, shown: Status) -> AsyncIterator[str]:
    async def current() -> Status:
        return shown

    web = Web(
        mailbox=Mailbox(1),
        host="127.0.0.1",
        port=0,
        routes=Metrics(current).routes(),
        readiness=lambda: (True, {}),
        access=make_access(folder, SystemClock(), token="a-long-enough-token"),
    )
    async with AsyncExitStack() as resources, anyio.create_task_group() as tasks:
        await web.start(resources)
        tasks.start_soon(web.run)
        yield f"{web.url}/metrics"
        await web.stop()


async def scrape(folder: Path, shown: Status, accept: str = "") -> str:
    async with (
        serving(folder, shown) as url,
        ClientSession() as client,
        client.get(url, headers=KEY | {"Accept": accept}) as answer,
    ):
        assert answer.status == 200
        assert ("openmetrics" in answer.headers["Content-Type"]) == ("openmetrics" in accept)
        return await answer.text()


def values(families: Iterable[Metric]) -> dict[str, float]:
    """Give every sample by its name and the values of its labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_all_that_is_known_is_told_by_conventional_names_and_units(tmp_path: Path) -> None:
    text = await scrape(tmp_path, status())
    families = list(read(text))
    found = values(families)
    assert {
        "migrebot_build_info 0.1.0": 1,
        "migrebot_storage_info sqlite": 1,
        "migrebot_storage_up": 1,
        "migrebot_redis_up": 0,
        "migrebot_actor_up dialogue": 1,
        "migrebot_actor_up delivery": 0,
        "migrebot_actor_serving mirror": 1,
        "migrebot_actor_restarts_total delivery": 3,
        "migrebot_actor_messages_total web": 1234,
        "migrebot_actor_messages_set_aside_total delivery": 1,
        "migrebot_mailbox_depth dialogue": 2,
        "migrebot_mailbox_size dialogue": 1000,
        "migrebot_mailbox_peak dialogue": 17,
        "migrebot_messages_sent_total telegram": 4321,
        "migrebot_messages_failed_total telegram recipient_gone": 2,
        "migrebot_messages_postponed_total telegram rate_limit": 5,
        "migrebot_outbox_messages telegram": 12,
        "migrebot_outbox_oldest_age_seconds telegram": 95.5,
        "migrebot_reminders_pending": 58,
        "migrebot_reminder_lateness_seconds_bucket 1.0": 8,
        "migrebot_reminder_lateness_seconds_bucket +Inf": 10,
        "migrebot_reminder_lateness_seconds_count": 10,
        "migrebot_reminder_lateness_seconds_sum": 3700.5,
        "migrebot_task_last_run_timestamp_seconds report": NOW.timestamp() - 14 * 3600,
    }.items() <= found.items()
    assert not any("backup" in name for name in found), "it never ran"
    for family in families:
        assert re.fullmatch(r"(migrebot|process)_[a-z_]+", family.name)
        assert family.documentation.endswith(".")


async def test_it_is_told_as_openmetrics_to_whoever_wants_that(tmp_path: Path) -> None:
    text = await scrape(tmp_path, status(), "application/openmetrics-text; version=1.0.0")
    found = values(read_openmetrics(text))  # type: ignore[no-untyped-call]  # the library has left it untyped
    assert found["migrebot_messages_sent_total telegram"] == 4321


async def test_what_is_not_there_is_left_out_and_not_told_as_zero(tmp_path: Path) -> None:
    some = status()
    unknown = status(
        redis=None,
        storage_trouble="disk full",
        reminders=type(some.reminders)(pending=None, fired=0, punctual=0, bounds=(1.0,), late=(0, 0), late_seconds=0.0),
    )
    found = values(read(await scrape(tmp_path, unknown)))
    assert found["migrebot_storage_up"] == 0
    assert not {"migrebot_redis_up", "migrebot_reminders_pending"} & found.keys()


async def test_nobody_else_may_scrape(tmp_path: Path) -> None:
    async with serving(tmp_path, status()) as url, ClientSession() as client, client.get(url) as refused:
        assert refused.status == 401


async def test_no_label_is_one_that_prometheus_gives_itself(tmp_path: Path) -> None:
    families = read(await scrape(tmp_path, status()))
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels == {"actor", "channel", "kind", "le", "reason", "task", "version"}
