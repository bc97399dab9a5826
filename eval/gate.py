"""Has anything become worse? A small fixed sample of the dev split against the committed ``baseline.json``.

The baseline keeps what was said of every row, so that the comparison is paired: rows on which both agree add no
noise. A loss fails the gate when its bootstrap 95 % interval excludes "no loss" and it is larger than TOLERANCE.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.config import DEMO_SHOP
from eval import readers
from eval.data import (
    DataMissing,
    Split,
    Unusable,
    load_dialogues,
    load_goemotions,
    load_questions,
    load_rows,
    sample,
)
from eval.dialogues import Outcome as Moment
from eval.handoff import play_all, runs_of
from eval.judging import is_right
from eval.metrics import Counts, one_hot, resamples
from eval.report import Report, Table
from eval.shopfile import matcher_for
from models.base import EMOTIONS, FLAGS, STATES, EmotionReader, Utterance
from models.catalog import load_encoder

BASELINE = Path(__file__).parent / "baseline.json"
TOLERANCE = 0.01
"""A loss this small never fails: another processor rounds int8 a little differently."""
GOEMOTIONS_ROWS = 600
SEED = 0
PARTS = ("states", "flags", "goemotions", "faq", "handoff")


class GateError(Unusable):
    """The gate cannot compare; the message says what to do."""


@dataclass(frozen=True)
class Sample:
    """What was said of every row of one measure."""

    said: str
    """One word a row, separated by spaces."""
    truth: str
    """Digest of the rows and their labels."""
    groups: tuple[str, ...]
    score: Callable[[Sequence[str], np.ndarray], np.ndarray]
    """(what was said, weights of shape (draws, rows)) to values of shape (draws,); more is better."""

    def values(self, said: str, weights: np.ndarray) -> np.ndarray:
        """The measure for ``said`` on these rows."""
        return self.score(said.split(" "), weights)


def measure(reader: EmotionReader, data: Path, parts: Sequence[str] = PARTS) -> dict[str, Sample]:
    """Every part that can be measured here; GoEmotions is left out where its data is not at hand."""
    found: dict[str, Sample] = {}
    if {"states", "flags"} & set(parts):
        found |= _own(reader)
    if "goemotions" in parts:
        found |= _goemotions(reader, data)
    if "faq" in parts:
        found["faq"] = _faq()
    if "handoff" in parts:
        found["handoff"] = _handoff(reader)
    return {name: found[name] for name in parts if name in found}


def _own(reader: EmotionReader) -> dict[str, Sample]:
    rows = load_rows(Split.DEV)
    judged = readers.judge(reader, rows)
    truth, groups = _digest([(r.text, r.before, r.state, r.flags) for r in rows]), tuple(r.writer for r in rows)

    def states(said: Sequence[str], weights: np.ndarray) -> np.ndarray:
        predicted = np.array([int(s) for s in said])
        return Counts.of(one_hot(judged.true, len(STATES)), one_hot(predicted, len(STATES)), weights).macro_f1

    def flags(said: Sequence[str], weights: np.ndarray) -> np.ndarray:
        predicted = np.array([[c == "1" for c in s] for s in said])
        return Counts.of(judged.true_flags, predicted, weights).micro_f1

    raised = ["".join(str(int(f)) for f in row[: len(FLAGS)]) for row in judged.flagged]
    return {
        "states": Sample(" ".join(map(str, judged.predicted)), truth, groups, states),
        "flags": Sample(" ".join(raised), truth, groups, flags),
    }


def _goemotions(reader: EmotionReader, data: Path) -> dict[str, Sample]:
    try:
        texts, every = load_goemotions(data)
    except DataMissing:
        return {}
    kept = sample(range(len(texts)), GOEMOTIONS_ROWS, SEED)
    true = every[kept]
    said = readers.read_all(reader, [Utterance(texts[i]) for i in kept], "GoEmotions")
    words = [",".join(str(EMOTIONS.index(label)) for label in r.labels) or "-" for r in said]

    def score(said: Sequence[str], weights: np.ndarray) -> np.ndarray:
        predicted = np.zeros(true.shape, dtype=bool)
        for row, word in enumerate(said):
            predicted[row, [int(i) for i in word.split(",") if i != "-"]] = True
        return Counts.of(true, predicted, weights).macro_f1

    truth = _digest([(texts[i], every[i].tolist()) for i in kept])
    return {"goemotions": Sample(" ".join(words), truth, tuple(map(str, range(len(kept)))), score)}


def _share(said: Sequence[str], weights: np.ndarray) -> np.ndarray:
    good = np.array([s == "1" for s in said], dtype=np.float32)
    return np.asarray(weights @ good / np.maximum(weights.sum(axis=1), 1e-9))


def _faq() -> Sample:
    questions = load_questions(Split.DEV)
    matches = matcher_for(DEMO_SHOP, load_encoder().model).match([q.text for q in questions])
    said = " ".join(str(int(is_right(m, q))) for m, q in zip(matches, questions, strict=True))
    return Sample(said, _digest([vars(q) for q in questions]), tuple(map(str, range(len(questions)))), _share)


def _handoff(reader: EmotionReader) -> Sample:
    dialogues = load_dialogues(Split.DEV)
    runs = runs_of(dialogues, asyncio.run(play_all(reader, dialogues)))
    said = " ".join(str(int(run.outcome in (Moment.INSIDE, Moment.CALM))) for run in runs)
    return Sample(said, _digest([(d.texts, d.window) for d in dialogues]), tuple(d.writer for d in dialogues), _share)


def _digest(rows: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=list).encode()).hexdigest()[:16]


def write(samples: dict[str, Sample], reader: str, path: Path = BASELINE) -> None:
    """Make this run the baseline."""
    kept = {
        name: {"value": round(float(s.values(s.said, np.ones((1, len(s.groups)), dtype=np.float32))[0]), 4),
               "truth": s.truth, "said": s.said}
        for name, s in samples.items()
    }  # fmt: skip
    path.write_text(json.dumps({"reader": reader, "measures": kept}, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Comparison:
    """One measure against the baseline."""

    name: str
    before: float
    now: float
    low: float
    high: float
    """Paired bootstrap 95 % interval of the change."""

    @property
    def is_worse(self) -> bool:
        """Whether the loss is larger than the noise."""
        return self.high < 0 and self.now - self.before < -TOLERANCE


def compare(samples: dict[str, Sample], path: Path = BASELINE) -> list[Comparison]:
    """Each measure of this run against the baseline. Raises GateError when they cannot be compared."""
    if not path.exists():
        raise GateError(f"{path} is missing. Write it with: python -m eval gate --write")
    kept = json.loads(path.read_text(encoding="utf-8"))["measures"]
    result = []
    for name, now in samples.items():
        before = kept.get(name)
        if before is None or before["truth"] != now.truth:
            raise GateError(
                f"The rows of “{name}” are not those of the baseline. Write it anew: python -m eval gate --write"
            )
        weights = resamples(now.groups, SEED)
        old, new = now.values(before["said"], weights), now.values(now.said, weights)
        low, high = np.quantile((new - old)[1:], (0.025, 0.975))
        result.append(Comparison(name, float(old[0]), float(new[0]), float(low), float(high)))
    return result


def report_of(comparisons: Sequence[Comparison], facts: dict[str, Any]) -> Report:
    """The comparison as a report."""
    rows = [
        [
            c.name,
            c.before,
            c.now,
            f"{c.now - c.before:+.3f} [{c.low:+.3f}, {c.high:+.3f}]",
            "worse" if c.is_worse else "ok",
        ]
        for c in comparisons
    ]
    note = f"Worse: the paired 95 % interval of the change lies below zero, and the loss is larger than {TOLERANCE:g}."
    table = Table("Against the baseline", ["measure", "baseline", "now", "change", ""], rows, note)
    figures = {c.name: {**vars(c), "worse": c.is_worse} for c in comparisons}
    return Report("gate", "Nothing worse", facts, [table], figures)
