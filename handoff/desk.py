"""The queue and who is at the desk: order, place, and an honest wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation import Conversation
from conversations.events import Event, Kind
from conversations.tables import UtcDateTime, metadata

AGEING = timedelta(minutes=20)
"""How much waiting the highest urgency is worth. Everyone's rank is fixed when they join, so whoever has
waited this much longer than a newcomer goes first whatever the newcomer's urgency: nobody starves."""

URGENCY = {
    "safety": 1.0, "stakes": 0.8, "abuse": 0.6, "frustration": 0.6, "unhelped": 0.5, "repeat": 0.5,
    "confusion": 0.4, "language": 0.4, "asked": 0.3, "unknown": 0.2,
}  # fmt: skip
"""Expected harm of waiting, by reason, 0..1."""

ONLINE_FOR = timedelta(seconds=60)
"""An agent counts as at the desk this long after their console was last heard of."""
USUAL_HANDLING = timedelta(minutes=8)
"""Taken for the length of one chat until the desk has measured its own."""
SHORTEST_WAIT = 2
"""Minutes that are said at least: even whoever is next waits for a person to look up."""

presence = sa.Table(
    "presence",
    metadata,
    sa.Column("agent_id", sa.String(32), primary_key=True),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True)
class Wait:
    """What a waiting customer can be told."""

    place: int
    """1 = next."""
    minutes: int | None
    """A pessimistic estimate, rounded up; None when nobody is at the desk."""
    agents: int
    """How many people are at the desk."""


def urgency_of(reason: str, frustration: float = 0.0) -> float:
    """Expected harm of waiting, 0..1: the reason's, or the frustration's where that is greater."""
    return min(1.0, max(URGENCY.get(reason, 0.3), 0.8 * frustration))


def queue_rank(at: datetime, urgency: float) -> float:
    """Where a conversation stands in the queue (lower is sooner), in seconds since the epoch."""
    return at.timestamp() - urgency * AGEING.total_seconds()


def place_of(conversation: Conversation, queue: Sequence[Conversation]) -> int:
    """1-based place of a waiting conversation in ``queue``; the end of it when it is not listed yet."""
    ids = [waiting.id for waiting in queue]
    if conversation.id in ids:
        return ids.index(conversation.id) + 1
    rank = conversation.queue_rank or float("inf")
    return 1 + sum((waiting.queue_rank or 0.0) <= rank for waiting in queue)


def wait_of(place: int, agents: int, busy: int, handling: Sequence[timedelta]) -> Wait:
    """Pessimistic wait for ``place``: everyone before, in rounds of all agents, each as long as a slow chat.

    ``busy`` is how many chats agents hold now. A slow chat is the 80th percentile of the latest ones.
    """
    if agents == 0:
        return Wait(place, None, 0)
    slow = (
        quantiles([h.total_seconds() for h in handling], n=5)[3]
        if len(handling) > 4
        else USUAL_HANDLING.total_seconds()
    )
    before = place - 1 + max(0, busy - agents + 1)
    rounds = -(-before // agents)
    minutes = max(SHORTEST_WAIT, -(-int(rounds * slow) // 60))
    return Wait(place, minutes, agents)


def handling_times(history: Sequence[tuple[str, Event]]) -> list[timedelta]:
    """How long agents held each chat, from take to release, return or resolve (``history`` oldest first)."""
    taken: dict[str, datetime] = {}
    times = []
    for conversation_id, event in history:
        if event.kind is Kind.TAKEN:
            taken[conversation_id] = event.at
        elif event.kind in (Kind.RELEASED, Kind.RETURNED_TO_BOT, Kind.RESOLVED) and conversation_id in taken:
            times.append(event.at - taken.pop(conversation_id))
    return times


async def seen(conn: AsyncConnection, agent_id: str, at: datetime) -> None:
    """Note that an agent's console is open."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    row = insert(presence).values(agent_id=agent_id, last_seen_at=at)
    await conn.execute(row.on_conflict_do_update(index_elements=["agent_id"], set_={"last_seen_at": at}))


async def agents_online(conn: AsyncConnection, now: datetime) -> list[str]:
    """Ids of the agents who are at the desk."""
    query = sa.select(presence.c.agent_id).where(presence.c.last_seen_at > now - ONLINE_FOR)
    return list((await conn.execute(query)).scalars())
