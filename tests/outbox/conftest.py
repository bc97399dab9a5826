"""A database with an outbox, the carriers on real sockets, and a clock that moves when told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.db import Database
from app.live import live_for
from app.outbox import endpoints, outbox
from app.outbox.deliveries import Deliveries
from app.outbox.endpoints import KINDS, Endpoint
from app.outbox.http import Poster
from app.outbox.links import Links
from app.outbox.mail import Mail
from app.outbox.notices import Notices
from app.outbox.outbox import Channel, Delivery
from app.outbox.webhooks import Webhooks
from app.outbox.writer import Outbox, Reach
from app.shopfront import Shops, open_shop
from conversations import store
from conversations.conversation import Conversation
from tests.conftest import ALICE, Clock
from tests.serving import SECRET, SMALL_SHOP

BASE_URL = "https://chat.shop.example"


@dataclass
class Room:
    """An outbox at work, one step at a time."""

    db: Database
    outbox: Outbox
    deliveries: Deliveries
    clock: Clock
    links: Links
    poster: Poster

    async def endpoint(self, url: str, *kinds: str, with_text: bool = False) -> tuple[Endpoint, str]:
        async with self.db.unit_of_work() as work:
            return await endpoints.add(
                work.conn, url, kinds or KINDS, with_text, self.clock(), allow_private=True
            )  # fmt: skip

    async def insert(self, conversation: Conversation) -> Conversation:
        async with self.db.unit_of_work() as work:
            await store.insert(work.conn, conversation)
        return conversation

    async def save(self, conversation: Conversation) -> Conversation:
        async with self.db.unit_of_work() as work:
            await store.save(work.conn, conversation)
        return conversation

    async def reply(self, conversation: Conversation, text: str = "Here is your answer.") -> int:
        """Alice writes; the seq of what she wrote."""
        said = conversation.reply(ALICE.id, ALICE.name, text, f"a-{conversation.last_seq}", self.clock())
        await self.save(conversation)
        return said.seq

    async def step(self) -> None:
        """Everything that is due now is looked at and attempted once."""
        while await self.deliveries.start_due():
            await self.settle()

    async def settle(self) -> None:
        await asyncio.gather(*self.deliveries._in_flight)

    async def all(self) -> list[Delivery]:
        """Every delivery, the oldest first."""
        async with self.db.read() as conn:
            return (await outbox.latest(conn))[::-1]

    async def only(self) -> Delivery:
        (one,) = await self.all()
        return one

    async def due_again(self) -> float:
        """Steps to when the only delivery falls due again; gives the wait in seconds."""
        due = (await self.only()).due_at
        assert due
        wait = (due - self.clock()).total_seconds()
        self.clock.now = due
        return wait


Furnish = Callable[..., Any]


async def furnished(db_url: str, clock: Clock, folder: Path, reach: Reach, timeout: float = 1.0) -> Room:
    """A room on a migrated database."""
    writer = Outbox(reach)
    db = Database(db_url, live_for(db_url), writer)
    links = Links(SECRET, BASE_URL)
    shops = Shops([open_shop(SMALL_SHOP, None, folder / "cache")])
    poster = Poster(timeout, allow_private=True)
    carriers = {
        Channel.WEBHOOK: Webhooks(db, poster),
        Channel.MAIL: Mail(db, reach.mail, shops, links, timeout),
        Channel.NOTICE: Notices(db, reach.notify, shops, links, timeout),
    }
    deliveries = Deliveries(db, writer, carriers, timedelta(seconds=2 * timeout), clock)
    return Room(db, writer, deliveries, clock, links, poster)


@pytest.fixture
async def furnish(clock: Clock, tmp_path: Path) -> AsyncIterator[Furnish]:
    """Makes rooms; ``await furnish(url, mail=..., timeout=...)``."""
    rooms: list[Room] = []

    async def make(url: str, *, timeout: float = 1.0, **reach: Any) -> Room:
        room = await furnished(url, clock, tmp_path, Reach(**reach), timeout)
        rooms.append(room)
        return room

    yield make
    for room in rooms:
        await room.settle()
        await room.poster.close()
        await room.db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once of each kind."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    found: str = request.getfixturevalue(f"migrated_{kind}_url")
    return found


@pytest.fixture
async def room(url: str, furnish: Furnish) -> Room:
    """On each kind of database, nothing configured."""
    made: Room = await furnish(url)
    return made


class Statements:
    """Counts the statements that a database is sent."""

    def __init__(self, db: Database) -> None:
        self.sent: list[str] = []
        self._engines = {engine.sync_engine for engine in (db._writer, db._reader, db._scanner)}

    def __enter__(self) -> list[str]:
        for engine in self._engines:
            sa.event.listen(engine, "before_cursor_execute", self._note)
        return self.sent

    def __exit__(self, *_: object) -> None:
        for engine in self._engines:
            sa.event.remove(engine, "before_cursor_execute", self._note)

    def _note(self, conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.sent.append(statement)
