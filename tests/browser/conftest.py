"""One browser and one server for all browser tests; every test gets an empty shop and windows of its own."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from conversations.tables import metadata
from tests.browser.stage import Served, Stage
from tests.conftest import ALICE, BOB, OLGA, open_database
from tests.serving import hire

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NO_CHROMIUM = "No chromium: not run are the tests of the whole escalation, the chat, the staff's pages, and axe."


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(NO_CHROMIUM)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    server = Served(tmp_path_factory.mktemp("served"))
    try:
        await server.start()
        yield server
    finally:
        server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(served: Served, chromium: Browser) -> AsyncIterator[Stage]:
    """An empty shop with Alice and Bob as agents and Olga as the owner."""
    async with open_database(served.database) as db:
        async with db.unit_of_work() as work:
            for table in reversed(metadata.sorted_tables):
                await work.conn.execute(table.delete())
        await hire(db, ALICE, BOB, OLGA)
        async with Stage(served.address, db, chromium) as stage:
            yield stage
    assert stage.problems == []


@pytest.fixture(autouse=True)
def nothing_blocks_the_event_loop() -> None:
    """Not watched here: the server is a process of its own, and this loop only plays people."""
