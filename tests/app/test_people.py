"""Accounts, invitations, the first owner and the demo's cast."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import time_machine

from app import accounts, cli, demo
from app.config import ConfigError
from conversations.tables import conversations
from tests.app.conftest import Desk
from tests.conftest import ALICE
from tests.serving import inside, settings_for

PASSWORD = "long enough for anyone"


async def invited(desk: Desk, role: str = "agent") -> str:
    """The token of a fresh invitation."""
    answer = await desk.http.post("/api/invitations", json={"role": role}, headers=desk.olga)
    url: str = answer.json()["url"]
    return url.rpartition("/")[2]


async def accept(desk: Desk, token: str, email: str = "dan@shop.example", password: str = PASSWORD) -> httpx.Response:
    body = {"email": email, "name": "Dan", "password": password}
    return await desk.http.post(f"/api/invitations/{token}", json=body)


@pytest.mark.parametrize("role", ["agent", "owner"])
async def test_an_invitation_makes_a_colleague_with_its_role_who_is_logged_in(desk: Desk, role: str) -> None:
    assert (await accept(desk, await invited(desk, role))).json()["role"] == role
    assert (await desk.http.get("/api/session")).json()["email"] == "dan@shop.example"


async def test_an_invitation_is_good_once(desk: Desk) -> None:
    token = await invited(desk)
    await accept(desk, token)
    answer = await accept(desk, token, "eve@shop.example")
    assert (answer.status_code, answer.json()["code"]) == (400, "account_error")
    assert "Ask for a new one" in answer.json()["detail"]


async def test_two_who_accept_one_invitation_at_once_are_one_colleague(any_desk: Desk) -> None:
    token = await invited(any_desk)
    answers = await asyncio.gather(*(accept(any_desk, token, f"dan{i}@shop.example") for i in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 400, 400, 400, 400]


async def test_two_who_take_one_address_at_once_are_told_in_words(any_desk: Desk) -> None:
    tokens = [await invited(any_desk) for _ in range(4)]
    answers = await asyncio.gather(*(accept(any_desk, token) for token in tokens))
    assert sorted(a.status_code for a in answers) == [201, 400, 400, 400]


async def test_an_invitation_is_over_after_three_days(desk: Desk) -> None:
    token = await invited(desk)
    with time_machine.travel(datetime.now(UTC) + accounts.INVITATION_LASTS + timedelta(minutes=1)):
        assert (await accept(desk, token)).status_code == 400


async def test_a_refused_colleague_does_not_use_the_invitation_up(desk: Desk) -> None:
    token = await invited(desk)
    assert (await accept(desk, token, ALICE.email)).status_code == 400
    assert (await accept(desk, token, password="short")).status_code == 400
    assert (await accept(desk, token)).status_code == 201


async def test_an_address_is_the_same_in_any_case(desk: Desk) -> None:
    answer = await accept(desk, await invited(desk), ALICE.email.upper())
    assert "already an account" in answer.json()["detail"]


async def test_a_name_of_spaces_is_no_name(desk: Desk) -> None:
    body = {"email": "dan@shop.example", "name": "   ", "password": PASSWORD}
    assert (await desk.http.post(f"/api/invitations/{await invited(desk)}", json=body)).status_code in (400, 422)


async def test_tokens_are_kept_as_hashes_only(desk: Desk) -> None:
    token = await invited(desk)
    session = desk.alice["Cookie"].partition("=")[2]
    async with desk.db.read() as conn:
        kept = str((await conn.execute(sa.select(accounts.invitations))).all())
        kept += str((await conn.execute(sa.select(accounts.sessions))).all())
    assert token not in kept
    assert session not in kept


async def test_a_password_is_never_kept_as_it_is(desk: Desk) -> None:
    await accept(desk, await invited(desk))
    async with desk.db.read() as conn:
        assert PASSWORD not in str((await conn.execute(sa.select(accounts.accounts))).all())


# --- the first owner


async def greeted(tmp_path: Path, capsys: pytest.CaptureFixture[str], **settings: str) -> str:
    """What a start of the service prints about its owner."""
    async with inside(settings_for(tmp_path, run_worker=False, **settings)) as room:
        capsys.readouterr()
        await cli._greet_owner(room.house)
    return "".join(capsys.readouterr().out.split())


async def test_the_environment_names_the_first_owner(
    tmp_path: Path, sqlite_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await greeted(tmp_path, capsys, owner_email="olga@shop.example", owner_password=PASSWORD) == ""
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        body = {"email": "olga@shop.example", "password": PASSWORD}
        assert (await room.http.post("/api/session", json=body)).json()["role"] == "owner"


async def test_without_an_owner_there_is_a_link_that_makes_one(
    tmp_path: Path, sqlite_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = await greeted(tmp_path, capsys)
    assert "/invitation/" in link
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        body = {"email": "olga@shop.example", "name": "Olga", "password": PASSWORD}
        answer = await room.http.post(f"/api/invitations/{link.rpartition('/')[2]}", json=body)
    assert answer.json()["role"] == "owner"


async def test_once_there_is_an_account_the_environment_makes_no_other(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await greeted(tmp_path, capsys, owner_email="second@shop.example", owner_password=PASSWORD) == ""
    async with desk.db.read() as conn:
        assert await accounts.by_email(conn, "second@shop.example") is None


async def test_a_short_password_for_the_first_owner_is_named_by_its_variable(
    tmp_path: Path, sqlite_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="WARMLINE_OWNER_PASSWORD"):
        await greeted(tmp_path, capsys, owner_email="olga@shop.example", owner_password="short")


# --- the demo


async def test_the_demo_brings_a_cast_that_can_log_in(tmp_path: Path, sqlite_file: Path) -> None:
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        logins = await demo.seed(room.house)
        for login in logins:
            body = {"email": login.email, "password": login.password}
            assert (await room.http.post("/api/session", json=body)).json()["role"] == login.role
    assert [login.role for login in logins] == ["owner", "agent", "agent"]


async def test_the_demos_conversations_are_played_once(tmp_path: Path, sqlite_file: Path) -> None:
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        for _ in range(2):
            await demo.seed(room.house)
        async with room.db.read() as conn:
            assert await conn.scalar(sa.select(sa.func.count()).select_from(conversations)) == len(demo.STORIES)


async def test_the_demos_passwords_are_new_at_every_start(tmp_path: Path, sqlite_file: Path) -> None:
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        first, second = [await demo.seed(room.house) for _ in range(2)]
        old = {"email": first[0].email, "password": first[0].password}
        assert (await room.http.post("/api/session", json=old)).status_code == 401
    assert not {login.password for login in first} & {login.password for login in second}


async def test_the_demo_has_somebody_who_waits_and_nothing_left_to_do(tmp_path: Path, sqlite_file: Path) -> None:
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        await demo.seed(room.house)
        async with room.db.read() as conn:
            rows = (await conn.execute(sa.select(conversations.c.status, conversations.c.due_at))).all()
    assert "waiting" in {status for status, _ in rows}
    assert {due for _, due in rows} == {None}
