"""The description of the API, by OpenAPI 3.1: paths written here, the shapes of answers taken from their types."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from migrebot import __version__
from migrebot.reports.daily import Day, Report
from migrebot.reports.status import Status


class State(Struct, frozen=True):
    """A state of a form and the people who are in it now; `state_name` is `Form:number:step`."""

    state_name: str
    user_ids: list[int]


class States(Struct, frozen=True):
    """Every state of every form, empty ones too; `incr_value` is the number of the last transition."""

    states: list[State]
    incr_value: int


class Days(Struct, frozen=True):
    """Closed days, in order."""

    days: list[Day]


class Log(Struct, frozen=True):
    """The newest lines of the log, the newest last, without secrets."""

    lines: list[str]


_ANSWERS = {
    "/api/states": (States, "Who is in which step of which form."),
    "/api/report": (Report, "What happened since the last daily report."),
    "/api/statistics": (Days, "What was recorded, day by day."),
    "/api/status": (Status, "How every part of the program fares."),
    "/api/log": (Log, "The newest lines of the log."),
}
_EVENTS = """Server-sent events, for ever. `states`: a transition, as the Redis channel `channel:states` has it, where
`incr_value` 0 asks to read `/api/states` anew. `report`: as `/api/report`. `actors`: an actor entered another phase.
Whoever was away sends `Last-Event-ID` and goes on where they left off."""


@cache
def document() -> bytes:
    """Give the description as JSON."""
    kinds = [kind for kind, _ in _ANSWERS.values()]
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    paths = {
        path: _get(text, {"application/json": {"schema": schema}})
        for (path, (_, text)), schema in zip(_ANSWERS.items(), schemas, strict=True)
    }
    statistics = paths["/api/statistics"]["get"]
    statistics["parameters"] = [
        _parameter("from", "query", "The first day; from the beginning without it.", "date"),
        _parameter("to", "query", "The last day, itself included; to the end without it.", "date"),
    ]
    statistics["responses"]["400"] = _refusal("A date is none.")
    paths["/api/events"] = _get(_EVENTS, {"text/event-stream": {"schema": {"type": "string"}}})
    last = _parameter("Last-Event-ID", "header", "The id of the last event that was heard.")
    paths["/api/events"]["get"]["parameters"] = [last]
    paths["/api/openapi.json"] = _get("This description.", {"application/json": {"schema": {"type": "object"}}})
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Migrebot", "version": __version__},
            "security": [{"token": []}, {}],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def _get(text: str, content: dict[str, Any]) -> dict[str, Any]:
    responses = {
        "200": {"description": "The answer.", "content": content},
        "401": _refusal("The token is missing or wrong, or without one the request is not local."),
        "429": _refusal("Too many wrong tokens; the header Retry-After tells for how many seconds."),
        "503": _refusal("The storage cannot be asked now; try again."),
    }
    return {"get": {"description": text, "responses": responses}}


def _refusal(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"text/plain": {"schema": {"type": "string"}}}}


def _parameter(name: str, where: str, text: str, form: str = "") -> dict[str, Any]:
    schema = {"type": "string"} | ({"format": form} if form else {})
    return {"name": name, "in": where, "description": text, "schema": schema}
