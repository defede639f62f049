"""Alembic's entry: migrations run on the connection that `cloudlet.control.migrate` hands over."""

from __future__ import annotations

from alembic import context

from cloudlet.control.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=False,  # the caller's transaction is the transaction
    render_as_batch=True,
)
context.run_migrations()
