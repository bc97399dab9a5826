"""Labelled examples for the reader: where they come from, how they are mixed and batched."""

import csv
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EMOTION_STATES, EMOTIONS, FLAGS, STATES

SECONDARY = 0.25
"""Share of the probability that a secondary state gets."""


@dataclass(frozen=True)
class Example:
    """One customer message with the targets that are known for it.

    ``before`` holds earlier messages of the same writer, oldest first. ``targets`` maps a head's name to a
    float32 vector of probabilities, shape (labels of that head,). A head that is absent, or a label that is
    NaN, teaches nothing here.
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


def states_of_emotions(targets: np.ndarray) -> np.ndarray:
    """States (rows, 5) of GoEmotions targets (rows, 28) whose labels all speak for one state; zeros elsewhere."""
    state_of = np.array([[float(EMOTION_STATES.get(e) == s) for s in STATES] for e in EMOTIONS], dtype=np.float32)
    states = ((targets @ state_of) > 0).astype(np.float32)
    speaks = targets @ state_of.sum(1) == targets.sum(1)
    return states * (speaks & (states.sum(1) == 1))[:, None]


def with_open_states(examples: Sequence[Example], weight: float) -> list[Example]:
    """GoEmotions examples with the state their labels speak for, at a weight; those that speak for none as before."""
    states = states_of_emotions(np.stack([e.targets["emotions"] for e in examples])) * np.float32(weight)
    return [
        replace(e, targets={**e.targets, "states": row}) if row.any() else e
        for e, row in zip(examples, states, strict=True)
    ]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """One object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def load_messages(paths: Iterable[Path]) -> list[Example]:
    """The project's own labelled messages (eval/data/messages)."""
    return [
        Example(row["text"], tuple(row["before"]), _service(row["state"], row["flags"], row["secondary"]))
        for path in paths
        for row in read_jsonl(path)
    ]


def load_dialogues(paths: Iterable[Path], earlier: int = 3) -> list[Example]:
    """Every customer turn of the project's own dialogues, with the turns before it."""
    examples = []
    for path in paths:
        for row in read_jsonl(path):
            texts = [turn["text"] for turn in row["turns"]]
            for i, turn in enumerate(row["turns"]):
                targets = _service(turn["state"], turn["flags"])
                examples.append(Example(turn["text"], tuple(texts[max(0, i - earlier) : i]), targets))
    return examples


def _service(state: str, flags: Sequence[str], secondary: str | None = None) -> dict[str, np.ndarray]:
    states = np.zeros(len(STATES), dtype=np.float32)
    states[STATES.index(state)] = 1.0
    if secondary:
        states *= 1 - SECONDARY
        states[STATES.index(secondary)] += SECONDARY
    return {"states": states, "flags": np.array([float(f in flags) for f in FLAGS], dtype=np.float32)}


def flag_only(text: str, flag: str, value: float) -> Example:
    """An example that teaches one flag and says nothing of the others."""
    target = np.full(len(FLAGS), np.nan, dtype=np.float32)
    target[FLAGS.index(flag)] = value
    return Example(text, targets={"flags": target})


def load_requests(folder: Path) -> list[Example]:
    """Requests for a person, in many phrasings (human_requests), and complaints, which are none."""
    with (folder / "human_requests" / "train.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wanted = ("human", "handoff", "agent")
    return [
        flag_only(row["text"], "asked_for_human", 1.0)
        for row in rows
        if any(word in row["label"].lower() for word in wanted)
    ]


def load_banking(folder: Path) -> list[Example]:
    """Banking utterances of NLU++ by whether ``handoff`` is among their intents (Casanueva et al. 2022, CC BY 4.0)."""
    examples = {}
    for path in sorted((folder / "nlupp" / "banking").glob("fold*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            wants = float("handoff" in row.get("intents", ()))
            examples[row["text"]] = flag_only(row["text"], "asked_for_human", wants)
    return list(examples.values())


def load_questions(folder: Path) -> list[Example]:
    """Plain questions of CLINC150 and Banking77: nobody is asked for, nobody insulted, nobody in danger."""
    clinc = json.loads((folder / "clinc150" / "data_full_train_val.json").read_text(encoding="utf-8"))
    texts = [text for text, _ in clinc["train"]]
    with (folder / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        texts += [row["text"] for row in csv.DictReader(file)]
    none = np.zeros(len(FLAGS), dtype=np.float32)
    return [Example(text, targets={"flags": none}) for text in texts]


def load_abuse(path: Path) -> list[Example]:
    """What people said to chatbots, by the share of annotators who call it abusive (ConvAbuse, CC BY 4.0)."""
    examples = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            votes = [_abuse_vote(row, annotator) for annotator in range(1, 9)]
            known = [vote for vote in votes if vote is not None]
            if known and row["user"].strip():
                examples.append(flag_only(row["user"], "abusive", sum(known) / len(known)))
    return examples


def _abuse_vote(row: dict[str, str], annotator: int) -> float | None:
    """1 for strong or mild abuse, 0 for none, None where this annotator did not see it."""
    columns = [f"Annotator{annotator}_is_abuse.{level}" for level in (1, 0, -1, -2, -3)]
    votes = [row.get(column) or "" for column in columns]
    if not any(vote.strip() for vote in votes):
        return None
    return float(any(vote.startswith("1") for vote in votes[2:]))


def with_typos(example: Example, rng: random.Random) -> Example:
    """The same message as a hurried thumb would type it; the label stays."""
    words = example.text.split(" ")
    for _ in range(1 + len(words) // 12):
        i = rng.randrange(len(words))
        words[i] = _slip(words[i], rng)
    text = " ".join(words)
    if rng.random() < 0.4:
        text = "".join(c for c in text if c not in ".,'’")
    return replace(example, text=text if text.strip() else example.text)


def _slip(word: str, rng: random.Random) -> str:
    if len(word) < 4 or not word.isalpha():
        return word
    i = rng.randrange(1, len(word) - 1)
    match rng.randrange(3):
        case 0:
            return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        case 1:
            return word[:i] + word[i + 1 :]
        case _:
            return word[:i] + word[i] + word[i:]


def batches_by_length(lengths: Sequence[int], size: int, rng: random.Random) -> Iterator[list[int]]:
    """Yield index lists of ``size`` examples of like length, in random order, every example once."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pool = size * 64
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        chunk = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    rng.shuffle(batches)
    yield from batches
