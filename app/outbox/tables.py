"""The tables of the outbox; they share the metadata of the domain's."""

import sqlalchemy as sa

from conversations.tables import Json, UtcDateTime, metadata

endpoints = sa.Table(
    "endpoints",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("url", sa.String(2000), nullable=False),
    sa.Column("secret", sa.String(80), nullable=False),
    sa.Column("kinds", Json, nullable=False),
    sa.Column("with_text", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("disabled_at", UtcDateTime),
    sa.Column("disabled_reason", sa.String(200)),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(48), nullable=False),
    sa.Column("endpoint_id", sa.ForeignKey("endpoints.id", ondelete="CASCADE")),
    sa.Column("conversation_id", sa.ForeignKey("conversations.id", ondelete="CASCADE")),
    sa.Column("payload", Json, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("last_error", sa.String(500)),
    sa.CheckConstraint("channel in ('webhook', 'mail', 'notice')", name="channel"),
    sa.CheckConstraint("status in ('pending', 'sent', 'not_needed', 'dead')", name="status"),
    sa.CheckConstraint("(status = 'pending') = (due_at is not null)", name="due"),
    sa.Index("ix_outbox_due_at", "due_at"),
    sa.Index("ix_outbox_created_at", "created_at"),
    sa.Index("ix_outbox_endpoint_id", "endpoint_id"),
)

unseen_answers = sa.Table(
    "unseen_answers",
    metadata,
    sa.Column("conversation_id", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("answered_seq", sa.Integer, nullable=False),
    sa.Column("seen_seq", sa.Integer, nullable=False),
    sa.Column("told_seq", sa.Integer, nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Index("ix_unseen_answers_due_at", "due_at"),
)
