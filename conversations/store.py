"""Loading and saving conversations: every SQL statement about one conversation and its transcript.

All functions take an open connection and never commit; the caller's unit of work does.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation import Conversation, Message
from conversations.errors import MessageIdReused, NotFound, Stale
from conversations.events import PUBLIC_KINDS, STINT_ENDS, Event, Kind
from conversations.lifecycle import Author, Status, Visibility
from conversations.tables import conversations, events, messages

_COLUMNS = [column.name for column in conversations.columns]
_MESSAGE_FIELDS = [f.name for f in fields(Message)]
SAVED = "saved"
"""Key of ``conn.info`` where a transaction that wants to know collects what was saved in it."""


@dataclass(frozen=True)
class Saved:
    """What one insert or save wrote of a conversation."""

    conversation: Conversation
    events: Sequence[Event]
    messages: Sequence[Message]


# Statements of every turn, built once: building one costs more than SQLite needs to run it.
_LOAD = sa.select(conversations).where(conversations.c.id == sa.bindparam("own_id"))
_LOAD_LOCKED = _LOAD.with_for_update()
_SAVE = sa.update(conversations).where(
    conversations.c.id == sa.bindparam("own_id"), conversations.c.version == sa.bindparam("read_version")
)
_ALREADY_SENT = sa.select(messages).where(
    messages.c.conversation_id == sa.bindparam("own_id"),
    messages.c.author == sa.bindparam("by"),
    messages.c.client_message_id == sa.bindparam("sent_as"),
)
_TRANSCRIPT = sa.select(messages).where(messages.c.conversation_id == sa.bindparam("own_id")).order_by(messages.c.seq)
_PUBLIC_TRANSCRIPT = _TRANSCRIPT.where(messages.c.visibility == Visibility.PUBLIC.value)
_HISTORY = (
    sa.select(events, *[messages.c[name].label(f"message_{name}") for name in _MESSAGE_FIELDS])
    .select_from(
        events.outerjoin(
            messages,
            sa.and_(
                messages.c.conversation_id == events.c.conversation_id,
                messages.c.seq == events.c.seq,
                events.c.kind == Kind.MESSAGE_POSTED.value,
            ),
        )
    )
    .where(events.c.conversation_id == sa.bindparam("own_id"), events.c.seq > sa.bindparam("after"))
    .order_by(events.c.seq)
    .limit(sa.bindparam("at_most"))
)
_PUBLIC_HISTORY = _HISTORY.where(
    events.c.kind.in_([k.value for k in PUBLIC_KINDS]),
    sa.or_(messages.c.id.is_(None), messages.c.visibility == Visibility.PUBLIC.value),
)
_LAST_OFFER = (
    sa.select(events.c.payload)
    .where(events.c.conversation_id == sa.bindparam("own_id"), events.c.kind == Kind.PERSON_OFFERED.value)
    .order_by(events.c.seq.desc())
    .limit(1)
)
_KEEP_READING = sa.update(messages).where(messages.c.id == sa.bindparam("own_id"))
_INSERT_MESSAGES, _INSERT_EVENTS = sa.insert(messages), sa.insert(events)


async def insert(conn: AsyncConnection, conversation: Conversation) -> None:
    """Write a new conversation with what its verbs did so far."""
    await conn.execute(sa.insert(conversations).values(_row(conversation)))
    await _write_changes(conn, conversation)


async def load(conn: AsyncConnection, conversation_id: str, *, lock: bool = False) -> Conversation:
    """The conversation, or NotFound. ``lock`` holds other writers off until the transaction ends."""
    if not conversation_id.isalnum():  # such as NUL, which PostgreSQL refuses even to look for
        raise NotFound(conversation_id)
    found = await conn.execute(_LOAD_LOCKED if lock else _LOAD, {"own_id": conversation_id})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound(conversation_id)
    return _conversation(row)


async def save(conn: AsyncConnection, conversation: Conversation) -> None:
    """Write what the verbs did. Raises Stale when another writer saved it first."""
    read_version = conversation.version
    conversation.version = read_version + 1
    before, now = conversation.stored, _row(conversation)
    changed = {name: value for name, value in now.items() if name not in before or before[name] != value}
    guard = {"own_id": conversation.id, "read_version": read_version}
    if (await conn.execute(_SAVE, changed | guard)).rowcount != 1:
        raise Stale()
    conversation.stored = now
    await _write_changes(conn, conversation)


async def message_already_sent(
    conn: AsyncConnection, conversation_id: str, author: Author, client_message_id: str, text: str
) -> Message | None:
    """The message that came before with this id, if any. Raises MessageIdReused when its text was another."""
    sent = {"own_id": conversation_id, "by": author.value, "sent_as": client_message_id}
    row = (await conn.execute(_ALREADY_SENT, sent)).mappings().one_or_none()
    if row is None:
        return None
    if row["text"] != text:
        raise MessageIdReused(client_message_id)
    return _message(row)


async def transcript(conn: AsyncConnection, conversation_id: str, *, public_only: bool = False) -> list[Message]:
    """All messages in order."""
    query = _PUBLIC_TRANSCRIPT if public_only else _TRANSCRIPT
    return [_message(row) for row in (await conn.execute(query, {"own_id": conversation_id})).mappings()]


async def history(
    conn: AsyncConnection, conversation_id: str, *, after: int = 0, public_only: bool = False, limit: int = 500
) -> list[tuple[Event, Message | None]]:
    """Events with ``seq > after`` in order, each message event with its message.

    With ``public_only``, notes and inner events are left out.
    """
    query = _PUBLIC_HISTORY if public_only else _HISTORY
    asked = {"own_id": conversation_id, "after": after, "at_most": limit}
    rows = (await conn.execute(query, asked)).mappings().all()
    return [(_event(row), _joined_message(row)) for row in rows]


async def open_offer(conn: AsyncConnection, conversation: Conversation) -> dict[str, Any] | None:
    """Reason and evidence of the offer of a person that the customer has not answered yet; None where there is none."""
    if not conversation.offer_open:
        return None
    payload: dict[str, Any] | None = await conn.scalar(_LAST_OFFER, {"own_id": conversation.id})
    return payload


async def claim_due(conn: AsyncConnection, now: datetime, lease: timedelta, limit: int) -> list[str]:
    """Take up to ``limit`` conversations that are due, by moving ``due_at`` on by ``lease``.

    Whoever moved it works on it; if that worker dies, the row falls due again when the lease is over.
    """
    due = (
        sa.select(conversations.c.id)
        .where(conversations.c.due_at <= now)
        .order_by(conversations.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # as a plain subquery PostgreSQL may run it again for every row, and the limit is none
    )
    update = (
        sa.update(conversations)
        .where(conversations.c.id.in_(sa.select(due.c.id)), conversations.c.due_at <= now)
        .values(due_at=now + lease)
        .returning(conversations.c.id)
    )
    return list((await conn.execute(update)).scalars())


async def hasten(conn: AsyncConnection, conversation_id: str, now: datetime) -> None:
    """A turn that is due later, because somebody had claimed it, is due now."""
    await conn.execute(
        sa.update(conversations)
        .where(conversations.c.id == conversation_id, conversations.c.due_at > now)
        .values(due_at=now)
    )


async def next_due(conn: AsyncConnection) -> datetime | None:
    """When the earliest conversation falls due."""
    query = sa.select(conversations.c.due_at).where(conversations.c.due_at.is_not(None))
    return (await conn.execute(query.order_by(conversations.c.due_at).limit(1))).scalar_one_or_none()


async def waiting(conn: AsyncConnection) -> list[Conversation]:
    """The queue: every waiting conversation, the next one first."""
    return await _listed(conn, conversations.c.status == Status.WAITING.value, conversations.c.queue_rank)


async def earlier_of(conn: AsyncConnection, conversation: Conversation, limit: int = 5) -> list[Conversation]:
    """The same known customer's earlier conversations with the shop, the latest first; none for who is not known."""
    if conversation.customer_ref is None:
        return []
    same = sa.and_(
        conversations.c.customer_ref == conversation.customer_ref,
        conversations.c.shop_id == conversation.shop_id,
        conversations.c.opened_at < conversation.opened_at,
    )
    return await _listed(conn, same, conversations.c.opened_at.desc(), limit)


async def count_waiting(conn: AsyncConnection) -> int:
    """How many conversations wait for a person."""
    query = sa.select(sa.func.count()).where(conversations.c.status == Status.WAITING.value)
    return (await conn.execute(query)).scalar_one()


async def with_agents(conn: AsyncConnection) -> list[Conversation]:
    """Every conversation that an agent has, oldest first."""
    return await _listed(conn, conversations.c.status == Status.WITH_AGENT.value, conversations.c.opened_at)


async def with_bot(conn: AsyncConnection, limit: int = 50) -> list[Conversation]:
    """The newest conversations the bot is holding, for an agent who wants to look or take over."""
    return await _listed(conn, conversations.c.status == Status.BOT.value, conversations.c.opened_at.desc(), limit)


async def last_customer_messages(conn: AsyncConnection, ids: Sequence[str]) -> dict[str, Message]:
    """The customer's latest message of each conversation that has one."""
    newest = (
        sa.select(messages.c.conversation_id, sa.func.max(messages.c.seq).label("seq"))
        .where(messages.c.conversation_id.in_(ids), messages.c.author == Author.CUSTOMER.value)
        .group_by(messages.c.conversation_id)
        .subquery()
    )
    query = sa.select(messages).join(
        newest, sa.and_(messages.c.conversation_id == newest.c.conversation_id, messages.c.seq == newest.c.seq)
    )
    return {row["conversation_id"]: _message(row) for row in (await conn.execute(query)).mappings()}


async def stints_since(conn: AsyncConnection, since: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """Every agent's part in a conversation that ended after ``since``: (end, stint)."""
    stint = events.c.payload["stint"]
    query = sa.select(
        events.c.at, stint["agent_id"].as_string(), stint["seconds"].as_float(), stint["heavy_minutes"].as_float()
    ).where(events.c.kind.in_([kind.value for kind in STINT_ENDS]), events.c.at > since)
    names = ("agent_id", "seconds", "heavy_minutes")
    rows = (await conn.execute(query)).all()
    return [(row[0], dict(zip(names, row[1:], strict=True))) for row in rows if row[1]]


async def offers_expired(conn: AsyncConnection, now: datetime) -> list[str]:
    """Conversations whose offer to an agent was not answered in time."""
    return await _ids(conn, conversations.c.offer_expires_at <= now, conversations.c.offer_expires_at)


async def promises_broken(conn: AsyncConnection, now: datetime) -> list[str]:
    """Waiting conversations whose customer was told a shorter wait."""
    overdue = sa.and_(conversations.c.status == Status.WAITING.value, conversations.c.promised_until <= now)
    return await _ids(conn, overdue, conversations.c.promised_until)


async def next_desk_deadline(conn: AsyncConnection) -> datetime | None:
    """When the earliest offer expires or promise breaks."""
    columns = (conversations.c.offer_expires_at, conversations.c.promised_until)
    found = [await conn.scalar(sa.select(sa.func.min(column))) for column in columns]
    return min((at for at in found if at is not None), default=None)


async def _ids(conn: AsyncConnection, where: Any, order: Any) -> list[str]:
    return list((await conn.execute(sa.select(conversations.c.id).where(where).order_by(order).limit(200))).scalars())


async def _listed(conn: AsyncConnection, where: Any, order: Any, limit: int = 500) -> list[Conversation]:
    query = sa.select(conversations).where(where).order_by(order, conversations.c.id).limit(limit)
    return [_conversation(row) for row in (await conn.execute(query)).mappings()]


async def _write_changes(conn: AsyncConnection, conversation: Conversation) -> None:
    if conversation.posted:
        await conn.execute(_INSERT_MESSAGES, [_message_row(conversation.id, m) for m in conversation.posted])
    for message_id, reading in conversation.readings.items():
        await conn.execute(_KEEP_READING, {"own_id": message_id, "reading": reading})
    if conversation.changes:
        await conn.execute(_INSERT_EVENTS, [_event_row(conversation.id, e) for e in conversation.changes])
    if (saved := conn.info.get(SAVED)) is not None:
        saved.append(Saved(conversation, conversation.changes, conversation.posted))
    conversation.posted, conversation.changes, conversation.readings = [], [], {}


def _row(conversation: Conversation) -> dict[str, Any]:
    return {name: getattr(conversation, name) for name in _COLUMNS} | {"status": conversation.status.value}


def _conversation(row: Any) -> Conversation:
    stored = {name: row[name] for name in _COLUMNS}
    return Conversation(
        **stored | {"status": Status(row["status"])}, stored={name: _apart(value) for name, value in stored.items()}
    )


def _apart(value: Any) -> Any:
    """A value that does not change when the conversation's own list or mapping does."""
    return copy.copy(value) if isinstance(value, (list, dict)) else value


def _message_row(conversation_id: str, message: Message) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in _MESSAGE_FIELDS}
    return row | {
        "conversation_id": conversation_id,
        "author": message.author.value,
        "visibility": message.visibility.value,
    }


def _message(row: Any, prefix: str = "") -> Message:
    values = {name: row[prefix + name] for name in _MESSAGE_FIELDS}
    return Message(**values | {"author": Author(values["author"]), "visibility": Visibility(values["visibility"])})


def _joined_message(row: Any) -> Message | None:
    return None if row["message_id"] is None else _message(row, "message_")


def _event_row(conversation_id: str, event: Event) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id, "seq": event.seq, "kind": event.kind.value,
        "actor": event.actor, "payload": event.payload, "at": event.at,
    }  # fmt: skip


def _event(row: Any) -> Event:
    return Event(row["seq"], Kind(row["kind"]), row["actor"], row["payload"], row["at"])
