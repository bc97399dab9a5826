"""How a conversation went: when a person was offered or called, and whether that was the right moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from eval.data import Dialogue
from eval.gtt import TransferScores, transfer_scores
from eval.metrics import Estimate, ratio


class Outcome(StrEnum):
    """Where the first offer or handoff lies against the window."""

    INSIDE = "inside"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    CALM = "left alone"
    NEEDLESS = "needless"


@dataclass(frozen=True)
class Run:
    """One dialogue as somebody handled it: True for every customer turn with an offer or a handoff."""

    dialogue: Dialogue
    acted: tuple[bool, ...]
    handed: tuple[bool, ...] = ()
    """True for every turn with a handoff."""

    @property
    def moment(self) -> int | None:
        """The first turn (1-based) with an offer or a handoff."""
        return next((i + 1 for i, acted in enumerate(self.acted) if acted), None)

    @property
    def outcome(self) -> Outcome:
        """How it went."""
        if self.dialogue.window is None:
            return Outcome.CALM if self.moment is None else Outcome.NEEDLESS
        first, last = self.dialogue.window
        if self.moment is None:
            return Outcome.MISSED
        if self.moment < first:
            return Outcome.EARLY
        return Outcome.INSIDE if self.moment <= last else Outcome.LATE

    @property
    def gold(self) -> tuple[bool, ...]:
        """True for every turn inside the window."""
        window = self.dialogue.window
        return tuple(window is not None and window[0] <= i + 1 <= window[1] for i in range(len(self.acted)))

    @property
    def requests(self) -> list[bool]:
        """For every turn that asks for a person: whether one was offered or called by then."""
        asked = [i for i, turn in enumerate(self.dialogue.turns) if "asked_for_human" in turn.flags]
        return [self.acted[i] or any(self.handed[:i]) for i in asked]


@dataclass(frozen=True)
class Handling:
    """One way of handling all dialogues, in figures."""

    shares: dict[Outcome, Estimate]
    """INSIDE to MISSED as shares of the dialogues that need a person, NEEDLESS of those that do not."""
    touched: Estimate
    """Share of the needing dialogues with an offer or handoff in the window, an earlier one allowed."""
    requests: Estimate
    """Share of explicit requests with a person offered or called at that turn or before."""
    escalated: Estimate
    """Share of all dialogues with an offer or a handoff."""
    transfers: TransferScores


def handling(runs: Sequence[Run], weights: np.ndarray) -> Handling:
    """Measure. ``weights`` has shape (draws, runs)."""
    needed = np.array([run.dialogue.window is not None for run in runs])
    outcomes = np.array([run.outcome.value for run in runs])
    shares: dict[Outcome, Estimate] = {
        o: Estimate.of(ratio(outcomes == o.value, ~needed if o is Outcome.NEEDLESS else needed, weights))
        for o in Outcome
        if o is not Outcome.CALM
    }
    touched = np.array([any(a and g for a, g in zip(run.acted, run.gold, strict=True)) for run in runs])
    asked = [(i, caught) for i, run in enumerate(runs) for caught in run.requests]
    index, caught = [i for i, _ in asked], np.array([c for _, c in asked], dtype=bool)
    acted = np.array([run.moment is not None for run in runs])
    return Handling(
        shares,
        Estimate.of(ratio(touched, needed, weights)),
        Estimate.of(ratio(caught, np.ones(len(caught), dtype=bool), weights[:, index])),
        Estimate.of(ratio(acted, np.ones(len(acted), dtype=bool), weights)),
        transfer_scores([run.acted for run in runs], [run.gold for run in runs]),
    )


def first_only(dialogue: Dialogue, would_act: Sequence[bool]) -> Run:
    """A policy that hands over at its first alarm: nothing is left to decide after it."""
    first = next((i for i, act in enumerate(would_act) if act), None)
    acted = tuple(i == first for i in range(len(dialogue.turns)))
    return Run(dialogue, acted, acted)
