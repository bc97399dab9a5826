"""The outbox itself: every SQL statement about deliveries. Functions take an open connection and never commit."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from random import SystemRandom
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.outbox.errors import NoSuchDelivery, NotReplayable
from app.outbox.tables import endpoints, outbox
from conversations.conversation import new_id

LAST_ATTEMPT = 10
"""After this one fails a delivery is dead: about a day and a half after the first."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=12)
ERROR_LIMIT = 500
KEPT_FOR = timedelta(days=30)
"""How long what was delivered, or given up, can be looked at."""

_chance = SystemRandom()


class Channel(StrEnum):
    """By what way something leaves."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    NOTICE = "notice"


class Status(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    SENT = "sent"
    NOT_NEEDED = "not_needed"
    """What it would have said was no longer true or had been seen."""
    DEAD = "dead"
    """Given up; only a replay by hand brings it back."""


@dataclass(frozen=True)
class Delivery:
    """One thing that must leave the house. The id goes with every attempt, so that receivers can drop a repeat."""

    id: str
    channel: Channel
    kind: str
    payload: dict[str, Any]
    created_at: datetime
    endpoint_id: str | None = None
    conversation_id: str | None = None
    status: Status = Status.PENDING
    attempts: int = 0
    due_at: datetime | None = None
    finished_at: datetime | None = None
    last_error: str | None = None

    @classmethod
    def new(cls, channel: Channel, kind: str, payload: dict[str, Any], at: datetime, *, due_at: datetime | None = None,
            endpoint_id: str | None = None, conversation_id: str | None = None) -> "Delivery":  # fmt: skip
        """Something that falls due at ``due_at``, or at once."""
        return cls(new_id(), channel, kind, payload, at, endpoint_id, conversation_id, due_at=due_at or at)


_FIELDS = [f.name for f in fields(Delivery)]


def wait_after(attempt: int, chance: float | None = None) -> timedelta:
    """How long to wait after the ``attempt``-th failure: four times as long each time, give or take a quarter.

    ``chance`` in 0..1 chooses within that quarter; by default it is drawn, so that many do not come back at once.
    """
    roll = _chance.random() if chance is None else chance
    longer: int = 4 ** (attempt - 1)
    return min(FIRST_WAIT * longer, LONGEST_WAIT) * (0.75 + roll / 2)


async def add(conn: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Write deliveries, in the transaction of what causes them."""
    if deliveries:
        await conn.execute(sa.insert(outbox), [{name: getattr(d, name) for name in _FIELDS} for d in deliveries])


async def claim(conn: AsyncConnection, now: datetime, lease: timedelta, limit: int) -> list[Delivery]:
    """Take up to ``limit`` deliveries that are due, by moving ``due_at`` on by ``lease``.

    Each claim counts as an attempt, so that one which kills its worker comes to an end as well.
    """
    due = (
        sa.select(outbox.c.id)
        .where(outbox.c.due_at <= now)
        .order_by(outbox.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # as a plain subquery PostgreSQL may run it again for every row, and the limit is none
    )
    update = (
        sa.update(outbox)
        .where(outbox.c.id.in_(sa.select(due.c.id)), outbox.c.due_at <= now)
        .values(due_at=now + lease, attempts=outbox.c.attempts + 1)
        .returning(outbox)
    )
    return [_delivery(row) for row in (await conn.execute(update)).mappings()]


async def next_due(conn: AsyncConnection) -> datetime | None:
    """When the earliest delivery falls due."""
    query = sa.select(outbox.c.due_at).where(outbox.c.due_at.is_not(None)).order_by(outbox.c.due_at).limit(1)
    return (await conn.execute(query)).scalar_one_or_none()


async def finished(
    conn: AsyncConnection, delivery: Delivery, status: Status, at: datetime, why: str | None = None
) -> None:
    """It was sent, is not needed any more, or is dead. Said of what was sent even if another worker has it by now."""
    mine = sa.true() if status is Status.SENT else outbox.c.attempts == delivery.attempts
    await conn.execute(
        sa.update(outbox)
        .where(outbox.c.id == delivery.id, mine)
        .values(status=status, due_at=None, finished_at=at, last_error=_short(why))
    )


async def failed(
    conn: AsyncConnection, delivery: Delivery, why: str, at: datetime, wait: timedelta | None = None
) -> Status:
    """It will be tried again after ``wait`` or the usual time; after the last attempt it is dead."""
    if delivery.attempts >= LAST_ATTEMPT:
        await finished(conn, delivery, Status.DEAD, at, why)
        return Status.DEAD
    due_at = at + max(wait_after(delivery.attempts), wait or timedelta())
    await conn.execute(
        sa.update(outbox)
        .where(outbox.c.id == delivery.id, outbox.c.attempts == delivery.attempts, outbox.c.due_at.is_not(None))
        .values(due_at=due_at, last_error=_short(why))
    )
    return Status.PENDING


async def hold_back(conn: AsyncConnection, delivery: Delivery, until: datetime) -> None:
    """Whoever does not answer must not keep every hand busy: what else is due to the same endpoint, or to the same
    mail server, waits as well."""
    same = (
        outbox.c.endpoint_id == delivery.endpoint_id if delivery.endpoint_id else outbox.c.channel == delivery.channel
    )
    await conn.execute(sa.update(outbox).where(same, outbox.c.due_at < until).values(due_at=until))


async def replay(conn: AsyncConnection, delivery_id: str, at: datetime) -> Delivery:
    """Try again what was sent or is dead, with all its attempts and the same id.

    Raises NoSuchDelivery, or NotReplayable while it is on its way or its endpoint is disabled.
    """
    found = await load(conn, delivery_id)
    if found.status is Status.PENDING:
        raise NotReplayable("This delivery is still on its way.")
    if found.endpoint_id:
        query = sa.select(endpoints.c.disabled_at).where(endpoints.c.id == found.endpoint_id)
        if await conn.scalar(query):
            raise NotReplayable("The endpoint is disabled. Enable it first.")
    update = (
        sa.update(outbox)
        .where(outbox.c.id == delivery_id, outbox.c.due_at.is_(None))
        .values(status=Status.PENDING, attempts=0, due_at=at, finished_at=None)
    )
    await conn.execute(update)
    return await load(conn, delivery_id)


async def load(conn: AsyncConnection, delivery_id: str) -> Delivery:
    """One delivery, or NoSuchDelivery."""
    row = (await conn.execute(sa.select(outbox).where(outbox.c.id == delivery_id))).mappings().one_or_none()
    if row is None:
        raise NoSuchDelivery()
    return _delivery(row)


async def latest(
    conn: AsyncConnection, *, status: Status | None = None, endpoint_id: str | None = None, limit: int = 100
) -> list[Delivery]:
    """Deliveries, the newest first."""
    query = sa.select(outbox).order_by(outbox.c.created_at.desc(), outbox.c.id.desc()).limit(limit)
    if status:
        query = query.where(outbox.c.status == status)
    if endpoint_id:
        query = query.where(outbox.c.endpoint_id == endpoint_id)
    return [_delivery(row) for row in (await conn.execute(query)).mappings()]


async def counts(conn: AsyncConnection) -> dict[Status, int]:
    """How many deliveries are in each status."""
    query = sa.select(outbox.c.status, sa.func.count()).group_by(outbox.c.status)
    found = {Status(status): int(count) for status, count in await conn.execute(query)}
    return {status: found.get(status, 0) for status in Status}


async def forget_old(conn: AsyncConnection, now: datetime) -> None:
    """Delete what was finished long ago."""
    await conn.execute(sa.delete(outbox).where(outbox.c.finished_at < now - KEPT_FOR))


def _short(why: str | None) -> str | None:
    """One printable line: PostgreSQL keeps no NUL, and an owner has no use for the rest."""
    return "".join(c if c.isprintable() else " " for c in why)[:ERROR_LIMIT] if why else None


def _delivery(row: Any) -> Delivery:
    return Delivery(
        **{name: row[name] for name in _FIELDS} | {"channel": Channel(row["channel"]), "status": Status(row["status"])}
    )
