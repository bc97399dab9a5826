"""Colleagues named in notes: ``@Name`` as people write it, read back from the note itself and stored nowhere else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import Account
from conversations.lifecycle import Visibility
from conversations.tables import conversations, messages

LOOKS_BACK = timedelta(days=7)
AT_MOST = 50


@dataclass(frozen=True)
class Mention:
    """A note that names somebody."""

    message_id: str
    conversation_id: str
    customer_name: str | None
    author_name: str | None
    at: datetime


def mentioned_in(text: str, people: Sequence[Account]) -> list[str]:
    """Ids of the people whose ``@Name`` stands in a text; of names that begin alike, the longest one."""
    names = sorted({person.name for person in people if person.name}, key=len, reverse=True)
    if not names:
        return []
    pattern = re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)
    found = {match.group(1).casefold() for match in pattern.finditer(text)}
    return [person.id for person in people if person.name.casefold() in found]


async def mentions_of(conn: AsyncConnection, me: Account, people: Sequence[Account], now: datetime) -> list[Mention]:
    """The notes of colleagues that name an account, the newest first; ``conn`` should be a scan."""
    query = (
        sa.select(messages, conversations.c.customer_name)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            messages.c.visibility == Visibility.INTERNAL.value,
            messages.c.at > now - LOOKS_BACK,
            sa.or_(messages.c.author_id.is_(None), messages.c.author_id != me.id),
            messages.c.text.icontains(f"@{me.name}", autoescape=True),
        )
        .order_by(messages.c.at.desc())
        .limit(AT_MOST)
    )
    rows = (await conn.execute(query)).mappings().all()
    return [
        Mention(row["id"], row["conversation_id"], row["customer_name"], row["author_name"], row["at"])
        for row in rows
        if me.id in mentioned_in(row["text"], people)
    ]
