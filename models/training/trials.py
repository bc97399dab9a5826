"""Questions to several shops of which it is known what should become of them, for fitting the matcher.

Each public shop is played five times. Every time a fifth of its examples is asked, near copies of which are never
left among the entries (owners write the same thing in five ways; customers do not), and a fifth of its entries is
taken away, so that questions about those are what a shop most often cannot answer: near misses. Chat and other
shops' questions are asked beside them.
"""

import csv
import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.base import Entry, SentenceEncoder

HINT3 = ("sofmattress", "curekart", "powerplay11")
FOLDS = 5
COPY = 0.8
"""Cosine from which two examples of one entry count as the same."""
FOREIGN = 25
"""Chat and other shops' questions asked in each fold."""


@dataclass(frozen=True)
class Question:
    """A text, the entries that are right for it (none: it is not known), and whether to answer at once."""

    text: str
    ids: frozenset[str]
    plain: bool = True


@dataclass(frozen=True)
class Trial:
    """A shop's entries and what it is asked."""

    shop: str
    entries: Sequence[Entry]
    questions: Sequence[Question]


def read_examples(path: Path) -> dict[str, list[str]]:
    """Examples by entry from a table of two columns: text, entry."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(row[0])
    return found


def foreign_texts(data: Path, seed: int = 0) -> list[str]:
    """What no shop answers: CLINC150 and MultiDoGO (Larson et al. 2019, CC BY 3.0; Peskov et al. 2019, CDLA)."""
    clinc = json.loads((data / "clinc150" / "data_full_train_val.json").read_text(encoding="utf-8"))
    rng = random.Random(seed)
    with gzip.open(data / "multidogo" / "utterances.txt.gz", "rt", encoding="utf-8") as file:
        chat = [line.strip() for line in file if 3 <= len(line.split()) <= 20]
    return [
        *(text for text, _ in clinc["oos_train"] + clinc["oos_val"]),
        *rng.sample([text for text, _ in clinc["val"]], 150),
        *rng.sample(chat, 150),
    ]


def public_trials(shop: str, examples: dict[str, list[str]], foreign: Sequence[str], encoder: SentenceEncoder,
                  seed: int = 0) -> Iterator[Trial]:  # fmt: skip
    """Five trials of one shop."""
    rng = random.Random(f"{shop}{seed}")
    names = sorted(examples)
    rng.shuffle(names)
    fold = {name: _folds(np.asarray(encoder.encode(examples[name])), rng) for name in names}
    for k in range(FOLDS):
        away = set(names[k::FOLDS])
        kept = {name: [t for t, f in zip(examples[name], fold[name], strict=True) if f != k] for name in sorted(names)}
        entries = [Entry(name, tuple(texts)) for name, texts in kept.items() if texts and name not in away]
        known = {entry.id for entry in entries}
        asked = [
            Question(text, frozenset({name} & known))
            for name in sorted(names)
            for text, f in zip(examples[name], fold[name], strict=True)
            if f == k and (name in known or name in away)
        ]
        spare = [t for name in sorted(away) for t, f in zip(examples[name], fold[name], strict=True) if f != k]
        missed = rng.sample(spare, min(len(spare), len(asked) // 4)) + rng.sample(list(foreign), FOREIGN)
        yield Trial(shop, entries, [*asked, *(Question(text, frozenset()) for text in missed)])


def own_trials(shop: str, entries: Sequence[Entry], rows: Sequence[dict[str, Any]], seed: int = 0) -> Iterator[Trial]:
    """The labelled questions to one shop, first with all of its entries and then five times without a fifth of them."""
    asked = [row for row in rows if row["expect"] != "smalltalk" and row["kind"] != "two_questions"]
    yield Trial(shop, entries, [Question(r["text"], frozenset(r["ids"]), r["expect"] == "answer") for r in asked])
    ids = [entry.id for entry in entries]
    random.Random(seed).shuffle(ids)
    for k in range(FOLDS):
        away = set(ids[k::FOLDS])
        missed = [Question(r["text"], frozenset()) for r in asked if r["ids"] and set(r["ids"]) <= away]
        yield Trial(shop, [entry for entry in entries if entry.id not in away], missed)


def _folds(vectors: np.ndarray, rng: random.Random) -> list[int]:
    """The fold of each example; chains of near copies share one."""
    near, group = vectors @ vectors.T > COPY, list(range(len(vectors)))
    for i, j in zip(*np.nonzero(near), strict=True):
        old, new = max(group[i], group[j]), min(group[i], group[j])
        group = [new if g == old else g for g in group]
    names = sorted(set(group))
    start = rng.randrange(FOLDS)
    fold = {name: (start + n) % FOLDS for n, name in enumerate(rng.sample(names, len(names)))}
    return [fold[g] for g in group]


def is_held_out(text: str) -> bool:
    """Whether a Banking77 example is in the fifth that is asked of the other four."""
    return hashlib.sha256(text.encode()).digest()[0] % FOLDS == 0
