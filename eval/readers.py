"""What a reader says of many rows, as arrays; and the reader that is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval import progress
from eval.data import Row
from models.base import EMOTIONS, FLAGS, STATES, EmotionReader, Reading, Utterance
from models.catalog import load_reader

CHUNK = 16


@dataclass(frozen=True)
class Judged:
    """Readings of many rows, and the truth."""

    states: np.ndarray
    """Shape (rows, 5), probabilities."""
    flags: np.ndarray
    flagged: np.ndarray
    """Each of shape (rows, 3)."""
    true: np.ndarray
    """Shape (rows,): the number of the true state."""
    true_flags: np.ndarray
    """Shape (rows, 3), bool."""

    @property
    def predicted(self) -> np.ndarray:
        """Shape (rows,): the number of the most probable state."""
        return np.asarray(self.states.argmax(axis=1))

    def only(self, mask: np.ndarray) -> "Judged":
        """The rows where ``mask`` is true."""
        return Judged(*(getattr(self, name)[mask] for name in ("states", "flags", "flagged", "true", "true_flags")))


def open_reader(name: str) -> EmotionReader:
    """The reader called ``name``; what stands in for it, and why, is said on standard error."""
    loaded = load_reader(name)
    if loaded.problem:
        progress.notices.print(f"[yellow]The rules read instead of {name}:[/yellow] {loaded.problem}")
    return loaded.model


def read_all(reader: EmotionReader, utterances: Sequence[Utterance], what: str = "Reading") -> list[Reading]:
    """One reading for each utterance, with a progress bar."""
    return [r for chunk in progress.bar(progress.chunks(utterances, CHUNK), what) for r in reader.read(chunk)]


def judge(reader: EmotionReader, rows: Sequence[Row], what: str = "") -> Judged:
    """Read labelled rows."""
    return judged(read_all(reader, [row.utterance for row in rows], what or f"Messages by {reader.name}"), rows)


def judged(readings: Sequence[Reading], rows: Sequence[Row]) -> Judged:
    """Readings and labels of the same rows as arrays."""
    return Judged(
        np.array([[r.states[s] for s in STATES] for r in readings]).reshape(-1, len(STATES)),
        np.array([[r.flags[f] for f in FLAGS] for r in readings]).reshape(-1, len(FLAGS)),
        np.array([[f in r.flagged for f in FLAGS] for r in readings], dtype=bool).reshape(-1, len(FLAGS)),
        np.array([STATES.index(row.state) for row in rows], dtype=int),
        np.array([[f in row.flags for f in FLAGS] for row in rows], dtype=bool).reshape(-1, len(FLAGS)),
    )


def emotions_of(readings: Sequence[Reading]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels over threshold of the 28 emotions, each of shape (readings, 28)."""
    probabilities = np.array([[r.emotions.get(e, 0.0) for e in EMOTIONS] for r in readings])
    chosen = np.array([[e in r.labels for e in EMOTIONS] for r in readings], dtype=bool)
    return probabilities, chosen
