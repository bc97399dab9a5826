"""What the reader must beat: a guess, word lists, a sentiment lexicon, and a linear model on words."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import hstack, spmatrix
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from eval import progress
from eval.data import Row
from models.base import EMOTIONS, FLAGS, STATES, Reading, Utterance

NONE = dict.fromkeys(FLAGS, 0.0)
POLAR = 0.05
"""The compound score from which VADER's authors call a text positive or negative."""


class Majority:
    """Says for every message what is most frequent in the training split."""

    name = "majority"

    def __init__(self, rows: Sequence[Row]) -> None:
        counts = np.array([sum(row.state == state for row in rows) for state in STATES], dtype=float)
        self._states = dict(zip(STATES, map(float, counts / counts.sum()), strict=True))

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """The same reading for each."""
        return [Reading(self._states, NONE, model=self.name) for _ in batch]


class Vader:
    """Negative is frustrated, positive is pleased, the rest neutral (Hutto and Gilbert, ICWSM 2014)."""

    name = "VADER"

    def __init__(self) -> None:
        self._lexicon = SentimentIntensityAnalyzer()

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """One reading for each, from the message alone."""
        return [self._one(u.text) for u in batch]

    def _one(self, text: str) -> Reading:
        compound = self._lexicon.polarity_scores(text)["compound"]
        states = dict.fromkeys(STATES, 0.0)
        polar = "frustrated" if compound < 0 else "pleased"
        sure = 0.5 + abs(compound) / 2 if abs(compound) >= POLAR else abs(compound)
        states[polar], states["neutral"] = sure, 1 - sure
        return Reading(states, NONE, model=self.name)


class Words:
    """TF-IDF of words and character pieces, and logistic regression, trained on the project's training split."""

    name = "TF-IDF + LR"

    def __init__(self, rows: Sequence[Row]) -> None:
        self._features = _Features([row.text for row in rows])
        x = self._features.fitted
        one_state = LogisticRegression(C=4.0, solver="liblinear")
        self._states = OneVsRestClassifier(one_state).fit(x, [STATES.index(row.state) for row in rows])
        one_flag = LogisticRegression(C=4.0, solver="liblinear", class_weight="balanced")
        self._flags = [clone(one_flag).fit(x, [f in row.flags for row in rows]) for f in FLAGS]

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """One reading for each, from the message alone; flags from 0.5 on."""
        x = self._features.of([u.text for u in batch])
        flags = np.stack([model.predict_proba(x)[:, 1] for model in self._flags], axis=1)
        return [
            Reading(
                dict(zip(STATES, map(float, state_row), strict=True)),
                dict(zip(FLAGS, map(float, flag_row), strict=True)),
                tuple(f for f, p in zip(FLAGS, flag_row, strict=True) if p >= 0.5),
                model=self.name,
            )
            for state_row, flag_row in zip(self._states.predict_proba(x), flags, strict=True)
        ]


class _Features:
    """Sparse features of shape (texts, words and pieces)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        self._pieces = TfidfVectorizer(ngram_range=(3, 5), min_df=3, sublinear_tf=True, analyzer="char_wb")
        self.fitted: spmatrix = hstack([self._words.fit_transform(texts), self._pieces.fit_transform(texts)]).tocsr()

    def of(self, texts: Sequence[str]) -> spmatrix:
        return hstack([self._words.transform(texts), self._pieces.transform(texts)]).tocsr()


def goemotions_by_words(train: tuple[list[str], np.ndarray], texts: Sequence[str]) -> np.ndarray:
    """Probabilities of the 28 emotions, shape (texts, 28): one logistic regression a label on TF-IDF words."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
    x, new = vectorizer.fit_transform(train[0]), vectorizer.transform(texts)
    result = np.zeros((len(texts), len(EMOTIONS)))
    for label in progress.bar(range(len(EMOTIONS)), "GoEmotions by words"):
        model = LogisticRegression(C=2.0, solver="liblinear", class_weight="balanced")
        result[:, label] = model.fit(x, train[1][:, label]).predict_proba(new)[:, 1]
    return result
