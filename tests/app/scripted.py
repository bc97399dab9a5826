"""Models that say what a test tells them to, and wait where a test wants them to wait."""

import threading
from collections.abc import Sequence

from models.base import FLAGS, STATES, Candidate, Match, Outcome, Reading, Utterance
from tests.serving import eventually


def mood(state: str = "neutral", by: float = 0.9, flag: str | None = None) -> Reading:
    """A reading in which ``state`` has probability ``by``."""
    rest = (1 - by) / (len(STATES) - 1)
    states = {s: by if s == state else rest for s in STATES}
    return Reading(states, {f: float(f == flag) for f in FLAGS}, (flag,) if flag else (), model="scripted")


class ScriptedReader:
    """Reads what ``moods`` says of a text, else calm. Closes its gate to be caught in the middle of a call."""

    name = "scripted"

    def __init__(self, **moods: Reading) -> None:
        self.moods: dict[str, Reading] = dict(moods)
        self.batches: list[list[str]] = []
        self._gate = threading.Event()
        self._gate.set()
        self._inside = threading.Event()

    def hold(self) -> None:
        """From now on, wait inside the call until ``let_go``."""
        self._inside.clear()
        self._gate.clear()

    def let_go(self) -> None:
        self._gate.set()

    async def is_inside(self) -> None:
        await eventually(self._inside.is_set, "the model's call")

    @property
    def seen(self) -> list[str]:
        return [text for batch in self.batches for text in batch]

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        self._inside.set()
        assert self._gate.wait(60), "the test never opened the gate"
        self.batches.append([u.text for u in batch])
        return [self.moods.get(u.text, mood()) for u in batch]


def found(*ids: str, outcome: Outcome = Outcome.ANSWER) -> Match:
    """A match with these entries."""
    return Match(outcome, 0.9, tuple(Candidate(i, 0.9) for i in ids))


UNKNOWN = Match(Outcome.UNKNOWN, 0.0)
THANKS = Match(Outcome.SMALLTALK, 1.0, smalltalk="thanks")
OKAY = Match(Outcome.SMALLTALK, 1.0, smalltalk="acknowledgement")


class ScriptedMatcher:
    """Matches what ``matches`` says of a text, else the parcel's whereabouts."""

    def __init__(self) -> None:
        self.matches: dict[str, Match] = {}
        self.asked: list[str] = []

    def match(self, batch: Sequence[str]) -> list[Match]:
        self.asked += batch
        return [self.matches.get(text, found("track-order")) for text in batch]


class BrokenReader:
    """Fails whatever it is given."""

    name = "broken"

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        raise RuntimeError("no")


class BrokenMatcher:
    """Fails whatever it is given."""

    def match(self, batch: Sequence[str]) -> list[Match]:
        raise RuntimeError("no")


class BrokenEncoder:
    """Fails once it is serving; it could encode the shop's entries."""

    def __init__(self) -> None:
        self.broken = False

    def encode(self, texts: Sequence[str]) -> object:
        import numpy as np

        if self.broken:
            raise RuntimeError("no")
        return np.ones((len(texts), 4), dtype=np.float32) / 2
