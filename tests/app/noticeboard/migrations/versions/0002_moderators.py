"""moderators"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "account",
        sa.Column("moderator", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    # SQLite can drop a column only by rebuilding the table.
    with op.batch_alter_table("account") as account:
        account.drop_column("moderator")
