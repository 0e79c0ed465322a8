"""Claims that wait for a person keep others from the same use, as those that were granted do."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_STANDING = sa.text("state in ('waiting', 'granted', 'paid')")


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("voucher_claims_once", "voucher_claims")
    op.create_index(
        "voucher_claims_once",
        "voucher_claims",
        ["job", "attempt"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
