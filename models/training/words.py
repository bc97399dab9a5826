"""Fit the words' model (models.words) on the project's own messages and the flags' public sources."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from models.base import FLAGS, STATES
from models.training.corpus import Example
from models.words import Words, grams_of

FEWEST = {"w": 2, "c": 3}
"""Messages in which an n-gram must occur to be counted."""
STRENGTH = {"states": 4.0, "flags": 8.0}
"""Inverse regularisation."""


def fit_words(own: Sequence[Example]) -> Words:
    """From examples whose states and flags are all known."""
    counted = [Counter(grams_of(e.text)) for e in own]
    documents = Counter(gram for counts in counted for gram in counts)
    grams = sorted(gram for gram, n in documents.items() if n >= FEWEST[gram[0]])
    index = {gram: i for i, gram in enumerate(grams)}
    weight = np.array([np.log((1 + len(own)) / (1 + documents[gram])) + 1 for gram in grams])
    blank = Words(index, weight, np.zeros((len(grams), len(STATES) + len(FLAGS))), np.zeros(len(STATES) + len(FLAGS)))
    table = _table(counted, blank)
    states = np.stack([e.targets["states"] for e in own]).argmax(axis=1)
    model = LogisticRegression(C=STRENGTH["states"], max_iter=500).fit(table, states)
    columns, intercepts = [*model.coef_], [*model.intercept_]
    flags = np.stack([e.targets["flags"] for e in own]) > 0.5
    for k in range(len(FLAGS)):
        one = LogisticRegression(C=STRENGTH["flags"], max_iter=500).fit(table, flags[:, k])
        columns.append(one.coef_[0])
        intercepts.append(one.intercept_[0])
    return Words(index, weight.astype(np.float32), np.array(columns).T, np.array(intercepts))


def _table(counted: Sequence[Counter[str]], words: Words) -> csr_matrix:
    """TF-IDF rows, words and pieces each scaled to length one, as ``Words`` computes them."""
    data: list[float] = []
    columns: list[int] = []
    bounds = [0]
    for counts in counted:
        for kind in "wc":
            mine = [gram for gram in counts if gram[0] == kind and gram in words.index]
            rows = [words.index[gram] for gram in mine]
            values = (1 + np.log([counts[gram] for gram in mine])) * words.weight[rows] if mine else np.zeros(0)
            data += list(values / max(np.sqrt((values**2).sum()), 1e-9))
            columns += rows
        bounds.append(len(data))
    return csr_matrix((data, columns, bounds), shape=(len(counted), len(words.index)))
