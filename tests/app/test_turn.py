"""One bot turn: what is said for what was understood, and when nothing is said."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.db import Database
from app.doorbell import Doorbell
from app.inference import Inference
from app.live import MemoryLive
from app.shop import load_shop
from app.shopfront import Shopfront, Shops
from app.turn import BotTurn
from app.worker import utc_now
from conversations import store
from conversations.conversation import Conversation, Message
from conversations.voice.voice import Voice
from handoff.capacity import Capacity
from handoff.desk.order import URGENCY
from handoff.policy import Rules
from models.base import Match, Outcome, Reading
from tests.app.scripted import OKAY, THANKS, UNKNOWN, ScriptedMatcher, ScriptedReader, found, mood
from tests.conftest import ALICE, BOB
from tests.serving import SMALL_SHOP, Chat, history, open_chat, transcript

RULES = Rules(
    weights={
        "frustration_now": 2.5, "frustration_level": 2.0, "frustrated_turns": 0.5, "confused_turns": 2.0,
        "worry_at_stake": 8.0, "repeats": 4.0, "unhelped": 2.0, "misses": 2.0,
    },
    bias=-4.0, offer_at=0.5, first_offer_at=0.3, handoff_at=0.85, urgent_at=0.99,
)  # fmt: skip
"""Rules of these tests: the fitted ones change with every model."""


@dataclass
class Table:
    """Cora's conversation, with a reader and a matcher that do as they are told."""

    db: Database
    chat: Chat
    reader: ScriptedReader
    matcher: ScriptedMatcher
    room: Capacity = Capacity.FREE
    """What the desk has room for."""
    turn: BotTurn = field(init=False)

    async def desk(self, *_: Any) -> Capacity:
        """The desk as the test says it is."""
        return self.room

    async def do(self, act: Callable[[Conversation], Any]) -> None:
        """One verb in a transaction of its own."""
        async with self.db.unit_of_work() as work:
            conversation = await store.load(work.conn, self.chat.id, lock=True)
            act(conversation)
            await store.save(work.conn, conversation)

    async def write(self, text: str, reading: Reading | None = None, match: Match | None = None) -> None:
        """Cora writes, and is understood like this."""
        if reading:
            self.reader.moods[text] = reading
        if match:
            self.matcher.matches[text] = match
        await self.do(lambda c: c.receive(text, f"message-{c.last_seq:04d}", utc_now()))

    async def hear(self, text: str, reading: Reading | None = None, match: Match | None = None) -> Message:
        """Cora writes and the bot takes its turn; its answer."""
        await self.write(text, reading, match)
        await self.turn.take(self.chat.id)
        return (await self.said("bot"))[-1]

    async def state(self) -> Conversation:
        async with self.db.read() as conn:
            return await store.load(conn, self.chat.id)

    async def said(self, author: str) -> list[Message]:
        return [m for m in await transcript(self.db, self.chat) if m.author == author]

    async def kinds(self) -> list[str]:
        return [event.kind.value for event, _ in await history(self.db, self.chat)]


@pytest.fixture
async def table(sqlite_file: Path) -> AsyncIterator[Table]:
    db = Database(f"sqlite+aiosqlite:///{sqlite_file}", MemoryLive())
    reader, matcher = ScriptedReader(), ScriptedMatcher()
    shop = load_shop(SMALL_SHOP)
    inference = Inference(reader, None, timeout=30)
    table = Table(db, await open_chat(db, "Cora"), reader, matcher)
    shops, bell = Shops([Shopfront(shop, matcher, Voice(mail=True), RULES)]), Doorbell(db.live, timedelta(seconds=20))
    table.turn = BotTurn(db, inference, shops, utc_now, bell, table.desk)
    yield table
    reader.let_go()
    inference.close()
    await db.close()


async def test_a_question_is_answered_with_the_shops_words_its_link_and_what_may_follow(table: Table) -> None:
    answer = await table.hear("where is my parcel?")
    assert "tracking link" in answer.text
    assert answer.extra["link"]["url"] == "/shop/track"
    assert answer.extra["buttons"] == [{"kind": "ask", "label": "Why is my delivery late?"}]


async def test_several_questions_in_one_message_get_several_answers(table: Table) -> None:
    both = replace(found("track-order"), also=(found("gift-wrap"),))
    answer = await table.hear("where is my parcel? and do you wrap gifts?", match=both)
    assert "tracking link" in answer.text
    assert "Do you wrap gifts? Yes, for two pounds." in answer.text
    assert answer.extra["also"] == ["gift-wrap"]


async def test_after_an_answer_nothing_is_due(table: Table) -> None:
    await table.hear("where is my parcel?")
    assert (await table.state()).due_at is None


async def test_a_turn_keeps_its_reading_and_its_decision(table: Table) -> None:
    await table.hear("where is my parcel?", mood("worried"))
    assert (await table.said("customer"))[-1].reading["state"] == "worried"  # type: ignore[index]
    assert (await table.kinds())[-3:] == ["message_read", "turn_decided", "message_posted"]


async def test_an_unclear_question_is_asked_back_with_the_choices(table: Table) -> None:
    answer = await table.hear("it", match=found("track-order", "late-delivery", outcome=Outcome.CLARIFY))
    assert answer.extra["act"] == "clarify"
    assert [b["label"] for b in answer.extra["buttons"]] == ["Where is my parcel?", "Why is my delivery late?"]


async def test_what_is_not_known_is_said_and_a_person_is_one_press_away(table: Table) -> None:
    answer = await table.hear("do you sell goats?", match=UNKNOWN)
    assert answer.extra["act"] == "unknown"
    assert answer.extra["buttons"][0]["kind"] == "accept"


async def test_yes_to_the_question_whether_a_person_shall_join_brings_one(table: Table) -> None:
    """The bot asked "Shall I ask one to join?"; a typed yes is as good as the button."""
    answer = await table.hear("do you sell goats?", match=UNKNOWN)
    assert "Shall I ask one to join" in answer.text
    await table.hear("yes please", match=OKAY)
    assert (await table.state()).status == "waiting"


async def test_small_talk_is_answered_in_kind(table: Table) -> None:
    assert "welcome" in (await table.hear("thanks!", match=THANKS)).text


async def test_a_frustrated_customer_is_offered_a_person_beside_the_answer(table: Table) -> None:
    answer = await table.hear("where IS it", mood("frustrated"))
    assert [b["kind"] for b in answer.extra["buttons"]] == ["accept", "decline"]
    assert "tracking link" in answer.text
    assert (await table.state()).offer_open


@pytest.mark.parametrize(
    ("room", "label", "said"),
    [
        (Capacity.FULL, "Wait for a person", "long wait"),
        (Capacity.CLOSED, "Keep a place for me", "nobody is at the desk"),
    ],
)
async def test_without_room_at_the_desk_it_is_said_and_an_e_mail_can_be_left(
    table: Table, room: Capacity, label: str, said: str
) -> None:
    table.room = room
    answer = await table.hear("where IS it", mood("frustrated"))
    assert said in answer.text
    assert [(b["kind"], b["label"]) for b in answer.extra["buttons"]][:2] == [
        ("accept", label),
        ("email", "Leave my e-mail"),
    ]


async def test_a_full_desk_offers_what_a_free_one_would_have_called(table: Table) -> None:
    table.room = Capacity.FULL
    for text, reading, match in HANDOFFS["confusion"]:
        await table.hear(text, reading, match)
    state = await table.state()
    assert (state.status, state.offer_open) == ("bot", True)


async def test_a_request_is_put_in_the_queue_of_a_full_desk_too(table: Table) -> None:
    table.room = Capacity.FULL
    await table.hear("a person please", mood(flag="asked_for_human"))
    assert (await table.state()).status == "waiting"


async def test_a_language_the_shop_does_not_speak_is_met_in_that_language_with_an_offer(table: Table) -> None:
    answer = await table.hear("Wo ist mein Paket, ich warte schon seit einer Woche?", mood(), UNKNOWN)
    assert "nur auf Englisch" in answer.text
    state = await table.state()
    assert (state.offer_open, state.language) == (True, "de")


async def test_a_turn_keeps_the_signals_it_saw(table: Table) -> None:
    await table.hear("where IS it", mood("frustrated"))
    decided = next(e for e, _ in await history(table.db, table.chat) if e.kind == "turn_decided")
    assert decided.payload["signals"]["frustration_now"] == pytest.approx(0.9, abs=0.1)


HANDOFFS: dict[str, list[tuple[str, Reading, Match]]] = {
    "asked": [("a person please", mood(flag="asked_for_human"), UNKNOWN)],
    "safety": [("it is on fire", mood(flag="safety"), UNKNOWN)],
    "abuse": [("you idiots", mood(flag="abusive"), UNKNOWN)],
    "frustration": [("still late", mood("frustrated"), found("track-order")), ("AGAIN", mood("frustrated"), UNKNOWN)],
    "stakes": [
        ("where is my insulin", mood(), found("track-order")),
        ("it is late and I need it", mood("worried"), found("late-delivery")),
    ],
    "confusion": [(t, mood("confused", 0.55), THANKS) for t in ("what", "what now", "what then")],
    "repeat": [("where is it", mood(), found("track-order"))] * 3,
    "unhelped": [
        ("one", mood(), found("track-order")),
        ("two", mood("frustrated", 0.55), found("late-delivery")),
        ("three", mood("frustrated", 0.55), found("how-to-return")),
    ],
}


@pytest.mark.parametrize("reason", HANDOFFS)
async def test_a_person_is_called_for_every_grave_reason_with_its_evidence(table: Table, reason: str) -> None:
    for text, reading, match in HANDOFFS[reason]:
        await table.hear(text, reading, match)
    assert ((await table.state()).status, (await table.state()).handoff_reason) == ("waiting", reason)
    handoff = next(e for e, _ in await history(table.db, table.chat) if e.kind == "handoff_requested")
    last = (await table.said("customer"))[-1]
    assert handoff.payload["evidence"]
    assert {e["message_id"] for e in handoff.payload["evidence"]} == {last.id}


async def test_a_handoff_ends_with_a_line_that_says_what_happens_next(table: Table) -> None:
    await table.hear("a person please", mood(flag="asked_for_human"))
    line = (await table.said("system"))[-1]
    assert line.extra["promise"] is True
    assert "person will read" in line.text


async def test_danger_is_met_with_the_shops_emergency_words(table: Table) -> None:
    assert "999" in (await table.hear("it is on fire", mood(flag="safety"))).text


@pytest.mark.parametrize("yes", ["yes please", "Yes!", "ok", "sure, please"])
async def test_yes_to_an_open_offer_hands_over(table: Table, yes: str) -> None:
    await table.hear("where IS it", mood("frustrated"))
    await table.hear(yes, match=OKAY)
    assert (await table.state()).status == "waiting"


async def test_an_accepted_offer_keeps_why_it_was_made(table: Table) -> None:
    """The agent reads what had gone wrong, and the queue weighs it, not only that the customer said yes."""
    await table.hear("where IS it", mood("frustrated"))
    await table.hear("yes please", match=OKAY)
    kinds = ("person_offered", "handoff_requested")
    offer, handoff = [e for e, _ in await history(table.db, table.chat) if e.kind in kinds]
    assert handoff.payload["reason"] == offer.payload["reason"] == "frustration"
    assert handoff.payload["evidence"][0]["signal"] == "offer_accepted"
    assert handoff.payload["evidence"][1:] == offer.payload["evidence"]
    assert handoff.payload["urgency"] >= URGENCY["frustration"]


async def test_yes_without_an_offer_is_small_talk(table: Table) -> None:
    await table.hear("yes please", match=OKAY)
    assert (await table.state()).status == "bot"


@pytest.mark.parametrize("no", ["no", "no thanks", "ok, no thanks"])
async def test_no_to_an_offer_calls_nobody_and_closes_it(table: Table, no: str) -> None:
    await table.hear("where IS it", mood("frustrated"))
    await table.hear(no, match=OKAY)
    state = await table.state()
    assert (state.status, state.offer_open) == ("bot", False)
    assert "offer_declined" in await table.kinds()


OFFERS: dict[str, list[tuple[str, Reading, Match]]] = {
    "frustration": [("where IS it", mood("frustrated"), found("track-order"))],
    "repeat": [("where is it", mood(), found("track-order"))] * 2,
    "confusion": [(t, mood("confused", 0.55), THANKS) for t in ("what", "what now")],
    "unhelped": [("one", mood(), found("track-order")), ("two", mood("frustrated", 0.55), found("late-delivery"))],
    "unknown": [("goats?", mood(), UNKNOWN), ("llamas?", mood(), UNKNOWN)],
}


@pytest.mark.parametrize("reason", OFFERS)
async def test_a_no_to_an_offer_is_not_answered_with_the_same_offer(table: Table, reason: str) -> None:
    for text, reading, match in OFFERS[reason]:
        await table.hear(text, reading, match)
    assert (await table.state()).offer_open
    answer = await table.hear("no thanks", match=OKAY)
    assert answer.extra["act"] != "offer"
    assert not (await table.state()).offer_open


async def test_after_a_no_the_same_mood_is_not_offered_a_person_again(table: Table) -> None:
    await table.hear("where IS it", mood("frustrated", 0.65))
    await table.hear("no", match=OKAY)
    assert (await table.hear("and returns?", mood("frustrated", 0.62))).extra["act"] == "answer"


async def test_after_a_no_things_that_get_worse_are_offered_a_person_again(table: Table) -> None:
    await table.hear("where IS it", mood("frustrated", 0.62))
    await table.hear("no", match=OKAY)
    await table.hear("this is hopeless", mood("frustrated", 0.95))
    assert (await table.state()).status == "waiting" or (await table.state()).offer_open


async def test_old_trouble_does_not_call_a_person_after_the_return_to_the_bot(table: Table) -> None:
    for text, reading, match in HANDOFFS["frustration"]:
        await table.hear(text, reading, match)
    await table.do(lambda c: c.take(ALICE.id, ALICE.name, utc_now()))
    await table.do(lambda c: c.return_to_bot(ALICE.id, ALICE.name, utc_now()))
    answer = await table.hear("and how do returns work?", match=found("how-to-return"))
    assert answer.extra["act"] == "answer"
    assert (await table.state()).status == "bot"


async def test_a_reopened_conversation_starts_afresh(table: Table) -> None:
    for text, reading, match in HANDOFFS["frustration"]:
        await table.hear(text, reading, match)
    await table.do(lambda c: c.resolve(BOB.id, BOB.name, utc_now()))
    assert (await table.hear("one more thing", match=found("gift-wrap"))).extra["act"] == "answer"
    assert "reopened" in await table.kinds()
