"""Alembic's entry: runs the migrations on the connection that `schema.migrate` has opened."""

from alembic import context

_GIVEN = context.config.attributes
context.configure(connection=_GIVEN["connection"], version_table=_GIVEN["table"], transactional_ddl=True)
context.run_migrations()
