"""The database: engines, short reads, and the unit of work that commits first and announces after."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.live import Live
from app.sqlite import WAITS
from conversations.store import SAVED, Saved


class DatabaseGone(OSError):
    """The SQLite file was deleted or replaced while the service had it open."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was deleted or replaced. Put it back and start Warmline again.")


class Telling(Protocol):
    """Writes what must leave the house into the transaction of what causes it (see app.outbox.writer)."""

    bell: asyncio.Event

    async def write(self, conn: AsyncConnection, saved: Sequence[Saved]) -> bool:
        """Whether anything must leave."""
        ...


@dataclass
class Work:
    """One transaction and the conversations to announce when it has been committed."""

    conn: AsyncConnection
    changed: set[str] = field(default_factory=set)
    saved: list[Saved] = field(default_factory=list)
    """What was written of conversations in it; the outbox looks at this before the commit."""

    def announce(self, *topics: str) -> None:
        """Wake whoever follows this conversation (or DESK), after the commit."""
        self.changed.update(topics)


class Database:
    """SQLite or PostgreSQL, by URL. On SQLite all writers of the process queue for one connection."""

    def __init__(self, url: str, live: Live, outbox: Telling | None = None) -> None:
        self.url = make_url(url)
        self.live = live
        self._outbox = outbox
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            on_loop = self.url.set(drivername="sqlite+loop")
            self._writer = _sqlite_engine(on_loop, begin=WAITS, pool_size=1)
            self._reader = _sqlite_engine(on_loop, begin="BEGIN", pool_size=8)
            self._scanner = _sqlite_engine(self.url, begin="BEGIN", pool_size=2)
        else:
            self._writer = self._reader = self._scanner = create_async_engine(
                url, pool_size=10, max_overflow=10, pool_pre_ping=True, pool_timeout=10, hide_parameters=True
            )
        self._one_writer = asyncio.Lock()
        self._inode: int | None = None

    def _check_file(self) -> None:
        """A SQLite file that was deleted or replaced goes on working for open connections, and is lost with them."""
        if not self.is_sqlite or not self.url.database:
            return
        try:
            inode = os.stat(self.url.database).st_ino
        except OSError as error:
            raise DatabaseGone(self.url.database) from error
        if self._inode is None:
            self._inode = inode
        if inode != self._inode:
            raise DatabaseGone(self.url.database)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A short read; never hold one across a model call or an open stream."""
        async with self._reader.connect() as conn:
            yield conn

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[AsyncConnection]:
        """A read over many conversations, which may take long enough to leave the event loop for."""
        async with self._scanner.connect() as conn:
            yield conn

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[Work]:
        """One transaction: committed when the block ends, then announced; rolled back if it raises."""
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                await stack.enter_async_context(self._one_writer)
            work = Work(await stack.enter_async_context(self._writer.begin()))
            self._check_file()
            about = work.conn.info
            about[SAVED] = work.saved
            stack.callback(about.pop, SAVED)
            yield work
            leaving = self._outbox is not None and work.saved and await self._outbox.write(work.conn, work.saved)
        if leaving and self._outbox:
            self._outbox.bell.set()
        for conversation_id in work.changed:
            await self.live.announce(conversation_id)

    async def ping(self) -> None:
        """Raise whatever the driver raises when the database does not answer, or DatabaseGone."""
        async with self.read() as conn:
            self._check_file()
            await conn.execute(sa.text("select 1 from conversations limit 1"))

    async def close(self) -> None:
        """Give every connection back."""
        for engine in {self._writer, self._reader, self._scanner}:
            await engine.dispose()


def _sqlite_engine(url: URL, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": 10}, hide_parameters=True
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _configure(dbapi_connection: Any, _: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(conn: sa.Connection) -> None:
        # the driver's own BEGIN is deferred: a read that turns into a write would fail at once under load
        conn.exec_driver_sql(begin)

    return engine
