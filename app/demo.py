"""The demo: people with one-time passwords, and a few conversations played through the real bot."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app import accounts
from app.accounts import Role
from app.shopfront import Shops
from app.turn import BotTurn
from app.web.deps import House
from conversations import store
from conversations.conversation import Conversation
from conversations.tables import conversations

CAST: tuple[tuple[str, str, Role], ...] = (
    ("olga@example.com", "Olga", Role.OWNER),
    ("alice@example.com", "Alice", Role.AGENT),
    ("bob@example.com", "Bob", Role.AGENT),
)
STORIES: tuple[tuple[str, Sequence[str]], ...] = (
    ("Cora", ("hi", "How long does delivery take?", "lovely, thanks!")),
    ("Marcus", (
        "where is my parcel? order HF-20418",
        "that page has said the same thing for six days",
        "so that's two deliveries you've lost this month. great service",
    )),
    ("Priya", (
        "my enamel jug came with a chip in it",
        "it's a wedding present for Saturday, I really need to talk to someone",
    )),
)  # fmt: skip


@dataclass(frozen=True)
class Login:
    """A demo account and its password, good until the next start of the demo."""

    email: str
    password: str
    role: str


async def seed(house: House) -> list[Login]:
    """Make or refresh the cast, and play the stories into an empty database."""
    logins = [await _login(house, *person) for person in CAST]
    async with house.db.read() as conn:
        empty = not await conn.scalar(sa.select(sa.func.count()).select_from(conversations))
    if empty:
        turn = BotTurn(house.db, house.inference, house.shops, house.clock, house.doorbell)
        for name, lines in STORIES:
            await _play(house, house.shops, turn, name, lines)
    return logins


async def _login(house: House, email: str, name: str, role: Role) -> Login:
    password = secrets.token_urlsafe(9)
    hashed = await accounts.hash_password(password)
    async with house.db.unit_of_work() as work:
        found = await accounts.by_email(work.conn, email)
        if found:
            await accounts.set_password(work.conn, found[0].id, hashed)
        else:
            await accounts.add(work.conn, email, name, role, hashed, house.clock())
    return Login(email, password, role.value)


async def _play(house: House, shops: Shops, turn: BotTurn, name: str, lines: Sequence[str]) -> None:
    front = shops.first
    conversation = Conversation.open(front.shop.id, house.clock(), name)
    conversation.say(front.voice.line("greeting", shop=front.shop.name), house.clock(), act="greeting", buttons=[])
    async with house.db.unit_of_work() as work:
        await store.insert(work.conn, conversation)
    for i, text in enumerate(lines):
        async with house.db.unit_of_work() as work:
            conversation = await store.load(work.conn, conversation.id, lock=True)
            conversation.receive(text, f"demo-line-{i}", house.clock())
            await store.save(work.conn, conversation)
        await turn.take(conversation.id)
