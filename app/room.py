"""Whether the desk has room for one more, read from the database."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import store
from handoff import desk
from handoff.capacity import Capacity, capacity_of

Room = Callable[[AsyncConnection, datetime], Awaitable[Capacity]]


async def room_now(conn: AsyncConnection, now: datetime) -> Capacity:
    """The desk's capacity for one more customer."""
    agents = await desk.agents_online(conn, now)
    waiting = await store.count_waiting(conn)
    return capacity_of(agents=len(agents), waiting=waiting)


async def room_enough(_: AsyncConnection, __: datetime) -> Capacity:
    """A desk that always has room, for measuring the policy by itself."""
    return Capacity.FREE
