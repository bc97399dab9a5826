"""Fit the matcher's weights, probabilities and thresholds on labelled questions to several shops."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from models.base import Entry, Outcome, SentenceEncoder
from models.calibration import FEATURES, Coefficients, MatcherCalibration
from models.catalog import load_encoder
from models.faq import HybridMatcher
from models.training.trials import HINT3, Trial, foreign_texts, own_trials, public_trials, read_examples

RIGHT, ASKED_WELL, ASKED_BADLY, MISSED, WRONG = 1.0, 0.4, -0.1, 0.0, -0.85
"""What an outcome is worth to a customer: the right answer (or an honest "I do not know"), asking back with the
right entry among the choices, asking back without it, not knowing what is known, and a wrong answer."""
OWN_WEIGHT = 4.0
"""How much the own shop weighs beside a public one: it was asked as customers ask."""
UNKNOWN_SHARE = 0.25
"""The share of questions that no entry fits, whatever share the trials have."""


class Remembering:
    """An encoder that encodes every text once."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, np.ndarray] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, np.asarray(self._encoder.encode(new)), strict=True))
        return np.stack([self._vectors[text] for text in texts])


@dataclass(frozen=True)
class Seen:
    """What the matcher sees of every question of some trials, and what is true of it; one row a question."""

    features: np.ndarray
    fits: np.ndarray
    """Whether any entry is right."""
    first: np.ndarray
    """Whether the best entry is."""
    answer: np.ndarray
    """Whether the best entry is, and should be given at once."""
    third: np.ndarray
    """Whether one of the best three is."""
    clarify: np.ndarray
    """Whether it should be asked back about."""
    weight: np.ndarray


def entries_of(path: Path) -> list[Entry]:
    """The entries of a shop's file, or of a plain list of entries."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = raw["faq"] if isinstance(raw, dict) else raw
    return [
        Entry(row["id"], tuple(filter(None, (row.get("question"), *row.get("examples", ())))), row.get("answer", ""))
        for row in rows
    ]


def trials_of(shop: Path, rows: Sequence[dict[str, Any]], data: Path, encoder: SentenceEncoder) -> list[Trial]:
    """The own shop's trials and, where they are at hand, the public shops'."""
    trials = list(own_trials("own", entries_of(shop), rows))
    if (data / "hint3").is_dir():
        foreign = foreign_texts(data)
        for name in HINT3:
            examples = read_examples(data / "hint3" / f"{name}_train.csv")
            trials += public_trials(name, examples, foreign, encoder)
    return trials


def fit_matcher(shop: Path, rows: Sequence[dict[str, Any]], data: Path, out: Path) -> None:
    """Weights by grid, probabilities by logistic regression, thresholds by grid; with vectors and without."""
    loaded = load_encoder()
    if loaded.model is None:
        raise SystemExit(f"The matcher is fitted with its encoder: {loaded.problem}")
    encoder = Remembering(loaded.model)
    trials = trials_of(shop, rows, data, encoder)
    full = fit_calibration(trials, encoder)
    alone = fit_calibration(trials, None)
    out.write_text(json.dumps(_rounded(asdict(replace(full, words_alone=alone))), indent=1) + "\n", encoding="utf-8")


def fit_calibration(trials: Sequence[Trial], encoder: Remembering | None) -> MatcherCalibration:
    """Everything that is in a calibration."""
    matchers = [HybridMatcher(trial.entries, encoder) for trial in trials]
    best: tuple[float, MatcherCalibration] | None = None
    for word, piece, answer in itertools.product((0.1, 0.2), (0.2, 0.3), (0.1, 0.2) if encoder else (0.0,)):
        weights = MatcherCalibration(word_weight=word, piece_weight=piece, answer_weight=answer)
        seen = look(trials, matchers, weights, encoder)
        top = float(np.average(seen.first[seen.fits], weights=seen.weight[seen.fits]))
        print(f"words {word}, pieces {piece}, answer {answer}: right entry first {top:.4f}", flush=True)
        if best is None or top > best[0]:
            best = (top, weights)
    assert best is not None
    seen = look(trials, matchers, best[1], encoder)
    return with_thresholds(with_probabilities(best[1], seen), seen)


def look(
    trials: Sequence[Trial], matchers: Sequence[HybridMatcher], weights: MatcherCalibration, encoder: Remembering | None
) -> Seen:
    """Ask every question of every trial."""
    rows: list[tuple[Any, ...]] = []
    for trial, fitted in zip(trials, matchers, strict=True):
        matcher, ids = fitted.under(weights), [entry.id for entry in trial.entries]
        vectors = encoder.encode([q.text for q in trial.questions]) if encoder else [None] * len(trial.questions)
        for question, vector in zip(trial.questions, vectors, strict=True):
            scores = matcher.scores(question.text, vector)
            best = [ids[i] for i in np.argsort(-scores)[:3]]
            first = best[0] in question.ids
            rows.append((
                matcher.features(question.text, scores, vector), bool(question.ids), first, first and question.plain,
                bool(set(best) & question.ids), bool(question.ids) and not question.plain, trial.shop,
            ))  # fmt: skip
    *columns, shops = (np.array(column) for column in zip(*rows, strict=True))
    return Seen(*columns, weights_of(shops, columns[1]))


def weights_of(shops: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """Weights by which every shop counts alike, but for the own one, and UNKNOWN_SHARE is not known; mean 1."""
    weight = np.zeros(len(shops))
    for shop in np.unique(shops):
        for known, share in ((True, 1 - UNKNOWN_SHARE), (False, UNKNOWN_SHARE)):
            rows = (shops == shop) & (fits == known)
            weight[rows] = share / max(rows.sum(), 1) * (OWN_WEIGHT if shop == "own" else 1.0)
    return weight / weight.mean()


def with_probabilities(calibration: MatcherCalibration, seen: Seen) -> MatcherCalibration:
    """P(some entry fits), and P(the best one is right) where one does."""
    fits = seen.fits
    return replace(
        calibration,
        known=logistic(seen.features, fits, seen.weight),
        right=logistic(seen.features[fits], seen.answer[fits], seen.weight[fits]),
    )


def logistic(features: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None) -> Coefficients:
    """Coefficients of a logistic regression on the features that differ at all."""
    used = [i for i in range(len(FEATURES)) if np.ptp(features[:, i]) > 0]
    spread = features[:, used].std(0)
    model = LogisticRegression(C=3.0, max_iter=2000).fit(features[:, used] / spread, true, sample_weight=weight)
    named = {FEATURES[i]: float(c) for i, c in zip(used, model.coef_[0] / spread, strict=True)}
    return named | {"bias": float(model.intercept_[0])}


def with_thresholds(calibration: MatcherCalibration, seen: Seen) -> MatcherCalibration:
    """The thresholds that are worth most on these questions."""
    known, right = calibration.probabilities(seen.features)
    tried = [
        replace(calibration, known_at=float(k), answer_at=float(a))
        for k, a in itertools.product(np.arange(0.3, 0.75, 0.025), np.arange(0.3, 0.8, 0.025))
    ]
    return max(tried, key=lambda c: float(np.average(worth(c, known, right, seen), weights=seen.weight)))


def worth(calibration: MatcherCalibration, known: np.ndarray, right: np.ndarray, seen: Seen) -> np.ndarray:
    """What each question's outcome is worth, shape (questions,)."""
    outcome = np.array([calibration.decide(k, r, 9) for k, r in zip(known, right, strict=True)])
    answered = np.where(seen.answer, RIGHT, WRONG)
    asked = np.where(seen.third, np.where(seen.clarify, RIGHT, ASKED_WELL), ASKED_BADLY)
    missed = np.where(seen.fits, MISSED, RIGHT)
    return np.asarray(np.select([outcome == Outcome.ANSWER, outcome == Outcome.CLARIFY], [answered, asked], missed))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
