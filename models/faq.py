"""The matcher: sentence vectors and BM25 over a shop's entries; answer, ask back, or say it is not known."""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np

from models.base import Candidate, Entry, Match, Outcome, SentenceEncoder
from models.smalltalk import smalltalk_kind

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs every index it builds


@dataclass(frozen=True)
class MatcherCalibration:
    """Fitted on labelled questions of the development split by ``python -m models.training matcher``."""

    lexical_weight: float = 0.2
    answer_weight: float = 0.2
    """Weights of BM25 and of the answer's cosine beside the phrasings' cosine, which weighs 1."""
    scale: float = 12.0
    margin: float = 6.0
    bias: float = -8.0
    """P(best entry is right) = sigmoid(scale * fused + margin * (best - second) + bias)."""
    answer_at: float = 0.5
    clarify_at: float = 0.3
    clarify_within: float = 0.08
    """A third entry whose fused score is this close to the best is asked back about too."""

    def decide(self, best: Sequence[float]) -> tuple[Outcome, float]:
        """What to make of the best fused scores (highest first), and P(the best entry is right)."""
        gap = best[0] - (best[1] if len(best) > 1 else 0.0)
        probability = float(1 / (1 + np.exp(-(self.scale * best[0] + self.margin * gap + self.bias))))
        if probability >= self.answer_at:
            return Outcome.ANSWER, probability
        if probability >= self.clarify_at and len(best) > 1:
            return Outcome.CLARIFY, probability
        return Outcome.UNKNOWN, probability

    def near(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """The two or three to ask back between."""
        floor = candidates[0].score - self.clarify_within
        return tuple(c for i, c in enumerate(candidates) if i < 2 or c.score >= floor)

    @classmethod
    def load(cls, path: Path) -> "MatcherCalibration":
        """Read ``calibration.json``; the defaults above when there is none."""
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()


class HybridMatcher:
    """Matches against one shop's entries. Without an encoder it matches by words alone."""

    def __init__(
        self,
        entries: Sequence[Entry],
        encoder: SentenceEncoder | None,
        calibration: MatcherCalibration | None = None,
        cache: Path | None = None,
    ) -> None:
        if not entries:
            raise ValueError("a matcher needs at least one FAQ entry")
        self._ids = [entry.id for entry in entries]
        self._encoder = encoder
        self._calibration = calibration or MatcherCalibration()
        phrasings = [(i, text) for i, entry in enumerate(entries) for text in entry.phrasings]
        texts = [text for _, text in phrasings] + [entry.answer or entry.phrasings[0] for entry in entries]
        self._bounds = np.searchsorted([i for i, _ in phrasings], range(len(entries) + 1))
        vectors = _vectors(texts, encoder, cache)
        self._phrasings = None if vectors is None else vectors[: len(phrasings)]
        self._answers = None if vectors is None else vectors[len(phrasings) :]
        self._index = bm25s.BM25()
        self._index.index(_words([" ".join((*e.phrasings, e.answer)) for e in entries]), show_progress=False)

    def match(self, batch: Sequence[str]) -> list[Match]:
        """One match for each text, in order."""
        if not batch:
            return []
        vectors = self._encoder.encode(batch) if self._encoder else None
        return [self._one(text, None if vectors is None else vectors[i]) for i, text in enumerate(batch)]

    def scores(self, text: str, vector: np.ndarray | None) -> np.ndarray:
        """Fused score of every entry, shape (entries,), about 0..1."""
        lexical = self._lexical(text)
        if vector is None or self._phrasings is None or self._answers is None:
            return lexical
        c = self._calibration
        fused = self._likeness(self._phrasings @ vector) + c.answer_weight * (self._answers @ vector)
        return np.asarray((fused + c.lexical_weight * lexical) / (1 + c.answer_weight + c.lexical_weight))

    def _likeness(self, cosines: np.ndarray) -> np.ndarray:
        """Per entry, the mean of its best phrasing and of its best three: one lucky phrasing is not enough."""
        result = np.empty(len(self._ids), dtype=np.float32)
        for entry in range(len(self._ids)):
            best = np.sort(cosines[self._bounds[entry] : self._bounds[entry + 1]])[::-1]
            result[entry] = (best[0] + best[:3].mean()) / 2
        return result

    def _lexical(self, text: str) -> np.ndarray:
        """BM25 of every entry, squashed into 0..1 so that it can be added to a cosine."""
        query = [word for word in _words([text])[0] if word in self._index.vocab_dict]
        if not query:
            return np.zeros(len(self._ids), dtype=np.float32)
        raw = self._index.get_scores(query)
        return np.asarray(raw / (raw + 4.0), dtype=np.float32)

    def _one(self, text: str, vector: np.ndarray | None) -> Match:
        kept = () if vector is None else tuple(float(v) for v in vector)
        kind = smalltalk_kind(text)
        if kind:
            return Match(Outcome.SMALLTALK, 1.0, smalltalk=kind, vector=kept)
        fused = self.scores(text, vector)
        order = np.argsort(-fused)[:3]
        candidates = tuple(Candidate(self._ids[i], float(fused[i])) for i in order)
        outcome, probability = self._calibration.decide([c.score for c in candidates])
        if outcome is Outcome.CLARIFY:
            candidates = self._calibration.near(candidates)
        return Match(outcome, probability, candidates, vector=kept)


def _words(texts: Sequence[str]) -> list[list[str]]:
    return bm25s.tokenize(list(texts), stopwords="en", return_ids=False, show_progress=False)


def _vectors(texts: Sequence[str], encoder: SentenceEncoder | None, cache: Path | None) -> np.ndarray | None:
    """Vectors of all phrasings, kept in ``cache`` so that a restart is quick.

    The file is named by a digest of the texts and of the encoder's own vector of the first: another encoder
    never finds it.
    """
    if encoder is None:
        return None
    if cache is None:
        return np.asarray(encoder.encode(texts))
    witness = np.asarray(encoder.encode(texts[:1]), dtype=np.float32).tobytes()
    digest = hashlib.sha256("\0".join(texts).encode() + witness).hexdigest()[:16]
    path = cache / f"phrasings-{digest}.npy"
    kept = _kept(path, len(texts))
    if kept is None:
        kept = np.asarray(encoder.encode(texts))
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as file:
            np.save(file, kept)
        partial.replace(path)
    return kept


def _kept(path: Path, rows: int) -> np.ndarray | None:
    """The array in ``path`` when it is whole."""
    try:
        kept: np.ndarray = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return kept if kept.ndim == 2 and len(kept) == rows else None
