"""What a model takes and gives: plain values and one method each. No weights, no thresholds of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

EMOTIONS: tuple[str, ...] = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity",
    "desire", "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear",
    "gratitude", "grief", "joy", "love", "nervousness", "optimism", "pride", "realization", "relief",
    "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
"""The GoEmotions labels in their official order (Demszky et al., ACL 2020)."""

STATES: tuple[str, ...] = ("frustrated", "confused", "worried", "pleased", "neutral")
"""The service states: how a customer feels, as a support agent would need to know it."""

FLAGS: tuple[str, ...] = ("asked_for_human", "abusive", "safety")

EMOTION_STATES: Mapping[str, str] = {
    **dict.fromkeys(("anger", "annoyance", "disappointment", "disapproval", "disgust"), "frustrated"),
    "confusion": "confused",
    **dict.fromkeys(("fear", "nervousness"), "worried"),
    **dict.fromkeys(("gratitude", "joy", "admiration", "relief", "love", "excitement"), "pleased"),
    "neutral": "neutral",
}
"""Which service state a GoEmotions label speaks for; the others speak for none."""


EARLIER = 3
"""How many of a customer's earlier messages a reader may see."""


class ModelUnavailable(Exception):
    """A model cannot be loaded or cannot answer; the message says what to do."""


@dataclass(frozen=True)
class Utterance:
    """One customer message to be read, with that customer's earlier ones, oldest first."""

    text: str
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a classifier says of one message. Probabilities are in 0..1; the states sum to 1."""

    states: dict[str, float]
    flags: dict[str, float]
    flagged: tuple[str, ...] = ()
    """Flags over their thresholds."""
    emotions: dict[str, float] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    """GoEmotions labels over their thresholds, the most probable first."""
    model: str = "rules"
    """Which model read it, so that a transcript can be judged by what was known then."""

    @property
    def state(self) -> str:
        """The most probable state; the first of STATES wins a tie."""
        return max(STATES, key=lambda s: self.states[s])

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, probabilities rounded to four places."""
        return {
            "state": self.state,
            "states": {k: round(v, 4) for k, v in self.states.items()},
            "flags": {k: round(v, 4) for k, v in self.flags.items()},
            "flagged": self.flagged,
            "emotions": {k: round(v, 4) for k, v in self.emotions.items()},
            "labels": self.labels,
            "model": self.model,
        }


class Outcome(StrEnum):
    """What the matcher makes of a message."""

    ANSWER = "answer"
    CLARIFY = "clarify"
    UNKNOWN = "unknown"
    SMALLTALK = "smalltalk"


@dataclass(frozen=True)
class Candidate:
    """One FAQ entry with its similarity (0..1)."""

    id: str
    score: float


@dataclass(frozen=True)
class Match:
    """What the matcher makes of one message.

    ``candidates`` come best first: the answer, or the two or three to ask back between. ``probability`` is
    that the best one is right.
    """

    outcome: Outcome
    probability: float
    candidates: tuple[Candidate, ...] = ()
    smalltalk: str | None = None
    """greeting | thanks | acknowledgement | goodbye | bot_question | reference, when the outcome is smalltalk.

    A reference is an order number or an e-mail address with nothing asked about it.
    """
    known: float = 1.0
    """Probability that any of the shop's entries fits; ``known - probability``: one does, but not the best one."""
    also: tuple["Match", ...] = ()
    """Answers to the message's other questions, in the order they were asked; none of them answers the same entry.

    Only with the outcome ``answer``; each of them is an ``answer`` too, with no vector and no ``also`` of its own.
    """
    vector: tuple[float, ...] = field(default=(), repr=False, compare=False)
    """The message's sentence vector (unit length), empty when no encoder is at hand."""


@dataclass(frozen=True)
class Entry:
    """One FAQ entry as the matcher sees it."""

    id: str
    phrasings: tuple[str, ...]
    """The question first, then example phrasings."""
    answer: str = ""


class EmotionReader(Protocol):
    """Reads how customers feel."""

    name: str

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """One reading for each utterance, in order; the same utterance reads the same in any batch."""
        ...


class SentenceEncoder(Protocol):
    """Turns sentences into vectors."""

    def encode(self, texts: Sequence[str]) -> Any:
        """Unit vectors, float32 array of shape (texts, width)."""
        ...


class FaqMatcher(Protocol):
    """Finds the FAQ entries a message asks for."""

    def match(self, batch: Sequence[str]) -> list[Match]:
        """One match for each text, in order."""
        ...
