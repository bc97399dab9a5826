"""Commit first, announce after: whoever is woken finds what woke them."""

import asyncio
import contextlib
import gc
import sqlite3
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from app.db import Database
from app.live import EVERYTHING, MemoryLive
from conversations import store
from conversations.conversation import Conversation
from conversations.errors import NotFound
from tests.conftest import SHOP_ID, START, open_database
from tests.contract.houses import keep, loaded, opened, saved

AT_ONCE = 0.05
"""Long enough for a wake-up that was sent within this process; nothing is sent, so it must run out."""
SOON = 5.0


async def test_a_commit_wakes_who_follows_the_conversation(db: Database) -> None:
    conversation = await keep(db, opened())
    async with db.live.subscribe(conversation.id) as bell:
        async with db.unit_of_work() as work:
            work.announce(conversation.id)
        assert await bell.wait(SOON) == {conversation.id}


async def test_a_commit_wakes_who_follows_everything(db: Database) -> None:
    async with db.live.subscribe(EVERYTHING) as bell:
        await bell.wait(AT_ONCE)  # a carrier that has just connected wakes everyone once
        async with db.unit_of_work() as work:
            work.announce("c1")
            work.announce("c2")
        assert await bell.wait(SOON) | await bell.wait(AT_ONCE) == {"c1", "c2"}


async def test_who_follows_another_conversation_sleeps_on(db: Database) -> None:
    async with db.live.subscribe("other") as bell:
        await bell.wait(AT_ONCE)
        async with db.unit_of_work() as work:
            work.announce("c1")
        assert await bell.wait(AT_ONCE) == set()


async def test_nobody_is_woken_before_the_commit(db: Database) -> None:
    conversation = await keep(db, opened())
    async with db.live.subscribe(conversation.id) as bell:
        await bell.wait(AT_ONCE)
        async with db.unit_of_work() as work:
            work.announce(conversation.id)
            assert await bell.wait(AT_ONCE) == set()
        assert await bell.wait(SOON) == {conversation.id}


async def test_by_the_time_anyone_is_woken_everyone_can_read_it(db: Database) -> None:
    conversation = await keep(db, opened())
    found: list[int] = []

    class ReadsFirst(MemoryLive):
        """A carrier that looks into the database, over another connection, before it wakes anyone."""

        async def announce(self, conversation_id: str) -> None:
            async with db.read() as conn:
                found.append(len(await store.transcript(conn, conversation_id)))

    writer = Database(db.url.render_as_string(False), ReadsFirst())
    conversation.receive("and another thing", "c2", START)
    async with writer.unit_of_work() as work:
        await store.save(work.conn, conversation)
        work.announce(conversation.id)
    await writer.close()
    assert found == [2]


async def test_what_fails_is_undone_and_wakes_nobody(db: Database) -> None:
    conversation = Conversation.open(SHOP_ID, START)
    async with db.live.subscribe(conversation.id) as bell:
        await bell.wait(AT_ONCE)
        with contextlib.suppress(ZeroDivisionError):
            async with db.unit_of_work() as work:
                await store.insert(work.conn, conversation)
                work.announce(conversation.id)
                raise ZeroDivisionError
        assert await bell.wait(AT_ONCE) == set()
    with pytest.raises(NotFound):
        await loaded(db, conversation.id)


async def test_a_cancelled_writer_leaves_nothing_and_the_next_can_write(db: Database) -> None:
    conversation = await keep(db, opened())
    inside = asyncio.Event()

    async def write() -> None:
        async with db.unit_of_work() as work:
            mine = await store.load(work.conn, conversation.id, lock=True)
            mine.receive("half done", "c2", START)
            await store.save(work.conn, mine)
            inside.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write())
    await inside.wait()
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    conversation.receive("whole", "c3", START)
    after = await saved(db, conversation)
    async with db.read() as conn:
        assert [m.text for m in await store.transcript(conn, after.id)] == ["Where is my parcel?", "whole"]


async def test_a_stream_that_is_cancelled_waits_for_its_statement_in_the_thread(migrated_sqlite_url: str) -> None:
    """A server cancels a stream again and again until it has ended; its connection must not be closed before."""
    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    async with open_database(migrated_sqlite_url) as db:
        await keep(db, opened())
        with sqlite3.connect(str(db.url.database), isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")  # another process writes
            with anyio.CancelScope() as scope:
                asyncio.get_running_loop().call_later(0.1, scope.cancel)
                asyncio.get_running_loop().call_later(0.4, other.execute, "ROLLBACK")
                async with db.unit_of_work():
                    pytest.fail("began although another process writes")
            assert scope.cancelled_caught
            assert not other.in_transaction  # so the statement had ended before the stream did
        await keep(db, opened())
    gc.collect()
    assert lost == []


async def test_readers_do_not_wait_for_a_writer_and_see_the_old_state(db: Database) -> None:
    conversation = await keep(db, opened())
    async with db.unit_of_work() as work:
        mine = await store.load(work.conn, conversation.id, lock=True)
        mine.receive("not yet", "c2", START)
        await store.save(work.conn, mine)
        async with db.read() as conn:
            assert len(await store.transcript(conn, conversation.id)) == 1


async def test_a_thousand_wake_ups_are_kept_as_one(db: Database) -> None:
    async with db.live.subscribe("c1") as bell:
        for _ in range(1000):
            await db.live.announce("c1")
        assert await bell.wait(SOON) == {"c1"}


async def test_a_follower_who_left_is_forgotten(db: Database) -> None:
    async with db.live.subscribe("c1") as bell:
        pass
    await db.live.announce("c1")
    assert await bell.wait(0) == set()


async def test_the_database_says_when_it_answers(db: Database) -> None:
    await db.ping()


async def test_a_writer_in_another_process_is_waited_for_without_holding_up_the_loop(migrated_sqlite_url: str) -> None:
    db = Database(migrated_sqlite_url, MemoryLive())

    async def write() -> None:
        async with db.unit_of_work() as work:
            await work.conn.execute(sa.text("update conversations set version = version"))

    await write()
    elsewhere = sqlite3.connect(str(make_url(migrated_sqlite_url).database), isolation_level=None)
    elsewhere.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(write())
    ticks = [await asyncio.sleep(0.01, i) for i in range(20)]
    assert (len(ticks), writing.done()) == (20, False)
    elsewhere.execute("ROLLBACK")
    elsewhere.close()
    await asyncio.wait_for(writing, 5)
    await db.close()
