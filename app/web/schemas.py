"""What goes over the wire. Shapes only; what a customer may see is decided here, once."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, model_validator

from conversations.conversation import Conversation, Message
from conversations.events import PUBLIC_PAYLOAD, Event
from conversations.review import Escalation
from handoff.brief import Brief
from handoff.desk import Wait

PUBLIC_EXTRA = frozenset({"act", "buttons", "link", "promise"})
"""Of what goes with a message, what a customer's browser needs."""
WIRE_TEXT = 120_000
"""Characters the wire takes; the domain says in words what is too long (conversations.MAX_TEXT)."""

LARGEST = 2**31 - 1
"""The largest seq a database column holds."""
Seq = Annotated[int, Field(ge=0, le=LARGEST)]


def _printable(value: object) -> object:
    """Refuse control characters: PostgreSQL keeps no NUL, and a name has no use for the rest."""
    if isinstance(value, str) and any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in value):
        raise ValueError("must not hold control characters")
    return value


Printable = BeforeValidator(_printable)
Blank = BeforeValidator(lambda value: None if isinstance(value, str) and not value.strip() else value)
Name = Annotated[Annotated[str, Field(max_length=120)] | None, Blank, Printable]
Email = Annotated[EmailStr | None, Blank]
ClientMessageId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KnownCustomer(_In):
    """A customer for whom the shop vouches."""

    id: Annotated[str, Printable, Field(min_length=1, max_length=64)]
    signature: Annotated[str, Field(max_length=128)]
    """HMAC-SHA256 of the id with the identity key, in hexadecimal."""


class OpenConversation(_In):
    """A customer begins."""

    shop: Annotated[str, Printable, Field(max_length=64)]
    name: Name = None
    email: Email = None
    page_url: Annotated[Annotated[str, Field(max_length=2000)] | None, Printable] = None
    referrer: Annotated[Annotated[str, Field(max_length=2000)] | None, Printable] = None
    """Kept only where the shop's file allows it."""
    customer: KnownCustomer | None = None


class SendMessage(_In):
    """Anyone writes. ``client_message_id`` is made by the sender and makes sending again harmless."""

    text: str = Field(max_length=WIRE_TEXT)
    client_message_id: ClientMessageId


class SendAgentMessage(SendMessage):
    """An agent writes to the customer, or a note to colleagues."""

    visibility: Literal["public", "internal"] = "public"


class Introduce(_In):
    """What to call a customer, where to reach them, and whether the transcript is to go there."""

    name: Name = None
    email: Email = None
    transcript: bool | None = None


class ComeBack(_In):
    """What stands after ``#back=`` in a mail's link."""

    token: str = Field(max_length=500)


class AnswerOffer(_In):
    """Accept or decline the offer of a person."""

    accept: bool


class SetTyping(_In):
    """Whether the customer types."""

    typing: bool


class SetPresence(_In):
    """An agent looks at a conversation, and may type in it: for the customer, or a note."""

    typing: bool
    note: bool = False


class LogIn(_In):
    """Who comes to work."""

    email: Annotated[str, Printable, Field(max_length=254)]
    password: str = Field(max_length=1024)


class AcceptInvitation(_In):
    """A new colleague."""

    email: EmailStr
    name: Annotated[str, Printable, Field(max_length=120, pattern=r"\S")]
    password: str = Field(max_length=1024)


class Invite(_In):
    """Whom to invite."""

    role: Literal["agent", "owner"] = "agent"


class SetStatus(_In):
    """Return to the bot, or resolve."""

    status: Literal["bot", "resolved"]


Tag = Annotated[str, Printable, Field(min_length=1, max_length=32, pattern=r"^\S(.*\S)?$")]


class ChangeMe(_In):
    """How an agent works: what is left out stays."""

    status: Literal["here", "away", "leaving"] | None = None
    capacity: Annotated[int, Field(ge=1, le=20)] | None = None
    skills: Annotated[list[Tag], Field(max_length=20)] | None = None
    languages: Annotated[list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]], Field(max_length=20)] | None = None


class Transfer(_In):
    """To whom a conversation goes: an agent or a skill, and what they should know."""

    to_agent: Annotated[str, Printable, Field(max_length=32)] | None = None
    to_skill: Tag | None = None
    note: str = Field("", max_length=WIRE_TEXT)

    @model_validator(mode="after")
    def _one_of_two(self) -> "Transfer":
        if (self.to_agent is None) == (self.to_skill is None):
            raise ValueError("name either to_agent or to_skill")
        return self


class GiveVerdict(_In):
    """Was the handoff right?"""

    verdict: Literal["right", "too_early", "too_late", "not_needed"]
    note: Annotated[str, Field(max_length=2000), AfterValidator(lambda note: note.replace("\0", ""))] = ""


class MessageOut(BaseModel):
    """One message. ``reading`` is only ever sent to staff."""

    id: str
    seq: int
    author: str
    author_name: str | None
    text: str
    at: datetime
    visibility: str
    client_message_id: str | None
    extra: dict[str, Any]
    reading: dict[str, Any] | None = None

    @classmethod
    def of(cls, message: Message, *, staff: bool = False) -> "MessageOut":
        """For staff with everything, for customers with what is theirs."""
        extra = message.extra if staff else {k: v for k, v in message.extra.items() if k in PUBLIC_EXTRA}
        return cls(
            id=message.id, seq=message.seq, author=message.author.value, author_name=message.author_name,
            text=message.text, at=message.at, visibility=message.visibility.value,
            client_message_id=message.client_message_id, extra=extra, reading=message.reading if staff else None,
        )  # fmt: skip


class EventOut(BaseModel):
    """One thing that happened, with its message when it is one."""

    seq: int
    kind: str
    actor: str
    at: datetime
    payload: dict[str, Any]
    message: MessageOut | None = None

    @classmethod
    def of(cls, event: Event, message: Message | None, *, staff: bool = False) -> "EventOut":
        """For staff with everything, for customers without ids of agents and without readings."""
        payload = event.payload if staff else {k: v for k, v in event.payload.items() if k in PUBLIC_PAYLOAD}
        actor = event.actor if staff or event.actor in ("customer", "bot", "system") else "agent"
        return cls(
            seq=event.seq, kind=event.kind.value, actor=actor, at=event.at, payload=payload,
            message=MessageOut.of(message, staff=staff) if message else None,
        )  # fmt: skip


class WaitOut(BaseModel):
    """Place in the queue and an honest wait; ``minutes`` is null when nobody is at the desk."""

    place: int
    minutes: int | None

    @classmethod
    def of(cls, wait: Wait | None) -> "WaitOut | None":
        """The wait, if there is one."""
        return cls(place=wait.place, minutes=wait.minutes) if wait else None


class CustomerView(BaseModel):
    """A conversation as its customer sees it."""

    id: str
    shop: str
    status: str
    agent_name: str | None
    customer_name: str | None
    customer_email: str | None
    wants_transcript: bool
    offer_open: bool
    bot_is_typing: bool
    wait: WaitOut | None
    last_seq: int
    messages: list[MessageOut]


class Opened(BaseModel):
    """A new conversation and the token that opens it, and only it."""

    token: str
    conversation: CustomerView


class AccountOut(BaseModel):
    """A person who works here."""

    id: str
    name: str
    email: str
    role: str


class Card(BaseModel):
    """A conversation in a list at the desk."""

    id: str
    status: str
    customer_name: str | None
    reason: str | None
    waiting_since: datetime | None
    opened_at: datetime
    assignee_id: str | None
    assignee_name: str | None
    last_seq: int
    last_message: str | None
    last_message_seq: int | None
    last_at: datetime | None
    state: str | None
    frustration: float | None
    wait: WaitOut | None = None
    heavy: bool
    """By what the customer wrote; never by what agents write."""
    flags: list[str]
    """``abuse``, ``safety``."""
    language: str | None
    urgency: float
    returned_reason: str | None
    """Why it is in the queue again: ``vanished``, ``transfer_not_taken``."""


class OfferedCard(Card):
    """A conversation that one is asked to take."""

    offer_expires_at: datetime


class Day(BaseModel):
    """What an agent has carried today."""

    chats: int
    heavy_minutes: float
    since: datetime | None


class Me(AccountOut):
    """An agent as they see themselves at the desk."""

    status: str
    capacity: int
    skills: list[str]
    languages: list[str]
    held: int
    load: float
    """Heavy minutes, decayed."""
    day: Day
    pause_advised: bool
    pause_reason: str | None


class Colleague(BaseModel):
    """Someone at the desk, as colleagues see them."""

    id: str
    name: str
    status: str
    held: int
    capacity: int
    heavy: bool
    """Whether a chat they have is heavy now."""
    skills: list[str]


class StaffName(BaseModel):
    """Somebody who works here, for mentions."""

    id: str
    name: str


class MentionOut(BaseModel):
    """A colleague's note that names me."""

    message_id: str
    conversation_id: str
    customer_name: str | None
    author_name: str | None
    at: datetime


class ReplyOut(BaseModel):
    """A text an agent may put into the composer. ``score`` is 0 where nothing suggests it."""

    shortcut: str
    title: str
    text: str
    source: Literal["canned", "faq"]
    score: float


class Viewer(BaseModel):
    """An agent who looks at a conversation."""

    id: str
    name: str
    typing: bool
    replying: bool
    """Typing for the customer, not a note."""


class PresenceOut(BaseModel):
    """Who is in one conversation at this moment."""

    id: str
    viewers: list[Viewer]
    customer_is_typing: bool


class DeskOut(BaseModel):
    """The whole desk as one agent sees it."""

    me: Me
    agents: list[Colleague]
    offered: list[OfferedCard]
    waiting: list[Card]
    mine: list[Card]
    others: list[Card]
    bot: list[Card]
    online: int
    skills: list[str]
    """What anybody of the staff has named as theirs, for passing a chat on; they need not be here now."""


class StaffView(BaseModel):
    """A conversation with everything that is known of it."""

    id: str
    shop: str
    status: str
    customer_name: str | None
    customer_email: str | None
    assignee_id: str | None
    assignee_name: str | None
    reason: str | None
    opened_at: datetime
    waiting_since: datetime | None
    last_seq: int
    events: list[EventOut]
    brief: Brief

    @classmethod
    def of(cls, conversation: Conversation, events: list[EventOut], brief: Brief, assignee: str | None) -> "StaffView":
        """Put together what was read."""
        return cls(
            id=conversation.id, shop=conversation.shop_id, status=conversation.status.value,
            customer_name=conversation.customer_name, customer_email=conversation.customer_email,
            assignee_id=conversation.assignee_id, assignee_name=assignee, reason=conversation.handoff_reason,
            opened_at=conversation.opened_at, waiting_since=conversation.waiting_since,
            last_seq=conversation.last_seq, events=events, brief=brief,
        )  # fmt: skip


class EscalationsOut(BaseModel):
    """What the owner reviews."""

    escalations: list[Escalation]
    agents: list[AccountOut]


class Invitation(BaseModel):
    """A one-time link for a new colleague."""

    url: str


class Problem(BaseModel):
    """What went wrong and what to do, in words; ``code`` for programs."""

    code: str
    detail: str
    assignee_name: str | None = None
