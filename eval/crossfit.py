"""Thresholds and calibration that never saw the rows they are scored on.

The shipped ones were locked on the development split, so scoring that split with them flatters. Here they are
fitted anew, by the same recipe, on four fifths of the writers and applied to the last fifth, five times. What
is refitted is affine in the logits, so it can be done on the shipped probabilities.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from models.base import FLAGS, STATES
from models.emotion import softmax

FOLDS = 5
GRID = np.linspace(0.05, 0.9, 86)
SHRINK = 40.0
"""Positives a label needs before its own threshold weighs as much as the common one."""
TINY = 1e-4


def folds(groups: Sequence[object], seed: int, count: int = FOLDS) -> np.ndarray:
    """The fold of each row, shape (rows,); rows of one group share one."""
    names, index = np.unique(np.asarray([str(g) for g in groups]), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    return np.asarray((order % count)[index])


def logit(probabilities: np.ndarray) -> np.ndarray:
    """Log odds, kept finite."""
    p = np.clip(probabilities, TINY, 1 - TINY)
    return np.asarray(np.log(p / (1 - p)))


def states(probabilities: np.ndarray, true: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """State probabilities, shape (rows, 5), each row calibrated on the other folds. ``true`` holds class numbers."""
    logs, result = np.log(np.clip(probabilities, TINY, 1)), np.empty_like(probabilities)
    for k in np.unique(fold):
        scale, bias = fit_states(logs[fold != k], true[fold != k])
        result[fold == k] = softmax(logs[fold == k] * scale + bias)
    return result


def fit_states(logs: np.ndarray, true: np.ndarray) -> tuple[float, np.ndarray]:
    """Scale and bias (5,) of the log probabilities that minimise the log loss."""

    def loss(parameters: np.ndarray) -> float:
        fitted = softmax(logs * np.exp(parameters[0]) + parameters[1:])
        return float(-np.log(fitted[np.arange(len(true)), true] + 1e-9).mean() + 0.01 * (parameters[1:] ** 2).sum())

    best = minimize(loss, np.zeros(1 + len(STATES)), method="L-BFGS-B")
    return float(np.exp(best.x[0])), best.x[1:]


def flags(probabilities: np.ndarray, true: np.ndarray, fold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flag probabilities and flagged, both of shape (rows, 3), by Platt scaling and best F1 on the other folds."""
    logits, scaled = logit(probabilities), np.empty_like(probabilities)
    flagged = np.zeros(true.shape, dtype=bool)
    for k in np.unique(fold):
        here, rest = fold == k, fold != k
        for f in range(len(FLAGS)):
            if true[rest, f].all() or not true[rest, f].any():
                scaled[here, f], flagged[here, f] = probabilities[here, f], probabilities[here, f] >= 0.5
                continue
            platt = LogisticRegression(C=1.0).fit(logits[rest, f : f + 1], true[rest, f])
            fitted = platt.predict_proba(logits[:, f : f + 1])[:, 1]
            scaled[here, f] = fitted[here]
            flagged[here, f] = fitted[here] >= best_threshold(fitted[rest], true[rest, f])
    return scaled, flagged


def best_threshold(probabilities: np.ndarray, true: np.ndarray) -> float:
    """The middle of the thresholds with the best F1."""
    scores = np.array([f1(probabilities[:, None] >= t, true[:, None])[0] for t in GRID])
    return float(GRID[int(np.flatnonzero(scores == scores.max()).mean())])


def labels(probabilities: np.ndarray, true: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Labels over thresholds from the other folds, bool of shape (rows, labels)."""
    result = np.zeros(true.shape, dtype=bool)
    for k in np.unique(fold):
        result[fold == k] = probabilities[fold == k] >= thresholds(probabilities[fold != k], true[fold != k])
    return result


def thresholds(probabilities: np.ndarray, true: np.ndarray) -> np.ndarray:
    """One threshold a label: its own best F1, shrunk towards the common best one where positives are few."""
    scores = np.stack([f1(probabilities >= t, true) for t in GRID])
    common, own, support = GRID[scores.mean(1).argmax()], GRID[scores.argmax(0)], true.sum(0)
    return np.asarray((support * own + SHRINK * common) / (support + SHRINK))


def f1(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """F1 of each column, shape (labels,); 0 where nothing is predicted and nothing true."""
    return np.asarray(2 * (predicted & true).sum(0) / np.maximum(predicted.sum(0) + true.sum(0), 1))
