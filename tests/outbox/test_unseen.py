"""The deadline after which an answer is told by other means."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from app.outbox import unseen
from app.outbox.endpoints import ANSWER_UNSEEN
from app.outbox.smtp import MailServer
from tests.conftest import ALICE
from tests.contract.houses import hand_off, opened, taken
from tests.outbox.conftest import Furnish, Room

MAIL = MailServer("127.0.0.1", 1, "shop@shop.example")


async def test_an_endpoint_is_told_of_an_unseen_answer_once(room: Room) -> None:
    await room.endpoint("https://hooks.example/", ANSWER_UNSEEN)
    await room.endpoint("https://hooks.example/", ANSWER_UNSEEN, with_text=True)
    one = await room.insert(taken())
    seq = await room.reply(one, "your refund is on its way")
    room.clock.step(seconds=119)
    await room.deliveries._look(room.clock())
    assert await room.all() == []
    room.clock.step(seconds=1)
    await room.deliveries._look(room.clock())
    plain, with_text = sorted((d.payload["data"] for d in await room.all()), key=len)
    assert plain["seq"] == seq
    assert plain["agent_id"] == ALICE.id
    assert "text" not in plain
    assert with_text["text"] == "your refund is on its way"


async def test_the_deadline_is_the_first_unseen_answers(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL)
    one = await room.insert(taken())
    await room.reply(one, "first")
    room.clock.step(seconds=90)
    await room.reply(one, "second")
    async with room.db.read() as conn:
        assert await unseen.next_due(conn) == room.clock() + timedelta(seconds=30)


async def test_having_seen_the_first_moves_the_deadline_to_the_second(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL)
    one = await room.insert(taken())
    first = await room.reply(one, "first")
    room.clock.step(seconds=90)
    await room.reply(one, "second")
    await unseen.note_seen(room.db, one.id, first)
    room.clock.step(seconds=30)
    await room.deliveries._look(room.clock())
    assert await room.all() == []
    async with room.db.read() as conn:
        assert await unseen.next_due(conn) == room.clock() + timedelta(seconds=90)


async def test_many_workers_tell_each_unseen_answer_once(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL)
    for _ in range(12):
        await room.reply(await room.insert(taken()))
    room.clock.step(minutes=2)

    async def look() -> None:
        for _ in range(6):
            await room.deliveries._look(room.clock())

    await asyncio.gather(*(look() for _ in range(8)))
    told = [d.conversation_id for d in await room.all()]
    assert len(told) == len(set(told)) == 12


async def test_seeing_backwards_changes_nothing(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL)
    one = await room.insert(taken())
    seq = await room.reply(one)
    await unseen.note_seen(room.db, one.id, seq)
    await unseen.note_seen(room.db, one.id, 1)
    async with room.db.read() as conn:
        assert await unseen.seen_up_to(conn, one.id) == seq
        assert await unseen.next_due(conn) is None


async def test_a_look_that_fails_does_not_hold_up_what_is_ready(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, mail=MAIL, notify=("json://127.0.0.1:1",), timeout=5)
    one = await room.insert(taken())
    await room.reply(one)
    await room.insert(hand_off(opened()))
    async with room.db.unit_of_work() as work:  # an author that this version does not know, as a later one might write
        await work.conn.execute(sa.text("update messages set author = 'nobody' where author = 'agent'"))
    room.clock.step(minutes=2)
    await room.deliveries.start_due()
    await room.settle()
    assert [d.attempts for d in await room.all()] == [1, 1]  # the notices; the answer waits for a version that reads it
