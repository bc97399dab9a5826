"""How much a person is needed, as one probability: a weighted sum of signals, no weight below zero.

Because no weight is negative, more distress never lowers the need; because it is a sum, every signal's share can be
named. The weights are fitted on labelled dialogues by ``python -m eval handoff --fit`` (rules.json).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp

from handoff.signals import Signals


@dataclass(frozen=True)
class Feature:
    """One number the need is summed from; it grows with distress."""

    name: str
    reason: str
    """The reason given when this feature's group weighs most."""
    text: str
    """What it says to an agent when it is at least ``notable``."""
    notable: float
    of: Callable[[Signals], float]


FEATURES = (
    Feature("frustration_now", "frustration", "Frustrated now", 0.5, lambda s: s.frustration_now),
    Feature("frustration_level", "frustration", "Frustration stays high", 0.5, lambda s: s.frustration_level),
    Feature("frustration_trend", "frustration", "Frustration is rising", 0.1, lambda s: s.frustration_trend),
    Feature("frustrated_turns", "frustration", "Frustrated repeatedly", 2, lambda s: min(s.frustrated_turns, 4)),
    Feature("confusion_now", "confusion", "Confused now", 0.5, lambda s: s.confusion_now),
    Feature("confused_turns", "confusion", "Confused more than once", 2, lambda s: min(s.confused_turns, 3)),
    Feature("worry_now", "stakes", "Worried now", 0.5, lambda s: s.worry_now),
    Feature("stakes", "stakes", "Something big is at stake", 1, lambda s: float(s.stakes)),
    Feature("worry_at_stake", "stakes", "Worried about something big", 0.3, lambda s: s.worry_now * s.stakes),
    Feature("repeats", "repeat", "Asked the same question again", 1, lambda s: min(s.repeats, 3)),
    Feature("corrections", "repeat", "Had to put the bot right", 1, lambda s: min(s.corrections, 3)),
    Feature("unhelped", "unhelped", "Still upset after the bot's answers", 1, lambda s: min(s.unhelped, 3)),
    Feature("misses", "unknown", "Questions the shop's answers do not cover", 2, lambda s: min(s.misses, 3)),
    Feature("falling", "unhelped", "The answers fit less and less", 0.3, lambda s: s.falling),
)  # fmt: skip


def shares(signals: Signals, weights: Mapping[str, float]) -> dict[str, float]:
    """What each feature adds, by name; features without a weight add nothing."""
    return {f.name: weights.get(f.name, 0.0) * f.of(signals) for f in FEATURES}


def need_of(signals: Signals, weights: Mapping[str, float], bias: float) -> float:
    """P(a person is needed now), 0..1."""
    return 1 / (1 + exp(-(bias + sum(shares(signals, weights).values()))))


def values_of(signals: Signals) -> dict[str, float]:
    """Every feature that says something, by name, for the record of a turn."""
    return {f.name: round(value, 3) for f in FEATURES if (value := f.of(signals)) > 0.05}
