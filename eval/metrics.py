"""Measures over weighted rows, so that one call gives the value and its bootstrap distribution.

``weights`` has shape (draws, rows): how often each row was drawn. Its first line is all ones, the data as it
is; every measure returns its value for each line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 1000
BINS = 10


@dataclass(frozen=True)
class Estimate:
    """A value and its bootstrap 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Estimate":
        """From a measure's values, shape (draws,): the first is the estimate."""
        rest = values[1:][np.isfinite(values[1:])]
        low, high = np.quantile(rest, (0.025, 0.975)) if len(rest) else (np.nan, np.nan)
        return cls(float(values[0]), float(low), float(high))

    def __str__(self) -> str:
        return "-" if np.isnan(self.value) else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_dict(self) -> dict[str, float | None]:
        """JSON-ready, None where there is nothing to measure."""
        return {k: round(v, 4) if np.isfinite(v) else None for k, v in vars(self).items()}


def resamples(groups: Sequence[object], seed: int, draws: int = DRAWS) -> np.ndarray:
    """Weights, float32 of shape (draws + 1, rows). Whole groups are drawn (all rows of one writer together),
    because rows of one writer are alike; pass ``range(n)`` for rows that are independent."""
    names, index = np.unique(np.asarray([str(g) for g in groups]), return_inverse=True)
    if not len(names):
        return np.ones((draws + 1, 0), dtype=np.float32)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    drawn = counts[:, index].astype(np.float32)
    return np.concatenate([np.ones((1, len(index)), dtype=np.float32), drawn])


def ratio(part: np.ndarray, whole: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of the rows in ``whole`` that are in ``part``, shape (draws,); NaN where there are none."""
    top, bottom = weights @ (part & whole).astype(np.float32), weights @ whole.astype(np.float32)
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0))


def accuracy(true: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of rows that are right, shape (draws,)."""
    return ratio(true == predicted, np.ones(len(true), dtype=bool), weights)


def one_hot(classes: np.ndarray, size: int) -> np.ndarray:
    """Bool array of shape (rows, size)."""
    return np.asarray(classes[:, None] == np.arange(size))


@dataclass(frozen=True)
class Counts:
    """What F1 needs, each of shape (draws, labels)."""

    hits: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray

    @classmethod
    def of(cls, true: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> "Counts":
        """From bool arrays of shape (rows, labels)."""
        columns = (true & predicted, predicted, true)
        return cls(*(weights @ column.astype(np.float32) for column in columns))

    @property
    def precision(self) -> np.ndarray:
        """Shape (draws, labels); 0 where nothing is predicted."""
        return np.asarray(self.hits / np.maximum(self.predicted, 1e-9))

    @property
    def recall(self) -> np.ndarray:
        """Shape (draws, labels); 0 where nothing is true."""
        return np.asarray(self.hits / np.maximum(self.actual, 1e-9))

    @property
    def f1(self) -> np.ndarray:
        """Shape (draws, labels); 0 where nothing is predicted and nothing true."""
        return np.asarray(2 * self.hits / np.maximum(self.predicted + self.actual, 1e-9))

    @property
    def macro_f1(self) -> np.ndarray:
        """Mean over labels, shape (draws,)."""
        return np.asarray(self.f1.mean(axis=1))

    @property
    def micro_f1(self) -> np.ndarray:
        """All labels pooled, shape (draws,)."""
        pooled = Counts(*(c.sum(axis=1, keepdims=True) for c in (self.hits, self.predicted, self.actual)))
        return np.asarray(pooled.f1[:, 0])


def confusion(true: np.ndarray, predicted: np.ndarray, size: int) -> np.ndarray:
    """Counts, shape (true, predicted)."""
    matrix = np.zeros((size, size), dtype=int)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def bin_of(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The equal-width bin of each confidence in 0..1."""
    return np.asarray(np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1))


def ece(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Expected calibration error, shape (draws,): mean gap between confidence and share right, by bin."""
    member = one_hot(bin_of(confidence, bins), bins).astype(np.float32)
    gaps = weights @ (member * (confidence - right)[:, None].astype(np.float32))
    return np.asarray(np.abs(gaps).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9))


def ece_of_perfect(confidence: np.ndarray, seed: int, draws: int = 200) -> float:
    """What ECE a perfectly calibrated model of these confidences would show on as few rows: the floor."""
    rng = np.random.default_rng(seed)
    ones = np.ones((1, len(confidence)), dtype=np.float32)
    return float(np.mean([ece(confidence, rng.random(len(confidence)) < confidence, ones)[0] for _ in range(draws)]))


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability curve."""

    low: float
    high: float
    rows: int
    confidence: float
    right: float


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[Bin]:
    """The bins that hold any rows."""
    index = bin_of(confidence, bins)
    return [
        Bin(b / bins, (b + 1) / bins, int(m.sum()), float(confidence[m].mean()), float(right[m].mean()))
        for b in range(bins)
        if (m := index == b).any()
    ]


def precision_recall(scores: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds (falling), precision and recall at "score >= threshold", one for each distinct score."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(true[order])
    last = np.append(scores[order][1:] != scores[order][:-1], True)
    taken = np.arange(1, len(scores) + 1)
    return scores[order][last], (hits / taken)[last], (hits / max(1, int(true.sum())))[last]
