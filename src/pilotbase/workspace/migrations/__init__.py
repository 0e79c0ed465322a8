"""Alembic's revisions of the store. A released revision never changes; the first is released with 0.1."""
