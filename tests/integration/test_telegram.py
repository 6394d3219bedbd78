"""The Telegram channel against a Bot API that behaves like the real one, on its good and on its bad days."""

from __future__ import annotations

import itertools
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer, unused_port

from actors import telegram_poller
from actors.actor import Health
from actors.telegram import SECRET_HEADER, WEBHOOK_PATH
from actors.telegram_poller import OTHER_POLLER
from actors.telegram_profile import BotProfile
from actors.telegram_wire import ALLOWED_UPDATES
from migrebot.messages import InGroup, Press, Text, Undecodable
from tests.fakes.telegram import FakeTelegram, Fault
from tests.integration.telegram_rig import Rig, ScriptedDialogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storage.interface import Storage
    from tests.clock import FakeClock
    from tests.fakes.telegram import Call


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(first_update_id=1_000) as fake:
        yield fake


@pytest.fixture
async def rig(fake: FakeTelegram, clock: FakeClock) -> AsyncIterator[Rig]:
    """A channel that polls, and has had its first answer."""
    rig = Rig(fake, clock)
    async with rig.runs():
        await fake.waits_for("getUpdates", 2)
        yield rig


def offsets(calls: list[Call]) -> list[object]:
    return [call.value("offset") for call in calls]


# --- storing before confirming ---


async def test_an_update_is_confirmed_only_once_it_is_stored(fake: FakeTelegram, rig: Rig) -> None:
    rig.dialogue.gate = anyio.Event()
    update_id = await fake.user().says("hello")
    await rig.until(lambda: rig.dialogue.heard)
    await rig.clock.sleep(0)
    assert offsets(fake.calls) == [None, None]
    since = fake.calls_so_far
    rig.dialogue.gate.set()
    asked = await fake.waits_for("getUpdates", since=since)
    assert offsets(asked) == [update_id + 1]
    assert list(rig.dialogue.stored) == [str(update_id)]


async def test_what_was_not_stored_comes_again_and_nothing_of_it_is_lost(fake: FakeTelegram, clock: FakeClock) -> None:
    person = fake.user()
    ids = [await person.says(str(number)) for number in range(5)]
    rig = Rig(fake, clock)
    rig.dialogue.refuses = {str(ids[2]): 1}
    async with rig.runs():
        await rig.until(lambda: len(rig.dialogue.heard) == 5)
        await clock.settle()
        await clock.advance(2)
        calls = await fake.waits_for("getUpdates", 3)
        assert offsets(calls) == [None, ids[2], ids[4] + 1]
        assert sorted(rig.dialogue.stored) == [str(id_) for id_ in ids]
        assert rig.dialogue.repeated == [str(ids[3]), str(ids[4])]


async def test_messages_reach_the_dialogue_in_their_order(fake: FakeTelegram, rig: Rig) -> None:
    person = fake.user()
    for number in range(150):
        await person.says(str(number))
    await rig.hears(150)
    assert rig.dialogue.contents == [Text(str(number)) for number in range(150)]


async def test_an_update_that_nobody_understands_does_not_hold_up_its_batch(
    fake: FakeTelegram, clock: FakeClock
) -> None:
    person = fake.user()
    await person.says("before")
    broken = fake.push_raw({"message": {"chat": "nonsense"}})
    await person.says("after")
    rig = Rig(fake, clock)
    async with rig.runs():
        calls = await fake.waits_for("getUpdates", 2)
        assert rig.dialogue.contents == [Text("before"), None, Text("after")]
        assert isinstance(rig.dialogue.heard[1], Undecodable)
        assert rig.dialogue.heard[1].key == str(broken)
        assert b"nonsense" in rig.dialogue.heard[1].raw
        assert offsets(calls)[1] == broken + 2


async def test_a_lone_surrogate_in_a_name_spoils_neither_the_batch_nor_the_message(
    fake: FakeTelegram, clock: FakeClock
) -> None:
    await fake.user().says("before")
    fake.push_raw(
        b'{"update_id":UPDATE_ID,"message":{"message_id":1,"date":1,"chat":{"id":7,"type":"private"},'
        b'"from":{"id":7,"is_bot":false,"first_name":"\\ud83d"},"text":"hi"}}'
    )
    rig = Rig(fake, clock)
    async with rig.runs():
        await rig.hears(2)
        assert rig.dialogue.contents == [Text("before"), Text("hi")]


async def test_an_update_that_is_no_json_is_set_aside_alone(fake: FakeTelegram, clock: FakeClock) -> None:
    person = fake.user()
    first = await person.says("before")
    fake.push_raw(b'{"update_id":UPDATE_ID,"message":{oops}}')
    last = await person.says("after")
    rig = Rig(fake, clock)
    async with rig.runs():
        await rig.in_time(lambda: len(rig.dialogue.stored) == 3)
        assert rig.dialogue.contents == [Text("before"), None, Text("after")]
        assert list(rig.dialogue.stored) == [str(first), str(first + 1), str(last)]
        await rig.in_time(lambda: last + 1 in offsets(fake.calls))


async def test_an_answer_cut_off_on_the_way_costs_nothing_but_time(fake: FakeTelegram, clock: FakeClock) -> None:
    await fake.user().says("hello")
    fake.goes_wrong(Fault.truncated(), "getUpdates", times=6)
    rig = Rig(fake, clock)
    async with rig.runs():
        await rig.in_time(lambda: rig.dialogue.stored)
        assert rig.dialogue.contents == [Text("hello")]


async def test_after_an_idle_week_numbers_that_begin_lower_are_still_taken(
    fake: FakeTelegram, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_poller, "LONG_POLL", 1)
    person = fake.user()
    await person.says("one")
    await rig.hears(1)
    calls = await fake.waits_for("getUpdates", 4)
    assert offsets(calls) == [None, None, 1_001, None]
    # So near below the last offset that the server would take it for confirmed.
    fake.world.updates.restart_ids(995)
    await person.says("two")
    await rig.hears(2)
    assert list(rig.dialogue.stored) == ["1000", "995"]


async def test_a_new_start_takes_again_what_was_not_confirmed(fake: FakeTelegram, clock: FakeClock) -> None:
    dialogue = ScriptedDialogue()
    update_id = await fake.user().says("hello")
    dialogue.refuses = {str(update_id): 1}
    async with Rig(fake, clock, dialogue=dialogue).runs() as first:
        await first.until(lambda: dialogue.heard)
    assert not dialogue.stored
    async with Rig(fake, clock, dialogue=dialogue).runs() as second:
        await second.hears(1)
    assert dialogue.contents == [Text("hello"), Text("hello")]


# --- bad days ---


async def test_the_bot_asks_for_what_it_handles_and_nothing_else(fake: FakeTelegram, rig: Rig) -> None:
    assert fake.calls[0].value("allowed_updates") == list(ALLOWED_UPDATES)
    assert fake.calls[0].value("timeout") == 0
    assert fake.calls[1].value("timeout") == telegram_poller.LONG_POLL
    assert rig.actor.health == Health()


@pytest.mark.parametrize(
    "fault", [Fault.bad_gateway(), Fault.server_error(), Fault.reset_before(), Fault.reset_after(), Fault.truncated()]
)
async def test_an_outage_is_told_and_ridden_out(fake: FakeTelegram, clock: FakeClock, fault: Fault) -> None:
    fake.goes_wrong(fault, "getUpdates")
    await fake.user().says("hello")
    rig = Rig(fake, clock)
    async with rig.runs():
        await rig.until(lambda: rig.actor.health.serving)
        assert rig.actor.health == Health(True, "cannot reach Telegram since 12:00 UTC")
        await clock.advance(200)
        assert rig.actor.health == Health(True, "cannot reach Telegram since 12:00 UTC")
        fake.heals()
        await rig.in_time(lambda: rig.dialogue.stored)
        assert rig.actor.health == Health()
        assert not rig.alerts


async def test_without_a_network_it_tries_again_ever_less_often(fake: FakeTelegram, rig: Rig, clock: FakeClock) -> None:
    await fake.refuses_connections()
    await rig.until(lambda: rig.actor.health.detail != "ok")
    assert rig.actor.health == Health(True, "cannot reach Telegram since 12:00 UTC")
    await clock.advance(3_600)
    await fake.accepts_connections()
    await fake.user().says("hello")
    await rig.in_time(lambda: rig.dialogue.stored)
    assert rig.actor.health == Health()


async def test_pauses_grow_to_a_minute_and_no_further(fake: FakeTelegram, clock: FakeClock) -> None:
    fake.goes_wrong(Fault.server_error(), "getUpdates")
    rig = Rig(fake, clock)
    async with rig.runs():
        await fake.waits_for("getUpdates")
        asked = []
        for second in range(400):
            before = fake.calls_so_far
            await clock.advance(1)
            await clock.settle()
            asked += [second] * (fake.calls_so_far - before)
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert max(pauses) <= 61
        assert max(pauses) >= 40
        assert len(asked) < 20


async def test_a_connection_that_died_silently_is_given_up_and_made_anew(
    fake: FakeTelegram, rig: Rig, clock: FakeClock
) -> None:
    await fake.user().says("hello")
    fake.goes_wrong(Fault.hang(), "getUpdates", times=1)
    await rig.hears(1)
    await fake.waits_for("getUpdates", 3)
    await clock.advance(telegram_poller.LONG_POLL + 15)
    await fake.user().says("are you there?")
    await clock.advance(5)
    await rig.hears(2)


async def test_a_refused_token_stops_the_poll_tells_the_owner_and_is_tried_again_in_ten_minutes(
    fake: FakeTelegram, rig: Rig, clock: FakeClock
) -> None:
    fake.goes_wrong(Fault.unauthorized())
    await fake.user().says("hello")
    await rig.until(lambda: rig.alerts)
    assert rig.actor.health == Health(False, "token refused")
    assert [alert.cause for alert in rig.alerts] == ["telegram-token-refused"]
    asked = fake.calls_so_far
    await clock.advance(599)
    assert fake.calls_so_far == asked
    fake.heals()
    await clock.advance(2)
    await rig.until(lambda: rig.actor.health == Health())


@pytest.mark.parametrize("token", ["12:x", "123456789:another-one_that-is-well-formed_000000"])
async def test_a_wrong_token_from_the_start_is_told_and_no_restart_is_asked_for(
    fake: FakeTelegram, clock: FakeClock, token: str
) -> None:
    rig = Rig(fake, clock, token=token)
    async with rig.runs():
        await rig.until(lambda: rig.alerts)
        assert rig.actor.health == Health(False, "token refused")


async def test_a_token_that_cannot_be_one_is_told_without_asking_telegram(fake: FakeTelegram, clock: FakeClock) -> None:
    rig = Rig(fake, clock, token="no token")
    async with rig.runs():
        await rig.until(lambda: rig.alerts)
        assert rig.actor.health == Health(False, "token refused")
        assert not fake.calls


async def test_another_poller_is_explained_and_outlasted(fake: FakeTelegram, rig: Rig) -> None:
    rule = fake.goes_wrong(Fault.refusal(409, "Conflict: terminated by other getUpdates request"), "getUpdates")
    await fake.user().says("hello")
    await rig.until(lambda: rule.hits)
    await rig.until(lambda: rig.actor.health.detail != "ok")
    assert rig.actor.health == Health(True, OTHER_POLLER)
    assert not [call for call in fake.calls if call.method == "deleteWebhook"]
    fake.heals()
    await rig.in_time(lambda: rig.actor.health == Health())


async def test_a_webhook_left_behind_is_taken_away_and_its_updates_are_kept(
    fake: FakeTelegram, clock: FakeClock
) -> None:
    fake.world.webhook.url = "http://127.0.0.1:9/old"
    await fake.user().says("hello")
    rig = Rig(fake, clock)
    async with rig.runs():
        await fake.waits_for("deleteWebhook")
        await rig.in_time(lambda: rig.dialogue.stored)
        assert rig.dialogue.contents == [Text("hello")]
        assert rig.actor.health == Health()


async def test_a_pause_that_telegram_asks_for_is_kept(fake: FakeTelegram, clock: FakeClock) -> None:
    fake.goes_wrong(Fault.too_many_requests(37), "getUpdates", times=1)
    rig = Rig(fake, clock)
    async with rig.runs():
        await rig.until(lambda: rig.actor.health.serving)
        assert rig.actor.health == Health(True, "Telegram asks for a pause of 37 s")
        await clock.advance(36)
        assert len(fake.calls) == 1
        await clock.advance(2)
        await fake.waits_for("getUpdates", 2)


# --- start and stop ---


def test_nothing_but_the_client_imports_aiogram() -> None:
    parts = "telegram", "telegram_link", "telegram_poller", "telegram_profile", "telegram_sender", "telegram_wire"
    imports = "; ".join(f"import actors.{part}" for part in parts)
    check = f"import sys; {imports}; sys.exit('aiogram' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)


async def test_start_returns_before_the_client_stands(fake: FakeTelegram, clock: FakeClock) -> None:
    rig = Rig(fake, clock)
    async with rig.runs():
        assert rig.actor.health == Health(False, "starting")
        assert rig.link.client is None
        await fake.waits_for("getUpdates")


async def test_a_stop_ends_the_long_poll_at_once(fake: FakeTelegram, clock: FakeClock) -> None:
    async with Rig(fake, clock).runs():
        await fake.waits_for("getUpdates", 2)
    # Leaving `runs` waits for the end, and no time has passed.
    assert clock.monotonic() == 0


async def test_a_stop_waits_until_what_was_received_is_stored(fake: FakeTelegram, clock: FakeClock) -> None:
    rig = Rig(fake, clock)
    rig.dialogue.gate = anyio.Event()
    await fake.user().says("hello")
    async with rig.runs():
        await rig.until(lambda: rig.dialogue.heard)
        await rig.actor.stop()
        await clock.settle()
        assert not rig.dialogue.stored
        rig.dialogue.gate.set()
        await rig.hears(1)


async def test_a_stop_during_a_pause_does_not_wait_for_its_end(fake: FakeTelegram, clock: FakeClock) -> None:
    fake.goes_wrong(Fault.unauthorized())
    rig = Rig(fake, clock)
    async with rig.runs():
        await rig.until(lambda: rig.alerts)


async def test_groups_are_heard_only_to_be_left(fake: FakeTelegram, rig: Rig) -> None:
    group = fake.group()
    await group.adds_bot(fake.user())
    await fake.user().says("/backup", to=group)
    await rig.hears(3)
    assert rig.dialogue.contents == [InGroup()] * 3


async def test_a_press_comes_with_what_is_needed_to_answer_it(fake: FakeTelegram, rig: Rig) -> None:
    await fake.user().presses_data(12, "old:1")
    await rig.hears(1)
    [press] = rig.dialogue.contents
    assert isinstance(press, Press)
    assert (press.data, press.message_id) == ("old:1", "12")
    assert press.callback_id


# --- the webhook ---


@asynccontextmanager
async def served(
    fake: FakeTelegram,
    clock: FakeClock,
    secret: str = "s-3_c",
    storage: Storage | None = None,
    profile: BotProfile | None = None,
) -> AsyncIterator[tuple[Rig, str]]:
    """A channel in webhook mode, with its routes on a web server; gives the webhook's address too."""
    port = unused_port()
    address = f"http://127.0.0.1:{port}"
    url = address + "/"
    rig = Rig(fake, clock, mode="webhook", secret=secret, public_url=url, storage=storage, profile=profile)
    app = web.Application()
    app.add_routes(rig.actor.routes())
    async with TestServer(app, port=port), rig.runs():
        yield rig, address + WEBHOOK_PATH


async def posts(url: str, body: bytes, secret: str | None = "s-3_c") -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    async with ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_in_webhook_mode_telegram_is_told_where_to_post_and_is_heard(
    fake: FakeTelegram, clock: FakeClock
) -> None:
    async with served(fake, clock) as (rig, address):
        [told] = await fake.waits_for("setWebhook")
        assert told.value("url") == address
        assert told.value("secret_token") == "s-3_c"
        assert told.value("allowed_updates") == list(ALLOWED_UPDATES)
        await fake.user().says("hello")
        await rig.hears(1)
        assert rig.dialogue.contents == [Text("hello")]
        assert not [call for call in fake.calls if call.method == "getUpdates"]
        assert rig.actor.health == Health()


async def test_a_webhook_that_is_right_already_is_left_alone(fake: FakeTelegram, clock: FakeClock) -> None:
    async with served(fake, clock) as (rig, address):
        await rig.until(lambda: rig.actor.health == Health())
        url = address.removesuffix(WEBHOOK_PATH)
        async with Rig(fake, clock, mode="webhook", secret="s-3_c", public_url=url).runs() as other:
            await other.until(lambda: other.actor.health == Health())
        async with Rig(fake, clock, mode="webhook", secret="", public_url=url).runs() as random:
            await random.until(lambda: random.actor.health == Health())
    secrets = [call.value("secret_token") for call in fake.calls if call.method == "setWebhook"]
    assert len(secrets) == 2
    assert secrets[0] == "s-3_c"
    assert len(str(secrets[1])) > 32


async def test_a_secret_that_telegram_does_not_know_is_told_it_anew(fake: FakeTelegram, clock: FakeClock) -> None:
    async with served(fake, clock) as (rig, address):
        await rig.until(lambda: rig.actor.health == Health())
        fake.world.webhook.secret = "another"
        await fake.user().says("hello")
        await rig.until(lambda: fake.world.webhook.failure)
        url = address.removesuffix(WEBHOOK_PATH)
        async with Rig(fake, clock, mode="webhook", secret="s-3_c", public_url=url).runs():
            await rig.hears(1)


async def test_only_telegram_may_post(fake: FakeTelegram, clock: FakeClock) -> None:
    async with served(fake, clock) as (rig, address):
        update = b'{"update_id":5}'
        for secret in (None, "", "s-3_d", "s-3_c-", "\u00e9", "x" * 5_000):
            assert await posts(address, update, secret) == 403
        assert not rig.dialogue.heard
        assert await posts(address, update) == 200


async def test_what_is_no_update_is_refused_and_what_is_not_understood_is_set_aside(
    fake: FakeTelegram, clock: FakeClock
) -> None:
    async with served(fake, clock) as (rig, address):
        for body in (b"", b"null", b"[]", b"\xff\xfe", b"update_id=5", b"{"):
            assert await posts(address, body) == 400
        assert not rig.dialogue.heard
        for body in (b'{"update_id":5,"message":' + b"[" * 9_000, b'{"update_id":6,"what":1}', b'{"message":{}}'):
            assert await posts(address, body) == 200
        assert rig.dialogue.contents == [None, None, None]


async def test_a_posted_update_is_acknowledged_only_once_it_is_stored(fake: FakeTelegram, clock: FakeClock) -> None:
    async with served(fake, clock) as (rig, address):
        rig.dialogue.refuses = {"5": 1}
        assert await posts(address, b'{"update_id":5}') == 503
        assert await posts(address, b'{"update_id":5}') == 200
        rig.dialogue.gate = anyio.Event()
        statuses = []
        async with anyio.create_task_group() as tasks:

            async def post() -> None:
                statuses.append(await posts(address, b'{"update_id":6}'))

            tasks.start_soon(post)
            await rig.until(lambda: len(rig.dialogue.heard) == 3)
            await clock.advance(21)
        assert statuses == [503]


async def test_a_webhook_that_cannot_be_set_is_told_and_tried_again(fake: FakeTelegram, clock: FakeClock) -> None:
    fake.goes_wrong(Fault.server_error(), "setWebhook", times=1)
    async with served(fake, clock) as (rig, _):
        await rig.until(lambda: rig.actor.health.serving)
        assert rig.actor.health.detail.startswith("the webhook is not set")
        await rig.in_time(lambda: rig.actor.health == Health())


async def test_a_token_refused_in_webhook_mode_is_told(fake: FakeTelegram, clock: FakeClock) -> None:
    fake.goes_wrong(Fault.unauthorized(), times=1)
    async with served(fake, clock) as (rig, _):
        await rig.until(lambda: rig.alerts)
        assert rig.actor.health == Health(False, "token refused")
        await clock.advance(590)
        assert len(fake.calls) == 1
        await rig.in_time(lambda: rig.actor.health == Health())


async def test_a_polling_channel_offers_no_webhook(fake: FakeTelegram, rig: Rig) -> None:
    del fake
    assert rig.actor.routes() == []


# --- what the bot says of itself ---

PROFILE = BotProfile(
    commands={"": (("pain", "Log a headache"), ("help", "Help")), "fr": (("pain", "Noter un mal de tête"),)},
    name={"": "Migrebot", "ru": "Мигребот"},
    description={"": "A diary", "uk": "Щоденник"},
    short_description={"es": "Un diario"},
)


async def introduced(fake: FakeTelegram, clock: FakeClock, profile: BotProfile = PROFILE) -> list[str]:
    """Run a channel until it has said what it says of itself; gives the methods that changed something."""
    since = fake.calls_so_far
    async with Rig(fake, clock, profile=profile).runs() as rig:
        await fake.waits_for("getMyCommands", 2, since=since)
        await rig.until(lambda: all(call.done for call in fake.calls[-3:] if call.method != "getUpdates"))
        await clock.settle()
    return [call.method for call in fake.calls if call.number >= since and call.method.startswith("setMy")]


async def test_commands_names_and_descriptions_are_set_in_every_language(fake: FakeTelegram, clock: FakeClock) -> None:
    await introduced(fake, clock)
    said = fake.profile()
    assert said["commands"]["default", ""] == [
        {"command": "pain", "description": "Log a headache"},
        {"command": "help", "description": "Help"},
    ]
    assert said["commands"]["default", "fr"] == [{"command": "pain", "description": "Noter un mal de tête"}]
    assert said["names"]["ru"] == "Мигребот"
    assert said["descriptions"] == {"": "A diary", "uk": "Щоденник"}
    assert said["short_descriptions"] == {"es": "Un diario"}


async def test_what_is_said_already_is_not_said_again(fake: FakeTelegram, clock: FakeClock) -> None:
    assert await introduced(fake, clock)
    assert await introduced(fake, clock) == []


THEIRS = {"": (("report", "Today's report"),), "fr": (("report", "Le rapport du jour"),)}
OWNERS = msgspec.structs.replace(PROFILE, owner="4711", owner_commands=THEIRS)


async def test_in_the_owners_chat_the_menu_has_the_owners_commands_too(fake: FakeTelegram, clock: FakeClock) -> None:
    await fake.user(4711).says("/start")
    async with Rig(fake, clock, profile=OWNERS).runs():
        await fake.waits_for("setMyCommands", 4)
        await clock.settle()
    said = fake.profile()["commands"]
    assert said["chat:4711:", ""] == [{"command": "report", "description": "Today's report"}]
    assert said["chat:4711:", "fr"] == [{"command": "report", "description": "Le rapport du jour"}]
    assert said["default", ""][0]["command"] == "pain"


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_an_owner_who_never_wrote_has_the_menu_with_the_first_message(
    fake: FakeTelegram, clock: FakeClock, mode: str
) -> None:
    async with AsyncExitStack() as stack:
        if mode == "webhook":
            rig, _ = await stack.enter_async_context(served(fake, clock, profile=OWNERS))
        else:
            rig = await stack.enter_async_context(Rig(fake, clock, profile=OWNERS).runs())
        await fake.waits_for("getMyCommands", 4)
        await fake.user(4712).says("/start")
        await rig.hears(1)
        assert ("chat:4711:", "") not in fake.profile()["commands"]
        await fake.user(4711).says("/start")
        await rig.until(lambda: ("chat:4711:", "fr") in fake.profile()["commands"])


async def test_a_text_that_telegram_refuses_keeps_nobody_waiting(fake: FakeTelegram, clock: FakeClock) -> None:
    fake.goes_wrong(Fault.too_many_requests(86_400), "setMyName")
    fake.goes_wrong(Fault.hang(), "getMyDescription")
    await fake.user().says("hello")
    async with Rig(fake, clock, profile=PROFILE).runs() as rig:
        await fake.waits_for("getMyDescription")
        await rig.hears(1)
        await fake.user().says("still there?")
        await rig.hears(2)
        await rig.in_time(lambda: fake.profile()["short_descriptions"])
        assert rig.actor.health.serving
