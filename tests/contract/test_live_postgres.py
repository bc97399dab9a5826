"""Wake-ups between processes through PostgreSQL: they cross, and they come back after a broken connection."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

import app.live
from app.db import Database
from app.live import EVERYTHING, MemoryLive, PostgresLive, Subscription, live_for
from tests.conftest import open_database

SOON = 10.0
LISTENERS = "select pid from pg_stat_activity where datname = current_database() and query = 'LISTEN warmline'"


@pytest.fixture
async def one(migrated_postgres_url: str) -> AsyncIterator[Database]:
    async with open_database(migrated_postgres_url) as database:
        yield database


@pytest.fixture
async def other(migrated_postgres_url: str) -> AsyncIterator[Database]:
    async with open_database(migrated_postgres_url) as database:
        yield database


@pytest.fixture
async def admin(migrated_postgres_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    dsn = make_url(migrated_postgres_url).set(drivername="postgresql").render_as_string(False)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
        yield conn


async def heard(bell: Subscription, wanted: str) -> bool:
    """Wait until ``wanted`` is among what changed, ringing or not for other reasons before."""
    async with asyncio.timeout(SOON):
        while wanted not in await bell.wait(SOON):
            pass
    return True


async def listening(admin: psycopg.AsyncConnection, count: int) -> list[int]:
    """The processes that listen, once there are ``count`` of them."""
    async with asyncio.timeout(SOON):
        while True:
            pids = [row[0] for row in await (await admin.execute(LISTENERS)).fetchall()]
            if len(pids) == count:
                return pids
            await asyncio.sleep(0.01)


async def test_a_commit_in_one_process_wakes_followers_in_another(one: Database, other: Database, admin) -> None:
    await listening(admin, 2)
    async with other.live.subscribe("c1") as bell:
        async with one.unit_of_work() as work:
            work.announce("c1")
        assert await heard(bell, "c1")


async def test_both_directions_are_carried(one: Database, other: Database, admin) -> None:
    await listening(admin, 2)
    async with one.live.subscribe(EVERYTHING) as here, other.live.subscribe(EVERYTHING) as there:
        await one.live.announce("from one")
        await other.live.announce("from other")
        assert await heard(there, "from one")
        assert await heard(here, "from other")


async def test_many_wake_ups_all_cross(one: Database, other: Database, admin) -> None:
    await listening(admin, 2)
    wanted, came = {f"c{i}" for i in range(300)}, set()
    async with other.live.subscribe(EVERYTHING) as bell:
        for conversation_id in wanted:
            await one.live.announce(conversation_id)
        async with asyncio.timeout(SOON):
            while not wanted <= came:
                came |= await bell.wait(SOON)
    assert wanted <= came


async def test_after_the_connection_was_killed_everyone_is_woken(
    one: Database, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something may have been missed meanwhile, so each follower reads again."""
    monkeypatch.setattr(app.live, "RECONNECT_SECONDS", 0.01)
    [pid] = await listening(admin, 1)
    async with one.live.subscribe("quiet") as quiet, one.live.subscribe(EVERYTHING) as all_of_it:
        await admin.execute("select pg_terminate_backend(%s)", (pid,))
        assert await heard(quiet, "quiet")
        assert await heard(all_of_it, EVERYTHING)


async def test_after_the_connection_was_killed_wake_ups_cross_again(
    one: Database, other: Database, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.live, "RECONNECT_SECONDS", 0.01)
    old = await listening(admin, 2)
    async with other.live.subscribe("c1") as bell:
        for pid in old:
            await admin.execute("select pg_terminate_backend(%s)", (pid,))
        await heard(bell, "c1")  # everyone is woken when it listens again
        await listening(admin, 2)
        await one.live.announce("c1")
        assert await heard(bell, "c1")


async def test_a_notifier_whose_connection_was_killed_comes_back(
    one: Database, other: Database, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single wake-up may be lost with the connection; the next ones must not be."""
    monkeypatch.setattr(app.live, "RECONNECT_SECONDS", 0.01)
    await listening(admin, 2)
    async with other.live.subscribe(EVERYTHING) as bell:
        await one.live.announce("before")
        assert await heard(bell, "before")
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_notify%' "
                            "and datname = current_database() and pid <> pg_backend_pid()")  # fmt: skip
        async with asyncio.timeout(SOON):
            while "after" not in await bell.wait(0.05):
                await one.live.announce("after")


async def test_an_announcement_before_anything_listens_is_not_an_error(migrated_postgres_url: str) -> None:
    live = PostgresLive(migrated_postgres_url)
    async with live.subscribe("c1") as bell:
        await live.announce("c1")
        assert await bell.wait(SOON) == {"c1"}


async def test_a_full_outbox_never_holds_up_who_announces(migrated_postgres_url: str) -> None:
    live = PostgresLive(migrated_postgres_url)
    async with asyncio.timeout(SOON):
        for i in range(10_001):
            await live.announce(f"c{i}")


def test_the_carrier_is_chosen_by_the_url() -> None:
    assert isinstance(live_for("postgresql+psycopg://x@/y"), PostgresLive)
    assert type(live_for("sqlite+aiosqlite:///x.db")) is MemoryLive
