"""What an agent wrote and the customer has not seen: a deadline in the database, and what happens when it passes.

An open stream has what an agent writes at once, so an answer that no stream and no page load has delivered for a
while means that the customer is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import Database
from app.outbox.tables import unseen_answers
from conversations.conversation import Message
from conversations.lifecycle import Author, Visibility


@dataclass(frozen=True)
class Unseen:
    """How far a conversation's answers have come: written, seen in a browser, told by mail (seq of each)."""

    conversation_id: str
    answered_seq: int
    seen_seq: int
    told_seq: int


async def answered(conn: AsyncConnection, conversation_id: str, seq: int, look_at: datetime) -> None:
    """An agent wrote; look at ``look_at`` whether it was seen, unless a look is due sooner."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    row = insert(unseen_answers).values(
        conversation_id=conversation_id, answered_seq=seq, seen_seq=0, told_seq=0, due_at=look_at
    )
    due_at = sa.func.coalesce(unseen_answers.c.due_at, row.excluded.due_at)
    changes = {"answered_seq": row.excluded.answered_seq, "due_at": due_at}
    await conn.execute(row.on_conflict_do_update(index_elements=["conversation_id"], set_=changes))


async def note_seen(db: Database, conversation_id: str, seq: int) -> None:
    """The customer's browser has everything up to ``seq``: write it down where somebody would have to be told."""
    async with db.read() as conn:
        news = await is_unseen(conn, conversation_id, seq)
    if news:
        async with db.unit_of_work() as work:
            await seen(work.conn, conversation_id, seq)


async def is_unseen(conn: AsyncConnection, conversation_id: str, seq: int) -> bool:
    """Whether it is news that the customer has seen everything up to ``seq``."""
    return bool(await conn.scalar(sa.select(sa.literal(1)).where(*_news(conversation_id, seq))))


async def seen(conn: AsyncConnection, conversation_id: str, seq: int) -> None:
    """The customer's browser has everything up to ``seq``."""
    due_at = sa.case((unseen_answers.c.answered_seq <= seq, None), else_=unseen_answers.c.due_at)
    update = sa.update(unseen_answers).where(*_news(conversation_id, seq)).values(seen_seq=seq, due_at=due_at)
    await conn.execute(update)


async def seen_up_to(conn: AsyncConnection, conversation_id: str) -> int:
    """The seq up to which the customer's browser has everything; 0 when that is not known."""
    query = sa.select(unseen_answers.c.seen_seq).where(unseen_answers.c.conversation_id == conversation_id)
    return await conn.scalar(query) or 0


async def due(conn: AsyncConnection, now: datetime, limit: int) -> list[Unseen]:
    """What must be looked at now, held until the transaction ends."""
    query = (
        sa.select(unseen_answers)
        .where(unseen_answers.c.due_at <= now)
        .order_by(unseen_answers.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_unseen(row) for row in (await conn.execute(query)).mappings()]


async def next_due(conn: AsyncConnection) -> datetime | None:
    """When the next look is due."""
    query = sa.select(unseen_answers.c.due_at).where(unseen_answers.c.due_at.is_not(None))
    return (await conn.execute(query.order_by(unseen_answers.c.due_at).limit(1))).scalar_one_or_none()


async def told(conn: AsyncConnection, one: Unseen) -> None:
    """What was unseen is on its way by other means; nothing is due until an agent writes again."""
    await _set(conn, one, told_seq=one.answered_seq, due_at=None)


async def look_again(conn: AsyncConnection, one: Unseen, at: datetime | None) -> None:
    """Look at ``at``, or when an agent writes again."""
    await _set(conn, one, due_at=at)


def answers_in(messages: Sequence[Message], one: Unseen) -> list[Message]:
    """What agents wrote to the customer that was neither seen nor told."""
    after = max(one.seen_seq, one.told_seq)
    return [m for m in messages if m.author is Author.AGENT and m.visibility is Visibility.PUBLIC and m.seq > after]


def _news(conversation_id: str, seq: int) -> tuple[sa.ColumnElement[bool], ...]:
    row = unseen_answers.c
    return row.conversation_id == conversation_id, row.seen_seq < seq, row.seen_seq < row.answered_seq


async def _set(conn: AsyncConnection, one: Unseen, **values: Any) -> None:
    where = unseen_answers.c.conversation_id == one.conversation_id
    await conn.execute(sa.update(unseen_answers).where(where).values(**values))


def _unseen(row: Any) -> Unseen:
    return Unseen(row["conversation_id"], row["answered_seq"], row["seen_seq"], row["told_seq"])
