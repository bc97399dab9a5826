"""The feed that browsers follow: everything once, in order, and for customers nothing from inside."""

from app.db import Database
from conversations import store
from conversations.events import Kind
from tests.conftest import ALICE, BOB, START
from tests.contract.houses import EVIDENCE, hand_off, keep, opened


async def a_full_life(db: Database) -> str:
    conversation = opened()
    message = conversation.posted[0]
    conversation.read(message.id, {"state": "frustrated", "states": {}}, START)
    conversation.decided(message.id, "offer", "frustration", EVIDENCE, START)
    conversation.say("I am sorry", START, act="offer")
    conversation.offer_person("frustration", EVIDENCE, START)
    conversation.decline_offer(START)
    conversation.introduce("Cora", None, START)
    hand_off(conversation)
    conversation.line("A person will join you", START)
    conversation.take(ALICE.id, ALICE.name, START)
    conversation.note(BOB.id, BOB.name, "be careful", "n1", START)
    conversation.reply(ALICE.id, ALICE.name, "Hello Cora", "r1", START)
    conversation.release(ALICE.id, ALICE.name, START, queue_rank=0)
    conversation.offer_to(BOB.id, BOB.name, START, START)
    conversation.decline(BOB.id, BOB.name, START)
    conversation.take(ALICE.id, ALICE.name, START)
    conversation.transfer_to_skill(ALICE.id, ALICE.name, "returns", None, START, queue_rank=0)
    conversation.take(BOB.id, BOB.name, START)
    conversation.agent_vanished(BOB.name, START, queue_rank=0)
    conversation.return_to_bot(BOB.id, BOB.name, START)
    conversation.resolve(BOB.id, BOB.name, START)
    conversation.receive("One more thing", "c9", START)
    await keep(db, conversation)
    return conversation.id


async def test_everything_that_happened_is_there_in_order(db: Database) -> None:
    conversation_id = await a_full_life(db)
    async with db.read() as conn:
        feed = await store.history(conn, conversation_id)
    assert [event.seq for event, _ in feed] == list(range(1, len(feed) + 1))
    assert {event.kind for event, _ in feed} == set(Kind)


async def test_each_message_event_carries_its_message_and_no_other_event_does(db: Database) -> None:
    conversation_id = await a_full_life(db)
    async with db.read() as conn:
        feed = await store.history(conn, conversation_id)
        transcript = await store.transcript(conn, conversation_id)
    assert [m for e, m in feed if e.kind is Kind.MESSAGE_POSTED] == transcript
    assert {m for e, m in feed if e.kind is not Kind.MESSAGE_POSTED} == {None}
    assert all(e.payload["message_id"] == m.id for e, m in feed if m)


async def test_a_customer_sees_neither_notes_nor_how_they_were_read(db: Database) -> None:
    conversation_id = await a_full_life(db)
    async with db.read() as conn:
        feed = await store.history(conn, conversation_id, public_only=True)
    kinds = {event.kind for event, _ in feed}
    assert kinds == set(Kind) - {
        Kind.CONVERSATION_OPENED, Kind.MESSAGE_READ, Kind.TURN_DECIDED,
        Kind.DESK_OFFERED, Kind.DESK_OFFER_DECLINED, Kind.TRANSFERRED, Kind.RETURNED_TO_QUEUE,
    }  # fmt: skip
    assert "be careful" not in [m.text for _, m in feed if m]


async def test_a_customer_misses_nothing_else(db: Database) -> None:
    conversation_id = await a_full_life(db)
    async with db.read() as conn:
        texts = [m.text for _, m in await store.history(conn, conversation_id, public_only=True) if m]
    assert texts == ["Where is my parcel?", "I am sorry", "A person will join you", "Hello Cora", "One more thing"]


async def test_pages_of_any_size_put_together_are_the_whole(db: Database) -> None:
    conversation_id = await a_full_life(db)
    for public_only in (False, True):
        async with db.read() as conn:
            whole = await store.history(conn, conversation_id, public_only=public_only)
            pages, after = [], 0
            while page := await store.history(conn, conversation_id, after=after, public_only=public_only, limit=3):
                assert len(page) <= 3
                assert page[0][0].seq > after
                pages, after = pages + page, page[-1][0].seq
        assert pages == whole


async def test_nothing_comes_after_the_last(db: Database) -> None:
    conversation_id = await a_full_life(db)
    async with db.read() as conn:
        last = (await store.history(conn, conversation_id))[-1][0].seq
        assert await store.history(conn, conversation_id, after=last) == []


async def test_another_conversations_feed_stays_apart(db: Database) -> None:
    one, other = await keep(db, opened(text="one")), await keep(db, opened(text="other"))
    async with db.read() as conn:
        texts = [m.text for _, m in await store.history(conn, one.id) if m]
    assert texts == ["one"]
    assert other.id != one.id


async def test_the_latest_words_of_each_customer_are_found_at_once(db: Database) -> None:
    spoken, silent = opened(text="first"), opened(text="only")
    spoken.receive("second", "c2", START)
    spoken.say("an answer", START)
    await keep(db, spoken)
    await keep(db, silent)
    async with db.read() as conn:
        found = await store.last_customer_messages(conn, [spoken.id, silent.id, "nobody"])
        nothing = await store.last_customer_messages(conn, [])
    assert {key: m.text for key, m in found.items()} == {spoken.id: "second", silent.id: "only"}
    assert nothing == {}
