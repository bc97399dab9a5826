"""Who is at the desk, and the few numbers a wait is told from: every statement about presence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation import Conversation
from conversations.events import STINT_ENDS
from conversations.lifecycle import Status
from conversations.tables import Json, UtcDateTime, conversations, events, metadata
from handoff.desk.waits import Pace, Wait, wait_of

ONLINE_FOR = timedelta(seconds=60)
"""An agent counts as at the desk this long after their console was last heard of."""
VANISHED_AFTER = timedelta(minutes=2)
"""After this long their chats go back into the queue."""
NEW_SHIFT = timedelta(hours=4)
"""Whoever comes back after this long begins anew: neither away nor leaving."""
USUAL_CAPACITY = 3
"""Chats an agent has at once, unless they say otherwise."""
MEASURED = 60
"""How many of the latest endings of each kind the pace is taken from."""


class Availability(StrEnum):
    """Whether an agent takes chats."""

    HERE = "here"
    AWAY = "away"
    LEAVING = "leaving"
    """The end of a shift: no new chats, one's own stay."""


presence = sa.Table(
    "presence",
    metadata,
    sa.Column("agent_id", sa.String(32), primary_key=True),
    sa.Column("last_seen_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, server_default=Availability.HERE.value),
    sa.Column("capacity", sa.Integer, nullable=False, server_default=str(USUAL_CAPACITY)),
    sa.Column("skills", Json, nullable=False, server_default="[]"),
    sa.Column("languages", Json, nullable=False, server_default="[]"),
    sa.CheckConstraint("status in ('here', 'away', 'leaving')", name="status"),
)


@dataclass(frozen=True)
class Presence:
    """One agent as the desk knows them."""

    agent_id: str
    last_seen_at: datetime
    status: Availability = Availability.HERE
    capacity: int = USUAL_CAPACITY
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def takes_chats(self, now: datetime) -> bool:
        """Whether they are at the desk and take new ones."""
        return self.is_online(now) and self.status is Availability.HERE

    def is_online(self, now: datetime) -> bool:
        """Whether their console was heard of lately."""
        return self.last_seen_at > now - ONLINE_FOR


async def seen(conn: AsyncConnection, agent_id: str, at: datetime) -> None:
    """Note that an agent's console is open."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    row = insert(presence).values(agent_id=agent_id, last_seen_at=at)
    status = sa.case((presence.c.last_seen_at < at - NEW_SHIFT, Availability.HERE.value), else_=presence.c.status)
    again = {"last_seen_at": at, "status": status}
    await conn.execute(row.on_conflict_do_update(index_elements=["agent_id"], set_=again))


async def change(conn: AsyncConnection, agent_id: str, **values: Any) -> None:
    """Set status, capacity, skills or languages of an agent who has been seen."""
    if values:
        await conn.execute(sa.update(presence).where(presence.c.agent_id == agent_id).values(values))


async def everyone_seen(conn: AsyncConnection, now: datetime, *, lock: bool = False) -> list[Presence]:
    """Who was at the desk within the last NEW_SHIFT. ``lock`` keeps others from assigning until we are done."""
    query = sa.select(presence).where(presence.c.last_seen_at > now - NEW_SHIFT).order_by(presence.c.agent_id)
    rows = (await conn.execute(query.with_for_update() if lock else query)).mappings()
    return [_presence(row) for row in rows]


async def find(conn: AsyncConnection, agent_id: str) -> Presence | None:
    """What is known of one agent; None if they were never at the desk."""
    row = (await conn.execute(sa.select(presence).where(presence.c.agent_id == agent_id))).mappings().first()
    return None if row is None else _presence(row)


async def skills_known(conn: AsyncConnection) -> list[str]:
    """Every skill that somebody has named as theirs, at the desk or not. A chat for a skill that nobody here has is
    offered to whoever is here, and says what it needs."""
    rows = (await conn.execute(sa.select(presence.c.skills))).scalars()
    return sorted({skill for skills in rows for skill in skills})


async def agents_online(conn: AsyncConnection, now: datetime) -> list[str]:
    """Ids of the agents who are at the desk."""
    query = sa.select(presence.c.agent_id).where(presence.c.last_seen_at > now - ONLINE_FOR)
    return list((await conn.execute(query.order_by(presence.c.agent_id))).scalars())


async def vanished(conn: AsyncConnection, now: datetime) -> Sequence[str]:
    """Ids of conversations whose agent's console has not been heard of for VANISHED_AFTER."""
    query = (
        sa.select(conversations.c.id)
        .join(presence, presence.c.agent_id == conversations.c.assignee_id)
        .where(conversations.c.status == Status.WITH_AGENT.value, presence.c.last_seen_at < now - VANISHED_AFTER)
    )
    return (await conn.execute(query)).scalars().all()


def _presence(row: Any) -> Presence:
    return Presence(
        row["agent_id"], row["last_seen_at"], Availability(row["status"]), row["capacity"],
        tuple(row["skills"]), tuple(row["languages"]),
    )  # fmt: skip


# --- one statement for a wait, built once: it runs inside the bot's turn


def _pace_columns() -> list[Any]:
    """Number, mean and mean square of the latest stints' seconds. One index range by kind, so history costs nothing."""
    seconds = events.c.payload["stint"]["seconds"].as_float().label("seconds")
    latest = [
        sa.select(seconds).where(events.c.kind == kind.value).order_by(events.c.at.desc()).limit(MEASURED).subquery()
        for kind in STINT_ENDS
    ]
    measured = sa.union_all(*(sa.select(part.c.seconds) for part in latest)).subquery()
    return [
        sa.func.count(measured.c.seconds), sa.func.avg(measured.c.seconds),
        sa.func.avg(measured.c.seconds * measured.c.seconds),
    ]  # fmt: skip


def _desk_columns() -> list[Any]:
    waiting = conversations.c.status == Status.WAITING.value
    sooner = sa.or_(
        conversations.c.queue_rank < sa.bindparam("rank"),
        sa.and_(conversations.c.queue_rank == sa.bindparam("rank"), conversations.c.id < sa.bindparam("own_id")),
    )
    here = sa.and_(presence.c.last_seen_at > sa.bindparam("since"), presence.c.status == Availability.HERE.value)
    held = (
        sa.select(sa.func.count())
        .select_from(conversations.join(presence, presence.c.agent_id == conversations.c.assignee_id))
        .where(conversations.c.status == Status.WITH_AGENT.value, here)
    )
    return [
        sa.select(sa.func.count()).select_from(conversations).where(waiting, sooner).scalar_subquery(),
        sa.select(sa.func.count()).select_from(presence).where(here).scalar_subquery(),
        sa.select(sa.func.coalesce(sa.func.sum(presence.c.capacity), 0)).where(here).scalar_subquery(),
        held.scalar_subquery(),
    ]


_PACE = sa.select(*_pace_columns())
_WAIT = sa.select(*_desk_columns(), *_pace_columns())


async def pace(conn: AsyncConnection) -> Pace:
    """How long the latest chats took."""
    return _pace(*(await conn.execute(_PACE)).one())


async def wait_of_one(conn: AsyncConnection, conversation: Conversation, now: datetime) -> Wait:
    """Place and pessimistic wait of one waiting conversation, by counting; it need not have been saved yet."""
    asked = {"rank": conversation.queue_rank, "own_id": conversation.id, "since": now - ONLINE_FOR}
    before, agents, slots, busy, *measured = (await conn.execute(_WAIT, asked)).one()
    return wait_of(before + 1, agents, slots, busy, _pace(*measured))


def _pace(count: int, mean: float | None, square: float | None) -> Pace:
    if not count or mean is None or square is None:
        return Pace()
    return Pace(count, mean, max(0.0, square - mean * mean) ** 0.5)
