"""The ledger: what services came by, CPU time, supports and worth of scenarios; the change feed read by kind.

Records that stand there get supports, worth and CPU time with their next step.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns, and the index by which a reader of the feed finds the kinds that it is for."""
    for name in ("served", "warned", "stopped"):
        op.add_column("journeys", sa.Column(f"{name}_at", sa.BigInteger(), nullable=True))
    op.add_column("journeys", sa.Column("cpu_ms", sa.BigInteger(), nullable=True))
    op.add_column("journeys", sa.Column("supports", sa.Integer(), nullable=False, server_default="0"))
    for name in ("potential", "maturity", "driving_effect"):
        op.add_column("journeys", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("changes_kind", "changes", ["kind", "sequence"], unique=False)
