"""Wake-ups to open streams: a conversation's id, never its data. Whoever wakes reads the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

import psycopg
import structlog
from sqlalchemy.engine import make_url

EVERYTHING = "*"
"""The topic of those who follow every conversation: agents' consoles."""
DUE = "*due"
"""What is announced when a turn is due that any worker may claim; only workers follow it."""
DESK = "*desk"
"""What is announced when the queue moves or an agent comes or goes: places and waits have changed."""
CHANNEL = "warmline"
PASSING = "~"
"""What a passing word begins with on the channel; ids of conversations are alphanumeric."""
RECONNECT_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Subscription:
    """Collects the ids that changed since it was last looked at; ids are kept once, so it cannot grow wild."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._event = asyncio.Event()

    def wake(self, conversation_id: str) -> None:
        """Note that a conversation changed."""
        self._changed.add(conversation_id)
        self._event.set()

    async def wait(self, timeout: float) -> set[str]:
        """The ids that changed; empty after ``timeout`` seconds (read again anyway)."""
        try:
            async with asyncio.timeout(timeout):  # wait_for may lose a cancellation that meets a wake-up (Python 3.11)
                await self._event.wait()
        except TimeoutError:
            return set()
        self._event.clear()
        changed, self._changed = self._changed, set()
        return changed


class Live(Protocol):
    """Carries wake-ups between whoever commits and whoever follows."""

    async def announce(self, conversation_id: str) -> None:
        """Wake everyone who follows the conversation."""
        ...

    def subscribe(self, *topics: str) -> AbstractAsyncContextManager[Subscription]:
        """Follow one conversation, EVERYTHING, DESK, or what nudges go to; several at once by one subscription."""
        ...

    def nudge(self, topic: str, word: str) -> None:
        """Wake the followers of one topic in this process, and nobody else."""
        ...

    def pass_on(self, word: str) -> None:
        """Give a short word to the other processes, if there are any. It is kept nowhere and may get lost."""
        ...

    hear: Callable[[str], None]
    """Called with each passing word of another process (and with one's own: they come back)."""

    closed: bool
    """Whether the service is going down: streams end, and their readers come back to whoever is up next."""

    def close(self) -> None:
        """The service is going down."""
        ...

    def run(self) -> AbstractAsyncContextManager[None]:
        """Keep the carrier going while the service runs."""
        ...


class MemoryLive:
    """Within one process."""

    def __init__(self) -> None:
        self.closed = False
        self.hear: Callable[[str], None] = lambda _: None
        self._followers: dict[str, set[Subscription]] = {}

    async def announce(self, conversation_id: str) -> None:
        """Wake the followers in this process."""
        self.wake(conversation_id)

    def wake(self, conversation_id: str) -> None:
        """Wake the followers in this process, at once."""
        for topic in (DUE,) if conversation_id == DUE else (conversation_id, EVERYTHING):
            self.nudge(topic, conversation_id)

    def nudge(self, topic: str, word: str) -> None:
        """Wake the followers of one topic in this process."""
        for follower in self._followers.get(topic, ()):
            follower.wake(word)

    def pass_on(self, word: str) -> None:
        """There is no other process."""

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        self.wake_all()

    def wake_all(self) -> None:
        """Wake every follower: something may have been missed."""
        for topic, followers in list(self._followers.items()):
            for follower in followers:
                follower.wake(topic)

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[Subscription]:
        """Follow these topics until the block ends."""
        subscription = Subscription()
        for topic in topics:
            self._followers.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._followers[topic].discard(subscription)
                if not self._followers[topic]:
                    del self._followers[topic]

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Nothing to keep going in memory."""
        yield


class PostgresLive(MemoryLive):
    """Between processes by LISTEN/NOTIFY; a wake-up only, so a lost one costs a delay and no message."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(maxsize=10_000)

    async def announce(self, conversation_id: str) -> None:
        """Wake this process now and the others through the database."""
        self.wake(conversation_id)
        self._send(conversation_id)

    def pass_on(self, word: str) -> None:
        """Through the database, without being stored there."""
        self._send(PASSING + word)

    def _send(self, payload: str) -> None:
        try:
            self._outgoing.put_nowait(payload)
        except asyncio.QueueFull:
            log.warning("live_queue_full")  # the others read again within their slow re-read

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Listen and notify until the block ends, reconnecting for ever."""
        async with AsyncExitStack() as stack:
            for work in (self._listen, self._notify):
                task = asyncio.create_task(self._for_ever(work))
                stack.push_async_callback(_cancelled, task)
            yield

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except psycopg.Error as error:
                log.warning("live_connection_lost", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as conn:
            await conn.execute(f"LISTEN {CHANNEL}")
            self.wake_all()
            async for notice in conn.notifies():
                if notice.payload.startswith(PASSING):
                    self.hear(notice.payload.removeprefix(PASSING))
                else:
                    self.wake(notice.payload)

    async def _notify(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as conn:
            while True:
                await conn.execute("SELECT pg_notify(%s, %s)", (CHANNEL, await self._outgoing.get()))


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def live_for(database_url: str) -> Live:
    """The carrier that fits the database."""
    return PostgresLive(database_url) if database_url.startswith("postgresql") else MemoryLive()
