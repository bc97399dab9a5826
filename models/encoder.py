"""Sentence vectors from all-MiniLM-L6-v2, quantised."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.onnx import OnnxNetwork

WIDTH = 384
BATCH = 16


class OnnxSentenceEncoder:
    """Mean-pooled, unit-length vectors. Source of the weights: models/artifacts/encoder/README.md."""

    def __init__(self, folder: Path) -> None:
        self._network = OnnxNetwork(folder)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (texts, 384)."""
        vectors = np.empty((len(texts), WIDTH), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._network.run([texts[i] for i in rows])["vector"]
        return vectors
