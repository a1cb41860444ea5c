"""Migration 2: experiments say which Python runs their plugins."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the column; empty means axdesk's own Python, which ran them all till now."""
    op.add_column(
        "experiments",
        sa.Column("plugin_python", sa.String(), server_default="", nullable=False),
    )
