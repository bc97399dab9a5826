"""The tables of the domain and the metadata that every room's tables share."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time on every engine; a naive one is refused, because it would be a guess."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are stored with a time zone; pass an aware datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("shop_id", sa.String(64), nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("assignee_id", sa.String(32)),
    sa.Column("customer_name", sa.String(120)),
    sa.Column("customer_email", sa.String(254)),
    sa.Column("customer_ref", sa.String(64)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Column("waiting_since", UtcDateTime),
    sa.Column("queue_rank", sa.Float),
    sa.Column("handoff_reason", sa.String(32)),
    sa.Column("offer_open", sa.Boolean, nullable=False),
    sa.Column("resolved_at", UtcDateTime),
    sa.Column("bot_from_seq", sa.Integer, nullable=False),
    sa.Column("wants_transcript", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("language", sa.String(8)),
    sa.Column("flags", Json, nullable=False, server_default="[]"),
    sa.Column("urgency", sa.Float),
    sa.Column("queued_at", UtcDateTime),
    sa.Column("skill", sa.String(32)),
    sa.Column("passed", Json, nullable=False, server_default="{}"),
    sa.Column("offered_to", sa.String(32)),
    sa.Column("offer_expires_at", UtcDateTime),
    sa.Column("transfer", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("promised_until", UtcDateTime),
    sa.Column("returned_reason", sa.String(32)),
    sa.Column("taken_at", UtcDateTime),
    sa.Column("intensity", sa.Float, nullable=False, server_default="0"),
    sa.Column("weighed_at", UtcDateTime),
    sa.Column("heavy_minutes", sa.Float, nullable=False, server_default="0"),
    sa.Column("last_agent_id", sa.String(32)),
    sa.Column("last_agent_at", UtcDateTime),
    sa.CheckConstraint("status in ('bot', 'waiting', 'with_agent', 'resolved')", name="status"),
    sa.CheckConstraint("(status = 'with_agent') = (assignee_id is not null)", name="assignee"),
    sa.CheckConstraint("(offered_to is null) = (offer_expires_at is null)", name="offer"),
    sa.CheckConstraint("offered_to is null or status = 'waiting'", name="offered"),
    sa.Index("ix_conversations_due_at", "due_at"),
    sa.Index("ix_conversations_customer_ref", "customer_ref"),
    sa.Index("ix_conversations_status_queue_rank", "status", "queue_rank"),
    sa.Index("ix_conversations_assignee_id", "assignee_id"),
    sa.Index("ix_conversations_offer_expires_at", "offer_expires_at"),
    sa.Index("ix_conversations_promised_until", "promised_until"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("conversation_id", sa.ForeignKey("conversations.id"), nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("author", sa.String(16), nullable=False),
    sa.Column("author_id", sa.String(32)),
    sa.Column("author_name", sa.String(120)),
    sa.Column("visibility", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("client_message_id", sa.String(64)),
    sa.Column("extra", Json, nullable=False),
    sa.Column("reading", Json),
    sa.UniqueConstraint("conversation_id", "seq"),
    sa.UniqueConstraint("conversation_id", "author", "client_message_id"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("conversation_id", sa.ForeignKey("conversations.id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(32), nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_events_kind_at", "kind", "at"),
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    sa.Column("conversation_id", sa.String(32), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("account_id", sa.String(32), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.CheckConstraint("verdict in ('right', 'too_early', 'too_late', 'not_needed')", name="verdict"),
    sa.ForeignKeyConstraint(["conversation_id", "seq"], ["events.conversation_id", "events.seq"]),
)
