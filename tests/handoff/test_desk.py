"""The queue is fair: the urgent come sooner, nobody starves, and what customers are told is pessimistic."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.conversation import Conversation
from conversations.events import Event, Kind
from handoff.desk import AGEING, URGENCY, USUAL_HANDLING, handling_times, place_of, queue_rank, urgency_of, wait_of
from handoff.policy import Reason
from tests.conftest import START

examples = settings(max_examples=60, deadline=None)
urgencies = st.floats(0, 1)
moments = st.integers(0, 86_400).map(lambda s: START + timedelta(seconds=s))


def waiting(conversation_id: str, rank: float | None) -> Conversation:
    return Conversation(conversation_id, "shop", START, queue_rank=rank)


def minutes(*numbers: float) -> list[timedelta]:
    return [timedelta(minutes=n) for n in numbers]


@given(moments, urgencies, st.floats(1, 86_400), urgencies)
@examples
def test_whoever_waited_the_ageing_longer_goes_first_whatever_the_urgencies(
    at: datetime, calm: float, more: float, urgent: float
) -> None:
    newcomer = at + AGEING + timedelta(seconds=more)
    assert queue_rank(at, calm) < queue_rank(newcomer, urgent)


@given(moments, urgencies, urgencies)
@examples
def test_of_two_who_came_together_the_more_urgent_goes_first(at: datetime, one: float, other: float) -> None:
    if one > other:
        assert queue_rank(at, one) <= queue_rank(at, other)


@given(moments, st.integers(1, 3600), urgencies)
@examples
def test_of_two_equally_urgent_the_one_who_came_first_goes_first(at: datetime, later: int, urgency: float) -> None:
    assert queue_rank(at, urgency) < queue_rank(at + timedelta(seconds=later), urgency)


def test_the_most_urgent_passes_a_calm_one_who_came_just_before() -> None:
    assert queue_rank(START + timedelta(minutes=10), URGENCY["safety"]) < queue_rank(START, URGENCY["asked"])


def test_every_reason_the_policy_can_hand_off_for_has_an_urgency() -> None:
    assert set(URGENCY) == {r.value for r in Reason} - {"fits", "declined"}
    assert all(0 <= u <= 1 for u in URGENCY.values())


@given(st.sampled_from([*URGENCY, "anything"]), urgencies, urgencies)
@examples
def test_urgency_is_within_0_and_1_and_grows_with_frustration(reason: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert 0 <= urgency_of(reason, less) <= urgency_of(reason, more) <= 1


def test_danger_to_someone_is_the_most_urgent_of_all() -> None:
    assert urgency_of("safety") == 1.0 > max(urgency_of(r, 1.0) for r in URGENCY if r != "safety")


def test_the_place_of_who_is_listed_is_where_they_stand() -> None:
    queue = [waiting("a", 1.0), waiting("b", 2.0), waiting("c", 3.0)]
    assert [place_of(c, queue) for c in queue] == [1, 2, 3]


def test_who_is_not_listed_yet_stands_where_their_rank_puts_them() -> None:
    queue = [waiting("a", 1.0), waiting("b", 3.0)]
    assert [place_of(waiting("x", rank), queue) for rank in (0.5, 2.0, 9.0)] == [1, 2, 3]


def test_who_ties_stands_behind() -> None:
    assert place_of(waiting("x", 1.0), [waiting("a", 1.0)]) == 2


def test_an_empty_queue_makes_one_next() -> None:
    assert place_of(waiting("x", 5.0), []) == 1


@given(st.lists(st.floats(-1e9, 2e9), max_size=8), st.floats(-1e9, 2e9))
@examples
def test_a_place_is_always_between_next_and_last(ranks: list[float], rank: float) -> None:
    queue = [waiting(str(i), r) for i, r in enumerate(sorted(ranks))]
    assert 1 <= place_of(waiting("x", rank), queue) <= len(queue) + 1


def test_without_anybody_at_the_desk_no_time_is_promised() -> None:
    wait = wait_of(1, agents=0, busy=0, handling=minutes(1, 2, 3, 4, 5, 6))
    assert (wait.minutes, wait.agents, wait.place) == (None, 0, 1)


def test_when_an_agent_is_free_the_next_waits_moments() -> None:
    assert wait_of(1, agents=2, busy=1, handling=[]).minutes == 2


def test_when_every_agent_is_busy_the_next_waits_a_whole_chat() -> None:
    assert wait_of(1, agents=1, busy=1, handling=[]).minutes == USUAL_HANDLING.total_seconds() / 60


def test_with_two_busy_agents_the_third_waits_two_chats() -> None:
    assert wait_of(3, agents=2, busy=2, handling=[]).minutes == 16


def test_a_slow_chat_is_taken_and_not_the_average() -> None:
    told = wait_of(1, agents=1, busy=1, handling=minutes(2, 2, 2, 2, 2, 2, 2, 2, 20, 20)).minutes
    assert told is not None
    assert told >= 16


def test_a_few_measured_chats_are_not_believed_yet() -> None:
    assert wait_of(1, agents=1, busy=1, handling=minutes(1, 1, 1, 1)).minutes == 8


def test_a_part_of_a_minute_is_rounded_up() -> None:
    assert wait_of(1, agents=1, busy=1, handling=[timedelta(seconds=61)] * 5).minutes == 2


@given(st.integers(1, 20), st.integers(1, 6), st.integers(0, 12), st.lists(st.integers(1, 90), max_size=12))
@examples
def test_a_wait_is_never_less_than_a_minute_and_never_shorter_further_back(
    place: int, agents: int, busy: int, chats: list[int]
) -> None:
    here = wait_of(place, agents, busy, minutes(*chats)).minutes
    behind = wait_of(place + agents, agents, busy, minutes(*chats)).minutes
    assert here is not None
    assert behind is not None
    assert here >= 1
    assert behind >= here


def test_where_chats_are_short_the_second_is_not_told_a_shorter_wait_than_the_next() -> None:
    short = [timedelta(seconds=50)] * 5
    first, second = (wait_of(place, agents=1, busy=0, handling=short).minutes for place in (1, 2))
    assert first is not None
    assert second is not None
    assert second >= first


def happened(kind: Kind, minute: float) -> Event:
    return Event(1, kind, "a", {}, START + timedelta(minutes=minute))


@pytest.mark.parametrize("ending", [Kind.RELEASED, Kind.RETURNED_TO_BOT, Kind.RESOLVED])
def test_a_chat_lasts_from_the_take_to_its_ending(ending: Kind) -> None:
    assert handling_times([("c", happened(Kind.TAKEN, 1)), ("c", happened(ending, 6))]) == minutes(5)


def test_chats_that_overlap_are_told_apart() -> None:
    history = [
        ("a", happened(Kind.TAKEN, 0)), ("b", happened(Kind.TAKEN, 1)),
        ("a", happened(Kind.RESOLVED, 3)), ("b", happened(Kind.RELEASED, 9)), ("b", happened(Kind.TAKEN, 10)),
        ("b", happened(Kind.RESOLVED, 12)),
    ]  # fmt: skip
    assert handling_times(history) == minutes(3, 8, 2)


def test_what_was_never_taken_and_what_is_still_held_have_no_time() -> None:
    history = [("a", happened(Kind.HANDOFF_REQUESTED, 0)), ("a", happened(Kind.RESOLVED, 2)),
               ("b", happened(Kind.TAKEN, 3))]  # fmt: skip
    assert handling_times(history) == []
