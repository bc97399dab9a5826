"""Who waits is told when the queue moves or somebody comes, without waiting for the slow re-read."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from app.db import Database
from app.live import MemoryLive
from app.migrate import migrate
from app.queue import wait_for
from app.web.stream import READ_AGAIN
from conversations import store
from handoff.desk import people
from tests.conftest import ALICE, BOB, START
from tests.contract.houses import hand_off, keep, opened
from tests.serving import Listener, browser, eventually, hire, open_chat, serving, session, settings_for

AT_ONCE = READ_AGAIN / 2
"""Seconds within which a wake-up has come; the slow re-read would take twice as long."""


@pytest.fixture
async def desk(tmp_path: Path, database_url: str) -> AsyncIterator[tuple[Database, httpx.AsyncClient]]:
    migrate(database_url)
    database = Database(database_url, MemoryLive())
    await hire(database, ALICE, BOB)
    async with serving(settings_for(tmp_path, database_url)) as url, browser(url) as http:
        yield database, http
    await database.close()


async def test_a_customers_place_and_wait_follow_the_queue_and_the_people(
    desk: tuple[Database, httpx.AsyncClient],
) -> None:
    db, http = desk
    alice = await session(db, ALICE)
    first, second = await open_chat(db, "Cora"), await open_chat(db, "Dora")
    for chat in (first, second):
        await http.put(f"{chat.path}/handoff", headers=chat.headers)

    def told(stream: Listener) -> dict[str, int | None]:
        return (stream.states[-1]["wait"] if stream.states else None) or {}

    async with Listener(http, f"{second.path}/stream", second.headers) as stream:
        await eventually(lambda: told(stream) == {"place": 2, "minutes": None}, "the first place")
        async with Listener(http, "/api/desk/stream", alice) as console:
            await eventually(lambda: told(stream).get("minutes"), "a wait, now that Alice is there", within=AT_ONCE)
            await http.put(f"/api/conversations/{first.id}/assignee", headers=alice)
            await eventually(lambda: told(stream).get("place") == 1, "the queue's move", within=AT_ONCE)
            await eventually(
                lambda: any(kind == "desk" and data["offered"] for kind, _, data in console.items), "the offer"
            )
            assert not any("*" in i for kind, _, data in console.items if kind == "changed" for i in data)


async def test_who_does_not_wait_is_not_read_for_when_the_queue_moves(
    desk: tuple[Database, httpx.AsyncClient],
) -> None:
    db, http = desk
    calm, other = await open_chat(db, "Cora"), await open_chat(db, "Dora")
    async with Listener(http, f"{calm.path}/stream", calm.headers) as stream:
        await eventually(lambda: stream.states, "the first state")
        await http.put(f"{other.path}/handoff", headers=other.headers)
        await http.put(f"{calm.path}/offer", json={"accept": False}, headers=calm.headers)
        assert len(stream.states) == 1


@pytest.mark.parametrize("waiting", [0, 60])
async def test_a_wait_is_one_statement_however_long_the_queue(db: Database, waiting: int) -> None:
    """It runs inside the bot's turn: handing over must cost hardly more than answering."""
    async with db.unit_of_work() as work:
        await people.seen(work.conn, ALICE.id, START)
        for i in range(waiting):
            await store.insert(work.conn, hand_off(opened(), rank=float(i)))
    newcomer = hand_off(opened(), rank=1e9)
    statements: list[str] = []
    engine = db._reader.sync_engine
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    async with db.read() as conn:
        wait = await wait_for(conn, newcomer, START)
    assert len([s for s in statements if s.startswith("SELECT")]) == 1
    assert wait.place == waiting + 1
    assert newcomer.promised_until == START + timedelta(minutes=wait.minutes or 0)


async def test_one_who_was_there_before_is_not_counted_twice(db: Database) -> None:
    conversation = await keep(db, hand_off(opened(), rank=5.0))
    async with db.read() as conn:
        assert (await wait_for(conn, conversation, START)).place == 1
