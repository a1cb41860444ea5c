"""Migration 7: that an experiment's plugins passed a dry test is remembered."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the table; till now nobody knows of a test."""
    op.create_table(
        "passed_tests",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("tested_at", sa.String(), nullable=False),
        sa.Column("plugins", sa.String(), nullable=False),
        sa.Column("hashes", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
