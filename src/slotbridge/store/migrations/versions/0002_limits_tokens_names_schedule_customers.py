"""Limits kept over a restart, OAuth tokens, names, the daemon's schedule, customers on their way to the wait list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _limits()
    _tokens()
    _names()
    _schedule()
    _customers()
    with op.batch_alter_table("pair_state") as table:
        table.add_column(sa.Column("first_error", sa.String(), nullable=True))


def _limits() -> None:
    op.create_table(
        "request_count",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "side", name=op.f("pk_request_count")),
    )
    counted = "INSERT INTO request_count SELECT strftime('%Y-%m', started_at)"
    op.execute(f"{counted}, 'bitrix24', SUM(bitrix24_requests) FROM run GROUP BY 1")
    op.execute(f"{counted}, 'reservekit', SUM(reservekit_requests) FROM run GROUP BY 1")
    op.create_table(
        "side_state",
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("bucket_empty_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("closed_reason", sa.String(), nullable=True),
        sa.Column("spent_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("side", name=op.f("pk_side_state")),
    )


def _tokens() -> None:
    op.create_table(
        "oauth_token",
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("access_token", sa.String(), nullable=False),
        sa.Column("refresh_token", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.Column("stored_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_oauth_token")),
    )


def _names() -> None:
    op.create_table(
        "profile",
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("bitrix24", sa.JSON(), nullable=False),
        sa.Column("reservekit", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_profile")),
    )
    op.create_table(
        "rescue",
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("resource_id", sa.Integer(), nullable=False),
        sa.Column("ranges", sa.JSON(), nullable=False),
        sa.Column("noted_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_rescue")),
    )


def _schedule() -> None:
    op.create_table(
        "schedule",
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pair", name=op.f("pk_schedule")),
    )


def _customers() -> None:
    op.create_table(
        "moved_customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.String(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("waitlist_id", sa.Integer(), nullable=True),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moved_customer")),
    )
    op.create_index(op.f("ix_moved_customer_booking_id"), "moved_customer", ["booking_id"], unique=True)
    op.create_index(op.f("ix_moved_customer_pair"), "moved_customer", ["pair"])
