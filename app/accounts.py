"""Agents and owners: accounts, server-side sessions, one-time invitations."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.conversation import new_id
from conversations.tables import UtcDateTime, metadata

SESSION_LASTS = timedelta(hours=12)
INVITATION_LASTS = timedelta(days=3)
SHORTEST_PASSWORD = 10

_hasher = PasswordHash((Argon2Hasher(),))
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))
"""Verified against when there is no such account, so that both answers take equally long."""


class Role(StrEnum):
    """What an account may do. An owner may do all an agent may."""

    AGENT = "agent"
    OWNER = "owner"


class AccountError(Exception):
    """What was asked of an account cannot be done; the message is meant for people."""


@dataclass(frozen=True)
class Account:
    """A person who works for the shop."""

    id: str
    email: str
    name: str
    role: Role


accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("role in ('agent', 'owner')", name="role"),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)
invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def hash_password(password: str) -> str:
    """Argon2 hash, computed in a thread. Raises AccountError for a password that is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(f"The password needs at least {SHORTEST_PASSWORD} characters.")
    return await asyncio.to_thread(_hasher.hash, password)


async def add(conn: AsyncConnection, email: str, name: str, role: Role, password_hash: str, at: datetime) -> Account:
    """A new account, or AccountError when the address is taken."""
    account = Account(new_id(), email.strip().lower(), name.strip(), role)
    row = {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "role": role.value,
        "password_hash": password_hash,
        "created_at": at,
    }
    try:
        async with conn.begin_nested():
            await conn.execute(sa.insert(accounts).values(row))
    except sa.exc.IntegrityError as error:
        raise AccountError("There is already an account with this e-mail address.") from error
    return account


async def set_password(conn: AsyncConnection, account_id: str, password_hash: str) -> None:
    """Replace the password and end every session of the account."""
    await conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash))
    await conn.execute(sa.delete(sessions).where(sessions.c.account_id == account_id))


async def by_email(conn: AsyncConnection, email: str) -> tuple[Account, str] | None:
    """The account with this address and its password hash."""
    row = (await conn.execute(sa.select(accounts).where(accounts.c.email == email.strip().lower()))).mappings().first()
    return None if row is None else (_account(row), row["password_hash"])


async def password_fits(found: tuple[Account, str] | None, password: str) -> bool:
    """Whether ``password`` opens the account that was found; takes as long when none was."""
    hashed = found[1] if found else _NOBODY
    fits = await asyncio.to_thread(_hasher.verify, password, hashed)
    return fits and found is not None


async def open_session(conn: AsyncConnection, account_id: str, at: datetime) -> str:
    """A fresh session; returns the token, of which only a hash is kept."""
    token = secrets.token_urlsafe(32)
    await conn.execute(sa.delete(sessions).where(sessions.c.expires_at < at))
    await conn.execute(
        sa.insert(sessions).values(token_hash=_hash(token), account_id=account_id, expires_at=at + SESSION_LASTS)
    )
    return token


async def close_session(conn: AsyncConnection, token: str) -> None:
    """Log out."""
    await conn.execute(sa.delete(sessions).where(sessions.c.token_hash == _hash(token)))


async def who(conn: AsyncConnection, token: str, now: datetime) -> Account | None:
    """Whose session this is; None when it is unknown or over."""
    query = (
        sa.select(accounts)
        .join(sessions, sessions.c.account_id == accounts.c.id)
        .where(sessions.c.token_hash == _hash(token), sessions.c.expires_at > now)
    )
    row = (await conn.execute(query)).mappings().first()
    return None if row is None else _account(row)


async def invite(conn: AsyncConnection, role: Role, at: datetime) -> str:
    """A one-time invitation for a new account with ``role``; returns its token."""
    token = secrets.token_urlsafe(24)
    await conn.execute(
        sa.insert(invitations).values(token_hash=_hash(token), role=role.value, expires_at=at + INVITATION_LASTS)
    )
    return token


async def invited_role(conn: AsyncConnection, token: str, now: datetime) -> Role | None:
    """The role an invitation gives, while it is good."""
    query = sa.select(invitations.c.role).where(
        invitations.c.token_hash == _hash(token), invitations.c.expires_at > now, invitations.c.used_at.is_(None)
    )
    role = await conn.scalar(query)
    return Role(role) if role else None


async def accept(conn: AsyncConnection, token: str, email: str, name: str, password_hash: str, at: datetime) -> Account:
    """Turn an invitation into an account. Raises AccountError when it was used, is over or never was."""
    role = await invited_role(conn, token, at)
    used = await conn.execute(
        sa.update(invitations)
        .where(invitations.c.token_hash == _hash(token), invitations.c.used_at.is_(None))
        .values(used_at=at)
    )
    if role is None or used.rowcount != 1:
        raise AccountError("This invitation has been used or is over. Ask for a new one.")
    return await add(conn, email, name, role, password_hash, at)


async def everyone(conn: AsyncConnection) -> list[Account]:
    """All accounts, by name."""
    return [_account(row) for row in (await conn.execute(sa.select(accounts).order_by(accounts.c.name))).mappings()]


async def name_of(conn: AsyncConnection, account_id: str | None) -> str | None:
    """What colleagues and customers call this account; None for nobody."""
    if account_id is None:
        return None
    return await conn.scalar(sa.select(accounts.c.name).where(accounts.c.id == account_id))


def _account(row: sa.RowMapping) -> Account:
    return Account(row["id"], row["email"], row["name"], Role(row["role"]))
