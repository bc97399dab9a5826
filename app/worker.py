"""The loop that takes what is due: next conversation, turn, again. One a process; rows are claimed by lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy.exc
import structlog

from app.db import Database
from app.live import EVERYTHING, Subscription
from app.metrics import TURN_SECONDS
from app.turn import BotTurn
from conversations import store

AT_ONCE = 2
"""Turns in flight in one process. More gain no throughput on small machines, and make acknowledgements wait."""
LOOK_AGAIN = 1.0
"""Seconds after which the table is looked at even if nobody rang: a lease ends, or a wake-up was lost; a row is not."""

log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The clock of the service."""
    return datetime.now(UTC)


class Worker:
    """Claims due conversations and takes their turns until cancelled."""

    def __init__(self, db: Database, turn: BotTurn, lease: timedelta) -> None:
        self._db, self._turn, self._lease = db, turn, lease
        self._in_flight: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Work in the background while the block lasts; turns in flight are finished first."""
        async with self._db.live.subscribe(EVERYTHING) as bell:
            loop = asyncio.create_task(self._loop(bell))
            try:
                yield
            finally:
                loop.cancel()
                await asyncio.gather(loop, *self._in_flight, return_exceptions=True)

    async def _loop(self, bell: Subscription) -> None:
        while True:
            try:
                if not await self._claim():
                    await bell.wait(LOOK_AGAIN)
            except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
                log.error("worker_database_error", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _claim(self) -> bool:
        """Start what is due; whether anything was."""
        free = AT_ONCE - len(self._in_flight)
        if free == 0:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
            return True
        async with self._db.unit_of_work() as work:
            ids = await store.claim_due(work.conn, utc_now(), self._lease, free)
        for conversation_id in ids:
            task = asyncio.create_task(self._take(conversation_id))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        return bool(ids)

    async def _take(self, conversation_id: str) -> None:
        """One turn. A database that does not answer is tried again when the lease is over; any other fault
        would only come again, so the conversation goes to a person."""
        try:
            with TURN_SECONDS.time():
                await self._turn.take(conversation_id)
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            log.error("turn_postponed", conversation=conversation_id, error=type(error).__name__)
        except Exception as error:  # the loop must outlive any one turn
            log.error("turn_failed", conversation=conversation_id, error=type(error).__name__)
            await self._give_up(conversation_id)

    async def _give_up(self, conversation_id: str) -> None:
        try:
            await self._turn.give_up(conversation_id)
        except Exception as error:  # the lease brings it back
            log.error("give_up_failed", conversation=conversation_id, error=type(error).__name__)
