"""The real bot on a throw-away database: conversations are played through ``app.turn.BotTurn`` one by one."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.config import DEMO_SHOP
from app.db import Database
from app.doorbell import Doorbell
from app.inference import Inference
from app.live import live_for
from app.logs import configure_logs
from app.migrate import migrate
from app.room import room_enough
from app.shopfront import Shopfront, Shops, open_shop
from app.turn import BotTurn
from conversations.conversation import Conversation, clean_text
from conversations.events import Event, Kind
from conversations.lifecycle import Author
from conversations.store import history, insert, load, save
from conversations.tables import metadata
from models.base import EmotionReader, SentenceEncoder
from models.catalog import load_encoder

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
"""A Wednesday morning on which the demo shop is open: every run says the same."""
BETWEEN_MESSAGES = timedelta(seconds=40)
WITH_PERSON = "with_person"
PATIENCE = 600.0
"""Seconds a model may take. In service a slow model is replaced by the rules; a measurement must not be."""
MOST_EVENTS = 100_000


@dataclass(frozen=True)
class Played:
    """What the bot made of one customer message."""

    kind: str
    """answer | clarify | offer | handoff | unknown | smalltalk; with_person after a handoff."""
    reason: str | None = None
    evidence: list[dict[str, Any]] = field(default_factory=list)
    reply: str = ""
    """The bot's words, and the line about the queue after a handoff; empty with a person."""
    reading: dict[str, Any] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """What ``replay`` prints."""
        return {"kind": self.kind, "reason": self.reason, "evidence": self.evidence, "reply": self.reply}


LEASE = timedelta(minutes=1)


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Bench:
    """A desk with nobody at it, where one conversation is played at a time."""

    def __init__(self, db: Database, inference: Inference, front: Shopfront) -> None:
        self._db, self._front, self._clock = db, front, _Clock()
        self._turn = BotTurn(db, inference, Shops([front]), self._clock, Doorbell(db.live, LEASE), room_enough)
        self._turns: dict[str, int] = {}

    async def play(self, texts: Sequence[str]) -> list[Played]:
        """The customer writes ``texts`` in order, the bot answering in between. Raises BadMessage.

        The database is empty before and after, so that what is said never depends on who came before.
        """
        for text in texts:
            clean_text(text)
        self._clock.now, self._turns = START, {}
        conversation_id = await self._open()
        try:
            return [await self._say(conversation_id, i, text) for i, text in enumerate(texts)]
        finally:
            await self._sweep()

    async def _open(self) -> str:
        conversation = Conversation.open(self._front.shop.id, self._clock())
        greeting = self._front.voice.line("greeting", shop=self._front.shop.name)
        conversation.say(greeting, self._clock(), act="greeting", buttons=[])
        async with self._db.unit_of_work() as work:
            await insert(work.conn, conversation)
        return conversation.id

    async def _say(self, conversation_id: str, number: int, text: str) -> Played:
        self._clock.now += BETWEEN_MESSAGES
        async with self._db.unit_of_work() as work:
            conversation = await load(work.conn, conversation_id, lock=True)
            before = conversation.last_seq
            message = conversation.receive(text, f"line-{number}", self._clock())
            await save(work.conn, conversation)
        self._turns[message.id] = number + 1
        await self._turn.take(conversation_id)
        async with self._db.read() as conn:
            happened = await history(conn, conversation_id, after=before, limit=MOST_EVENTS)
        said = [m.text for _, m in happened if m and m.author is not Author.CUSTOMER]
        return self._played([event for event, _ in happened], said)

    def _played(self, events: Sequence[Event], said: Sequence[str]) -> Played:
        readings = [e.payload["reading"] for e in events if e.kind is Kind.MESSAGE_READ]
        reading = readings[-1] if readings else {}
        decided = [e.payload for e in events if e.kind is Kind.TURN_DECIDED]
        if not decided:
            return Played(WITH_PERSON, reading=reading)
        evidence = [self._evidence(line) for line in decided[-1]["evidence"]]
        return Played(decided[-1]["kind"], decided[-1]["reason"], evidence, "\n".join(said), reading)

    def _evidence(self, line: dict[str, Any]) -> dict[str, Any]:
        """The message's id means nothing once the database is gone: which turn it was is kept instead."""
        kept = {key: value for key, value in line.items() if key != "message_id"}
        return kept | {"turn": self._turns.get(line.get("message_id", ""))}

    async def _sweep(self) -> None:
        async with self._db.unit_of_work() as work:
            for table in reversed(metadata.sorted_tables):
                await work.conn.execute(sa.delete(table))


@asynccontextmanager
async def open_bench(reader: EmotionReader, shop: Path | None = None) -> AsyncIterator[Bench]:
    """A bench for a shop's file (the demo shop without one). Raises ShopError."""
    configure_logs("ERROR")  # structlog's own default would write to standard output
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it reports every index it builds
    with tempfile.TemporaryDirectory(prefix="warmline-eval-") as scratch:
        url = f"sqlite+aiosqlite:///{Path(scratch) / 'bench.db'}"
        front, encoder = await asyncio.to_thread(_prepare, url, shop or DEMO_SHOP, Path(scratch))
        db, inference = Database(url, live_for(url)), Inference(reader, encoder, PATIENCE)
        try:
            yield Bench(db, inference, front)
        finally:
            inference.close()
            await db.close()


def _prepare(url: str, shop: Path, scratch: Path) -> tuple[Shopfront, SentenceEncoder | None]:
    """What reads files and takes its time: the database's shape, the encoder, the shop."""
    migrate(url)
    encoder = load_encoder().model
    return open_shop(shop, encoder, scratch), encoder
