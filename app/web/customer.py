"""What a customer's browser calls. A token opens one conversation and nothing else."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header
from limits import RateLimitItemPerMinute
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app import accounts
from app.identity import is_genuine
from app.live import DESK
from app.metrics import MESSAGES
from app.outbox import unseen
from app.queue import wait_for, wait_now
from app.web.deps import Address, House, HouseDep, OwnConversation
from app.web.errors import HttpProblem
from app.web.schemas import (
    AnswerOffer,
    ComeBack,
    CustomerView,
    Introduce,
    MessageOut,
    OpenConversation,
    Opened,
    SendMessage,
    WaitOut,
)
from conversations import store
from conversations.conversation import Conversation, clean_text
from conversations.lifecycle import Author, Status
from handoff.desk import queue_rank, urgency_of
from handoff.policy import Evidence, accepted

PRESSED = "Pressed “Talk to a person”"
OFFER_ACCEPTED = Evidence("offer_accepted", 1, 1, "Accepted the offer of a person")

router = APIRouter(prefix="/api/chat", tags=["customer"])


@router.post("/conversations", status_code=201)
async def open_conversation(
    body: OpenConversation, house: HouseDep, address: Address, accept_language: Annotated[str, Header()] = ""
) -> Opened:
    """Begin a conversation. The bot says at once that it is a bot."""
    house.limiter.check(RateLimitItemPerMinute(house.settings.openings_per_minute), "open", address)
    front = house.shops.get(body.shop)
    language = preferred(accept_language, front.shop.languages)
    referrer = body.referrer if front.shop.privacy.referrer else None
    conversation = Conversation.open(
        front.shop.id, house.clock(), body.name, body.email, body.page_url, language, referrer, _known(body, house)
    )
    conversation.say(front.voice.line("greeting", shop=front.shop.name), house.clock(), act="greeting", buttons=[])
    async with house.db.unit_of_work() as work:
        await store.insert(work.conn, conversation)
    return Opened(token=house.tokens.issue(conversation.id), conversation=await view(house, conversation.id))


@router.get("/conversations/{conversation_id}")
async def get_conversation(conversation_id: OwnConversation, house: HouseDep) -> CustomerView:
    """The conversation as its customer sees it."""
    shown = await view(house, conversation_id)
    if any(message.author == "agent" for message in shown.messages):
        await unseen.note_seen(house.db, conversation_id, shown.last_seq)
    return shown


@router.post("/returns", status_code=201)
async def come_back(body: ComeBack, house: HouseDep, address: Address) -> Opened:
    """Come back by the link in a mail: the token of the same conversation, as its customer."""
    house.limiter.check(RateLimitItemPerMinute(house.settings.openings_per_minute), "return", address)
    conversation_id = house.links.conversation_of(body.token)
    return Opened(token=house.tokens.issue(conversation_id), conversation=await view(house, conversation_id))


@router.post("/conversations/{conversation_id}/messages", status_code=201)
async def send_message(conversation_id: OwnConversation, body: SendMessage, house: HouseDep) -> MessageOut:
    """Write. Sending the same ``client_message_id`` again gives the first message back."""
    house.limiter.check(RateLimitItemPerMinute(house.settings.messages_per_minute), "write", conversation_id)
    text, at = clean_text(body.text), house.clock()
    due_at = house.doorbell.due_at(at)
    try:
        async with house.db.unit_of_work() as work:
            conversation = await store.load(work.conn, conversation_id, lock=True)
            message = conversation.receive(text, body.client_message_id, at, due_at)
            await store.save(work.conn, conversation)
            work.announce(conversation_id)
    except IntegrityError:
        async with house.db.read() as conn:
            sent = await store.message_already_sent(
                conn, conversation_id, Author.CUSTOMER, body.client_message_id, text
            )
        if sent is None:
            raise
        return MessageOut.of(sent)
    await house.doorbell.ring(conversation_id, claimed=due_at > at)
    MESSAGES.labels("customer").inc()
    return MessageOut.of(message)


@router.put("/conversations/{conversation_id}/handoff", status_code=200)
async def ask_for_person(conversation_id: OwnConversation, house: HouseDep) -> CustomerView:
    """Talk to a person: always granted, at once. Asking again while waiting changes nothing."""
    return await _person_wanted(conversation_id, house, Evidence("asked_for_human", 1, 1, PRESSED))


async def _person_wanted(conversation_id: str, house: House, line: Evidence) -> CustomerView:
    async with house.db.unit_of_work() as work:
        conversation = await store.load(work.conn, conversation_id, lock=True)
        if conversation.status in (Status.BOT, Status.RESOLVED):
            await _hand_over(work.conn, conversation, house, line)
            work.announce(conversation_id, DESK)
    return await view(house, conversation_id)


@router.put("/conversations/{conversation_id}/offer", status_code=200)
async def answer_offer(conversation_id: OwnConversation, body: AnswerOffer, house: HouseDep) -> CustomerView:
    """Accept or decline the offer of a person."""
    if body.accept:
        return await _person_wanted(conversation_id, house, OFFER_ACCEPTED)
    async with house.db.unit_of_work() as work:
        conversation = await store.load(work.conn, conversation_id, lock=True)
        if conversation.offer_open:
            front = house.shops.get(conversation.shop_id)
            conversation.decline_offer(house.clock())
            conversation.line(front.voice.line("declined"), house.clock(), declined=True)
            await store.save(work.conn, conversation)
            work.announce(conversation_id)
    return await view(house, conversation_id)


@router.put("/conversations/{conversation_id}/customer")
async def introduce(conversation_id: OwnConversation, body: Introduce, house: HouseDep) -> CustomerView:
    """Leave a name, or an address for the answer, and ask for the transcript there."""
    async with house.db.unit_of_work() as work:
        conversation = await store.load(work.conn, conversation_id, lock=True)
        conversation.introduce(body.name, body.email, house.clock(), body.transcript)
        await store.save(work.conn, conversation)
        work.announce(conversation_id)
    return await view(house, conversation_id)


async def view(house: House, conversation_id: str) -> CustomerView:
    """Read a conversation as its customer may see it."""
    async with house.db.read() as conn:
        conversation = await store.load(conn, conversation_id)
        messages = await store.transcript(conn, conversation_id, public_only=True)
        agent = await accounts.name_of(conn, conversation.assignee_id)
        wait = await wait_now(conn, conversation, house.clock()) if conversation.status is Status.WAITING else None
    return CustomerView(
        id=conversation.id, shop=conversation.shop_id, status=conversation.status.value,
        agent_name=agent,
        customer_name=conversation.customer_name, customer_email=conversation.customer_email,
        wants_transcript=conversation.wants_transcript,
        offer_open=conversation.offer_open, bot_is_typing=bot_is_typing(conversation), wait=WaitOut.of(wait),
        last_seq=conversation.last_seq, messages=[MessageOut.of(m) for m in messages],
    )  # fmt: skip


def bot_is_typing(conversation: Conversation) -> bool:
    """True exactly while a turn of the bot is due or being taken."""
    return conversation.status is Status.BOT and conversation.due_at is not None


def preferred(accept_language: str, spoken: Sequence[str]) -> str | None:
    """The first of the browser's languages that the shop speaks; None when it names none of them."""
    asked = (part.partition(";")[0].strip().lower()[:2] for part in accept_language.split(","))
    return next((language for language in asked if language in spoken), None)


def _known(body: OpenConversation, house: House) -> str | None:
    """The customer's id at the shop, or 403 when the shop has not signed it."""
    if body.customer is None:
        return None
    if not is_genuine(body.customer.id, body.customer.signature, house.settings.identity_key.get_secret_value()):
        detail = "This customer's id is not signed with WARMLINE_IDENTITY_KEY. Leave it out, or sign it."
        raise HttpProblem(403, "bad_identity", detail)
    return body.customer.id


async def _last_state(conn: AsyncConnection, conversation_id: str) -> str | None:
    """How the customer's latest message was read."""
    last = (await store.last_customer_messages(conn, [conversation_id])).get(conversation_id)
    return last.reading["state"] if last and last.reading else None


async def _hand_over(conn: AsyncConnection, conversation: Conversation, house: House, line: Evidence) -> None:
    at = house.clock()
    front = house.shops.get(conversation.shop_id)
    if conversation.status is Status.RESOLVED:
        conversation.reopen(at)
    decision = accepted(await store.open_offer(conn, conversation), line)
    urgency = urgency_of(decision.reason, conversation.intensity)
    conversation.request_handoff(
        decision.reason,
        decision.evidence_dicts(),
        at,
        queue_rank=queue_rank(at, urgency, front.shop.opens_at(at)),
        urgency=urgency,
        decided_by="customer",
        state=await _last_state(conn, conversation.id),
    )
    wait = await wait_for(conn, conversation, at)
    told = front.voice.line("queued", wait=wait, opens=front.shop.opens_next(at), email=conversation.customer_email)
    conversation.line(told, at, promise=True)
    await store.save(conn, conversation)
