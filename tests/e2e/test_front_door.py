"""`migrebot check` knocks at the public address as a stranger would."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from migrebot.access import has_local_name
from tests.e2e.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def proxy(statuses: dict[str, int]) -> Iterator[str]:
    """What the world sees: a proxy that gives these answers, by an address that is not this machine's usual one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 401))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.2", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.2:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("statuses", "code", "said"),
    [
        ({}, 0, "front door: ok: closed to strangers"),
        ({"/chat": 404, "/": 303, "/metrics": 502}, 0, "front door: ok: closed to strangers"),
        ({"/": 200, "/metrics": 200}, 1, "front door: failed: /, /metrics can be seen without login"),
    ],
)
def test_the_check_fails_if_a_stranger_gets_in(tmp_path: Path, statuses: dict[str, int], code: int, said: str) -> None:
    with proxy(statuses) as url:
        checked = Program(tmp_path, MIGREBOT_HTTP_PUBLIC_URL=url).command("check")
    assert said in checked.stdout
    assert checked.returncode == code


def test_an_address_where_nobody_answers_yet_is_no_failure(tmp_path: Path) -> None:
    checked = Program(tmp_path, MIGREBOT_HTTP_PUBLIC_URL="http://127.0.0.2:9").command("check")
    assert "front door: ok: nobody answers at http://127.0.0.2:9 now" in checked.stdout
    assert checked.returncode == 0


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:80", True),
        ("https://diary.example", False),
        ("http://192.168.1.5:8080", False),
    ],
)
def test_only_the_public_address_is_tried(url: str, local: bool) -> None:
    assert has_local_name(url) is local
