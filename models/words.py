"""A second opinion by words: a linear model over word and letter n-grams beside the network, numpy alone.

The network hears meaning, this hears wording; their mistakes differ. Together they read unseen messages clearly
better than either (docs/adr/0015-words-beside-the-network.md). Fitted by ``python -m models.training words``.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from models.base import FLAGS, STATES, ModelUnavailable

LOOKED_AT = 2000
"""Characters from either end of a text that are looked at."""
_WORD = re.compile(r"\w+(?:'\w+)?|[^\w\s]")


def grams_of(text: str) -> Iterator[str]:
    """Words and pairs of words (marked ``w``), and letter pieces of two to four within words (marked ``c``)."""
    plain = (text[:LOOKED_AT] + text[LOOKED_AT:][-LOOKED_AT:]).lower().replace("’", "'")
    words = _WORD.findall(plain)
    yield from ("w" + word for word in words)
    yield from (f"w{one} {two}" for one, two in itertools.pairwise(words))
    for word in plain.split():
        padded = f" {word} "
        for size in (2, 3, 4):
            yield from ("c" + padded[i : i + size] for i in range(len(padded) - size + 1))


@dataclass(frozen=True)
class Words:
    """The fitted model. TF-IDF with logarithmic counts; words and pieces are scaled to length one apart."""

    index: dict[str, int]
    """Row of each n-gram."""
    weight: np.ndarray
    """Shape (n-grams,): inverse document frequency."""
    coefficients: np.ndarray
    """Shape (n-grams, 8): five states, then three flags."""
    intercept: np.ndarray
    """Shape (8,)."""

    @classmethod
    def load(cls, path: Path) -> "Words | None":
        """Read ``words.npz``; None where there is none. Raises ModelUnavailable when it is broken."""
        if not path.exists():
            return None
        try:
            with path.open("rb") as file, np.load(file) as kept:
                grams = bytes(kept["grams"]).decode("utf-8").split("\n")
                arrays = [kept[name].astype(np.float32) for name in ("weight", "coefficients", "intercept")]
            if arrays[1].shape != (len(grams), len(STATES) + len(FLAGS)) or len(arrays[0]) != len(grams):
                raise ValueError("shapes do not fit")
        except (OSError, ValueError, KeyError, EOFError, AttributeError, BadZipFile) as error:
            raise ModelUnavailable(f"{path} cannot be used ({error}). Restore it from the release.") from error
        return cls({gram: i for i, gram in enumerate(grams)}, *arrays)

    def save(self, path: Path) -> None:
        """Write ``words.npz``."""
        grams = np.frombuffer("\n".join(self.index).encode("utf-8"), dtype=np.uint8)
        half = {name: getattr(self, name).astype(np.float16) for name in ("weight", "coefficients", "intercept")}
        np.savez_compressed(path, grams=grams, **half)

    def logits(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Log probabilities up to a constant: ``states`` (texts, 5) and log odds ``flags`` (texts, 3)."""
        rows = np.stack([self._one(text) for text in texts])
        return {"states": rows[:, : len(STATES)], "flags": rows[:, len(STATES) :]}

    def _one(self, text: str) -> np.ndarray:
        counts = Counter(gram for gram in grams_of(text) if gram in self.index)
        total = self.intercept.copy()
        for kind in "wc":
            mine = [gram for gram in counts if gram[0] == kind]
            if mine:
                rows = [self.index[gram] for gram in mine]
                values = (1 + np.log([counts[gram] for gram in mine])) * self.weight[rows]
                total += (values / np.sqrt((values**2).sum())) @ self.coefficients[rows]
        return total
