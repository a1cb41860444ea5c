"""Migration 5: several objectives, targets, and limits relative to the baseline."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Add the columns; what was stored till now has one objective and absolute limits.

    In drafts several goals were added up. Now each is an objective of its own unless it has a
    weight, so those without one get the weight 1 that they had.
    """
    op.add_column(
        "objective_terms", sa.Column("objective", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "objective_terms",
        sa.Column("target", sa.Double(), server_default=sa.text("NULL"), nullable=True),
    )
    op.add_column(
        "outcome_constraints",
        sa.Column("baseline", sa.Double(), server_default="0", nullable=False),
    )
    op.execute(
        """
        WITH goals AS (
            SELECT experiment_id, "row" FROM drafts
            WHERE section = 'objectives' AND field = 'goal' AND text IN ('maximise', 'minimise')
        )
        INSERT OR IGNORE INTO drafts (experiment_id, section, "row", field, text)
        SELECT experiment_id, 'objectives', "row", 'weight', '1' FROM goals g
        WHERE (SELECT count(*) FROM goals o WHERE o.experiment_id = g.experiment_id) > 1
        """
    )
