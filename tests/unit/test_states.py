"""Who is in which step: transitions in order, idle people leave, everything adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from migrebot.states import IDLE, States, Transition

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
NAMES = ("AForm:0:x", "AForm:1:y", "BForm:0:z")


def test_all_states_are_there_from_the_start() -> None:
    assert States(NAMES).snapshot() == dict.fromkeys(NAMES, ())


def test_moving_on_leaves_the_old_step_before_it_enters_the_new_one() -> None:
    states = States(NAMES)
    assert states.enter(7, "AForm:0:x", NOW) == [Transition(7, "AForm:0:x", "set")]
    assert states.enter(7, "AForm:1:y", NOW) == [Transition(7, "AForm:0:x", "unset"), Transition(7, "AForm:1:y", "set")]
    assert states.snapshot()["AForm:1:y"] == (7,)


def test_the_same_question_again_is_no_transition_but_a_sign_of_life() -> None:
    states = States(NAMES)
    states.enter(7, "AForm:0:x", NOW)
    assert states.enter(7, "AForm:0:x", NOW + timedelta(seconds=100)) == []
    assert states.idle(NOW + IDLE) == []
    assert states.idle(NOW + timedelta(seconds=100) + IDLE) == [Transition(7, "AForm:0:x", "unset")]


def test_whoever_left_by_idling_is_back_with_the_next_answer() -> None:
    states = States(NAMES)
    states.enter(7, "AForm:0:x", NOW)
    states.idle(NOW + IDLE)
    assert states.enter(7, "AForm:0:x", NOW + 2 * IDLE) == [Transition(7, "AForm:0:x", "set")]


def test_whoever_is_in_no_form_cannot_leave_one() -> None:
    assert States(NAMES).leave(7) == []


STEPS = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from([*NAMES, "leave", "idle"]), st.integers(0, 200)), max_size=60
)


@given(steps=STEPS)
def test_whoever_follows_the_transitions_knows_what_the_snapshot_knows(steps: list[tuple[int, str, int]]) -> None:
    states, followed, now = States(NAMES), {}, NOW
    last: dict[int, datetime] = {}
    for user_id, step, seconds in steps:
        now += timedelta(seconds=seconds)
        transitions = states.idle(now)
        if step == "leave":
            transitions += states.leave(user_id)
            last.pop(user_id, None)
        elif step != "idle":
            transitions += states.enter(user_id, step, now)
            last[user_id] = now
        for transition in transitions:
            if transition.action == "set":
                assert transition.user_id not in followed, "it entered a second state without leaving the first"
                followed[transition.user_id] = transition.user_state
            else:
                assert followed.pop(transition.user_id) == transition.user_state
        assert followed == states.everybody()
        assert set(followed) == {user_id for user_id, since in last.items() if now - since < IDLE}
        assert {u: s for s, people in states.snapshot().items() for u in people} == followed
    due = states.next_idle()
    assert (due is None) == (not followed)
