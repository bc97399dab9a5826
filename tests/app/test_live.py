"""Wake-ups: who follows is woken, nobody else; lost ones cost a delay and no message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app import live as live_module
from app.live import EVERYTHING, Live, MemoryLive, PostgresLive, live_for
from tests.serving import PATIENCE, eventually


@pytest.fixture
async def live(database_url: str) -> AsyncIterator[Live]:
    carrier = live_for(database_url)
    async with carrier.run():
        yield carrier


async def test_a_follower_of_one_conversation_is_woken_by_it(live: Live) -> None:
    async with live.subscribe("one") as bell:
        await live.announce("one")
        assert "one" in await bell.wait(PATIENCE)


async def test_a_follower_of_everything_is_told_which(live: Live) -> None:
    async with live.subscribe(EVERYTHING) as bell:
        await live.announce("one")
        await live.announce("two")
        heard: set[str] = set()
        while not {"one", "two"} <= heard:
            heard |= await bell.wait(PATIENCE)


async def test_a_follower_of_another_conversation_sleeps_on() -> None:
    live = MemoryLive()
    async with live.subscribe("other") as bell:
        await live.announce("one")
        assert await bell.wait(0.05) == set()


async def test_many_announcements_are_one_wake_up() -> None:
    live = MemoryLive()
    async with live.subscribe("one") as bell:
        for _ in range(1000):
            await live.announce("one")
        assert await bell.wait(1) == {"one"}
        assert await bell.wait(0.05) == set()


async def test_what_is_announced_between_two_waits_is_not_missed() -> None:
    live = MemoryLive()
    async with live.subscribe("one") as bell:
        await live.announce("one")
        await asyncio.sleep(0)
        assert await bell.wait(1) == {"one"}


async def test_a_follower_who_left_is_forgotten() -> None:
    live = MemoryLive()
    async with live.subscribe("one"):
        pass
    await live.announce("one")
    assert live._followers == {}


def test_the_carrier_fits_the_database() -> None:
    assert isinstance(live_for("sqlite+aiosqlite:///x.db"), MemoryLive)
    assert isinstance(live_for("postgresql+psycopg://u@h/d"), PostgresLive)


# --- between processes


async def test_another_process_is_woken_through_the_database(postgres_url: str) -> None:
    here, there = PostgresLive(postgres_url), PostgresLive(postgres_url)
    async with here.run(), there.run(), there.subscribe("one") as bell:
        await eventually(lambda: _reaches(here, bell), "the wake-up")


async def _reaches(here: PostgresLive, bell: live_module.Subscription) -> bool:
    await here.announce("one")
    return "one" in await bell.wait(0.2)


async def test_after_a_lost_connection_everyone_is_woken_and_the_next_announcement_arrives(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "RECONNECT_SECONDS", 0.1)
    here, there = PostgresLive(postgres_url), PostgresLive(postgres_url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(here.run())
        await stack.enter_async_context(there.run())
        bell = await stack.enter_async_context(there.subscribe("one"))
        await eventually(lambda: _reaches(here, bell), "the wake-up before")
        await asyncio.to_thread(_cut_every_connection, postgres_url)
        await eventually(lambda: _woken(bell), "the wake-up for what may have been missed")
        await eventually(lambda: _reaches(here, bell), "the wake-up after")


async def _woken(bell: live_module.Subscription) -> bool:
    return bool(await bell.wait(0.2))


def _cut_every_connection(url: str) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(plain, autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


async def test_a_full_queue_of_announcements_drops_wake_ups_and_not_the_caller(postgres_url: str) -> None:
    live = PostgresLive(postgres_url)  # not running: nobody empties the queue
    live._outgoing = asyncio.Queue(maxsize=1)
    async with live.subscribe("b") as bell:
        for name in ("a", "b", "b"):
            await live.announce(name)
        assert await bell.wait(1) == {"b"}
