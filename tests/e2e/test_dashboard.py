"""The dashboard for Grafana against the metrics of the running program, and against what Grafana imports.

Grafana itself is not run here. What a dashboard has to look like is told by
https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/.
"""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as read

from tests.e2e.program import Program
from tests.fakes.telegram import Fault
from tests.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.telegram import RemoteFakeTelegram

DASHBOARD: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs/grafana.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that Prometheus gives a scrape, and those of a histogram's buckets."""


@pytest.fixture
def metrics(program: Program, telegram: RemoteFakeTelegram, tmp_path: Path) -> Iterator[dict[str, set[str]]]:
    """The samples of a program to which everything happened that it counts: the labels of each by its name."""
    redis = RedisServer(tmp_path / "redis")
    (tmp_path / "redis").mkdir()
    redis.start()
    program._settings |= {
        "MIGREBOT_REDIS_URL": redis.url,
        "MY_TG_ID": "7001",
        "MIGREBOT_BACKUP_ALLOW_PLAIN_UPLOAD": "true",
        "MIGREBOT_BACKUP_YANDEX_TOKEN": "y0_token",
        "MIGREBOT_BACKUP_YANDEX_API_BASE": "http://127.0.0.1:1",
    }
    with program:
        telegram.waits_for("getUpdates", timeout=60, since=len(telegram.calls()))
        ann, bob = telegram.user(7001, first_name="Ann"), telegram.user(7002, first_name="Bob")
        telegram.goes_wrong(Fault.too_many_requests(1), "sendMessage", times=1)
        ann.says("/start")
        ann.sees("/export")
        bob.says("/start")
        bob.sees("/export")
        telegram.goes_wrong(Fault.refusal(400, "Bad Request: chat not found"), "sendMessage", times=1)
        bob.says("/help")
        program.waits_until(lambda: 'reason="' in failures(program))
        ann.says("/backup")
        program.waits_until(lambda: "migrebot_backup_upload_failed 1.0" in program.get("/metrics")[1])
        yield {name: set(labels) for name, labels in samples(program)}
    redis.kill()


def failures(program: Program) -> str:
    return "".join(
        line for line in program.get("/metrics")[1].splitlines() if line.startswith("migrebot_messages_failed_")
    )


def samples(program: Program) -> list[tuple[str, dict[str, str]]]:
    families = read(program.get("/metrics")[1])
    return [(sample.name, sample.labels) for family in families for sample in family.samples]


def test_each_metric_and_label_it_asks_for_is_there(metrics: dict[str, set[str]]) -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            asked = re.findall(r"\b(?:migrebot|process)_[a-z_]+", target["expr"])
            assert asked, panel["title"]
            assert set(asked) <= metrics.keys(), panel["title"]
            matched = re.findall(r'(\w+)\s*=~?"', target["expr"])
            written = re.findall(r"{{\s*(\w+)\s*}}", target["legendFormat"])
            labels = set.union(*(metrics[name] for name in asked)) | OF_PROMETHEUS
            assert {*matched, *written} <= labels, panel["title"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
            assert name in metrics
            assert label in OF_PROMETHEUS


def test_it_has_what_grafana_imports() -> None:
    assert isinstance(DASHBOARD["schemaVersion"], int)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", DASHBOARD["uid"])
    assert DASHBOARD["title"]
    assert "id" not in DASHBOARD, "Grafana gives it"
    assert {"from", "to"} == DASHBOARD["time"].keys()
    ids = [panel["id"] for panel in PANELS]
    assert len(set(ids)) == len(ids)
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    for panel in PANELS:
        assert panel["type"] in {"stat", "timeseries"}
        assert panel["fieldConfig"].keys() == {"defaults", "overrides"}
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        for holder in (panel, *panel["targets"]):
            assert holder["datasource"] == {"type": "prometheus", "uid": "${source}"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__all"}
    assert used == variables


def test_its_panels_fit_into_the_grid_and_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    for place in places:
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
