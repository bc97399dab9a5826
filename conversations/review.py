"""What the owner looks back on: every escalation, how it ended, and the owner's verdict on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.errors import NotFound
from conversations.events import Kind
from conversations.tables import conversations, events, verdicts


class Verdict(StrEnum):
    """Was the handoff made at the right moment?"""

    RIGHT = "right"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NOT_NEEDED = "not_needed"


class Outcome(StrEnum):
    """How an escalation went on."""

    WAITING = "waiting"
    WITH_AGENT = "with_agent"
    RESOLVED = "resolved"
    RETURNED = "returned"


@dataclass(frozen=True)
class Filters:
    """What to list; None means any."""

    reason: str | None = None
    state: str | None = None
    agent_id: str | None = None
    outcome: Outcome | None = None
    verdict: str | None = None
    """A Verdict, or ``none`` for those without."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Escalation:
    """One handoff: when and why, who took it after how long, how it ended, and the verdict."""

    conversation_id: str
    seq: int
    at: datetime
    customer_name: str | None
    reason: str
    state: str | None
    evidence: list[dict[str, Any]]
    decided_by: str
    agent_id: str | None
    agent_name: str | None
    taken_at: datetime | None
    outcome: Outcome
    verdict: Verdict | None
    note: str


_ENDINGS = {
    Kind.RETURNED_TO_BOT.value: Outcome.RETURNED,
    Kind.RESOLVED.value: Outcome.RESOLVED,
    Kind.TAKEN.value: Outcome.WITH_AGENT,
    Kind.RELEASED.value: Outcome.WAITING,
    Kind.TRANSFERRED.value: Outcome.WAITING,
    Kind.RETURNED_TO_QUEUE.value: Outcome.WAITING,
}


async def escalations(conn: AsyncConnection, filters: Filters, limit: int = 200) -> list[Escalation]:
    """Escalations that fit ``filters``, the newest first."""
    query = (
        sa.select(events, conversations.c.customer_name, verdicts.c.verdict, verdicts.c.note)
        .join(conversations, conversations.c.id == events.c.conversation_id)
        .outerjoin(
            verdicts,
            sa.and_(verdicts.c.conversation_id == events.c.conversation_id, verdicts.c.seq == events.c.seq),
        )
        .where(events.c.kind == Kind.HANDOFF_REQUESTED.value)
        .order_by(events.c.at.desc(), events.c.conversation_id)
    )
    for condition in _conditions(filters):
        query = query.where(condition)
    rows = (await conn.execute(query.limit(2000))).mappings().all()
    later = await _what_followed(conn, [row["conversation_id"] for row in rows])
    found = [_escalation(row, later.get(row["conversation_id"], [])) for row in rows]
    return [e for e in found if _fits(e, filters)][:limit]


async def give_verdict(conn: AsyncConnection, conversation_id: str, seq: int, verdict: Verdict, note: str,
                       account_id: str, at: datetime) -> None:  # fmt: skip
    """Store the owner's verdict on one escalation; a later one replaces it. NotFound if it is no escalation."""
    where = (events.c.conversation_id == conversation_id, events.c.seq == seq)
    kind = (await conn.execute(sa.select(events.c.kind).where(*where))).scalar_one_or_none()
    if kind != Kind.HANDOFF_REQUESTED.value:
        raise NotFound(conversation_id)
    key = (verdicts.c.conversation_id == conversation_id, verdicts.c.seq == seq)
    await conn.execute(sa.delete(verdicts).where(*key))
    await conn.execute(
        sa.insert(verdicts).values(
            conversation_id=conversation_id, seq=seq, verdict=verdict.value, note=note, account_id=account_id, at=at
        )
    )


def _conditions(filters: Filters) -> list[Any]:
    wanted: list[Any] = []
    if filters.reason:
        wanted.append(events.c.payload["reason"].as_string() == filters.reason)
    if filters.state:
        wanted.append(events.c.payload["state"].as_string() == filters.state)
    if filters.since:
        wanted.append(events.c.at >= filters.since)
    if filters.until:
        wanted.append(events.c.at < filters.until)
    if filters.verdict == "none":
        wanted.append(verdicts.c.verdict.is_(None))
    elif filters.verdict:
        wanted.append(verdicts.c.verdict == filters.verdict)
    return wanted


async def _what_followed(conn: AsyncConnection, ids: list[str]) -> dict[str, list[Any]]:
    kinds = [*_ENDINGS, Kind.HANDOFF_REQUESTED.value]
    query = (
        sa.select(events)
        .where(events.c.conversation_id.in_(sorted(set(ids))), events.c.kind.in_(kinds))
        .order_by(events.c.conversation_id, events.c.seq)
    )
    followed: dict[str, list[Any]] = {}
    for row in (await conn.execute(query)).mappings():
        followed.setdefault(row["conversation_id"], []).append(row)
    return followed


def _escalation(row: Any, followed: list[Any]) -> Escalation:
    outcome, agent_id, agent_name, taken_at = Outcome.WAITING, None, None, None
    for later in followed:
        if later["seq"] <= row["seq"]:
            continue
        if later["kind"] == Kind.HANDOFF_REQUESTED.value:
            break
        outcome = _ENDINGS[later["kind"]]
        if later["kind"] == Kind.TAKEN.value:
            agent_id, agent_name = later["payload"]["agent_id"], later["payload"]["agent_name"]
            taken_at = taken_at or later["at"]
        if outcome in (Outcome.RESOLVED, Outcome.RETURNED):
            break
    payload = row["payload"]
    return Escalation(
        conversation_id=row["conversation_id"], seq=row["seq"], at=row["at"], customer_name=row["customer_name"],
        reason=payload["reason"], state=payload.get("state"), evidence=payload["evidence"],
        decided_by=payload["decided_by"], agent_id=agent_id, agent_name=agent_name, taken_at=taken_at,
        outcome=outcome, verdict=Verdict(row["verdict"]) if row["verdict"] else None, note=row["note"] or "",
    )  # fmt: skip


def _fits(escalation: Escalation, filters: Filters) -> bool:
    return (not filters.agent_id or escalation.agent_id == filters.agent_id) and (
        not filters.outcome or escalation.outcome == filters.outcome
    )
