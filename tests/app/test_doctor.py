"""``warmline doctor``: each thing that can be wrong is named, with what to do."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import accounts, doctor
from app.db import Database
from app.doctor import Finding, examine
from app.live import MemoryLive
from app.outbox import endpoints, outbox
from app.outbox.endpoints import KINDS
from app.outbox.outbox import Channel, Delivery, Status
from models.catalog import Loaded
from models.rules import RulesReader
from tests.conftest import ALICE, OLGA, START
from tests.outbox.receivers import Mailbox, free_port, post_office
from tests.serving import SMALL_SHOP, hire

Put = Callable[..., None]


def look() -> dict[str, Finding]:
    return {finding.subject: finding for finding in asyncio.run(examine())}


def is_(finding: Finding, level: str, *phrases: str) -> None:
    assert finding.level == level, finding
    for phrase in phrases:
        assert phrase in finding.text


@pytest.fixture
def put(clean_environment: Put) -> Put:
    clean_environment(shops=f'["{SMALL_SHOP}"]')
    return clean_environment


def test_a_good_installation_has_nothing_to_fail(put: Put, sqlite_file: Path) -> None:
    found = look()
    assert {f.level for f in found.values()} <= {"ok", "warn"}
    is_(found["shop hazel-and-finch"], "ok", "4 answers")
    is_(found["emotion model"], "ok", "rules")
    is_(found["database"], "ok", "sqlite")


def test_settings_that_cannot_be_read_are_named_by_their_variable(put: Put) -> None:
    put(messages_per_minute=0)
    is_(look()["settings"], "fail", "WARMLINE_MESSAGES_PER_MINUTE")


def test_a_list_that_is_not_written_as_one_is_a_finding_and_no_traceback(put: Put) -> None:
    """The likeliest slip of all: the path alone, without the brackets."""
    put(shops="shop.yaml")
    is_(look()["settings"], "fail", "WARMLINE_SHOPS")


def test_production_without_a_secret_fails(put: Put) -> None:
    put(environment="production")
    is_(look()["secret key"], "fail", "WARMLINE_SECRET_KEY")


def test_a_data_folder_that_cannot_be_made_is_a_finding_and_no_traceback(put: Put, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    put(data_dir=tmp_path / "file" / "data", database_url=f"sqlite:///{tmp_path}/x.db")
    is_(look()["data folder"], "fail", "WARMLINE_DATA_DIR")


def test_a_data_folder_that_cannot_be_written_fails(
    put: Put, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != sqlite_file.parent and real(path, mode))
    is_(look()["data folder"], "fail", "WARMLINE_DATA_DIR")


def test_little_space_is_a_warning(put: Put, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 10**18)
    is_(look()["data folder"], "warn", "GB free")


def test_a_broken_shop_file_fails_with_line_and_key(put: Put, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("id: x\nname: X\nfaq: []\n")
    put(shops=f'["{path}"]')
    is_(look()["shop file"], "fail", f"{path}, line 3, key faq")


def test_a_missing_emotion_model_is_a_warning_with_its_folder(put: Put, tmp_path: Path) -> None:
    put(emotion_model=tmp_path / "no-model")
    is_(look()["emotion model"], "warn", "no-model")


def test_a_missing_encoder_is_a_warning_with_its_folder(put: Put) -> None:
    is_(look()["sentence encoder"], "warn", "no-encoder", "release")


def test_a_model_that_loads_and_then_fails_is_a_finding_and_no_traceback(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(RulesReader):
        def read(self, batch: Any) -> Any:
            raise RuntimeError("no")

    monkeypatch.setattr(doctor, "load_reader", lambda _: Loaded(Broken()))
    assert look()["emotion model"].level != "ok"


def test_migrations_that_have_not_been_run_are_a_warning(put: Put) -> None:
    is_(look()["database"], "warn", "warmline migrate")


def test_a_database_server_that_is_down_fails(put: Put) -> None:
    put(database_url="postgresql://nobody:hidden-password@127.0.0.1:1/none")
    found = look()
    is_(found["database"], "fail", "WARMLINE_DATABASE_URL")
    assert "hidden-password" not in str(found)


def test_a_file_that_is_no_database_fails(put: Put, tmp_path: Path) -> None:
    (tmp_path / "warmline.db").write_bytes(b"not a database at all" * 100)
    is_(look()["database"], "fail", "WARMLINE_DATABASE_URL")


@pytest.mark.parametrize("url", ["oracle://h/d", "mysql://h/d", "nonsense"])
def test_a_database_of_another_make_is_a_finding_and_no_traceback(put: Put, url: str) -> None:
    put(database_url=url)
    is_(look()["database"], "fail", "WARMLINE_DATABASE_URL")


def test_without_mail_and_notices_it_says_what_that_means(put: Put, sqlite_file: Path) -> None:
    found = look()
    is_(found["mail"], "ok", "not set", "WARMLINE_SMTP_URL")
    is_(found["notices"], "ok", "not set", "WARMLINE_NOTIFY_URLS")
    assert "webhooks" not in found


async def test_a_mail_server_that_takes_mail_is_good(put: Put, sqlite_file: Path) -> None:
    async with post_office(Mailbox()) as smtp:
        put(smtp_url=smtp, mail_from="Hazel <chat@shop.example>")
        is_((await asyncio.to_thread(look))["mail"], "ok", "127.0.0.1", "Hazel <chat@shop.example>")
        put(smtp_url=smtp.replace("127", "user:hidden-password@127", 1))
        found = (await asyncio.to_thread(look))["mail"]
        is_(found, "warn", "does not take mail")  # it asks for no password
        assert "hidden-password" not in found.text


def test_a_mail_server_that_is_down_is_a_warning(put: Put) -> None:
    put(smtp_url=f"smtp://user:hidden-password@127.0.0.1:{free_port()}", mail_from="chat@shop.example")
    found = look()["mail"]
    is_(found, "warn", "does not take mail", "WARMLINE_SMTP_URL")
    assert "hidden-password" not in found.text


def test_a_mail_server_without_a_sender_is_named_by_its_variable(put: Put) -> None:
    put(smtp_url="smtp://mail.example")
    is_(look()["settings"], "fail", "WARMLINE_MAIL_FROM")


def test_a_mail_server_that_cannot_be_meant_is_named_and_its_password_is_not(put: Put) -> None:
    put(smtp_url="smtps://u:hidden-password@mail.example/path", mail_from="chat@shop.example")
    found = look()["settings"]
    is_(found, "fail", "WARMLINE_SMTP_URL", "starttls")
    assert "hidden-password" not in found.text


def test_a_target_without_the_package_is_told_what_to_install(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put(notify_urls="json://127.0.0.1")
    monkeypatch.setitem(sys.modules, "apprise", None)
    is_(look()["notices"], "fail", "pip install 'warmline[notify]'")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_target_that_is_not_understood_is_named_by_its_place(put: Put) -> None:
    put(notify_urls="json://127.0.0.1, nonsense://user:hidden-password@x")
    found = look()["notices"]
    is_(found, "fail", "number 2")
    assert "hidden-password" not in found.text
    put(notify_urls="json://127.0.0.1")
    is_(look()["notices"], "ok", "1 target(s)")


def test_deliveries_that_were_given_up_are_a_warning(put: Put, sqlite_file: Path) -> None:
    async def give_up() -> None:
        db = Database(f"sqlite+aiosqlite:///{sqlite_file}", MemoryLive())
        async with db.unit_of_work() as work:
            await endpoints.add(work.conn, "https://a.example/", KINDS, False, START, allow_private=False)
            one = Delivery.new(Channel.NOTICE, "waiting", {}, START)
            await outbox.add(work.conn, [one])
            await outbox.finished(work.conn, one, Status.DEAD, START, "no")
        await db.close()

    asyncio.run(give_up())
    found = look()
    is_(found["webhooks"], "ok", "1 endpoint(s), 0 disabled")
    is_(found["deliveries"], "warn", "1 given up", "/deliveries/")


def test_an_installation_without_an_owner_is_told_how_to_get_one(put: Put, sqlite_file: Path) -> None:
    is_(look()["people"], "warn", "warmline invite --role owner")


def test_people_are_counted(put: Put, sqlite_file: Path) -> None:
    async def staff() -> None:
        db = Database(f"sqlite+aiosqlite:///{sqlite_file}", MemoryLive())
        await hire(db, OLGA, ALICE)
        await db.close()

    asyncio.run(staff())
    assert accounts.Role(OLGA.role) is accounts.Role.OWNER
    is_(look()["people"], "ok", "1 owner(s), 1 agent(s)")
