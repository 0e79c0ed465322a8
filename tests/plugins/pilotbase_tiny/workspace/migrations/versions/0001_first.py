"""The table of greetings."""

from pilotbase.workspace.migrations.shorthand import key, make_table, serial, words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    make_table("tiny_greetings", serial("number"), *words(name=63), key("number"))
