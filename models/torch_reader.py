"""Any transformers sequence classifier as a reader: a folder or a hub id, for who would rather use another model.

Needs the ``train`` extra. Far slower than the shipped reader (docs/benchmarks.md).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from models.base import EMOTION_STATES, EMOTIONS, FLAGS, STATES, ModelUnavailable, Reading, Utterance
from models.emotion import sigmoid, softmax
from models.rules import flags_of

MAX_TOKENS = 128
THRESHOLD = 0.5


class TorchReader:
    """Reads with a checkpoint; ``label_map`` turns its labels into states, flags come from rules."""

    def __init__(self, source: str, label_map: Mapping[str, str] = EMOTION_STATES) -> None:
        torch.set_num_threads(1)
        try:
            self._model = AutoModelForSequenceClassification.from_pretrained(source).eval()
            self._tokenizer = AutoTokenizer.from_pretrained(source)
        except (OSError, ValueError) as error:
            raise ModelUnavailable(f"{source} is not a transformers sequence classifier: {error}") from error
        config = self._model.config
        self._labels = [config.id2label[i] for i in range(config.num_labels)]
        self._several = config.problem_type == "multi_label_classification" or tuple(self._labels) == EMOTIONS
        self._states = np.array([[float(label_map.get(label) == s) for s in STATES] for label in self._labels])
        if not self._states.any():
            raise ModelUnavailable(f"None of {source}'s labels has a state: {', '.join(self._labels)}")
        self.name = source

    @torch.inference_mode()
    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """One reading for each utterance; earlier messages are not considered."""
        texts = [u.text for u in batch]
        inputs = self._tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        logits = self._model(**inputs).logits.float().numpy()
        probabilities = sigmoid(logits) if self._several else softmax(logits)
        return [self._reading(text, row) for text, row in zip(texts, probabilities, strict=True)]

    def _reading(self, text: str, row: np.ndarray) -> Reading:
        mass = row @ self._states + 1e-6
        flags = flags_of(text)
        return Reading(
            states=dict(zip(STATES, map(float, mass / mass.sum()), strict=True)),
            flags=flags,
            flagged=tuple(f for f in FLAGS if flags[f] > THRESHOLD),
            emotions={label: float(p) for label, p in zip(self._labels, row, strict=True) if label in EMOTIONS},
            labels=tuple(self._labels[i] for i in np.argsort(-row) if row[i] >= THRESHOLD),
            model=self.name,
        )
