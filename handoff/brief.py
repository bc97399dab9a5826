"""What the agent sees first: why it came, what the customer wants, what was tried, how the mood went.

Extractive and deterministic: every line is something that was said or measured, with its message.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from conversations.conversation import Conversation, Message
from conversations.events import Event, Kind
from conversations.lifecycle import Author, Status, Visibility

_EMAIL = re.compile(r"[\w.+'’-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = r"[A-Za-z]{0,4}-?\d[\dA-Za-z-]{3,19}"
_SAID = re.compile(
    r"(?:\borders?\b|\bref(?:erence)?s?\b|\binvoices?\b|\btracking\b|#)"
    r"(?:[\s:#(\"'“‘-]|\b(?:numbers?|nos?|nums?|ids?|is|are|was|were)\b(?!-)\.?)*"
    rf"({_NUMBER}(?:[\s)\"'”’]*(?:,|&|/|and|or)[\s(\"'“‘#]*{_NUMBER})*)",
    re.IGNORECASE,
)
_BARE = re.compile(r"\b(?:[A-Z]{1,4}-?\d{4,14}|\d{6,14})\b")
_ONE = re.compile(_NUMBER)


@dataclass(frozen=True)
class Line:
    """One line of the brief and the message it came from."""

    text: str
    message_id: str | None = None
    detail: dict[str, Any] | None = None


@dataclass(frozen=True)
class MoodPoint:
    """The reading of one customer message."""

    message_id: str
    seq: int
    states: dict[str, float]


@dataclass(frozen=True)
class Brief:
    """What an agent needs in the first ten seconds."""

    why: tuple[Line, ...]
    wants: tuple[Line, ...]
    facts: tuple[Line, ...]
    """Order numbers, e-mail addresses and products that were said."""
    tried: tuple[Line, ...]
    promised: tuple[Line, ...]
    mood: tuple[MoodPoint, ...]
    avoid: tuple[Line, ...]
    earlier: tuple[Line, ...] = ()
    """The same known customer's earlier conversations and how they ended, the latest first."""


def brief_of(
    messages: Sequence[Message],
    events: Sequence[Event],
    earlier: Sequence[Conversation] = (),
    products: Sequence[str] = (),
) -> Brief:
    """The brief of one conversation, from its transcript and its events (both in order).

    ``products`` are what the shop sells, in its own words.
    """
    public = [m for m in messages if m.visibility is Visibility.PUBLIC]
    customer = [m for m in public if m.author is Author.CUSTOMER]
    return Brief(
        why=_why(events),
        wants=_wants(customer),
        facts=_facts(customer, products),
        tried=_tried(public),
        promised=tuple(Line(m.text, m.id) for m in public if m.author is Author.SYSTEM and m.extra.get("promise"))[-1:],
        mood=mood_curve(customer),
        avoid=_avoid(events, public),
        earlier=tuple(_ending(conversation) for conversation in earlier),
    )


def _ending(earlier: Conversation) -> Line:
    """When an earlier conversation was, why a person was needed if one was, and how it ended."""
    why = f"a person was needed ({earlier.handoff_reason})" if earlier.handoff_reason else "the bot answered"
    ended = "closed" if earlier.status is Status.RESOLVED else "not closed"
    text = f"{earlier.opened_at.day} {earlier.opened_at:%B %Y}: {why}, {ended}"
    return Line(text, detail={"conversation_id": earlier.id})


def mood_curve(messages: Sequence[Message]) -> tuple[MoodPoint, ...]:
    """One point for every customer message that was read."""
    return tuple(
        MoodPoint(m.id, m.seq, m.reading["states"]) for m in messages if m.author is Author.CUSTOMER and m.reading
    )


def _why(events: Sequence[Event]) -> tuple[Line, ...]:
    asked = [e for e in events if e.kind is Kind.HANDOFF_REQUESTED]
    if not asked:
        return ()
    return tuple(Line(e["text"], e.get("message_id") or None, e) for e in asked[-1].payload["evidence"])


def _wants(customer: Sequence[Message]) -> tuple[Line, ...]:
    """The first thing asked and the latest, in the customer's own words."""
    spoken = [m for m in customer if len(m.text.split()) > 2] or list(customer)
    chosen = {m.id: m for m in (*spoken[:1], *spoken[-1:])}
    return tuple(Line(m.text if len(m.text) <= 280 else m.text[:279] + "…", m.id) for m in chosen.values())


def _facts(customer: Sequence[Message], products: Sequence[str]) -> tuple[Line, ...]:
    found: dict[str, Line] = {}
    longest_first = sorted(products, key=len, reverse=True)
    for message in customer:
        for address in _EMAIL.findall(message.text):
            found.setdefault(address.lower(), Line(f"E-mail {address}", message.id))
        text = _EMAIL.sub(" ", message.text)
        for number in _numbers(text):
            found.setdefault(number.lower(), Line(f"Number {number}", message.id))
        for product in longest_first:
            pattern = _in_one_or_many(product)
            if pattern.search(text):
                found.setdefault(product.lower(), Line(f"Product {product}", message.id))
                text = pattern.sub(" ", text)  # an "enamel mug" is not also a "mug"
    return tuple(found.values())


@lru_cache(maxsize=1024)
def _in_one_or_many(product: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, product.split()))
    return re.compile(rf"(?<!\w){words}(?:e?s)?(?!\w)", re.IGNORECASE)


def _numbers(text: str) -> list[str]:
    """Order, invoice and tracking numbers: what is named so, and what looks like one."""
    named = [number for said in _SAID.findall(text) for number in _ONE.findall(said)]
    return [*named, *_BARE.findall(text)]


def _tried(public: Sequence[Message]) -> tuple[Line, ...]:
    """What the bot answered, and whether the next message was still upset."""
    lines = []
    for i, message in enumerate(public):
        if message.author is not Author.BOT or not message.extra.get("title"):
            continue
        after = next((m for m in public[i + 1 :] if m.author is Author.CUSTOMER and m.reading), None)
        state = after.reading["state"] if after and after.reading else None
        helped = "no reply yet" if state is None else f"then {state}"
        lines.append(Line(f"{message.extra['title']} ({helped})", message.id))
    return tuple(lines)


def _avoid(events: Sequence[Event], public: Sequence[Message]) -> tuple[Line, ...]:
    lines = []
    titles = [m.extra["title"] for m in public if m.author is Author.BOT and m.extra.get("title")]
    for title in dict.fromkeys(t for t in titles if titles.count(t) > 1):
        lines.append(Line(f"Do not send “{title}” again: it was given {titles.count(title)} times"))
    if any(e.kind is Kind.OFFER_DECLINED for e in events):
        lines.append(Line("Declined a person once before: say briefly why you joined"))
    return tuple(lines)
