"""The queue is fair: the urgent come sooner, nobody starves, and what customers are told is pessimistic.

Whoever takes what is in test_assignment.py; what an agent has carried in test_load.py.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.conversation import Conversation
from handoff.desk import (
    AGEING,
    DANGER_FIRST,
    SHORTEST_WAIT,
    URGENCY,
    USUAL_HANDLING,
    Pace,
    place_of,
    queue_rank,
    urgency_of,
    wait_of,
)
from handoff.policy import Reason
from tests.conftest import START

examples = settings(max_examples=60, deadline=None)
urgencies = st.floats(0, 1)
harmless = st.floats(0, 0.99)
moments = st.integers(0, 86_400).map(lambda s: START + timedelta(seconds=s))


def waiting(conversation_id: str, rank: float | None) -> Conversation:
    return Conversation(conversation_id, "shop", START, queue_rank=rank)


paces = st.builds(Pace, st.integers(0, 60), st.floats(0, 5400), st.floats(0, 3600))


@given(moments, urgencies, st.floats(1, 86_400), harmless)
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


NIGHT = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
OPENS = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


@given(st.integers(0, 34_000), urgencies, st.integers(0, 3600))
@examples
def test_who_waited_overnight_comes_before_who_comes_in_the_morning_with_like_urgency(
    into_the_night: int, urgency: float, later: int
) -> None:
    overnight = queue_rank(NIGHT + timedelta(seconds=into_the_night), urgency, OPENS)
    assert overnight < queue_rank(OPENS + timedelta(seconds=later), urgency)


@given(st.lists(st.tuples(st.integers(0, 34_000), harmless), min_size=1, max_size=8), st.integers(0, 7200))
@examples
def test_danger_in_the_morning_goes_before_all_who_waited_overnight(night: list[tuple[int, float]], later: int) -> None:
    danger = queue_rank(OPENS + timedelta(seconds=later), URGENCY["safety"])
    assert all(danger < queue_rank(NIGHT + timedelta(seconds=s), u, OPENS) for s, u in night)


@given(st.integers(0, 30_000), st.integers(1, 3600), urgencies)
@examples
def test_of_two_overnight_the_first_to_come_is_first(came: int, later: int, urgency: float) -> None:
    first, second = (NIGHT + timedelta(seconds=s) for s in (came, came + later))
    assert queue_rank(first, urgency, OPENS) < queue_rank(second, urgency, OPENS)


def test_who_waited_since_before_closing_stands_before_who_came_at_night() -> None:
    afternoon = queue_rank(NIGHT - timedelta(hours=7), URGENCY["unknown"])
    assert afternoon < queue_rank(NIGHT, URGENCY["stakes"], OPENS)


@given(st.lists(st.tuples(st.integers(0, 3000), harmless), min_size=1, max_size=60), st.integers(20, 300))
@examples
def test_the_calmest_waits_for_no_more_than_who_was_there_and_who_came_within_the_ageing(
    arrivals: list[tuple[int, float]], service: int
) -> None:
    """One agent, random arrivals: nobody starves, however urgent the stream of others is."""
    calm = START + timedelta(seconds=1000)
    people = [(START + timedelta(seconds=s), u) for s, u in arrivals]
    before = _served_before(calm, people, timedelta(seconds=service))
    there = [p for p in people if p[0] <= calm]
    came = [p for p in people if calm < p[0] <= calm + AGEING]
    assert before <= len(there) + len(came)


def _served_before(calm: datetime, people: list[tuple[datetime, float]], service: timedelta) -> int:
    """How many are served before a customer of no urgency who comes at ``calm``."""
    left = [(queue_rank(at, urgency), at) for at, urgency in people]
    own, now, count = queue_rank(calm, 0.0), START, 0
    while True:
        here = [entry for entry in left if entry[1] <= now]
        if calm <= now and (not here or own <= min(here)[0]):
            return count
        if not here:
            now = min([at for _, at in left if at > now] + [calm])
            continue
        left.remove(min(here))
        count += now + service > START
        now += service


def test_only_danger_may_pass_who_has_waited_longer_than_the_ageing() -> None:
    assert queue_rank(START + DANGER_FIRST, 1.0) <= queue_rank(START, 0.0)
    assert queue_rank(START + AGEING * 1.01, 0.99) > queue_rank(START, 0.0)


MEASURED = Pace(50, 600.0, 480.0)


def test_without_anybody_at_the_desk_no_time_is_promised() -> None:
    wait = wait_of(1, agents=0, slots=0, busy=0, pace=MEASURED)
    assert (wait.minutes, wait.agents, wait.place) == (None, 0, 1)


@pytest.mark.parametrize("busy", range(6))
def test_when_there_is_room_the_next_waits_moments(busy: int) -> None:
    assert wait_of(1, agents=2, slots=6, busy=busy, pace=MEASURED).minutes == SHORTEST_WAIT


def test_room_for_three_is_no_room_for_the_fourth() -> None:
    told = [wait_of(place, agents=2, slots=6, busy=3, pace=MEASURED).minutes for place in (3, 4)]
    assert told[0] == SHORTEST_WAIT < (told[1] or 0)


def test_when_the_only_agent_is_busy_more_than_a_whole_chat_is_said() -> None:
    told = wait_of(1, agents=1, slots=1, busy=1, pace=MEASURED).minutes
    assert told is not None
    assert told * 60 > MEASURED.mean + MEASURED.spread


def test_a_few_measured_chats_are_not_believed_yet() -> None:
    usual = wait_of(1, agents=1, slots=1, busy=1, pace=Pace()).minutes
    assert wait_of(1, agents=1, slots=1, busy=1, pace=Pace(4, 60.0, 0.0)).minutes == usual
    assert usual is not None
    assert usual * 60 > USUAL_HANDLING.total_seconds()


@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 5), st.integers(0, 40), paces)
@examples
def test_a_wait_is_never_shorter_further_back_nor_with_more_to_do_nor_with_fewer_people(
    place: int, agents: int, capacity: int, busy: int, pace: Pace
) -> None:
    def told(place: int, agents: int, busy: int) -> int:
        minutes = wait_of(place, agents, agents * capacity, busy, pace).minutes
        assert minutes is not None
        return minutes

    here = told(place, agents, busy)
    assert SHORTEST_WAIT <= here <= told(place + 1, agents, busy)
    assert here <= told(place, agents, busy + 1)
    assert told(place, agents + 1, busy) <= here
