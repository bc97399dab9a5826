"""Sessions, tokens, cookies and limits: what they are worth, and for how long."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import time_machine

from app import accounts
from app.web.deps import CUSTOMER_TOKEN_LASTS, Tokens
from tests.app.conftest import Desk, staffed
from tests.conftest import ALICE, BOB
from tests.serving import inside, open_chat, settings_for, words


def in_(delta: timedelta) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + delta)


def login(desk: Desk, **changes: str) -> dict[str, str]:
    return {"email": ALICE.email, "password": ALICE.password} | changes


@pytest.fixture
async def https_desk(tmp_path: Path, sqlite_file: Path) -> AsyncIterator[Desk]:
    async with inside(settings_for(tmp_path, run_worker=False, base_url="https://chat.shop.example")) as room:
        yield await staffed(room)


async def test_a_session_is_good_for_most_of_a_working_day(desk: Desk) -> None:
    with in_(accounts.SESSION_LASTS - timedelta(minutes=1)):
        assert (await desk.http.get("/api/session", headers=desk.alice)).json()["name"] == "Alice"


async def test_an_expired_session_is_refused(desk: Desk) -> None:
    with in_(accounts.SESSION_LASTS + timedelta(minutes=1)):
        answer = await desk.http.get("/api/session", headers=desk.alice)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")


async def test_a_customers_token_opens_the_conversation_for_weeks(desk: Desk) -> None:
    with in_(CUSTOMER_TOKEN_LASTS - timedelta(hours=1)):
        assert (await desk.http.get(desk.cora.path, headers=desk.cora.headers)).status_code == 200


async def test_an_expired_customer_token_says_to_start_again(desk: Desk) -> None:
    with in_(CUSTOMER_TOKEN_LASTS + timedelta(hours=1)):
        answer = await desk.http.get(desk.cora.path, headers=desk.cora.headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    assert "Start a new conversation" in answer.json()["detail"]


@pytest.mark.parametrize(
    "forge",
    [
        lambda chat: Tokens("another key, just as long").issue(chat.id),
        lambda chat: chat.token[:-2] + ("AA" if chat.token[-2:] != "AA" else "BB"),
        lambda chat: chat.id,
        lambda chat: chat.token.split(".")[0],
        lambda chat: "..",
        lambda chat: "x" * 5000,
    ],
    ids=["other key", "changed", "the bare id", "no signature", "dots", "long"],
)
async def test_a_forged_customer_token_opens_nothing(desk: Desk, forge: object) -> None:
    headers = {"Authorization": f"Bearer {forge(desk.cora)}"}  # type: ignore[operator]
    answer = await desk.http.get(desk.cora.path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


async def test_a_token_of_another_scheme_is_not_taken(desk: Desk) -> None:
    answer = await desk.http.get(desk.cora.path, headers={"Authorization": f"Basic {desk.cora.token}"})
    assert answer.json()["code"] == "no_token"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver.evil.example"},
    ],
    ids=str,
)
async def test_a_write_from_another_site_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    where = desk.conversation() + "/assignee"
    answer = await desk.http.put(where, headers=desk.alice | headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize("headers", [{"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}, {}], ids=str)
async def test_a_write_from_our_own_pages_is_taken(desk: Desk, headers: dict[str, str]) -> None:
    where = desk.conversation() + "/assignee"
    assert (await desk.http.put(where, headers=desk.alice | headers)).status_code == 200


async def test_logging_in_opens_the_desk(desk: Desk) -> None:
    assert (await desk.http.post("/api/session", json=login(desk))).status_code == 201
    assert (await desk.http.get("/api/session")).json()["name"] == "Alice"


@pytest.mark.parametrize("wrong", [{"password": "not this one"}, {"email": "nobody@shop.example"}], ids=str)
async def test_a_wrong_login_does_not_say_what_was_wrong(desk: Desk, wrong: dict[str, str]) -> None:
    answer = await desk.http.post("/api/session", json=login(desk, **wrong))
    assert (answer.status_code, answer.json()["detail"]) == (401, "E-mail address or password is wrong.")


async def test_too_many_logins_for_one_account_are_held_back(desk: Desk) -> None:
    statuses = []
    for i in range(11):
        transport = httpx.ASGITransport(desk.inside.app, client=(f"192.0.2.{i}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as elsewhere:
            statuses.append((await elsewhere.post("/api/session", json=login(desk, password="guess"))).status_code)
    assert statuses == [401] * 10 + [429]


async def test_too_many_logins_from_one_address_are_held_back(desk: Desk) -> None:
    bodies = [login(desk, email=f"guess{i}@shop.example") for i in range(11)]
    answers = [await desk.http.post("/api/session", json=body) for body in bodies]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_a_customer_who_writes_too_fast_is_told_that_nothing_is_lost(tmp_path: Path, sqlite_file: Path) -> None:
    async with inside(settings_for(tmp_path, run_worker=False, messages_per_minute=2)) as room:
        chat = await open_chat(room.db)
        answers = [
            await room.http.post(f"{chat.path}/messages", json=words(f"line {i}"), headers=chat.headers)
            for i in range(3)
        ]
    assert [a.status_code for a in answers] == [201, 201, 429]
    assert "Nothing was lost" in answers[2].json()["detail"]


async def test_the_cookie_is_hidden_from_scripts_and_other_sites(desk: Desk) -> None:
    cookie = (await desk.http.post("/api/session", json=login(desk))).headers["set-cookie"]
    assert cookie.startswith("warmline=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_over_https_the_cookie_is_bound_to_the_host_and_secure(https_desk: Desk) -> None:
    cookie = (await https_desk.http.post("/api/session", json=login(https_desk))).headers["set-cookie"]
    assert cookie.startswith("__Host-warmline=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_over_https_logging_out_takes_the_cookie_away(https_desk: Desk) -> None:
    """A browser ignores any __Host- cookie that is not Secure, the one that ends it included."""
    token = https_desk.alice["Cookie"].partition("=")[2]
    answer = await https_desk.http.delete("/api/session", headers={"Cookie": f"__Host-warmline={token}"})
    assert answer.status_code == 204
    assert {"Secure", "Path=/", "Max-Age=0"} <= set(answer.headers["set-cookie"].split("; "))


async def test_logging_out_ends_the_session_on_the_server(desk: Desk) -> None:
    await desk.http.delete("/api/session", headers=desk.alice)
    assert (await desk.http.get("/api/session", headers=desk.alice)).status_code == 401


async def test_logging_out_leaves_colleagues_logged_in(desk: Desk) -> None:
    await desk.http.delete("/api/session", headers=desk.alice)
    assert (await desk.http.get("/api/session", headers=desk.bob)).json()["email"] == BOB.email


async def test_a_new_password_ends_every_session_of_the_account(desk: Desk) -> None:
    async with desk.db.unit_of_work() as work:
        await accounts.set_password(work.conn, ALICE.id, await accounts.hash_password("quite another one"))
    assert (await desk.http.get("/api/session", headers=desk.alice)).status_code == 401
