"""Where webhooks go: the owner's endpoints, and every SQL statement about them."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.outbox.errors import BadEndpoint, NoSuchEndpoint
from app.outbox.http import check_url
from app.outbox.tables import endpoints
from conversations.conversation import new_id
from conversations.events import Kind

ANSWER_UNSEEN = "answer_unseen"
"""An agent has written and the customer has not seen it for a while."""
EMAIL_LEFT = "email_left"
TEST = "test"
KINDS: tuple[str, ...] = (
    Kind.HANDOFF_REQUESTED.value, Kind.PERSON_OFFERED.value, Kind.TAKEN.value, Kind.RELEASED.value,
    Kind.RETURNED_TO_BOT.value, Kind.RESOLVED.value, Kind.REOPENED.value, EMAIL_LEFT, ANSWER_UNSEEN,
)  # fmt: skip
"""What an endpoint may be told, by name; beside it a test."""
MOST = 20
"""Endpoints a shop may have."""
SECRET_BYTES = 32


@dataclass(frozen=True)
class Endpoint:
    """An address that is told what happens. The secret stays in the database."""

    id: str
    url: str
    kinds: tuple[str, ...]
    with_text: bool
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_reason: str | None = None


async def add(
    conn: AsyncConnection, url: str, kinds: Sequence[str], with_text: bool, at: datetime, *, allow_private: bool
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is not told again. Raises BadEndpoint."""
    check_url(url, allow_private=allow_private)
    if (await conn.scalar(sa.select(sa.func.count()).select_from(endpoints)) or 0) >= MOST:
        raise BadEndpoint(f"There are {MOST} endpoints already. Delete one first.")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")
    new = Endpoint(new_id(), url, tuple(kind for kind in KINDS if kind in kinds), with_text, at)
    await conn.execute(sa.insert(endpoints).values(secret=secret, **vars(new) | {"kinds": list(new.kinds)}))
    return new, secret


async def everyone(conn: AsyncConnection) -> list[Endpoint]:
    """All endpoints, the oldest first."""
    rows = await conn.execute(sa.select(endpoints).order_by(endpoints.c.created_at, endpoints.c.id))
    return [_endpoint(row) for row in rows.mappings()]


async def wanting(conn: AsyncConnection, kinds: set[str]) -> list[Endpoint]:
    """The enabled endpoints that want any of these."""
    rows = (await conn.execute(sa.select(endpoints).where(endpoints.c.disabled_at.is_(None)))).mappings()
    return [_endpoint(row) for row in rows if kinds & set(row["kinds"])]


async def load(conn: AsyncConnection, endpoint_id: str) -> Endpoint:
    """One endpoint, or NoSuchEndpoint."""
    return _endpoint(await _row(conn, endpoint_id))


async def with_secret(conn: AsyncConnection, endpoint_id: str) -> tuple[Endpoint, str]:
    """One endpoint with what signs for it, or NoSuchEndpoint."""
    row = await _row(conn, endpoint_id)
    return _endpoint(row), row["secret"]


async def enable(conn: AsyncConnection, endpoint_id: str) -> None:
    """Tell it again what happens from now on. Raises NoSuchEndpoint."""
    await _set(conn, endpoint_id, disabled_at=None, disabled_reason=None)


async def disable(conn: AsyncConnection, endpoint_id: str, reason: str, at: datetime) -> None:
    """Tell it nothing more, and keep why. Raises NoSuchEndpoint."""
    await _set(conn, endpoint_id, disabled_at=at, disabled_reason=reason)


async def delete(conn: AsyncConnection, endpoint_id: str) -> None:
    """Forget it and its deliveries. Raises NoSuchEndpoint."""
    if (await conn.execute(sa.delete(endpoints).where(endpoints.c.id == endpoint_id))).rowcount != 1:
        raise NoSuchEndpoint()


async def _set(conn: AsyncConnection, endpoint_id: str, **values: Any) -> None:
    update = sa.update(endpoints).where(endpoints.c.id == endpoint_id).values(**values)
    if (await conn.execute(update)).rowcount != 1:
        raise NoSuchEndpoint()


async def _row(conn: AsyncConnection, endpoint_id: str) -> sa.RowMapping:
    row = (await conn.execute(sa.select(endpoints).where(endpoints.c.id == endpoint_id))).mappings().one_or_none()
    if row is None:
        raise NoSuchEndpoint()
    return row


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(
        row["id"], row["url"], tuple(row["kinds"]), row["with_text"], row["created_at"],
        row["disabled_at"], row["disabled_reason"],
    )  # fmt: skip
