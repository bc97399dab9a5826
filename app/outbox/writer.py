"""What leaves the house of what has just been saved, written in the same transaction.

An ordinary turn of the bot says nothing to the outside and costs no statement here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.outbox import endpoints, outbox, unseen
from app.outbox.endpoints import ANSWER_UNSEEN, EMAIL_LEFT, KINDS
from app.outbox.mail import ANSWER, TRANSCRIPT
from app.outbox.notices import WAITING, name_of
from app.outbox.outbox import Channel, Delivery
from app.outbox.smtp import MailServer
from app.outbox.unseen import Unseen
from app.outbox.webhooks import data_of, deliveries_of
from conversations import store
from conversations.conversation import Conversation, Message
from conversations.events import Event, Kind
from conversations.lifecycle import Author, Visibility
from conversations.store import Saved

CUSTOMERS_WORDS = frozenset({Kind.HANDOFF_REQUESTED, Kind.PERSON_OFFERED})
"""Events that the customer's latest message explains."""


@dataclass(frozen=True)
class Reach:
    """By what ways people can be reached, as the settings say."""

    mail: MailServer | None = None
    unseen_after: timedelta = timedelta(minutes=2)
    """How long an answer may stay unseen in the chat before it is told by other means."""
    notify: tuple[str, ...] = field(default=(), repr=False)
    """Apprise targets."""
    notify_after: timedelta = timedelta(seconds=60)
    """How long a customer may wait before the shop's people are told."""


WAITS_AGAIN = (Kind.HANDOFF_REQUESTED, Kind.RELEASED, Kind.TRANSFERRED, Kind.RETURNED_TO_QUEUE)
"""What puts a conversation into the queue."""


class Outbox:
    """Decides what leaves, and rings when something does."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.bell = asyncio.Event()
        """Something was committed that may be due; whoever waits here looks into the table, not at the bell."""

    async def write(self, conn: AsyncConnection, saved: Sequence[Saved]) -> bool:
        """Write what must leave because of what was saved; whether anything must."""
        deliveries: list[Delivery] = []
        watching = False
        for one in saved:
            deliveries += self._notices(one) + self._transcripts(one)
            deliveries += await self._webhooks(conn, one)
            watching |= await self._watch(conn, one)
        await outbox.add(conn, deliveries)
        return watching or bool(deliveries)

    async def look(self, conn: AsyncConnection, one: Unseen, now: datetime) -> None:
        """Answers may have been unseen for long enough: tell them by other means, or look again later."""
        conversation = await store.load(conn, one.conversation_id)
        answers = unseen.answers_in(await store.transcript(conn, one.conversation_id, public_only=True), one)
        deadline = answers[0].at + self.reach.unseen_after if answers else None
        if deadline is None or deadline > now:
            await unseen.look_again(conn, one, deadline)
            return
        await outbox.add(conn, await self._told(conn, conversation, one, answers, now))
        await unseen.told(conn, one)

    def _notices(self, one: Saved) -> list[Delivery]:
        """Somebody waits: tell the shop's people in a while, unless it was taken by then."""
        return [
            Delivery.new(Channel.NOTICE, WAITING, {"target": name_of(target)}, event.at,
                         due_at=event.at + self.reach.notify_after, conversation_id=one.conversation.id)
            for event in one.events if event.kind in WAITS_AGAIN
            for target in self.reach.notify
        ]  # fmt: skip

    def _transcripts(self, one: Saved) -> list[Delivery]:
        """It is over, and the customer wanted it by mail."""
        wanted = self.reach.mail and one.conversation.wants_transcript and one.conversation.customer_email
        return [
            Delivery.new(Channel.MAIL, TRANSCRIPT, {"upto_seq": event.seq}, event.at,
                         conversation_id=one.conversation.id)
            for event in one.events if wanted and event.kind is Kind.RESOLVED
        ]  # fmt: skip

    async def _webhooks(self, conn: AsyncConnection, one: Saved) -> list[Delivery]:
        told = [(kind, event) for event in one.events if (kind := _kind_of(one.conversation, event))]
        if not told:
            return []
        to = await endpoints.wanting(conn, {kind for kind, _ in told})
        deliveries: list[Delivery] = []
        for kind, event in told if to else ():
            wanting = [endpoint for endpoint in to if kind in endpoint.kinds]
            text = await _customers_words(conn, one, event) if any(e.with_text for e in wanting) else None
            data = data_of(one.conversation, event)
            deliveries += deliveries_of(kind, data, text, event.at, wanting, one.conversation.id)
        return deliveries

    async def _watch(self, conn: AsyncConnection, one: Saved) -> bool:
        """An agent wrote: set the deadline after which the answer is told by other means, where there are any."""
        written = [m for m in one.messages if m.author is Author.AGENT and m.visibility is Visibility.PUBLIC]
        if not written:
            return False
        by_mail = self.reach.mail and one.conversation.customer_email
        if not by_mail and not await endpoints.wanting(conn, {ANSWER_UNSEEN}):
            return False
        await unseen.answered(conn, one.conversation.id, written[-1].seq, written[0].at + self.reach.unseen_after)
        return True

    async def _told(self, conn: AsyncConnection, conversation: Conversation, one: Unseen, answers: Sequence[Message],
                    now: datetime) -> list[Delivery]:  # fmt: skip
        deliveries: list[Delivery] = []
        if self.reach.mail and conversation.customer_email:
            payload = {"after_seq": max(one.seen_seq, one.told_seq), "upto_seq": one.answered_seq}
            deliveries.append(Delivery.new(Channel.MAIL, ANSWER, payload, now, conversation_id=conversation.id))
        last = answers[-1]
        event = Event(last.seq, Kind.MESSAGE_POSTED, last.author_id or "agent", {"agent_id": last.author_id}, last.at)
        text = "\n\n".join(m.text for m in answers)
        to = await endpoints.wanting(conn, {ANSWER_UNSEEN})
        data = data_of(conversation, event)
        return deliveries + deliveries_of(ANSWER_UNSEEN, data, text, now, to, conversation.id)


def _kind_of(conversation: Conversation, event: Event) -> str | None:
    """What an endpoint calls this; None for what stays inside."""
    if event.kind is Kind.CUSTOMER_NAMED and event.payload.get("email"):
        return EMAIL_LEFT
    if event.kind is Kind.CONVERSATION_OPENED and conversation.customer_email:
        return EMAIL_LEFT
    return event.kind.value if event.kind.value in KINDS else None


async def _customers_words(conn: AsyncConnection, one: Saved, event: Event) -> str | None:
    """The customer's latest message, where it explains the event."""
    if event.kind not in CUSTOMERS_WORDS:
        return None
    last = (await store.last_customer_messages(conn, [one.conversation.id])).get(one.conversation.id)
    return last.text if last else None
