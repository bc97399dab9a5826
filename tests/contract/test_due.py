"""Claiming what is due: each row to exactly one worker, and to another when that one dies."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.db import Database
from conversations import store
from conversations.conversation import Conversation
from conversations.tables import conversations
from tests.conftest import SHOP_ID, START, Clock, open_database
from tests.contract.houses import keep, loaded, opened, saved

LEASE = timedelta(seconds=20)


async def claim(db: Database, now: datetime, limit: int = 100) -> list[str]:
    async with db.unit_of_work() as work:
        return await store.claim_due(work.conn, now, LEASE, limit)


async def many_due(db: Database, count: int, at: datetime = START) -> set[str]:
    found = [Conversation.open(SHOP_ID, at) for _ in range(count)]
    async with db.unit_of_work() as work:
        for conversation in found:
            conversation.receive("hello", "c1", at)
            await store.insert(work.conn, conversation)
    return {c.id for c in found}


async def test_twenty_workers_at_once_claim_each_row_exactly_once(db: Database) -> None:
    due = await many_due(db, 60)

    async def work() -> list[str]:
        mine: list[str] = []
        while got := await claim(db, START, limit=4):
            mine += got
        return mine

    claimed = Counter(i for ids in await asyncio.gather(*(work() for _ in range(20))) for i in ids)
    # a worker that skipped rows another held may stop early; what was left is claimed now, still only once
    claimed.update(await claim(db, START))
    assert set(claimed) == due
    assert set(claimed.values()) == {1}


async def test_no_more_than_the_limit_is_claimed_the_longest_due_first(db: Database, clock: Clock) -> None:
    late = await keep(db, opened(clock.step(minutes=2)))
    early = await keep(db, opened(START))
    assert await claim(db, clock(), limit=1) == [early.id]
    assert await claim(db, clock(), limit=1) == [late.id]


async def test_what_is_not_due_yet_is_left_alone(db: Database, clock: Clock) -> None:
    conversation = await keep(db, opened(START + timedelta(seconds=1)))
    assert await claim(db, START) == []
    assert await claim(db, clock.step(seconds=1)) == [conversation.id]


async def test_what_is_not_due_at_all_is_never_claimed(db: Database) -> None:
    await keep(db, Conversation.open(SHOP_ID, START))
    assert await claim(db, START + timedelta(days=365)) == []


async def test_a_claimed_row_falls_due_again_when_the_lease_is_over(db: Database, clock: Clock) -> None:
    conversation = await keep(db, opened())
    await claim(db, clock())
    clock.step(seconds=19)
    assert await claim(db, clock()) == []
    clock.step(seconds=1)
    assert await claim(db, clock()) == [conversation.id]


async def test_claiming_does_not_make_the_workers_own_save_stale(db: Database) -> None:
    conversation = await keep(db, opened())
    await claim(db, START)
    conversation.say("Here I am", START)
    conversation.due_at = None
    assert (await saved(db, conversation)).due_at is None


async def test_on_postgresql_a_row_that_someone_holds_is_passed_over_and_not_waited_for(
    migrated_postgres_url: str,
) -> None:
    async with open_database(migrated_postgres_url) as db:
        held, free = await keep(db, opened()), await keep(db, opened())
        async with db.unit_of_work() as work, asyncio.timeout(10):
            await store.load(work.conn, held.id, lock=True)
            assert await claim(db, START) == [free.id]


async def test_a_claim_that_is_rolled_back_leaves_the_row_due(db: Database) -> None:
    conversation = await keep(db, opened())
    try:
        async with db.unit_of_work() as work:
            await store.claim_due(work.conn, START, LEASE, 10)
            raise ConnectionError
    except ConnectionError:
        pass
    assert await claim(db, START) == [conversation.id]


async def test_the_next_due_time_is_the_earliest(db: Database, clock: Clock) -> None:
    async with db.read() as conn:
        assert await store.next_due(conn) is None
    await keep(db, opened(clock.step(minutes=5)))
    await keep(db, opened(START))
    async with db.read() as conn:
        assert await store.next_due(conn) == START


async def test_a_turn_is_due_whenever_the_customer_writes(db: Database, clock: Clock) -> None:
    conversation = await keep(db, opened())
    async with db.unit_of_work() as work:
        where = conversations.c.id == conversation.id
        await work.conn.execute(sa.update(conversations).where(where).values(due_at=None))
    again = await loaded(db, conversation.id)
    again.receive("still there?", "c2", clock.step(minutes=1))
    assert (await saved(db, again)).due_at == clock()


async def test_no_more_are_claimed_than_were_asked_for(db: Database) -> None:
    for _ in range(40):
        conversation = opened()
        conversation.receive("hello", "message-1", START)
        await keep(db, conversation)
    async with db.unit_of_work() as work:
        assert len(await store.claim_due(work.conn, START, timedelta(minutes=1), 3)) == 3
