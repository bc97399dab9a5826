"""The app inside the test's loop on a fresh database, with the cast at work."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.db import Database
from app.migrate import migrate
from app.web.deps import House
from tests.conftest import ALICE, BOB, OLGA
from tests.serving import Chat, Inside, hire, inside, open_chat, session, settings_for

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Desk:
    """A shop with its people; nobody has said anything yet."""

    inside: Inside
    cora: Chat
    alice: dict[str, str]
    bob: dict[str, str]
    olga: dict[str, str]

    @property
    def http(self) -> httpx.AsyncClient:
        return self.inside.http

    @property
    def house(self) -> House:
        return self.inside.house

    @property
    def db(self) -> Database:
        return self.inside.db

    def conversation(self, chat: Chat | None = None) -> str:
        """Where staff find a conversation; Cora's, if none is named."""
        return f"/api/conversations/{(chat or self.cora).id}"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "warmline.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def sqlite_file(tmp_path: Path, empty_database: Path) -> Path:
    """A migrated SQLite file in the data folder of this test."""
    return Path(shutil.copy(empty_database, tmp_path / "warmline.db"))


async def staffed(room: Inside) -> Desk:
    await hire(room.db, ALICE, BOB, OLGA)
    staff = [await session(room.db, person) for person in (ALICE, BOB, OLGA)]
    return Desk(room, await open_chat(room.db, "Cora"), *staff)


@pytest.fixture
async def desk(tmp_path: Path, sqlite_file: Path) -> AsyncIterator[Desk]:
    """Without a worker: the bot says nothing unless a test takes its turn."""
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        yield await staffed(room)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database to copy; a copy is ready five times sooner than a migration."""
    name = f"warmline_template_{os.getpid()}"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}"')
    migrate(_database(postgres_server, name))
    yield name
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _database(server: str, name: str) -> str:
    return make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(False)


@pytest.fixture
def postgres_copy(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh migrated PostgreSQL database."""
    name = f"warmline_copy_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
        yield _database(postgres_server, name)
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{request.getfixturevalue('sqlite_file')}"
    url: str = request.getfixturevalue("postgres_copy")
    return url


@pytest.fixture
async def any_desk(tmp_path: Path, migrated_url: str) -> AsyncIterator[Desk]:
    """The same on each kind of database."""
    async with inside(settings_for(tmp_path, migrated_url, run_worker=False)) as room:
        yield await staffed(room)


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Sets ``WARMLINE_*`` for what reads the environment, in a folder without a .env file."""

    def put(**values: Any) -> None:
        for key, value in values.items():
            monkeypatch.setenv(f"WARMLINE_{key.upper()}", str(value))

    monkeypatch.chdir(tmp_path)
    put(data_dir=tmp_path, emotion_model="rules", encoder_model=tmp_path / "no-encoder")
    return put
