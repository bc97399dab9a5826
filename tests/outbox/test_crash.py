"""kill -9 between sending and writing down that it was sent: sent again, with the same id, and then no more."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.db import Database
from app.live import live_for
from app.outbox import outbox
from app.outbox.outbox import Delivery, Status
from app.outbox.writer import Outbox, Reach
from conversations import store
from tests.app.process import Process
from tests.conftest import OLGA
from tests.contract.houses import taken
from tests.outbox.receivers import receiving
from tests.serving import browser, eventually, hire, session

TIMEOUT = "2"
"""Seconds an attempt may take; after twice this the lease is over."""


@dataclass
class Shop:
    """A server that can be killed, and its database seen from here."""

    server: Process
    db: Database

    async def all(self) -> list[Delivery]:
        async with self.db.read() as conn:
            return await outbox.latest(conn)

    async def endpoint(self, url: str) -> None:
        await hire(self.db, OLGA)
        async with browser(self.server.address) as http:
            body = {"url": url, "kinds": ["taken"]}
            answer = await http.post("/api/endpoints", json=body, headers=await session(self.db, OLGA))
            assert answer.status_code == 201, answer.text

    async def insert(self) -> None:
        """A conversation that an agent has taken, written by another process than the one that delivers."""
        async with self.db.unit_of_work() as work:
            await store.insert(work.conn, taken())


@pytest.fixture
async def shop(tmp_path: Path, url: str) -> AsyncIterator[Shop]:
    db = Database(url, live_for(url), Outbox(Reach()))
    server = Process(tmp_path, url, WARMLINE_WEBHOOK_ALLOW_PRIVATE="1", WARMLINE_DELIVERY_TIMEOUT=TIMEOUT)
    await server.start()
    try:
        yield Shop(server, db)
    finally:
        server.stop()
        await db.close()


async def test_what_was_sent_and_not_marked_is_sent_again_with_the_same_id(shop: Shop) -> None:
    async with receiving("hang") as receiver:
        await shop.endpoint(receiver.url)
        await shop.insert()
        await eventually(lambda: receiver.came, "the first delivery")
        shop.server.kill()  # it was received, and nobody wrote that down
        (one,) = await shop.all()
        assert (one.status, one.attempts) == (Status.PENDING, 1)
        await shop.server.start()
        await eventually(lambda: len(receiver.came) == 2, "the second delivery")
        await eventually(lambda: _is(shop, Status.SENT), "the mark")
        await asyncio.sleep(2 * float(TIMEOUT) + 2.5)
        assert receiver.ids == [one.id] * 2
        assert receiver.came[0].body == receiver.came[1].body
    (one,) = await shop.all()
    assert one.attempts == 2


async def test_what_fell_due_while_the_service_was_down_is_sent_when_it_is_back(shop: Shop) -> None:
    async with receiving() as receiver:
        await shop.endpoint(receiver.url)
        shop.server.kill()
        await shop.insert()
        (one,) = await shop.all()
        assert one.status is Status.PENDING
        await shop.server.start()
        await eventually(lambda: _is(shop, Status.SENT), "the delivery")
        assert receiver.ids == [one.id]


async def _is(shop: Shop, status: Status) -> bool:
    return {one.status for one in await shop.all()} == {status}
