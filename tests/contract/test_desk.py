"""The queue and presence as the database keeps them."""

from datetime import timedelta

from app.db import Database
from app.queue import desk_now, wait_now
from conversations import store
from handoff import desk
from handoff.desk import people
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


async def test_the_pace_is_taken_from_how_long_chats_took(db: Database) -> None:
    for minutes in (2, 4, 6, 8, 10):
        conversation = taken(ALICE, START + timedelta(hours=minutes))
        conversation.resolve(ALICE.id, ALICE.name, START + timedelta(hours=minutes, minutes=1 + minutes))
        await keep(db, conversation)
    await keep(db, taken(BOB))  # goes on: not measured yet
    async with db.read() as conn:
        pace = await people.pace(conn)
    assert (pace.count, pace.mean) == (5, 360.0)
    assert abs(pace.spread - 169.7) < 0.1


async def test_one_counted_wait_is_what_the_whole_desk_gives(db: Database, clock: Clock) -> None:
    async with db.unit_of_work() as work:
        for person in (ALICE, BOB):
            await desk.seen(work.conn, person.id, clock())
        await people.change(work.conn, ALICE.id, capacity=1)
        await people.change(work.conn, BOB.id, status="away")
    await keep(db, taken(ALICE))
    await keep(db, taken(BOB))
    queue = [await keep(db, hand_off(opened(), rank=rank)) for rank in (5.0, 1.0, 1.0, 3.0)]
    async with db.read() as conn:
        now = await desk_now(conn, clock())
        counted = [await wait_now(conn, waiting, clock()) for waiting in queue]
    assert counted == [now.wait(waiting) for waiting in queue]
    assert sorted(wait.place for wait in counted) == [1, 2, 3, 4]
    assert {wait.agents for wait in counted} == {1}


async def test_who_has_not_been_saved_yet_is_told_their_place(db: Database, clock: Clock) -> None:
    for rank in (1.0, 2.0, 3.0):
        await keep(db, hand_off(opened(), rank=rank))
    newcomer = hand_off(opened(), rank=2.5)
    async with db.read() as conn:
        assert (await wait_now(conn, newcomer, clock())).place == 3


async def test_what_an_agent_has_carried_is_told_from_the_database_alone(db: Database, clock: Clock) -> None:
    heavy = taken(ALICE)
    heavy.read("m", {"states": {"frustrated": 0.9}, "flagged": []}, START + timedelta(minutes=1))
    heavy.resolve(ALICE.id, ALICE.name, START + timedelta(minutes=11))
    await keep(db, heavy)
    still = taken(ALICE, START)
    still.read("m", {"states": {}, "flagged": ["abusive"]}, START + timedelta(minutes=1))
    await keep(db, still)
    calm = taken(BOB)
    calm.resolve(BOB.id, BOB.name, START + timedelta(minutes=30))
    await keep(db, calm)
    async with db.read() as conn:
        now = await desk_now(conn, clock.step(minutes=11))
    assert sorted(round(stint.heavy_minutes, 2) for stint in now.stints[ALICE.id]) == [9.0, 10.0]
    assert 17 < now.load(ALICE.id) < 19
    assert (now.load(BOB.id), now.streak(ALICE.id), now.streak(BOB.id)) == (0.0, 2, 0)


async def test_a_new_shift_begins_here_and_a_short_gap_changes_nothing(db: Database, clock: Clock) -> None:
    async with db.unit_of_work() as work:
        await desk.seen(work.conn, ALICE.id, clock())
        await people.change(work.conn, ALICE.id, status="leaving", capacity=2, skills=["returns"])
        await desk.seen(work.conn, ALICE.id, clock.step(minutes=30))
        soon = await people.find(work.conn, ALICE.id)
        await desk.seen(work.conn, ALICE.id, clock.step(hours=14))
        tomorrow = await people.find(work.conn, ALICE.id)
    assert soon is not None
    assert tomorrow is not None
    assert (soon.status, tomorrow.status) == ("leaving", "here")
    assert (tomorrow.capacity, tomorrow.skills) == (2, ("returns",))


async def test_deadlines_are_found_by_their_columns(db: Database, clock: Clock) -> None:
    offered, promised = hand_off(opened()), hand_off(opened())
    offered.offer_to(ALICE.id, ALICE.name, START, START + timedelta(seconds=45))
    promised.promise(START + timedelta(minutes=5))
    await keep(db, offered)
    await keep(db, promised)
    async with db.read() as conn:
        assert await store.next_desk_deadline(conn) == START + timedelta(seconds=45)
        assert await store.offers_expired(conn, START + timedelta(seconds=44)) == []
        assert await store.offers_expired(conn, START + timedelta(seconds=45)) == [offered.id]
        assert await store.promises_broken(conn, START + timedelta(minutes=5)) == [promised.id]
