"""Whatever is done, in whatever order: one owner, no silent change, and the events tell the whole story."""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from conversations.conversation import Conversation
from conversations.errors import ConversationError
from conversations.lifecycle import Author, Status, Visibility
from tests.conftest import ALICE, BOB, CHARLIE, CORA, SHOP_ID, START
from tests.conversations.worlds import Replayed, replay, request_handoff, state_of

STATUS_EVENTS = {
    "handoff_requested", "taken", "released", "transferred", "returned_to_queue", "returned_to_bot", "resolved",
    "reopened",
}  # fmt: skip
BOT_GETS_IT_BACK = {"returned_to_bot", "reopened"}

Step = tuple[str, Callable[[Conversation, datetime], object]]


def steps() -> st.SearchStrategy[Step]:
    """Every verb, by either agent, the bot or the customer, allowed or not."""
    verbs: list[Step] = [
        ("customer writes", lambda c, at: c.receive("Hello?", f"c{c.last_seq}", at)),
        ("customer writes nothing", lambda c, at: c.receive(" ", f"c{c.last_seq}", at)),
        ("customer says a name", lambda c, at: c.introduce("Coraline", None, at)),
        ("customer says an address", lambda c, at: c.introduce(None, f"c{c.last_seq}@example.com", at)),
        ("customer declines", lambda c, at: c.decline_offer(at)),
        ("bot reads", lambda c, at: c.read("m", {"state": "neutral"}, at)),
        ("bot decides", lambda c, at: c.decided("m", "answer", "fits", [], at)),
        ("bot speaks", lambda c, at: c.say("Let me see", at)),
        ("bot offers", lambda c, at: c.offer_person("frustration", [], at)),
        ("bot hands off", lambda c, at: request_handoff(c, at, "frustration")),
        ("the house speaks", lambda c, at: c.line("A line", at)),
        ("the offer expires", lambda c, at: c.expire_offer("Somebody", at)),
        ("the agent vanishes", lambda c, at: c.agent_vanished("Somebody", at, queue_rank=1.0)),
        ("the promise breaks", lambda c, at: c.promise_broken(at)),
    ]
    for agent in (ALICE, BOB):
        a, n = agent.id, agent.name
        verbs += [
            (f"{n} takes", lambda c, at, a=a, n=n: c.take(a, n, at)),
            (f"{n} replies", lambda c, at, a=a, n=n: c.reply(a, n, "Hello", f"r{c.last_seq}", at)),
            (f"{n} notes", lambda c, at, a=a, n=n: c.note(a, n, "psst", f"n{c.last_seq}", at)),
            (f"{n} releases", lambda c, at, a=a, n=n: c.release(a, n, at, queue_rank=1.0)),
            (f"{n} is offered it", lambda c, at, a=a, n=n: c.offer_to(a, n, at, at + timedelta(seconds=2))),
            (f"{n} declines it", lambda c, at, a=a, n=n: c.decline(a, n, at)),
            (
                f"{n} transfers it to Charlie",
                lambda c, at, a=a, n=n: c.transfer_to_agent(
                    a, n, CHARLIE.id, CHARLIE.name, None, at, queue_rank=1.0, expires_at=at + timedelta(seconds=2)
                ),
            ),
            (
                f"{n} transfers it to a skill",
                lambda c, at, a=a, n=n: c.transfer_to_skill(a, n, "returns", None, at, queue_rank=1.0),
            ),
            (f"{n} returns it", lambda c, at, a=a, n=n: c.return_to_bot(a, n, at)),
            (f"{n} resolves", lambda c, at, a=a, n=n: c.resolve(a, n, at)),
        ]
    return st.sampled_from(verbs)


def opened() -> Conversation:
    return Conversation.open(SHOP_ID, START, CORA.name, CORA.email)


def after(taken: list[Step], check: Callable[[Conversation, Conversation, str], None]) -> Conversation:
    """Take every step that is allowed; call ``check(before, now, name)`` after each, allowed or not."""
    conversation = opened()
    for i, (name, do) in enumerate(taken):
        before = copy.deepcopy(conversation)
        try:
            do(conversation, START + timedelta(seconds=i + 1))
        except ConversationError:
            event("refused")
            assert conversation == before, f"'{name}' was refused and changed something"
        check(before, conversation, name)
    return conversation


many = given(st.lists(steps(), min_size=8, max_size=40))
few_examples = settings(max_examples=60, deadline=None)


@many
@few_examples
def test_state_before_and_events_give_state_after(taken: list[Step]) -> None:
    def check(before: Conversation, now: Conversation, name: str) -> None:
        start = state_of(before, [m.id for m in before.posted])
        rebuilt = replay(now.changes[len(before.changes) :], start)
        assert rebuilt == state_of(now, [m.id for m in now.posted]), name

    after(taken, check)


@many
@few_examples
def test_all_events_from_the_first_rebuild_the_state(taken: list[Step]) -> None:
    conversation = after(taken, lambda *_: None)
    named = Replayed(name=CORA.name, email=CORA.email)  # given on opening, before there are events
    assert replay(conversation.changes, named) == state_of(conversation, [m.id for m in conversation.posted])


@many
@few_examples
def test_there_is_always_exactly_one_owner(taken: list[Step]) -> None:
    def check(_: Conversation, now: Conversation, name: str) -> None:
        assert (now.assignee_id is not None) == (now.status is Status.WITH_AGENT), name
        assert (now.waiting_since is not None) == (now.status is Status.WAITING), name
        assert (now.queue_rank is not None) == (now.status is Status.WAITING), name
        assert (now.resolved_at is not None) == (now.status is Status.RESOLVED), name
        assert not (now.offer_open and now.status is not Status.BOT), name
        assert (now.offered_to is None) == (now.offer_expires_at is None), name
        assert now.offered_to is None or now.status is Status.WAITING, name
        assert not (now.transfer and now.offered_to is None), name
        assert (now.taken_at is not None) == (now.status is Status.WITH_AGENT), name
        assert now.promised_until is None or now.status is Status.WAITING, name

    after(taken, check)


@many
@few_examples
def test_every_status_change_has_exactly_one_event(taken: list[Step]) -> None:
    def check(before: Conversation, now: Conversation, name: str) -> None:
        fresh = now.changes[len(before.changes) :]
        told = [e.kind for e in fresh if e.kind in STATUS_EVENTS and e.payload.get("why") != "transfer_not_taken"]
        changed = before.status is not now.status
        assert len(told) == changed, f"{name}: {before.status} to {now.status} told by {told}"

    after(taken, check)


@many
@few_examples
def test_after_a_person_took_it_the_bot_is_silent_until_it_is_given_back(taken: list[Step]) -> None:
    conversation = after(taken, lambda *_: None)
    by_seq = {m.seq: m for m in conversation.posted}
    a_person_has_it = False
    for happened in conversation.changes:
        if happened.kind == "taken":
            a_person_has_it = True
        elif happened.kind in BOT_GETS_IT_BACK:
            a_person_has_it = False
        said = by_seq.get(happened.seq) if happened.kind == "message_posted" else None
        assert not (a_person_has_it and said and said.author is Author.BOT)
        assert not (a_person_has_it and happened.kind == "person_offered")


@many
@few_examples
def test_every_public_word_of_an_agent_is_the_assignees(taken: list[Step]) -> None:
    conversation = after(taken, lambda *_: None)
    assignee, by_seq = None, {m.seq: m for m in conversation.posted}
    for happened in conversation.changes:
        if happened.kind == "taken":
            assignee = happened.payload["agent_id"]
        elif happened.kind in STATUS_EVENTS:
            assignee = None
        said = by_seq.get(happened.seq)
        if said and said.author is Author.AGENT and said.visibility is Visibility.PUBLIC:
            assert said.author_id == assignee


@many
@few_examples
def test_sequence_numbers_never_have_a_gap(taken: list[Step]) -> None:
    conversation = after(taken, lambda *_: None)
    assert [e.seq for e in conversation.changes] == list(range(1, conversation.last_seq + 1))
    assert {m.seq for m in conversation.posted} == {e.seq for e in conversation.changes if e.kind == "message_posted"}


@many
@few_examples
def test_the_customer_can_write_whatever_came_before(taken: list[Step]) -> None:
    conversation = after(taken, lambda *_: None)
    at = START + timedelta(hours=1)
    conversation.receive("Still me", "last", at)
    assert conversation.due_at == at
    assert conversation.status is not Status.RESOLVED


@many
@few_examples
def test_every_stint_is_told_once_when_it_ends_and_weighs_no_more_than_its_minutes(taken: list[Step]) -> None:
    conversation = after(taken, lambda *_: None)
    begun = None
    for happened in conversation.changes:
        stint = happened.payload.get("stint")
        if happened.kind == "taken":
            assert begun is None
            begun = happened
        elif stint:
            assert begun is not None
            assert stint["agent_id"] == begun.payload["agent_id"]
            assert stint["seconds"] == (happened.at - begun.at).total_seconds()
            assert 0 <= stint["heavy_minutes"] <= stint["seconds"] / 60 + 0.001
            begun = None
    assert (begun is not None) == (conversation.status is Status.WITH_AGENT)


@many
@few_examples
def test_every_offer_ends_before_the_next_begins(taken: list[Step]) -> None:
    open_to = None
    for happened in after(taken, lambda *_: None).changes:
        if happened.kind == "desk_offered":
            assert open_to is None
            open_to = happened.payload["agent_id"]
        elif happened.kind == "desk_offer_declined":
            assert happened.payload["agent_id"] == open_to
            open_to = None
        elif happened.kind in ("taken", "resolved", "returned_to_bot"):
            open_to = None
