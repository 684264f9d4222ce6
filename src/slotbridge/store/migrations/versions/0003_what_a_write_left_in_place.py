"""Beside the ranges that a write of ours took away, those that it left in their place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("rescue") as table:
        table.add_column(sa.Column("left", sa.JSON(), nullable=True))
