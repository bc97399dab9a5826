"""A bound on how many frustrated customers are missed: split-conformal, for any score, no model assumed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bound:
    """A threshold, and what it does on rows that had no part in choosing it."""

    alpha: float
    threshold: float
    """Frustration is suspected from this probability on; 0 when too few rows allow any other promise."""
    calibration_rows: int
    """Frustrated messages the threshold was chosen on."""
    checked_rows: int
    miss_rate: float
    """Share of the other half's frustrated messages below the threshold."""
    false_alarm_rate: float
    """Share of the other half's messages that are not frustrated and reach it: what the promise costs."""


def miss_threshold(scores: np.ndarray, alpha: float) -> float:
    """The highest threshold whose expected miss rate on exchangeable rows is at most ``alpha``.

    ``scores`` are those of truly frustrated rows. With n of them sorted, a new one lies below the k-th with
    probability at most k / (n + 1); k is the largest for which that is at most alpha.
    """
    k = math.floor(alpha * (len(scores) + 1))
    return float(np.sort(scores)[k - 1]) if k else 0.0


def check(calibration: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], alpha: float) -> Bound:
    """Choose on ``calibration`` and measure on ``other``; each is (scores, truly frustrated) of shape (rows,)."""
    (scores, true), (new_scores, new_true) = calibration, other
    threshold = miss_threshold(scores[true], alpha)
    caught = new_scores >= threshold
    return Bound(
        alpha, threshold, int(true.sum()), int(new_true.sum()),
        float(1 - caught[new_true].mean()) if new_true.any() else math.nan,
        float(caught[~new_true].mean()) if (~new_true).any() else math.nan,
    )  # fmt: skip


def halves(groups: Sequence[str], seed: int) -> np.ndarray:
    """True for the rows of a random half of the groups (writers), shape (rows,)."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    first = {names[i] for i in order[: len(names) // 2]}
    return np.array([g in first for g in groups])


def over_halvings(
    scores: np.ndarray, true: np.ndarray, groups: Sequence[str], alpha: float, seed: int, times: int = 200
) -> float:
    """Mean miss rate over many halvings by writer: whether the promise holds on average, not once by luck."""
    rates = []
    for i in range(times):
        half = halves(groups, seed + i)
        rates.append(check((scores[half], true[half]), (scores[~half], true[~half]), alpha).miss_rate)
    return float(np.nanmean(rates))
