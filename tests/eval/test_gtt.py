"""GT-T against values computed by hand, and on the published data where it is at hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.data import load_rssn
from eval.gtt import dialogue_gtt, transfer_scores
from eval.handoff import check_gtt
from eval.options import PUBLIC


@pytest.mark.parametrize(
    ("predicted", "gold", "tolerance", "lam", "expected"),
    [
        ([0, 1, 0], [0, 1, 0], 1, 0.0, 1.0),
        ([0, 0, 0], [0, 0, 0], 1, 0.0, 1.0),
        ([0, 1, 0], [0, 0, 0], 3, 0.0, 0.0),
        ([0, 0, 0], [0, 1, 0], 3, 0.0, 0.0),
        ([1, 0, 0], [0, 1, 0], 1, 0.0, math.exp(-1 / 2)),
        ([1, 0, 0], [0, 0, 1], 2, 0.0, math.exp(-4 / 8)),
        ([1, 0, 0], [0, 1, 0], 1, 0.5, math.exp(-1 / (1.5 * 2))),  # early: forgiven
        ([0, 0, 1], [0, 1, 0], 1, 0.5, math.exp(-1 / (0.5 * 2))),  # late: punished
        ([1, 1, 1], [0, 1, 0], 1, 0.0, (2 * math.exp(-1 / 2) + 1) / 3),
        ([1, 0, 0, 0], [0, 1, 0, 1], 1, 0.0, math.exp(-1 / 2)),  # the nearest gold counts
        ([0, 1, 0, 0, 0], [0, 1, 0, 1, 1], 1, 0.0, 1.0),  # no recall term
    ],
)
def test_by_hand(predicted, gold, tolerance, lam, expected):
    assert dialogue_gtt(predicted, gold, tolerance, lam) == pytest.approx(expected)


def test_means_and_f1():
    scores = transfer_scores([[0, 1, 0], [1, 0]], [[0, 1, 1], [0, 0]])
    assert scores.gtt == pytest.approx((0.5, 0.5, 0.5))
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((0.5, 0.5, 0.5))
    assert transfer_scores([[0]], [[0]]).f1 == 0.0


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match="2 predictions for 1"):
        dialogue_gtt([0, 1], [1], 1)
    with pytest.raises(ValueError, match="tolerance"):
        dialogue_gtt([0], [1], 0)


bits = st.integers(0, 1)


@given(st.lists(st.tuples(bits, bits), min_size=1, max_size=12), st.sampled_from([0.0, 0.3, 0.9]))
def test_wider_tolerance_never_scores_less(turns, lam):
    predicted, gold = zip(*turns, strict=True)
    values = [dialogue_gtt(predicted, gold, t, lam) for t in (1, 2, 3)]
    assert 0 <= values[0] <= values[1] <= values[2] <= 1


@pytest.mark.skipif(not (PUBLIC / "rssn").exists(), reason="the public data sets are not beside this checkout")
def test_never_and_always_on_rssn():
    gold = load_rssn(PUBLIC)
    never, always = check_gtt(gold).rows
    without = sum(not any(g) for g in gold) / len(gold)
    assert never[1:5] == pytest.approx([0, without, without, without])
    share = sum(map(sum, gold)) / sum(map(len, gold))
    assert always[1] == pytest.approx(2 * share / (1 + share))  # precision is the share, recall is 1
    assert 0 < always[2] < always[3] < always[4] < 1 - without
