"""The numbers and flags the policy may look at, built from the customer's turns since the bot last took over."""

import itertools
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DECAY = 0.6
"""Weight of the frustration level so far against the present message, per turn."""
SAME_QUESTION = 0.82
"""Cosine from which two messages of one customer count as the same question."""
UPSET = 0.5
"""Probability from which a state counts as present when turns are counted."""

_STAKES = re.compile(
    r"\b(?:hack\w*|fraud\w*|stolen|identity|bank account|charged twice|double charged|wedding|funeral|surgery|hospital|"
    r"medicines?|medication|insulin|prescription|allerg\w*|inhaler|flight|visa|court|rent|eviction|"
    r"last (?:of my )?money|life savings)\b|[£$€]\s?\d{3,}|\b\d{3,}\s?(?:pounds|quid|euros?|dollars)\b",
    re.IGNORECASE,
)


_CORRECTION = re.compile(
    r"\bi(?:'ve| have)? (?:already |just )?(?:said|told you|wrote|mentioned|explained)\b|"
    r"\b(?:as|like) i (?:said|wrote|told)\b|"
    r"\bnot what i(?:'m| am| was)? (?:ask|mean|said|want|need)\w*|"
    r"\bi(?:'m| am|m)? (?:was )?not asking\b|\bi did(?:n'?t| not) ask\b|"
    r"\byou(?:'re| are|r)? not (?:listening|reading|answering|understanding|getting)\b|"
    r"\byou did(?:n'?t| not) (?:answer|read|understand|listen)\b|\b(?:re)?read (?:my|what i)\b|"
    r"\bwrong (?:answer|question)\b|\b(?:that|this) (?:does|did)(?:n'?t| not) (?:answer|help)\b|"
    r"\b(?:that'?s|this is) (?:no|not|zero) help\w*|\byou (?:already|just) (?:said|told me|sent)\b|"
    r"^no+[,.! ]+(?:i|that'?s|it'?s|not|my|the)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class CustomerTurn:
    """One message of the customer as it was understood, and what the bot then did."""

    message_id: str
    text: str
    states: Mapping[str, float]
    flagged: Sequence[str] = ()
    outcome: str = "unknown"
    """answer | clarify | unknown | smalltalk: what the matcher made of it."""
    entry_id: str | None = None
    score: float = 0.0
    """P(the best entry is right), as the matcher gave it."""
    language: str | None = None
    """ISO 639-1 code of a language that is surely not English; None otherwise."""
    vector: Sequence[float] = field(default=(), repr=False)
    act: str | None = None
    """What the bot did then; None for the message that is being decided."""


@dataclass(frozen=True)
class Signals:
    """What the policy may look at. Distress only ever grows with each of these numbers."""

    asked_for_human: bool = False
    abusive: bool = False
    safety: bool = False
    stakes: bool = False
    frustration_now: float = 0.0
    frustration_peak: float = 0.0
    frustration_level: float = 0.0
    """Decayed sum over turns: a mood that stays weighs more than one sharp word."""
    frustration_trend: float = 0.0
    """Rise of frustration over the last three turns, per turn; never negative."""
    frustrated_turns: int = 0
    confusion_now: float = 0.0
    confused_turns: int = 0
    worry_now: float = 0.0
    repeats: int = 0
    """How often the customer asked something they had asked before."""
    unhelped: int = 0
    """Answers and questions of the bot after which the customer was still frustrated or confused."""
    corrections: int = 0
    """How often the customer put the bot right: "no, I said ...", "that is not what I asked"."""
    misses: int = 0
    """Messages in a row, this one included, that no FAQ entry fits."""
    falling: float = 0.0
    """By how much the match has become less sure since the best of the last three questions; never negative."""
    clarifications: int = 0
    """How often in a row the bot has asked back already."""
    turns: int = 1
    outcome: str = "unknown"
    state: str = "neutral"
    language: str | None = None
    """The language of the present message where the shop does not speak it (ISO 639-1)."""
    declined: "Signals | None" = None
    """The signals when the customer last declined a person; None: never declined."""
    message_id: str = ""


def signals_of(
    turns: Sequence[CustomerTurn], declined_after: int | None = None, spoken: Sequence[str] = ("en",)
) -> Signals:
    """Signals for the last of ``turns`` (oldest first, at least one).

    ``declined_after`` is how many turns had been taken when the customer last declined a person; ``spoken`` are
    the shop's languages.
    """
    now = turns[-1]
    frustration = [turn.states.get("frustrated", 0.0) for turn in turns]
    return Signals(
        asked_for_human="asked_for_human" in now.flagged,
        abusive="abusive" in now.flagged,
        safety="safety" in now.flagged,
        stakes=any(_STAKES.search(turn.text) for turn in turns),
        frustration_now=frustration[-1],
        frustration_peak=max(frustration),
        frustration_level=_level(frustration),
        frustration_trend=_trend(frustration),
        frustrated_turns=sum(f >= UPSET for f in frustration),
        confusion_now=now.states.get("confused", 0.0),
        confused_turns=sum(turn.states.get("confused", 0.0) >= UPSET for turn in turns),
        worry_now=now.states.get("worried", 0.0),
        repeats=_repeats(turns),
        unhelped=_unhelped(turns),
        corrections=sum(bool(_CORRECTION.search(turn.text.replace("’", "'"))) for turn in turns[1:]),
        misses=_in_a_row(turns, "unknown"),
        falling=_falling(turns),
        clarifications=_clarifications(turns),
        turns=len(turns),
        outcome=now.outcome,
        state=max(now.states, key=lambda s: now.states[s]) if now.states else "neutral",
        language=now.language if now.language not in spoken else None,
        declined=signals_of(turns[:declined_after]) if declined_after else None,
        message_id=now.message_id,
    )


def _level(frustration: Sequence[float]) -> float:
    level = 0.0
    for value in frustration:
        level = max(value, DECAY * level + (1 - DECAY) * value)
    return level


def _trend(frustration: Sequence[float]) -> float:
    last = frustration[-3:]
    return max(0.0, (last[-1] - last[0]) / (len(last) - 1)) if len(last) > 1 else 0.0


def _repeats(turns: Sequence[CustomerTurn]) -> int:
    return sum(any(_same_question(turn, earlier) for earlier in turns[:i]) for i, turn in enumerate(turns) if i)


def _same_question(one: CustomerTurn, other: CustomerTurn) -> bool:
    if "smalltalk" in (one.outcome, other.outcome):
        return False
    if one.vector and other.vector:
        return bool(sum(map(operator.mul, one.vector, other.vector)) >= SAME_QUESTION)
    return one.text.casefold().split() == other.text.casefold().split()


def _unhelped(turns: Sequence[CustomerTurn]) -> int:
    """Turns that follow an answer or a question of the bot and are still upset."""
    return sum(
        before.act in ("answer", "clarify", "offer", "unknown")
        and max(turn.states.get("frustrated", 0.0), turn.states.get("confused", 0.0)) >= UPSET
        for before, turn in itertools.pairwise(turns)
    )


def _in_a_row(turns: Sequence[CustomerTurn], outcome: str) -> int:
    count = 0
    for turn in reversed(turns):
        if turn.outcome != outcome:
            break
        count += 1
    return count


def _falling(turns: Sequence[CustomerTurn]) -> float:
    scores = [turn.score for turn in turns if turn.outcome != "smalltalk"][-3:]
    return max(0.0, max(scores) - scores[-1]) if len(scores) > 1 and turns[-1].outcome != "smalltalk" else 0.0


def _clarifications(turns: Sequence[CustomerTurn]) -> int:
    count = 0
    for turn in reversed(turns[:-1]):
        if turn.act != "clarify":
            break
        count += 1
    return count
