"""The ten steps of a message's life (DESIGN.md), on both databases, through a real server and open streams."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import Database
from app.live import MemoryLive
from app.migrate import migrate
from conversations import store
from conversations.events import PUBLIC_KINDS
from tests.app.scripted import ScriptedReader, mood
from tests.conftest import ALICE, BOB
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
    words,
)

HUMAN = "I want to talk to a person"


@dataclass
class Shop:
    """A running shop: Cora's page, Alice's and Bob's consoles, and the database under it."""

    http: httpx.AsyncClient
    db: Database
    reader: ScriptedReader
    cora: Chat
    alice: dict[str, str]
    bob: dict[str, str]

    def listen(self, after: int | None = None) -> Listener:
        """Cora's stream, from the beginning or by Last-Event-ID."""
        resume = {} if after is None else {"Last-Event-ID": str(after)}
        return Listener(self.http, f"{self.cora.path}/stream", self.cora.headers | resume)

    def console(self) -> Listener:
        return Listener(self.http, "/api/desk/stream", self.alice)

    async def write(self, text: str) -> dict[str, Any]:
        answer = await self.http.post(f"{self.cora.path}/messages", json=words(text), headers=self.cora.headers)
        assert answer.status_code == 201, answer.text
        message: dict[str, Any] = answer.json()
        return message

    async def staff(self, method: str, what: str, body: object = None, who: str = "alice") -> httpx.Response:
        where = f"/api/conversations/{self.cora.id}/{what}"
        return await self.http.request(method, where, json=body, headers=getattr(self, who))

    async def is_quiet(self) -> None:
        """Return when no turn is due."""

        async def quiet() -> bool:
            async with self.db.read() as conn:
                return await store.next_due(conn) is None

        await eventually(quiet, "the end of the bot's turns")

    async def public_seqs(self) -> list[int]:
        """What a customer's stream must have carried."""
        events = await history(self.db, self.cora)
        return [e.seq for e, m in events if e.kind in PUBLIC_KINDS and not (m and m.visibility == "internal")]


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Shop]:
    migrate(database_url)
    reader = ScriptedReader()
    reader.moods[HUMAN] = mood(flag="asked_for_human")
    async with AsyncExitStack() as stack:
        db = Database(database_url, MemoryLive())
        stack.push_async_callback(db.close)
        await hire(db, ALICE, BOB)
        url = await stack.enter_async_context(serving(settings_for(tmp_path, database_url), reader=reader))
        stack.callback(reader.let_go)
        http = await stack.enter_async_context(browser(url))
        yield Shop(http, db, reader, await open_chat(db, "Cora"), await session(db, ALICE), await session(db, BOB))


async def test_the_ten_steps(shop: Shop) -> None:
    """From a question to the bot, over a person who takes it, to its end and back."""
    async with shop.listen() as cora, shop.console() as desk:
        sent = await shop.write("where is my parcel?")  # 1-3: kept before it is acknowledged
        async with shop.db.read() as conn:
            assert sent["id"] in {m.id for m in await store.transcript(conn, shop.cora.id)}
        await cora.until(lambda s: "where is my parcel?" in s.said("customer"))  # 4
        await cora.until(lambda s: len(s.said("bot")) == 2, "the answer")  # 5-7
        await shop.write(HUMAN)
        await cora.until(lambda s: s.states and s.states[-1]["status"] == "waiting", "the queue")  # 8
        await cora.until(lambda s: s.states[-1]["wait"] == {"place": 1, "minutes": 2}, "an honest wait")
        await cora.until(lambda s: any("next in line" in t for t in s.said("system")), "the line about it")
        await desk.until(lambda s: any(_waits(d, shop.cora) for d in _views(s)), "the ping at the desk")
        assert (await shop.staff("PUT", "assignee")).json()["brief"]["why"][0]["text"] == "Asked for a person"  # 9
        second = await shop.staff("PUT", "assignee", who="bob")
        assert (second.status_code, second.json()["assignee_name"]) == (409, "Alice")
        await shop.staff("POST", "messages", words("Hello Cora, I am Alice."))
        await cora.until(lambda s: s.said("agent") == ["Hello Cora, I am Alice."])
        await shop.staff("PUT", "status", {"status": "resolved"})  # 10
        await cora.until(lambda s: s.states[-1]["status"] == "resolved")
        await shop.write("one more thing: do you wrap gifts?")
        await cora.until(lambda s: "reopened" in [e["kind"] for e in s.events], "the reopening")
        await shop.is_quiet()
        await cora.until(lambda s: _after(s, "reopened", "bot"), "the bot's answer afterwards")
        seqs = await shop.public_seqs()
        await cora.until(lambda s: s.seqs[-1] == seqs[-1], "the last event")
        assert cora.seqs == seqs


def _after(listener: Listener, kind: str, author: str) -> bool:
    """Whether ``author`` said something after an event of this kind."""
    kinds = [e["kind"] for e in listener.events]
    return any(e["message"] and e["message"]["author"] == author for e in listener.events[kinds.index(kind) :])


def _views(listener: Listener) -> list[Any]:
    return [data for kind, _, data in listener.items if kind == "desk"]


def _waits(view: Any, chat: Chat) -> bool:
    return [card["id"] for card in view["waiting"]] == [chat.id]


async def test_a_stream_carries_every_public_event_once_in_order_under_its_seq(shop: Shop) -> None:
    async with shop.listen() as cora:
        for text in ("where is my parcel?", "how do I return a jug?"):
            await shop.write(text)
        await shop.is_quiet()
        seqs = await shop.public_seqs()
        await cora.until(lambda s: s.seqs[-1] == seqs[-1], "the last event")
        assert cora.seqs == [e["seq"] for e in cora.events] == seqs


async def test_a_stream_that_resumes_gives_exactly_what_was_missed(shop: Shop) -> None:
    async with shop.listen() as before:
        await shop.write("where is my parcel?")
        await before.until(lambda s: len(s.said("bot")) == 2, "the answer")
    await shop.write("how do I return a jug?")
    await eventually(lambda: _answers(shop, 3), "the answer while nobody listened")
    async with shop.listen(after=before.seqs[-1]) as after:
        seqs = await shop.public_seqs()
        await after.until(lambda s: s.seqs and s.seqs[-1] == seqs[-1], "what was missed")
        assert before.seqs + after.seqs == seqs


async def _answers(shop: Shop, count: int) -> bool:
    async with shop.db.read() as conn:
        return sum(m.author == "bot" for m in await store.transcript(conn, shop.cora.id)) >= count


async def test_the_bot_is_seen_typing_and_then_not(shop: Shop) -> None:
    async with shop.listen() as cora:
        shop.reader.hold()
        await shop.write("where is my parcel?")
        await cora.until(lambda s: s.states and s.states[-1]["bot_is_typing"], "the bot typing")
        shop.reader.let_go()
        await cora.until(lambda s: not s.states[-1]["bot_is_typing"], "the end of typing")
        assert [s["bot_is_typing"] for s in cora.states] == [False, True, False]


async def test_a_note_is_streamed_to_no_customer(shop: Shop) -> None:
    async with shop.listen() as cora:
        await shop.staff("PUT", "assignee")
        await shop.staff("POST", "messages", words("she sounds kind") | {"visibility": "internal"})
        await shop.staff("POST", "messages", words("Hello!"))
        await cora.until(lambda s: s.said("agent"))
        assert cora.said("agent") == ["Hello!"]


async def test_a_note_does_not_keep_the_customer_waiting_for_the_bot(shop: Shop) -> None:
    """The note comes while the model reads; the answer must not wait for the end of the lease (20 s)."""
    shop.reader.hold()
    await shop.write("where is my parcel?")
    await shop.reader.is_inside()
    await shop.staff("POST", "messages", words("regular customer") | {"visibility": "internal"})
    shop.reader.let_go()
    await eventually(lambda: _answers(shop, 2), "the answer in spite of the note", within=12)


async def test_a_customer_who_leaves_an_address_while_the_bot_reads_is_answered_at_once(shop: Shop) -> None:
    shop.reader.hold()
    await shop.write("where is my parcel?")
    await shop.reader.is_inside()
    body = {"email": "cora@example.com"}
    await shop.http.put(f"{shop.cora.path}/customer", json=body, headers=shop.cora.headers)
    shop.reader.let_go()
    await eventually(lambda: _answers(shop, 2), "the answer in spite of the address", within=12)


async def test_a_customer_never_sees_an_agents_id_or_how_they_were_read(shop: Shop) -> None:
    async with shop.listen() as cora:
        await shop.write("where is my parcel?")
        await cora.until(lambda s: len(s.said("bot")) == 2, "the answer")
        await shop.staff("PUT", "assignee")
        await cora.until(lambda s: s.states[-1]["status"] == "with_agent")
        assert ALICE.id not in str(cora.items)
        assert "frustrated" not in str(cora.items)


async def test_a_long_absence_is_made_up_for_without_a_pause(shop: Shop) -> None:
    """More was missed than one read brings; the rest must not wait for the slow re-read (20 s)."""
    async with shop.db.unit_of_work() as work:
        conversation = await store.load(work.conn, shop.cora.id, lock=True)
        conversation.take(ALICE.id, ALICE.name, conversation.opened_at)
        for i in range(620):
            conversation.reply(ALICE.id, ALICE.name, f"line {i}", f"agent-line-{i:04d}", conversation.opened_at)
        await store.save(work.conn, conversation)
    async with shop.listen() as cora:
        await eventually(lambda: len(cora.said("agent")) == 620, "all 620 lines", within=15)


async def test_the_desk_counts_an_agent_with_many_consoles_once(shop: Shop) -> None:
    """They all open at the same moment, and none of them breaks."""
    async with AsyncExitStack() as stack:
        consoles = [await stack.enter_async_context(shop.console()) for _ in range(8)]
        for console in consoles:
            await console.until(_views, "the desk")
            assert _views(console)[-1]["online"] == 1
