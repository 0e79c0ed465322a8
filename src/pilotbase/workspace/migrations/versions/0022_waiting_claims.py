"""Claims that wait for a person keep others from the same use, as those that were granted do."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_NAME, _TABLE = "voucher_claims_once", "voucher_claims"


def upgrade() -> None:
    """Make the index anew."""
    standing = sa.text("state in ('waiting', 'granted', 'paid')")
    op.drop_index(_NAME, _TABLE)
    op.create_index(_NAME, _TABLE, ["job", "attempt"], unique=True, sqlite_where=standing, postgresql_where=standing)
