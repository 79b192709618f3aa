"""How alembic runs here: on the connection that db.postgres.migrate hands over, or as SQL text for a DBA (`--sql`)."""

from alembic import context

from db.tables import metadata

connection = context.config.attributes.get("connection")

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
elif connection is None:
    raise RuntimeError("run the migrations through db.postgres.migrate")
else:
    # Defaults are left out: alembic compares them by `=`, which json does not have. tests/db/test_migrations.py sees them.
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=False)

with context.begin_transaction():
    context.run_migrations()
