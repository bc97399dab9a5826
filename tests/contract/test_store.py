"""Conversations go into the database and come out the same, on both engines; nobody's change is lost."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from app.db import Database
from conversations import store
from conversations.conversation import Conversation
from conversations.errors import AlreadyTaken, MessageIdReused, NotFound, Stale
from conversations.lifecycle import Author, Status, Visibility
from conversations.tables import UtcDateTime, conversations
from tests.conftest import ALICE, BOB, START, Clock
from tests.contract.houses import hand_off, keep, loaded, opened, saved, taken

TOKYO = timezone(timedelta(hours=9))


async def test_every_field_of_a_conversation_comes_back_as_it_was(db: Database) -> None:
    """Each field is set to something that is not its default, so that none can be forgotten."""
    full = Conversation(
        id="c" * 32, shop_id="shop", opened_at=START, status=Status.WITH_AGENT, assignee_id=ALICE.id,
        customer_name="Çora 😀", customer_email="cora@example.com", version=7, last_seq=0,
        due_at=START + timedelta(microseconds=1), waiting_since=START + timedelta(seconds=2),
        queue_rank=1772618400.123456, handoff_reason="frustration", offer_open=True,
        resolved_at=START + timedelta(days=1), bot_from_seq=3,
    )  # fmt: skip
    assert await keep(db, full) == full


async def test_an_empty_conversation_comes_back_with_its_nones(db: Database) -> None:
    bare = Conversation(id="d" * 32, shop_id="shop", opened_at=START)
    assert await keep(db, bare) == bare


async def test_a_time_from_another_zone_comes_back_as_the_same_moment_in_utc(db: Database) -> None:
    there = datetime(2026, 3, 4, 19, 0, 0, 123456, tzinfo=TOKYO)
    back = await keep(db, Conversation(id="e" * 32, shop_id="shop", opened_at=there))
    assert back.opened_at == there
    assert back.opened_at.utcoffset() == timedelta(0)


async def test_the_hour_that_a_clock_change_repeats_is_kept_apart(db: Database) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    one = await keep(db, Conversation(id="1" * 32, shop_id="shop", opened_at=first))
    two = await keep(db, Conversation(id="2" * 32, shop_id="shop", opened_at=first + timedelta(hours=1)))
    assert two.opened_at - one.opened_at == timedelta(hours=1)


async def test_a_naive_time_is_refused(db: Database) -> None:
    naive = Conversation(id="f" * 32, shop_id="shop", opened_at=datetime(2026, 3, 4))
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        await keep(db, naive)


async def test_a_naive_time_is_refused_in_a_condition_too(db: Database) -> None:
    query = sa.select(conversations.c.id).where(conversations.c.due_at <= datetime(2026, 3, 4))
    async with db.read() as conn:
        with pytest.raises(sa.exc.StatementError, match="time zone"):
            await conn.execute(query)


def test_utcdatetime_passes_none_through() -> None:
    dialect = sa.create_engine("sqlite://").dialect
    assert UtcDateTime().process_bind_param(None, dialect) is None
    assert UtcDateTime().process_result_value(None, dialect) is None


async def test_messages_come_back_with_author_note_extra_and_reading(db: Database) -> None:
    conversation = taken()
    asked = conversation.posted[0]
    conversation.read(asked.id, {"state": "worried", "states": {"worried": 0.91}}, START)
    said = conversation.reply(ALICE.id, ALICE.name, "On it 👩‍💻", "r1", START)
    note = conversation.note(BOB.id, BOB.name, "Be kind", "n1", START)
    line = conversation.line("Alice has joined", START, promise=True, nested={"list": [1, None, "x"]})
    await keep(db, conversation)
    async with db.read() as conn:
        found = await store.transcript(conn, conversation.id)
    assert found == [replace(asked, reading={"state": "worried", "states": {"worried": 0.91}}), said, note, line]


async def test_unread_messages_have_no_reading(db: Database) -> None:
    conversation = await keep(db, opened())
    async with db.read() as conn:
        [message] = await store.transcript(conn, conversation.id)
    assert message.reading is None


async def test_the_customers_transcript_leaves_notes_out(db: Database) -> None:
    conversation = taken()
    conversation.note(ALICE.id, ALICE.name, "internal", "n1", START)
    await keep(db, conversation)
    async with db.read() as conn:
        found = await store.transcript(conn, conversation.id, public_only=True)
    assert [m.visibility for m in found] == [Visibility.PUBLIC]


async def test_loading_what_does_not_exist_says_so(db: Database) -> None:
    async with db.read() as conn:
        with pytest.raises(NotFound):
            await store.load(conn, "nobody")


async def test_saving_writes_the_changes_once_and_clears_them(db: Database) -> None:
    conversation = await keep(db, opened())
    conversation.receive("Hello?", "c2", START)
    again = await saved(db, conversation)
    again.receive("Anyone?", "c3", START)
    await saved(db, again)
    async with db.read() as conn:
        assert len(await store.transcript(conn, conversation.id)) == 3
        assert [e.seq for e, _ in await store.history(conn, conversation.id)] == [1, 2, 3, 4]


async def test_the_second_of_two_who_read_the_same_version_is_stale(db: Database) -> None:
    conversation = await keep(db, opened())
    first, second = await loaded(db, conversation.id), await loaded(db, conversation.id)
    first.receive("first", "c2", START)
    await saved(db, first)
    second.receive("second", "c3", START)
    with pytest.raises(Stale):
        await saved(db, second)


async def test_what_a_stale_writer_said_is_nowhere(db: Database) -> None:
    conversation = await keep(db, opened())
    first, second = await loaded(db, conversation.id), await loaded(db, conversation.id)
    await saved(db, first)
    second.receive("lost?", "c3", START)
    with pytest.raises(Stale):
        await saved(db, second)
    async with db.read() as conn:
        assert "lost?" not in [m.text for m in await store.transcript(conn, conversation.id)]


async def test_of_two_agents_who_take_at_once_exactly_one_gets_it(db: Database) -> None:
    conversation = await keep(db, hand_off(opened()))
    both_are_ready = asyncio.Barrier(2)

    async def take(agent) -> str | None:
        await both_are_ready.wait()
        async with db.unit_of_work() as work:
            found = await store.load(work.conn, conversation.id, lock=True)
            found.take(agent.id, agent.name, START)
            await store.save(work.conn, found)
        return agent.id

    results = await asyncio.gather(take(ALICE), take(BOB), return_exceptions=True)
    [refusal] = [r for r in results if isinstance(r, Exception)]
    [winner] = [r for r in results if isinstance(r, str)]
    assert isinstance(refusal, AlreadyTaken)
    assert refusal.assignee_id == winner == (await loaded(db, conversation.id)).assignee_id


async def test_without_a_lock_the_version_still_lets_only_one_take_it(db: Database) -> None:
    conversation = await keep(db, hand_off(opened()))
    both_have_read = asyncio.Barrier(2)

    async def take(agent) -> None:
        found = await loaded(db, conversation.id)
        found.take(agent.id, agent.name, START)
        await both_have_read.wait()
        await saved(db, found)

    results = await asyncio.gather(take(ALICE), take(BOB), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["NoneType", "Stale"]


async def test_ten_writers_who_lock_lose_nothing(db: Database) -> None:
    conversation = await keep(db, opened())

    async def write(i: int) -> None:
        async with db.unit_of_work() as work:
            found = await store.load(work.conn, conversation.id, lock=True)
            found.receive(f"line {i}", f"x{i}", START)
            await store.save(work.conn, found)

    await asyncio.gather(*(write(i) for i in range(10)))
    async with db.read() as conn:
        texts = {m.text for m in await store.transcript(conn, conversation.id)}
        seqs = [e.seq for e, _ in await store.history(conn, conversation.id)]
    assert texts == {"Where is my parcel?", *(f"line {i}" for i in range(10))}
    assert seqs == list(range(1, 13))


async def test_a_message_that_was_never_sent_is_not_found(db: Database) -> None:
    conversation = await keep(db, opened())
    async with db.read() as conn:
        assert await store.message_already_sent(conn, conversation.id, Author.CUSTOMER, "new", "hello") is None


async def test_the_same_id_and_text_gives_the_first_message_back(db: Database, clock: Clock) -> None:
    conversation = opened()
    first = conversation.posted[0]
    await keep(db, conversation)
    async with db.read() as conn:
        again = await store.message_already_sent(
            conn, conversation.id, Author.CUSTOMER, f"c-{conversation.id}", first.text
        )
    assert again == first


async def test_the_same_id_with_another_text_is_refused(db: Database) -> None:
    conversation = await keep(db, opened())
    async with db.read() as conn:
        with pytest.raises(MessageIdReused):
            await store.message_already_sent(
                conn, conversation.id, Author.CUSTOMER, f"c-{conversation.id}", "Something else"
            )


async def test_an_agent_may_use_an_id_that_the_customer_used(db: Database) -> None:
    conversation = await keep(db, taken())
    conversation.reply(ALICE.id, ALICE.name, "Hello", f"c-{conversation.id}", START)
    await saved(db, conversation)
    async with db.read() as conn:
        assert len(await store.transcript(conn, conversation.id)) == 2


async def test_the_database_itself_refuses_the_same_id_twice(db: Database) -> None:
    conversation = await keep(db, opened())
    conversation.receive("again", f"c-{conversation.id}", START)
    with pytest.raises(sa.exc.IntegrityError):
        await saved(db, conversation)


@pytest.mark.parametrize(("status", "assignee"), [("with_agent", None), ("bot", "a"), ("elsewhere", None)])
async def test_the_database_refuses_a_state_that_cannot_be(db: Database, status: str, assignee: str | None) -> None:
    conversation = await keep(db, opened())
    where = conversations.c.id == conversation.id
    update = sa.update(conversations).where(where).values(status=status, assignee_id=assignee)
    async with db.read() as conn:
        with pytest.raises(sa.exc.IntegrityError):
            await conn.execute(update)
