"""What the owner looks back on: every escalation once, how it ended, and one verdict on each."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from app.db import Database
from conversations import review, store
from conversations.errors import NotFound
from conversations.review import Escalation, Filters, Outcome, Verdict
from tests.conftest import ALICE, BOB, OLGA, START, Clock
from tests.contract.houses import EVIDENCE, hand_off, keep, opened


@dataclass
class Past:
    """Ids of the conversations that a shop looks back on."""

    waiting: str
    with_alice: str
    resolved_by_bob: str
    returned: str
    never: str


@pytest.fixture
async def past(db: Database) -> Past:
    """Four escalations, an hour apart, each with another ending, and one conversation that never had any."""
    clock = Clock()
    waiting = hand_off(opened(clock()), clock(), reason="asked", state="neutral", decided_by="customer")
    alices = hand_off(opened(clock()), clock.step(hours=1), reason="frustration", state="frustrated")
    alices.take(ALICE.id, ALICE.name, clock.now + timedelta(minutes=3))
    bobs = hand_off(opened(clock()), clock.step(hours=1), reason="frustration", state="frustrated")
    bobs.take(BOB.id, BOB.name, clock.now + timedelta(minutes=1))
    bobs.resolve(BOB.id, BOB.name, clock.now + timedelta(minutes=9))
    returned = hand_off(opened(clock()), clock.step(hours=1), reason="safety", state="worried")
    returned.return_to_bot(ALICE.id, ALICE.name, clock())
    never = opened(clock())
    for conversation in (waiting, alices, bobs, returned, never):
        await keep(db, conversation)
    return Past(waiting.id, alices.id, bobs.id, returned.id, never.id)


async def look(db: Database, **wanted: object) -> list[Escalation]:
    async with db.read() as conn:
        return await review.escalations(conn, Filters(**wanted))  # type: ignore[arg-type]


async def judge(db: Database, escalation: Escalation, verdict: Verdict, note: str = "") -> None:
    async with db.unit_of_work() as work:
        await review.give_verdict(work.conn, escalation.conversation_id, escalation.seq, verdict, note, OLGA.id, START)


async def test_every_escalation_is_listed_the_newest_first(db: Database, past: Past) -> None:
    found = await look(db)
    assert [e.conversation_id for e in found] == [past.returned, past.resolved_by_bob, past.with_alice, past.waiting]


async def test_an_escalation_says_when_why_and_on_what_evidence(db: Database, past: Past) -> None:
    [found] = await look(db, reason="asked")
    assert (found.at, found.customer_name, found.state, found.decided_by) == (START, "Cora", "neutral", "customer")
    assert found.evidence == EVIDENCE


async def test_who_took_it_and_after_how_long_is_known(db: Database, past: Past) -> None:
    [found] = await look(db, agent_id=ALICE.id)
    assert (found.agent_name, found.taken_at - found.at) == ("Alice", timedelta(minutes=3))


@pytest.mark.parametrize(
    ("outcome", "whose"),
    [("waiting", "waiting"), ("with_agent", "with_alice"), ("resolved", "resolved_by_bob"), ("returned", "returned")],
)
async def test_each_outcome_finds_its_own(db: Database, past: Past, outcome: str, whose: str) -> None:
    found = await look(db, outcome=Outcome(outcome))
    assert [e.conversation_id for e in found] == [getattr(past, whose)]


@pytest.mark.parametrize(
    ("wanted", "whose"),
    [
        ({"reason": "frustration"}, ["resolved_by_bob", "with_alice"]),
        ({"state": "worried"}, ["returned"]),
        ({"agent_id": BOB.id}, ["resolved_by_bob"]),
        ({"since": START + timedelta(hours=2)}, ["returned", "resolved_by_bob"]),
        ({"until": START + timedelta(hours=1)}, ["waiting"]),
        ({"since": START + timedelta(hours=1), "until": START + timedelta(hours=2)}, ["with_alice"]),
        ({"reason": "frustration", "agent_id": ALICE.id}, ["with_alice"]),
        ({"reason": "confusion"}, []),
    ],
)
async def test_each_filter_finds_what_fits_it(db: Database, past: Past, wanted: dict, whose: list[str]) -> None:
    found = await look(db, **wanted)
    assert [e.conversation_id for e in found] == [getattr(past, name) for name in whose]


async def test_the_second_escalation_of_a_conversation_has_an_outcome_of_its_own(db: Database) -> None:
    twice = hand_off(opened())
    twice.take(ALICE.id, ALICE.name, START)
    twice.return_to_bot(ALICE.id, ALICE.name, START)
    hand_off(twice, START + timedelta(hours=1), reason="safety")
    await keep(db, twice)
    newest, oldest = await look(db)
    assert (newest.outcome, newest.agent_id) == (Outcome.WAITING, None)
    assert (oldest.outcome, oldest.agent_id) == (Outcome.RETURNED, ALICE.id)


async def test_what_happens_after_it_was_resolved_is_not_its_outcome(db: Database) -> None:
    closed = hand_off(opened())
    closed.take(ALICE.id, ALICE.name, START)
    closed.resolve(ALICE.id, ALICE.name, START)
    closed.receive("again", "c2", START)
    closed.take(BOB.id, BOB.name, START)
    await keep(db, closed)
    [found] = await look(db)
    assert (found.outcome, found.agent_id) == (Outcome.RESOLVED, ALICE.id)


async def test_released_means_waiting_again_and_the_first_take_counts_for_the_wait(db: Database) -> None:
    passed_on = hand_off(opened())
    passed_on.take(ALICE.id, ALICE.name, START + timedelta(minutes=1))
    passed_on.release(ALICE.id, ALICE.name, START + timedelta(minutes=2), queue_rank=0)
    conversation = await keep(db, passed_on)
    [found] = await look(db)
    assert found.outcome is Outcome.WAITING
    conversation.take(BOB.id, BOB.name, START + timedelta(minutes=9))
    async with db.unit_of_work() as work:
        await store.save(work.conn, conversation)
    [found] = await look(db)
    assert (found.outcome, found.agent_id) == (Outcome.WITH_AGENT, BOB.id)
    assert found.taken_at == START + timedelta(minutes=1)


async def test_a_verdict_is_kept_with_its_note(db: Database, past: Past) -> None:
    [escalation] = await look(db, reason="safety")
    await judge(db, escalation, Verdict.TOO_LATE, "should have come two messages before")
    [found] = await look(db, reason="safety")
    assert (found.verdict, found.note) == (Verdict.TOO_LATE, "should have come two messages before")


async def test_a_later_verdict_replaces_the_first(db: Database, past: Past) -> None:
    [escalation] = await look(db, reason="safety")
    await judge(db, escalation, Verdict.TOO_EARLY, "hm")
    await judge(db, escalation, Verdict.RIGHT)
    found = await look(db)
    assert [(e.verdict, e.note) for e in found if e.verdict] == [(Verdict.RIGHT, "")]


async def test_escalations_can_be_found_by_verdict_and_by_having_none(db: Database, past: Past) -> None:
    [escalation] = await look(db, reason="safety")
    await judge(db, escalation, Verdict.NOT_NEEDED)
    assert [e.conversation_id for e in await look(db, verdict="not_needed")] == [past.returned]
    assert past.returned not in [e.conversation_id for e in await look(db, verdict="none")]
    assert len(await look(db, verdict="none")) == 3


async def test_only_an_escalation_can_be_judged(db: Database, past: Past) -> None:
    for conversation_id, seq in ((past.never, 1), (past.waiting, 999), ("nobody", 1)):
        async with db.unit_of_work() as work:
            with pytest.raises(NotFound):
                await review.give_verdict(work.conn, conversation_id, seq, Verdict.RIGHT, "", OLGA.id, START)


async def test_the_limit_holds(db: Database, past: Past) -> None:
    async with db.read() as conn:
        assert len(await review.escalations(conn, Filters(), limit=2)) == 2
