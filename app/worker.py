"""The loop that takes what is due: next conversation, turn, again. One a process; rows are claimed by lease.

Most turns are handed over by the process that stored them (app.doorbell) and need no claim; the table is looked
at when another process rang, and every LOOK_AGAIN seconds.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import sqlalchemy.exc
import structlog

from app.db import Database
from app.doorbell import MOST_HANDED, Doorbell
from app.live import DUE, Subscription
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

    def __init__(self, db: Database, turn: BotTurn, doorbell: Doorbell) -> None:
        self._db, self._turn, self._doorbell = db, turn, doorbell
        self._in_flight: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Work in the background while the block lasts; turns in flight are finished first."""
        async with self._db.live.subscribe(DUE) as bell:
            self._doorbell.answered_by(bell)
            loop = asyncio.create_task(self._loop(bell))
            try:
                yield
            finally:
                self._doorbell.answered_by(None)
                loop.cancel()
                await asyncio.gather(loop, *self._in_flight, return_exceptions=True)
                await self._leave_to_others()

    async def _loop(self, bell: Subscription) -> None:
        look = True
        while True:
            try:
                await self._room()
                ids = self._doorbell.handed(self._free)
                if not ids and look:
                    ids = await self._claim()
                for conversation_id in ids:
                    self._start(conversation_id)
                if not ids:
                    woken = await bell.wait(LOOK_AGAIN)
                    look = not woken or DUE in woken
            except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
                log.error("worker_database_error", error=type(error).__name__)
                await asyncio.sleep(1)

    @property
    def _free(self) -> int:
        return AT_ONCE - len(self._in_flight)

    async def _room(self) -> None:
        """Wait until one more turn may begin."""
        while self._free <= 0:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    async def _claim(self) -> list[str]:
        """What is due in the table and nobody has."""
        async with self._db.unit_of_work() as work:
            return await store.claim_due(work.conn, utc_now(), self._doorbell.lease, self._free)

    def _start(self, conversation_id: str) -> None:
        task = asyncio.create_task(self._take(conversation_id))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _leave_to_others(self) -> None:
        """What was handed over and not begun is due at once for whoever is up next."""
        for conversation_id in self._doorbell.handed(MOST_HANDED):
            try:
                async with self._db.unit_of_work() as work:
                    await store.hasten(work.conn, conversation_id, utc_now())
            except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:  # the lease brings it back
                log.error("turn_postponed", conversation=conversation_id, error=type(error).__name__)

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
