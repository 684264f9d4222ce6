"""Beside a pair's last attempt, what Bitrix24 held when it was last known, in short."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("pair_state") as table:
        table.add_column(sa.Column("bitrix24_digest", sa.String(), nullable=True))
