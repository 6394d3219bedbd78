"""Metrics for Prometheus at `/metrics`, made of the overview when they are scraped.

Names and units follow https://prometheus.io/docs/practices/naming/. No label holds anything of a person.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import anyio.to_thread
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
    from types import ModuleType

    from prometheus_client import Metric

    from migrebot.reports.backups import Figures
    from migrebot.reports.status import ChannelStatus, ReminderStatus, Status

    Samples = Iterable[tuple[Sequence[str], float]]


class Metrics:
    """The route `/metrics`; `status` tells how everything fares."""

    def __init__(self, status: Callable[[], Awaitable[Status]]) -> None:
        self._status = status

    def routes(self) -> list[web.RouteDef]:
        """Give what the web server is to serve."""
        return [web.get("/metrics", self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        # A fifth of a second when it is imported for the first time.
        client = await anyio.to_thread.run_sync(_client)
        registry = client.CollectorRegistry(auto_describe=False)
        client.ProcessCollector(registry=registry)
        registry.register(_Snapshot(await self._status()))
        encode, content_type = client.exposition.choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})


def _client() -> ModuleType:
    import prometheus_client

    return prometheus_client


class _Snapshot:
    """One status as a collector of metrics."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give all metrics."""
        yield from self._program()
        yield from self._actors()
        yield from _channels(self._status.channels)
        yield from _reminders(self._status.reminders)
        yield from _backups(self._status.backup)

    def _program(self) -> Iterator[Metric]:
        status = self._status
        yield _info("build", "The program.", {"version": status.version})
        yield _info("storage", "The database.", {"kind": status.storage})
        yield _gauge("storage_up", "Whether the database can be used.", (), [((), not status.storage_trouble)])
        if status.redis is not None:
            yield _gauge("redis_up", "Whether the mirror in Redis is kept.", (), [((), status.redis)])
        started = status.started.timestamp()
        yield _gauge("start_time_seconds", "When the program started, since the epoch.", (), [((), started)])
        runs = [((name,), last.timestamp()) for name, last in status.jobs.items() if last is not None]
        text = "When a task that is done from time to time was done last, since the epoch."
        yield _gauge("task_last_run_timestamp_seconds", text, ("task",), runs)
        text = "When a task that is done from time to time last succeeded, since the epoch."
        yield _gauge("task_last_success_timestamp_seconds", text, ("task",), runs)

    def _actors(self) -> Iterator[Metric]:
        actors, by = self._status.actors, ("actor",)
        up = [((actor.name,), actor.state in {"running", "degraded"}) for actor in actors]
        yield _gauge("actor_up", "Whether the actor runs.", by, up)
        serving = [((actor.name,), actor.serving) for actor in actors]
        yield _gauge("actor_serving", "Whether the actor does its work.", by, serving)
        restarts = [((actor.name,), actor.restarts) for actor in actors]
        yield _counter("actor_restarts", "Restarts after a failure.", by, restarts)
        total = [((actor.name,), actor.messages) for actor in actors]
        yield _counter("actor_messages", "Messages put into the mailbox.", by, total)
        aside = [((actor.name,), actor.set_aside) for actor in actors]
        yield _counter("actor_messages_set_aside", "Messages that could not be handled.", by, aside)
        yield _gauge("mailbox_depth", "Messages waiting.", by, [((actor.name,), actor.mailbox) for actor in actors])
        size = [((actor.name,), actor.mailbox_size) for actor in actors]
        yield _gauge("mailbox_size", "Messages that may wait.", by, size)
        peak = [((actor.name,), actor.mailbox_peak) for actor in actors]
        yield _gauge("mailbox_peak", "Messages that waited, at most.", by, peak)


def _channels(channels: Sequence[ChannelStatus]) -> Iterator[Metric]:
    by = ("channel",)
    sent = [((channel.name,), channel.sent) for channel in channels]
    yield _counter("messages_sent", "Messages the messenger took.", by, sent)
    failed = [((channel.name, why), count) for channel in channels for why, count in channel.failures.items()]
    yield _counter("messages_failed", "Messages given up.", ("channel", "reason"), failed)
    late = [((channel.name, why), count) for channel in channels for why, count in channel.postponements.items()]
    yield _counter("messages_postponed", "Attempts after which a message waits again.", ("channel", "reason"), late)
    waiting = [((channel.name,), channel.waiting) for channel in channels]
    yield _gauge("outbox_messages", "Messages waiting to be sent.", by, waiting)
    oldest = [((channel.name,), channel.oldest_seconds) for channel in channels]
    yield _gauge("outbox_oldest_age_seconds", "For how long the oldest of them has waited.", by, oldest)


def _reminders(reminders: ReminderStatus) -> Iterator[Metric]:
    from prometheus_client.core import HistogramMetricFamily

    if reminders.pending is not None:
        yield _gauge("reminders_pending", "Reminders that are still to fire.", (), [((), reminders.pending)])
    text = "How late reminders fired: from the instant they were due until the firing was stored."
    lateness = HistogramMetricFamily("migrebot_reminder_lateness_seconds", text, labels=())
    bounds = [*(str(bound) for bound in reminders.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(reminders.late), strict=True))
    lateness.add_metric((), buckets, reminders.late_seconds)
    yield lateness


def _backups(figures: Figures) -> Iterator[Metric]:
    failures = {"backup": figures.failed_at, "upload": figures.upload_failed_at}
    failed = [((task,), at.timestamp()) for task, at in failures.items() if at is not None]
    yield _gauge("task_last_failure_timestamp_seconds", "When it last failed, since the epoch.", ("task",), failed)
    if figures.made_at is None or figures.verified_at is None:
        return
    yield _gauge("backup_size_bytes", "Size of the last backup.", (), [((), figures.size)])
    yield _gauge("backup_rows", "Rows in the last backup.", (), [((), figures.rows)])
    verified = figures.verified_at.timestamp()
    text = "When a backup was last restored on trial, since the epoch."
    yield _gauge("backup_last_verified_timestamp_seconds", text, (), [((), verified)])
    text = "Whether the last upload failed."
    yield _gauge("backup_upload_failed", text, (), [((), figures.trouble is not None)])
    text = "Whether backups lie on the same disk as the database."
    yield _gauge("backup_same_disk", text, (), [((), figures.same_disk)])


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"migrebot_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"migrebot_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _info(name: str, text: str, values: dict[str, str]) -> Metric:
    from prometheus_client.core import InfoMetricFamily

    return InfoMetricFamily(f"migrebot_{name}", text, value=values)
