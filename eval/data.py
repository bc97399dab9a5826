"""The labelled data as plain values. Small loaders of our own: nothing here pulls in training code."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from models.base import EMOTIONS, Utterance

OWN = Path(__file__).parent / "data"
LANGUAGES = ("de", "es", "fr")
EARLIER_TURNS = 3
"""How many earlier messages of the customer the reader sees in a dialogue, as in ``app.turn``."""
T = TypeVar("T")


class Unusable(Exception):
    """The command cannot do its work with what it was given; the message says why and what to do."""


class DataMissing(Unusable):
    """A data set is not where it was looked for; the message says where and what to do."""


class Split(StrEnum):
    """Which part of the project's data is scored. The test split is looked at once per release."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


@dataclass(frozen=True)
class Pair:
    """Two messages that differ in one small thing: the label stays (``keep``) or changes (``flip``)."""

    id: str
    kind: str


@dataclass(frozen=True)
class Row:
    """One labelled customer message, or one turn of a dialogue."""

    id: str
    text: str
    before: tuple[str, ...]
    state: str
    flags: tuple[str, ...]
    writer: str
    tags: tuple[str, ...] = ()
    pair: Pair | None = None
    source: str = "message"
    """``message`` or ``turn``."""

    @property
    def utterance(self) -> Utterance:
        """What the reader is given."""
        return Utterance(self.text, self.before)


@dataclass(frozen=True)
class Turn:
    """One customer turn of a dialogue with its label."""

    text: str
    state: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Dialogue:
    """A customer's turns, and the window ``[first, last]`` (1-based turns) in which a person should come."""

    id: str
    writer: str
    turns: tuple[Turn, ...]
    window: tuple[int, int] | None
    reason: str | None

    @property
    def texts(self) -> list[str]:
        """What the customer wrote, in order."""
        return [turn.text for turn in self.turns]


@dataclass(frozen=True)
class Question:
    """One question to a shop and what a good matcher makes of it."""

    text: str
    expect: str
    """answer | clarify | unknown | smalltalk"""
    ids: tuple[str, ...]
    kind: str


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """One object a line. Raises DataMissing."""
    if not path.exists():
        raise DataMissing(f"{path} is missing. It belongs to the repository: restore it with git.")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _files(kind: str, split: Split) -> list[Path]:
    found = sorted((OWN / kind).glob(f"{split.value}*.jsonl"))
    if not found:
        raise DataMissing(f"{OWN / kind} has no {split.value} files. Restore them with git.")
    return found


def load_messages(split: Split) -> list[Row]:
    """The project's single messages."""
    return [_row(raw) for path in _files("messages", split) for raw in read_jsonl(path)]


def load_language(language: str) -> list[Row]:
    """The slice in another language (``de``, ``es``, ``fr``)."""
    return [_row(raw) for raw in read_jsonl(OWN / "messages" / f"lang_{language}.jsonl")]


def load_dialogues(split: Split) -> list[Dialogue]:
    """The project's dialogues."""
    return [_dialogue(raw) for path in _files("dialogues", split) for raw in read_jsonl(path)]


def turns_of(dialogues: Sequence[Dialogue]) -> list[Row]:
    """Every turn as a row, with the turns before it."""
    return [
        Row(
            f"{d.id}#{i + 1}", turn.text, tuple(d.texts[max(0, i - EARLIER_TURNS) : i]), turn.state, turn.flags,
            d.writer, source="turn",
        )
        for d in dialogues
        for i, turn in enumerate(d.turns)
    ]  # fmt: skip


def load_rows(split: Split) -> list[Row]:
    """Messages and dialogue turns of a split."""
    return load_messages(split) + turns_of(load_dialogues(split))


def load_questions(split: Split) -> list[Question]:
    """Questions to the demo shop."""
    rows = [raw for path in sorted((OWN / "faq").glob(f"*_{split.value}.jsonl")) for raw in read_jsonl(path)]
    if not rows:
        raise DataMissing(f"{OWN / 'faq'} has no questions for the {split.value} split; use dev or test.")
    return [Question(r["text"], r["expect"], tuple(r["ids"]), r["kind"]) for r in rows]


def load_goemotions(data: Path, split: str = "dev") -> tuple[list[str], np.ndarray]:
    """Texts and a bool array of shape (texts, 28). Demszky et al., ACL 2020."""
    path = data / "goemotions" / f"{split}.tsv"
    if not path.exists():
        raise DataMissing(f"{path} is missing. Point --data at the folder with the public data sets.")
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    target = np.zeros((len(lines), len(EMOTIONS)), dtype=bool)
    for row, (_, ids, _) in enumerate(lines):
        target[row, [int(i) for i in ids.split(",")]] = True
    return [text for text, _, _ in lines], target


def load_rssn(data: Path) -> list[list[int]]:
    """Gold transfers by utterance (0 or 1) of the RSSN make-up dialogues, for checking GT-T."""
    path = data / "rssn" / "makeup_eval.jsonl"
    if not path.exists():
        raise DataMissing(f"{path} is missing. Point --data at the folder with the public data sets.")
    return [row["handoff"] for row in read_jsonl(path)]


def sample(rows: Sequence[T], limit: int | None, seed: int) -> list[T]:
    """At most ``limit`` rows, drawn by ``seed``, in their order."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[i] for i in sorted(random.Random(seed).sample(range(len(rows)), limit))]  # noqa: S311 - a sample, no secret


def _row(raw: dict[str, Any]) -> Row:
    pair = Pair(**raw["pair"]) if raw["pair"] else None
    return Row(
        raw["id"], raw["text"], tuple(raw["before"]), raw["state"], tuple(raw["flags"]), raw["writer"],
        tuple(raw["tags"]), pair,
    )  # fmt: skip


def _dialogue(raw: dict[str, Any]) -> Dialogue:
    turns = tuple(Turn(t["text"], t["state"], tuple(t["flags"])) for t in raw["turns"])
    handoff = raw["handoff"]
    window = (handoff["from"], handoff["to"]) if handoff else None
    return Dialogue(raw["id"], raw["writer"], turns, window, handoff["reason"] if handoff else None)
