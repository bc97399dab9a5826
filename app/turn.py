"""One bot turn: read, understand, decide, then speak or hand off. The file to read first.

A turn never holds the database while a model runs. What it drafted is written only if the conversation is
still the one that was read: if an agent took over or the customer wrote again, the draft is dropped and what
is true now decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import Database
from app.doorbell import Doorbell
from app.inference import Inference, Understanding, fallback
from app.live import DESK
from app.metrics import TURNS
from app.queue import wait_for
from app.room import Room, room_now
from app.shopfront import Shopfront, Shops
from app.speech import Draft, speak
from conversations import store
from conversations.conversation import Conversation, Message
from conversations.errors import Stale
from conversations.lifecycle import Author, Status
from handoff.capacity import Capacity
from handoff.desk import queue_rank, urgency_of
from handoff.policy import Act, Decision, Evidence, Reason, accepted, decide
from handoff.signals import CustomerTurn, Signals, signals_of
from models.base import EARLIER, Reading, Utterance
from models.language import language_of
from models.smalltalk import is_no, is_yes

log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Thread:
    """A conversation and its transcript as they were when the turn began; notes are not the bot's business."""

    conversation: Conversation
    messages: Sequence[Message]

    @property
    def customer(self) -> list[Message]:
        """What the customer wrote, oldest first."""
        return [m for m in self.messages if m.author is Author.CUSTOMER]

    @property
    def unread(self) -> list[Message]:
        """Customer messages without a reading."""
        return [m for m in self.customer if m.reading is None]

    @property
    def unanswered(self) -> list[Message]:
        """Customer messages since the bot or an agent last spoke, and since the bot last took over."""
        spoke = [m.seq for m in self.messages if m.author in (Author.BOT, Author.AGENT)]
        after = max([self.conversation.bot_from_seq, *spoke])
        return [m for m in self.customer if m.seq > after]

    def before(self, message: Message) -> tuple[str, ...]:
        """The customer's latest messages before ``message``, oldest first."""
        return tuple(m.text for m in self.customer if m.seq < message.seq)[-EARLIER:]


class BotTurn:
    """Takes turns. One instance serves every conversation."""

    def __init__(
        self, db: Database, inference: Inference, shops: Shops, clock: Clock, doorbell: Doorbell,
        room: Room = room_now,
    ) -> None:  # fmt: skip
        self._db, self._inference, self._shops, self._clock = db, inference, shops, clock
        self._doorbell, self._room = doorbell, room

    async def take(self, conversation_id: str) -> None:
        """Take the turn that is due. Does nothing when nothing is left to read or to say."""
        thread = await self._read(conversation_id)
        readings = await self._read_earlier(thread)
        if thread.conversation.status is not Status.BOT or not thread.unanswered:
            await self._write(thread, readings | await self._read_all(thread), None)
            return
        shop = self._shops.get(thread.conversation.shop_id)
        now = thread.unanswered[-1]
        understood = await self._understand(thread, now, shop)
        readings[now.id] = understood.reading
        signals = await self._signals(thread, readings, understood, shop)
        decision, capacity = await self._decide(thread, signals, now, shop)
        draft = speak(
            thread.conversation, thread.messages, shop, understood, signals, decision, capacity, self._clock()
        )
        await self._write(thread, readings, draft)

    async def give_up(self, conversation_id: str) -> None:
        """A turn that cannot be taken goes to a person, with what the bot would have had to answer."""
        thread = await self._read(conversation_id)
        if thread.conversation.status is not Status.BOT or not thread.unanswered:
            return
        now = thread.unanswered[-1]
        understood = fallback(Utterance(now.text))
        evidence = Evidence("turn_failed", 1, 1, "The bot could not answer because of a fault", now.id)
        decision = Decision(Act.HANDOFF, Reason.UNKNOWN, (evidence,))
        shop = self._shops.get(thread.conversation.shop_id)
        nothing = Signals(message_id=now.id)
        draft = speak(
            thread.conversation, thread.messages, shop, understood, nothing, decision, Capacity.FREE, self._clock()
        )
        await self._write(thread, {}, draft)

    async def _read(self, conversation_id: str) -> Thread:
        async with self._db.read() as conn:
            conversation = await store.load(conn, conversation_id)
            return Thread(conversation, await store.transcript(conn, conversation_id, public_only=True))

    async def _read_earlier(self, thread: Thread) -> dict[str, Reading]:
        """Readings for unread messages before the last: several in a row, or some missed while models were away."""
        return await self._read_messages(thread, thread.unread[:-1])

    async def _read_all(self, thread: Thread) -> dict[str, Reading]:
        return await self._read_messages(thread, thread.unread[-1:])

    async def _read_messages(self, thread: Thread, unread: Sequence[Message]) -> dict[str, Reading]:
        if not unread:
            return {}
        readings = await self._inference.read([Utterance(m.text, thread.before(m)) for m in unread])
        return {m.id: reading for m, reading in zip(unread, readings, strict=True)}

    async def _understand(self, thread: Thread, now: Message, shop: Shopfront) -> Understanding:
        """Read the last message; match everything unanswered, so that "hello?" does not hide the question before it."""
        question = "\n".join(m.text for m in thread.unanswered)
        understood = await self._inference.understand(Utterance(now.text, thread.before(now)), question, shop.matcher)
        if understood.match.vector and question == now.text:
            self._inference.remember(now.text, understood.match.vector)
        return understood

    async def _signals(
        self, thread: Thread, readings: dict[str, Reading], understood: Understanding, shop: Shopfront
    ) -> Signals:
        """Signals over every turn since the bot last took over."""
        considered = [m for m in thread.customer if m.seq > thread.conversation.bot_from_seq]
        vectors = await self._inference.vectors([m.text for m in considered])
        turns = []
        for message, vector in zip(considered, vectors, strict=True):
            reading = readings[message.id].as_dict() if message.id in readings else message.reading or {}
            reply = _reply_to(message, thread.messages)
            done = reply.extra if reply else {}
            best = understood.match.candidates[:1] if message is considered[-1] else ()
            turns.append(
                CustomerTurn(
                    message.id,
                    message.text,
                    reading.get("states", {}),
                    reading.get("flagged", ()),
                    outcome=understood.match.outcome if message is considered[-1] else done.get("outcome", "unknown"),
                    entry_id=best[0].id if best else done.get("entry_id"),
                    score=understood.match.probability if message is considered[-1] else done.get("score", 0.0),
                    language=language_of(message.text) if message is considered[-1] else None,
                    vector=vector,
                    act=done.get("act"),
                )
            )
        return signals_of(turns, _declined_after(thread, considered), shop.shop.languages)

    async def _decide(
        self, thread: Thread, signals: Signals, now: Message, shop: Shopfront
    ) -> tuple[Decision, Capacity]:
        """The policy, after what it cannot see: a plain yes or no to whether a person should come.

        The desk is looked at only when a person would come: a decision that needs no one needs no room.
        """
        if _was_asked(thread) and is_yes(now.text, firm=not thread.conversation.offer_open):
            async with self._db.read() as conn:
                offer = await store.open_offer(conn, thread.conversation)
            said_yes = Evidence("offer_accepted", 1, 1, "Accepted the offer of a person", now.id)
            return accepted(offer, said_yes), Capacity.FREE
        if thread.conversation.offer_open and is_no(now.text):
            return Decision(Act.SMALLTALK, Reason.DECLINED), Capacity.FREE
        decision = decide(signals, shop.rules)
        if decision.act not in (Act.OFFER, Act.HANDOFF):
            return decision, Capacity.FREE
        async with self._db.read() as conn:
            capacity = await self._room(conn, self._clock())
        return decide(signals, shop.rules, capacity), capacity

    async def _write(self, thread: Thread, readings: dict[str, Reading], draft: Draft | None) -> None:
        """One short transaction against the version that was read; saving is refused when it is another by now."""
        at, conversation = self._clock(), thread.conversation
        try:
            async with self._db.unit_of_work() as work:
                for message_id, reading in readings.items():
                    conversation.read(message_id, reading.as_dict(), at)
                if draft is not None:
                    await self._act(work.conn, conversation, draft, at)
                conversation.due_at = None
                await store.save(work.conn, conversation)
                work.announce(conversation.id, *([DESK] if draft and conversation.status is Status.WAITING else []))
        except Stale:
            TURNS.labels("dropped").inc()
            log.info("draft_dropped", conversation=thread.conversation.id)
            await self._doorbell.ring(thread.conversation.id, claimed=True)
            return
        TURNS.labels(draft.decision.act.value if draft else "read_only").inc()

    async def _act(self, conn: AsyncConnection, conversation: Conversation, draft: Draft, at: datetime) -> None:
        """Speak, offer or hand over, and keep why."""
        decision = draft.decision
        conversation.decided(
            draft.message_id, decision.act, decision.reason, decision.evidence_dicts(), at, signals=draft.signals
        )
        conversation.language = draft.language or conversation.language
        if draft.declines_offer:
            conversation.decline_offer(at)
        conversation.say(draft.text, at, **draft.extra)
        if decision.act is Act.OFFER:
            conversation.offer_person(decision.reason, decision.evidence_dicts(), at)
        if decision.act is Act.HANDOFF:
            urgency = urgency_of(decision.reason, draft.frustration)
            conversation.request_handoff(
                decision.reason, decision.evidence_dicts(), at,
                queue_rank=queue_rank(at, urgency, draft.shop.shop.opens_at(at)),
                urgency=urgency, decided_by="policy", state=draft.state,
            )  # fmt: skip
            wait = await wait_for(conn, conversation, at)
            conversation.line(draft.queued_line(wait, at), at, promise=True)


def _reply_to(message: Message, messages: Sequence[Message]) -> Message | None:
    """The bot's next message after ``message``."""
    return next((m for m in messages if m.seq > message.seq and m.author is Author.BOT), None)


def _declined_after(thread: Thread, considered: Sequence[Message]) -> int | None:
    """How many turns had been taken when the offer was made that the customer last declined."""
    declined = [m.seq for m in thread.messages if m.extra.get("declined")]
    if not declined:
        return None
    offers = [m.seq for m in thread.messages if m.extra.get("act") == Act.OFFER and m.seq < declined[-1]]
    return sum(m.seq < offers[-1] for m in considered) if offers else None


def _was_asked(thread: Thread) -> bool:
    """Whether the bot's last word was the question whether a person should come."""
    said = [m for m in thread.messages if m.author is Author.BOT]
    return thread.conversation.offer_open or (bool(said) and said[-1].extra.get("act") == Act.UNKNOWN)
