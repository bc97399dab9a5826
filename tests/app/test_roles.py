"""Who may call what: every operation of the API against every wrong caller."""

from typing import Any

import pytest

from tests.app.conftest import Desk
from tests.conftest import ALICE
from tests.serving import Chat, open_chat, session, words

CHAT = "/api/chat/conversations/{conversation_id}"
STAFF = "/api/conversations/{conversation_id}"

RULES: dict[tuple[str, str], tuple[str, Any]] = {
    ("post", "/api/chat/conversations"): ("anyone", {"shop": "hazel-and-finch"}),
    ("get", CHAT): ("customer", None),
    ("get", f"{CHAT}/stream"): ("customer", None),
    ("post", f"{CHAT}/messages"): ("customer", words("hello there")),
    ("put", f"{CHAT}/handoff"): ("customer", None),
    ("put", f"{CHAT}/offer"): ("customer", {"accept": False}),
    ("put", f"{CHAT}/customer"): ("customer", {"name": "Cora"}),
    ("post", "/api/chat/returns"): ("anyone", {"token": "none"}),
    ("put", f"{CHAT}/typing"): ("customer", {"typing": True}),
    ("post", "/api/session"): ("anyone", {"email": ALICE.email, "password": ALICE.password}),
    ("post", "/api/invitations/{token}"): ("anyone", {"email": "d@shop.example", "name": "D", "password": "x" * 12}),
    ("get", "/healthz"): ("anyone", None),
    ("get", "/readyz"): ("anyone", None),
    ("get", "/api/session"): ("agent", None),
    ("get", "/api/desk"): ("agent", None),
    ("get", "/api/desk/stream"): ("agent", None),
    ("get", STAFF): ("agent", None),
    ("get", f"{STAFF}/events"): ("agent", None),
    ("put", f"{STAFF}/assignee"): ("agent", None),
    ("post", f"{STAFF}/messages"): ("agent", words("hello from the desk")),
    ("delete", f"{STAFF}/assignee"): ("agent", None),
    ("get", "/api/me"): ("agent", None),
    ("put", "/api/me"): ("agent", {"capacity": 4}),
    ("post", "/api/desk/next"): ("agent", None),
    ("put", f"{STAFF}/desk-offer"): ("agent", {"accept": False}),
    ("put", f"{STAFF}/transfer"): ("agent", {"to_skill": "returns", "note": "about a jug"}),
    ("put", f"{STAFF}/status"): ("agent", {"status": "resolved"}),
    ("put", f"{STAFF}/presence"): ("agent", {"typing": True}),
    ("delete", f"{STAFF}/presence"): ("agent", None),
    ("get", f"{STAFF}/replies"): ("agent", None),
    ("get", "/api/colleagues"): ("agent", None),
    ("get", "/api/mentions"): ("agent", None),
    ("get", "/api/escalations"): ("owner", None),
    ("put", "/api/escalations/{conversation_id}/{seq}/verdict"): ("owner", {"verdict": "right"}),
    ("post", "/api/invitations"): ("owner", {"role": "agent"}),
    ("get", "/api/deliveries"): ("owner", None),
    ("post", "/api/deliveries/{delivery_id}/replays"): ("owner", None),
    ("post", "/api/endpoints"): ("owner", {"url": "https://hooks.example/"}),
    ("put", "/api/endpoints/{endpoint_id}/status"): ("owner", {"status": "enabled"}),
    ("post", "/api/endpoints/{endpoint_id}/tests"): ("owner", None),
    ("delete", "/api/endpoints/{endpoint_id}"): ("owner", None),
    ("delete", "/api/session"): ("agent", None),
}
"""Each operation, who may call it, and a body that fits. An operation without a line here fails."""


def operations(desk: Desk) -> set[tuple[str, str]]:
    paths = desk.inside.app.openapi()["paths"]
    return {(method, path) for path, methods in paths.items() for method in methods}


async def answers(desk: Desk, headers: dict[str, str], *kinds: str) -> dict[str, int]:
    """The status of every operation of these kinds, called with ``headers``."""
    got = {}
    for (method, path), (kind, body) in RULES.items():
        if kind in kinds:
            where = path.format(conversation_id=desk.cora.id, **NOTHING)
            response = await desk.http.request(method, where, json=body, headers=headers)
            got[f"{method} {path}"] = response.status_code
    return got


@pytest.fixture
async def other(desk: Desk) -> Chat:
    """Another customer."""
    return await open_chat(desk.db)


def test_every_operation_of_the_api_has_its_rule(desk: Desk) -> None:
    assert operations(desk) == set(RULES)


async def test_nobody_in_particular_is_told_to_identify_themselves(desk: Desk) -> None:
    assert set((await answers(desk, {}, "customer", "agent", "owner")).values()) == {401}


async def test_a_customer_cannot_do_what_staff_do(desk: Desk) -> None:
    assert set((await answers(desk, desk.cora.headers, "agent", "owner")).values()) == {401}


async def test_a_customers_token_is_no_staff_cookie(desk: Desk) -> None:
    cookie = {"Cookie": f"warmline={desk.cora.token}"}
    assert set((await answers(desk, cookie, "customer", "agent", "owner")).values()) == {401}


async def test_another_customer_cannot_open_coras_conversation(desk: Desk, other: Chat) -> None:
    assert set((await answers(desk, other.headers, "customer")).values()) == {403}


async def test_an_agents_cookie_does_not_open_a_customers_door(desk: Desk) -> None:
    assert set((await answers(desk, desk.alice, "customer")).values()) == {401}


async def test_an_owners_cookie_does_not_open_a_customers_door(desk: Desk) -> None:
    assert set((await answers(desk, desk.olga, "customer")).values()) == {401}


async def test_an_agents_session_is_no_customers_token(desk: Desk) -> None:
    bearer = {"Authorization": "Bearer " + desk.alice["Cookie"].partition("=")[2]}
    assert set((await answers(desk, bearer, "customer", "agent", "owner")).values()) == {401}


async def test_an_agent_cannot_do_what_only_the_owner_does(desk: Desk) -> None:
    assert set((await answers(desk, desk.alice, "owner")).values()) == {403}


async def test_charlie_who_has_logged_out_can_do_nothing(desk: Desk) -> None:
    charlie = await session(desk.db, ALICE)
    await desk.http.delete("/api/session", headers=charlie)
    assert set((await answers(desk, charlie, "agent", "owner")).values()) == {401}


async def test_refused_callers_leave_no_trace(desk: Desk, other: Chat) -> None:
    before = (await desk.http.get(desk.cora.path, headers=desk.cora.headers)).json()
    for headers in ({}, other.headers, desk.alice):
        await answers(desk, headers, "customer")
    for headers in ({}, desk.cora.headers):
        await answers(desk, headers, "agent", "owner")
    assert (await desk.http.get(desk.cora.path, headers=desk.cora.headers)).json() == before


@pytest.mark.parametrize("caller", ["cora", "alice", "olga"])
async def test_the_right_caller_is_let_in(desk: Desk, caller: str) -> None:
    kinds = {"cora": {"customer"}, "alice": {"agent"}, "olga": {"agent", "owner"}}[caller]
    headers = desk.cora.headers if caller == "cora" else getattr(desk, caller)
    refused = {}
    for (method, path), (kind, body) in RULES.items():
        if kind in kinds and not path.endswith("/stream"):
            where = path.format(conversation_id=desk.cora.id, **NOTHING)
            response = await desk.http.request(method, where, json=body, headers=headers)
            if response.status_code >= 400 and (response.status_code, path) not in EXPECTED:
                refused[f"{method} {path}"] = response.text
    assert refused == {}


NOTHING = {"seq": 1, "token": "none", "delivery_id": "none", "endpoint_id": "none"}
EXPECTED = {
    (404, "/api/escalations/{conversation_id}/{seq}/verdict"),
    (404, "/api/deliveries/{delivery_id}/replays"),
    (404, "/api/endpoints/{endpoint_id}/status"),
    (404, "/api/endpoints/{endpoint_id}/tests"),
    (404, "/api/endpoints/{endpoint_id}"),
    (409, "/api/conversations/{conversation_id}/desk-offer"),
    (409, "/api/conversations/{conversation_id}/transfer"),
}
"""The conversation's first event is no escalation, what does not exist cannot be had, the conversation is offered to
nobody, and who has released it has nothing to transfer."""


async def test_an_agent_cannot_speak_in_a_colleagues_conversation(desk: Desk) -> None:
    await desk.http.put(desk.conversation() + "/assignee", headers=desk.alice)
    answer = await desk.http.post(desk.conversation() + "/messages", json=words("me too"), headers=desk.bob)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_assignee")
