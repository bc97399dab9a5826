"""Sentence vectors from all-MiniLM-L6-v2, quantised."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.onnx import OnnxNetwork

WIDTH = 384


class OnnxSentenceEncoder:
    """Mean-pooled, unit-length vectors. Source of the weights: models/artifacts/encoder/README.md."""

    def __init__(self, folder: Path) -> None:
        self._network = OnnxNetwork(folder)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (texts, 384)."""
        if not texts:
            return np.empty((0, WIDTH), dtype=np.float32)
        return self._network.run(texts)["vector"]
