"""The queue and presence as the database keeps them."""

from datetime import timedelta

from app.db import Database
from conversations import store
from handoff import desk
from tests.conftest import ALICE, BOB, START, Clock
from tests.contract.houses import hand_off, keep, opened, started, taken


async def test_the_queue_is_in_order_of_rank(db: Database) -> None:
    ranks = [3.5, -1.0, 2.25, 0.0]
    for rank in ranks:
        await keep(db, hand_off(opened(), rank=rank))
    async with db.read() as conn:
        assert [c.queue_rank for c in await store.waiting(conn)] == sorted(ranks)


async def test_only_who_waits_is_in_the_queue(db: Database) -> None:
    waiting = await keep(db, hand_off(opened()))
    held = await keep(db, taken())
    bots = await keep(db, opened())
    closed = taken()
    closed.resolve(ALICE.id, ALICE.name, START)
    await keep(db, closed)
    async with db.read() as conn:
        assert [c.id for c in await store.waiting(conn)] == [waiting.id]
        assert [c.id for c in await store.with_agents(conn)] == [held.id]
        assert [c.id for c in await store.with_bot(conn)] == [bots.id]


async def test_an_agent_is_there_for_a_minute_after_they_were_seen(db: Database, clock: Clock) -> None:
    async with db.unit_of_work() as work:
        await desk.seen(work.conn, ALICE.id, clock())
    async with db.read() as conn:
        assert await desk.agents_online(conn, clock.step(seconds=59)) == [ALICE.id]
        assert await desk.agents_online(conn, clock.step(seconds=1)) == []


async def test_being_seen_again_keeps_an_agent_there_and_counts_once(db: Database, clock: Clock) -> None:
    for person in (ALICE, BOB, ALICE):
        async with db.unit_of_work() as work:
            await desk.seen(work.conn, person.id, clock.step(seconds=40))
    async with db.read() as conn:
        assert await desk.agents_online(conn, clock.step(seconds=30)) == [ALICE.id]


async def test_two_consoles_that_open_at_once_are_both_seen(db: Database) -> None:
    async def open_console() -> None:
        async with db.unit_of_work() as work:
            await desk.seen(work.conn, ALICE.id, START)

    async with db.unit_of_work() as work:
        await desk.seen(work.conn, ALICE.id, START)
        other = await started(open_console())
    await other
    async with db.read() as conn:
        assert await desk.agents_online(conn, START) == [ALICE.id]


async def test_handling_events_come_oldest_first_and_give_the_times(db: Database) -> None:
    first, second = taken(ALICE, START), taken(BOB, START + timedelta(hours=1))
    second.return_to_bot(BOB.id, BOB.name, START + timedelta(hours=1, minutes=4))
    first.resolve(ALICE.id, ALICE.name, START + timedelta(minutes=11))
    await keep(db, second)
    await keep(db, first)
    async with db.read() as conn:
        history = await store.handling_events(conn)
    assert [event.at for _, event in history] == sorted(event.at for _, event in history)
    assert desk.handling_times(history) == [timedelta(minutes=10), timedelta(minutes=3)]
