"""kill -9 in the middle of the work: what was acknowledged is there, once; what was due is done, once."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.db import Database
from app.live import MemoryLive
from app.migrate import migrate
from conversations import store
from conversations.events import PUBLIC_KINDS
from tests.app.process import Process
from tests.serving import Chat, Listener, browser, eventually, history, open_chat, transcript, words

READER = {"TEST_READER_SECONDS": "0.05", "WARMLINE_TURN_LEASE": "PT2S", "WARMLINE_MESSAGES_PER_MINUTE": "10000"}


@dataclass
class Shop:
    """A server that can be killed, and the files under it."""

    server: Process
    db: Database


@pytest.fixture
async def shop(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Shop]:
    migrate(sqlite_url)
    db = Database(sqlite_url, MemoryLive())
    server = Process(tmp_path, sqlite_url, **READER)
    await server.start()
    try:
        yield Shop(server, db)
    finally:
        server.stop()
        await db.close()


async def write_on(shop: Shop, chat: Chat, lines: int, acknowledged: dict[str, str]) -> None:
    """A customer's page: every line again with its id until it is acknowledged, whatever happens to the server."""
    async with browser(shop.server.address) as http:
        for i in range(lines):
            body = words(f"where is my parcel? {chat.id} {i}")
            while body["client_message_id"] not in acknowledged:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await http.post(f"{chat.path}/messages", json=body, headers=chat.headers)
                    assert answer.status_code == 201, answer.text
                    acknowledged[body["client_message_id"]] = answer.json()["id"]
                await asyncio.sleep(0.02)


async def due(db: Database) -> bool:
    async with db.read() as conn:
        return await store.next_due(conn) is not None


async def test_nothing_is_lost_or_said_twice_when_the_server_is_killed_in_the_middle_of_turns(shop: Shop) -> None:
    chats = [await open_chat(shop.db) for _ in range(8)]
    acknowledged: dict[str, str] = {}
    customers = [asyncio.create_task(write_on(shop, chat, 5, acknowledged)) for chat in chats]
    for kill in range(3):
        goal = min(len(acknowledged) + 5, 35)
        await eventually(lambda goal=goal: len(acknowledged) >= goal, f"work before kill {kill}")
        await eventually(lambda: due(shop.db), "a turn to be killed in") if kill < 2 else None
        shop.server.kill()
        await shop.server.start()
    await asyncio.gather(*customers)

    async def nothing_is_due() -> bool:
        return not await due(shop.db)

    await eventually(nothing_is_due, "the end of all turns")
    kept: list[str] = []
    for chat in chats:
        messages = await transcript(shop.db, chat)
        kept += [m.client_message_id for m in messages if m.author == "customer"]
        assert messages[-1].author != "customer", "left without an answer"
        events = [e for e, _ in await history(shop.db, chat)]
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        answered = Counter(e.payload["message_id"] for e in events if e.kind == "turn_decided")
        assert set(answered.values()) <= {1}, "a message was answered twice"
        read = Counter(e.payload["message_id"] for e in events if e.kind == "message_read")
        assert read == {m.id: 1 for m in messages if m.author == "customer"}
    assert Counter(kept) == dict.fromkeys(acknowledged, 1)


async def test_a_turn_that_was_claimed_when_the_server_died_is_taken_after_the_lease(
    tmp_path: Path, sqlite_url: str
) -> None:
    migrate(sqlite_url)
    db = Database(sqlite_url, MemoryLive())
    chat = await open_chat(db)
    slow = Process(tmp_path, sqlite_url, **READER | {"TEST_READER_SECONDS": "60"})
    quick = Process(tmp_path, sqlite_url, **READER)
    try:
        await slow.start()
        async with browser(slow.address) as http:
            await http.post(f"{chat.path}/messages", json=words("where is my parcel?"), headers=chat.headers)
        await asyncio.wait_for(_claimed(db, chat), 40)
        slow.kill()
        await quick.start()

        async def answered() -> bool:
            return (await transcript(db, chat))[-1].author == "bot"

        await eventually(answered, "the second try")
        assert [m.author for m in await transcript(db, chat)] == ["bot", "customer", "bot"]
    finally:
        slow.stop()
        quick.stop()
        await db.close()


async def _claimed(db: Database, chat: Chat) -> None:
    """Return when the turn has been claimed: it falls due later than the message was written."""
    while True:
        async with db.read() as conn:
            conversation = await store.load(conn, chat.id)
        last = (await transcript(db, chat))[-1]
        if conversation.due_at and (conversation.due_at - last.at).total_seconds() > 1:
            return
        await asyncio.sleep(0.02)


async def test_200_streams_that_resume_after_a_crash_get_every_event_once_and_in_order(shop: Shop) -> None:
    chats = [await open_chat(shop.db) for _ in range(10)]
    first = await follow(shop, chats, [0] * 200, {})
    shop.server.kill()
    await shop.server.start()
    last = [seqs[-1] for seqs in first]
    second = await follow(shop, chats, last, {})
    for i, (before, after) in enumerate(zip(first, second, strict=True)):
        events = await history(shop.db, chats[i % 10])
        assert before + after == [e.seq for e, _ in events if e.kind in PUBLIC_KINDS]


async def follow(shop: Shop, chats: list[Chat], after: list[int], acknowledged: dict[str, str]) -> list[list[int]]:
    """Open 200 streams, let every customer write twice, wait until all is answered and streamed; the seqs of each."""
    async with browser(shop.server.address) as http, AsyncExitStack() as stack:
        listeners = [
            Listener(http, f"{chats[i % 10].path}/stream", chats[i % 10].headers | {"Last-Event-ID": str(seq)})
            for i, seq in enumerate(after)
        ]
        await asyncio.gather(*(stack.enter_async_context(listener) for listener in listeners))
        await asyncio.gather(*(write_on(shop, chat, 2, acknowledged) for chat in chats))

        async def all_answered() -> bool:
            return not await due(shop.db)

        await eventually(all_answered, "the answers")
        ends = {}
        for chat in chats:
            ends[chat.id] = max(e.seq for e, _ in await history(shop.db, chat) if e.kind in PUBLIC_KINDS)
        for i, listener in enumerate(listeners):
            end = ends[chats[i % 10].id]
            await eventually(lambda li=listener, e=end: li.seqs and li.seqs[-1] >= e, "the last event")
        return [listener.seqs for listener in listeners]
