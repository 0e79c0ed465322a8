"""Lists are cut, counted and searched by indices alone: the scope of each listing, and the pairs of its characters."""

import sqlalchemy as sa
from alembic import op

from pilotbase.workspace import text_index

revision = "0008"
down_revision = "0007"

SCOPE = """UPDATE listings SET scope = (SELECT documents.scope FROM documents
           WHERE documents.digest = listings.digest AND documents.owner = listings.owner)"""
FTS = """CREATE VIRTUAL TABLE listing_search USING
         fts5(terms, content='', columnsize=0, detail=full, tokenize='ascii')"""


def upgrade() -> None:
    """Add the scope, order the indices by it, and index the words of what is there."""
    op.add_column("listings", sa.Column("scope", sa.String(length=10), nullable=False, server_default="base"))
    op.execute(SCOPE)
    for name in ("kind", "state", "state_sector", "sector"):
        op.drop_index(f"listings_{name}", "listings")
    op.create_index("listings_kind", "listings", ["kind", "scope", "sequence", "state", "sector", "action"])
    op.create_index("listings_state", "listings", ["kind", "scope", "state", "sequence", "sector", "action"])
    op.create_index("listings_owner", "listings", ["owner", "kind", "sequence"])
    op.create_index("listings_sequence", "listings", ["sequence"], unique=True)
    op.create_index("document_parties_of", "document_parties", ["organisation", "digest", "owner"])
    _make_search(op.get_bind())


def _make_search(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        op.create_table(
            "listing_search",
            sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("terms", sa.ARRAY(sa.Text()), nullable=False),
            sa.PrimaryKeyConstraint("sequence"),
        )
        op.create_index("listing_search_terms", "listing_search", ["terms"], postgresql_using="gin")
    else:
        op.execute(FTS)
    text_index.rebuild(connection)  # a copy of what stands in listings: made by the code that reads it
