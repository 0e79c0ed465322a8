"""Alembic's revisions of the estate's tables; they run after those of the store."""
