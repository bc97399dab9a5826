"""Fit the matcher's probability and thresholds on labelled questions of a development split."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from models.base import Candidate, Entry, Outcome
from models.catalog import load_encoder
from models.faq import HybridMatcher, MatcherCalibration
from models.training.corpus import read_jsonl

RIGHT, ASKED_WELL, ASKED_BADLY, MISSED, WRONG = 1.0, 0.35, -0.3, -0.3, -0.5
"""What an outcome is worth to a customer: the right answer (or an honest "I do not know"), asking back with the
right entry among the choices, asking back without it, not knowing what is known, and a wrong answer."""


def entries_of(path: Path) -> list[Entry]:
    """The entries of a shop's file, or of a plain list of entries."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = raw["faq"] if isinstance(raw, dict) else raw
    return [
        Entry(row["id"], tuple(filter(None, (row.get("question"), *row.get("examples", ())))), row.get("answer", ""))
        for row in rows
    ]


def fit_matcher(shop: Path, questions: Path, out: Path) -> None:
    """Grid over the weights, logistic regression for the probability, grid over the thresholds."""
    rows = [row for row in read_jsonl(questions) if row["expect"] != "smalltalk" and row["kind"] != "two_questions"]
    entries, encoder = entries_of(shop), load_encoder().model
    vectors = encoder.encode([row["text"] for row in rows]) if encoder else [None] * len(rows)
    best: tuple[float, MatcherCalibration] | None = None
    for lexical, answer in itertools.product((0.1, 0.2, 0.3), (0.0, 0.2, 0.4)):
        weights = MatcherCalibration(lexical_weight=lexical, answer_weight=answer)
        matcher = HybridMatcher(entries, encoder, weights)
        scores = np.stack([matcher.scores(row["text"], vector) for row, vector in zip(rows, vectors, strict=True)])
        fitted = _thresholds(scores, rows, _probability(scores, rows, entries, weights), entries)
        if best is None or fitted[0] > best[0]:
            best = fitted
        print(f"lexical {lexical}, answer {answer}: worth {fitted[0]:.3f} a question")
    assert best is not None
    out.write_text(json.dumps({k: round(v, 4) for k, v in asdict(best[1]).items()}, indent=1) + "\n", encoding="utf-8")


def _probability(
    scores: np.ndarray, rows: Sequence[dict[str, Any]], entries: Sequence[Entry], weights: MatcherCalibration
) -> MatcherCalibration:
    """P(best entry is right) from the best score and its lead."""
    top = np.sort(scores, axis=1)[:, ::-1]
    features = np.stack([top[:, 0], top[:, 0] - top[:, 1]], axis=1)
    right = np.array([
        row["expect"] == "answer" and entries[best].id in row["ids"]
        for row, best in zip(rows, scores.argmax(1), strict=True)
    ])  # fmt: skip
    model = LogisticRegression(C=10.0, max_iter=1000).fit(features, right)
    scale, margin = model.coef_[0]
    return replace(weights, scale=float(scale), margin=float(margin), bias=float(model.intercept_[0]))


def _thresholds(
    scores: np.ndarray, rows: Sequence[dict[str, Any]], calibration: MatcherCalibration, entries: Sequence[Entry]
) -> tuple[float, MatcherCalibration]:
    """The thresholds that are worth most on these questions."""
    best = (-np.inf, calibration)
    for answer_at, clarify_at, within in itertools.product(
        np.arange(0.2, 0.8, 0.05), np.arange(0.1, 0.6, 0.05), (0.02, 0.05, 0.08, 0.12)
    ):
        tried = replace(calibration, answer_at=answer_at, clarify_at=clarify_at, clarify_within=within)
        worth = float(np.mean([_worth(row, s, tried, entries) for row, s in zip(rows, scores, strict=True)]))
        if worth > best[0]:
            best = (worth, tried)
    return best


def _worth(row: dict[str, Any], scores: np.ndarray, calibration: MatcherCalibration, entries: Sequence[Entry]) -> float:
    candidates = [Candidate(entries[i].id, float(scores[i])) for i in np.argsort(-scores)[:3]]
    outcome, _ = calibration.decide([c.score for c in candidates])
    match outcome:
        case Outcome.ANSWER:
            return RIGHT if row["expect"] == "answer" and candidates[0].id in row["ids"] else WRONG
        case Outcome.CLARIFY if any(c.id in row["ids"] for c in calibration.near(candidates)):
            return RIGHT if row["expect"] == "clarify" else ASKED_WELL
        case Outcome.CLARIFY:
            return ASKED_BADLY
        case _:
            return RIGHT if row["expect"] == "unknown" else MISSED
