"""What is said to those who watch, and what still works when models or the database do not."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from app.main import create_app
from models.catalog import ARTIFACTS
from tests.app.conftest import Desk, staffed
from tests.app.scripted import BrokenEncoder, BrokenReader
from tests.serving import eventually, inside, open_chat, settings_for, transcript, words


async def ready(room: Any) -> tuple[int, dict[str, Any]]:
    answer = await room.http.get("/readyz")
    return answer.status_code, answer.json()


async def test_the_process_answers(desk: Desk) -> None:
    assert (await desk.http.get("/healthz")).json() == {"status": "ok"}


async def test_a_missing_model_is_named_and_the_service_serves(desk: Desk) -> None:
    status, said = await ready(desk)
    assert (status, said["ready"], said["database"]) == (200, False, "ok")
    assert "no-encoder" in said["problems"][0]
    assert "Restore" in said["problems"][0]


@pytest.fixture(params=["model.onnx", "calibration.json"])
def corrupt_model(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A model's folder in which one file is rubbish; the others are the shipped ones where there are any."""
    folder = tmp_path / "model"
    if (ARTIFACTS / "emotion").is_dir():
        shutil.copytree(ARTIFACTS / "emotion", folder)
    folder.mkdir(exist_ok=True)
    (folder / request.param).write_bytes(b"\x00rubbish")
    return folder


async def test_a_corrupt_model_file_is_named_and_the_rules_take_over(
    tmp_path: Path, sqlite_file: Path, corrupt_model: Path
) -> None:
    async with inside(settings_for(tmp_path, run_worker=False, emotion_model=str(corrupt_model))) as room:
        status, said = await ready(room)
    assert status == 200
    assert any(str(corrupt_model) in problem for problem in said["problems"])


async def test_a_database_without_its_tables_is_not_ready(tmp_path: Path) -> None:
    async with inside(settings_for(tmp_path, run_worker=False)) as room:
        status, said = await ready(room)
    assert (status, said["ready"]) == (503, False)
    assert "does not answer" in said["database"]


async def test_a_database_file_that_was_taken_away_is_not_ready(desk: Desk, sqlite_file: Path) -> None:
    assert (await ready(desk))[0] == 200
    for file in sqlite_file.parent.glob("warmline.db*"):
        file.unlink()
    assert (await ready(desk))[0] == 503


async def test_nothing_is_acknowledged_once_the_database_file_is_gone(desk: Desk, sqlite_file: Path) -> None:
    """What would be written to a file without a name is lost with the process."""
    await ready(desk)
    for file in sqlite_file.parent.glob("warmline.db*"):
        file.unlink()
    answer = await desk.http.post(f"{desk.cora.path}/messages", json=words("hello"), headers=desk.cora.headers)
    assert answer.status_code == 503


async def test_a_database_server_that_is_down_is_not_ready(tmp_path: Path) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    async with inside(settings_for(tmp_path, url, run_worker=False)) as room:
        status, said = await ready(room)
    assert (status, said["ready"]) == (503, False)


async def test_a_database_that_is_gone_is_said_in_words_to_customers(tmp_path: Path) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    async with inside(settings_for(tmp_path, url, run_worker=False)) as room:
        answer = await room.http.post("/api/chat/conversations", json={"shop": "hazel-and-finch"})
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert "try again" in answer.json()["detail"]
    assert answer.headers["Retry-After"]


async def test_a_service_whose_database_comes_back_is_ready_again(desk: Desk) -> None:
    async with desk.db.unit_of_work() as work:
        await work.conn.execute(sa.text("alter table conversations rename to away"))
    assert (await ready(desk))[0] == 503
    async with desk.db.unit_of_work() as work:
        await work.conn.execute(sa.text("alter table away rename to conversations"))
    assert (await ready(desk))[0] == 200


BROKEN = {"reader": {"reader": BrokenReader()}, "encoder": {"encoder": BrokenEncoder()}, "neither": {}}


@pytest.mark.parametrize("broken", BROKEN)
async def test_without_models_a_customer_who_asks_still_reaches_a_person(
    tmp_path: Path, sqlite_file: Path, broken: str
) -> None:
    models = BROKEN[broken]
    async with inside(settings_for(tmp_path), **models) as room:  # type: ignore[arg-type]
        if "encoder" in models:
            models["encoder"].broken = True  # type: ignore[attr-defined]
        desk = await staffed(room)
        body = words("I want to talk to a person")
        await room.http.post(f"{desk.cora.path}/messages", json=body, headers=desk.cora.headers)

        async def waits() -> bool:
            view = (await room.http.get("/api/desk", headers=desk.alice)).json()
            return [card["id"] for card in view["waiting"]] == [desk.cora.id]

        await eventually(waits, "the customer in the queue")


async def test_an_encoder_that_fails_does_not_send_routine_questions_to_people(
    tmp_path: Path, sqlite_file: Path
) -> None:
    encoder = BrokenEncoder()
    async with inside(settings_for(tmp_path), encoder=encoder) as room:
        encoder.broken = True
        chat = await open_chat(room.db)
        await room.http.post(f"{chat.path}/messages", json=words("do you wrap gifts?"), headers=chat.headers)

        async def answered() -> bool:
            return (await transcript(room.db, chat))[-1].author != "customer"

        await eventually(answered, "an answer")
        assert [m.author for m in await transcript(room.db, chat)] == ["bot", "customer", "bot"]


async def test_metrics_count_and_name_nobody(desk: Desk) -> None:
    await desk.http.post(f"{desk.cora.path}/messages", json=words("zebra crossing"), headers=desk.cora.headers)
    metrics = (await desk.http.get("/metrics")).text
    assert 'warmline_messages_total{author="customer"}' in metrics
    for private in ("zebra", desk.cora.id, "Cora", "Alice"):
        assert private not in metrics


async def test_every_answer_carries_the_security_headers(desk: Desk) -> None:
    for path in ("/healthz", "/api/desk", "/nowhere"):
        assert (await desk.http.get(path)).headers["X-Content-Type-Options"] == "nosniff"


def test_the_app_is_not_built_on_a_secret_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="WARMLINE_SECRET_KEY"):
        create_app(settings_for(tmp_path, environment="production", secret_key="changeme"))


def test_the_url_of_the_database_keeps_its_password_out_of_sight() -> None:
    assert "pw" not in make_url("postgresql+psycopg://u:pw@h/d").render_as_string()
