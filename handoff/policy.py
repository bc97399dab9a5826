"""What to do now: answer, ask back, offer a person, or hand over. Pure, total, explained.

What was asked for and what is dangerous or insulting decides by itself; everything else is weighed together
(handoff.need) against thresholds that follow from what mistakes cost the shop (handoff.costs). More distress
never leads to less (tests/handoff/test_policy.py).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from handoff.capacity import Capacity
from handoff.costs import Costs
from handoff.need import FEATURES, need_of, shares
from handoff.signals import Signals

FITTED = Path(__file__).parent / "rules.json"
MOST_LINES = 3
"""Signals named beside the need itself."""


class Act(StrEnum):
    """What the bot does with a message."""

    ANSWER = "answer"
    SMALLTALK = "smalltalk"
    CLARIFY = "clarify"
    UNKNOWN = "unknown"
    OFFER = "offer"
    HANDOFF = "handoff"


class Reason(StrEnum):
    """Why a person is offered or called."""

    ASKED = "asked"
    SAFETY = "safety"
    ABUSE = "abuse"
    FRUSTRATION = "frustration"
    CONFUSION = "confusion"
    STAKES = "stakes"
    REPEAT = "repeat"
    UNHELPED = "unhelped"
    LANGUAGE = "language"
    UNKNOWN = "unknown"
    FITS = "fits"
    DECLINED = "declined"


@dataclass(frozen=True)
class Rules:
    """Weights and thresholds. Each threshold is named in the evidence whenever it is met."""

    weights: Mapping[str, float]
    """Of the features of handoff.need, none below zero."""
    bias: float
    offer_at: float
    """Need from which a person is offered."""
    first_offer_at: float
    """The same for a customer's first message, which is little evidence."""
    handoff_at: float
    """Need from which a person is called; only from the second message on."""
    urgent_at: float = 0.99
    """Need from which a person is called even when the desk is full or closed."""
    declined_margin: float = 0.1
    """After a declined offer, how much further the need must rise before a person is offered again."""
    max_clarifications: int = 1

    @classmethod
    def fitted(cls, costs: Costs | None = None, path: Path = FITTED) -> "Rules":
        """The rules that ``python -m eval handoff --fit`` wrote, with thresholds for these costs."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        threshold = (costs or Costs()).threshold
        return cls(
            weights=raw["weights"],
            bias=raw["bias"],
            offer_at=threshold(raw["units"]["offer"]),
            first_offer_at=threshold(raw["units"]["first_offer"]),
            handoff_at=threshold(raw["units"]["handoff"]),
        )


@dataclass(frozen=True)
class Evidence:
    """One signal that met its threshold, in a line an agent can read."""

    signal: str
    value: float
    threshold: float
    text: str
    message_id: str = ""


@dataclass(frozen=True)
class Decision:
    """What to do, why, and on what evidence."""

    act: Act
    reason: Reason
    evidence: tuple[Evidence, ...] = ()

    def evidence_dicts(self) -> list[dict[str, Any]]:
        """JSON-ready evidence."""
        return [asdict(e) for e in self.evidence]


def decide(signals: Signals, rules: Rules, capacity: Capacity = Capacity.FREE) -> Decision:
    """What is certain decides first, then the need, then how well an answer fits.

    With no room at the desk only the certain and the most urgent are handed over; the rest are offered a choice.
    """
    certain = _certain(signals)
    if certain:
        return certain
    need = need_of(signals, rules.weights, rules.bias)
    if not _declined(signals, need, rules):
        handoff_at = rules.handoff_at if capacity is Capacity.FREE else max(rules.handoff_at, rules.urgent_at)
        if signals.turns > 1 and need >= handoff_at:
            return _needed(Act.HANDOFF, signals, need, handoff_at, rules)
        offer_at = rules.offer_at if signals.turns > 1 else rules.first_offer_at
        if need >= offer_at:
            return _needed(Act.OFFER, signals, need, offer_at, rules)
        if signals.language:
            line = Evidence("language", 1, 1, f"Writes in a language the shop does not speak ({signals.language})",
                            signals.message_id)  # fmt: skip
            return Decision(Act.OFFER, Reason.LANGUAGE, (line,))
    return _by_match(signals, rules)


def accepted(offer: Mapping[str, Any] | None, line: Evidence) -> Decision:
    """A handoff that the customer agreed to: for the reason it was offered for, and because they said yes.

    ``offer`` is the payload of the offer's event; without one they said yes to a question, which is asking. So is
    saying yes after nothing fitted: whoever says so waits no longer than who asks unprompted.
    """
    if offer is None:
        return Decision(Act.HANDOFF, Reason.ASKED, (line,))
    reason = Reason(offer["reason"])
    evidence = (line, *(Evidence(**e) for e in offer["evidence"]))
    return Decision(Act.HANDOFF, Reason.ASKED if reason is Reason.UNKNOWN else reason, evidence)


def _certain(s: Signals) -> Decision | None:
    """What needs no weighing, the gravest first."""
    for reason, is_so, name, text in (
        (Reason.SAFETY, s.safety, "safety", "Someone may be in danger"),
        (Reason.ASKED, s.asked_for_human, "asked_for_human", "Asked for a person"),
        (Reason.ABUSE, s.abusive, "abusive", "Insulting words at the staff or the bot"),
    ):
        if is_so:
            return Decision(Act.HANDOFF, reason, (Evidence(name, 1, 1, text, s.message_id),))
    return None


def _declined(s: Signals, need: float, rules: Rules) -> bool:
    """A customer who declined is not asked again unless things got worse."""
    return s.declined is not None and need < need_of(s.declined, rules.weights, rules.bias) + rules.declined_margin


def _needed(act: Act, s: Signals, need: float, threshold: float, rules: Rules) -> Decision:
    """A decision by need, with the signals that weighed most."""
    added = shares(s, rules.weights)
    by_reason: dict[str, float] = {}
    for feature in FEATURES:
        by_reason[feature.reason] = by_reason.get(feature.reason, 0.0) + added[feature.name]
    ranked = sorted((f for f in FEATURES if added[f.name] > 0), key=lambda f: -added[f.name])
    notable = [f for f in ranked if f.of(s) >= f.notable][:MOST_LINES] or ranked[:1]
    lines = [
        Evidence(f.name, round(f.of(s), 3), min(f.notable, round(f.of(s), 3)), f.text, s.message_id) for f in notable
    ]
    whole = Evidence("need", round(need, 3), round(threshold, 3), "Taken together, a person is needed", s.message_id)
    return Decision(act, Reason(max(by_reason, key=lambda r: by_reason[r])), (whole, *lines))


def _by_match(s: Signals, rules: Rules) -> Decision:
    if s.outcome == "clarify" and s.clarifications >= rules.max_clarifications:
        text = "Asked back already, still unclear"
        line = Evidence("clarifications", s.clarifications, rules.max_clarifications, text, s.message_id)
        return Decision(Act.UNKNOWN, Reason.UNKNOWN, (line,))
    act = Act(s.outcome)
    return Decision(act, Reason.UNKNOWN if act is Act.UNKNOWN else Reason.FITS)
