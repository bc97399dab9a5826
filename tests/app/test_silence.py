"""What a customer writes is never in a log, whatever goes wrong."""

from pathlib import Path

import sqlalchemy as sa

from app.migrate import migrate
from tests.app.process import Process
from tests.conftest import ALICE
from tests.serving import browser, eventually, hire, inside, open_chat, session, settings_for, transcript, words

MARK = "zanzibar-umbrella"
"""In every text that is sent here, and in nothing else."""
REFUSE = "create trigger no before insert on messages begin select raise(abort, 'no'); end"


async def test_message_text_is_never_logged(tmp_path: Path, sqlite_file: Path) -> None:
    """One run with all that can go wrong: a model that fails and names the text, a write that fails, bad shapes."""
    url = f"sqlite+aiosqlite:///{sqlite_file}"
    server = Process(tmp_path, url, TEST_READER_FAILS="trouble", WARMLINE_LOG_LEVEL="DEBUG", WARMLINE_TURN_LEASE="PT1S")
    await server.start()
    try:
        async with inside(settings_for(tmp_path, url, run_worker=False)) as room, browser(server.address) as http:
            await hire(room.db, ALICE)
            alice = await session(room.db, ALICE)
            chat = await open_chat(room.db)

            async def send(text: object) -> int:
                body = words("") | {"text": text}
                return (await http.post(f"{chat.path}/messages", json=body, headers=chat.headers)).status_code

            assert await send(f"hello {MARK}") == 201
            assert await send(f"trouble {MARK}") == 201
            await eventually(lambda: _answered(room.db, chat), "an answer in spite of the failing model")
            assert await send([MARK]) == 422
            assert await send(MARK * 8000) == 422
            reply = await http.post(f"/api/conversations/{chat.id}/messages", json=words(MARK), headers=alice)
            assert reply.status_code == 409
            async with room.db.unit_of_work() as work:
                await work.conn.execute(sa.text("alter table events rename to events_gone"))
            assert await send(f"lost store {MARK}") == 503
            async with room.db.unit_of_work() as work:
                await work.conn.execute(sa.text("alter table events_gone rename to events"))
            assert await send(f"and back {MARK}") == 201
    finally:
        server.stop()
    log = server.log.read_text()
    assert "inference_failed" in log
    assert "database_unavailable" in log
    assert MARK not in log


async def _answered(db: object, chat: object) -> bool:
    return (await transcript(db, chat))[-1].author == "bot"  # type: ignore[arg-type]


async def test_a_turn_that_cannot_be_written_is_logged_without_its_text_and_tried_again(
    tmp_path: Path, sqlite_file: Path
) -> None:
    url = f"sqlite+aiosqlite:///{sqlite_file}"
    async with inside(settings_for(tmp_path, url, run_worker=False)) as room:
        chat = await open_chat(room.db)
        answer = await room.http.post(f"{chat.path}/messages", json=words(f"my {MARK}"), headers=chat.headers)
        assert answer.status_code == 201
        async with room.db.unit_of_work() as work:
            await work.conn.execute(sa.text(REFUSE))
        server = Process(tmp_path, url, WARMLINE_LOG_LEVEL="DEBUG", WARMLINE_TURN_LEASE="PT1S")
        await server.start()
        try:
            await eventually(lambda: "turn_postponed" in server.log.read_text(), "the failing turn in the log")
            async with room.db.unit_of_work() as work:
                await work.conn.execute(sa.text("drop trigger no"))
            await eventually(lambda: _answered(room.db, chat), "the second try")
        finally:
            server.stop()
    assert MARK not in server.log.read_text()


def test_migrations_leave_logging_as_it_was(tmp_path: Path) -> None:
    import logging

    before = logging.getLogger().handlers[:]
    migrate(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    assert logging.getLogger().handlers == before
