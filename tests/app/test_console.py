"""Texts for the composer, colleagues in notes, and where a customer came from."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts import Account, Role
from app.config import DEMO_SHOP
from app.mentions import mentioned_in
from app.shop import Privacy, Reply, load_shop
from app.web.console import latest_question
from conversations.conversation import Conversation
from conversations.tables import conversations, messages
from tests.app.conftest import Desk
from tests.conftest import ALICE, BOB, OLGA, START
from tests.serving import account_of, history, words

PEOPLE = [account_of(person) for person in (ALICE, BOB, OLGA)]


async def replies(desk: Desk) -> list[dict[str, Any]]:
    answer = await desk.http.get(desk.conversation() + "/replies", headers=desk.alice)
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


async def write(desk: Desk, text: str) -> None:
    answer = await desk.http.post(f"{desk.cora.path}/messages", json=words(text), headers=desk.cora.headers)
    answer.raise_for_status()


async def note(desk: Desk, text: str, by: dict[str, str] | None = None) -> str:
    body = words(text) | {"visibility": "internal"}
    answer = await desk.http.post(desk.conversation() + "/messages", json=body, headers=by or desk.bob)
    return str(answer.raise_for_status().json()["id"])


# --- replies


async def test_replies_are_filled_in_and_all_are_there(desk: Desk) -> None:
    found = await replies(desk)
    assert [r["shortcut"] for r in found] == [
        "hello", "sorry-late", "refund", "track-order", "late-delivery", "how-to-return", "gift-wrap",
    ]  # fmt: skip
    assert {r["score"] for r in found} == {0.0}
    assert found[0] == {
        "shortcut": "hello", "title": "Say hello", "text": "Hello Cora, this is Alice from Hazel & Finch.",
        "source": "canned", "score": 0.0,
    }  # fmt: skip
    assert found[2]["title"] == "Refund"
    assert found[3] == {
        "shortcut": "track-order", "title": "Where is my parcel?",
        "text": "We email you a tracking link as soon as your parcel leaves us.", "source": "faq", "score": 0.0,
    }  # fmt: skip


async def test_what_suits_the_latest_question_comes_first(desk: Desk) -> None:
    await write(desk, "it should have been here yesterday, my delivery is late")
    found = await replies(desk)
    assert {(r["source"], r["shortcut"]) for r in found[:2]} == {("faq", "late-delivery"), ("canned", "sorry-late")}
    assert found[0]["score"] >= found[1]["score"] > 0
    assert found[-1]["score"] == 0.0


async def test_replies_are_there_when_the_models_fail(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(batch: object) -> None:
        raise RuntimeError("no model")

    await write(desk, "my delivery is late")
    monkeypatch.setattr(desk.house.shops.get("hazel-and-finch").matcher, "match", fail)
    found = await replies(desk)
    assert len(found) == 7
    assert {r["score"] for r in found} == {0.0}


def test_the_latest_question_is_what_no_agent_has_answered() -> None:
    talk = Conversation.open("s", START)
    assert latest_question(talk.posted) == ""
    talk.receive("first", "a" * 8, START)
    talk.take(ALICE.id, "Alice", START)
    talk.receive("second", "b" * 8, START)
    assert latest_question(talk.posted) == "first\nsecond"
    talk.reply(ALICE.id, "Alice", "there", "c" * 8, START)
    assert latest_question(talk.posted) == "second"
    talk.receive("third", "d" * 8, START)
    assert latest_question(talk.posted) == "third"


@pytest.mark.parametrize(
    ("text", "named", "unnamed"),
    [
        ("Hello {name}, {agent} here.", "Hello Cora, Al here.", "Hello, Al here."),
        ("Thank you, {name}.", "Thank you, Cora.", "Thank you."),
        ("{name}, we are sorry.", "Cora, we are sorry.", "We are sorry."),
        ("All the best, {agent} of {shop}", "All the best, Al of {name}'s", "All the best, Al of {name}'s"),
    ],
)
def test_a_reply_reads_well_with_and_without_a_name(text: str, named: str, unnamed: str) -> None:
    reply = Reply(shortcut="x", text=text)
    assert reply.filled(name="Cora", agent="Al", shop="{name}'s") == named  # what is filled in is not filled again
    assert reply.filled(name=None, agent="Al", shop="{name}'s") == unnamed
    assert reply.filled(name="", agent="Al", shop="{name}'s") == unnamed


def test_the_demo_shops_replies_read_well_without_a_name() -> None:
    shop = load_shop(DEMO_SHOP)
    assert len(shop.replies) >= 10
    for reply in shop.replies:
        text = reply.filled(name=None, agent="Alice", shop=shop.name)
        assert not any(wrong in text for wrong in ("{", " ,", " .", ",.", "  ")), text
        assert text[0].isupper(), text


# --- mentions


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@Bob can you look?", ["Bob"]),
        ("can you, @bob?", ["Bob"]),
        ("@Bob, @Olga and @Bob again", ["Bob", "Olga"]),
        ("(@Alice)", ["Alice"]),
        ("mail bob@Bob.example", []),
        ("@Bobby and @ Bob", []),
        ("Bob", []),
    ],
)
def test_names_are_found_as_people_write_them(text: str, names: list[str]) -> None:
    ids = {person.name: person.id for person in PEOPLE}
    assert sorted(mentioned_in(text, PEOPLE)) == sorted(ids[name] for name in names)


def test_of_names_that_begin_alike_the_longest_is_meant() -> None:
    people = [Account("1", "a", "Ann", Role.AGENT), Account("2", "b", "Ann Lee", Role.AGENT)]
    assert mentioned_in("@Ann Lee, please", people) == ["2"]
    assert mentioned_in("@Ann, please", people) == ["1"]
    assert mentioned_in("anything", []) == []


async def test_a_mention_is_found_by_the_mentioned_alone(desk: Desk) -> None:
    message_id = await note(desk, "@Alice she knows you from last week, 100% sure")
    await note(desk, "@Alicent is somebody else")
    await note(desk, "to myself: @Alice", by=desk.alice)
    await write(desk, "@Alice hello")  # customers mention nobody
    found = (await desk.http.get("/api/mentions", headers=desk.alice)).json()
    assert [(m["message_id"], m["conversation_id"], m["customer_name"], m["author_name"]) for m in found] == [
        (message_id, desk.cora.id, "Cora", "Bob")
    ]
    for other in (desk.bob, desk.olga):
        assert (await desk.http.get("/api/mentions", headers=other)).json() == []


async def test_old_mentions_are_let_go(desk: Desk) -> None:
    message_id = await note(desk, "@Alice please")
    async with desk.db.unit_of_work() as work:
        old = desk.house.clock() - timedelta(days=8)
        await work.conn.execute(sa.update(messages).where(messages.c.id == message_id).values(at=old))
    assert (await desk.http.get("/api/mentions", headers=desk.alice)).json() == []


async def test_a_mention_is_found_on_each_database(any_desk: Desk) -> None:
    await note(any_desk, "over to you, @alice")
    assert len((await any_desk.http.get("/api/mentions", headers=any_desk.alice)).json()) == 1


async def test_a_note_wakes_whom_it_names_and_nobody_else(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[list[str]] = []
    monkeypatch.setattr(desk.house.presence, "mention", lambda ids: woken.append(list(ids)))
    await note(desk, "@Alice and @Bob, have a look")  # by Bob
    await note(desk, "nobody in particular")
    assert woken == [[ALICE.id]]


async def test_colleagues_by_name(desk: Desk) -> None:
    found = (await desk.http.get("/api/colleagues", headers=desk.bob)).json()
    assert found == [{"id": p.id, "name": p.name} for p in (ALICE, BOB, OLGA)]


# --- where a customer came from


@pytest.mark.parametrize("allowed", [False, True])
async def test_the_referrer_is_kept_only_where_the_shop_allows_it(desk: Desk, allowed: bool) -> None:
    front = desk.house.shops.first
    object.__setattr__(front.shop, "privacy", Privacy(referrer=allowed))
    body = {"shop": front.shop.id, "page_url": "https://shop.example/jug", "referrer": "https://blog.example/jugs"}
    opened = (await desk.http.post("/api/chat/conversations", json=body)).raise_for_status().json()
    view = await desk.http.get(f"/api/conversations/{opened['conversation']['id']}", headers=desk.alice)
    payload = view.json()["events"][0]["payload"]
    assert payload.pop("shop_id") == front.shop.id
    assert payload == {"page_url": body["page_url"]} | ({"referrer": body["referrer"]} if allowed else {})


async def test_a_card_says_which_message_was_the_customers_last(desk: Desk) -> None:
    await desk.http.put(f"{desk.cora.path}/handoff", headers=desk.cora.headers)
    (card,) = (await desk.http.get("/api/desk", headers=desk.alice)).json()["waiting"]
    assert card["last_message_seq"] is None
    await write(desk, "hello?")
    (card,) = (await desk.http.get("/api/desk", headers=desk.alice)).json()["waiting"]
    (said,) = [e for e, m in await history(desk.db, desk.cora) if m and m.text == "hello?"]
    assert card["last_message_seq"] == said.seq


async def test_a_chat_of_a_shop_that_is_no_longer_served_can_still_be_read(desk: Desk) -> None:
    async with desk.db.unit_of_work() as work:
        await work.conn.execute(sa.update(conversations).values(shop_id="closed-down"))
    answer = await desk.http.get(desk.conversation(), headers=desk.alice)
    assert (answer.status_code, answer.json()["brief"]["facts"]) == (200, [])
