"""When the moment counts as right."""

import numpy as np
import pytest

from eval.data import Dialogue, Turn
from eval.dialogues import Outcome, Run, first_only, handling


def dialogue(window, flags=()) -> Dialogue:
    turns = tuple(Turn("x", "neutral", flags if i == 2 else ()) for i in range(4))
    return Dialogue("d", "w", turns, window, "asked" if window else None)


def acted(*turns: int) -> tuple[bool, ...]:
    return tuple(i + 1 in turns for i in range(4))


@pytest.mark.parametrize(
    ("window", "turns", "outcome"),
    [
        ((2, 3), (2,), Outcome.INSIDE),
        ((2, 3), (3, 4), Outcome.INSIDE),
        ((2, 3), (1, 2), Outcome.EARLY),
        ((2, 3), (4,), Outcome.LATE),
        ((2, 3), (), Outcome.MISSED),
        (None, (), Outcome.CALM),
        (None, (4,), Outcome.NEEDLESS),
    ],
)
def test_outcomes(window, turns, outcome):
    assert Run(dialogue(window), acted(*turns)).outcome is outcome


def test_shares_are_of_those_concerned():
    runs = [
        Run(dialogue((2, 3)), acted(2)),
        Run(dialogue((2, 3)), acted(1, 2)),
        Run(dialogue(None), acted(1)),
        Run(dialogue(None), acted()),
    ]
    found = handling(runs, np.ones((2, 4), dtype=np.float32))
    assert found.shares[Outcome.INSIDE].value == 0.5
    assert found.shares[Outcome.EARLY].value == 0.5
    assert found.shares[Outcome.NEEDLESS].value == 0.5
    assert found.touched.value == 1.0
    assert found.escalated.value == 0.75


def test_a_request_is_caught_at_its_turn_or_by_an_earlier_handoff():
    asks = dialogue((3, 3), ("asked_for_human",))
    assert Run(asks, acted(3), acted(3)).requests == [True]
    assert Run(asks, acted(1), acted(1)).requests == [True]
    assert Run(asks, acted(1), acted()).requests == [False]  # an earlier offer is no answer to a plea
    assert Run(asks, acted(4), acted(4)).requests == [False]


def test_a_simple_policy_stops_at_its_first_alarm():
    assert first_only(dialogue((2, 3)), [False, True, True, True]).acted == acted(2)
