"""Thresholds and calibration, locked on the development split, computed on the shipped int8 network."""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from models.base import EMOTIONS, FLAGS, STATES
from models.emotion import sigmoid, softmax

GRID = np.linspace(0.05, 0.9, 86)
SHRINK = 40.0
"""Positives a label needs before its own threshold weighs as much as the common one."""


def write_calibration(
    path: Path,
    name: str,
    emotions: tuple[np.ndarray, np.ndarray],
    states: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    flags: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Fit on (logits, targets) of each head, each of shape (rows, labels), and write ``calibration.json``.

    ``states`` also has the strongest emotion of each state and the words' logits, both of shape (rows, 5), and
    ``flags`` the words' logits, shape (rows, 3).
    """
    temperature, bias, emotion, by_words = fit_states(*states)
    scale, flag_words, shift, thresholds = fit_flags(*flags)
    calibration = {
        "name": name,
        "emotions": EMOTIONS,
        "states": STATES,
        "flags": FLAGS,
        "emotion_thresholds": _plain(fit_thresholds(sigmoid(emotions[0]), emotions[1] > 0.5)),
        "state_temperature": round(float(temperature), 4),
        "state_bias": _plain(bias),
        "state_emotion": _plain(emotion),
        "state_words": round(by_words, 4),
        "flag_scale": _plain(scale),
        "flag_words": _plain(flag_words),
        "flag_bias": _plain(shift),
        "flag_thresholds": _plain(thresholds),
    }
    path.write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")


def f1(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """F1 of each column, shape (labels,); 0 where nothing is predicted and nothing true."""
    hits = (predicted & true).sum(0)
    return np.asarray(2 * hits / np.maximum(predicted.sum(0) + true.sum(0), 1))


def fit_thresholds(probabilities: np.ndarray, true: np.ndarray) -> np.ndarray:
    """One threshold a label: its own best F1, shrunk towards the common best one where positives are few."""
    scores = np.stack([f1(probabilities >= t, true) for t in GRID])
    common = GRID[scores.mean(1).argmax()]
    own = GRID[scores.argmax(0)]
    support = true.sum(0)
    return np.asarray((support * own + SHRINK * common) / (support + SHRINK))


def fit_states(
    logits: np.ndarray, targets: np.ndarray, emotion: np.ndarray, words: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Temperature, bias (5,), weight of the emotions (5,) and of the words that minimise the log loss."""
    count = len(STATES)

    def loss(parameters: np.ndarray) -> float:
        bias, weight = parameters[1 : 1 + count], parameters[1 + count : -1]
        probabilities = softmax(logits / np.exp(parameters[0]) + bias + weight * emotion + parameters[-1] * words)
        likelihood = (targets * np.log(probabilities + 1e-9)).sum() / targets.sum()
        return float(-likelihood + 0.01 * (bias**2).sum() + 0.002 * (weight**2).sum())

    best = minimize(loss, np.zeros(2 + 2 * count), method="L-BFGS-B")
    return float(np.exp(best.x[0])), best.x[1 : 1 + count], best.x[1 + count : -1], float(best.x[-1])


def fit_flags(
    logits: np.ndarray, targets: np.ndarray, words: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Platt scales of the network's and of the words' logits, shift, and the threshold of best F1, each (3,)."""
    scale, by_words = np.ones(len(FLAGS)), np.zeros(len(FLAGS))
    shift, thresholds = np.zeros(len(FLAGS)), np.full(len(FLAGS), 0.5)
    for k in range(len(FLAGS)):
        true = targets[:, k] > 0.5
        both = np.stack([logits[:, k], words[:, k]], axis=1)
        platt = LogisticRegression(C=1.0).fit(both, true)
        (scale[k], by_words[k]), shift[k] = platt.coef_[0], platt.intercept_[0]
        probabilities = sigmoid(both @ platt.coef_[0] + shift[k])[:, None]
        scores = np.array([f1(probabilities >= t, true[:, None])[0] for t in GRID])
        thresholds[k] = GRID[np.flatnonzero(scores == scores.max()).mean().astype(int)]
    return scale, by_words, shift, thresholds


def _plain(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]
