"""Migration 3: steps, parameters that are switched off, derived, or depend on a choice."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the columns and the table; till now every parameter was on and had none of these."""
    columns: tuple[sa.Column[object], ...] = (
        sa.Column("step", sa.BLOB(), server_default=sa.text("NULL"), nullable=True),
        sa.Column("is_on", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("expression", sa.String(), server_default=sa.text("NULL"), nullable=True),
    )
    for column in columns:
        op.add_column("parameters", column)
    parameter = ["parameters.experiment_id", "parameters.version", "parameters.name"]
    op.create_table(
        "parameter_dependents",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.BLOB(), nullable=True),
        sa.Column("dependent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version", "parameter"], parameter, ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version", "dependent"], parameter, ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("experiment_id", "version", "parameter", "position"),
    )
