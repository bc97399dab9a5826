"""The loop that carries out what must leave the house. Beside the bot's turns, never in front of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy.exc
import structlog

from app.db import Database
from app.metrics import DELIVERIES
from app.outbox import outbox, unseen
from app.outbox.errors import Failed, NotNeeded
from app.outbox.outbox import Channel, Delivery, Status
from app.outbox.writer import Outbox

AT_ONCE = 4
"""Deliveries in flight in one process. Each mostly waits for somebody else's server."""
LOOKS = 10
"""Unseen answers looked at in one transaction."""
LOOK_AGAIN = 2.0
"""Seconds after which the table is looked at even if nobody rang: another process may have written, a lease may end."""
HOLD_BACK = timedelta(seconds=30)
"""How long all that is due to an endpoint or to the mail server waits when it does not answer."""
TIDY_EVERY = timedelta(hours=1)

log = structlog.get_logger(__name__)


class Carrier(Protocol):
    """One way out: a webhook, a mail, a notice."""

    async def deliver(self, delivery: Delivery, at: datetime) -> None:
        """One attempt. Raises Failed or NotNeeded."""
        ...


class Deliveries:
    """Claims what is due and delivers it until cancelled.

    ``lease`` is how long one attempt may take before another worker tries the same again, with the same id.
    """

    def __init__(self, db: Database, outbox: Outbox, carriers: Mapping[Channel, Carrier], lease: timedelta,
                 clock: Callable[[], datetime]) -> None:  # fmt: skip
        self._db, self._outbox, self._carriers = db, outbox, carriers
        self._lease, self._clock = lease, clock
        self._in_flight: set[asyncio.Task[None]] = set()
        self._tidied: datetime | None = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Deliver in the background while the block lasts. What is in flight then is tried again after its lease."""
        loop = asyncio.create_task(self._loop())
        try:
            yield
        finally:
            for task in (loop, *self._in_flight):
                task.cancel()
            await asyncio.gather(loop, *self._in_flight, return_exceptions=True)

    async def _loop(self) -> None:
        while True:
            try:
                if not await self.start_due():
                    await self._rest()
            except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
                log.error("outbox_database_error", error=type(error).__name__)
                await asyncio.sleep(1)
            except Exception as error:  # nothing that is due may end the loop
                log.error("outbox_failed", error=type(error).__name__)
                await asyncio.sleep(1)

    async def start_due(self) -> bool:
        """Look at unseen answers and start deliveries that are due; whether anything was. Reads before it writes, so
        that an outbox with nothing in it never takes the writers' place."""
        now = self._clock()
        free = AT_ONCE - len(self._in_flight)
        if free == 0:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
            return True
        looked = await self._look(now)
        async with self._db.read() as conn:
            due = await outbox.next_due(conn)
        if not due or due > now:
            return looked
        async with self._db.unit_of_work() as work:
            claimed = await outbox.claim(work.conn, now, self._lease, free)
        for delivery in claimed:
            task = asyncio.create_task(self._deliver(delivery))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)
        return looked or bool(claimed)

    async def _look(self, now: datetime) -> bool:
        """Look at the answers that may have been unseen for long enough; whether there were any."""
        async with self._db.read() as conn:
            due = await unseen.next_due(conn)
        if not due or due > now:
            return False
        try:
            async with self._db.unit_of_work() as work:
                for one in await unseen.due(work.conn, now, LOOKS):
                    await self._outbox.look(work.conn, one, now)
        except Exception as error:  # what is ready to leave must not wait for it
            log.error("look_failed", error=type(error).__name__)
            return False
        return True

    async def _rest(self) -> None:
        now = self._clock()
        if self._tidied is None or now - self._tidied > TIDY_EVERY:
            self._tidied = now
            async with self._db.unit_of_work() as work:
                await outbox.forget_old(work.conn, now)
        bell = self._outbox.bell
        try:
            await asyncio.wait_for(bell.wait(), LOOK_AGAIN)
        except TimeoutError:
            return
        bell.clear()

    async def _deliver(self, delivery: Delivery) -> None:
        """One attempt and what came of it. Where that cannot be written, the lease brings the delivery back."""
        try:
            status, why = await self._attempt(delivery)
        except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            log.error("delivery_not_marked", delivery=delivery.id, error=type(error).__name__)
            return
        DELIVERIES.labels(delivery.channel, status).inc()
        said = log.info if status in (Status.SENT, Status.NOT_NEEDED) else log.warning
        said("delivery", delivery=delivery.id, channel=delivery.channel.value, kind=delivery.kind,
             attempt=delivery.attempts, status=status.value, failed=why is not None)  # fmt: skip

    async def _attempt(self, delivery: Delivery) -> tuple[Status, str | None]:
        try:
            await self._carriers[delivery.channel].deliver(delivery, self._clock())
        except NotNeeded as not_needed:
            return await self._finish(delivery, Status.NOT_NEEDED, str(not_needed)), None
        except Failed as failed:
            return await self._fail(delivery, failed), str(failed)
        except Exception as error:  # a fault of ours must not end in a delivery that nobody looks after
            return await self._fail(delivery, Failed(f"A fault in Warmline ({type(error).__name__}).")), str(error)
        return await self._finish(delivery, Status.SENT), None

    async def _finish(self, delivery: Delivery, status: Status, why: str | None = None) -> Status:
        async with self._db.unit_of_work() as work:
            await outbox.finished(work.conn, delivery, status, self._clock(), why)
        return status

    async def _fail(self, delivery: Delivery, failed: Failed) -> Status:
        if failed.final:
            return await self._finish(delivery, Status.DEAD, str(failed))
        now = self._clock()
        async with self._db.unit_of_work() as work:
            status = await outbox.failed(work.conn, delivery, str(failed), now, failed.wait)
            if failed.no_answer:
                await outbox.hold_back(work.conn, delivery, now + HOLD_BACK)
        return status
