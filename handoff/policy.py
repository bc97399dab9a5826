"""What to do now: answer, ask back, offer a person, or hand over. Pure, total, explained.

The more distress a signal shows, the further the act goes, never less (tests/handoff/test_policy.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from handoff.signals import Signals


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
    UNKNOWN = "unknown"
    FITS = "fits"
    DECLINED = "declined"


@dataclass(frozen=True)
class Rules:
    """The thresholds. Each is named in the evidence whenever it is met.

    Fitted on the labelled train and dev dialogues (eval/data/dialogues) with the shipped reader.
    """

    offer_frustration: float = 0.6
    offer_turns: int = 3
    """Frustrated turns before a person is offered, unless one alone reaches ``offer_at_once``."""
    offer_at_once: float = 0.99
    handoff_frustration: float = 0.7
    """Level from which frustration that stays (at least ``handoff_turns`` frustrated turns) hands over."""
    handoff_turns: int = 3
    offer_confusion_turns: int = 3
    handoff_confusion_turns: int = 3
    confusion: float = 0.5
    offer_worry: float = 0.6
    offer_repeats: int = 1
    handoff_repeats: int = 2
    offer_unhelped: int = 2
    handoff_unhelped: int = 2
    offer_misses: int = 9
    max_clarifications: int = 1
    declined_margin: float = 0.15
    """After a declined offer, how much further frustration must rise before a person is offered again."""


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


def decide(signals: Signals, rules: Rules) -> Decision:
    """The first cause that calls for a person wins, the gravest first; without one the match decides."""
    for reason, cause in _HANDOFF:
        if evidence := cause(signals, rules):
            return Decision(Act.HANDOFF, reason, tuple(evidence))
    if not _declined(signals, rules):
        for reason, cause in _OFFER:
            if evidence := cause(signals, rules):
                return Decision(Act.OFFER, reason, tuple(evidence))
    return _by_match(signals, rules)


def _by_match(s: Signals, rules: Rules) -> Decision:
    if s.outcome == "clarify" and s.clarifications >= rules.max_clarifications:
        line = _met(
            s, "clarifications", s.clarifications, rules.max_clarifications, "Asked back already, still unclear"
        )
        return Decision(Act.UNKNOWN, Reason.UNKNOWN, (line,))
    act = Act(s.outcome)
    return Decision(act, Reason.UNKNOWN if act is Act.UNKNOWN else Reason.FITS)


def _declined(s: Signals, rules: Rules) -> bool:
    """A customer who declined is not asked again unless things got worse."""
    return s.declined_level is not None and s.frustration_level < s.declined_level + rules.declined_margin


def _met(s: Signals, name: str, value: float, threshold: float, text: str) -> Evidence:
    return Evidence(name, round(float(value), 3), threshold, text, s.message_id)


Cause = Callable[[Signals, Rules], Sequence[Evidence]]


def _safety(s: Signals, _: Rules) -> Sequence[Evidence]:
    return [_met(s, "safety", 1, 1, "Someone may be in danger")] if s.safety else []


def _asked(s: Signals, _: Rules) -> Sequence[Evidence]:
    return [_met(s, "asked_for_human", 1, 1, "Asked for a person")] if s.asked_for_human else []


def _abuse(s: Signals, _: Rules) -> Sequence[Evidence]:
    return [_met(s, "abusive", 1, 1, "Insulting words at the staff or the bot")] if s.abusive else []


def _frustration_stays(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.frustration_level < rules.handoff_frustration or s.frustrated_turns < rules.handoff_turns:
        return []
    lines = [
        _met(s, "frustration_level", s.frustration_level, rules.handoff_frustration, "Frustration stays high"),
        _met(s, "frustrated_turns", s.frustrated_turns, rules.handoff_turns, "Frustrated in several messages"),
    ]
    if s.frustration_trend > 0:
        lines.append(_met(s, "frustration_trend", s.frustration_trend, 0, "And it is rising"))
    return lines


def _confusion_stays(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.confused_turns < rules.handoff_confusion_turns:
        return []
    return [
        _met(s, "confused_turns", s.confused_turns, rules.handoff_confusion_turns, "Still confused after explanations")
    ]


def _repeats_stay(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.repeats < rules.handoff_repeats:
        return []
    return [_met(s, "repeats", s.repeats, rules.handoff_repeats, "The same question again and again")]


def _unhelped_stays(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.unhelped < rules.handoff_unhelped:
        return []
    return [_met(s, "unhelped", s.unhelped, rules.handoff_unhelped, "Answers that did not help")]


def _worry_with_stakes(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if not s.stakes or s.worry_now < rules.offer_worry:
        return []
    return [
        _met(s, "worry_now", s.worry_now, rules.offer_worry, "Worried"),
        _met(s, "stakes", 1, 1, "Something big is at stake"),
    ]


def _frustrated_now(s: Signals, rules: Rules) -> Sequence[Evidence]:
    enough = s.frustrated_turns >= rules.offer_turns
    threshold = rules.offer_frustration if enough else rules.offer_at_once
    if s.frustration_now < threshold:
        return []
    return [_met(s, "frustration_now", s.frustration_now, threshold, "Frustrated now")]


def _confused_again(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.confused_turns < rules.offer_confusion_turns:
        return []
    return [_met(s, "confused_turns", s.confused_turns, rules.offer_confusion_turns, "Confused more than once")]


def _repeated(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.repeats < rules.offer_repeats:
        return []
    return [_met(s, "repeats", s.repeats, rules.offer_repeats, "Asked the same question again")]


def _unhelped_once(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.unhelped < rules.offer_unhelped:
        return []
    return [_met(s, "unhelped", s.unhelped, rules.offer_unhelped, "The last answer did not help")]


def _missed(s: Signals, rules: Rules) -> Sequence[Evidence]:
    if s.misses < rules.offer_misses:
        return []
    return [_met(s, "misses", s.misses, rules.offer_misses, "Questions the shop's answers do not cover")]


_HANDOFF: tuple[tuple[Reason, Cause], ...] = (
    (Reason.SAFETY, _safety),
    (Reason.ASKED, _asked),
    (Reason.ABUSE, _abuse),
    (Reason.FRUSTRATION, _frustration_stays),
    (Reason.STAKES, _worry_with_stakes),
    (Reason.CONFUSION, _confusion_stays),
    (Reason.REPEAT, _repeats_stay),
    (Reason.UNHELPED, _unhelped_stays),
)
_OFFER: tuple[tuple[Reason, Cause], ...] = (
    (Reason.FRUSTRATION, _frustrated_now),
    (Reason.CONFUSION, _confused_again),
    (Reason.REPEAT, _repeated),
    (Reason.UNHELPED, _unhelped_once),
    (Reason.UNKNOWN, _missed),
)
