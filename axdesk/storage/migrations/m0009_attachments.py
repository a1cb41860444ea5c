"""Migration 9: trials have files."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the table; till now no trial has a file."""
    op.create_table(
        "attachments",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("attached_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "trial_index", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "trial_index"],
            ["trials.experiment_id", "trials.trial_index"],
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
