"""Server-sent events: wake, read what is new in a short session, send. Streams resume where the reader was.

Who may listen is settled in dependencies, before the response begins: an error after that would look like
an empty stream.
"""

import re
import time
from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app import accounts
from app.live import DESK, EVERYTHING, Subscription
from app.outbox import unseen
from app.presence import console_of
from app.queue import wait_now
from app.web.console import apart, passing_events, presence_event
from app.web.customer import bot_is_typing
from app.web.deps import Agent, HouseDep, OwnConversation
from app.web.desk import arrive, desk_view
from app.web.schemas import LARGEST, EventOut, Seq, WaitOut
from conversations import store
from conversations.lifecycle import Status

router = APIRouter(prefix="/api", tags=["streams"])

LAST_ID = re.compile(r"[0-9]{1,18}")
READ_AGAIN = 20.0
"""Seconds after which a stream reads even if nobody rang."""
PAGE = 500
"""Events read at once."""
LASTS = 600.0
"""Seconds after which a stream ends, so that the reader comes back and is authorised again."""
SETTLE = 0.05
"""Seconds in which several changes at the desk are gathered into one view."""
GATHER = 1.0
"""Seconds in which several moves of the queue are gathered into one new place and wait."""
SEEN_AGAIN = 10.0
"""Seconds between two notes that an agent is there: less than handoff.desk.ONLINE_FOR."""


async def _exists(conversation_id: OwnConversation, house: HouseDep) -> str:
    async with house.db.read() as conn:
        await store.load(conn, conversation_id)
    return conversation_id


@router.get("/chat/conversations/{conversation_id}/stream", response_class=EventSourceResponse)
async def follow_conversation(
    conversation_id: Annotated[str, Depends(_exists)],
    house: HouseDep,
    after: Seq = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterable[ServerSentEvent]:
    """A customer's feed: ``event`` (EventOut, id = seq) and ``state`` (status, who is typing, wait).

    Begins after ``Last-Event-ID``, or after ``after``.
    """
    seq = min(int(last_event_id), LARGEST) if LAST_ID.fullmatch(last_event_id or "") else after
    ends = time.monotonic() + LASTS
    told: dict[str, object] = {}
    async with house.db.live.subscribe(conversation_id, DESK) as bell:
        while time.monotonic() < ends and not house.db.live.closed:
            state, events = await _news(house, conversation_id, seq)
            for event in events:
                seq = event.seq
                yield ServerSentEvent(data=event.model_dump(mode="json"), event="event", id=str(seq))
            if any(event.message and event.message.author == "agent" for event in events):
                await unseen.note_seen(house.db, conversation_id, seq)
            if state != told:
                told = state
                yield ServerSentEvent(data=state, event="state")
            if len(events) == PAGE:
                continue
            if not await _rung(bell, waiting=state["wait"] is not None):
                yield ServerSentEvent(comment="still here")


async def _rung(bell: Subscription, *, waiting: bool) -> bool:
    """Whether something was announced that this customer should see; the queue's moves are for who waits in it."""
    ends = time.monotonic() + READ_AGAIN
    while (left := ends - time.monotonic()) > 0:
        woken = await bell.wait(left)
        if woken == {DESK} and waiting:
            woken |= await bell.wait(GATHER)
        if woken and (waiting or woken != {DESK}):
            return True
    return False


async def _news(house: HouseDep, conversation_id: str, seq: int) -> tuple[dict[str, object], list[EventOut]]:
    async with house.db.read() as conn:
        conversation = await store.load(conn, conversation_id)
        history = await store.history(conn, conversation_id, after=seq, public_only=True, limit=PAGE)
        agent = await accounts.name_of(conn, conversation.assignee_id)
        waiting = conversation.status is Status.WAITING
        wait = await wait_now(conn, conversation, house.clock()) if waiting else None
    state = {
        "status": conversation.status.value,
        "agent_name": agent,
        "bot_is_typing": bot_is_typing(conversation),
        "agent_is_typing": house.presence.is_replying(conversation_id, conversation.assignee_id),
        "offer_open": conversation.offer_open,
        "wait": (out := WaitOut.of(wait)) and out.model_dump(),
    }
    return state, [EventOut.of(event, message) for event, message in history]


@router.get("/desk/stream", response_class=EventSourceResponse)
async def follow_desk(me: Agent, house: HouseDep) -> AsyncIterable[ServerSentEvent]:
    """An agent's feed: ``changed`` (ids whose events to read) and ``desk`` (DeskOut), whole after every reconnect.

    In between come ``presence`` (PresenceOut, of conversations one looks at) and ``mentioned`` (somebody wrote one's
    name into a note: see /api/mentions); neither reads the desk again. While it is open the agent counts as being
    at the desk.
    """
    ends, note_at = time.monotonic() + LASTS, 0.0
    async with house.db.live.subscribe(EVERYTHING, console_of(me.id)) as bell:
        for conversation_id in house.presence.looked_at_by(me.id):
            yield presence_event(house, conversation_id)
        while time.monotonic() < ends and not house.db.live.closed:
            if time.monotonic() >= note_at:
                await arrive(house, me)
                note_at = time.monotonic() + SEEN_AGAIN
            async with house.db.read() as conn:
                view = await desk_view(conn, house, me)
            yield ServerSentEvent(data=view.model_dump(mode="json"), event="desk")
            changed: set[str] = set()
            reads_again = time.monotonic() + READ_AGAIN
            while not changed and (left := reads_again - time.monotonic()) > 0:
                changed, passing = apart(await bell.wait(left))
                for event in passing_events(house, passing):
                    yield event
            if changed:
                more, passing = apart(await bell.wait(SETTLE))
                for event in passing_events(house, passing):
                    yield event
                if ids := sorted((changed | more) - {DESK, EVERYTHING}):
                    yield ServerSentEvent(data=ids, event="changed")
