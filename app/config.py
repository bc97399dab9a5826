"""Settings: read once from the environment (``WARMLINE_*``), then passed down as plain values."""

import os
import secrets
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from app.outbox.smtp import mail_server

DEMO_SHOP = Path(__file__).parent / "shops" / "demo.yaml"
PLACEHOLDERS = frozenset({"", "changeme", "changethis", "secret", "placeholder"})
SHORTEST_SECRET = 24


class ConfigError(Exception):
    """The settings cannot be used; the message names the variable and what to do."""


class Settings(BaseSettings):
    """Everything that can be set from outside."""

    model_config = SettingsConfigDict(env_prefix="WARMLINE_", env_file=".env", extra="ignore", frozen=True)

    environment: Literal["development", "production"] = "development"
    database_url: str = ""
    """SQLite (``sqlite:///path``) or PostgreSQL (``postgresql://...``); empty: a file in ``data_dir``."""
    data_dir: Path = Path("data")
    shops: tuple[Path, ...] = (DEMO_SHOP,)
    secret_key: SecretStr = SecretStr("")
    """Signs customers' tokens. In development one is made and kept in ``data_dir``."""
    base_url: str = "http://127.0.0.1:8000"
    frame_ancestors: str = "*"
    """Where the chat may be embedded: a CSP source list, such as ``https://shop.example``."""
    emotion_model: str = "shipped"
    """``shipped``, ``rules``, or a folder with an exported network."""
    encoder_model: str = "shipped"
    owner_email: str = ""
    owner_password: SecretStr = SecretStr("")
    run_worker: bool = True
    turn_lease: timedelta = timedelta(seconds=20)
    """How long a claimed turn may take before another worker tries it again."""
    model_timeout: timedelta = timedelta(seconds=5)
    messages_per_minute: int = Field(60, ge=1)
    """A customer's limit; beyond it 429 with Retry-After."""
    openings_per_minute: int = Field(30, ge=1)
    """New conversations from one address."""
    identity_key: SecretStr = SecretStr("")
    """Shared with the shop's server, which signs its customers' ids with it; empty: no customer is known."""
    smtp_url: SecretStr = SecretStr("")
    """Where mail is handed in: ``smtp://user:password@host:587?starttls=1`` or ``smtps://...``; empty: no mail."""
    mail_from: str = Field("", validate_default=True)
    """From whom mail comes: ``hello@shop.example`` or ``Shop <hello@shop.example>``."""
    unseen_after: timedelta = timedelta(minutes=2)
    """How long an agent's answer may stay unseen in the chat before it goes by mail."""
    notify_urls: SecretStr = SecretStr("")
    """Whom to tell that somebody waits: Apprise addresses, separated by commas."""
    notify_after: timedelta = timedelta(seconds=60)
    """How long a customer may wait before they are told."""
    webhook_allow_private: bool = False
    """Whether webhooks may go to plain http and into private networks."""
    delivery_timeout: timedelta = timedelta(seconds=30)
    """How long one attempt to deliver may take; after twice this another worker tries it again."""
    log_level: str = "INFO"

    @field_validator("database_url")
    @classmethod
    def _with_async_driver(cls, url: str) -> str:
        for plain, driver in (
            ("sqlite:///", "sqlite+aiosqlite:///"),
            ("postgresql://", "postgresql+psycopg://"),
            ("postgres://", "postgresql+psycopg://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @field_validator("smtp_url")
    @classmethod
    def _usable_server(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value():
            mail_server(url.get_secret_value(), "")
        return url

    @field_validator("mail_from")
    @classmethod
    def _with_server(cls, sender: str, info: ValidationInfo) -> str:
        server = info.data.get("smtp_url")
        if server and server.get_secret_value() and "@" not in parseaddr(sender)[1]:
            raise ValueError("with WARMLINE_SMTP_URL, set the address that mail comes from")
        return sender

    @field_validator("turn_lease", "model_timeout", "unseen_after", "notify_after", "delivery_timeout", mode="before")
    @classmethod
    def _in_seconds(cls, value: object) -> object:
        """A plain number from the environment is seconds; durations such as PT20S are taken as well."""
        return float(value) if isinstance(value, str) and value.replace(".", "", 1).isdecimal() else value

    @property
    def database(self) -> str:
        """The database URL with its asynchronous driver."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'warmline.db'}"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the service over HTTPS, so that cookies may be marked secure."""
        return self.base_url.startswith("https://")


def read_settings() -> Settings:
    """The settings of the environment. Raises ConfigError naming every variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"WARMLINE_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigError("; ".join(problems)) from error
    except SettingsError as error:
        raise ConfigError(f"{error}. Lists are written as JSON, such as WARMLINE_SHOPS='[\"shop.yaml\"]'") from error


def signing_key(settings: Settings) -> str:
    """The key that signs tokens. Raises ConfigError in production without a real one."""
    key = settings.secret_key.get_secret_value()
    if settings.environment == "production":
        if key.lower() in PLACEHOLDERS or len(key) < SHORTEST_SECRET:
            raise ConfigError(
                "WARMLINE_SECRET_KEY is missing, too short or a placeholder. Set it to at least "
                f"{SHORTEST_SECRET} random characters, for example from: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return key
    return key or _kept_key(settings.data_dir / "secret.key")


def _kept_key(path: Path) -> str:
    """The key in ``path``, made anew when it is missing or was only half written."""
    if path.exists() and len(key := path.read_text(encoding="ascii").strip()) >= SHORTEST_SECRET:
        return key
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.touch(mode=0o600)
    partial.write_text(secrets.token_urlsafe(32), encoding="ascii")
    partial.replace(path)
    return path.read_text(encoding="ascii").strip()
