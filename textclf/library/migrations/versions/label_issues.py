"""Doubts about decisions, and the maximum error that held for a prediction."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the column."""
    op.add_column("prediction", sa.Column("max_error", sa.Double(), nullable=True))
    op.create_table(
        "label_issue",
        sa.Column("document_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.id"], name="fk_label_issue_decision_id_decision"),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_label_issue_document_id_document"),
        sa.PrimaryKeyConstraint("document_id", name="pk_label_issue"),
    )
