"""Customers whom the shop vouches for: their earlier conversations are in the brief, nobody else's ever."""

import hashlib
import hmac
from typing import Any

import pytest
from pydantic import SecretStr

from app.identity import is_genuine, signature_of
from tests.app.conftest import Desk
from tests.conftest import SHOP_ID

KEY = "the shop and the desk share this"


def signed(customer: str, key: str = KEY) -> dict[str, str]:
    return {"id": customer, "signature": signature_of(customer, key)}


def test_the_signature_is_a_plain_hmac_that_any_language_can_make() -> None:
    made = hmac.new(KEY.encode(), b"cora-17", hashlib.sha256).hexdigest()
    assert is_genuine("cora-17", made, KEY)
    assert is_genuine("cora-17", made.upper(), KEY)


@pytest.mark.parametrize(
    ("customer", "signature"), [("cora-18", signature_of("cora-17", KEY)), ("cora-17", ""), ("cora-17", "é" * 64)]
)
def test_another_id_or_signature_is_not_genuine(customer: str, signature: str) -> None:
    assert not is_genuine(customer, signature, KEY)


def test_without_a_key_nobody_is_known() -> None:
    assert not is_genuine("cora-17", signature_of("cora-17", ""), "")


@pytest.fixture
def sharing(desk: Desk) -> Desk:
    """A desk that shares a key with the shop."""
    known = desk.house.settings.model_copy(update={"identity_key": SecretStr(KEY)})
    object.__setattr__(desk.house, "settings", known)
    return desk


async def begin(desk: Desk, customer: dict[str, str] | None = None) -> Any:
    body = {"shop": SHOP_ID} | ({"customer": customer} if customer else {})
    return await desk.http.post("/api/chat/conversations", json=body)


async def earlier(desk: Desk, conversation_id: str) -> list[dict[str, Any]]:
    view = await desk.http.get(f"/api/conversations/{conversation_id}", headers=desk.alice)
    found: list[dict[str, Any]] = view.json()["brief"]["earlier"]
    return found


async def test_a_known_customers_earlier_conversations_are_in_the_brief_with_how_they_ended(sharing: Desk) -> None:
    first = (await begin(sharing, signed("cora-17"))).json()
    token = {"Authorization": f"Bearer {first['token']}"}
    await sharing.http.put(f"/api/chat/conversations/{first['conversation']['id']}/handoff", headers=token)
    second = (await begin(sharing, signed("cora-17"))).json()["conversation"]["id"]
    [line] = await earlier(sharing, second)
    assert "a person was needed (asked), not closed" in line["text"]
    assert line["detail"] == {"conversation_id": first["conversation"]["id"]}


async def test_nothing_is_shown_of_other_customers_or_to_who_is_not_known(sharing: Desk) -> None:
    await begin(sharing, signed("cora-17"))
    await begin(sharing)
    for stranger in (signed("dora-18"), None):
        assert await earlier(sharing, (await begin(sharing, stranger)).json()["conversation"]["id"]) == []


@pytest.mark.parametrize("given", [signed("cora-17", "another key"), {"id": "cora-17", "signature": "0" * 64}])
async def test_an_id_that_is_not_signed_is_refused(sharing: Desk, given: dict[str, str]) -> None:
    answer = await begin(sharing, given)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_identity")


async def test_without_a_key_every_id_is_refused_in_words(desk: Desk) -> None:
    answer = await begin(desk, signed("cora-17"))
    assert (answer.status_code, "WARMLINE_IDENTITY_KEY" in answer.json()["detail"]) == (403, True)
