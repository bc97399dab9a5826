"""The desk: offers, transfers, promises, what each stint weighs, and who takes what

Revision ID: 0003
Revises: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)


def columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("flags", JSON, nullable=False, server_default="[]"),
        sa.Column("urgency", sa.Float(), nullable=True),
        sa.Column("queued_at", TIME, nullable=True),
        sa.Column("skill", sa.String(length=32), nullable=True),
        sa.Column("passed", JSON, nullable=False, server_default="{}"),
        sa.Column("offered_to", sa.String(length=32), nullable=True),
        sa.Column("offer_expires_at", TIME, nullable=True),
        sa.Column("transfer", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("promised_until", TIME, nullable=True),
        sa.Column("returned_reason", sa.String(length=32), nullable=True),
        sa.Column("taken_at", TIME, nullable=True),
        sa.Column("intensity", sa.Float(), nullable=False, server_default="0"),
        sa.Column("weighed_at", TIME, nullable=True),
        sa.Column("heavy_minutes", sa.Float(), nullable=False, server_default="0"),
        sa.Column("last_agent_id", sa.String(length=32), nullable=True),
        sa.Column("last_agent_at", TIME, nullable=True),
    )


def upgrade() -> None:
    with op.batch_alter_table("conversations") as batch_op:
        for column in columns():
            batch_op.add_column(column)
        batch_op.create_check_constraint(
            op.f("ck_conversations_offer"), "(offered_to is null) = (offer_expires_at is null)"
        )
        batch_op.create_check_constraint(op.f("ck_conversations_offered"), "offered_to is null or status = 'waiting'")
        batch_op.create_index("ix_conversations_offer_expires_at", ["offer_expires_at"], unique=False)
        batch_op.create_index("ix_conversations_promised_until", ["promised_until"], unique=False)
    # who waits or is held while the service is updated keeps their place and their time
    conversations = sa.table(
        "conversations",
        *(sa.column(name) for name in ("status", "queued_at", "taken_at", "weighed_at", "opened_at", "waiting_since")),
    )
    op.execute(
        sa.update(conversations)
        .where(conversations.c.status == "waiting")
        .values(queued_at=sa.func.coalesce(conversations.c.waiting_since, conversations.c.opened_at))
    )
    op.execute(
        sa.update(conversations)
        .where(conversations.c.status == "with_agent")
        .values(queued_at=conversations.c.opened_at)
    )
    with op.batch_alter_table("presence") as batch_op:
        batch_op.add_column(sa.Column("status", sa.String(length=16), nullable=False, server_default="here"))
        batch_op.add_column(sa.Column("capacity", sa.Integer(), nullable=False, server_default="3"))
        batch_op.add_column(sa.Column("skills", JSON, nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("languages", JSON, nullable=False, server_default="[]"))
        batch_op.create_check_constraint(op.f("ck_presence_status"), "status in ('here', 'away', 'leaving')")


def downgrade() -> None:
    with op.batch_alter_table("presence") as batch_op:
        batch_op.drop_constraint(op.f("ck_presence_status"), type_="check")
        for name in ("languages", "skills", "capacity", "status"):
            batch_op.drop_column(name)
    with op.batch_alter_table("conversations") as batch_op:
        batch_op.drop_index("ix_conversations_promised_until")
        batch_op.drop_index("ix_conversations_offer_expires_at")
        batch_op.drop_constraint(op.f("ck_conversations_offered"), type_="check")
        batch_op.drop_constraint(op.f("ck_conversations_offer"), type_="check")
        for column in reversed(columns()):
            batch_op.drop_column(column.name)
