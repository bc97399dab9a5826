"""From scores to what is done: two probabilities, and a threshold on each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.base import Candidate, Outcome

FEATURES = ("best", "lead", "nearest", "said")
"""What the probabilities are made of; see ``HybridMatcher.features``."""

Coefficients = Mapping[str, float]
"""A logistic regression: one coefficient a feature, and ``bias``. A feature that is not named counts nothing."""


@dataclass(frozen=True)
class MatcherCalibration:
    """Fitted on labelled questions of several shops by ``python -m models.training matcher``."""

    word_weight: float = 0.2
    piece_weight: float = 0.2
    answer_weight: float = 0.2
    """Weights of BM25 by words, by pieces of words, and of the answer's cosine beside the head, which weighs 1."""
    near_weight: float = 1.0
    """Weight of the cosine of an entry's nearest phrasing where there are very many; half of it at ``near_half``."""
    near_half: float = 40.0
    """Phrasings an entry, on average. One lucky phrasing among six says little, one among a hundred much."""
    known: Coefficients = field(default_factory=lambda: {"best": 12.0, "bias": -4.5})
    """P(some entry fits)."""
    right: Coefficients = field(default_factory=lambda: {"best": 6.0, "lead": 12.0, "bias": -2.5})
    """P(the best entry is right, given that one fits)."""
    known_at: float = 0.5
    answer_at: float = 0.5
    clarify_within: float = 0.08
    """A third entry whose fused score is this close to the best is asked back about too."""

    words_alone: "MatcherCalibration | None" = None
    """What counts when there are no sentence vectors."""

    @classmethod
    def load(cls, path: Path) -> "MatcherCalibration":
        """Read ``matcher.json``; the defaults above when there is none."""
        raw = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        alone = raw.pop("words_alone", None)
        return cls(**raw, words_alone=None if alone is None else cls(**alone))

    def near(self, phrasings: float) -> float:
        """Weight of the nearest phrasing's cosine in a shop with so many phrasings an entry."""
        return self.near_weight * phrasings / (phrasings + self.near_half)

    def probabilities(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P(some entry fits) and P(the best entry is right), each of shape (...,); features (..., FEATURES)."""
        known = _logistic(self.known, features)
        return known, known * _logistic(self.right, features)

    def decide(self, known: float, right: float, entries: int) -> Outcome:
        """What to do with a message, given both probabilities and how many entries there are."""
        if right >= self.answer_at:
            return Outcome.ANSWER
        return Outcome.CLARIFY if known >= self.known_at and entries > 1 else Outcome.UNKNOWN

    def choices(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """The two or three to ask back between."""
        floor = candidates[0].score - self.clarify_within
        return tuple(c for i, c in enumerate(candidates) if i < 2 or c.score >= floor)


def _logistic(coefficients: Coefficients, features: np.ndarray) -> np.ndarray:
    weights = np.array([coefficients.get(name, 0.0) for name in FEATURES])
    return np.asarray(1 / (1 + np.exp(-(features @ weights + coefficients.get("bias", 0.0)))))
