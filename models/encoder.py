"""Sentence vectors from all-MiniLM-L6-v2, quantised: the trunk's token vectors through its upper layers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.onnx import OnnxNetwork
from models.trunk import Trunk

WIDTH = 384


class OnnxSentenceEncoder:
    """Mean-pooled, unit-length vectors. Source of the weights: models/artifacts/encoder/README.md."""

    def __init__(self, folder: Path, trunk: Trunk) -> None:
        self._trunk = trunk
        self._network = OnnxNetwork(folder / "vector.onnx", "hidden")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 of shape (texts, 384)."""
        rows = [self._network.run(hidden=self._trunk.hidden(text)[None])["vector"] for text in texts]
        return np.concatenate(rows) if rows else np.empty((0, WIDTH), dtype=np.float32)
