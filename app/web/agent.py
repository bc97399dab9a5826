"""What agents' consoles call: log in, and the verbs on a conversation. The desk itself is in app.web.desk."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app import accounts
from app.accounts import Account
from app.db import Work
from app.live import DESK
from app.metrics import MESSAGES
from app.queue import rank_again
from app.web.console import call_mentioned
from app.web.deps import LOGINS, Address, Agent, House, HouseDep, cookie_name
from app.web.errors import HttpProblem
from app.web.schemas import (
    AcceptInvitation,
    AccountOut,
    EventOut,
    LogIn,
    MessageOut,
    SendAgentMessage,
    Seq,
    SetStatus,
    StaffView,
)
from conversations import store
from conversations.conversation import Conversation, clean_text
from conversations.errors import AlreadyTaken
from conversations.lifecycle import Author
from handoff import desk
from handoff.brief import brief_of

router = APIRouter(prefix="/api", tags=["agent"])


@router.post("/session", status_code=201)
async def log_in(body: LogIn, house: HouseDep, address: Address, response: Response) -> AccountOut:
    """Log in; the session is a cookie that scripts cannot read."""
    house.limiter.check(LOGINS, "login", address)
    house.limiter.check(LOGINS, "login", body.email.strip().lower())
    async with house.db.read() as conn:
        found = await accounts.by_email(conn, body.email)
    if not await accounts.password_fits(found, body.password) or found is None:
        raise HttpProblem(401, "wrong_login", "E-mail address or password is wrong.")
    await _start_session(house, found[0], response)
    return account_out(found[0])


@router.get("/session")
async def who_am_i(me: Agent) -> AccountOut:
    """Who is logged in."""
    return account_out(me)


@router.delete("/session", status_code=204)
async def log_out(request: Request, house: HouseDep, me: Agent, response: Response) -> None:
    """Log out."""
    async with house.db.unit_of_work() as work:
        await accounts.close_session(work.conn, request.cookies[cookie_name(house.settings)])
    response.delete_cookie(
        cookie_name(house.settings), path="/", secure=house.settings.is_https, httponly=True, samesite="lax"
    )


@router.post("/invitations/{token}", status_code=201)
async def accept_invitation(
    token: str, body: AcceptInvitation, house: HouseDep, address: Address, response: Response
) -> AccountOut:
    """Become a colleague with a one-time link."""
    house.limiter.check(LOGINS, "invitation", address)
    hashed = await accounts.hash_password(body.password)
    async with house.db.unit_of_work() as work:
        account = await accounts.accept(work.conn, token, body.email, body.name, hashed, house.clock())
    await _start_session(house, account, response)
    return account_out(account)


@router.get("/conversations/{conversation_id}")
async def get_conversation(conversation_id: str, me: Agent, house: HouseDep) -> StaffView:
    """The whole conversation: transcript, readings, notes, events and brief."""
    async with house.db.read() as conn:
        return await staff_view(conn, house, conversation_id)


@router.get("/conversations/{conversation_id}/events")
async def get_events(conversation_id: str, me: Agent, house: HouseDep, after: Seq = 0) -> list[EventOut]:
    """What happened after ``seq``, in order; at most 500 at once."""
    async with house.db.read() as conn:
        await store.load(conn, conversation_id)
        history = await store.history(conn, conversation_id, after=after)
    return [EventOut.of(event, message, staff=True) for event, message in history]


@router.post("/conversations/{conversation_id}/messages", status_code=201)
async def send_message(conversation_id: str, body: SendAgentMessage, me: Agent, house: HouseDep) -> MessageOut:
    """Reply to the customer, or leave a note. The same ``client_message_id`` gives the first message back."""
    text = clean_text(body.text)
    async with house.db.unit_of_work() as work:
        conversation = await store.load(work.conn, conversation_id, lock=True)
        sent = await store.message_already_sent(work.conn, conversation_id, Author.AGENT, body.client_message_id, text)
        if sent:
            return MessageOut.of(sent, staff=True)
        write = conversation.reply if body.visibility == "public" else conversation.note
        message = write(me.id, me.name, text, body.client_message_id, house.clock())
        await store.save(work.conn, conversation)
        work.announce(conversation_id)
    MESSAGES.labels("agent").inc()
    if body.visibility == "internal":
        await call_mentioned(house, me, text)
    return MessageOut.of(message, staff=True)


@router.put("/conversations/{conversation_id}/assignee")
async def take(conversation_id: str, me: Agent, house: HouseDep) -> StaffView:
    """Take the conversation, from the queue or over from the bot. 409 says who has it already."""
    async with house.db.unit_of_work() as work:
        await desk.seen(work.conn, me.id, house.clock())
        await give(work, house, await store.load(work.conn, conversation_id, lock=True), me)
        return await staff_view(work.conn, house, conversation_id)


@router.delete("/conversations/{conversation_id}/assignee")
async def release(conversation_id: str, me: Agent, house: HouseDep) -> StaffView:
    """Put one's conversation back into the queue, at the place its first wait gave it."""
    async with house.db.unit_of_work() as work:
        conversation = await store.load(work.conn, conversation_id, lock=True)
        at, shop = house.clock(), house.shops.get(conversation.shop_id).shop
        conversation.release(me.id, me.name, at, queue_rank=rank_again(conversation, shop))
        conversation.line(line_of(house, conversation, "released", me), at)
        await store.save(work.conn, conversation)
        work.announce(conversation_id, DESK)
        return await staff_view(work.conn, house, conversation_id)


@router.put("/conversations/{conversation_id}/status")
async def set_status(conversation_id: str, body: SetStatus, me: Agent, house: HouseDep) -> StaffView:
    """Return the conversation to the bot, or resolve it."""
    async with house.db.unit_of_work() as work:
        conversation = await store.load(work.conn, conversation_id, lock=True)
        if body.status == "bot":
            conversation.return_to_bot(me.id, me.name, house.clock())
            conversation.line(line_of(house, conversation, "returned", me), house.clock())
        else:
            conversation.resolve(me.id, me.name, house.clock())
            conversation.line(line_of(house, conversation, "resolved", me), house.clock())
        await store.save(work.conn, conversation)
        work.announce(conversation_id, DESK)
        return await staff_view(work.conn, house, conversation_id)


def account_out(account: Account) -> AccountOut:
    """An account for the wire."""
    return AccountOut(id=account.id, name=account.name, email=account.email, role=account.role.value)


async def staff_view(conn: AsyncConnection, house: House, conversation_id: str) -> StaffView:
    """Read a conversation with everything that is known of it."""
    conversation = await store.load(conn, conversation_id)
    history = await store.history(conn, conversation_id, limit=5000)
    messages = [message for _, message in history if message]
    assignee = await accounts.name_of(conn, conversation.assignee_id)
    events = [EventOut.of(event, message, staff=True) for event, message in history]
    earlier = await store.earlier_of(conn, conversation)
    front = house.shops.find(conversation.shop_id)
    products = front.shop.products if front else ()
    brief = brief_of(messages, [event for event, _ in history], earlier, products)
    return StaffView.of(conversation, events, brief, assignee)


async def give(work: Work, house: House, conversation: Conversation, me: Account) -> None:
    """The conversation is now this agent's, or AlreadyTaken says by name whose it is."""
    if conversation.assignee_id == me.id:
        return
    at = house.clock()
    try:
        conversation.take(me.id, me.name, at)
    except AlreadyTaken as taken:
        taken.name_assignee(await accounts.name_of(work.conn, taken.assignee_id))
        raise
    conversation.line(line_of(house, conversation, "joined", me), at)
    await store.save(work.conn, conversation)
    work.announce(conversation.id, DESK)


def line_of(house: House, conversation: Conversation, name: str, me: Account) -> str:
    """A system line about an agent, in the shop's voice."""
    return house.shops.get(conversation.shop_id).voice.line(name, agent=me.name)


async def _start_session(house: House, account: Account, response: Response) -> None:
    async with house.db.unit_of_work() as work:
        token = await accounts.open_session(work.conn, account.id, house.clock())
    response.set_cookie(
        cookie_name(house.settings), token, max_age=int(accounts.SESSION_LASTS.total_seconds()), path="/",
        secure=house.settings.is_https, httponly=True, samesite="lax",
    )  # fmt: skip
