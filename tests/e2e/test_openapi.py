"""The description of the API against what the real program answers.

Checked by a small reader of JSON Schema of our own, which knows the words that the description uses and refuses any
other.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from actors.api import Api
from actors.feed import Feed
from actors.owner_page import OwnerPage, Shown
from migrebot.clock import SystemClock
from migrebot.pages.openapi import document
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT: dict[str, Any] = json.loads(document())
PLAIN: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
}
WORDS = {
    "$ref",
    "additionalProperties",
    "anyOf",
    "default",
    "description",
    "format",
    "items",
    "properties",
    "required",
    "title",
    "type",
}
"""All that the schemas say."""


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Tell whether a value is as a schema says, with no property that it does not name."""
    assert schema.keys() <= WORDS, schema.keys() - WORDS
    if ref := schema.get("$ref"):
        return fits(value, DOCUMENT["components"]["schemas"][ref.rpartition("/")[2]])
    if choices := schema.get("anyOf"):
        return any(fits(value, choice) for choice in choices)
    match schema.get("type"):
        case None:
            return True
        case "array":
            return isinstance(value, list) and all(fits(item, schema["items"]) for item in value)
        case "object" if "properties" in schema:
            known = schema["properties"]
            named = isinstance(value, dict) and set(schema.get("required", ())) <= value.keys() <= known.keys()
            return named and all(fits(item, known[name]) for name, item in value.items())
        case "object":
            inner = schema.get("additionalProperties", {})
            return isinstance(value, dict) and all(fits(item, inner) for item in value.values())
        case kind:
            right = isinstance(value, PLAIN[kind]) and not (isinstance(value, bool) and kind != "boolean")
            return right and is_written(value, schema.get("format", ""))


def is_written(value: Any, form: str) -> bool:
    readers = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}
    try:
        return form == "" or bool(readers[form](value))
    except ValueError:
        return False


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    home: Path = tmp_path_factory.mktemp("home")
    with Program(home) as program:
        with closing(sqlite3.connect(home / "data/migrebot.db")) as database, database:
            database.execute("INSERT INTO day_reports VALUES ('2026-06-01', 1, 0, 5, 4, 3, 2, 1, 0)")
        yield program


JSON_PATHS = [path for path in DOCUMENT["paths"] if path != "/api/events"]


@pytest.mark.parametrize("path", JSON_PATHS)
def test_the_program_answers_as_it_is_described(program: Program, path: str) -> None:
    status, body = program.get(path)
    assert status == 200
    answer = json.loads(body)
    schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert fits(answer, schema), body[:500]
    if path == "/api/statistics":
        assert [day["day"] for day in answer["days"]] == ["2026-06-01"]
    if path == "/api/openapi.json":
        assert answer == DOCUMENT


def test_a_wrong_parameter_and_a_stranger_are_refused_as_it_is_described(program: Program) -> None:
    responses = DOCUMENT["paths"]["/api/statistics"]["get"]["responses"]
    assert str(program.get("/api/statistics?from=yesterday")[0]) in responses
    for path in DOCUMENT["paths"]:
        assert program.get(path, {"X-Forwarded-For": "198.51.100.1"})[0] == 401


def test_every_route_is_described_and_nothing_else() -> None:
    clock = SystemClock()
    api = Api(states=dict, report=unknown, days=unknown, feed=Feed(), anew=list, clock=clock)
    shown = Shown(language="en", timezone="UTC", chat=True)
    page = OwnerPage(status=unknown, forms=dict, report=unknown, days=unknown, log=list, shown=shown, clock=clock)
    served = {route.path for route in [*api.routes(), *page.routes()] if route.path.startswith("/api/")}
    assert served == DOCUMENT["paths"].keys()


async def unknown(*_: object) -> Any:
    raise AssertionError("nobody asks")


def test_the_check_itself_notices_what_does_not_fit() -> None:
    schema = {"$ref": "#/components/schemas/States"}
    assert fits({"states": [{"state_name": "a", "user_ids": [1]}], "incr_value": 0}, schema)
    wrongs: list[dict[str, Any]] = [
        {"states": [], "incr_value": "0"},
        {"states": []},
        {"states": [{"state_name": "a"}], "incr_value": 0},
        {"states": [], "incr_value": 0, "more": 1},
        {"states": [], "incr_value": True},
    ]
    for wrong in wrongs:
        assert not fits(wrong, schema)
    assert not fits("2026-02-30", {"type": "string", "format": "date"})
