"""The worker: claims what is due, tries again after a lease, outlives every failure."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy.exc

from app import worker as worker_module
from app.db import Database
from app.doorbell import MOST_HANDED, Doorbell
from app.live import DUE, MemoryLive
from app.worker import AT_ONCE, Worker, utc_now
from conversations import store
from tests.serving import Chat, eventually, open_chat

LONG = timedelta(minutes=10)


class Turns:
    """Takes turns by noting them; what it does in between is up to the test."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.taken: list[str] = []
        self.given_up: list[str] = []
        self.at_once = self.most_at_once = 0
        self.before: Callable[[str], Any] | None = None

    async def take(self, conversation_id: str) -> None:
        async with self.db.read() as conn:
            read = await store.load(conn, conversation_id)
        self.taken.append(conversation_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.before:
                await self.before(conversation_id)
        finally:
            self.at_once -= 1
        async with self.db.unit_of_work() as work:
            conversation = await store.load(work.conn, conversation_id, lock=True)
            if conversation.version == read.version:
                conversation.due_at = None
                await store.save(work.conn, conversation)

    async def give_up(self, conversation_id: str) -> None:
        self.given_up.append(conversation_id)


@pytest.fixture
async def db(migrated_url: str) -> AsyncIterator[Database]:
    database = Database(migrated_url, MemoryLive())
    yield database
    await database.close()


@pytest.fixture
def turns(db: Database) -> Turns:
    return Turns(db)


async def due_chats(db: Database, count: int) -> list[Chat]:
    chats = [await open_chat(db) for _ in range(count)]
    for chat in chats:
        await write(db, chat)
    return chats


async def write(db: Database, chat: Chat) -> None:
    async with db.unit_of_work() as work:
        conversation = await store.load(work.conn, chat.id, lock=True)
        conversation.receive("hello", f"message-{conversation.last_seq:05d}", utc_now())
        await store.save(work.conn, conversation)
    await db.live.announce(DUE)


@asynccontextmanager
async def working(turns: Turns, lease: timedelta = LONG, count: int = 1) -> AsyncIterator[None]:
    async with Worker(turns.db, turns, Doorbell(turns.db.live, lease)).run():  # type: ignore[arg-type]
        if count == 1:
            yield
        else:
            async with working(turns, lease, count - 1):
                yield


async def test_what_was_due_before_the_start_is_taken(turns: Turns) -> None:
    [chat] = await due_chats(turns.db, 1)
    async with working(turns):
        await eventually(lambda: turns.taken == [chat.id])


async def test_what_falls_due_later_is_taken_when_the_bell_rings(turns: Turns) -> None:
    async with working(turns):
        [chat] = await due_chats(turns.db, 1)
        await eventually(lambda: turns.taken == [chat.id])


async def test_several_workers_take_each_turn_once(turns: Turns) -> None:
    chats = await due_chats(turns.db, 25)
    async with working(turns, count=3):
        await eventually(lambda: len(turns.taken) >= 25)
    assert sorted(turns.taken) == sorted(chat.id for chat in chats)


async def test_no_more_turns_are_in_flight_than_the_limit(turns: Turns) -> None:
    gate = asyncio.Event()
    turns.before = lambda _: gate.wait()
    await due_chats(turns.db, AT_ONCE + 4)
    async with working(turns):
        await eventually(lambda: turns.at_once == AT_ONCE)
        gate.set()
        await eventually(lambda: len(turns.taken) == AT_ONCE + 4)
    assert turns.most_at_once == AT_ONCE


async def test_a_turn_that_meets_a_failing_database_is_tried_again_after_its_lease(turns: Turns) -> None:
    async def fail_once(_: str) -> None:
        if len(turns.taken) == 1:
            raise sqlalchemy.exc.OperationalError("select", {}, Exception("gone"))

    turns.before = fail_once
    [chat] = await due_chats(turns.db, 1)
    async with working(turns, timedelta(seconds=0.3)):
        await eventually(lambda: turns.taken == [chat.id] * 2)
    assert turns.given_up == []


async def test_a_turn_that_fails_by_itself_is_given_up_to_a_person(turns: Turns) -> None:
    async def fail(_: str) -> None:
        raise ValueError

    turns.before = fail
    [chat] = await due_chats(turns.db, 1)
    async with working(turns):
        await eventually(lambda: turns.given_up == [chat.id])


async def test_a_failing_turn_does_not_hold_up_the_others(turns: Turns) -> None:
    broken, *fine = await due_chats(turns.db, 4)

    async def fail(conversation_id: str) -> None:
        if conversation_id == broken.id:
            raise ValueError

    turns.before = fail
    async with working(turns):
        await eventually(lambda: {chat.id for chat in fine} <= set(turns.taken))


async def test_a_claimed_turn_is_left_alone_until_its_lease_is_over(db: Database) -> None:
    [chat] = await due_chats(db, 1)
    now = utc_now()
    async with db.unit_of_work() as work:
        assert await store.claim_due(work.conn, now, LONG, 5) == [chat.id]
        assert await store.claim_due(work.conn, now + LONG / 2, LONG, 5) == []
        assert await store.claim_due(work.conn, now + LONG, LONG, 5) == [chat.id]


async def test_the_worker_outlives_a_database_that_does_not_answer(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = store.claim_due, []

    async def away(*asked: Any) -> Any:
        if len(failures) < 2:
            failures.append(1)
            raise sqlalchemy.exc.OperationalError("select", {}, Exception("gone"))
        return await real(*asked)

    monkeypatch.setattr(worker_module.store, "claim_due", away)
    [chat] = await due_chats(turns.db, 1)
    async with working(turns):
        await eventually(lambda: turns.taken == [chat.id])
    assert len(failures) == 2


async def test_stopping_waits_for_the_turns_in_flight(turns: Turns) -> None:
    gate, finished = asyncio.Event(), []

    async def slow(conversation_id: str) -> None:
        await gate.wait()
        finished.append(conversation_id)

    turns.before = slow
    [chat] = await due_chats(turns.db, 1)
    async with working(turns):
        await eventually(lambda: turns.at_once == 1)
        asyncio.get_running_loop().call_later(0.1, gate.set)
    assert finished == [chat.id]


async def test_a_message_that_comes_during_a_turn_makes_another_one_due(turns: Turns) -> None:
    [chat] = await due_chats(turns.db, 1)

    async def interrupted(_: str) -> None:
        if len(turns.taken) == 1:
            await write(turns.db, chat)

    turns.before = interrupted
    async with working(turns):
        await eventually(lambda: turns.taken == [chat.id] * 2)


async def hand_over(turns: Turns, doorbell: Doorbell) -> Chat:
    """A message stored as the endpoint stores it: claimed for the worker of this process."""
    chat, at = await open_chat(turns.db), utc_now()
    async with turns.db.unit_of_work() as work:
        conversation = await store.load(work.conn, chat.id, lock=True)
        conversation.receive("hello", "message-00001", at, doorbell.due_at(at))
        await store.save(work.conn, conversation)
    await doorbell.ring(chat.id, claimed=True)
    return chat


async def test_a_turn_that_is_handed_over_is_taken_without_a_claim(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    doorbell, claims = Doorbell(turns.db.live, LONG), []
    real = store.claim_due

    async def counted(*asked: Any) -> Any:
        claims.append(await real(*asked))
        return claims[-1]

    monkeypatch.setattr(worker_module.store, "claim_due", counted)
    async with Worker(turns.db, turns, doorbell).run():  # type: ignore[arg-type]
        chat = await hand_over(turns, doorbell)
        await eventually(lambda: turns.taken == [chat.id])
    assert not any(claims)


async def test_what_was_handed_over_and_not_begun_is_due_at_once_for_the_next(turns: Turns) -> None:
    gate, doorbell = asyncio.Event(), Doorbell(turns.db.live, LONG)
    turns.before = lambda _: gate.wait()
    worker = Worker(turns.db, turns, doorbell)  # type: ignore[arg-type]
    async with worker.run():
        chats = [await hand_over(turns, doorbell) for _ in range(AT_ONCE + 2)]
        await eventually(lambda: turns.at_once == AT_ONCE)
        asyncio.get_running_loop().call_later(0.1, gate.set)
    assert len(turns.taken) == AT_ONCE
    async with turns.db.unit_of_work() as work:
        left = await store.claim_due(work.conn, utc_now(), LONG, 9)
    assert set(left) == {chat.id for chat in chats} - set(turns.taken)


async def test_without_a_worker_here_or_with_too_much_handed_over_a_turn_is_due_for_anyone(db: Database) -> None:
    at, doorbell = utc_now(), Doorbell(db.live, LONG)
    assert doorbell.due_at(at) == at
    async with db.live.subscribe(DUE) as elsewhere:
        await doorbell.ring("one", claimed=False)
        assert await elsewhere.wait(1) == {DUE}
        doorbell.answered_by(elsewhere)
        assert doorbell.due_at(at) == at + LONG
        for i in range(MOST_HANDED):
            await doorbell.ring(f"chat-{i}", claimed=True)
        assert doorbell.due_at(at) == at
    assert doorbell.handed(2) == ["chat-0", "chat-1"]
