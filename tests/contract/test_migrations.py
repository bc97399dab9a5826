"""The shape of the database: built by migrations, the same as the code's own metadata."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import app.accounts
import handoff.desk
from app import migrate as migrations
from app.migrate import migrate, pending
from conversations.tables import metadata

assert app.accounts.accounts.metadata is metadata
assert handoff.desk.presence.metadata is metadata


def tables_of(url: str) -> set[str]:
    engine = migrations._engine(url)
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()


def to_base(url: str) -> None:
    engine = migrations._engine(url)
    with engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    engine.dispose()


def test_upgrade_from_empty_gives_exactly_the_tables_the_code_knows(database_url: str) -> None:
    migrate(database_url)
    engine = migrations._engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_comparing_notices_a_column_that_is_missing(database_url: str) -> None:
    migrate(database_url)
    engine = migrations._engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("alter table verdicts drop column note"))
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert [d[0] for d in differences] == ["add_column"]


def test_check_constraints_of_the_code_are_in_the_migrations(database_url: str) -> None:
    """Alembic does not compare these, so they are compared by name here."""
    migrate(database_url)
    engine = migrations._engine(database_url)
    inspector = sa.inspect(engine)
    found = {(t, c["name"]) for t in metadata.tables for c in inspector.get_check_constraints(t)}
    engine.dispose()
    wanted = {
        (name, f"ck_{name}_{c.name}" if not str(c.name).startswith("ck_") else str(c.name))
        for name, table in metadata.tables.items()
        for c in table.constraints
        if isinstance(c, sa.CheckConstraint)
    }
    assert found == wanted


def test_down_to_base_and_up_again_leaves_the_same_tables(database_url: str) -> None:
    migrate(database_url)
    before = tables_of(database_url)
    to_base(database_url)
    emptied = tables_of(database_url)
    migrate(database_url)
    assert emptied <= {"alembic_version"}
    assert tables_of(database_url) == before == {*metadata.tables, "alembic_version"}


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    before = tables_of(database_url)
    migrate(database_url)
    assert tables_of(database_url) == before


def test_pending_names_what_has_not_run_yet(database_url: str) -> None:
    assert sorted(pending(database_url)) == ["0001", "0003"]
    migrate(database_url)
    assert pending(database_url) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_several_threads_may_migrate_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [database_url] * 4))
    assert pending(database_url) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["app.migrate"])
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        list(pool.map(migrate, [database_url] * 3))
    assert pending(database_url) == []


def test_a_folder_that_is_missing_is_made_for_the_sqlite_file(tmp_path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'not' / 'yet' / 'warmline.db'}"
    migrate(url)
    assert pending(url) == []
