"""How often a task was begun, and when a prediction was first accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("task", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("prediction", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE prediction SET accepted_at = made_at WHERE decision = 'accept'")
    op.create_index("ix_prediction_accepted_at", "prediction", ["accepted_at"])
