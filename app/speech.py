"""What the bot says for a decision: the words, the buttons and what must be remembered of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.inference import Understanding
from app.shop import FaqEntry
from app.shopfront import Shopfront
from conversations.conversation import Conversation, Message
from conversations.lifecycle import Author
from conversations.voice.voice import CALM
from handoff.capacity import Capacity
from handoff.desk import Wait
from handoff.need import values_of
from handoff.policy import Act, Decision, Reason
from handoff.signals import Signals
from models.base import Outcome

ACCEPT = {
    Capacity.FREE: "Yes, a person please",
    Capacity.FULL: "Wait for a person",
    Capacity.CLOSED: "Keep a place for me",
}


@dataclass(frozen=True)
class Draft:
    """What the bot would say and do, not yet written."""

    decision: Decision
    message_id: str
    """The customer message it answers."""
    text: str
    extra: dict[str, Any]
    state: str
    frustration: float
    shop: Shopfront
    signals: dict[str, float]
    """What the policy saw, for the record."""
    language: str | None = None
    """The language of the message where the shop does not speak it: who takes it should."""
    customer_email: str | None = None
    declines_offer: bool = False

    def queued_line(self, wait: Wait, at: datetime) -> str:
        """What happens next, for a customer who was handed over."""
        opens = self.shop.shop.opens_next(at)
        return self.shop.voice.line("queued", wait=wait, opens=opens, email=self.customer_email)


def speak(
    conversation: Conversation,
    messages: Sequence[Message],
    shop: Shopfront,
    understood: Understanding,
    signals: Signals,
    decision: Decision,
    capacity: Capacity,
    at: datetime,
) -> Draft:
    """Put a decision into words. ``capacity`` is the desk's, ``at`` the time, for when people are back."""
    found = [e for c in understood.match.candidates if (e := shop.shop.entry(c.id))]
    state = understood.reading.state
    said = [m for m in messages if m.author is Author.BOT]
    entry = found[0] if found and understood.match.outcome is Outcome.ANSWER else None
    again = entry is not None and bool(said) and said[-1].extra.get("entry_id") == entry.id
    shown = None if again and decision.act is Act.OFFER else entry
    sure = understood.match.outcome in (Outcome.ANSWER, Outcome.CLARIFY) and decision.reason is not Reason.ASKED
    named = found[0] if found and sure else None
    content = _content(decision, understood, shown, shop)
    if decision.act is Act.OFFER:
        content |= {
            "desk": capacity.value,
            "opens": shop.shop.opens_next(at),
            "foreign": shop.voice.foreign(signals.language),
        }
    spoken = shop.voice.say(
        decision.act.value, state, name=conversation.customer_name,
        topic=named.topic if named else None,
        seed=len(messages), last_opening=said[-1].extra.get("opening", "") if said else "", **content,
    )  # fmt: skip
    extra = {
        "act": decision.act.value, "reason": decision.reason.value, "outcome": understood.match.outcome.value,
        "opening": spoken.opening, "score": round(understood.match.probability, 3),
        **_shown(decision.act, shown, found, shop, state, capacity),
        "also": [e.id for e in _also(understood, shop)] if decision.act is Act.ANSWER else [],
    }  # fmt: skip
    declines = decision.reason is Reason.DECLINED
    return Draft(
        decision, signals.message_id, spoken.text, extra | ({"declined": True} if declines else {}), state,
        signals.frustration_level, shop, values_of(signals), signals.language,
        conversation.customer_email, declines,
    )  # fmt: skip


def _content(decision: Decision, understood: Understanding, entry: FaqEntry | None, shop: Shopfront) -> dict[str, Any]:
    match decision.act:
        case Act.SMALLTALK if decision.reason is Reason.DECLINED:
            return {"kind": "declined"}
        case Act.SMALLTALK:
            return {"kind": understood.match.smalltalk or "acknowledgement"}
        case Act.HANDOFF:
            return {"reason": decision.reason.value, "safety_help": shop.shop.safety_help}
        case Act.ANSWER:
            also = [{"question": e.question, "answer": e.answer} for e in _also(understood, shop)]
            return _answer(entry) | {"also": also}
        case _:
            return _answer(entry)


def _answer(entry: FaqEntry | None) -> dict[str, str]:
    return {"answer": entry.answer if entry else "", "next_step": entry.next_step if entry else ""}


def _also(understood: Understanding, shop: Shopfront) -> list[FaqEntry]:
    """The entries that answer the message's other questions."""
    return [e for match in understood.match.also if (e := shop.shop.entry(match.candidates[0].id))]


def _shown(
    act: Act, entry: FaqEntry | None, found: Sequence[FaqEntry], shop: Shopfront, state: str, capacity: Capacity
) -> dict[str, Any]:
    """What goes with the text: the entry given, its link, and buttons."""
    shown: dict[str, Any] = {"buttons": []}
    if act in (Act.ANSWER, Act.OFFER) and entry:
        shown |= {"entry_id": entry.id, "title": entry.question}
        if entry.link:
            shown["link"] = entry.link.model_dump()
    match act:
        case Act.ANSWER if entry:
            follow_ups = [e for i in entry.follow_ups if (e := shop.shop.entry(i))]
            shown["buttons"] = [{"kind": "ask", "label": e.question} for e in follow_ups[:3]]
        case Act.CLARIFY:
            shown["buttons"] = [{"kind": "ask", "label": e.question} for e in found]
            if state not in CALM:
                shown["buttons"].append({"kind": "accept", "label": "Talk to a person"})
        case Act.OFFER:
            email = (
                [{"kind": "email", "label": "Leave my e-mail"}]
                if capacity is not Capacity.FREE and shop.voice.mail
                else []
            )
            shown["buttons"] = [
                {"kind": "accept", "label": ACCEPT[capacity]},
                *email,
                {"kind": "decline", "label": "No, carry on"},
            ]
        case Act.UNKNOWN:
            shown["buttons"] = [{"kind": "accept", "label": "Talk to a person"}]
    return shown
