"""A conversation and its verbs. Each verb checks the tables, changes the state and appends events."""

import unicodedata
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from conversations.desk_verbs import DeskVerbs
from conversations.errors import AlreadyTaken, BadMessage, IllegalTransition
from conversations.events import Event, Kind
from conversations.lifecycle import Author, Status, Verb, Visibility, check_may_speak, next_status

MAX_TEXT = 16_000
"""Longest message in characters; longer ones are refused, never cut."""


def new_id() -> str:
    """A fresh identifier: 32 hexadecimal characters, unguessable, older ones sort first."""
    return f"{uuid.uuid1().time:015x}{uuid.uuid4().hex[:17]}"


def clean_text(text: str) -> str:
    """The text as it is kept: NFC, no NUL or other control characters but tab and newline, trimmed.

    Right-to-left marks and joiners stay, because languages and emoji need them. Raises BadMessage when
    nothing is left or it is longer than MAX_TEXT.
    """
    kept = "".join(c for c in text.replace("\r\n", "\n") if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    kept = unicodedata.normalize("NFC", kept).strip()
    if not any(unicodedata.category(c)[0] not in "ZC" for c in kept):
        raise BadMessage("The message is empty. Write something first.")
    if len(kept) > MAX_TEXT:
        raise BadMessage(f"The message has {len(kept):,} characters; at most {MAX_TEXT:,} can be sent at once.")
    return kept


@dataclass(frozen=True)
class Message:
    """One line of the transcript. The row in the database is the message."""

    id: str
    seq: int
    author: Author
    text: str
    at: datetime
    visibility: Visibility = Visibility.PUBLIC
    author_id: str | None = None
    author_name: str | None = None
    client_message_id: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """What goes with a bot's message: kind, FAQ ids, link, buttons, opening used."""
    reading: dict[str, Any] | None = None
    """What the classifier said of it; only ever set on a customer's message."""


@dataclass
class Conversation(DeskVerbs):
    """One customer's thread with a shop. What happens at the desk is in conversations.desk_verbs.

    ``version`` guards every save; ``due_at`` is when the worker must look at it (None: nothing is due).
    ``changes`` and ``posted`` hold what the verbs did since it was loaded; the store writes and clears them.
    """

    id: str
    shop_id: str
    opened_at: datetime
    status: Status = Status.BOT
    assignee_id: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    customer_ref: str | None = None
    """The customer's id at the shop, only where the shop has vouched for it."""
    version: int = 0
    last_seq: int = 0
    due_at: datetime | None = None
    waiting_since: datetime | None = None
    queue_rank: float | None = None
    """Place in the queue: lower is sooner (see handoff.desk)."""
    handoff_reason: str | None = None
    offer_open: bool = False
    resolved_at: datetime | None = None
    wants_transcript: bool = False
    """The customer asked for the transcript by mail when it is over."""
    bot_from_seq: int = 0
    """The bot considers only what was said after this: old trouble never triggers a handoff again."""
    language: str | None = None
    """What the customer's browser asks for, of the shop's languages."""
    flags: list[str] = field(default_factory=list)
    """``abuse`` and ``safety``, once a message was read so."""
    urgency: float | None = None
    queued_at: datetime | None = None
    """When it first joined the queue; an agent who puts it back does not make the customer begin again."""
    skill: str | None = None
    """The skill that a transfer asked for."""
    passed: dict[str, str] = field(default_factory=dict)
    """Agents who had the offer in this wait and did not take it: ``declined``, ``expired``, ``released``."""
    offered_to: str | None = None
    offer_expires_at: datetime | None = None
    transfer: bool = False
    """Whether the present offer is a colleague's transfer."""
    promised_until: datetime | None = None
    """Until when the customer was told to wait, while that has not been broken."""
    returned_reason: str | None = None
    taken_at: datetime | None = None
    intensity: float = 0.0
    """How heavy the conversation is now, 0..1, from the customer's messages."""
    weighed_at: datetime | None = None
    heavy_minutes: float = 0.0
    """Of the present stint, up to ``weighed_at``."""
    last_agent_id: str | None = None
    last_agent_at: datetime | None = None
    """Who had it last and until when: who knows the story is asked first."""
    changes: list[Event] = field(default_factory=list)
    posted: list[Message] = field(default_factory=list)
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The row as it was read, so that only what changed is written."""

    @classmethod
    def open(cls, shop_id: str, at: datetime, name: str | None = None, email: str | None = None,
             page_url: str | None = None, language: str | None = None,
             referrer: str | None = None, ref: str | None = None) -> "Conversation":  # fmt: skip
        """Begin a conversation; nothing is due until the customer writes."""
        self = cls(id=new_id(), shop_id=shop_id, opened_at=at, customer_name=name, customer_email=email,
                   customer_ref=ref, language=language)  # fmt: skip
        came_from = {"referrer": referrer} if referrer else {}
        self._happened(Kind.CONVERSATION_OPENED, "customer", at, shop_id=shop_id, page_url=page_url, **came_from)
        return self

    # --- what the customer does

    def receive(self, text: str, client_message_id: str, at: datetime, due_at: datetime | None = None) -> Message:
        """The customer writes. Always allowed; a resolved conversation opens again; the bot's turn falls due.

        ``due_at`` is later than ``at`` where the turn has been claimed already; None: at once.
        """
        text = clean_text(text)
        if self.status is Status.RESOLVED:
            self.reopen(at)
        message = self._post(Author.CUSTOMER, text, at, client_message_id=client_message_id)
        self.due_at = due_at or at
        return message

    def reopen(self, at: datetime) -> None:
        """The customer comes back to a resolved conversation; the bot starts afresh."""
        if self.status is not Status.RESOLVED:
            raise IllegalTransition(self.status, "reopen")
        self.status = next_status(self.status, Verb.CUSTOMER_WRITES)
        self.resolved_at, self.bot_from_seq = None, self.last_seq
        self.intensity, self.flags = 0.0, []
        self._happened(Kind.REOPENED, "customer", at)

    def introduce(self, name: str | None, email: str | None, at: datetime, transcript: bool | None = None) -> None:
        """The customer says what to call them, where to reach them, and whether they want the transcript there."""
        self.customer_name = name or self.customer_name
        self.customer_email = email or self.customer_email
        self.wants_transcript = self.wants_transcript if transcript is None else transcript
        self._happened(Kind.CUSTOMER_NAMED, "customer", at, name=self.customer_name, email=self.customer_email,
                       transcript=self.wants_transcript)  # fmt: skip

    def decline_offer(self, at: datetime) -> None:
        """The customer would rather go on with the bot."""
        if self.offer_open:
            self.offer_open = False
            self._happened(Kind.OFFER_DECLINED, "customer", at)

    # --- what the bot and the house do

    def read(self, message_id: str, reading: dict[str, Any], at: datetime) -> None:
        """Keep what the classifier said of one of the customer's messages."""
        self.readings[message_id] = reading
        self.weigh(reading, at)
        self._happened(Kind.MESSAGE_READ, "bot", at, message_id=message_id, reading=reading)

    def decided(self, message_id: str, kind: str, reason: str, evidence: list[dict[str, Any]], at: datetime, *,
                signals: dict[str, float] | None = None) -> None:  # fmt: skip
        """Keep what the policy decided for a turn, with the evidence it had and the signals it saw."""
        self._happened(Kind.TURN_DECIDED, "bot", at, message_id=message_id, kind=kind, reason=reason,
                       evidence=evidence, signals=signals or {})  # fmt: skip

    def say(self, text: str, at: datetime, **extra: Any) -> Message:
        """The bot speaks."""
        return self._post(Author.BOT, text, at, extra=extra)

    def offer_person(self, reason: str, evidence: list[dict[str, Any]], at: datetime) -> None:
        """The bot offers a person; the customer may accept or decline."""
        check_may_speak(self.status, Author.BOT)
        self.offer_open = True
        self._happened(Kind.PERSON_OFFERED, "bot", at, reason=reason, evidence=evidence)

    def request_handoff(self, reason: str, evidence: list[dict[str, Any]], at: datetime, *, queue_rank: float,
                        urgency: float, decided_by: str, state: str | None = None) -> None:  # fmt: skip
        """Ask for a person. From here on the bot is silent."""
        self.status = next_status(self.status, Verb.REQUEST_HANDOFF)
        self.waiting_since, self.queue_rank, self.handoff_reason = at, queue_rank, reason
        self.queued_at, self.urgency = at, urgency
        self.offer_open = False
        self._happened(Kind.HANDOFF_REQUESTED, "customer" if decided_by == "customer" else "bot", at, reason=reason,
                       evidence=evidence, urgency=urgency, decided_by=decided_by, state=state)  # fmt: skip

    def line(self, text: str, at: datetime, **extra: Any) -> Message:
        """A system line: what happens next, in plain words."""
        return self._post(Author.SYSTEM, text, at, extra=extra)

    # --- what agents do

    def take(self, agent_id: str, agent_name: str, at: datetime) -> None:
        """An agent takes the conversation, from the queue or over from the bot. Taking twice changes nothing."""
        if self.status is Status.WITH_AGENT:
            if self.assignee_id == agent_id:
                return
            raise AlreadyTaken(self.assignee_id or "")
        before = self.status
        self.status = next_status(self.status, Verb.TAKE)
        self.queued_at = self.queued_at or at
        self._leave_queue()
        self.assignee_id = agent_id
        self._begin_stint(at)
        self._happened(Kind.TAKEN, agent_id, at, agent_id=agent_id, agent_name=agent_name, from_status=before.value)

    def reply(self, agent_id: str, agent_name: str, text: str, client_message_id: str, at: datetime) -> Message:
        """The assignee writes to the customer."""
        check_may_speak(self.status, Author.AGENT)
        self._check_assignee(agent_id)
        return self._post(Author.AGENT, clean_text(text), at, client_message_id=client_message_id,
                          author_id=agent_id, author_name=agent_name)  # fmt: skip

    def note(self, agent_id: str, agent_name: str, text: str, client_message_id: str, at: datetime) -> Message:
        """Any agent writes a note that customers never see, in any status."""
        return self._post(Author.AGENT, clean_text(text), at, visibility=Visibility.INTERNAL,
                          client_message_id=client_message_id, author_id=agent_id, author_name=agent_name)  # fmt: skip

    def release(self, agent_id: str, agent_name: str, at: datetime, *, queue_rank: float) -> None:
        """The assignee puts it back into the queue; it keeps its reason."""
        status = next_status(self.status, Verb.RELEASE)
        self._check_assignee(agent_id)
        stint = self._end_stint(at)
        self._queue_again(status, at, queue_rank)
        self.passed = {agent_id: "released"}
        self._happened(Kind.RELEASED, agent_id, at, agent_id=agent_id, agent_name=agent_name, stint=stint)

    def return_to_bot(self, agent_id: str, agent_name: str, at: datetime) -> None:
        """The human part is over; the bot goes on, and what came before never triggers a handoff again."""
        status = next_status(self.status, Verb.RETURN_TO_BOT)
        if self.status is Status.WITH_AGENT:
            self._check_assignee(agent_id)
        self.status = status
        stint = self._leave_desk(at)
        self.bot_from_seq = self.last_seq
        self._happened(Kind.RETURNED_TO_BOT, agent_id, at, agent_id=agent_id, agent_name=agent_name, stint=stint)

    def resolve(self, agent_id: str, agent_name: str, at: datetime) -> None:
        """Close it. The customer may still write, which opens it again."""
        status = next_status(self.status, Verb.RESOLVE)
        if self.status is Status.WITH_AGENT:
            self._check_assignee(agent_id)
        self.status, self.resolved_at = status, at
        stint = self._leave_desk(at)
        self._happened(Kind.RESOLVED, agent_id, at, agent_id=agent_id, agent_name=agent_name, stint=stint)

    # --- inside

    def _leave_queue(self) -> None:
        self.waiting_since = self.queue_rank = self.promised_until = self.returned_reason = None
        self.passed, self.offer_open = {}, False
        self._withdraw_offer()

    def _leave_desk(self, at: datetime) -> dict[str, Any] | None:
        """Out of the queue and out of the agent's hands; the stint that ended, if there was one."""
        stint = self._end_stint(at)
        if self.assignee_id is not None:
            self.last_agent_id, self.last_agent_at = self.assignee_id, at
        self._leave_queue()
        self.assignee_id = self.queued_at = self.skill = None
        return stint

    def _post(self, author: Author, text: str, at: datetime, *, visibility: Visibility = Visibility.PUBLIC,
              client_message_id: str | None = None, author_id: str | None = None, author_name: str | None = None,
              extra: dict[str, Any] | None = None) -> Message:  # fmt: skip
        if visibility is Visibility.PUBLIC:
            check_may_speak(self.status, author)
        message = Message(
            id=new_id(), seq=self.last_seq + 1, author=author, text=text, at=at, visibility=visibility,
            author_id=author_id, author_name=author_name, client_message_id=client_message_id, extra=extra or {},
        )  # fmt: skip
        self.posted.append(message)
        self._happened(Kind.MESSAGE_POSTED, author_id or author.value, at, message_id=message.id,
                       author=author.value, visibility=visibility.value)  # fmt: skip
        return message

    def _happened(self, kind: Kind, actor: str, at: datetime, /, **payload: Any) -> None:
        self.last_seq += 1
        self.changes.append(Event(self.last_seq, kind, actor, payload, at))
