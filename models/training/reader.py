"""The reader's recipe: GoEmotions first, then all heads together on the project's own messages."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from models.base import EMOTIONS
from models.tokens import Tokens
from models.training import corpus
from models.training.corpus import Example
from models.training.fit import Mix, Recipe, fit, predict
from models.training.network import BASE, HEADS, Network

GOEMOTIONS = Recipe(learning_rate=1.5e-4)
JOINT = Recipe(epochs=9, batch=64, learning_rate=2e-4)
REPLAYED = 16_000
"""GoEmotions rows in every joint epoch, so that the 28 labels are not forgotten."""
OPENLY_FELT = 0.3
"""Weight of the state that a GoEmotions row's labels speak for: plain anger and joy are rarer in the own messages."""
TYPOS = 0.3
"""Share of the project's own messages that are mistyped, anew in every epoch."""


@dataclass(frozen=True)
class Sources:
    """Everything the joint stage mixes."""

    goemotions: Sequence[Example]
    own: Sequence[Example]
    flags: Sequence[Example]
    questions: Sequence[Example]


def load_sources(data: Path, own: Path) -> Sources:
    """Read the training data: public sets in ``data``, the project's own in ``own`` (eval/data)."""
    return Sources(
        goemotions=corpus.load_goemotions(data / "goemotions" / "train.tsv"),
        own=corpus.load_messages(sorted(own.glob("messages/train_*.jsonl")))
        + corpus.load_dialogues(sorted(own.glob("dialogues/train_*.jsonl"))),
        flags=corpus.load_requests(data)
        + corpus.load_banking(data)
        + corpus.load_abuse(data / "convabuse" / "ConvAbuseEMNLPtrain.csv"),
        questions=corpus.load_questions(data),
    )


def train(sources: Sources, folder: Path, seed: int = 0) -> Network:
    """Both stages, each resumable in ``folder``; returns the trained network in evaluation mode."""
    tokens = Tokens(BASE / "tokenizer.json")
    torch.manual_seed(seed)
    first = Network({"emotions": len(EMOTIONS)})
    everything = list(sources.goemotions)
    fit(first, lambda epoch, rng: everything, replace(GOEMOTIONS, seed=seed), folder / "goemotions", tokens)
    torch.manual_seed(seed)
    network = Network(HEADS)
    network.load_state_dict(first.state_dict(), strict=False)
    mixed = replace(
        sources,
        own=with_teacher(first, sources.own, tokens),
        goemotions=corpus.with_open_states(sources.goemotions, OPENLY_FELT),
    )
    fit(network, joint_mix(mixed), replace(JOINT, seed=seed), folder / "joint", tokens)
    return network.eval()


def with_teacher(teacher: Network, examples: Sequence[Example], tokens: Tokens) -> list[Example]:
    """The own messages with the first stage's view of their emotions, so that the joint stage keeps it."""
    logits = predict(teacher, [replace(e, before=()) for e in examples], tokens)["emotions"]
    soft = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return [replace(e, targets={**e.targets, "emotions": row}) for e, row in zip(examples, soft, strict=True)]


def joint_mix(sources: Sources) -> Mix:
    """One joint epoch: the own messages, flags, plain questions, and a part of GoEmotions."""

    def mix(_: int, rng: random.Random) -> list[Example]:
        own = [corpus.with_typos(e, rng) if rng.random() < TYPOS else e for e in sources.own]
        flags = rng.sample(list(sources.flags), min(2000, len(sources.flags)))
        questions = rng.sample(list(sources.questions), min(1000, len(sources.questions)))
        replayed = rng.sample(list(sources.goemotions), min(REPLAYED, len(sources.goemotions)))
        return own + flags + questions + replayed

    return mix
