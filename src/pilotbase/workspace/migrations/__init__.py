"""Alembic's revisions of the store. A released revision never changes, and neither does what its shorthand makes."""
