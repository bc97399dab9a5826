"""Claiming what must leave: each delivery to exactly one worker, and to another when that one dies."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest

from app.outbox import outbox
from app.outbox.errors import NotReplayable
from app.outbox.outbox import LAST_ATTEMPT, LONGEST_WAIT, Channel, Delivery, Status, wait_after
from tests.conftest import START
from tests.outbox.conftest import Room

LEASE = timedelta(seconds=60)


async def put(room: Room, count: int = 1, at: datetime = START) -> list[str]:
    new = [Delivery.new(Channel.NOTICE, "waiting", {}, at) for _ in range(count)]
    async with room.db.unit_of_work() as work:
        await outbox.add(work.conn, new)
    return [one.id for one in new]


async def claim(room: Room, limit: int = 100) -> list[Delivery]:
    async with room.db.unit_of_work() as work:
        return await outbox.claim(work.conn, room.clock(), LEASE, limit)


async def test_twenty_workers_at_once_claim_each_delivery_exactly_once(room: Room) -> None:
    due = set(await put(room, 60))

    async def work() -> list[str]:
        mine: list[str] = []
        while got := await claim(room, limit=4):
            mine += [one.id for one in got]
        return mine

    claimed = Counter(i for ids in await asyncio.gather(*(work() for _ in range(20))) for i in ids)
    claimed.update(one.id for one in await claim(room))  # what was skipped while another held it
    assert set(claimed) == due
    assert set(claimed.values()) == {1}


async def test_a_claim_is_an_attempt_and_comes_back_when_its_lease_is_over(room: Room) -> None:
    (mine,) = await put(room)
    assert [(one.id, one.attempts) for one in await claim(room)] == [(mine, 1)]
    room.clock.step(seconds=59)
    assert await claim(room) == []
    room.clock.step(seconds=1)
    assert [(one.id, one.attempts) for one in await claim(room)] == [(mine, 2)]


async def test_a_late_worker_that_failed_does_not_disturb_the_one_that_came_after(room: Room) -> None:
    await put(room)
    (late,) = await claim(room)
    room.clock.step(minutes=1)
    (now,) = await claim(room)
    async with room.db.unit_of_work() as work:
        await outbox.failed(work.conn, late, "no", room.clock())
        await outbox.finished(work.conn, late, Status.DEAD, room.clock(), "no")
    assert (await room.only()).due_at == room.clock() + LEASE
    async with room.db.unit_of_work() as work:
        await outbox.finished(work.conn, now, Status.SENT, room.clock())
        await outbox.failed(work.conn, now, "no", room.clock())
    assert (await room.only()).status is Status.SENT


async def test_a_late_worker_that_delivered_says_so(room: Room) -> None:
    await put(room)
    (late,) = await claim(room)
    room.clock.step(minutes=1)
    await claim(room)
    async with room.db.unit_of_work() as work:
        await outbox.finished(work.conn, late, Status.SENT, room.clock())
    assert (await room.only()).status is Status.SENT
    room.clock.step(hours=1)
    assert await claim(room) == []


async def test_after_the_last_attempt_it_is_dead_and_a_replay_brings_it_back(room: Room) -> None:
    (mine,) = await put(room)
    for attempt in range(1, LAST_ATTEMPT + 1):
        (one,) = await claim(room)
        assert one.attempts == attempt
        async with room.db.unit_of_work() as work:
            status = await outbox.failed(work.conn, one, f"no\0 {attempt}", room.clock())
        if attempt < LAST_ATTEMPT:
            assert status is Status.PENDING
            await room.due_again()
    dead = await room.only()
    assert (dead.status, dead.due_at, dead.last_error) == (Status.DEAD, None, f"no  {LAST_ATTEMPT}")
    room.clock.step(days=1)
    assert await claim(room) == []
    async with room.db.unit_of_work() as work:
        again = await outbox.replay(work.conn, mine, room.clock())
    assert (again.id, again.status, again.attempts) == (mine, Status.PENDING, 0)
    assert [one.id for one in await claim(room)] == [mine]


async def test_what_is_on_its_way_is_not_replayed(room: Room) -> None:
    (mine,) = await put(room)
    with pytest.raises(NotReplayable):
        async with room.db.unit_of_work() as work:
            await outbox.replay(work.conn, mine, room.clock())


async def test_what_was_finished_long_ago_is_forgotten_and_nothing_else(room: Room) -> None:
    await put(room, 2)
    old, _ = await claim(room)
    async with room.db.unit_of_work() as work:
        await outbox.finished(work.conn, old, Status.SENT, room.clock())
        await outbox.forget_old(work.conn, room.clock.step(days=29))
    assert len(await room.all()) == 2
    async with room.db.unit_of_work() as work:
        await outbox.forget_old(work.conn, room.clock.step(days=2))
    assert old.id not in [one.id for one in await room.all()]
    assert len(await room.all()) == 1


def test_waits_grow_fourfold_up_to_the_longest_and_differ_by_chance() -> None:
    middle = [wait_after(attempt, 0.5) for attempt in range(1, LAST_ATTEMPT)]
    assert middle[:3] == [timedelta(seconds=5), timedelta(seconds=20), timedelta(seconds=80)]
    assert middle == sorted(middle)
    assert middle[-1] == LONGEST_WAIT
    assert timedelta(days=1) < sum(middle, timedelta()) < timedelta(days=2)
    assert wait_after(3, 0) == 0.75 * middle[2]
    assert wait_after(3, 1) == 1.25 * middle[2]
    assert len({wait_after(3) for _ in range(20)}) > 1
