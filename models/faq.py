"""The matcher: a head over sentence vectors and BM25 over a shop's entries; answer, ask back or say it is unknown."""

import copy
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.base import Candidate, Entry, Match, Outcome, SentenceEncoder
from models.calibration import MatcherCalibration
from models.head import fit_head
from models.lexical import Lexical
from models.questions import is_reference, split_questions, without_references
from models.smalltalk import smalltalk_kind

__all__ = ["HybridMatcher", "MatcherCalibration"]


class Meaning:
    """The sentence vectors of a shop's phrasings and answers, and what is fitted to them when they are loaded."""

    def __init__(self, phrasings: np.ndarray, labels: np.ndarray, entries: int, answers: np.ndarray | None) -> None:
        self._phrasings, self._answers = phrasings, answers
        self._head = fit_head(phrasings, labels, entries)
        self._starts = np.searchsorted(labels, np.arange(entries))
        self.phrasings_each = len(labels) / entries

    def head(self, vector: np.ndarray) -> np.ndarray:
        """About a cosine to every entry, shape (entries,)."""
        return np.asarray(vector @ self._head)

    def answers(self, vector: np.ndarray) -> np.ndarray | None:
        """Cosine to every answer, shape (entries,); None unless every entry has one."""
        return None if self._answers is None else np.asarray(self._answers @ vector)

    def nearest(self, vector: np.ndarray) -> np.ndarray:
        """Cosine of the nearest phrasing of every entry, shape (entries,)."""
        return np.asarray(np.maximum.reduceat(self._phrasings @ vector, self._starts))


class HybridMatcher:
    """Matches against one shop's entries. Without an encoder it matches by words alone.

    Everything that is fitted to the entries is fitted here: about half a second for 90 entries, half a minute
    for 10,000 examples whose vectors are cached.
    """

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
        shipped = calibration or MatcherCalibration()
        self._calibration = shipped if encoder else shipped.words_alone or shipped
        phrasings = [text for entry in entries for text in entry.phrasings]
        labels = np.repeat(np.arange(len(entries)), [len(entry.phrasings) for entry in entries])
        self._lexical = Lexical([" ".join((*e.phrasings, e.answer)) for e in entries])
        answers = [entry.answer for entry in entries] if all(entry.answer for entry in entries) else []
        vectors = _vectors([*phrasings, *answers], encoder, cache)
        self._meaning = None
        if vectors is not None:
            known, split = len(entries), len(phrasings)
            self._meaning = Meaning(vectors[:split], labels, known, vectors[split:] if answers else None)
        self._own_smalltalk = {kind for text in phrasings if (kind := smalltalk_kind(text))}

    def under(self, calibration: MatcherCalibration) -> "HybridMatcher":
        """The same matcher under another calibration; nothing is fitted or encoded again."""
        other = copy.copy(self)
        other._calibration = calibration
        return other

    def match(self, batch: Sequence[str]) -> list[Match]:
        """One match for each text, in order. A text that asks several things has the other answers in ``also``."""
        return [self._whole(text) for text in batch]

    def best(self, text: str, count: int = 3) -> tuple[str, ...]:
        """The ids of the best entries, whatever would be done with them."""
        return tuple(self._ids[i] for i in np.argsort(-self.scores(text, self._vector(text)))[:count])

    def look(self, text: str) -> tuple[str, np.ndarray]:
        """The id of the best entry and the features of the match."""
        vector = self._vector(text)
        scores = self.scores(text, vector)
        return self._ids[int(scores.argmax())], self.features(text, scores, vector)

    def scores(self, text: str, vector: np.ndarray | None) -> np.ndarray:
        """Fused score of every entry, shape (entries,), about 0..1."""
        return self._scores(without_references(text), vector)

    def features(self, text: str, scores: np.ndarray, vector: np.ndarray | None) -> np.ndarray:
        """What the probabilities are made of, in the order of FEATURES, shape (len(FEATURES),).

        best: the best score; lead: over the second; nearest: cosine of the nearest phrasing (0 without vectors);
        said: share of what the text says that the entries say too. Tried and left out, for they did not help on shops
        that were not fitted on: the softmax share, its length, agreement of the channels, likeness to common chat.
        """
        best = np.sort(scores)[::-1][:2]
        lead = best[0] - best[1] if len(best) > 1 else best[0]
        meant = self._meaning is not None and vector is not None
        nearest = self._meaning.nearest(vector).max() if meant else 0.0  # type: ignore[union-attr, arg-type]
        return np.array([best[0], lead, nearest, self._lexical.known(without_references(text))], dtype=float)

    def _scores(self, text: str, vector: np.ndarray | None) -> np.ndarray:
        c = self._calibration
        lexical = c.word_weight * self._lexical.words(text) + c.piece_weight * self._lexical.pieces(text)
        if vector is None or self._meaning is None:
            return np.asarray(lexical / (c.word_weight + c.piece_weight))
        near = c.near(self._meaning.phrasings_each)
        fused = self._meaning.head(vector) + near * self._meaning.nearest(vector) + lexical
        weight, answers = 1 + near + c.word_weight + c.piece_weight, self._meaning.answers(vector)
        if answers is not None:
            fused, weight = fused + c.answer_weight * answers, weight + c.answer_weight
        return np.asarray(fused / weight)

    def _whole(self, text: str) -> Match:
        vector = self._vector(text)
        kept = () if vector is None else tuple(float(v) for v in vector)
        kind = smalltalk_kind(text)
        if is_reference(text):
            kind = "reference"
        if kind and kind not in self._own_smalltalk:
            return Match(Outcome.SMALLTALK, 1.0, smalltalk=kind, vector=kept)
        whole = self._one(text, vector)
        parts = split_questions(text)
        return replace(self._several(whole, parts) if len(parts) > 1 else whole, vector=kept)

    def _several(self, whole: Match, parts: Sequence[str]) -> Match:
        """The answers to a message's questions; the whole message's own match unless at least two are answered.

        The answer that the whole message points to comes first if it is among them.
        """
        found: dict[str, Match] = {}
        for part in parts:
            if (
                smalltalk_kind(part) is None
                and (match := self._one(part, self._vector(part))).outcome is Outcome.ANSWER
            ):
                found.setdefault(match.candidates[0].id, match)
        if len(found) < 2 or not whole.candidates or whole.candidates[0].id not in found:
            return whole
        first = found.pop(whole.candidates[0].id)
        return replace(first, also=tuple(found.values()))

    def _vector(self, text: str) -> np.ndarray | None:
        return None if self._encoder is None else np.asarray(self._encoder.encode([without_references(text)])[0])

    def _one(self, text: str, vector: np.ndarray | None) -> Match:
        c = self._calibration
        scores = self.scores(text, vector)
        known, right = map(float, c.probabilities(self.features(text, scores, vector)))
        candidates = tuple(Candidate(self._ids[i], float(np.clip(scores[i], 0, 1))) for i in np.argsort(-scores)[:3])
        outcome = c.decide(known, right, len(self._ids))
        if outcome is Outcome.CLARIFY:
            candidates = c.choices(candidates)
        return Match(outcome, right, candidates, known=known)


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
