"""Who may open what, and what proves it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrebot.access import CHAT_LIFETIME, Access, Guesses, is_local, is_open, load_secret
from migrebot.errors import StorageUnavailable, UserError
from tests.clock import FakeClock
from tests.local_chat import make_access

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = {"Host": "127.0.0.1:8080"}
PROXIED = {"Host": "diary.example"}


@pytest.fixture
def clock() -> FakeClock:
    """A clock that starts now: what signs a link takes the machine's time."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def access(tmp_path: Path, clock: FakeClock) -> Access:
    return make_access(tmp_path, clock)


def code_of(link: str) -> str:
    return link.partition("code=")[2]


# --- local requests ---


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80"])
def test_a_request_from_this_machine_by_a_local_name_is_local(peer: str, host: str) -> None:
    assert is_local(peer, host, {"Host": host, "Accept": "*/*"})


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.168.1.5", "::ffff:10.0.0.1", "2001:db8::1", "", "unix", "localhost"])
def test_a_request_from_another_machine_is_not_local(peer: str) -> None:
    assert not is_local(peer, "localhost", {})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "diary.example",
        "localhost.evil.example",
        "evil.localhost",
        "localhost.",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "0.0.0.0",
        "localhost:",
        "localhost:80a",
        "localhost@evil.example",
        "localhost\n",
        "::1",
    ],
)
def test_a_name_of_a_stranger_that_points_here_is_not_local(host: str) -> None:
    assert not is_local("127.0.0.1", host, {})


@pytest.mark.parametrize(
    "name",
    ["Forwarded", "forwarded", "Via", "X-Forwarded-For", "x-forwarded-host", "X-FORWARDED-PROTO", "X-Forwarded-"],
)
def test_a_request_that_came_through_a_proxy_is_not_local(name: str) -> None:
    assert not is_local("127.0.0.1", "localhost", {name: "127.0.0.1"})


@pytest.mark.parametrize("route", ["/healthz", "/readyz", "/login", "/webhooks/telegram", "/webhooks/twilio/status"])
def test_webhooks_health_and_login_are_open_to_all(route: str) -> None:
    assert is_open(route)


@pytest.mark.parametrize("route", ["/", "/chat", "/chat/say", "/api/states", "/metrics", "/webhooks", "/healthz/x", ""])
def test_nothing_else_is_open_to_all(route: str) -> None:
    assert not is_open(route)


# --- tokens and sessions ---


def test_without_a_token_local_requests_enter_and_others_do_not(access: Access) -> None:
    assert access.judge(peer="127.0.0.1", headers=LOCAL, session="") == "enter"
    assert access.judge(peer="127.0.0.1", headers=PROXIED, session="") == "stay out"
    assert access.judge(peer="10.0.0.1", headers=LOCAL | {"Authorization": "Bearer "}, session="") == "stay out"


def test_with_a_token_local_requests_need_it_too(tmp_path: Path, clock: FakeClock) -> None:
    access = make_access(tmp_path, clock, token="correct horse")
    assert access.judge(peer="127.0.0.1", headers=LOCAL, session="") == "stay out"


@pytest.mark.parametrize(
    ("given_", "verdict"),
    [
        ("Bearer s3cret", "enter"),
        ("bearer  s3cret ", "enter"),
        ("Bearer s3cre", "stay out"),
        ("Bearer s3crets", "stay out"),
        ("Bearer sécret", "stay out"),
        ("Bearer \udcff", "stay out"),
        ("Basic s3cret", "stay out"),
        ("s3cret", "stay out"),
        ("", "stay out"),
    ],
)
def test_a_token_enters_from_anywhere_if_it_is_the_right_one(
    tmp_path: Path, clock: FakeClock, given_: str, verdict: str
) -> None:
    access = make_access(tmp_path, clock, token="s3cret")
    assert access.judge(peer="10.0.0.1", headers=PROXIED | {"Authorization": given_}, session="") == verdict


def test_after_ten_wrong_tokens_a_peer_has_to_wait_and_others_do_not(tmp_path: Path, clock: FakeClock) -> None:
    access = make_access(tmp_path, clock, token="s3cret")
    wrong = PROXIED | {"Authorization": "Bearer guess"}
    right = PROXIED | {"Authorization": "Bearer s3cret"}
    assert [access.judge(peer="10.0.0.1", headers=wrong, session="") for _ in range(11)] == ["stay out"] * 10 + ["wait"]
    assert access.judge(peer="10.0.0.1", headers=right, session="") == "wait"
    assert access.judge(peer="10.0.0.2", headers=right, session="") == "enter"


async def test_the_wait_after_wrong_tokens_ends(tmp_path: Path, clock: FakeClock) -> None:
    access = make_access(tmp_path, clock, token="s3cret")
    for _ in range(10):
        access.judge(peer="10.0.0.1", headers={"Authorization": "Bearer guess"}, session="")
    await clock.advance(59)
    assert access.seconds_to_wait("10.0.0.1") == pytest.approx(1)
    await clock.advance(1)
    assert access.judge(peer="10.0.0.1", headers={"Authorization": "Bearer s3cret"}, session="") == "enter"


def test_an_open_session_is_not_locked_out_by_the_guesses_of_others(tmp_path: Path, clock: FakeClock) -> None:
    access = make_access(tmp_path, clock, token="s3cret")
    session = access.open_session(code_of(access.login_link()), "10.0.0.1")
    for _ in range(20):
        access.judge(peer="10.0.0.1", headers={"Authorization": "Bearer guess"}, session="")
    assert access.judge(peer="10.0.0.1", headers={}, session=session or "") == "enter"


def test_one_network_cannot_guess_from_each_of_its_addresses() -> None:
    guesses = Guesses()
    for number in range(10):
        guesses.wrong(f"2001:db8::{number:x}", 0)
    assert guesses.wait("2001:db8::ffff", 1) == 59
    assert guesses.wait("2001:db8:0:1::1", 1) == 0


def test_ten_wrong_guesses_from_the_loopback_of_ipv6_count_like_any_other() -> None:
    guesses = Guesses()
    for _ in range(10):
        guesses.wrong("::1", 0)
    assert guesses.wait("::1", 0) == 60


def test_the_memory_of_guesses_is_bounded() -> None:
    guesses = Guesses()
    for number in range(5_000):
        guesses.wrong(f"10.0.{number // 256}.{number % 256}", 0)
    assert len(guesses._wrong) == Guesses.peers


# --- login links ---


def test_a_login_link_opens_a_session(access: Access) -> None:
    link = access.login_link()
    assert link.startswith("http://127.0.0.1:8080/login?code=")
    session = access.open_session(code_of(link), "10.0.0.1")
    assert session is not None
    assert access.judge(peer="10.0.0.1", headers=PROXIED, session=session) == "enter"


def test_a_login_link_opens_only_once(access: Access) -> None:
    code = code_of(access.login_link())
    assert access.open_session(code, "10.0.0.1")
    assert access.open_session(code, "10.0.0.1") is None


def test_a_restart_does_not_open_a_used_link_again(access: Access, tmp_path: Path, clock: FakeClock) -> None:
    code = code_of(access.login_link())
    assert access.open_session(code, "10.0.0.1")
    assert make_access(tmp_path, clock).open_session(code, "10.0.0.1") is None


def test_a_link_made_before_the_server_starts_is_good(access: Access, tmp_path: Path, clock: FakeClock) -> None:
    code = code_of(access.login_link())
    assert make_access(tmp_path, clock).open_session(code, "10.0.0.1")


def test_of_two_who_open_a_link_at_once_one_gets_in(access: Access) -> None:
    code = code_of(access.login_link())
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: access.open_session(code, "10.0.0.1"), range(16)))
    assert sum(session is not None for session in opened) == 1


async def test_a_login_link_dies_after_ten_minutes(access: Access, clock: FakeClock) -> None:
    early, late = code_of(access.login_link()), code_of(access.login_link())
    await clock.advance(timedelta(minutes=9, seconds=58).total_seconds())
    assert access.open_session(early, "10.0.0.1")
    await clock.advance(4)
    assert access.open_session(late, "10.0.0.1") is None


async def test_a_session_dies_after_thirty_days(access: Access, clock: FakeClock) -> None:
    session = access.open_session(code_of(access.login_link()), "10.0.0.1") or ""
    await clock.advance(timedelta(days=29, hours=23).total_seconds())
    assert access.session_valid(session)
    await clock.advance(timedelta(hours=2).total_seconds())
    assert not access.session_valid(session)


def test_what_was_signed_for_one_purpose_serves_no_other(access: Access) -> None:
    code = code_of(access.login_link())
    session = access.open_session(code_of(access.login_link()), "10.0.0.1") or ""
    chat = access.new_chat().cookie
    assert not access.session_valid(code)
    assert not access.session_valid(chat)
    assert access.open_session(session, "10.0.0.1") is None
    assert access.open_chat(code) is None
    assert access.open_chat(session) is None


@given(st.text(max_size=200))
def test_no_made_up_word_opens_anything(word: str) -> None:
    access = Access(token="", public_url="", secret=b"s" * 32, used_links=None, clock=FakeClock(datetime.now(UTC)))  # type: ignore[arg-type]
    assert not access.session_valid(word)
    assert access.open_chat(word) is None
    assert access.open_session(word, "10.0.0.1") is None


def test_marks_of_used_links_do_not_pile_up(access: Access, tmp_path: Path) -> None:
    access.open_session(code_of(access.login_link()), "10.0.0.1")
    (mark,) = (tmp_path / "used-links").iterdir()
    os.utime(mark, (0, 0))
    access.open_session(code_of(access.login_link()), "10.0.0.1")
    (other,) = (tmp_path / "used-links").iterdir()
    assert other != mark


def test_a_link_whose_use_cannot_be_noted_opens_nothing(access: Access, tmp_path: Path) -> None:
    (tmp_path / "used-links").write_text("in the way")
    with pytest.raises(StorageUnavailable):
        access.open_session(code_of(access.login_link()), "10.0.0.1")


# --- the local chat ---


def test_a_chat_cookie_is_one_chat_for_ever(access: Access, tmp_path: Path, clock: FakeClock) -> None:
    visitor = access.new_chat()
    assert access.open_chat(visitor.cookie) == visitor
    assert make_access(tmp_path, clock).open_chat(visitor.cookie) == visitor
    assert timedelta(days=400) == CHAT_LIFETIME


def test_no_two_browsers_share_a_chat(access: Access) -> None:
    assert len({access.new_chat().chat for _ in range(100)}) == 100


def test_what_is_stored_of_a_chat_does_not_open_it(access: Access) -> None:
    visitor = access.new_chat()
    assert visitor.chat not in visitor.cookie
    assert access.open_chat(visitor.chat) is None
    assert access.open_chat(visitor.csrf) is None


def test_a_cookie_of_another_installation_opens_no_chat_and_has_another_name(
    access: Access, tmp_path: Path, clock: FakeClock
) -> None:
    other = make_access(tmp_path / "other", clock)
    assert other.open_chat(access.new_chat().cookie) is None
    assert other.chat_cookie != access.chat_cookie


def test_over_tls_cookies_are_bound_to_the_host(tmp_path: Path, clock: FakeClock) -> None:
    access = make_access(tmp_path, clock, public_url="https://diary.example/")
    assert access.secure
    assert access.chat_cookie.startswith("__Host-")
    assert access.session_cookie.startswith("__Host-")
    assert access.login_link().startswith("https://diary.example/login?code=")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Origin": "http://localhost:8080"}, True),
        ({"Origin": "https://Diary.example"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://localhost:9090"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8080"}, False),
    ],
)
def test_a_request_from_a_strangers_page_is_not_the_chats_own(
    tmp_path: Path, clock: FakeClock, headers: dict[str, str], ours: bool
) -> None:
    access = make_access(tmp_path, clock, public_url="https://diary.example")
    visitor = access.new_chat()
    headers = {"Host": "localhost:8080", "X-CSRF-Token": visitor.csrf} | headers
    assert access.own_request(visitor, headers) is ours


def test_the_token_of_another_chat_is_not_the_chats_own(access: Access) -> None:
    visitor = access.new_chat()
    for token in ("", "x", "\udcff", access.new_chat().csrf):
        assert not access.own_request(visitor, {"X-CSRF-Token": token})


# --- the secret ---


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    secret = load_secret(path)
    assert load_secret(path) == secret
    assert len(secret) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_all_who_make_the_secret_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(load_secret, [tmp_path / "secret.key"] * 32))) == 1


def test_a_file_system_without_hard_links_gets_a_secret_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "secret.key"
    assert load_secret(path) == load_secret(path)
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_a_damaged_secret_is_one_readable_line(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"abc\n")
    with pytest.raises(UserError, match="damaged") as caught:
        load_secret(tmp_path / "secret.key")
    assert "\n" not in str(caught.value)


def test_a_secret_that_cannot_be_made_is_one_readable_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(UserError) as caught:
        load_secret(tmp_path / "data" / "secret.key")
    assert "\n" not in str(caught.value)
