"""The classifier: one small encoder, one pass, three heads, calibrated."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EMOTION_STATES, EMOTIONS, FLAGS, STATES, ModelUnavailable, Reading, Utterance
from models.onnx import OnnxNetwork
from models.rules import names_someone
from models.tokens import said_before, seen_of_earlier
from models.trunk import Trunk
from models.words import Words

CERTAIN = 0.9
"""P(abusive) from which a message counts as an insult though it names nobody."""
SIZES = {
    "emotion_thresholds": len(EMOTIONS), "state_bias": len(STATES), "state_emotion": len(STATES),
    "flag_scale": len(FLAGS), "flag_words": len(FLAGS), "flag_bias": len(FLAGS), "flag_thresholds": len(FLAGS),
}  # fmt: skip


@dataclass(frozen=True)
class Calibration:
    """What is locked on the development split and never touched again (``calibration.json``)."""

    name: str
    emotion_thresholds: np.ndarray
    """Shape (28,), on probabilities."""
    state_temperature: float
    state_bias: np.ndarray
    """Shape (5,), added to the states' logits after they were divided by the temperature."""
    state_emotion: np.ndarray
    """Shape (5,): what the strongest of a state's own emotions adds to its logit, per unit of probability.
    The emotions' head has read far more open anger and joy than the states' own."""
    state_words: float
    """Weight of the words' logits beside the network's."""
    flag_scale: np.ndarray
    flag_words: np.ndarray
    flag_bias: np.ndarray
    flag_thresholds: np.ndarray
    """Each of shape (3,): Platt scaling of the flags' logits and of the words', and the thresholds on the result."""

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read ``calibration.json``; ModelUnavailable when it is missing, broken or of another shape."""
        try:
            raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if (tuple(raw["emotions"]), tuple(raw["states"]), tuple(raw["flags"])) != (EMOTIONS, STATES, FLAGS):
                raise ValueError("labels differ from models.base")
            arrays = {key: np.asarray(raw[key], dtype=np.float32) for key in SIZES}
            shapes = {key: array.shape for key, array in arrays.items()}
            if shapes != {key: (SIZES[key],) for key in arrays}:
                raise ValueError(f"wrong lengths: {shapes}")
            plain = {key: float(raw[key]) for key in ("state_temperature", "state_words")}
            return cls(name=raw["name"], **plain, **arrays)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelUnavailable(f"{path} cannot be used ({error}). Restore it from the release.") from error


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Element-wise probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


class ReaderNetwork:
    """The upper layers and heads, over the trunk's token vectors. Raises ModelUnavailable."""

    def __init__(self, folder: Path, trunk: Trunk) -> None:
        self._trunk = trunk
        self._network = OnnxNetwork(folder / "model.onnx", "hidden", "back")

    def logits(self, batch: Sequence[Utterance]) -> dict[str, np.ndarray]:
        """Logits by head, each of shape (utterances, labels of that head)."""
        rows = [self._run(utterance) for utterance in batch]
        return {head: np.concatenate([row[head] for row in rows]) for head in rows[0]}

    def _run(self, utterance: Utterance) -> dict[str, np.ndarray]:
        parts = [self._trunk.hidden(utterance.text)]
        for text in said_before(utterance.before):
            earlier = self._trunk.hidden(text)
            parts.append(earlier[seen_of_earlier(len(earlier))])
        back = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return self._network.run(hidden=np.concatenate(parts)[None], back=back[None])


class OnnxEmotionReader:
    """Reads with the shipped network. Source and figures: models/artifacts/emotion/README.md."""

    def __init__(self, folder: Path, trunk: Trunk) -> None:
        self._calibration = Calibration.load(folder / "calibration.json")
        self._network = ReaderNetwork(folder, trunk)
        self._words = Words.load(folder / "words.npz")
        self.name = self._calibration.name

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """One reading for each utterance, in order."""
        if not batch:
            return []
        logits = self._network.logits(batch)
        heard = self._words.logits([u.text for u in batch]) if self._words else None
        readings = readings_of(logits, self._calibration, heard)
        return [_without_empty_insults(u.text, reading) for u, reading in zip(batch, readings, strict=True)]


def _without_empty_insults(text: str, reading: Reading) -> Reading:
    """Anger that speaks to and of nobody ("I am furious") is no insult unless the network is nearly certain.

    ConvAbuse, from which the flag is mostly learned, has hardly any anger that is not aimed at the bot.
    """
    if "abusive" not in reading.flagged or reading.flags["abusive"] >= CERTAIN or names_someone(text):
        return reading
    return replace(reading, flagged=tuple(flag for flag in reading.flagged if flag != "abusive"))


def strongest(emotions: np.ndarray) -> np.ndarray:
    """Per state, the highest probability among the emotions that speak for it: (rows, 28) to (rows, 5)."""
    own = [[i for i, emotion in enumerate(EMOTIONS) if EMOTION_STATES.get(emotion) == state] for state in STATES]
    return np.stack([emotions[:, indices].max(axis=1) for indices in own], axis=1)


def readings_of(
    logits: dict[str, np.ndarray], calibration: Calibration, words: dict[str, np.ndarray] | None = None
) -> list[Reading]:
    """Turn logits by head, each of shape (rows, labels), into calibrated readings, beside models.words' logits."""
    emotions = sigmoid(logits["emotions"])
    heard = words or {head: np.zeros_like(logits[head]) for head in ("states", "flags")}
    states = softmax(
        logits["states"] / calibration.state_temperature
        + calibration.state_bias
        + calibration.state_emotion * strongest(emotions)
        + calibration.state_words * heard["states"]
    )
    flags = sigmoid(
        logits["flags"] * calibration.flag_scale + heard["flags"] * calibration.flag_words + calibration.flag_bias
    )
    readings = []
    for state_row, emotion_row, flag_row in zip(states, emotions, flags, strict=True):
        over = [i for i in np.argsort(-emotion_row) if emotion_row[i] >= calibration.emotion_thresholds[i]]
        readings.append(
            Reading(
                states=dict(zip(STATES, map(float, state_row), strict=True)),
                flags=dict(zip(FLAGS, map(float, flag_row), strict=True)),
                flagged=tuple(
                    f for f, p, t in zip(FLAGS, flag_row, calibration.flag_thresholds, strict=True) if p >= t
                ),
                emotions=dict(zip(EMOTIONS, map(float, emotion_row), strict=True)),
                labels=tuple(EMOTIONS[i] for i in over),
                model=calibration.name,
            )
        )
    return readings
