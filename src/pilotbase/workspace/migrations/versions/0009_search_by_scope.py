"""Words are indexed by the scope of their listing: a search reads nothing of what the asker cannot see."""

from alembic import op

from pilotbase.workspace import text_index

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the index of words anew."""
    text_index.rebuild(op.get_bind())
