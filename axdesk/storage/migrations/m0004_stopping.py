"""Migration 4: runs say which trials they stop early, and when they end before their budget."""

import sqlalchemy as sa
from alembic import op

_COLUMNS: tuple[tuple[str, type[sa.Double[float]] | type[sa.Integer]], ...] = (
    ("early_percentile", sa.Double),
    ("early_threshold", sa.Double),
    ("early_min_progression", sa.Double),
    ("early_max_progression", sa.Double),
    ("early_min_curves", sa.Integer),
    ("early_best_protected", sa.Integer),
    ("global_target", sa.Double),
    ("global_improvement_bar", sa.Double),
    ("global_stagnation", sa.Integer),
    ("global_window_size", sa.Integer),
    ("global_min_trials", sa.Integer),
)


def upgrade() -> None:
    """Add the columns; NULL means neither, as it was till now."""
    for table in ("run_settings", "runs"):
        for name, kind in _COLUMNS:
            op.add_column(table, sa.Column(name, kind(), server_default=sa.text("NULL")))
