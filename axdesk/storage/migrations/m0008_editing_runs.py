"""Migration 8: what runs do on an error, and versions of what is optimised."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the columns and the table; till now runs went on, and all trials had one version."""
    for table in ("run_settings", "runs"):
        op.add_column(
            table, sa.Column("on_error", sa.String(), server_default="continue", nullable=False)
        )
    op.add_column(
        "runs", sa.Column("standing_answers_json", sa.String(), server_default="[]", nullable=False)
    )
    op.add_column(
        "trials",
        sa.Column("optimization_version", sa.Integer(), server_default="1", nullable=False),
    )
    op.create_table(
        "optimizations",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("objective", sa.String(), nullable=False),
        sa.Column("outcome_constraints_json", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "version"),
    )
