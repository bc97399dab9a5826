"""Matching by words and by pieces of words, which forgives typing errors."""

import logging
import re
from collections import Counter
from collections.abc import Sequence

import bm25s
import numpy as np

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it logs every index it builds

LOOKED_AT = 1000
"""Characters of a message that are looked at."""
HALF_WORDS, HALF_PIECES = 4.0, 30.0
"""BM25 scores that are squashed to one half."""


class Lexical:
    """BM25 over one shop's entries, once by words and once by pieces of three and four letters."""

    def __init__(self, documents: Sequence[str]) -> None:
        self._words, self._pieces = bm25s.BM25(), bm25s.BM25()
        self._words.index(_words(documents), show_progress=False)
        pieces = [_pieces(document) for document in documents]
        self._pieces.index(pieces, show_progress=False)
        seen = Counter(piece for document in pieces for piece in set(document))
        self._rare = {piece: float(np.log(1 + len(documents) / n)) for piece, n in seen.items()}
        self._strange = float(np.log(1 + len(documents)))
        self._entries = len(documents)

    def words(self, text: str) -> np.ndarray:
        """Likeness by whole words, 0..1, shape (entries,)."""
        return self._scores(self._words, _words([text[:LOOKED_AT]])[0], HALF_WORDS)

    def pieces(self, text: str) -> np.ndarray:
        """Likeness by pieces of words, 0..1, shape (entries,)."""
        return self._scores(self._pieces, _pieces(text[:LOOKED_AT]), HALF_PIECES)

    def known(self, text: str) -> float:
        """How much of what a text says the shop's entries say too, 0..1: its pieces, the rare ones weighing more."""
        pieces = _pieces(" ".join(_words([text[:LOOKED_AT]])[0]))
        total = sum(self._rare.get(piece, self._strange) for piece in pieces)
        return sum(self._rare.get(piece, 0.0) for piece in pieces) / total if total else 0.0

    def _scores(self, index: bm25s.BM25, query: list[str], half: float) -> np.ndarray:
        found = [token for token in query if token in index.vocab_dict]
        if not found:
            return np.zeros(self._entries, dtype=np.float32)
        raw = index.get_scores(found)
        return np.asarray(raw / (raw + half), dtype=np.float32)


def _words(texts: Sequence[str]) -> list[list[str]]:
    return bm25s.tokenize(list(texts), stopwords="en", return_ids=False, show_progress=False)


def _pieces(text: str) -> list[str]:
    marked = [f"<{word}>" for word in re.findall(r"[^\W_]+", text.casefold())]
    return [word[i : i + n] for word in marked for n in (3, 4) for i in range(len(word) - n + 1)]
