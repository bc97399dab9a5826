"""Measures against values computed by hand."""

import math

import numpy as np
import pytest

from eval import conformal, crossfit
from eval.metrics import (
    Counts,
    Estimate,
    accuracy,
    confusion,
    ece,
    ece_of_perfect,
    one_hot,
    precision_recall,
    ratio,
    reliability,
    resamples,
)

ONES = np.ones((1, 4), dtype=np.float32)


def test_f1_by_hand():
    # true 0 0 1 2, read 0 1 1 0: class 0 P 1/2 R 1/2; class 1 P 1/2 R 1; class 2 never read
    true, said = one_hot(np.array([0, 0, 1, 2]), 3), one_hot(np.array([0, 1, 1, 0]), 3)
    counts = Counts.of(true, said, ONES)
    assert counts.precision[0] == pytest.approx([0.5, 0.5, 0])
    assert counts.recall[0] == pytest.approx([0.5, 1, 0])
    assert counts.f1[0] == pytest.approx([0.5, 2 / 3, 0])
    assert counts.macro_f1[0] == pytest.approx((0.5 + 2 / 3) / 3)
    assert counts.micro_f1[0] == pytest.approx(0.5)  # one label a row: micro-F1 is accuracy
    assert accuracy(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), ONES)[0] == pytest.approx(0.5)


def test_weights_repeat_rows():
    true, said = np.array([True, True, False, False]), np.array([True, False, True, False])
    weights = np.array([[2, 1, 0, 1]], dtype=np.float32)
    assert ratio(said, true, weights)[0] == pytest.approx(2 / 3)
    assert math.isnan(ratio(said, np.zeros(4, dtype=bool), weights)[0])


def test_confusion_counts_true_by_read():
    assert confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist() == [[1, 1], [0, 1]]


def test_ece_by_hand():
    # two rows stated 0.95 with one right: gap 0.45; two stated 0.55 with one right: gap 0.05; each half of the rows
    confidence, right = np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, False, True, False])
    assert ece(confidence, right, ONES)[0] == pytest.approx(0.45 / 2 + 0.05 / 2)
    bins = reliability(confidence, right)
    assert [(b.rows, b.right) for b in bins] == [(2, 0.5), (2, 0.5)]
    assert 0 < ece_of_perfect(confidence, seed=0) < 0.4


def test_precision_recall_by_hand():
    thresholds, precision, recall = precision_recall(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 0, 1, 0], dtype=bool))
    assert thresholds.tolist() == [0.9, 0.8, 0.1]
    assert precision == pytest.approx([1, 2 / 3, 0.5])
    assert recall == pytest.approx([0.5, 1, 1])


def test_bootstrap_draws_writers_whole_and_covers_the_value():
    weights = resamples(["a", "a", "b", "b", "c", "c"], seed=1)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights.sum(axis=1) == 6).all()
    found = Estimate.of(ratio(np.array([1, 1, 1, 0, 0, 0], dtype=bool), np.ones(6, dtype=bool), weights))
    assert found.low <= found.value == 0.5 <= found.high
    assert (resamples(range(5), seed=3) == resamples(range(5), seed=3)).all()


def test_the_conformal_threshold_by_hand():
    scores = np.arange(1, 20) / 20  # 19 rows: k = floor(0.1 * 20) = 2, the second lowest
    assert conformal.miss_threshold(scores, 0.1) == pytest.approx(0.1)
    assert conformal.miss_threshold(scores[:5], 0.1) == 0.0  # too few rows for this promise: look at everyone


def test_the_conformal_promise_holds_on_average():
    rng = np.random.default_rng(0)
    misses = []
    for _ in range(300):
        scores = rng.beta(4, 2, 120)
        true = np.ones(60, dtype=bool)
        misses.append(conformal.check((scores[:60], true), (scores[60:], true), 0.1).miss_rate)
    assert np.mean(misses) <= 0.105


def test_halves_do_not_split_a_writer():
    half = conformal.halves(["a", "b", "a", "c", "d"], seed=0)
    assert half[0] == half[2]


def test_folds_keep_groups_together_and_thresholds_off_the_scored_rows():
    groups = [f"w{i // 4}" for i in range(80)]
    fold = crossfit.folds(groups, seed=0)
    assert all(len({f for g, f in zip(groups, fold, strict=True) if g == name}) == 1 for name in set(groups))
    rng = np.random.default_rng(0)
    true = rng.random((80, 28)) < 0.5  # labels that are pure chance: nothing learnt elsewhere may help here
    said = crossfit.labels(rng.random((80, 28)), true, fold)
    counts = Counts.of(true, said, np.ones((1, 80), dtype=np.float32))
    assert counts.macro_f1[0] < 0.72


def test_cross_fitting_mends_overconfidence():
    rng = np.random.default_rng(1)
    true = rng.integers(0, 5, 600)
    logits = rng.normal(0, 1, (600, 5))
    logits[np.arange(600), true] += 1.5
    sharp = crossfit.softmax(logits * 6)
    mended = crossfit.states(sharp, true, crossfit.folds(range(600), 0))
    weights = np.ones((1, 600), dtype=np.float32)
    before, after = (ece(p.max(1), p.argmax(1) == true, weights)[0] for p in (sharp, mended))
    assert after < 0.08 < before
