"""What the ledger and the match keep as rows."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
