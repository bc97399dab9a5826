"""The desk as it stands now: one read of the queue, of who is there, and of how long chats take."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import store
from conversations.conversation import Conversation
from handoff import desk
from handoff.desk import Wait


@dataclass(frozen=True)
class DeskNow:
    """Who waits, who is held, who is there."""

    waiting: list[Conversation]
    held: list[Conversation]
    online: list[str]
    handling: list[timedelta]

    def wait(self, conversation: Conversation) -> Wait:
        """Place and pessimistic wait of a waiting conversation."""
        place = desk.place_of(conversation, self.waiting)
        return desk.wait_of(place, len(self.online), len(self.held), self.handling)


async def desk_now(conn: AsyncConnection, now: datetime) -> DeskNow:
    """Read the desk."""
    return DeskNow(
        await store.waiting(conn),
        await store.with_agents(conn),
        await desk.agents_online(conn, now),
        desk.handling_times(await store.handling_events(conn)),
    )


async def wait_for(conn: AsyncConnection, conversation: Conversation, now: datetime) -> Wait:
    """Place and wait of one conversation that has just joined the queue."""
    return (await desk_now(conn, now)).wait(conversation)
