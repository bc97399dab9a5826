"""``warmline``: what does not serve, and what is said when it cannot."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from app import cli
from tests.serving import SMALL_SHOP

Put = Callable[..., None]


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch, nothing_blocks_the_event_loop: None) -> list[object]:
    """What would have been served; nothing is."""
    calls: list[object] = []

    async def serve(server: uvicorn.Server) -> None:
        web: Any = server.config.app
        async with web.router.lifespan_context(web):
            calls.append(server)

    monkeypatch.setattr(cli, "configure_logs", lambda _: None)  # it would outlive the test
    monkeypatch.setattr(cli.uvicorn.Server, "serve", serve)
    monkeypatch.setattr(cli.uvicorn, "run", lambda *args, **_: calls.append(args))
    return calls


@pytest.fixture
def put(clean_environment: Put) -> Put:
    clean_environment(shops=f'["{SMALL_SHOP}"]')
    return clean_environment


def run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, args)


def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str]:
    """The exit code and the words of the whole command, as a shell would have them."""
    monkeypatch.setattr(sys, "argv", ["warmline", *args])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out = capsys.readouterr()
    return left.value.code, " ".join((out.out + out.err).split())


def test_without_a_command_it_says_what_there_is() -> None:
    said = run().output
    assert all(command in said for command in ("serve", "demo", "migrate", "invite", "doctor"))


def test_migrate_makes_the_database_and_may_be_repeated(put: Put, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("migrate").exit_code == 0
    assert (tmp_path / "warmline.db").exists()


def test_invite_prints_a_link_on_the_services_own_address(put: Put) -> None:
    put(base_url="https://chat.shop.example")
    said = "".join(run("invite", "--role", "owner").output.split())
    assert "https://chat.shop.example/invitation/" in said


def test_invite_refuses_a_role_there_is_not(put: Put) -> None:
    assert run("invite", "--role", "king").exit_code == 2


def test_doctor_leaves_with_0_when_nothing_fails(put: Put) -> None:
    run("migrate")
    result = run("doctor")
    assert result.exit_code == 0
    assert "ok" in result.output


def test_doctor_leaves_with_1_when_something_fails(put: Put) -> None:
    put(environment="production")
    result = run("doctor")
    assert result.exit_code == 1
    assert "WARMLINE_SECRET_KEY" in result.output


CANNOT = {
    "no secret in production": ({"environment": "production"}, ["serve"], "WARMLINE_SECRET_KEY"),
    "several workers on SQLite": ({}, ["serve", "--workers", "2"], "PostgreSQL"),
    "the demo in production": (
        {"environment": "production", "secret_key": "k" * 30}, ["demo"], "not for production",
    ),
    "a shop that is not there": ({"shops": '["nowhere.yaml"]'}, ["serve"], "nowhere.yaml"),
    "a database that is down": ({"database_url": "postgresql://u@127.0.0.1:1/d"}, ["migrate"], "does not answer"),
    "a number that is none": ({"messages_per_minute": "many"}, ["migrate"], "WARMLINE_MESSAGES_PER_MINUTE"),
    "a list that is none": ({"shops": "shop.yaml"}, ["migrate"], "WARMLINE_SHOPS"),
    "an owner's short password": (
        {"owner_email": "o@shop.example", "owner_password": "short"}, ["serve"], "WARMLINE_OWNER_PASSWORD",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT)
def test_what_cannot_be_used_is_said_in_words_and_leaves_with_2(
    put: Put, served: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    environment, command, phrase = CANNOT[what]
    put(**environment)
    code, said = say(monkeypatch, capsys, *command)
    gc.collect()  # a connection that was left open is this test's failure, not a later one's
    assert code == 2
    assert phrase in said
    assert "Traceback" not in said
    assert served == []


def test_serve_prints_the_first_owners_link_and_serves(put: Put, served: list[object]) -> None:
    said = "".join(run("serve").output.split())
    assert "/invitation/" in said
    assert len(served) == 1


def test_demo_prints_where_to_look_and_who_to_be(put: Put, served: list[object]) -> None:
    put(base_url="http://127.0.0.1:8123")
    said = run("demo", "--port", "8123").output
    for part in ("8123/shop/", "/console/", "olga@example.com", "alice@example.com"):
        assert part in said
    assert len(served) == 1
