"""Migration 6: when the model takes over can be said in more detail."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the columns; till now half of the initial design had to have results, and all counted."""
    op.add_column(
        "generation_settings",
        sa.Column(
            "min_observed_initialization_trials",
            sa.Integer(),
            server_default=sa.text("NULL"),
            nullable=True,
        ),
    )
    op.add_column(
        "generation_settings",
        sa.Column(
            "use_existing_trials_for_initialization",
            sa.Boolean(),
            server_default="1",
            nullable=False,
        ),
    )
