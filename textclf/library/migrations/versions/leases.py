"""Who does a task and until when that holds, and when workers were told of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("task", sa.Column("owner", sa.Text(), server_default="", nullable=False))
    op.add_column("task", sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("task", sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True))
