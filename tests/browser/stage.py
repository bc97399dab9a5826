"""What the browser tests play on: the served shop, its people, and windows that notice when something goes wrong."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Locator, Page, WebError, expect

from app.config import DEMO_SHOP
from app.db import Database
from app.worker import utc_now
from handoff.desk import VANISHED_AFTER, people
from tests.app.process import Process
from tests.conftest import Person
from tests.serving import ROOT, SHOP, eventually, session

WORRIED = "My daughter's wedding is on Saturday and I am so worried the gifts will not arrive in time"
"""Enough for the bot to offer a person at once."""
CHAT = f"/chat/?shop={SHOP}"
KEPT = f"warmline:{SHOP}:"
"""What the chat's keys in the browser's storage begin with."""
PATIENCE_MS = 15_000.0
"""How long a page may take on a busy machine; never a measure of speed. Less than the 20 seconds after which streams
read again by themselves, so that a wake-up that was lost is noticed."""

expect.set_options(timeout=PATIENCE_MS)


class Served(Process):
    """``warmline serve`` with what is shipped: the demo shop and both networks. ``kill()`` is kill -9."""

    def __init__(self, folder: Path, **env: str) -> None:
        shipped = {
            "WARMLINE_EMOTION_MODEL": "shipped", "WARMLINE_ENCODER_MODEL": "shipped",
            "WARMLINE_SHOPS": json.dumps([str(DEMO_SHOP)]), "WARMLINE_OPENINGS_PER_MINUTE": "1000",
        }  # fmt: skip
        self.database = f"sqlite+aiosqlite:///{folder / 'warmline.db'}"
        super().__init__(folder, self.database, **(shipped | env))
        self._env["WARMLINE_BASE_URL"] = self.address

    async def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)
        await eventually(self._answers, "the server's start")


@dataclass
class Stage:
    """One test's share of the server and the browser: an empty shop, and windows that share nothing."""

    address: str
    db: Database
    chromium: Browser
    problems: list[str] = field(default_factory=list)
    """What pages complained of; a test that leaves any fails."""

    def __post_init__(self) -> None:
        self._contexts: list[BrowserContext] = []
        self.http = httpx.AsyncClient(base_url=self.address, timeout=PATIENCE_MS / 1000)

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *_: object) -> None:
        for context in self._contexts:
            for page in context.pages:
                await page.unroute_all(behavior="ignoreErrors")
            await context.close()
        await self.http.aclose()

    def at(self, address: str, db: Database | None = None) -> "Stage":
        """The same with another server, or another line to it."""
        return Stage(address, db or self.db, self.chromium, self.problems)

    async def context(self, **options: Any) -> BrowserContext:
        """A browser of somebody's own."""
        context = await self.chromium.new_context(base_url=self.address, **options)
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._hear)
        context.on("weberror", self._notice)
        self._contexts.append(context)
        return context

    def _hear(self, message: ConsoleMessage) -> None:
        # a browser writes this of every 401, 409 and lost line, which tests bring about on purpose
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _notice(self, error: WebError) -> None:
        self.problems.append(f"page error: {error.error}")

    async def customer(self, **options: Any) -> "ChatPage":
        """A customer with the chat open in a window of its own, greeted."""
        page = await (await self.context(**options)).new_page()
        return await ChatPage(page).opened()

    async def staff(self, person: Person, path: str = "/console/", **options: Any) -> Page:
        """Somebody of the staff at one of their pages, logged in past the limit on log-ins."""
        context = await self.context(**options)
        await self.let_in(context, person)
        page = await context.new_page()
        await page.goto(path)
        return page

    async def let_in(self, context: BrowserContext, person: Person) -> None:
        name, _, token = (await session(self.db, person))["Cookie"].partition("=")
        await context.add_cookies([{"name": name, "value": token, "url": self.address}])

    async def visitor(self, name: str | None = None) -> "Visitor":
        """A customer without a window, quick to bring somewhere."""
        answer = await self.http.post("/api/chat/conversations", json={"shop": SHOP, "name": name})
        opened = answer.raise_for_status().json()
        return Visitor(self.http, opened["conversation"]["id"], {"Authorization": f"Bearer {opened['token']}"})

    async def as_staff(self, person: Person, method: str, path: str, **body: Any) -> Any:
        """What somebody of the staff does without a window."""
        headers = await session(self.db, person)
        answer = await self.http.request(method, path, json=body or None, headers=headers)
        return answer.raise_for_status().json() if answer.content else None

    async def at_the_desk(self, person: Person, **how: Any) -> None:
        """Somebody of the staff is there without a window: for a minute, and with these skills and so on."""
        await self.as_staff(person, "PUT", "/api/me", status="here", **how)

    async def vanish(self, person: Person) -> None:
        """Nobody has heard of their console for longer than an agent may be gone."""
        long_ago = utc_now() - VANISHED_AFTER * 2
        async with self.db.unit_of_work() as work:
            row = sa.update(people.presence).where(people.presence.c.agent_id == person.id)
            await work.conn.execute(row.values(last_seen_at=long_ago))

    async def take(self, person: Person, conversation_id: str) -> None:
        await self.as_staff(person, "PUT", f"/api/conversations/{conversation_id}/assignee")

    async def reply(self, person: Person, conversation_id: str, text: str) -> None:
        body = {"text": text, "client_message_id": _message_id()}
        await self.as_staff(person, "POST", f"/api/conversations/{conversation_id}/messages", **body)

    async def resolve(self, person: Person, conversation_id: str) -> None:
        await self.as_staff(person, "PUT", f"/api/conversations/{conversation_id}/status", status="resolved")


_numbers = iter(range(1, 10**9))


def _message_id() -> str:
    return f"browser-test-{next(_numbers)}"


@dataclass(frozen=True)
class Visitor:
    """A customer without a window."""

    http: httpx.AsyncClient
    id: str
    headers: dict[str, str]

    async def view(self) -> Any:
        answer = await self.http.get(f"/api/chat/conversations/{self.id}", headers=self.headers)
        return answer.raise_for_status().json()

    async def say(self, *texts: str) -> None:
        """Write, and wait for the bot to have dealt with it, once for each text."""
        for text in texts:
            body = {"text": text, "client_message_id": _message_id()}
            path = f"/api/chat/conversations/{self.id}/messages"
            (await self.http.post(path, json=body, headers=self.headers)).raise_for_status()
            await eventually(self._is_quiet, f"the bot's turn after {text!r}")

    async def _is_quiet(self) -> bool:
        return not (await self.view())["bot_is_typing"]

    async def ask_for_person(self) -> None:
        path = f"/api/chat/conversations/{self.id}/handoff"
        (await self.http.put(path, headers=self.headers)).raise_for_status()


class ChatPage:
    """The chat as a customer handles it: in a window of its own, or in the widget's frame."""

    def __init__(self, page: Page, frame: Frame | None = None) -> None:
        self.page = page
        self._in: Page | Frame = frame or page

    async def opened(self) -> "ChatPage":
        await self.page.goto(CHAT)
        await expect(self.said("bot").first).to_be_visible()
        return self

    def find(self, selector: str) -> Locator:
        return self._in.locator(selector)

    @property
    def field(self) -> Locator:
        return self.find("#text")

    @property
    def all(self) -> Locator:
        """What everybody said, oldest first."""
        return self.find("#log li.message")

    def said(self, author: str) -> Locator:
        """What somebody said and the server has."""
        return self.find(f"#log li.message[data-author={author}][data-seq] .text")

    async def write(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def say(self, text: str) -> None:
        """Write, and wait until the bot or the notice after it has answered."""
        before = await self.all.count()
        await self.write(text)
        await expect(self.said("customer").last).to_have_text(text)
        await expect(self.all.nth(before + 1)).to_be_visible()
        await expect(self.find("#typing")).to_be_hidden()

    async def session(self) -> dict[str, str]:
        """Conversation and token, as the browser keeps them."""
        found: dict[str, str] = await self._in.evaluate(f"JSON.parse(localStorage.getItem('{KEPT}session'))")
        return found

    async def unsent(self) -> int:
        count: int = await self._in.evaluate(
            f"Object.keys(localStorage).filter(k => k.startsWith('{KEPT}out:')).length"
        )
        return count


class Line:
    """A line to the server that can go dead without a word, as it does while a computer sleeps."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._awake = asyncio.Event()
        self._awake.set()
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Line":
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        self.drop()
        await asyncio.gather(*self._open, return_exceptions=True)

    def sleep(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._awake.clear()

    def wake(self) -> None:
        """New connections pass; the old ones turn out to be gone."""
        self.drop()
        self._awake.set()

    def drop(self) -> None:
        """Every connection breaks; new ones pass."""
        for task in self._open:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._server)
        both = [
            asyncio.create_task(self._copy(reader, far_writer)),
            asyncio.create_task(self._copy(far_reader, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            for end in (writer, far_writer):
                end.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._awake.wait()
            writer.write(data)
            await writer.drain()


async def twice_the_same(test: Callable[[], Awaitable[Any]], after: float = 0.4) -> Any:
    """What ``test`` gives once it gives the same again a little later: for what must not go on changing."""
    before = await test()
    while True:
        await asyncio.sleep(after)
        now = await test()
        if now == before:
            return now
        before = now


async def has_no_sideways_scroll(page: Page | Frame) -> None:
    """Nothing is wider than the window."""
    width: list[int] = await page.evaluate(
        "[document.documentElement.scrollWidth, document.body.scrollWidth, document.documentElement.clientWidth]"
    )
    assert max(width[:2]) <= width[2], f"wider than the window: {width}"
