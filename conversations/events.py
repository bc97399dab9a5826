"""What can happen to a conversation: the names, and which of them a customer may see.

An event row is the browsers' feed, the audit trail and the source of every report. Payloads by kind:

====================  =====================================================================
kind                  payload
====================  =====================================================================
conversation_opened   shop_id, page_url, referrer (where the shop's file allows it)
message_posted        message_id, author, visibility
message_read          message_id, reading (states, emotions, flags, labels; see models.base)
turn_decided          message_id, kind, reason, evidence (list of evidence lines), signals (name: value)
person_offered        reason, evidence
offer_declined        -
handoff_requested     reason, evidence, urgency, decided_by (customer | policy), state
taken                 agent_id, agent_name, from_status
released              agent_id, agent_name, stint
returned_to_bot       agent_id, agent_name, stint (none from the queue)
resolved              agent_id, agent_name, stint (none unless an agent had it)
desk_offered          agent_id, agent_name, expires_at
desk_offer_declined   agent_id, agent_name, why (declined | expired)
transferred           agent_id, agent_name, to_agent_id, to_agent_name, to_skill, note_id, stint
returned_to_queue     agent_id, agent_name, why (vanished | transfer_not_taken), stint (of who vanished)
reopened              -
customer_named        name, email, transcript
====================  =====================================================================

``stint`` is the agent's part that ended: agent_id, seconds, heavy_minutes (see conversations.desk_verbs).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The name of an event."""

    CONVERSATION_OPENED = "conversation_opened"
    MESSAGE_POSTED = "message_posted"
    MESSAGE_READ = "message_read"
    TURN_DECIDED = "turn_decided"
    PERSON_OFFERED = "person_offered"
    OFFER_DECLINED = "offer_declined"
    HANDOFF_REQUESTED = "handoff_requested"
    TAKEN = "taken"
    RELEASED = "released"
    RETURNED_TO_BOT = "returned_to_bot"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CUSTOMER_NAMED = "customer_named"
    DESK_OFFERED = "desk_offered"
    DESK_OFFER_DECLINED = "desk_offer_declined"
    TRANSFERRED = "transferred"
    RETURNED_TO_QUEUE = "returned_to_queue"


STINT_ENDS = (Kind.RELEASED, Kind.RETURNED_TO_BOT, Kind.RESOLVED, Kind.TRANSFERRED, Kind.RETURNED_TO_QUEUE)
"""What ends an agent's part in a conversation; carries a ``stint`` where an agent had it."""


PUBLIC_KINDS = frozenset(
    {
        Kind.MESSAGE_POSTED, Kind.PERSON_OFFERED, Kind.OFFER_DECLINED, Kind.HANDOFF_REQUESTED, Kind.TAKEN,
        Kind.RELEASED, Kind.RETURNED_TO_BOT, Kind.RESOLVED, Kind.REOPENED, Kind.CUSTOMER_NAMED,
    }
)  # fmt: skip
"""What a customer's stream carries. How they were read, and notes, stay inside."""

PUBLIC_PAYLOAD = frozenset({"message_id", "author", "visibility", "agent_name", "reason", "decided_by", "name"})
"""The payload keys a customer may see."""


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``seq`` counts from 1 within one conversation, without gaps."""

    seq: int
    kind: Kind
    actor: str
    """``customer``, ``bot``, ``system`` or an agent's id."""
    payload: dict[str, Any]
    at: datetime
