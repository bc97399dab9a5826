"""A turn among people: several messages at once, an agent who takes over, a customer who goes on writing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.worker import utc_now
from conversations.conversation import Conversation
from tests.app.scripted import mood
from tests.app.test_turn import Table, table  # noqa: F401
from tests.conftest import ALICE
from tests.serving import history


async def caught(table: Table, meanwhile: Callable[[Conversation], Any]) -> None:  # noqa: F811
    """Take the turn that is due, and do something while the model is reading."""
    table.reader.hold()
    turn = asyncio.create_task(table.turn.take(table.chat.id))
    await table.reader.is_inside()
    await table.do(meanwhile)
    table.reader.let_go()
    await turn


async def test_several_messages_in_a_row_are_answered_once(table: Table) -> None:  # noqa: F811
    for text in ("hello?", "where is my parcel", "it is late"):
        await table.write(text)
    await table.turn.take(table.chat.id)
    assert len(await table.said("bot")) == 2  # the greeting, and one answer


async def test_several_messages_in_a_row_are_all_read(table: Table) -> None:  # noqa: F811
    for text in ("hello?", "where is my parcel", "it is late"):
        await table.write(text)
    await table.turn.take(table.chat.id)
    assert all(m.reading for m in await table.said("customer"))
    assert sorted(table.reader.seen) == ["hello?", "it is late", "where is my parcel"]


async def test_a_question_is_not_hidden_by_the_hello_after_it(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel")
    await table.write("hello?")
    await table.turn.take(table.chat.id)
    assert table.matcher.asked == ["where is my parcel\nhello?"]


@pytest.mark.parametrize("holder", ["the queue", "an agent"])
async def test_what_is_written_to_people_is_read_and_not_answered(table: Table, holder: str) -> None:  # noqa: F811
    await table.hear("a person please", mood(flag="asked_for_human"))
    if holder == "an agent":
        await table.do(lambda c: c.take(ALICE.id, ALICE.name, utc_now()))
    bot_before = await table.said("bot")
    await table.write("are you there?", mood("frustrated"))
    await table.turn.take(table.chat.id)
    assert (await table.said("customer"))[-1].reading["state"] == "frustrated"  # type: ignore[index]
    assert await table.said("bot") == bot_before
    assert (await table.state()).due_at is None


async def test_an_agents_words_are_never_read_for_feeling(table: Table) -> None:  # noqa: F811
    await table.do(lambda c: c.take(ALICE.id, ALICE.name, utc_now()))
    await table.do(lambda c: c.reply(ALICE.id, ALICE.name, "this is ridiculous", "agent-message-1", utc_now()))
    await table.write("thank you")
    await table.turn.take(table.chat.id)
    assert table.reader.seen == ["thank you"]


async def test_the_draft_is_dropped_when_an_agent_takes_over(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel?")
    await caught(table, lambda c: c.take(ALICE.id, ALICE.name, utc_now()))
    assert len(await table.said("bot")) == 1  # the greeting
    assert (await table.state()).assignee_id == ALICE.id


async def test_the_draft_is_dropped_when_the_customer_asks_for_a_person(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel?")
    await caught(table, _ask)
    assert len(await table.said("bot")) == 1
    assert (await table.state()).handoff_reason == "asked"


def _ask(c: Conversation) -> None:
    c.request_handoff("asked", [], utc_now(), queue_rank=1.0, urgency=0.3, decided_by="customer")


async def test_the_draft_is_dropped_when_the_customer_writes_on_and_both_are_answered_once(
    table: Table,  # noqa: F811
) -> None:
    await table.write("where is my parcel?")
    await caught(table, lambda c: c.receive("I mean my jug", "message-two", utc_now()))
    await table.turn.take(table.chat.id)
    assert len(await table.said("bot")) == 2
    assert table.matcher.asked[-1] == "where is my parcel?\nI mean my jug"


async def test_what_was_decided_for_a_dropped_draft_leaves_no_event(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel?")
    await caught(table, lambda c: c.take(ALICE.id, ALICE.name, utc_now()))
    assert "turn_decided" not in await table.kinds()


async def test_a_turn_that_is_taken_twice_answers_once(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel?")
    await asyncio.gather(table.turn.take(table.chat.id), table.turn.take(table.chat.id))
    assert len(await table.said("bot")) == 2


async def test_a_turn_with_nothing_left_to_say_says_nothing(table: Table) -> None:  # noqa: F811
    await table.hear("where is my parcel?")
    before = await table.kinds()
    await table.turn.take(table.chat.id)
    assert [k for k in (await table.kinds())[len(before) :] if k == "message_posted"] == []


async def test_a_conversation_that_is_given_up_goes_to_a_person_with_the_cause(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel?")
    await table.turn.give_up(table.chat.id)
    assert (await table.state()).status == "waiting"
    handoff = next(e for e, _ in await history(table.db, table.chat) if e.kind == "handoff_requested")
    assert "fault" in handoff.payload["evidence"][0]["text"]


async def test_giving_up_what_an_agent_has_changes_nothing(table: Table) -> None:  # noqa: F811
    await table.write("where is my parcel?")
    await table.do(lambda c: c.take(ALICE.id, ALICE.name, utc_now()))
    before = await table.kinds()
    await table.turn.give_up(table.chat.id)
    assert await table.kinds() == before
