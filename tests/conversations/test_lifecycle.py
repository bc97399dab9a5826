"""The table of DESIGN.md, written out again by hand, against the code: cell by cell, by the verbs themselves."""

import pytest

from conversations.conversation import Conversation
from conversations.errors import IllegalTransition, MayNotSpeak
from conversations.lifecycle import MAY_SPEAK, TRANSITIONS, Author, Status, Verb, check_may_speak, next_status
from tests.conftest import ALICE, START
from tests.conversations.worlds import IN_STATUS, request_handoff

TABLE = """
             request_handoff  take        release  transfer  return_to_queue  return_to_bot  resolve   customer_writes
bot          waiting          with_agent  -        -         -                -              resolved  bot
waiting      -                with_agent  -        -         waiting          bot            resolved  waiting
with_agent   -                -           waiting  waiting   waiting          bot            resolved  with_agent
resolved     -                -           -        -         -                -              -         bot
"""
_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(row[0], verb, cell) for row in _ROWS for verb, cell in zip(_HEAD, row[1:], strict=True)]

SPEAKERS = {
    "bot": {"bot", "customer", "system"},
    "waiting": {"customer", "system"},
    "with_agent": {"agent", "customer", "system"},
    "resolved": {"customer", "system"},
}


def do(conversation: Conversation, verb: str) -> None:
    """The verb as Alice, the assignee, or the customer would do it."""
    match verb:
        case "request_handoff":
            request_handoff(conversation)
        case "take":
            conversation.take(ALICE.id, ALICE.name, START)
        case "release":
            conversation.release(ALICE.id, ALICE.name, START, queue_rank=2.0)
        case "transfer":
            conversation.transfer_to_skill(ALICE.id, ALICE.name, "returns", None, START, queue_rank=2.0)
        case "return_to_queue" if conversation.status is Status.WAITING:  # a transfer that is not taken
            conversation.transfer = True
            conversation.offered_to, conversation.offer_expires_at = ALICE.id, START
            conversation.expire_offer(ALICE.name, START)
        case "return_to_queue":
            conversation.agent_vanished(ALICE.name, START, queue_rank=2.0)
        case "return_to_bot":
            conversation.return_to_bot(ALICE.id, ALICE.name, START)
        case "resolve":
            conversation.resolve(ALICE.id, ALICE.name, START)
        case "customer_writes":
            conversation.receive("Hello?", "c99", START)


def test_the_table_has_a_cell_for_every_status_and_verb() -> None:
    assert {(s, v) for s, v, _ in CELLS} == {(s.value, v.value) for s in Status for v in Verb}


@pytest.mark.parametrize(("status", "verb", "cell"), CELLS, ids=[f"{s}-{v}" for s, v, _ in CELLS])
def test_each_cell_of_the_pure_table_is_as_designed(status: str, verb: str, cell: str) -> None:
    if cell == "-":
        with pytest.raises(IllegalTransition):
            next_status(Status(status), Verb(verb))
    else:
        assert next_status(Status(status), Verb(verb)) == cell


BY_VERB = [cell for cell in CELLS if cell[:2] != ("with_agent", "take")]
"""Taking what one has is harmless, and what a colleague has is AlreadyTaken: both in test_conversation.py."""


@pytest.mark.parametrize(("status", "verb", "cell"), BY_VERB, ids=[f"{s}-{v}" for s, v, _ in BY_VERB])
def test_each_verb_of_a_conversation_does_what_the_table_says(status: str, verb: str, cell: str) -> None:
    conversation = IN_STATUS[Status(status)]()
    if cell == "-":
        before, seq = conversation.status, conversation.last_seq
        with pytest.raises(IllegalTransition) as refusal:
            do(conversation, verb)
        assert (refusal.value.current, refusal.value.verb) == (status, verb)
        assert (conversation.status, conversation.last_seq) == (before, seq)
    else:
        do(conversation, verb)
        assert conversation.status == cell


def test_the_code_has_no_move_that_the_design_has_not() -> None:
    designed = {(s, v): c for s, v, c in CELLS if c != "-"}
    assert {(s.value, v.value): to.value for (s, v), to in TRANSITIONS.items()} == designed


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("author", Author)
def test_who_may_speak_in_each_status_is_as_designed(status: Status, author: Author) -> None:
    if author.value in SPEAKERS[status.value]:
        check_may_speak(status, author)
    else:
        with pytest.raises(MayNotSpeak) as refusal:
            check_may_speak(status, author)
        assert (refusal.value.current, refusal.value.author) == (status, author)


def test_may_speak_has_every_status() -> None:
    assert {s.value: {a.value for a in authors} for s, authors in MAY_SPEAK.items()} == SPEAKERS


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.BOT])
def test_the_bot_cannot_say_anything_outside_its_own_status(status: Status) -> None:
    conversation = IN_STATUS[status]()
    with pytest.raises(MayNotSpeak):
        conversation.say("Let me help", START)


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.BOT])
def test_the_bot_cannot_offer_a_person_outside_its_own_status(status: Status) -> None:
    with pytest.raises(MayNotSpeak):
        IN_STATUS[status]().offer_person("frustration", [], START)


@pytest.mark.parametrize("status", Status)
def test_the_customer_and_the_house_may_always_speak(status: Status) -> None:
    conversation = IN_STATUS[status]()
    conversation.line("Nobody is at the desk", START)
    conversation.receive("Hello?", "c99", START)
    assert [m.author for m in conversation.posted[-2:]] == [Author.SYSTEM, Author.CUSTOMER]
