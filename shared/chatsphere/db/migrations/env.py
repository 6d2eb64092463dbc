"""Alembic's entry: applies all missing revisions in one transaction, or none of them."""

from alembic import context
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool


def run() -> None:
    """Apply the revisions that `chatsphere.db.migrate` asked for."""
    parameters = conninfo_to_dict(context.config.attributes["url"])
    engine = create_engine(URL.create("postgresql+psycopg"), connect_args=parameters, poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            # A revision that cannot have its lock gives up rather than queue every request behind it.
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = '10min'")
            context.run_migrations()


run()
