"""The verbs: who may do what, what each leaves behind, and what is harmless to do twice."""

from datetime import timedelta

import pytest

from conversations.conversation import Conversation, new_id
from conversations.errors import (
    AlreadyTaken,
    BadMessage,
    ConversationError,
    IllegalTransition,
    MayNotSpeak,
    NotAssignee,
)
from conversations.events import PUBLIC_KINDS, PUBLIC_PAYLOAD, Kind
from conversations.lifecycle import Author, Status, Visibility
from tests.conftest import ALICE, BOB, CHARLIE, CORA, SHOP_ID, START
from tests.conversations.worlds import IN_STATUS, request_handoff, resolved, waiting, with_agent, with_bot

LATER = START + timedelta(minutes=5)


def kinds(conversation: Conversation) -> list[str]:
    return [event.kind.value for event in conversation.changes]


def test_a_conversation_opens_with_the_bot_and_nothing_due() -> None:
    conversation = Conversation.open(SHOP_ID, START, CORA.name, page_url="https://shop.example/")
    assert (conversation.status, conversation.due_at, conversation.assignee_id) == (Status.BOT, None, None)
    assert conversation.changes[0].payload == {"shop_id": SHOP_ID, "page_url": "https://shop.example/"}


def test_the_bots_turn_falls_due_at_once_when_the_customer_writes() -> None:
    conversation = with_bot()
    conversation.due_at = None
    conversation.receive("Hello?", "c2", LATER)
    assert conversation.due_at == LATER


def test_the_assignee_can_reply() -> None:
    message = with_agent().reply(ALICE.id, ALICE.name, "Hello Cora", "r1", START)
    assert (message.author, message.author_id, message.author_name) == (Author.AGENT, ALICE.id, "Alice")


@pytest.mark.parametrize("person", [BOB, CHARLIE])
def test_nobody_but_the_assignee_can_reply(person) -> None:
    conversation = with_agent(ALICE)
    before = conversation.last_seq
    with pytest.raises(NotAssignee):
        conversation.reply(person.id, person.name, "Hello", "r1", START)
    assert conversation.last_seq == before


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.WITH_AGENT])
def test_an_agent_cannot_reply_before_taking_it_or_after(status: Status) -> None:
    with pytest.raises(MayNotSpeak):
        IN_STATUS[status]().reply(ALICE.id, ALICE.name, "Hello", "r1", START)


@pytest.mark.parametrize("verb", ["return_to_bot", "resolve"])
def test_a_colleague_cannot_end_what_the_assignee_holds(verb: str) -> None:
    conversation = with_agent(ALICE)
    with pytest.raises(NotAssignee):
        getattr(conversation, verb)(BOB.id, BOB.name, START)
    assert (conversation.status, conversation.assignee_id) == (Status.WITH_AGENT, ALICE.id)


def test_a_colleague_cannot_release_what_the_assignee_holds() -> None:
    conversation = with_agent(ALICE)
    with pytest.raises(NotAssignee):
        conversation.release(BOB.id, BOB.name, START, queue_rank=0)
    assert (conversation.status, conversation.assignee_id) == (Status.WITH_AGENT, ALICE.id)


@pytest.mark.parametrize("status", Status)
def test_any_agent_can_leave_a_note_in_any_status(status: Status) -> None:
    conversation = IN_STATUS[status]()
    note = conversation.note(BOB.id, BOB.name, "She was here yesterday too", "n1", START)
    assert (note.visibility, conversation.status) == (Visibility.INTERNAL, status)


def test_a_note_does_not_make_the_bots_turn_due() -> None:
    conversation = with_bot()
    conversation.due_at = None
    conversation.note(BOB.id, BOB.name, "psst", "n1", START)
    assert conversation.due_at is None


def test_taking_twice_changes_nothing_and_is_no_event() -> None:
    conversation = with_agent(ALICE)
    before = kinds(conversation)
    conversation.take(ALICE.id, ALICE.name, LATER)
    assert (kinds(conversation), conversation.assignee_id) == (before, ALICE.id)


def test_taking_what_a_colleague_has_says_who_has_it() -> None:
    conversation = with_agent(ALICE)
    with pytest.raises(AlreadyTaken) as refusal:
        conversation.take(BOB.id, BOB.name, LATER)
    refusal.value.name_assignee("Alice")
    assert (refusal.value.assignee_id, conversation.assignee_id) == (ALICE.id, ALICE.id)
    assert "already taken by Alice" in str(refusal.value)


def test_taking_leaves_the_queue_and_closes_the_offer() -> None:
    conversation = with_bot()
    conversation.offer_person("frustration", [], START)
    conversation.take(ALICE.id, ALICE.name, START)
    assert (conversation.waiting_since, conversation.queue_rank, conversation.offer_open) == (None, None, False)


def test_taking_keeps_where_it_was_taken_from() -> None:
    for make, origin in ((with_bot, "bot"), (waiting, "waiting")):
        conversation = make()
        conversation.take(ALICE.id, ALICE.name, START)
        assert conversation.changes[-1].payload["from_status"] == origin


def test_a_released_conversation_waits_again_and_keeps_its_reason() -> None:
    conversation = with_agent()
    conversation.release(ALICE.id, ALICE.name, LATER, queue_rank=7.5)
    assert (conversation.status, conversation.assignee_id) == (Status.WAITING, None)
    assert (conversation.waiting_since, conversation.queue_rank) == (LATER, 7.5)
    assert conversation.handoff_reason == "asked"


def test_a_released_conversation_can_be_taken_by_a_colleague() -> None:
    conversation = with_agent(ALICE)
    conversation.release(ALICE.id, ALICE.name, LATER, queue_rank=0)
    conversation.take(BOB.id, BOB.name, LATER)
    assert conversation.assignee_id == BOB.id


@pytest.mark.parametrize("make", [waiting, with_agent])
def test_after_return_to_bot_the_bot_considers_only_what_comes_later(make) -> None:
    conversation = make()
    last_word = conversation.last_seq
    conversation.return_to_bot(ALICE.id, ALICE.name, LATER)
    assert conversation.bot_from_seq >= last_word
    message = conversation.receive("And now?", "c2", LATER)
    assert message.seq > conversation.bot_from_seq


def test_return_to_bot_leaves_the_desk_altogether() -> None:
    conversation = with_agent()
    conversation.return_to_bot(ALICE.id, ALICE.name, LATER)
    assert (conversation.assignee_id, conversation.waiting_since, conversation.queue_rank) == (None, None, None)
    conversation.say("I am back", LATER)


def test_a_customer_who_writes_opens_a_resolved_conversation_again() -> None:
    conversation = resolved()
    conversation.receive("One more thing", "c2", LATER)
    assert (conversation.status, conversation.resolved_at, conversation.due_at) == (Status.BOT, None, LATER)
    assert kinds(conversation)[-2:] == ["reopened", "message_posted"]


def test_after_reopening_the_old_trouble_does_not_count() -> None:
    conversation = resolved()
    message = conversation.receive("One more thing", "c2", LATER)
    assert all(m.seq <= conversation.bot_from_seq for m in conversation.posted if m is not message)
    assert message.seq > conversation.bot_from_seq


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.RESOLVED])
def test_only_what_is_resolved_can_be_reopened(status: Status) -> None:
    with pytest.raises(IllegalTransition):
        IN_STATUS[status]().reopen(START)


def test_an_empty_message_does_not_open_a_resolved_conversation() -> None:
    conversation = resolved()
    with pytest.raises(BadMessage):
        conversation.receive("   ", "c2", LATER)
    assert conversation.status is Status.RESOLVED


def test_resolving_keeps_when() -> None:
    conversation = waiting()
    conversation.resolve(BOB.id, BOB.name, LATER)
    assert (conversation.resolved_at, conversation.waiting_since) == (LATER, None)


def test_declining_an_offer_closes_it_and_declining_none_is_no_event() -> None:
    conversation = with_bot()
    conversation.offer_person("confusion", [], START)
    conversation.decline_offer(START)
    assert (conversation.offer_open, kinds(conversation)[-1]) == (False, "offer_declined")
    before = conversation.last_seq
    conversation.decline_offer(START)
    assert conversation.last_seq == before


def test_asking_for_a_person_closes_an_open_offer() -> None:
    conversation = with_bot()
    conversation.offer_person("confusion", [], START)
    request_handoff(conversation)
    assert not conversation.offer_open


def test_a_handoff_cannot_happen_twice() -> None:
    conversation = waiting()
    with pytest.raises(IllegalTransition):
        request_handoff(conversation)
    assert kinds(conversation).count("handoff_requested") == 1


def test_who_asked_for_the_handoff_is_its_actor() -> None:
    for decided_by, actor in (("customer", "customer"), ("policy", "bot")):
        conversation = with_bot()
        conversation.request_handoff("asked", [], START, queue_rank=0, urgency=0.3, decided_by=decided_by)
        assert conversation.changes[-1].actor == actor


def test_introducing_oneself_keeps_what_was_known() -> None:
    conversation = Conversation.open(SHOP_ID, START, CORA.name)
    conversation.introduce(None, CORA.email, START)
    assert (conversation.customer_name, conversation.customer_email) == (CORA.name, CORA.email)


def test_sequence_numbers_have_no_gaps_and_messages_share_their_events() -> None:
    conversation = resolved()
    conversation.receive("One more thing", "c2", LATER)
    conversation.note(BOB.id, BOB.name, "again", "n1", LATER)
    assert [event.seq for event in conversation.changes] == list(range(1, conversation.last_seq + 1))
    posted = [e.seq for e in conversation.changes if e.kind is Kind.MESSAGE_POSTED]
    assert posted == [m.seq for m in conversation.posted]


def test_every_refusal_is_a_sentence_for_people() -> None:
    for refusal in (IllegalTransition("bot", "release"), MayNotSpeak("bot", "agent"), AlreadyTaken("x"), NotAssignee()):
        assert isinstance(refusal, ConversationError)
        assert str(refusal).endswith(".")


def test_nothing_of_how_a_customer_was_read_is_public() -> None:
    inner = {Kind.MESSAGE_READ, Kind.TURN_DECIDED, Kind.CONVERSATION_OPENED}
    among_agents = {Kind.DESK_OFFERED, Kind.DESK_OFFER_DECLINED, Kind.TRANSFERRED, Kind.RETURNED_TO_QUEUE}
    assert inner | among_agents == set(Kind) - PUBLIC_KINDS
    assert not {"reading", "evidence", "state", "urgency"} & PUBLIC_PAYLOAD


def test_ids_are_32_hex_digits_all_different_and_in_order_of_time() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert all(len(i) == 32 and int(i, 16) >= 0 for i in ids)
    assert [i[:15] for i in ids] == sorted(i[:15] for i in ids)
