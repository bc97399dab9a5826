"""Whether the desk has room for one more, read from the database."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.shop import Shop
from conversations import store
from handoff import desk
from handoff.capacity import Capacity, capacity_of

Room = Callable[[AsyncConnection, Shop, datetime], Awaitable[Capacity]]


async def room_now(conn: AsyncConnection, shop: Shop, now: datetime) -> Capacity:
    """The desk's capacity for one more customer of ``shop``."""
    agents = await desk.agents_online(conn, now)
    waiting = await store.count_waiting(conn)
    return capacity_of(open_now=shop.is_open(now), agents=len(agents), waiting=waiting)


async def room_enough(_: AsyncConnection, __: Shop, ___: datetime) -> Capacity:
    """A desk that always has room, for measuring the policy by itself."""
    return Capacity.FREE
