"""Small helpers of the contract tests: conversations in a state, saved."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from app.db import Database
from conversations import store
from conversations.conversation import Conversation
from tests.conftest import ALICE, CORA, SHOP_ID, START, Person

EVIDENCE = [{"signal": "asked_for_human", "value": 1.0, "threshold": 1.0, "text": "Asked for a person",
             "message_id": "m"}]  # fmt: skip


def opened(at: datetime = START, text: str = "Where is my parcel?") -> Conversation:
    """Cora has written once."""
    conversation = Conversation.open(SHOP_ID, at, CORA.name, CORA.email, "https://shop.example/tea-towels")
    conversation.receive(text, f"c-{conversation.id}", at)
    return conversation


def hand_off(conversation: Conversation, at: datetime = START, *, reason: str = "asked", rank: float = 0.0,
             state: str | None = "neutral", decided_by: str = "policy") -> Conversation:  # fmt: skip
    """Ask for a person."""
    conversation.request_handoff(reason, EVIDENCE, at, queue_rank=rank, urgency=0.3, decided_by=decided_by, state=state)
    return conversation


def taken(agent: Person = ALICE, at: datetime = START) -> Conversation:
    """An agent has taken a conversation from the queue."""
    conversation = hand_off(opened(at), at)
    conversation.take(agent.id, agent.name, at + timedelta(minutes=1))
    return conversation


async def keep(db: Database, conversation: Conversation) -> Conversation:
    """Insert it in a transaction of its own, and load it again."""
    async with db.unit_of_work() as work:
        await store.insert(work.conn, conversation)
    return await loaded(db, conversation.id)


async def started(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """A task that has got as far as it can: it is done, or held up by a transaction of ours."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task}, timeout=0.3)
    return task


async def loaded(db: Database, conversation_id: str) -> Conversation:
    async with db.read() as conn:
        return await store.load(conn, conversation_id)


async def saved(db: Database, conversation: Conversation) -> Conversation:
    async with db.unit_of_work() as work:
        await store.save(work.conn, conversation)
    return await loaded(db, conversation.id)
