"""What leaves the house: written with what causes it, or not at all, and at no cost where nobody listens."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.outbox import endpoints
from app.outbox.endpoints import KINDS
from app.outbox.outbox import Channel, Status
from app.outbox.smtp import MailServer
from app.outbox.tables import unseen_answers
from conversations import store
from conversations.conversation import Conversation
from tests.conftest import ALICE, CORA, START
from tests.contract.houses import EVIDENCE, hand_off, opened
from tests.outbox.conftest import Furnish, Room, Statements

SECRET_WORDS = "Where is my parcel?"
NOBODY = "https://hooks.example/none"
MAIL = MailServer("127.0.0.1", 1, "shop@shop.example")


async def kinds(room: Room) -> list[str]:
    return [one.kind for one in await room.all()]


async def a_whole_life(room: Room) -> Conversation:
    """Offered, handed off, taken, released, taken, returned, handed off, taken, resolved, reopened."""
    one = await room.insert(opened())
    one.offer_person("confusion", EVIDENCE, START)
    await room.save(hand_off(one))
    one.take(ALICE.id, ALICE.name, START)
    one.release(ALICE.id, ALICE.name, START, queue_rank=0)
    one.take(ALICE.id, ALICE.name, START)
    one.return_to_bot(ALICE.id, ALICE.name, START)
    await room.save(one)
    hand_off(one).take(ALICE.id, ALICE.name, START)
    one.resolve(ALICE.id, ALICE.name, START)
    await room.save(one)
    one.receive("one more thing", "c-again", START)
    return await room.save(one)


async def test_an_endpoint_is_told_each_change_of_hands_once(room: Room) -> None:
    await room.endpoint(NOBODY)
    await a_whole_life(room)
    assert sorted(await kinds(room)) == sorted(
        ["email_left", "person_offered", "handoff_requested", "taken", "released", "taken", "returned_to_bot",
         "handoff_requested", "taken", "resolved", "reopened"]
    )  # fmt: skip


async def test_an_endpoint_is_told_only_what_it_asked_for(room: Room) -> None:
    await room.endpoint(NOBODY, "taken")
    await room.endpoint(NOBODY, "resolved")
    await a_whole_life(room)
    assert sorted(await kinds(room)) == ["resolved", "taken", "taken", "taken"]


async def test_a_disabled_endpoint_is_told_nothing(room: Room) -> None:
    endpoint, _ = await room.endpoint(NOBODY)
    async with room.db.unit_of_work() as work:
        await endpoints.disable(work.conn, endpoint.id, "no", START)
    await a_whole_life(room)
    assert await room.all() == []


async def test_what_is_told_holds_ids_reasons_and_times_and_no_words(room: Room) -> None:
    await room.endpoint(NOBODY)
    await room.endpoint(NOBODY, "handoff_requested", with_text=True)
    one = await room.insert(opened())
    await room.save(hand_off(one, reason="asked"))
    plain, with_text = [d.payload for d in await room.all() if d.kind == "handoff_requested"]
    if "text" in plain["data"]:
        plain, with_text = with_text, plain
    assert plain["type"] == "conversation.handoff_requested"
    assert plain["timestamp"] == START.isoformat()
    assert plain["data"] == {
        "conversation_id": one.id, "shop_id": one.shop_id, "seq": one.last_seq, "status": "waiting", "actor": "bot",
        "reason": "asked", "decided_by": "policy", "urgency": 0.3, "state": "neutral",
        "evidence": [{"signal": "asked_for_human", "value": 1.0, "threshold": 1.0}],
    }  # fmt: skip
    assert with_text["data"] == plain["data"] | {"text": SECRET_WORDS}
    everything = json.dumps([d.payload for d in await room.all() if d.payload != with_text])
    for word in (SECRET_WORDS, CORA.name, CORA.email, ALICE.name):
        assert word not in everything


async def test_what_is_rolled_back_is_not_told(room: Room) -> None:
    await room.endpoint(NOBODY)
    one = await room.insert(Conversation.open("hazel-and-finch", START))
    one.receive("hello", "c1", START)

    async def save_and_fail() -> None:
        async with room.db.unit_of_work() as work:
            await store.save(work.conn, hand_off(one))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await save_and_fail()
    assert await room.all() == []
    async with room.db.read() as conn:
        assert (await store.load(conn, one.id)).status == "bot"


async def test_what_cannot_be_told_is_not_done_either(room: Room) -> None:
    """One transaction in both directions."""
    await room.endpoint(NOBODY)
    one = await room.insert(opened())
    async with room.db.unit_of_work() as work:
        await work.conn.execute(sa.text("alter table outbox rename to elsewhere"))
    try:
        with pytest.raises(sa.exc.DBAPIError):
            await room.save(hand_off(one))
    finally:
        async with room.db.unit_of_work() as work:
            await work.conn.execute(sa.text("alter table elsewhere rename to outbox"))
    async with room.db.read() as conn:
        assert (await store.load(conn, one.id)).status == "bot"


async def test_an_ordinary_turn_costs_no_statement_whoever_listens(room: Room) -> None:
    one = await room.insert(opened())

    async def turn() -> list[str]:
        said = one.receive("and now?", f"c{one.last_seq}", START)
        one.read(said.id, {"state": "neutral"}, START)
        one.decided(said.id, "answer", "known", [], START)
        one.say("It is on its way.", START)
        with Statements(room.db) as sent:
            await room.save(one)
        return sent

    await turn()  # the first also writes what the row did not hold before
    alone = await turn()
    await room.endpoint(NOBODY, with_text=True)
    assert await turn() == alone
    assert not [s for s in alone if "endpoints" in s or "outbox" in s or "unseen" in s]


async def test_with_nothing_set_nothing_is_queued(room: Room) -> None:
    one = await a_whole_life(room)
    one.take(ALICE.id, ALICE.name, START)
    one.introduce(None, None, START, transcript=True)
    await room.reply(one)
    one.resolve(ALICE.id, ALICE.name, START)
    await room.save(one)
    assert await room.all() == []
    async with room.db.read() as conn:
        assert (await conn.execute(sa.select(unseen_answers))).all() == []
    assert not room.outbox.bell.is_set()


async def test_the_transcript_is_mailed_when_it_is_over_if_it_was_asked_for(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL)
    for wanted in (None, True):
        one = opened()
        one.introduce(None, None, START, transcript=wanted)
        one.take(ALICE.id, ALICE.name, START)
        one.resolve(ALICE.id, ALICE.name, START)
        await room.insert(one)
    mail = await room.only()
    assert (mail.channel, mail.kind, mail.conversation_id) == (Channel.MAIL, "transcript", one.id)
    assert room.outbox.bell.is_set()


async def test_without_an_address_there_is_no_transcript_to_mail(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL)
    one = Conversation.open("hazel-and-finch", START)
    one.introduce("Cora", None, START, transcript=True)
    one.resolve(ALICE.id, ALICE.name, START)
    await room.insert(one)
    assert await room.all() == []


async def test_a_handoff_sets_a_deadline_for_each_target(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, notify=("json://a", "json://b?key=hidden"), notify_after=timedelta(seconds=90))
    await room.insert(hand_off(opened()))
    waiting = await room.all()
    assert {one.channel for one in waiting} == {Channel.NOTICE}
    assert {one.due_at for one in waiting} == {START + timedelta(seconds=90)}
    assert len({one.payload["target"] for one in waiting}) == 2
    assert "hidden" not in json.dumps([one.payload for one in waiting])
    assert {one.status for one in waiting} == {Status.PENDING}


def test_every_kind_has_a_name_for_the_wire() -> None:
    assert len(set(KINDS)) == len(KINDS) == 9
