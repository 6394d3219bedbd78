"""The running program's API asked by schemathesis for all that its description promises, and for what it does not.

The comparison in `test_openapi.py` knows more of two things: it refuses a property that no schema names, and looks
whether every route is described.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from migrebot.pages.openapi import document
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "a-token-of-the-api"
LOGGED_IN = {"Authorization": f"Bearer {TOKEN}"}
STRANGER = {"X-Forwarded-For": "198.51.100.1"}
PATHS = sorted(json.loads(document())["paths"].keys() - {"/api/events"})  # it never ends


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("home"), MIGREBOT_HTTP_TOKEN=TOKEN) as program:
        yield program


@pytest.fixture(scope="module")
def described(program: Program) -> Any:
    """The description as the program serves it; loading the package takes most of a second."""
    import schemathesis

    schema = schemathesis.openapi.from_url(f"{program.url}/api/openapi.json", headers=LOGGED_IN)
    assert sorted(path for path in schema if path != "/api/events") == PATHS
    return schema


def asks(described: Any, path: str, headers: dict[str, str], *, right: bool, examples: int) -> set[int]:
    """Have made-up requests sent, right or wrong ones, and each answer checked; gives the statuses that came."""
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import ignored_auth

    mode = GenerationMode.POSITIVE if right else GenerationMode.NEGATIVE
    seen: set[int] = set()

    @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=described[path]["GET"].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        # That check takes the token away and asks again, which is what `STRANGER` is for.
        seen.add(case.call_and_validate(headers=headers, excluded_checks=[ignored_auth]).status_code)

    ask()
    return seen


@pytest.mark.parametrize("path", PATHS)
def test_whoever_has_the_token_gets_what_is_described(described: Any, path: str) -> None:
    assert asks(described, path, LOGGED_IN, right=True, examples=25) == {200}


def test_wrong_parameters_are_refused_as_it_is_described(described: Any) -> None:
    assert 400 in asks(described, "/api/statistics", LOGGED_IN, right=False, examples=40)


@pytest.mark.parametrize("path", PATHS)
def test_whoever_has_none_gets_nothing_but_what_is_described(described: Any, path: str) -> None:
    assert asks(described, path, STRANGER, right=True, examples=10) == {401}
