"""Up to which notice a person has read everything, so that counting what is unread looks at what is new only."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "notice_floors",
        sa.Column("person", sa.String(length=63), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "organisation"),
    )
