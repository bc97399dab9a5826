"""Who is here: told only to those whom it concerns, forgotten by itself, and kept nowhere."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from app import presence as presence_module
from app.live import EVERYTHING, MemoryLive, live_for
from app.presence import CUSTOMER, MENTIONED, PRESENCE, Here, Presence, console_of
from tests.app.conftest import Desk
from tests.conftest import ALICE, BOB
from tests.serving import (
    PATIENCE,
    Listener,
    browser,
    eventually,
    hire,
    inside,
    open_chat,
    serving,
    session,
    settings_for,
)

REPLYING = Here(ALICE.id, ALICE.name, typing=True, replying=True)


async def test_only_those_who_look_at_it_are_woken() -> None:
    live = MemoryLive()
    presence = Presence(live)
    async with (
        live.subscribe(EVERYTHING, console_of(ALICE.id)) as alice,
        live.subscribe(EVERYTHING, console_of(BOB.id)) as bob,
        live.subscribe("c1") as cora,
    ):
        presence.report("c1", Here(ALICE.id, ALICE.name))
        assert await alice.wait(1) == {PRESENCE + "c1"}
        presence.report("c1", Here(CUSTOMER, typing=True))
        assert await alice.wait(1) == {PRESENCE + "c1"}
        assert await bob.wait(0.05) == set()
        assert await cora.wait(0.05) == set()
        presence.report("c1", REPLYING)
        assert await cora.wait(1) == {"c1"}
        assert await bob.wait(0.05) == set()


async def test_a_report_that_says_nothing_new_wakes_nobody() -> None:
    live = MemoryLive()
    presence = Presence(live)
    presence.report("c1", REPLYING)
    async with live.subscribe("c1", console_of(ALICE.id)) as bell:
        for _ in range(5):
            presence.report("c1", REPLYING)
        assert await bell.wait(0.05) == set()


async def test_a_note_is_not_the_customers_business() -> None:
    live = MemoryLive()
    presence = Presence(live)
    async with live.subscribe("c1") as cora:
        presence.report("c1", Here(ALICE.id, ALICE.name, typing=True))
        assert await cora.wait(0.05) == set()
    assert not presence.is_replying("c1", ALICE.id)
    assert presence.viewers("c1") == [Here(ALICE.id, ALICE.name, typing=True)]


async def test_who_is_not_heard_of_again_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence_module, "FORGET", 0.05)
    live = MemoryLive()
    presence = Presence(live)
    presence.report("c1", REPLYING)
    presence.report("c1", Here(CUSTOMER, typing=True))
    async with live.subscribe("c1") as cora:
        assert await cora.wait(PATIENCE) == {"c1"}
    await eventually(lambda: not presence.customer_is_typing("c1"), "the customer's typing being forgotten")
    assert presence.viewers("c1") == []
    assert presence.looked_at_by(ALICE.id) == []
    assert (presence._here, presence._timers) == ({}, {})


async def test_leaving_is_seen_at_once() -> None:
    presence = Presence(MemoryLive())
    presence.report("c1", REPLYING)
    presence.leave("c1", ALICE.id)
    presence.leave("c1", BOB.id)  # was never there
    assert presence.viewers("c1") == []


async def test_a_mention_wakes_the_mentioned_alone() -> None:
    live = MemoryLive()
    presence = Presence(live)
    async with live.subscribe(EVERYTHING, console_of(ALICE.id)) as alice, live.subscribe(EVERYTHING) as other:
        presence.mention([ALICE.id])
        assert await alice.wait(1) == {MENTIONED}
        assert await other.wait(0.05) == set()


async def test_it_crosses_from_process_to_process(postgres_copy: str) -> None:
    here, there = live_for(postgres_copy), live_for(postgres_copy)
    one, other = Presence(here), Presence(there)
    async with here.run(), there.run(), there.subscribe(EVERYTHING, console_of(BOB.id)) as bob:
        async with asyncio.timeout(PATIENCE):
            while not other.viewers("c1"):  # until both listen
                one.report("c1", REPLYING)
                await asyncio.sleep(0.05)
        assert other.is_replying("c1", ALICE.id)
        one.report("c1", Here(CUSTOMER, typing=True))
        await eventually(lambda: other.customer_is_typing("c1"), "the customer's typing elsewhere")
        one.leave("c1", ALICE.id)
        await eventually(lambda: not other.viewers("c1"), "leaving elsewhere")
        one.mention([BOB.id])
        async with asyncio.timeout(PATIENCE):
            while MENTIONED not in await bob.wait(PATIENCE):
                pass


async def test_what_another_version_says_is_passed_over() -> None:
    live = MemoryLive()
    presence = Presence(live)
    for word in ("no json", "[]", "{}", json.dumps({"from": "x", "conversation": "c1", "here": {"mood": "good"}})):
        live.hear(word)
    assert presence.viewers("c1") == []


# --- over the wire


async def test_typing_both_ways_and_only_of_the_assignee(tmp_path: Path, sqlite_file: Path) -> None:
    settings = settings_for(tmp_path, f"sqlite+aiosqlite:///{sqlite_file}", run_worker=False)
    async with inside(settings) as room, serving(settings) as url, browser(url) as http:
        await hire(room.db, ALICE, BOB)
        chat = await open_chat(room.db, "Cora")
        alice, bob = await session(room.db, ALICE), await session(room.db, BOB)
        at = f"/api/conversations/{chat.id}"
        await http.put(f"{at}/assignee", headers=alice)

        async def put(path: str, headers: dict[str, str], **body: bool) -> None:
            (await http.put(path, json=body, headers=headers)).raise_for_status()

        def presence(console: Listener) -> list[dict[str, object]]:
            return [data for kind, _, data in console.items if kind == "presence"]

        async with (
            Listener(http, f"{chat.path}/stream", chat.headers) as cora,
            Listener(http, "/api/desk/stream", alice) as console,
            Listener(http, "/api/desk/stream", bob) as bobs,
        ):
            await cora.until(lambda s: s.states)
            assert cora.states[-1]["agent_is_typing"] is False
            await put(f"{at}/presence", alice, typing=True)
            await cora.until(lambda s: s.states[-1]["agent_is_typing"], "Alice types")
            await put(f"{at}/presence", alice, typing=True, note=True)
            await cora.until(lambda s: not s.states[-1]["agent_is_typing"], "Alice writes a note")
            states = len(cora.states)
            await put(f"{at}/presence", bob, typing=True)  # not his chat, whatever his page says
            await put(f"{chat.path}/typing", chat.headers, typing=True)
            await console.until(lambda s: presence(s) and presence(s)[-1]["customer_is_typing"], "Cora types")
            viewers = [
                {"id": ALICE.id, "name": "Alice", "typing": True, "replying": False},
                {"id": BOB.id, "name": "Bob", "typing": True, "replying": False},
            ]
            assert presence(console)[-1] == {"id": chat.id, "viewers": viewers, "customer_is_typing": True}
            await put(f"{chat.path}/typing", chat.headers, typing=False)
            await console.until(lambda s: not presence(s)[-1]["customer_is_typing"], "Cora stops")
            (await http.delete(f"{at}/presence", headers=bob)).raise_for_status()
            await console.until(lambda s: len(presence(s)[-1]["viewers"]) == 1, "Bob leaves")
            assert len(cora.states) == states
            desks = [data for kind, _, data in bobs.items if kind == "desk"]
            assert len(desks) <= 2  # presence reads no desk again


async def test_it_writes_nothing(desk: Desk, sqlite_file: Path) -> None:
    await desk.http.put(desk.conversation() + "/assignee", headers=desk.alice)
    watching = sqlite3.connect(sqlite_file)
    version = watching.execute("PRAGMA data_version").fetchone()
    for _ in range(3):
        await desk.http.put(desk.conversation() + "/presence", json={"typing": True}, headers=desk.alice)
        await desk.http.put(desk.cora.path + "/typing", json={"typing": True}, headers=desk.cora.headers)
    assert desk.house.presence.customer_is_typing(desk.cora.id)
    assert watching.execute("PRAGMA data_version").fetchone() == version
    await desk.http.put(desk.conversation() + "/status", json={"status": "bot"}, headers=desk.alice)
    assert watching.execute("PRAGMA data_version").fetchone() != version
    watching.close()


async def test_nobody_can_be_in_a_conversation_that_is_not_there(desk: Desk) -> None:
    for where in ("nowhere", "%00", "../desk"):
        answer = await desk.http.put(f"/api/conversations/{where}/presence", json={"typing": False}, headers=desk.alice)
        assert answer.status_code == 404
    assert desk.house.presence._here == {}


async def test_a_page_gone_wild_is_slowed_down(desk: Desk) -> None:
    answers = [
        await desk.http.put(desk.cora.path + "/typing", json={"typing": True}, headers=desk.cora.headers)
        for _ in range(130)
    ]
    assert answers[0].status_code == 204
    assert answers[-1].status_code == 429
