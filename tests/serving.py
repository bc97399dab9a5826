"""Helpers to run Warmline inside the test's loop or in a thread; for a process of its own see tests/app/process.py."""

import asyncio
import functools
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import httpx
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app import accounts
from app.accounts import Account, Role
from app.config import Settings
from app.db import Database
from app.main import create_app
from app.web.deps import House, Tokens
from app.worker import utc_now
from conversations import store
from conversations.conversation import Conversation
from models.base import EmotionReader, SentenceEncoder
from models.catalog import Loaded

SECRET = "a secret of tests, long enough"
SHOP = "hazel-and-finch"
ROOT = Path(__file__).parent.parent
SMALL_SHOP = Path(__file__).parent / "app" / "small_shop.yaml"
ZONE = ZoneInfo("Europe/London")  # the demo shop's, read here; tests/app/test_shop_file.py has a test of its first use
PATIENCE = 40.0
"""Seconds after which something that should have happened has not; never a measure of speed."""


def settings_for(folder: Path, url: str = "", **more: Any) -> Settings:
    """Settings of a service without model files, in ``folder``."""
    given = {"emotion_model": "rules", "encoder_model": str(folder / "no-encoder"), "secret_key": SECRET,
             "shops": (SMALL_SHOP,)}  # fmt: skip
    return Settings(_env_file=None, data_dir=folder, database_url=url, **(given | more))  # type: ignore[call-arg]


def build(settings: Settings, reader: EmotionReader | None = None, encoder: SentenceEncoder | None = None) -> FastAPI:
    """The app, with other models in the place of those it would load."""
    with ExitStack() as stack:
        if reader:
            stack.enter_context(mock.patch("app.main.load_reader", return_value=Loaded(reader)))
        if encoder:
            stack.enter_context(mock.patch("app.main.load_encoder", return_value=Loaded(encoder)))
        return create_app(settings)


async def eventually(test: Callable[[], Any], what: str = "it", within: float = PATIENCE) -> Any:
    """What ``test`` returns (or resolves to) once that is true; fails after ``within`` seconds."""
    ends = time.monotonic() + within
    while True:
        result = test()
        if isinstance(result, Awaitable):
            result = await result
        if result:
            return result
        assert time.monotonic() < ends, f"{what} did not happen within {within} s"
        await asyncio.sleep(0.02)


# --- people


@dataclass(frozen=True)
class Chat:
    """A customer's conversation and what opens it."""

    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def path(self) -> str:
        return f"/api/chat/conversations/{self.id}"


async def open_chat(db: Database, name: str | None = None) -> Chat:
    """Begin a conversation straight in the database, past the limit on openings."""
    conversation = Conversation.open(SHOP, utc_now(), name)
    conversation.say("Hello! I am a bot.", utc_now(), act="greeting", buttons=[])
    async with db.unit_of_work() as work:
        await store.insert(work.conn, conversation)
    return Chat(conversation.id, Tokens(SECRET).issue(conversation.id))


@functools.cache
def cheap_hash(password: str) -> str:
    return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(password)


async def hire(db: Database, *people: Any) -> None:
    """Give each Person an account with the id that the cast says."""
    rows = [
        {"id": p.id, "email": p.email, "name": p.name, "role": p.role,
         "password_hash": cheap_hash(p.password), "created_at": utc_now()} for p in people
    ]  # fmt: skip
    async with db.unit_of_work() as work:
        await work.conn.execute(sa.insert(accounts.accounts), rows)


async def session(db: Database, person: Any) -> dict[str, str]:
    """A logged-in person's headers, past the limit on log-ins."""
    async with db.unit_of_work() as work:
        return {"Cookie": f"warmline={await accounts.open_session(work.conn, person.id, utc_now())}"}


def account_of(person: Any) -> Account:
    return Account(person.id, person.email, person.name, Role(person.role))


_sent = iter(range(1, 10**9))


def words(text: str, client_message_id: str | None = None) -> dict[str, str]:
    """The body of a message."""
    return {"text": text, "client_message_id": client_message_id or f"test-message-{next(_sent)}"}


async def transcript(db: Database, chat: Chat) -> list[Any]:
    async with db.read() as conn:
        return await store.transcript(conn, chat.id)


async def history(db: Database, chat: Chat) -> list[Any]:
    """Every event with its message, inner ones too."""
    async with db.read() as conn:
        return await store.history(conn, chat.id, limit=10_000)


# --- inside the test's own loop


@dataclass(frozen=True)
class Inside:
    """The app with its lifespan entered, and a client that talks to it without a socket."""

    app: FastAPI
    http: httpx.AsyncClient

    @property
    def house(self) -> House:
        house: House = self.app.state.house
        return house

    @property
    def db(self) -> Database:
        return self.house.db


@asynccontextmanager
async def inside(settings: Settings, **models: Any) -> AsyncIterator[Inside]:
    """Run the app here. The database must have been migrated."""
    app = await asyncio.to_thread(build, settings, **models)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as http,
    ):
        yield Inside(app, http)


# --- on a socket


@asynccontextmanager
async def serving(settings: Settings, **models: Any) -> AsyncIterator[str]:
    """A real Uvicorn in a thread; gives its address."""
    app = await asyncio.to_thread(build, settings, **models)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            await eventually(lambda: server.started, "the server's start")
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.to_thread(thread.join, PATIENCE)


@asynccontextmanager
async def browser(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with as many connections as it likes."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits) as http:
        yield http


@dataclass
class Listener:
    """Follows a stream in the background and keeps what came, in order."""

    http: httpx.AsyncClient
    path: str
    headers: dict[str, str]
    items: list[tuple[str, str | None, Any]] = field(default_factory=list)
    """(event, id, data)"""

    async def __aenter__(self) -> "Listener":
        self._open = asyncio.Event()
        self._task = asyncio.create_task(self._follow())
        await asyncio.wait({self._task, asyncio.create_task(self._open.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def events(self) -> list[Any]:
        return [data for kind, _, data in self.items if kind == "event"]

    @property
    def seqs(self) -> list[int]:
        return [int(i) for kind, i, _ in self.items if kind == "event" and i]

    @property
    def states(self) -> list[Any]:
        return [data for kind, _, data in self.items if kind == "state"]

    def said(self, author: str) -> list[str]:
        return [e["message"]["text"] for e in self.events if e["message"] and e["message"]["author"] == author]

    async def until(self, test: Callable[["Listener"], Any], what: str = "what was awaited") -> Any:
        return await eventually(lambda: test(self), f"on the stream: {what}")

    async def _follow(self) -> None:
        kind, last, data = "message", None, ""
        async with self.http.stream("GET", self.path, headers=self.headers, timeout=None) as response:
            assert response.status_code == 200, await response.aread()
            self._open.set()
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    data += line[5:].strip()
                elif line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("id:"):
                    last = line[3:].strip()
                elif not line and data:
                    self.items.append((kind, last, json.loads(data)))
                    kind, last, data = "message", None, ""
