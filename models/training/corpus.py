"""Labelled examples for the reader: where they come from and how they are batched."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.base import EMOTIONS


@dataclass(frozen=True)
class Example:
    """One customer message with the targets that are known for it.

    ``before`` holds earlier messages of the same writer, oldest first. ``targets`` maps a head's name to a
    vector of probabilities, shape (labels of that head,); a head that is absent teaches nothing here.
    """

    text: str
    before: tuple[str, ...] = ()
    targets: dict[str, np.ndarray] = field(default_factory=dict)


def load_goemotions(path: Path) -> list[Example]:
    """Read one official split (``text \\t ids \\t comment id``). Demszky et al., ACL 2020, Apache-2.0."""
    examples = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        text, ids, _ = line.split("\t")
        target = np.zeros(len(EMOTIONS), dtype=np.float32)
        target[[int(i) for i in ids.split(",")]] = 1.0
        examples.append(Example(text, targets={"emotions": target}))
    return examples


def batches_by_length(
    examples: Sequence[Example], lengths: Sequence[int], size: int, rng: random.Random
) -> Iterator[list[int]]:
    """Yield index lists of ``size`` examples of like length, in random order, every example once."""
    order = list(range(len(examples)))
    rng.shuffle(order)
    pool = size * 64
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        chunk = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    rng.shuffle(batches)
    yield from batches
