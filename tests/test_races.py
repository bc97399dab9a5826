"""Races: many at once on one conversation, on both databases, and on PostgreSQL between two processes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.db import Database
from app.live import MemoryLive
from app.migrate import migrate
from tests.app.process import Process
from tests.app.scripted import ScriptedReader
from tests.conftest import ALICE, Person
from tests.serving import (
    Chat,
    Listener,
    browser,
    eventually,
    hire,
    history,
    open_chat,
    serving,
    session,
    settings_for,
    transcript,
    words,
)

TEAM = [Person(f"{i:032x}", f"Agent {i}", f"agent{i}@shop.example", "agent") for i in range(30)]


@dataclass
class Shop:
    """A running shop."""

    http: httpx.AsyncClient
    db: Database
    reader: ScriptedReader

    async def write(self, chat: Chat, text: str, message_id: str | None = None) -> httpx.Response:
        body = words(text, message_id)
        return await self.http.post(f"{chat.path}/messages", json=body, headers=chat.headers)

    async def take(self, chat: Chat, headers: dict[str, str]) -> httpx.Response:
        return await self.http.put(f"/api/conversations/{chat.id}/assignee", headers=headers)


@asynccontextmanager
async def plain_database(url: str) -> AsyncIterator[Database]:
    migrate(url)
    db = Database(url, MemoryLive())
    try:
        yield db
    finally:
        await db.close()


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Shop]:
    reader = ScriptedReader()
    settings = settings_for(tmp_path, database_url, model_timeout=60, messages_per_minute=10_000)
    async with (
        plain_database(database_url) as db,
        serving(settings, reader=reader) as url,
        browser(url) as http,
    ):
        yield Shop(http, db, reader)
        reader.let_go()


async def test_of_30_agents_who_take_at_once_one_has_it_and_the_rest_are_told_who(shop: Shop) -> None:
    await hire(shop.db, *TEAM)
    staff = {person.name: await session(shop.db, person) for person in TEAM}
    chat = await open_chat(shop.db)
    answers = dict(zip(staff, await asyncio.gather(*(shop.take(chat, h) for h in staff.values())), strict=True))
    winners = [name for name, answer in answers.items() if answer.status_code == 200]
    assert len(winners) == 1, Counter(a.status_code for a in answers.values())
    losers = [answer for name, answer in answers.items() if name != winners[0]]
    assert {(a.status_code, a.json()["assignee_name"]) for a in losers} == {(409, winners[0])}


async def test_of_20_sends_with_one_id_one_message_is_kept_and_all_get_it(shop: Shop) -> None:
    chat = await open_chat(shop.db)
    shop.reader.hold()
    answers = await asyncio.gather(*(shop.write(chat, "only once", "the-same-id") for _ in range(20)))
    assert Counter(a.status_code for a in answers) == {201: 20}
    assert len({a.json()["id"] for a in answers}) == 1
    assert [m.text for m in await transcript(shop.db, chat) if m.author == "customer"] == ["only once"]


async def test_20_different_messages_at_once_are_all_kept_in_one_order_without_gaps(shop: Shop) -> None:
    chat = await open_chat(shop.db)
    answers = await asyncio.gather(*(shop.write(chat, f"line {i}") for i in range(20)))
    assert Counter(a.status_code for a in answers) == {201: 20}
    kept = [m for m in await transcript(shop.db, chat) if m.author == "customer"]
    assert sorted(m.text for m in kept) == sorted(f"line {i}" for i in range(20))
    assert {m.id: m.seq for m in kept} == {a.json()["id"]: a.json()["seq"] for a in answers}
    seqs = [e.seq for e, _ in await history(shop.db, chat)]
    assert seqs == list(range(1, len(seqs) + 1))


async def test_the_bot_never_speaks_after_a_takeover_however_the_two_meet(shop: Shop) -> None:
    """Takes fall before, into and after the model's call: some drafts are dropped, none comes late."""
    await hire(shop.db, ALICE)
    alice = await session(shop.db, ALICE)
    chats = [await open_chat(shop.db) for _ in range(40)]

    async def one(i: int, chat: Chat) -> None:
        await shop.write(chat, f"where is my parcel? {i}")
        await asyncio.sleep(i % 8 * 0.015)  # not a wait for anything: it spreads the moments of the takes
        assert (await shop.take(chat, alice)).status_code == 200

    async def hold_and_let_go() -> None:
        for _ in range(12):
            shop.reader.hold()
            await asyncio.sleep(0.03)
            shop.reader.let_go()
            await asyncio.sleep(0.01)

    await asyncio.gather(hold_and_let_go(), *(one(i, chat) for i, chat in enumerate(chats)))
    shop.reader.let_go()
    for chat in chats:
        events = [(e.kind.value, m.author.value if m else None) for e, m in await history(shop.db, chat)]
        taken = events.index(("taken", None))
        assert ("message_posted", "bot") not in events[taken:]


async def test_a_takeover_in_the_middle_of_the_models_call_silences_the_bot(shop: Shop) -> None:
    await hire(shop.db, ALICE)
    alice = await session(shop.db, ALICE)
    chats = [await open_chat(shop.db) for _ in range(6)]
    shop.reader.hold()
    await asyncio.gather(*(shop.write(chat, f"where is my parcel? {i}") for i, chat in enumerate(chats)))
    await shop.reader.is_inside()
    await asyncio.gather(*(shop.take(chat, alice) for chat in chats))
    shop.reader.let_go()
    await eventually(lambda: len(shop.reader.seen) >= len(chats), "the end of the models' calls")
    bystander = await open_chat(shop.db)
    await shop.write(bystander, "and mine?")
    await eventually(lambda: _bot_lines(shop.db, bystander, 2), "a later turn")
    for chat in chats:
        assert await _bot_lines(shop.db, chat, 1)
        assert not await _bot_lines(shop.db, chat, 2)


async def _bot_lines(db: Database, chat: Chat, at_least: int) -> bool:
    return sum(m.author == "bot" for m in await transcript(db, chat)) >= at_least


async def test_a_takeover_and_a_press_for_a_person_at_once_leave_one_owner(shop: Shop) -> None:
    await hire(shop.db, ALICE)
    alice = await session(shop.db, ALICE)
    for _ in range(10):
        chat = await open_chat(shop.db)
        press = shop.http.put(f"{chat.path}/handoff", headers=chat.headers)
        answers = await asyncio.gather(press, shop.take(chat, alice))
        assert [a.status_code for a in answers] == [200, 200]
        kinds = [e.kind.value for e, _ in await history(shop.db, chat)]
        assert kinds.count("taken") == 1
        assert kinds[kinds.index("taken") :].count("handoff_requested") == 0


async def test_many_presses_for_a_person_are_one_handoff(shop: Shop) -> None:
    chat = await open_chat(shop.db)
    presses = (shop.http.put(f"{chat.path}/handoff", headers=chat.headers) for _ in range(15))
    assert {a.status_code for a in await asyncio.gather(*presses)} == {200}
    kinds = [e.kind.value for e, _ in await history(shop.db, chat)]
    assert kinds.count("handoff_requested") == 1


async def test_three_consoles_of_one_agent_that_open_at_once_all_work(shop: Shop) -> None:
    """Each notes at the same moment that the agent is there for the first time."""
    await hire(shop.db, *TEAM[:8])
    staff = [await session(shop.db, person) for person in TEAM[:8]]
    async with AsyncExitStack() as stack:
        listeners = [Listener(shop.http, "/api/desk/stream", headers) for headers in staff for _ in range(3)]
        for console in await asyncio.gather(*(stack.enter_async_context(one) for one in listeners)):
            await eventually(lambda c=console: c.items, "the desk on every console", within=15)
    assert (await shop.http.get("/api/desk", headers=staff[0])).json()["online"] == 8


# --- two processes on one PostgreSQL


@asynccontextmanager
async def two_servers(folder: Path, url: str, **env: str) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    processes = [Process(folder, url, WARMLINE_MESSAGES_PER_MINUTE="10000", **env) for _ in range(2)]
    try:
        await asyncio.gather(*(process.start() for process in processes))
        async with browser(processes[0].address) as one, browser(processes[1].address) as other:
            yield one, other
    finally:
        for process in processes:
            process.stop()


async def test_what_is_sent_to_one_process_is_streamed_by_the_other(tmp_path: Path, postgres_url: str) -> None:
    async with plain_database(postgres_url) as db, two_servers(tmp_path, postgres_url) as (one, other):
        chat = await open_chat(db)
        async with Listener(other, f"{chat.path}/stream", chat.headers) as stream:
            for i in range(5):
                answer = await one.post(f"{chat.path}/messages", json=words(f"line {i}"), headers=chat.headers)
                assert answer.status_code == 201
                await eventually(lambda i=i: f"line {i}" in stream.said("customer"), "the wake-up", within=15)
            assert stream.said("customer") == [f"line {i}" for i in range(5)]


async def test_two_processes_take_each_turn_once(tmp_path: Path, postgres_url: str) -> None:
    async with (
        plain_database(postgres_url) as db,
        two_servers(tmp_path, postgres_url, TEST_READER_SECONDS="0.03") as servers,
    ):
        chats = [await open_chat(db) for _ in range(60)]
        sends = (
            servers[i % 2].post(f"{chat.path}/messages", json=words(f"where is my parcel? {i}"), headers=chat.headers)
            for i, chat in enumerate(chats)
        )
        assert {a.status_code for a in await asyncio.gather(*sends)} == {201}
        for chat in chats:
            await eventually(lambda chat=chat: _bot_lines(db, chat, 2), "the answer")
        for chat in chats:
            kinds = [e.kind.value for e, _ in await history(db, chat)]
            assert (kinds.count("turn_decided"), kinds.count("message_posted")) == (1, 3)
