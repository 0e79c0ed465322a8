"""Alembic's revisions of the store. A released revision never changes, nor does what the shorthand of columns makes."""
