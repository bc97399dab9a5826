"""Bring the database's shape up to date."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

SCRIPTS = Path(__file__).parent.parent / "migrations"
ONE_AT_A_TIME = 7_421_063
"""PostgreSQL advisory lock: several workers may start at once."""


def _engine(url: str) -> sa.Engine:
    """A plain synchronous engine for the same database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed.set(drivername="sqlite"), connect_args={"timeout": 60})

    @sa.event.listens_for(engine, "connect")
    def _own_transactions(dbapi_connection: Any, _: Any) -> None:
        dbapi_connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _one_at_a_time(conn: sa.Connection) -> None:
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def migrate(url: str) -> None:
    """Run every migration that has not been run. Safe to call from several processes at once."""
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def pending(url: str) -> list[str]:
    """Revisions that have not been run yet."""
    engine = _engine(url)
    with engine.connect() as connection:
        done = set(MigrationContext.configure(connection).get_current_heads())
    engine.dispose()
    script = ScriptDirectory.from_config(_config())
    return [
        r.revision for r in script.walk_revisions() if r.revision not in done and script.get_current_head() not in done
    ]
