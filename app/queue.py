"""The desk as it stands now: who waits, who is held, who is there and what they have carried; and one wait alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.shop import Shop
from conversations import store
from conversations.conversation import Conversation
from handoff import desk
from handoff.desk import Agent, Pace, Stint, Wait, Waiting, people
from handoff.desk.load import HEAVY, REMEMBERED, expected_load
from handoff.desk.people import Presence

BACK_TO_SAME = timedelta(minutes=30)
"""A conversation that joins the queue again this soon is offered first to the agent who had it."""


@dataclass(frozen=True)
class DeskNow:
    """Who waits, who is held, who is there."""

    now: datetime
    waiting: list[Conversation]
    held: list[Conversation]
    people: dict[str, Presence]
    """Everyone seen at the desk within a shift, by id; some may be gone by now."""
    stints: dict[str, list[Stint]]
    """What each agent has carried within REMEMBERED, the chats they have now included."""
    pace: Pace

    @property
    def online(self) -> list[str]:
        """Ids of who is at the desk, on a break or not."""
        return [agent_id for agent_id, person in self.people.items() if person.is_online(self.now)]

    def held_by(self, agent_id: str) -> list[Conversation]:
        """The conversations an agent has."""
        return [c for c in self.held if c.assignee_id == agent_id]

    def offered_to(self, agent_id: str) -> list[Conversation]:
        """The conversations an agent is asked to take."""
        return [c for c in self.waiting if c.offered_to == agent_id]

    def load(self, agent_id: str) -> float:
        """Decayed heavy minutes."""
        return desk.load_of(self.stints.get(agent_id, []), self.now)

    def streak(self, agent_id: str) -> int:
        """Heavy chats in a row."""
        return desk.streak_of(self.stints.get(agent_id, []), self.now)

    def wait(self, conversation: Conversation) -> Wait:
        """Place and pessimistic wait of a waiting conversation."""
        here = [p for p in self.people.values() if p.takes_chats(self.now)]
        busy = sum(len(self.held_by(p.agent_id)) for p in here)
        place = desk.place_of(conversation, self.waiting)
        return desk.wait_of(place, len(here), sum(p.capacity for p in here), busy, self.pace)

    def agents(self) -> list[Agent]:
        """Who takes chats now, as assignment sees them."""
        return [self._agent(p) for p in self.people.values() if p.takes_chats(self.now)]

    def agent(self, agent_id: str) -> Agent:
        """One agent as assignment sees them, whether they take chats or not."""
        return self._agent(self.people.get(agent_id) or Presence(agent_id, self.now))

    def queue(self) -> list[Waiting]:
        """The queue as assignment sees it."""
        return [_waiting(c, self.now) for c in self.waiting]

    def _agent(self, person: Presence) -> Agent:
        mine = person.agent_id
        held, stints = len(self.held_by(mine)), self.stints.get(mine, [])
        agent = Agent(
            mine, person.capacity - held, held, expected_load(stints, self.now), self.streak(mine),
            frozenset(person.skills), frozenset(person.languages),
        )  # fmt: skip
        for conversation in self.offered_to(mine):
            agent = agent.with_chat(is_heavy(conversation))
        return agent


async def desk_now(conn: AsyncConnection, now: datetime, *, lock: bool = False) -> DeskNow:
    """Read the desk. ``lock`` keeps others from assigning until the transaction ends; ask before locking anything."""
    there = {p.agent_id: p for p in await people.everyone_seen(conn, now, lock=lock)}
    held = await store.with_agents(conn)
    return DeskNow(
        now, await store.waiting(conn), held, there, await _stints(conn, held, now),
        await people.pace(conn),
    )  # fmt: skip


async def wait_now(conn: AsyncConnection, conversation: Conversation, now: datetime) -> Wait:
    """Place and wait of one conversation, by counting: as cheap with 500 in the queue as with none."""
    return await people.wait_of_one(conn, conversation, now)


async def wait_for(conn: AsyncConnection, conversation: Conversation, now: datetime) -> Wait:
    """Place and wait of one that has just joined the queue; until when was said is kept as a promise."""
    wait = await wait_now(conn, conversation, now)
    conversation.promise(now + timedelta(minutes=wait.minutes) if wait.minutes else None)
    return wait


def rank_again(conversation: Conversation, shop: Shop) -> float:
    """The rank of a conversation that goes back into the queue: as if it had never left."""
    joined = conversation.queued_at or conversation.opened_at
    urgency = conversation.urgency
    if urgency is None:  # taken over from the bot: nobody had asked for a person
        urgency = desk.urgency_of(conversation.handoff_reason or "asked", conversation.intensity)
    return desk.queue_rank(joined, urgency, shop.opens_at(joined))


def is_heavy(conversation: Conversation) -> bool:
    """Whether it is heavy now, by what its customer wrote."""
    return conversation.intensity >= HEAVY


def _waiting(conversation: Conversation, now: datetime) -> Waiting:
    recent = conversation.last_agent_at is not None and conversation.last_agent_at > now - BACK_TO_SAME
    return Waiting(
        conversation.id, is_heavy(conversation), conversation.skill, conversation.language, conversation.offered_to,
        conversation.passed, conversation.last_agent_id if recent else None, _waited(conversation, now),
    )  # fmt: skip


def _waited(conversation: Conversation, now: datetime) -> float:
    """Seconds since it joined the queue for the first time; danger has always waited long enough."""
    if conversation.queued_at is None or (conversation.urgency or 0.0) >= 1.0:
        return math.inf
    return (now - conversation.queued_at).total_seconds()


async def _stints(conn: AsyncConnection, held: Sequence[Conversation], now: datetime) -> dict[str, list[Stint]]:
    stints = [
        Stint(s["agent_id"], end - timedelta(seconds=s["seconds"]), end, s["heavy_minutes"])
        for end, s in await store.stints_since(conn, now - REMEMBERED)
    ]
    stints += [
        Stint(c.assignee_id or "", c.taken_at, None, c.heavy_minutes_until(now), c.intensity)
        for c in held
        if c.taken_at is not None
    ]
    by_agent: dict[str, list[Stint]] = {}
    for stint in stints:
        by_agent.setdefault(stint.agent_id, []).append(stint)
    return by_agent
