"""The table of greetings."""

from pilotbase.workspace.columns import key, serial, words
from pilotbase.workspace.migrations.shorthand import make_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    make_table("tiny_greetings", serial("number"), *words(name=63), key("number"))
