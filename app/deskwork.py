"""The desk's own work: offers that nobody answered, agents who vanished, promises that were not kept, new offers.

Every deadline is a column, so a restart loses none. Any number of processes may do this at once: each change is
one transaction that locks what it changes, looks whether it is still true, and is refused if it is not.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import sqlalchemy.exc
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app import accounts
from app.db import Database
from app.live import DESK
from app.queue import desk_now, rank_again, wait_now
from app.shopfront import Shops
from conversations import store
from conversations.conversation import Conversation
from conversations.errors import ConversationError
from handoff import desk
from handoff.desk import people

OFFER_LASTS = timedelta(seconds=45)
"""How long an agent has to accept before the chat is offered to the next."""
TRANSFER_LASTS = timedelta(seconds=90)
"""How long a colleague has to accept a transfer: they are asked by name, perhaps in the middle of a sentence."""
LOOK_AGAIN = 5.0
"""Seconds after which the desk is looked at even if nothing was announced and no deadline is near."""
SOON = 0.1
LATE = 1.0
"""Seconds until what is overdue is tried again: it fell due a moment ago, or could not be done."""

log = structlog.get_logger(__name__)
Act = Callable[[AsyncConnection, Conversation, datetime], Awaitable[bool]]
"""Does what is due to one locked conversation; False when it was no longer so."""


class DeskWork:
    """Looks after the desk until cancelled."""

    def __init__(self, db: Database, shops: Shops, clock: Callable[[], datetime]) -> None:
        self._db, self._shops, self._clock = db, shops, clock
        self._online: list[str] | None = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Work in the background while the block lasts."""
        loop = asyncio.create_task(self._loop())
        try:
            yield
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    async def _loop(self) -> None:
        async with self._db.live.subscribe(DESK) as bell:
            while True:
                try:
                    await self.look()
                    await bell.wait(await self._until_next())
                except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
                    log.error("desk_database_error", error=type(error).__name__)
                    await asyncio.sleep(1)
                except Exception as error:  # the loop must outlive any one look
                    log.error("desk_failed", error=type(error).__name__)
                    await asyncio.sleep(1)

    async def look(self) -> None:
        """Do everything that is due now, once."""
        async with self._db.read() as conn:
            now = self._clock()
            gone = await people.vanished(conn, now)
            expired = await store.offers_expired(conn, now)
            broken = await store.promises_broken(conn, now)
            online = await people.agents_online(conn, now)
        for ids, act in ((gone, self._take_back), (expired, self._move_on), (broken, self._admit)):
            for conversation_id in ids:
                await self._do(conversation_id, act)
        await self._offer()
        if self._online is not None and online != self._online:
            await self._db.live.announce(DESK)
        self._online = online

    async def _until_next(self) -> float:
        async with self._db.read() as conn:
            deadline = await store.next_desk_deadline(conn)
        left = (deadline - self._clock()).total_seconds() if deadline else LOOK_AGAIN
        return LATE if left <= 0 else min(LOOK_AGAIN, max(SOON, left))

    async def _do(self, conversation_id: str, act: Act) -> None:
        try:
            async with self._db.unit_of_work() as work:
                conversation = await store.load(work.conn, conversation_id, lock=True)
                if await act(work.conn, conversation, self._clock()):
                    await store.save(work.conn, conversation)
                    work.announce(conversation_id, DESK)
        except ConversationError as error:  # somebody was quicker, or the conversation's shop is gone
            log.info("desk_work_dropped", conversation=conversation_id, error=type(error).__name__)

    async def _take_back(self, conn: AsyncConnection, conversation: Conversation, at: datetime) -> bool:
        """The agent's console is gone: back into the queue, and the customer is told."""
        agent_id = conversation.assignee_id
        person = await people.find(conn, agent_id) if agent_id else None
        if person is None or person.last_seen_at >= at - desk.VANISHED_AFTER:
            return False
        name = await accounts.name_of(conn, agent_id) or "Your agent"
        front = self._shops.get(conversation.shop_id)
        conversation.agent_vanished(name, at, queue_rank=rank_again(conversation, front.shop))
        wait = await wait_now(conn, conversation, at)
        conversation.promise(at + timedelta(minutes=wait.minutes) if wait.minutes else None)
        line = front.voice.line("vanished", agent=name, wait=wait, opens=front.shop.opens_next(at),
                                email=conversation.customer_email)  # fmt: skip
        conversation.line(line, at, promise=True)
        return True

    async def _move_on(self, conn: AsyncConnection, conversation: Conversation, at: datetime) -> bool:
        """Nobody answered the offer."""
        if conversation.offer_expires_at is None or conversation.offer_expires_at > at:
            return False
        was_transfer = conversation.transfer
        name = await accounts.name_of(conn, conversation.offered_to) or "A colleague"
        conversation.expire_offer(name, at)
        if was_transfer:
            say_not_transferred(conversation, self._shops, name, at)
        return True

    async def _admit(self, conn: AsyncConnection, conversation: Conversation, at: datetime) -> bool:
        """The wait is longer than was said: say so, once, and that one need not stay."""
        if not conversation.promise_broken(at):
            return False
        front = self._shops.get(conversation.shop_id)
        wait = await wait_now(conn, conversation, at)
        line = front.voice.line("long_wait", wait=wait, opens=front.shop.opens_next(at),
                                email=conversation.customer_email)  # fmt: skip
        conversation.line(line, at, promise=True)
        return True

    async def _offer(self) -> None:
        """Offer what waits to whoever is free, in one transaction that no other assignment shares."""
        async with self._db.read() as conn:
            now = await desk_now(conn, self._clock())
        if not desk.assign(now.queue(), now.agents()):
            return
        async with self._db.unit_of_work() as work:
            now = await desk_now(work.conn, self._clock(), lock=True)
            for conversation_id, agent_id in desk.assign(now.queue(), now.agents()):
                conversation = await store.load(work.conn, conversation_id, lock=True)
                name = await accounts.name_of(work.conn, agent_id)
                if not conversation.may_be_offered or name is None:
                    continue
                conversation.offer_to(agent_id, name, now.now, now.now + OFFER_LASTS)
                await store.save(work.conn, conversation)
                work.announce(conversation_id)


def say_not_transferred(conversation: Conversation, shops: Shops, to: str, at: datetime) -> None:
    """The customer was told who would come; say that somebody else will."""
    conversation.line(shops.get(conversation.shop_id).voice.line("not_transferred", to=to), at)
