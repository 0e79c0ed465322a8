"""Terms of use: datasets and agreements as they stand, and the ledger of uses."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "datasets",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("opening", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "agreements",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("dataset", sa.String(length=200), nullable=False),
        sa.Column("assigner", sa.String(length=120), nullable=False),
        sa.Column("assignee", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=True),
        sa.Column("ends", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("agreements_of", "agreements", ["dataset", "assignee"], unique=False)
    op.create_index("agreements_ending", "agreements", ["state", "ends"], unique=False)
    op.create_table(
        "uses",
        sa.Column("ground", sa.String(length=200), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in _WORDS),
        sa.Column("cell_size", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS),
        sa.CheckConstraint("epsilon >= 0 and rows >= 0", name="uses_spend"),
        sa.PrimaryKeyConstraint("ground", "place"),
    )
    op.create_index("uses_once", "uses", ["ground", "request"], unique=True)
    op.create_index("uses_target", "uses", ["target", "used_at"], unique=False)
    op.create_index("uses_organisation", "uses", ["organisation", "used_at"], unique=False)


_WORDS = (
    ("request", 71),
    ("target", 200),
    ("version", 71),
    ("action", 40),
    ("organisation", 120),
    ("person", 63),
    ("purpose", 200),
    ("recipient", 120),
    ("channel", 40),
)
_NUMBERS = ("epsilon", "rows", "epsilon_so_far", "rows_so_far", "used_at")
