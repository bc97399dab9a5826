"""SQLite on the event loop: a statement takes microseconds and runs where it is; what may wait goes to a thread.

The usual asynchronous driver hands every statement to a thread and waits for it, which costs four times what the
statement does (docs/adr/0010-sqlite-on-the-loop.md). Here only a BEGIN IMMEDIATE that must wait for another
process, and COMMIT, which waits for the disk, leave the loop. Long reads belong in ``Database.scan``.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import anyio
from sqlalchemy import pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util.concurrency import await_

WAITS = "BEGIN IMMEDIATE"


class LoopSQLite(SQLiteDialect_pysqlite):
    """``sqlite+loop:///path``, for asynchronous engines."""

    driver = "loop"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: Any) -> type[pool.Pool]:
        """A pool whose waiting does not block the loop."""
        return pool.AsyncAdaptedQueuePool

    def create_connect_args(self, url: Any) -> Any:
        """As usual, with a connection that may be used from a thread and cursors that asynchronous results take."""
        args, options = super().create_connect_args(url)
        return args, {**options, "check_same_thread": False, "factory": _Connection}

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Run one statement."""
        if statement == WAITS and not _begin_at_once(cursor):
            await_(_in_thread(lambda: cursor.execute(statement)))
        elif statement != WAITS:
            cursor.execute(statement, parameters)
        await_(_done())

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Run one statement for many rows."""
        cursor.executemany(statement, parameters)
        await_(_done())

    def do_commit(self, dbapi_connection: Any) -> None:
        """Commit, which with ``synchronous=FULL`` waits for the disk."""
        await_(_in_thread(dbapi_connection.commit))


class _Cursor(sqlite3.Cursor):
    async def _async_soft_close(self) -> None:
        """Asked of every cursor by SQLAlchemy's asynchronous results; the rows are kept until they are fetched."""


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


def _begin_at_once(cursor: sqlite3.Cursor) -> bool:
    """Begin to write if nobody else does; whether that went. Hardly ever does another process write at the time."""
    (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        cursor.execute(WAITS)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    finally:
        cursor.execute(f"PRAGMA busy_timeout={patience}")
    return True


async def _done() -> None:
    """Nothing to wait for; SQLAlchemy requires that every statement of an asynchronous driver is awaited."""


async def _in_thread(work: Callable[[], Any]) -> None:
    """Let ``work`` end even when the caller is cancelled: nothing else may touch the connection before.

    A server cancels a stream whose reader has gone again and again until it has ended; SQLite closed under a running
    statement takes the process with it.
    """
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            while not running.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # nobody is left to hear of it
        raise


registry.register("sqlite.loop", __name__, "LoopSQLite")
