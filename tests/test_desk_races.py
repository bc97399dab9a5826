"""The desk under races: many who pull at once, and people, deadlines, bot and restarts in any order."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.db import Database
from app.deskwork import TRANSFER_LASTS, DeskWork, say_not_transferred
from app.live import MemoryLive
from app.migrate import migrate
from app.shop import load_shop
from app.shopfront import Shopfront, Shops
from conversations import store
from conversations.conversation import Conversation
from conversations.errors import ConflictError, ConversationError
from conversations.events import Kind
from conversations.lifecycle import Status
from conversations.tables import metadata
from conversations.voice.voice import Voice
from handoff.desk import VANISHED_AFTER, people
from tests.app.scripted import ScriptedMatcher
from tests.app.test_turn import RULES
from tests.conftest import ALICE, BOB, START, Clock, Person
from tests.serving import SHOP, SMALL_SHOP, browser, hire, open_chat, serving, session, settings_for

CHANGES_HANDS = (
    Kind.HANDOFF_REQUESTED, Kind.TAKEN, Kind.RELEASED, Kind.TRANSFERRED, Kind.RETURNED_TO_BOT, Kind.RETURNED_TO_QUEUE,
    Kind.RESOLVED, Kind.REOPENED, Kind.DESK_OFFERED, Kind.DESK_OFFER_DECLINED,
)  # fmt: skip
TEAM = [Person(f"{i:032x}", f"Agent {i}", f"agent{i}@shop.example", "agent") for i in range(50)]


@pytest.fixture
async def bare(database_url: str) -> AsyncIterator[Database]:
    migrate(database_url)
    database = Database(database_url, MemoryLive())
    yield database
    await database.close()


async def test_50_agents_who_pull_200_chats_at_once_have_each_exactly_once(
    tmp_path: Path, database_url: str, bare: Database
) -> None:
    settings_ = settings_for(tmp_path, database_url, run_worker=False)
    await hire(bare, *TEAM)
    staff = [await session(bare, person) for person in TEAM]
    for _ in range(200):
        chat = await open_chat(bare)
        async with bare.unit_of_work() as work:
            conversation = await store.load(work.conn, chat.id)
            ask(conversation)
            await store.save(work.conn, conversation)
    async with serving(settings_) as url, browser(url) as http:

        async def pull(headers: dict[str, str]) -> list[str]:
            got = []
            while (answer := await http.post("/api/desk/next", headers=headers)).status_code == 200:
                got.append(answer.json()["id"])
            assert answer.status_code == 204, answer.text
            return got

        claimed = [i for one in await asyncio.gather(*map(pull, staff)) for i in one]
    assert (len(claimed), max(Counter(claimed).values())) == (200, 1)
    async with bare.read() as conn:
        held = await store.with_agents(conn)
    assert sorted(c.id for c in held) == sorted(claimed)


def ask(conversation: Conversation) -> None:
    conversation.request_handoff("asked", [], START, queue_rank=1.0, urgency=0.3, decided_by="customer")


class AtTheDesk(RuleBasedStateMachine):
    """One conversation on a real database; every rule is a transaction, as an endpoint or a loop would do it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, url: str) -> None:
        super().__init__()
        self._loop, self._url = loop, url
        self.clock, self.read_at_turn = Clock(), None
        self.count, self.lines_read = 0, 0
        self.stands: tuple[Any, ...] = (Status.BOT, None, None)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)

    @initialize()
    def open(self) -> None:
        self.shops = Shops([Shopfront(load_shop(SMALL_SHOP), ScriptedMatcher(), Voice(), RULES)])
        self.start()
        conversation = Conversation.open(SHOP, self.clock())
        self.id = conversation.id

        async def begin() -> None:
            async with self.db.unit_of_work() as work:
                await store.insert(work.conn, conversation)
                for person in (ALICE, BOB):
                    await people.seen(work.conn, person.id, self.clock())

        self.do(begin())

    def start(self) -> None:
        self.db = Database(self._url, MemoryLive())
        self.work = DeskWork(self.db, self.shops, self.clock)

    def verb(self, act: Callable[[Conversation], Any], seen: Person | None = None) -> bool:
        """One verb in a transaction; whether it was allowed."""

        async def change() -> bool:
            try:
                async with self.db.unit_of_work() as work:
                    if seen:
                        await people.seen(work.conn, seen.id, self.clock())
                    conversation = await store.load(work.conn, self.id, lock=True)
                    act(conversation)
                    await store.save(work.conn, conversation)
            except ConversationError:
                return False
            return True

        return bool(self.do(change()))

    def name(self) -> str:
        self.count += 1
        return f"message-{self.count:05d}"

    @rule()
    def customer_writes(self) -> None:
        assert self.verb(lambda c: c.receive("hello?", self.name(), self.clock()))

    @rule()
    def customer_asks_for_a_person(self) -> None:
        def press(c: Conversation) -> None:
            if c.status == "resolved":
                c.reopen(self.clock())
            if c.status == "bot":
                c.request_handoff("asked", [], self.clock(), queue_rank=self.clock().timestamp(), urgency=0.3,
                                  decided_by="customer")  # fmt: skip
                c.promise(self.clock() + timedelta(minutes=2))

        self.verb(press)

    @rule()
    def bot_reads(self) -> None:
        async def load() -> Conversation:
            async with self.db.read() as conn:
                return await store.load(conn, self.id)

        self.read_at_turn = self.do(load())

    @precondition(lambda self: self.read_at_turn is not None)
    @rule(hands_over=st.booleans())
    def bot_writes_what_it_drafted(self, hands_over: bool) -> None:
        conversation, self.read_at_turn = self.read_at_turn, None

        async def write() -> None:
            async with self.db.unit_of_work() as work:
                conversation.say("Let me see", self.clock())
                if hands_over:
                    conversation.request_handoff("frustration", [], self.clock(), queue_rank=self.clock().timestamp(),
                                                 urgency=0.6, decided_by="policy")  # fmt: skip
                conversation.due_at = None
                await store.save(work.conn, conversation)

        with contextlib.suppress(ConflictError):  # the draft is dropped
            self.do(write())

    @rule(who=st.sampled_from((ALICE, BOB)))
    def agent_takes(self, who: Person) -> None:
        self.verb(lambda c: c.take(who.id, who.name, self.clock()), who)

    @rule(who=st.sampled_from((ALICE, BOB)))
    def agent_declines(self, who: Person) -> None:
        def decline(c: Conversation) -> None:
            was_transfer = c.transfer
            c.decline(who.id, who.name, self.clock())
            if was_transfer:
                say_not_transferred(c, self.shops, who.name, self.clock())

        self.verb(decline, who)

    @rule(who=st.sampled_from((ALICE, BOB)))
    def agent_replies(self, who: Person) -> None:
        self.verb(lambda c: c.reply(who.id, who.name, "Hello", self.name(), self.clock()), who)

    @rule(who=st.sampled_from((ALICE, BOB)), how=st.sampled_from(("release", "return", "resolve", "transfer", "skill")))
    def agent_lets_go(self, who: Person, how: str) -> None:
        at, to = self.clock(), BOB if who is ALICE else ALICE
        rank = at.timestamp()
        acts: dict[str, Callable[[Conversation], Any]] = {
            "release": lambda c: c.release(who.id, who.name, at, queue_rank=rank),
            "return": lambda c: c.return_to_bot(who.id, who.name, at),
            "resolve": lambda c: c.resolve(who.id, who.name, at),
            "transfer": lambda c: c.transfer_to_agent(
                who.id, who.name, to.id, to.name, None, at, queue_rank=rank, expires_at=at + TRANSFER_LASTS
            ),
            "skill": lambda c: c.transfer_to_skill(who.id, who.name, "returns", None, at, queue_rank=rank),
        }
        self.verb(acts[how], who)

    @rule(seconds=st.sampled_from((5, 30, 50, 100, 200)), seen=st.sets(st.sampled_from((ALICE, BOB))))
    def time_passes(self, seconds: int, seen: set[Person]) -> None:
        self.clock.step(seconds=seconds)

        async def heartbeat() -> None:
            async with self.db.unit_of_work() as work:
                for person in seen:
                    await people.seen(work.conn, person.id, self.clock())

        self.do(heartbeat())

    @rule()
    def the_service_restarts(self) -> None:
        self.do(self.db.close())
        self.start()

    @rule()
    def the_desk_is_looked_after(self) -> None:
        self.do(self.work.look())
        now, _ = self.told()
        assert now.offer_expires_at is None or now.offer_expires_at > self.clock(), "an offer's deadline was lost"
        assert now.promised_until is None or now.promised_until > self.clock(), "a promise's deadline was lost"
        if now.status == "with_agent":
            last = self.do(self.last_seen(now.assignee_id or ""))
            assert last is None or last >= self.clock() - VANISHED_AFTER, "who vanished still has it"

    @rule()
    def two_look_after_the_desk_at_once(self) -> None:
        other = DeskWork(self.db, self.shops, self.clock)

        async def both() -> None:
            await asyncio.gather(self.work.look(), other.look())

        self.do(both())

    async def last_seen(self, agent_id: str) -> Any:
        async with self.db.read() as conn:
            found = await people.find(conn, agent_id)
        return found and found.last_seen_at

    def told(self) -> tuple[Conversation, list[tuple[str, Any, Any]]]:
        async def read() -> tuple[Conversation, list[Any]]:
            async with self.db.read() as conn:
                events = await store.history(conn, self.id, limit=10_000)
                return await store.load(conn, self.id), [(e.kind.value, e.payload, m) for e, m in events]

        result: tuple[Conversation, list[tuple[str, Any, Any]]] = self.do(read())
        return result

    @invariant()
    def the_story_is_sound(self) -> None:
        """One owner always, no double handoff, no bot after a takeover, one offer at a time, each change told once."""
        if not hasattr(self, "id"):
            return
        now, events = self.told()
        owner, offered = "bot", None
        for kind, payload, message in events:
            match kind:
                case "handoff_requested":
                    assert owner == "bot", "a handoff happened twice"
                    owner = "queue"
                case "taken":
                    assert owner in ("bot", "queue"), "taken from somebody"
                    owner, offered = payload["agent_id"], None
                case "released" | "transferred":
                    assert owner == payload["agent_id"]
                    owner = "queue"
                case "returned_to_queue" if payload["why"] == "vanished":
                    assert owner == payload["agent_id"]
                    owner = "queue"
                case "returned_to_bot" | "resolved" | "reopened":
                    owner, offered = ("nobody" if kind == "resolved" else "bot"), None
                case "desk_offered":
                    assert owner == "queue"
                    assert offered is None, "offered to two at once"
                    offered = payload["agent_id"]
                case "desk_offer_declined":
                    assert offered == payload["agent_id"], "an offer ended twice"
                    offered = None
            if message and message.author == "bot":
                assert owner == "bot", "the bot spoke in somebody's conversation"
            if message and message.author == "agent" and message.visibility == "public":
                assert owner == message.author_id
        expected = {"bot": "bot", "queue": "waiting", "nobody": "resolved"}.get(owner, "with_agent")
        assert (now.status.value, now.offered_to) == (expected, offered)

    @invariant()
    def each_change_has_one_activity_line(self) -> None:
        """What a rule changed in the hands of the conversation stands in the transcript: each thing once."""
        if not hasattr(self, "id"):
            return
        now, events = self.told()
        new = Counter(kind for kind, _, _ in events[self.lines_read :] if kind in CHANGES_HANDS)
        stands = (now.status, now.assignee_id, now.offered_to)
        assert not new or max(new.values()) == 1, f"told twice: {new}"
        assert (stands == self.stands) or new, f"{self.stands} became {stands}, and no line says so"
        self.lines_read, self.stands = len(events), stands

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.do(self.db.close())


def test_whatever_happens_in_whatever_order_the_story_is_sound(database_url: str) -> None:
    migrate(database_url)

    async def only_accounts_exist() -> None:
        database = Database(database_url, MemoryLive())
        async with database.unit_of_work() as work:
            for table in reversed(metadata.sorted_tables):
                await work.conn.execute(table.delete())
        await hire(database, ALICE, BOB)
        await database.close()

    def machine() -> AtTheDesk:
        runner.run(only_accounts_exist())
        return AtTheDesk(runner.get_loop(), database_url)

    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )  # type: ignore[no-untyped-call]
