"""Lists of one state and sector read rows of that state and sector only: what is hidden costs a visitor no time."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the index."""
    op.create_index("listings_state_sector", "listings", ["kind", "state", "sector", "sequence"], unique=False)
