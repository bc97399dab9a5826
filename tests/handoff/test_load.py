"""What an agent has carried: the customers' heaviness over minutes, fading; never the agent's own words."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.desk_verbs import intensity_of, level_after
from handoff.desk import Stint, load_of, pause_reason, streak_of
from handoff.desk.load import HALF_LIFE, PAUSE_LOAD, RESPITE
from tests.conftest import ALICE, START
from tests.conversations.worlds import with_agent

examples = settings(max_examples=80, deadline=None)
stints = st.lists(
    st.builds(
        lambda begin, length, share: Stint(
            "a", at(begin), at(begin + length), share * length, 0.0
        ),
        st.floats(0, 300), st.floats(0.1, 60), st.floats(0, 1),
    ),
    max_size=8,
)  # fmt: skip


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def chat(begin: float, end: float | None, share: float) -> Stint:
    length = (30 if end is None else end) - begin
    return Stint("a", at(begin), None if end is None else at(end), share * length, share if end is None else 0.0)


@given(stints, st.floats(360, 900))
@examples
def test_a_load_is_never_more_than_its_heavy_minutes_and_halves_with_the_half_life(
    had: list[Stint], now: float
) -> None:
    load = load_of(had, at(now))
    assert 0 <= load <= sum(s.heavy_minutes for s in had) + 1e-9
    assert load_of(had, at(now) + HALF_LIFE) == pytest.approx(load / 2)


@given(stints, st.floats(1, 30))
@examples
def test_every_heavy_minute_adds(had: list[Stint], more: float) -> None:
    assert load_of([*had, Stint("a", at(400), at(430), more)], at(450)) > load_of(had, at(450))


def test_the_same_heaviness_weighs_less_the_longer_ago_it_was() -> None:
    assert load_of([chat(0, 20, 1.0)], at(300)) < load_of([chat(200, 220, 1.0)], at(300))


def test_heavy_ones_in_a_row_are_counted_from_the_latest_back() -> None:
    had = [chat(0, 5, 0.9), chat(6, 10, 0.1), chat(11, 15, 0.8), chat(16, 20, 0.7)]
    assert streak_of(had, at(21)) == 2
    assert streak_of([*had, chat(21, None, 0.1)], at(30)) == 0
    assert streak_of([*had, chat(21, None, 0.9)], at(30)) == 3


def test_after_a_respite_the_row_is_over() -> None:
    had = [chat(0, 5, 0.9), chat(6, 10, 0.9)]
    assert streak_of(had, at(10) + RESPITE) == 2
    assert streak_of(had, at(10) + RESPITE + timedelta(seconds=1)) == 0


def test_a_pause_is_advised_with_its_reason_and_not_before() -> None:
    assert pause_reason(PAUSE_LOAD - 1, 1) is None
    assert "in a row" in (pause_reason(0, 2) or "")
    assert "heavy minutes" in (pause_reason(PAUSE_LOAD, 0) or "")


@pytest.mark.parametrize(("flagged", "states", "heavy"), [
    (["abusive"], {"frustrated": 0.1}, 1.0), (["safety"], {}, 1.0), (["asked_for_human"], {"frustrated": 0.2}, 0.2),
    ([], {"worried": 0.9}, 0.0), ([], {"frustrated": 0.7}, 0.7),
])  # fmt: skip
def test_a_message_is_as_heavy_as_its_frustration_or_wholly_for_abuse_and_danger(
    flagged: list[str], states: dict[str, float], heavy: float
) -> None:
    assert intensity_of({"flagged": flagged, "states": states}) == heavy


@given(st.floats(0, 1), st.floats(0, 1))
@examples
def test_intensity_rises_at_once_and_falls_slowly(before: float, message: float) -> None:
    level = level_after(before, message)
    assert message <= level <= 1
    assert level >= 0.6 * before


def test_what_an_agent_writes_weighs_nothing() -> None:
    one, other = with_agent(), with_agent()
    other.reply(ALICE.id, ALICE.name, "This is RIDICULOUS, you idiot", "r1", at(1))
    other.note(ALICE.id, ALICE.name, "what an idiot", "n1", at(2))
    assert one.heavy_minutes_until(at(9)) == other.heavy_minutes_until(at(9)) == 0
    assert (one.intensity, one.flags) == (other.intensity, other.flags)


def test_a_stint_weighs_the_customers_intensity_over_its_minutes() -> None:
    conversation = with_agent()
    conversation.read("m1", {"states": {"frustrated": 0.8}, "flagged": []}, at(5))
    conversation.read("m2", {"states": {"frustrated": 0.0}, "flagged": []}, at(10))
    conversation.resolve(ALICE.id, ALICE.name, at(20))
    stint = conversation.changes[-1].payload["stint"]
    assert stint == {"agent_id": ALICE.id, "seconds": 1200.0, "heavy_minutes": pytest.approx(0.8 * 5 + 0.48 * 10)}


def test_abuse_and_danger_are_shown_before_the_chat_is_taken() -> None:
    conversation = with_agent()
    conversation.read("m1", {"states": {}, "flagged": ["abusive", "asked_for_human"]}, at(1))
    conversation.read("m2", {"states": {}, "flagged": ["safety"]}, at(2))
    assert conversation.flags == ["abuse", "safety"]
