"""The desk through its doors, on both databases: offers and their deadlines, pulling, breaks, transfers, vanishing."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.deskwork import OFFER_LASTS, TRANSFER_LASTS, DeskWork
from app.worker import utc_now
from conversations import store
from conversations.conversation import Conversation
from handoff.desk import VANISHED_AFTER, people
from handoff.policy import Evidence
from tests.app.conftest import Desk
from tests.conftest import ALICE, BOB, Person
from tests.serving import Chat, history, open_chat, transcript, words


class Shift:
    """The desk's own work at a time that a test chooses, and the people at it."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.later = desk, timedelta()
        self.work = self.restarted()

    def restarted(self) -> DeskWork:
        return DeskWork(self.desk.db, self.desk.house.shops, lambda: utc_now() + self.later)

    async def after(self, delta: timedelta = timedelta(), *, seen: tuple[Person, ...] = ()) -> None:
        """Look at the desk when ``delta`` more has passed; ``seen`` have their consoles open then."""
        self.later += delta
        for person in seen:
            async with self.desk.db.unit_of_work() as work:
                await people.seen(work.conn, person.id, utc_now() + self.later)
        await self.work.look()

    async def waiting(self, name: str = "Cora", heavy: float = 0.0) -> Chat:
        """A customer who has asked for a person."""
        chat = await open_chat(self.desk.db, name)
        if heavy:
            async with self.desk.db.unit_of_work() as work:
                conversation = await store.load(work.conn, chat.id, lock=True)
                conversation.weigh({"states": {"frustrated": heavy}, "flagged": []}, utc_now())
                await store.save(work.conn, conversation)
        answer = await self.desk.http.put(f"{chat.path}/handoff", headers=chat.headers)
        assert answer.status_code == 200
        return chat

    async def get(self, who: dict[str, str], path: str = "/api/desk") -> Any:
        return (await self.desk.http.get(path, headers=who)).json()

    async def answer(self, who: dict[str, str], chat: Chat, accept: bool) -> httpx.Response:
        path = f"{self.desk.conversation(chat)}/desk-offer"
        return await self.desk.http.put(path, json={"accept": accept}, headers=who)

    async def put(self, who: dict[str, str], path: str, **body: Any) -> httpx.Response:
        return await self.desk.http.put(path, json=body, headers=who)

    async def state(self, chat: Chat) -> Conversation:
        async with self.desk.db.read() as conn:
            return await store.load(conn, chat.id)

    async def kinds(self, chat: Chat) -> list[str]:
        return [event.kind.value for event, _ in await history(self.desk.db, chat)]

    async def lines(self, chat: Chat) -> list[str]:
        return [m.text for m in await transcript(self.desk.db, chat) if m.author == "system"]


@pytest.fixture
def shift(any_desk: Desk) -> Shift:
    return Shift(any_desk)


async def test_an_offer_accepted_by_its_button_keeps_why_it_was_made(shift: Shift) -> None:
    chat = await open_chat(shift.desk.db, "Cora")
    why = vars(Evidence("need", 0.7, 0.5, "Taken together, a person is needed", "m"))
    async with shift.desk.db.unit_of_work() as work:
        conversation = await store.load(work.conn, chat.id, lock=True)
        conversation.offer_person("confusion", [{**why, "text": "an older one"}], utc_now())
        conversation.decline_offer(utc_now())
        conversation.offer_person("stakes", [why], utc_now())
        await store.save(work.conn, conversation)
    for _ in range(2):
        answer = await shift.desk.http.put(f"{chat.path}/offer", json={"accept": True}, headers=chat.headers)
        assert answer.json()["status"] == "waiting"
    (handoff,) = [e for e, _ in await history(shift.desk.db, chat) if e.kind == "handoff_requested"]
    assert (handoff.payload["reason"], handoff.payload["decided_by"]) == ("stakes", "customer")
    assert handoff.payload["evidence"][1:] == [why]


async def test_a_waiting_chat_is_offered_to_one_who_is_there_with_its_deadline(shift: Shift) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE,))
    alice, bob = await shift.get(shift.desk.alice), await shift.get(shift.desk.bob)
    assert [card["id"] for card in alice["offered"]] == [chat.id]
    assert alice["offered"][0]["offer_expires_at"]
    assert bob["offered"] == []
    assert [(a["name"], a["held"], a["heavy"]) for a in bob["agents"]] == [("Alice", 0, False)]


async def test_an_offer_that_is_accepted_is_theirs_and_one_that_is_declined_moves_on(shift: Shift) -> None:
    one, two = await shift.waiting("Cora"), await shift.waiting("Dora")
    await shift.after(seen=(ALICE, BOB))
    offered = {(await shift.state(c)).offered_to: c for c in (one, two)}
    assert set(offered) == {ALICE.id, BOB.id}
    assert (await shift.answer(shift.desk.bob, offered[BOB.id], False)).status_code == 204
    accepted = await shift.answer(shift.desk.alice, offered[ALICE.id], True)
    assert (accepted.status_code, accepted.json()["assignee_id"]) == (200, ALICE.id)
    await shift.after()
    assert (await shift.state(offered[BOB.id])).offered_to == ALICE.id
    assert (await shift.kinds(offered[BOB.id])).count("desk_offer_declined") == 1


async def test_declining_costs_nothing(shift: Shift) -> None:
    chat = await shift.waiting(heavy=0.9)
    before = await shift.get(shift.desk.alice, "/api/me")
    await shift.after(seen=(ALICE,))
    await shift.answer(shift.desk.alice, chat, False)
    after = await shift.get(shift.desk.alice, "/api/me")
    assert after == before
    other = await shift.waiting("Dora")
    await shift.after()
    assert (await shift.state(other)).offered_to == ALICE.id


async def test_an_offer_that_nobody_answers_moves_on_and_says_so_even_after_a_restart(shift: Shift) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE,))
    shift.work = shift.restarted()
    await shift.after(OFFER_LASTS - timedelta(seconds=5), seen=(ALICE, BOB))
    assert (await shift.state(chat)).offered_to == ALICE.id
    await shift.after(timedelta(seconds=6))
    assert (await shift.state(chat)).offered_to == BOB.id
    told = [e.payload for e, _ in await history(shift.desk.db, chat) if e.kind == "desk_offer_declined"]
    assert [(p["agent_name"], p["why"]) for p in told] == [("Alice", "expired")]
    late = await shift.answer(shift.desk.alice, chat, True)
    assert (late.status_code, late.json()["code"]) == (409, "not_offered")


async def test_a_chat_that_is_offered_to_one_may_be_taken_by_another_and_is_theirs(shift: Shift) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE, BOB))
    taker, other = (BOB, "alice") if (await shift.state(chat)).offered_to == ALICE.id else (ALICE, "bob")
    headers = shift.desk.bob if taker is BOB else shift.desk.alice
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=headers)
    assert (await shift.answer(getattr(shift.desk, other), chat, True)).status_code == 409
    assert (await shift.state(chat)).assignee_id == taker.id
    assert (await shift.state(chat)).offered_to is None


async def test_nobody_is_offered_more_than_their_capacity(shift: Shift) -> None:
    await shift.put(shift.desk.alice, "/api/me", capacity=2)
    chats = [await shift.waiting(f"Cora {i}") for i in range(4)]
    await shift.after(seen=(ALICE,))
    assert [(await shift.state(c)).offered_to for c in chats].count(ALICE.id) == 2


@pytest.mark.parametrize("status", ["away", "leaving"])
async def test_who_is_on_a_break_or_leaving_is_offered_nothing_and_passes_on_what_was(
    shift: Shift, status: str
) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE,))
    changed = await shift.put(shift.desk.alice, "/api/me", status=status)
    assert (changed.json()["status"], changed.json()["load"]) == (status, 0)
    assert (await shift.state(chat)).offered_to is None
    await shift.after(seen=(ALICE,))
    assert (await shift.state(chat)).offered_to is None
    await shift.put(shift.desk.alice, "/api/me", status="here")
    other = await shift.waiting("Dora")
    await shift.after()
    assert (await shift.state(other)).offered_to == ALICE.id


async def test_next_gives_the_most_urgent_and_then_nothing(shift: Shift) -> None:
    calm, upset = await shift.waiting("Cora"), await shift.waiting("Dora", heavy=0.9)
    got = [await shift.desk.http.post("/api/desk/next", headers=shift.desk.alice) for _ in range(3)]
    assert [answer.status_code for answer in got] == [200, 200, 204]
    assert [answer.json()["id"] for answer in got[:2]] == [upset.id, calm.id]
    assert (await shift.get(shift.desk.alice, "/api/me"))["held"] == 2


async def test_an_agent_who_vanishes_gives_the_chat_back_and_the_customer_is_told(shift: Shift) -> None:
    chat = await shift.waiting()
    rank = (await shift.state(chat)).queue_rank
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    await shift.after(VANISHED_AFTER - timedelta(seconds=10))
    assert (await shift.state(chat)).assignee_id == ALICE.id
    shift.work = shift.restarted()
    await shift.after(timedelta(seconds=20))
    await shift.after()
    now = await shift.state(chat)
    assert (now.status, now.queue_rank, now.returned_reason) == ("waiting", rank, "vanished")
    assert sum("lost touch with Alice" in line for line in await shift.lines(chat)) == 1
    assert (await shift.kinds(chat)).count("returned_to_queue") == 1
    assert (await shift.get(shift.desk.bob))["waiting"][0]["returned_reason"] == "vanished"


async def test_who_is_still_there_keeps_the_chat(shift: Shift) -> None:
    chat = await shift.waiting()
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    await shift.after(VANISHED_AFTER * 2, seen=(ALICE,))
    assert (await shift.state(chat)).assignee_id == ALICE.id


async def test_a_wait_longer_than_was_said_is_admitted_once(shift: Shift) -> None:
    await shift.after(seen=(ALICE,))
    await shift.put(shift.desk.alice, "/api/me", capacity=1)
    chat = await shift.waiting()
    promised = (await shift.state(chat)).promised_until
    assert promised is not None
    await shift.put(shift.desk.alice, "/api/me", status="away")
    await shift.after(promised - utc_now() - timedelta(seconds=5), seen=(ALICE,))
    before = await shift.lines(chat)
    for _ in range(3):
        shift.work = shift.restarted()
        await shift.after(timedelta(seconds=10))
    said = (await shift.lines(chat))[len(before) :]
    assert len(said) == 1
    assert "longer than we said" in said[0]
    assert "You need not stay here" in said[0]


async def test_a_transfer_is_offered_to_the_colleague_with_the_note_and_theirs_when_they_accept(shift: Shift) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE, BOB))
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    path = shift.desk.conversation(chat) + "/transfer"
    answer = await shift.put(shift.desk.alice, path, to_agent=BOB.id, note="knows about jugs")
    assert answer.status_code == 200, answer.text
    moved = next(e.payload for e, _ in await history(shift.desk.db, chat) if e.kind == "transferred")
    notes = [m for m in await transcript(shift.desk.db, chat) if m.visibility == "internal"]
    assert (moved["to_agent_name"], moved["note_id"]) == ("Bob", notes[0].id)
    public = (await shift.desk.http.get(chat.path, headers=chat.headers)).json()["messages"]
    assert "knows about jugs" not in [m["text"] for m in public]
    assert "Alice has asked Bob" in public[-1]["text"]
    assert (await shift.answer(shift.desk.bob, chat, True)).json()["assignee_id"] == BOB.id


@pytest.mark.parametrize("how", ["expires", "is declined"])
async def test_a_transfer_that_is_not_taken_goes_back_to_the_queue_and_the_customer_is_told(
    shift: Shift, how: str
) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE, BOB))
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    await shift.put(shift.desk.alice, shift.desk.conversation(chat) + "/transfer", to_agent=BOB.id)
    if how == "is declined":
        await shift.answer(shift.desk.bob, chat, False)
    else:
        await shift.after(TRANSFER_LASTS + timedelta(seconds=1), seen=(ALICE, BOB))
    now = await shift.state(chat)
    assert (now.status, now.transfer, now.returned_reason) == ("waiting", False, "transfer_not_taken")
    assert "Bob could not join" in (await shift.lines(chat))[-1]
    assert (await shift.kinds(chat)).count("returned_to_queue") == 1


async def test_a_transfer_to_a_skill_is_offered_to_whoever_has_it(shift: Shift) -> None:
    await shift.put(shift.desk.bob, "/api/me", skills=["returns"])
    chat = await shift.waiting()
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    await shift.put(shift.desk.alice, shift.desk.conversation(chat) + "/transfer", to_skill="returns")
    await shift.after(seen=(ALICE, BOB))
    now = await shift.state(chat)
    assert (now.skill, now.offered_to) == ("returns", BOB.id)


async def test_a_skill_can_be_asked_for_when_nobody_who_has_it_is_here(shift: Shift) -> None:
    await shift.put(shift.desk.bob, "/api/me", skills=["returns", "lenses"])
    await shift.after(timedelta(hours=30), seen=(ALICE,))
    desk = await shift.get(shift.desk.alice)
    assert desk["skills"] == ["lenses", "returns"]


async def test_a_transfer_needs_the_assignee_and_a_colleague_who_is_there(shift: Shift) -> None:
    chat = await shift.waiting()
    path = shift.desk.conversation(chat) + "/transfer"
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    codes = [
        (await shift.put(who, path, **body)).json()["code"]
        for who, body in (
            (shift.desk.alice, {"to_agent": BOB.id}), (shift.desk.alice, {"to_agent": "nobody"}),
            (shift.desk.alice, {"to_agent": ALICE.id}), (shift.desk.alice, {}), (shift.desk.bob, {"to_skill": "x"}),
        )
    ]  # fmt: skip
    assert codes == ["not_at_desk", "no_such_agent", "bad_transfer", "bad_shape", "not_assignee"]
    assert (await shift.state(chat)).assignee_id == ALICE.id


async def test_who_comes_back_within_the_hour_is_offered_first_to_whoever_had_them(shift: Shift) -> None:
    chat = await shift.waiting()
    await shift.after(seen=(ALICE, BOB))
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.bob)
    await shift.put(shift.desk.bob, shift.desk.conversation(chat) + "/status", status="resolved")
    await shift.desk.http.post(f"{chat.path}/messages", json=words("it broke again"), headers=chat.headers)
    assert (await shift.state(chat)).status == "bot"
    await shift.desk.http.put(f"{chat.path}/handoff", headers=chat.headers)
    await shift.after()
    assert (await shift.state(chat)).offered_to == BOB.id


async def test_what_one_has_carried_today_is_told_to_them_alone(shift: Shift) -> None:
    chat = await shift.waiting(heavy=0.9)
    await shift.desk.http.put(shift.desk.conversation(chat) + "/assignee", headers=shift.desk.alice)
    await shift.put(shift.desk.alice, shift.desk.conversation(chat) + "/status", status="resolved")
    mine = await shift.get(shift.desk.alice, "/api/me")
    assert (mine["day"]["chats"], mine["held"], mine["pause_advised"]) == (1, 0, False)
    assert mine["day"]["since"]
    assert "load" not in (await shift.get(shift.desk.bob))["agents"][0]


async def test_the_customers_language_is_the_browsers_first_that_the_shop_speaks(shift: Shift) -> None:
    headers = {"Accept-Language": "fr-FR,en;q=0.8"}
    opened = await shift.desk.http.post("/api/chat/conversations", json={"shop": "hazel-and-finch"}, headers=headers)
    async with shift.desk.db.read() as conn:
        assert (await store.load(conn, opened.json()["conversation"]["id"])).language == "en"
