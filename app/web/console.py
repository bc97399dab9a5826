"""What makes an agent's work quicker: who else is here, colleagues to mention, texts to put into the composer."""

from collections.abc import Iterable, Iterator, Sequence

from fastapi import APIRouter
from fastapi.sse import ServerSentEvent
from limits import RateLimitItemPerMinute

from app import accounts
from app.accounts import Account
from app.mentions import mentioned_in, mentions_of
from app.presence import CONSOLE, CUSTOMER, MENTIONED, PRESENCE, Here
from app.shopfront import Shopfront
from app.web.deps import Agent, House, HouseDep, OwnConversation
from app.web.schemas import MentionOut, PresenceOut, ReplyOut, SetPresence, SetTyping, StaffName, Viewer
from conversations import store
from conversations.conversation import Conversation, Message
from conversations.lifecycle import Author
from models.base import Match, Outcome

router = APIRouter(prefix="/api")

TYPING_PER_MINUTE = RateLimitItemPerMinute(120)
SUGGESTED_FROM = 0.35
"""Fused score (about 0..1) from which a text is suggested, where the matcher found anything at all."""


@router.put("/chat/conversations/{conversation_id}/typing", status_code=204, tags=["customer"])
async def customer_types(conversation_id: OwnConversation, body: SetTyping, house: HouseDep) -> None:
    """The customer types, or no longer; repeat it while it lasts. Kept for seconds, in memory only."""
    house.limiter.check(TYPING_PER_MINUTE, "typing", conversation_id)
    if body.typing:
        house.presence.report(conversation_id, Here(CUSTOMER, typing=True))
    else:
        house.presence.leave(conversation_id, CUSTOMER)


@router.put("/conversations/{conversation_id}/presence", status_code=204, tags=["agent"])
async def look(conversation_id: str, body: SetPresence, me: Agent, house: HouseDep) -> None:
    """I look at this conversation, and type in it or not; repeat it while it lasts.

    Colleagues who look at it as well are told; the customer only that their own agent types for them.
    """
    async with house.db.read() as conn:
        conversation = await store.load(conn, conversation_id)
    replying = body.typing and not body.note and conversation.assignee_id == me.id
    house.presence.report(conversation_id, Here(me.id, me.name, body.typing, replying))


@router.delete("/conversations/{conversation_id}/presence", status_code=204, tags=["agent"])
async def look_away(conversation_id: str, me: Agent, house: HouseDep) -> None:
    """I no longer look at this conversation."""
    house.presence.leave(conversation_id, me.id)


@router.get("/colleagues", tags=["agent"])
async def get_colleagues(me: Agent, house: HouseDep) -> list[StaffName]:
    """Everybody who works here, by name."""
    async with house.db.read() as conn:
        return [StaffName(id=account.id, name=account.name) for account in await accounts.everyone(conn)]


@router.get("/mentions", tags=["agent"])
async def get_mentions(me: Agent, house: HouseDep) -> list[MentionOut]:
    """Colleagues' notes of the last days that name me, the newest first."""
    async with house.db.scan() as conn:
        found = await mentions_of(conn, me, await accounts.everyone(conn), house.clock())
    return [MentionOut(**vars(mention)) for mention in found]


@router.get("/conversations/{conversation_id}/replies", tags=["agent"])
async def get_replies(conversation_id: str, me: Agent, house: HouseDep) -> list[ReplyOut]:
    """Texts for the composer: those that suit what the customer asked last come first, then all in the file's order.

    Nothing here is sent by itself. Where the models fail, nothing is suggested and everything is still there.
    """
    async with house.db.read() as conn:
        conversation = await store.load(conn, conversation_id)
        messages = await store.transcript(conn, conversation_id, public_only=True)
    front = house.shops.get(conversation.shop_id)
    matchers = [front.matcher, *([front.replies] if front.replies else [])]
    question = latest_question(messages)
    found = await house.inference.match(question, matchers) if question else []
    texts = reply_texts(front, conversation, me, _scores(found))
    return sorted(texts, key=lambda reply: -reply.score)


def latest_question(messages: Sequence[Message]) -> str:
    """What the customer wrote since an agent last spoke; failing that, the customer's last message."""
    spoke = max((m.seq for m in messages if m.author is Author.AGENT), default=0)
    said = [m for m in messages if m.author is Author.CUSTOMER]
    return "\n".join(m.text for m in [m for m in said if m.seq > spoke] or said[-1:])


def reply_texts(
    front: Shopfront, conversation: Conversation, me: Account, scores: dict[tuple[str, str], float]
) -> list[ReplyOut]:
    """The shop's canned replies and answers, filled in and scored."""
    shop = front.shop
    canned = [
        ReplyOut(
            shortcut=reply.shortcut,
            title=reply.title or reply.shortcut.replace("-", " ").capitalize(),
            text=reply.filled(name=conversation.customer_name, agent=me.name, shop=shop.name),
            source="canned",
            score=scores.get(("canned", reply.shortcut), 0.0),
        )
        for reply in shop.replies
    ]
    answers = [
        ReplyOut(
            shortcut=entry.id,
            title=entry.question,
            text=entry.answer,
            source="faq",
            score=scores.get(("faq", entry.id), 0.0),
        )
        for entry in shop.faq
    ]
    return canned + answers


async def call_mentioned(house: House, me: Account, note: str) -> None:
    """Tell the colleagues whom a note names, where their consoles are open."""
    if "@" not in note:
        return
    async with house.db.read() as conn:
        people = await accounts.everyone(conn)
    house.presence.mention(account_id for account_id in mentioned_in(note, people) if account_id != me.id)


def apart(words: set[str]) -> tuple[set[str], set[str]]:
    """What a console's bell rang for: ids of conversations that changed, and passing words."""
    passing = {word for word in words if word == MENTIONED or word.startswith((PRESENCE, CONSOLE))}
    return words - passing, passing


def passing_events(house: House, words: Iterable[str]) -> Iterator[ServerSentEvent]:
    """The events that passing words stand for."""
    for word in words:
        if word == MENTIONED:
            yield ServerSentEvent(data={}, event="mentioned")
        elif word.startswith(PRESENCE):
            yield presence_event(house, word.removeprefix(PRESENCE))


def presence_event(house: House, conversation_id: str) -> ServerSentEvent:
    """Who is in a conversation now."""
    viewers = [
        Viewer(id=here.who, name=here.name, typing=here.typing, replying=here.replying)
        for here in house.presence.viewers(conversation_id)
    ]
    typing = house.presence.customer_is_typing(conversation_id)
    out = PresenceOut(id=conversation_id, viewers=viewers, customer_is_typing=typing)
    return ServerSentEvent(data=out.model_dump(), event="presence")


def _scores(found: Sequence[Match]) -> dict[tuple[str, str], float]:
    """Score by source and id of what is worth suggesting; ``found`` is the answers' match, then the replies'."""
    return {
        (source, candidate.id): candidate.score
        for source, match in zip(("faq", "canned"), found, strict=False)
        if match.outcome is not Outcome.UNKNOWN
        for candidate in match.candidates
        if candidate.score >= SUGGESTED_FROM
    }
