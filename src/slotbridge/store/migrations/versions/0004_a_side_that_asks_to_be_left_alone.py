"""Beside when a side said that the month is used up, until when it asked to be left alone, and when it did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("side_state") as table:
        table.add_column(sa.Column("left_alone_since", sa.DateTime(), nullable=True))
        table.add_column(sa.Column("left_alone_until", sa.DateTime(), nullable=True))
