"""Settings: what production refuses, what development makes for itself."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.config import ConfigError, Settings, signing_key
from app.main import reach_of


def settings(folder: Path, **more: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **more)  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("key", ["", "changeme", "CHANGETHIS", "secret", "x" * 23], ids=repr)
def test_production_refuses_a_secret_that_is_none(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=r"WARMLINE_SECRET_KEY.*token_urlsafe"):
        signing_key(settings(tmp_path, environment="production", secret_key=key))


def test_production_takes_a_real_secret(tmp_path: Path) -> None:
    assert signing_key(settings(tmp_path, environment="production", secret_key="k" * 24)) == "k" * 24


def test_production_writes_no_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        signing_key(settings(tmp_path, environment="production"))
    assert list(tmp_path.iterdir()) == []


def test_development_makes_a_secret_and_keeps_it(tmp_path: Path) -> None:
    first = signing_key(settings(tmp_path / "new"))
    assert len(first) >= 24
    assert signing_key(settings(tmp_path / "new")) == first


def test_the_kept_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    signing_key(settings(tmp_path))
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_an_empty_secret_file_is_not_taken_as_a_secret(tmp_path: Path) -> None:
    """As a crash between making and writing it would leave it: anyone could sign with nothing."""
    (tmp_path / "secret.key").touch()
    assert len(signing_key(settings(tmp_path))) >= 24


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    assert signing_key(settings(tmp_path / "a")) != signing_key(settings(tmp_path / "b"))


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
    ],
)
def test_a_plain_database_url_gets_its_driver(tmp_path: Path, given: str, used: str) -> None:
    assert settings(tmp_path, database_url=given).database == used


def test_without_a_database_url_a_file_in_the_data_folder_is_used(tmp_path: Path) -> None:
    assert settings(tmp_path).database == f"sqlite+aiosqlite:///{tmp_path}/warmline.db"


def test_the_environment_is_read_under_its_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WARMLINE_BASE_URL", "https://chat.shop.example")
    assert settings(tmp_path).is_https


def test_secrets_are_not_shown_when_settings_are_printed(tmp_path: Path) -> None:
    printed = repr(settings(tmp_path, secret_key="very-secret-key", owner_password="very-secret-password"))
    assert "very-secret" not in printed


def test_addresses_with_secrets_in_them_are_not_shown_either(tmp_path: Path) -> None:
    given = {"smtp_url": "smtp://u:very-secret@h", "mail_from": "a@b.example", "notify_urls": "json://very-secret"}
    assert "very-secret" not in repr(settings(tmp_path, **given))
    assert "very-secret" not in repr(reach_of(settings(tmp_path, **given)))


def test_settings_cannot_be_changed_after_they_were_read(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings(tmp_path).base_url = "http://elsewhere.example"  # type: ignore[misc]


def test_a_limit_below_one_message_a_minute_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="messages_per_minute"):
        settings(tmp_path, messages_per_minute=0)


@pytest.mark.parametrize(("written", "meant"), [("20", 20.0), ("2.5", 2.5), ("PT20S", 20.0)])
def test_durations_may_be_written_as_seconds(monkeypatch: pytest.MonkeyPatch, written: str, meant: float) -> None:
    monkeypatch.setenv("WARMLINE_TURN_LEASE", written)
    monkeypatch.setenv("WARMLINE_MODEL_TIMEOUT", written)
    settings = Settings(_env_file=None)
    assert (settings.turn_lease.total_seconds(), settings.model_timeout.total_seconds()) == (meant, meant)
