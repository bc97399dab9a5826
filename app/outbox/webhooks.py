"""Webhooks, signed as Standard Webhooks has it: the same id on every attempt, a fresh timestamp, 410 means stop.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from app.db import Database
from app.outbox import endpoints
from app.outbox.endpoints import Endpoint
from app.outbox.errors import Failed, NoSuchEndpoint
from app.outbox.http import Answer, Poster
from app.outbox.outbox import Channel, Delivery
from conversations.conversation import Conversation
from conversations.events import Event

GONE = "The receiver answered 410 Gone, which asks for no more."
PAYLOAD = ("reason", "decided_by", "urgency", "state", "agent_id", "from_status")
"""Of an event's payload, what is told outside: reasons, kinds, numbers and ids; no names, addresses or words."""


def data_of(conversation: Conversation, event: Event) -> dict[str, Any]:
    """What an endpoint is told of an event, without anybody's words."""
    data = {
        "conversation_id": conversation.id,
        "shop_id": conversation.shop_id,
        "seq": event.seq,
        "status": conversation.status.value,
        "actor": event.actor if event.actor in ("customer", "bot", "system") else "agent",
        **{key: event.payload[key] for key in PAYLOAD if event.payload.get(key) is not None},
    }
    if event.payload.get("evidence"):
        data["evidence"] = [
            {key: line.get(key) for key in ("signal", "value", "threshold")} for line in event.payload["evidence"]
        ]
    return data


def deliveries_of(kind: str, data: dict[str, Any], text: str | None, at: datetime, to: list[Endpoint],
                  conversation_id: str | None = None) -> list[Delivery]:  # fmt: skip
    """One delivery for each endpoint; ``text`` only to those that were allowed to see it."""
    return [
        Delivery.new(
            Channel.WEBHOOK, kind,
            {"type": f"conversation.{kind}" if conversation_id else kind, "timestamp": at.isoformat(),
             "data": data | ({"text": text} if endpoint.with_text and text is not None else {})},
            at, endpoint_id=endpoint.id, conversation_id=conversation_id,
        )
        for endpoint in to
    ]  # fmt: skip


class Webhooks:
    """Carries out webhook deliveries."""

    def __init__(self, db: Database, poster: Poster) -> None:
        self._db, self._poster = db, poster

    async def deliver(self, delivery: Delivery, at: datetime) -> None:
        """One attempt. Raises Failed; an endpoint that answers 410 is disabled."""
        try:
            async with self._db.read() as conn:
                endpoint, secret = await endpoints.with_secret(conn, delivery.endpoint_id or "")
        except NoSuchEndpoint as error:
            raise Failed("The endpoint was deleted.", final=True) from error
        if endpoint.disabled_at:
            raise Failed("The endpoint is disabled.", final=True)
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":"))
        answer = await self._poster.post(endpoint.url, body.encode(), _headers(delivery.id, secret, body, at))
        if answer.status == 410:
            async with self._db.unit_of_work() as work:
                await endpoints.disable(work.conn, endpoint.id, GONE, at)
            raise Failed(GONE, final=True)
        if not 200 <= answer.status < 300:
            raise Failed(_said(answer), wait=answer.wait)


def _headers(delivery_id: str, secret: str, body: str, at: datetime) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Warmline",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(delivery_id, at, body),
    }


def _said(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"The receiver answered {answer.status}, a redirect. Give its final address."
    return f"The receiver answered {answer.status}" + (f": {answer.text}" if answer.text.strip() else ".")
