"""What the tests of the domain share: conversations in each status, and a replayer that knows only events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.conversation import Conversation
from conversations.events import Event
from conversations.lifecycle import Status
from tests.conftest import ALICE, CORA, SHOP_ID, START, Person


def with_bot() -> Conversation:
    conversation = Conversation.open(SHOP_ID, START, CORA.name, CORA.email)
    conversation.receive("Where is my parcel?", "c1", START)
    return conversation


def request_handoff(conversation: Conversation, at: datetime = START, reason: str = "asked") -> None:
    conversation.request_handoff(reason, [], at, queue_rank=1.0, urgency=0.3, decided_by="policy")


def waiting() -> Conversation:
    conversation = with_bot()
    request_handoff(conversation)
    return conversation


def with_agent(agent: Person = ALICE) -> Conversation:
    conversation = waiting()
    conversation.take(agent.id, agent.name, START)
    return conversation


def resolved() -> Conversation:
    conversation = with_agent()
    conversation.resolve(ALICE.id, ALICE.name, START)
    return conversation


IN_STATUS = {Status.BOT: with_bot, Status.WAITING: waiting, Status.WITH_AGENT: with_agent, Status.RESOLVED: resolved}


@dataclass
class Replayed:
    """What can be told of a conversation from its events alone."""

    status: str = ""
    assignee: str | None = None
    name: str | None = None
    email: str | None = None
    waiting_since: datetime | None = None
    reason: str | None = None
    offer_open: bool = False
    offered_to: str | None = None
    last_seq: int = 0
    messages: tuple[str, ...] = ()


def replay(events: Sequence[Event], start: Replayed | None = None) -> Replayed:
    """Rebuild the state from events. Knows the names of events and nothing of the verbs."""
    now = start or Replayed()
    for event in events:
        match event.kind:
            case "conversation_opened":
                now.status = "bot"
            case "handoff_requested":
                now.status, now.waiting_since, now.reason = "waiting", event.at, event.payload["reason"]
            case "taken":
                now.status, now.assignee, now.waiting_since = "with_agent", event.payload["agent_id"], None
            case "released" | "transferred":
                now.status, now.assignee, now.waiting_since = "waiting", None, event.at
            case "returned_to_queue" if event.payload["why"] == "vanished":
                now.status, now.assignee, now.waiting_since = "waiting", None, event.at
            case "returned_to_bot" | "reopened":
                now.status, now.assignee, now.waiting_since = "bot", None, None
            case "resolved":
                now.status, now.assignee, now.waiting_since = "resolved", None, None
            case "customer_named":
                now.name, now.email = event.payload["name"], event.payload["email"]
            case "message_posted":
                now.messages += (event.payload["message_id"],)
        match event.kind:
            case "desk_offered":
                now.offered_to = event.payload["agent_id"]
            case "desk_offer_declined" | "taken" | "returned_to_bot" | "resolved":
                now.offered_to = None
        if event.kind in ("person_offered", "offer_declined", "handoff_requested", "taken", "returned_to_bot",
                          "resolved"):  # fmt: skip
            now.offer_open = event.kind == "person_offered"
        now.last_seq = event.seq
    return now


def state_of(conversation: Conversation, messages: Sequence[str]) -> Replayed:
    """The same, as the conversation itself has it."""
    return Replayed(
        conversation.status.value, conversation.assignee_id, conversation.customer_name, conversation.customer_email,
        conversation.waiting_since, conversation.handoff_reason, conversation.offer_open, conversation.offered_to,
        conversation.last_seq, tuple(messages),
    )  # fmt: skip
