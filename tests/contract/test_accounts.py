"""Who works here: sessions end, invitations work once, and a new password puts everyone else out."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app import accounts
from app.accounts import Account, AccountError, Role
from app.db import Database
from tests.conftest import ALICE, BOB, OLGA, START, Clock, Person
from tests.contract.houses import started

HASH = "not a real hash: hashing is slow and has tests of its own"


async def add(db: Database, person: Person, password_hash: str = HASH) -> Account:
    async with db.unit_of_work() as work:
        return await accounts.add(work.conn, person.email, person.name, Role(person.role), password_hash, START)


async def log_in(db: Database, account: Account, clock: Clock) -> str:
    async with db.unit_of_work() as work:
        return await accounts.open_session(work.conn, account.id, clock())


async def who(db: Database, token: str, clock: Clock) -> Account | None:
    async with db.read() as conn:
        return await accounts.who(conn, token, clock())


async def invite(db: Database, clock: Clock, role: Role = Role.AGENT) -> str:
    async with db.unit_of_work() as work:
        return await accounts.invite(work.conn, role, clock())


async def accept(db: Database, token: str, person: Person, clock: Clock) -> Account:
    async with db.unit_of_work() as work:
        return await accounts.accept(work.conn, token, person.email, person.name, HASH, clock())


async def test_a_session_says_whose_it_is(db: Database, clock: Clock) -> None:
    alice = await add(db, ALICE)
    assert await who(db, await log_in(db, alice, clock), clock) == alice


async def test_a_session_is_over_after_twelve_hours(db: Database, clock: Clock) -> None:
    token = await log_in(db, await add(db, ALICE), clock)
    clock.step(hours=11, minutes=59)
    assert await who(db, token, clock) is not None
    clock.step(minutes=1)
    assert await who(db, token, clock) is None


async def test_a_token_nobody_was_given_opens_nothing(db: Database, clock: Clock) -> None:
    await log_in(db, await add(db, ALICE), clock)
    assert await who(db, "guessed", clock) is None


async def test_tokens_are_kept_only_as_hashes(db: Database, clock: Clock) -> None:
    token = await log_in(db, await add(db, ALICE), clock)
    invitation = await invite(db, clock)
    async with db.read() as conn:
        kept = [*(await conn.scalars(sa.select(accounts.sessions.c.token_hash))),
                *(await conn.scalars(sa.select(accounts.invitations.c.token_hash)))]  # fmt: skip
    assert len(kept) == 2
    assert not {token, invitation} & set(kept)


async def test_logging_out_ends_that_session_only(db: Database, clock: Clock) -> None:
    alice = await add(db, ALICE)
    here, there = await log_in(db, alice, clock), await log_in(db, alice, clock)
    async with db.unit_of_work() as work:
        await accounts.close_session(work.conn, here)
    assert await who(db, here, clock) is None
    assert await who(db, there, clock) == alice


async def test_a_new_password_ends_every_session_of_that_account_and_of_no_other(db: Database, clock: Clock) -> None:
    alice, bob = await add(db, ALICE), await add(db, BOB)
    hers, also_hers, his = [await log_in(db, a, clock) for a in (alice, alice, bob)]
    async with db.unit_of_work() as work:
        await accounts.set_password(work.conn, alice.id, "another hash")
    assert (await who(db, hers, clock), await who(db, also_hers, clock)) == (None, None)
    assert await who(db, his, clock) == bob
    async with db.read() as conn:
        assert (await accounts.by_email(conn, ALICE.email)) == (alice, "another hash")


async def test_sessions_that_are_over_are_swept_away(db: Database, clock: Clock) -> None:
    alice = await add(db, ALICE)
    await log_in(db, alice, clock)
    clock.step(days=1)
    await log_in(db, alice, clock)
    async with db.read() as conn:
        assert await conn.scalar(sa.select(sa.func.count()).select_from(accounts.sessions)) == 1


async def test_an_invitation_gives_the_role_it_was_made_for(db: Database, clock: Clock) -> None:
    account = await accept(db, await invite(db, clock, Role.OWNER), OLGA, clock)
    assert (account.role, account.email) == (Role.OWNER, OLGA.email)


async def test_an_invitation_works_once(db: Database, clock: Clock) -> None:
    token = await invite(db, clock)
    await accept(db, token, ALICE, clock)
    with pytest.raises(AccountError, match="used"):
        await accept(db, token, BOB, clock)
    async with db.read() as conn:
        assert [a.name for a in await accounts.everyone(conn)] == ["Alice"]


async def test_of_two_who_accept_at_once_one_gets_in(db: Database, clock: Clock) -> None:
    token = await invite(db, clock)
    results = await asyncio.gather(
        accept(db, token, ALICE, clock), accept(db, token, BOB, clock), return_exceptions=True
    )
    assert sorted(type(r).__name__ for r in results) == ["Account", "AccountError"]


async def test_an_invitation_is_over_after_three_days(db: Database, clock: Clock) -> None:
    token = await invite(db, clock)
    clock.step(days=3)
    with pytest.raises(AccountError):
        await accept(db, token, ALICE, clock)


async def test_an_invitation_that_failed_on_a_taken_address_can_be_used_again(db: Database, clock: Clock) -> None:
    await add(db, ALICE)
    token = await invite(db, clock)
    with pytest.raises(AccountError, match="already an account"):
        await accept(db, token, ALICE, clock)
    assert (await accept(db, token, BOB, clock)).name == "Bob"


async def test_what_an_invitation_gives_can_be_asked_while_it_is_good(db: Database, clock: Clock) -> None:
    token = await invite(db, clock)
    async with db.read() as conn:
        assert await accounts.invited_role(conn, token, clock()) is Role.AGENT
        assert await accounts.invited_role(conn, token, clock() + timedelta(days=4)) is None
        assert await accounts.invited_role(conn, "never", clock()) is None


async def test_an_address_is_one_account_however_it_is_written(db: Database) -> None:
    alice = await add(db, ALICE)
    shouted = Person("x", "Alice", " ALICE@Shop.Example ", "agent")
    with pytest.raises(AccountError):
        await add(db, shouted)
    async with db.read() as conn:
        assert (await accounts.by_email(conn, shouted.email)) == (alice, HASH)


async def test_of_two_who_add_the_same_address_at_once_the_second_is_told_in_words(db: Database) -> None:
    async with db.unit_of_work() as work:
        await accounts.add(work.conn, ALICE.email, ALICE.name, Role.AGENT, HASH, START)
        second = await started(add(db, ALICE))
    with pytest.raises(AccountError):
        await second


async def test_a_password_fits_its_own_hash_and_no_other() -> None:
    hashed = await accounts.hash_password("correct horse")
    account = Account("a", ALICE.email, ALICE.name, Role.AGENT)
    assert await accounts.password_fits((account, hashed), "correct horse")
    assert not await accounts.password_fits((account, hashed), "wrong horse")
    assert not await accounts.password_fits(None, "correct horse")


async def test_a_short_password_is_refused() -> None:
    with pytest.raises(AccountError, match="10"):
        await accounts.hash_password("123456789")
