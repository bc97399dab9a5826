"""The order of the queue: expected harm of waiting, with ageing, so that nobody starves."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from conversations.conversation import Conversation

AGEING = timedelta(minutes=20)
"""How much waiting the highest urgency is worth. Everyone's rank is fixed when they join, so whoever has
waited this much longer than a newcomer goes first whatever the newcomer's urgency: nobody starves."""

DANGER_FIRST = timedelta(days=7)
"""Danger to someone goes before whoever joined up to this much earlier."""

CLOSED_AGES = 0.01
"""What an hour outside opening hours is worth, in hours of waiting. Whoever waited overnight stands before those of
like urgency who come after the desk has opened, and not before someone in danger."""

URGENCY = {
    "safety": 1.0, "stakes": 0.8, "abuse": 0.6, "frustration": 0.6, "unhelped": 0.5, "repeat": 0.5,
    "confusion": 0.4, "language": 0.4, "asked": 0.3, "unknown": 0.2,
}  # fmt: skip
"""Expected harm of waiting, by reason, 0..1."""


def urgency_of(reason: str, frustration: float = 0.0) -> float:
    """Expected harm of waiting, 0..1: the reason's, or the frustration's where that is greater. 1 is danger."""
    return min(1.0, max(URGENCY.get(reason, 0.3), 0.8 * frustration))


def queue_rank(at: datetime, urgency: float, opens: datetime | None = None) -> float:
    """Where a conversation stands in the queue (lower is sooner), in seconds since the epoch.

    ``at`` is when it joined; ``opens`` when the desk opens, for one that joined while it was closed.
    """
    joined = at.timestamp()
    if opens is not None and opens > at:
        joined = opens.timestamp() - CLOSED_AGES * (opens - at).total_seconds()
    head_start = DANGER_FIRST.total_seconds() if urgency >= 1.0 else urgency * AGEING.total_seconds()
    return joined - head_start


def place_of(conversation: Conversation, queue: Sequence[Conversation]) -> int:
    """1-based place of a waiting conversation in ``queue``; the end of it when it is not listed yet."""
    ids = [waiting.id for waiting in queue]
    if conversation.id in ids:
        return ids.index(conversation.id) + 1
    rank = conversation.queue_rank or float("inf")
    return 1 + sum((waiting.queue_rank or 0.0) <= rank for waiting in queue)
