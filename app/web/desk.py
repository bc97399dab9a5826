"""The desk: what an agent sees of it, how they say whether they are there, and how chats come to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app import accounts
from app.accounts import Account
from app.deskwork import TRANSFER_LASTS, say_not_transferred
from app.live import DESK
from app.queue import DeskNow, desk_now, is_heavy, rank_again
from app.web.agent import account_out, give, staff_view
from app.web.console import call_mentioned
from app.web.deps import Agent, House, HouseDep
from app.web.errors import HttpProblem
from app.web.schemas import (
    AnswerOffer,
    Card,
    ChangeMe,
    Colleague,
    Day,
    DeskOut,
    Me,
    OfferedCard,
    StaffView,
    Transfer,
    WaitOut,
)
from conversations import store
from conversations.conversation import Conversation, Message, new_id
from conversations.errors import NotAtDesk, NotOffered
from conversations.lifecycle import Status
from handoff import desk
from handoff.desk import people
from handoff.desk.people import Presence

router = APIRouter(prefix="/api", tags=["desk"])


@router.get("/me")
async def get_me(me: Agent, house: HouseDep) -> Me:
    """How I stand at the desk: here or away, what I hold, and what I have carried."""
    async with house.db.read() as conn:
        return me_of(await desk_now(conn, house.clock()), house, me)


@router.put("/me")
async def change_me(body: ChangeMe, me: Agent, house: HouseDep) -> Me:
    """Here, away (a break: no offers, and it costs nothing) or leaving (no new chats, one's own stay); how many chats
    at once; skills and languages."""
    async with house.db.unit_of_work() as work:
        await people.seen(work.conn, me.id, house.clock())
        await people.change(work.conn, me.id, **body.model_dump(exclude_none=True))
        work.announce(DESK)
        if body.status in ("away", "leaving"):
            await _pass_on_offers(work.conn, house, me)
        return me_of(await desk_now(work.conn, house.clock()), house, me)


@router.get("/desk")
async def get_desk(me: Agent, house: HouseDep) -> DeskOut:
    """The queue, what I am offered, my own conversations, the colleagues' and the bot's."""
    async with house.db.read() as conn:
        return await desk_view(conn, house, me)


@router.post("/desk/next", responses={204: {"description": "Nothing waits for me."}}, response_model=StaffView)
async def take_next(me: Agent, house: HouseDep) -> StaffView | Response:
    """Take the chat that is fair for me now: what I am offered, else the first in the queue that is mine to take."""
    async with house.db.unit_of_work() as work:
        now = await desk_now(work.conn, house.clock(), lock=True)  # before one's own row: two who pull must not cross
        await people.seen(work.conn, me.id, house.clock())
        queue = now.queue()
        others = [agent for agent in now.agents() if agent.id != me.id]
        while chosen := desk.next_for(me.id, queue, [now.agent(me.id), *others]):
            conversation = await store.load(work.conn, chosen, lock=True)
            if conversation.status is Status.WAITING:
                await give(work, house, conversation, me)
                return await staff_view(work.conn, house, chosen)
            queue = [waiting for waiting in queue if waiting.id != chosen]  # somebody took it while we looked
    return Response(status_code=204)


@router.put(
    "/conversations/{conversation_id}/desk-offer",
    responses={204: {"description": "Declined; it moves on."}},
    response_model=StaffView,
)
async def answer_desk_offer(
    conversation_id: str, body: AnswerOffer, me: Agent, house: HouseDep
) -> StaffView | Response:
    """Take what I am offered, or decline it, which costs nothing: it moves on. 409 when it is no longer mine."""
    async with house.db.unit_of_work() as work:
        await people.seen(work.conn, me.id, house.clock())
        conversation = await store.load(work.conn, conversation_id, lock=True)
        if body.accept and conversation.assignee_id == me.id:
            return await staff_view(work.conn, house, conversation_id)
        if conversation.offered_to != me.id:
            raise NotOffered()
        if body.accept:
            await give(work, house, conversation, me)
            return await staff_view(work.conn, house, conversation_id)
        _decline(conversation, house, me)
        await store.save(work.conn, conversation)
        work.announce(conversation_id, DESK)
    return Response(status_code=204)


@router.put("/conversations/{conversation_id}/transfer")
async def transfer(conversation_id: str, body: Transfer, me: Agent, house: HouseDep) -> StaffView:
    """Hand my conversation to a colleague, who is asked first, or to whoever has a skill; with a note to them."""
    async with house.db.unit_of_work() as work:
        to = await _colleague(work.conn, body.to_agent, me, house.clock()) if body.to_agent else None
        conversation = await store.load(work.conn, conversation_id, lock=True)
        at, rank = house.clock(), rank_again(conversation, house.shops.get(conversation.shop_id).shop)
        note_id = None
        if body.note.strip():
            note_id = conversation.note(me.id, me.name, body.note, f"transfer-{new_id()}", at).id
        if to:
            conversation.transfer_to_agent(me.id, me.name, to.id, to.name, note_id, at, queue_rank=rank,
                                           expires_at=at + TRANSFER_LASTS)  # fmt: skip
        else:
            conversation.transfer_to_skill(me.id, me.name, body.to_skill or "", note_id, at, queue_rank=rank)
        voice = house.shops.get(conversation.shop_id).voice
        conversation.line(voice.line("transferred", agent=me.name, to=to.name if to else None), at)
        await store.save(work.conn, conversation)
        work.announce(conversation_id, DESK)
        view = await staff_view(work.conn, house, conversation_id)
    await call_mentioned(house, me, body.note)
    return view


async def arrive(house: House, me: Account) -> None:
    """Note that an agent is there; whoever waits is told when that is news."""
    async with house.db.unit_of_work() as work:
        before = await people.find(work.conn, me.id)
        await people.seen(work.conn, me.id, house.clock())
        if before is None or not before.is_online(house.clock()):
            work.announce(DESK)


async def desk_view(conn: AsyncConnection, house: House, me: Account) -> DeskOut:
    """Read the desk as ``me`` sees it."""
    now = await desk_now(conn, house.clock())
    bot = await store.with_bot(conn)
    last = await store.last_customer_messages(conn, [c.id for c in (*now.waiting, *now.held, *bot)])
    names = {account.id: account.name for account in await accounts.everyone(conn)}

    def cards(conversations: Sequence[Conversation]) -> list[Card]:
        return [Card(**_card(c, last.get(c.id), names, now)) for c in conversations]

    offered = [c for c in now.offered_to(me.id) if c.offer_expires_at]
    return DeskOut(
        me=me_of(now, house, me),
        agents=[_colleague_out(now.people[i], names, now) for i in now.online if i in names],
        offered=[
            OfferedCard(**_card(c, last.get(c.id), names, now), offer_expires_at=c.offer_expires_at) for c in offered
        ],
        waiting=cards(now.waiting),
        mine=cards(now.held_by(me.id)),
        others=cards([c for c in now.held if c.assignee_id != me.id]),
        bot=cards([c for c in bot if c.id in last]),
        online=len(now.online),
        skills=await people.skills_known(conn),
    )


def me_of(now: DeskNow, house: House, me: Account) -> Me:
    """An agent as they see themselves; their day began at midnight in the first shop's time."""
    person = now.people.get(me.id) or Presence(me.id, now.now)
    midnight = house.shops.first.shop.midnight(now.now)
    today = [stint for stint in now.stints.get(me.id, []) if stint.begin >= midnight]
    reason = desk.pause_reason(now.load(me.id), now.streak(me.id))
    return Me(
        **account_out(me).model_dump(), status=person.status.value, capacity=person.capacity,
        skills=list(person.skills), languages=list(person.languages), held=len(now.held_by(me.id)),
        load=round(now.load(me.id), 1),
        day=Day(
            chats=len(today), heavy_minutes=round(sum(stint.heavy_minutes for stint in today), 1),
            since=min((stint.begin for stint in today), default=None),
        ),
        pause_advised=reason is not None, pause_reason=reason,
    )  # fmt: skip


def _colleague_out(person: Presence, names: dict[str, str], now: DeskNow) -> Colleague:
    held = now.held_by(person.agent_id)
    return Colleague(
        id=person.agent_id, name=names[person.agent_id], status=person.status.value, held=len(held),
        capacity=person.capacity, heavy=any(is_heavy(c) for c in held), skills=list(person.skills),
    )  # fmt: skip


def _card(conversation: Conversation, last: Message | None, names: dict[str, str], now: DeskNow) -> dict[str, Any]:
    reading = last.reading if last and last.reading else None
    return {
        "id": conversation.id, "status": conversation.status.value, "customer_name": conversation.customer_name,
        "reason": conversation.handoff_reason, "waiting_since": conversation.waiting_since,
        "opened_at": conversation.opened_at, "assignee_id": conversation.assignee_id,
        "assignee_name": names.get(conversation.assignee_id or ""), "last_seq": conversation.last_seq,
        "last_message": last.text[:200] if last else None,
        "last_message_seq": last.seq if last else None, "last_at": last.at if last else None,
        "state": reading["state"] if reading else None,
        "frustration": reading["states"]["frustrated"] if reading else None,
        "wait": WaitOut.of(now.wait(conversation)) if conversation.status is Status.WAITING else None,
        "heavy": is_heavy(conversation), "flags": conversation.flags, "language": conversation.language,
        "urgency": round(conversation.urgency or 0.0, 3), "returned_reason": conversation.returned_reason,
    }  # fmt: skip


async def _colleague(conn: AsyncConnection, agent_id: str, me: Account, now: datetime) -> Account:
    """Who a conversation should go to: 404 or 400 when there is no such colleague, NotAtDesk when they are away."""
    if agent_id == me.id:
        raise HttpProblem(400, "bad_transfer", "Choose a colleague; this conversation is yours already.")
    found = next((account for account in await accounts.everyone(conn) if account.id == agent_id), None)
    if found is None:
        raise HttpProblem(404, "no_such_agent", "There is no such colleague. Reload and choose again.")
    person = await people.find(conn, agent_id)
    if person is None or not person.takes_chats(now):
        raise NotAtDesk(found.name)
    return found


async def _pass_on_offers(conn: AsyncConnection, house: House, me: Account) -> None:
    """Whoever goes on a break is asked no more; what they were asked moves on."""
    for waiting in await store.waiting(conn):
        if waiting.offered_to == me.id:
            conversation = await store.load(conn, waiting.id, lock=True)
            if conversation.offered_to == me.id:
                _decline(conversation, house, me)
                await store.save(conn, conversation)


def _decline(conversation: Conversation, house: House, me: Account) -> None:
    at, was_transfer = house.clock(), conversation.transfer
    conversation.decline(me.id, me.name, at)
    if was_transfer:
        say_not_transferred(conversation, house.shops, me.name, at)
