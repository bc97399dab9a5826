"""``warmline doctor``: what is wrong with an installation, and what to do about it."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy.exc
from sqlalchemy.ext.asyncio import AsyncConnection

from app import accounts
from app.config import ConfigError, Settings, read_settings, signing_key
from app.db import Database
from app.live import MemoryLive
from app.migrate import pending
from app.outbox import endpoints, outbox
from app.outbox.errors import Failed
from app.outbox.notices import AppriseMissing, is_understood, targets_in
from app.outbox.outbox import Status
from app.outbox.smtp import mail_server
from app.shop import ShopError, load_shop
from models.base import Utterance
from models.catalog import load_encoder, load_reader

LITTLE_SPACE = 500_000_000
"""Bytes of free disk below which it is said."""
MAIL_PATIENCE = 10.0
"""Seconds in which the mail server must answer."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    text: str


async def examine() -> list[Finding]:
    """Look at everything, in the order in which it would stop the service."""
    python = Finding("ok" if sys.version_info >= (3, 11) else "fail", "python", sys.version.split()[0])
    try:
        settings = read_settings()
    except ConfigError as error:
        return [python, Finding("fail", "settings", str(error))]
    found = [python]
    for look in (_secret, _data_dir, _shops, _reader, _encoder):
        found += look(settings)
    found += await _mail(settings) + await asyncio.to_thread(_notices, settings)
    return found + await _database(settings)


def _secret(settings: Settings) -> list[Finding]:
    try:
        signing_key(settings)
    except (ConfigError, OSError) as error:
        return [Finding("fail", "secret key", str(error))]
    return [Finding("ok", "secret key", f"good for {settings.environment}")]


def _data_dir(settings: Settings) -> list[Finding]:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return [Finding("fail", "data folder", f"{folder} cannot be made ({error.strerror}); set WARMLINE_DATA_DIR")]
    if not os.access(folder, os.W_OK):
        return [Finding("fail", "data folder", f"{folder} cannot be written; change its owner or WARMLINE_DATA_DIR")]
    free = shutil.disk_usage(folder).free
    level: Literal["ok", "warn"] = "ok" if free > LITTLE_SPACE else "warn"
    return [Finding(level, "data folder", f"{folder}, {free / 1e9:.1f} GB free")]


def _shops(settings: Settings) -> list[Finding]:
    findings = []
    for path in settings.shops:
        try:
            shop = load_shop(path)
            findings.append(Finding("ok", f"shop {shop.id}", f"{len(shop.faq)} answers"))
        except ShopError as error:
            findings.append(Finding("fail", "shop file", str(error)))
    return findings


def _reader(settings: Settings) -> list[Finding]:
    loaded = load_reader(settings.emotion_model)
    return [_model("emotion model", loaded.problem, lambda: loaded.model.read([Utterance("hello")])[0].model)]


def _encoder(settings: Settings) -> list[Finding]:
    loaded = load_encoder(settings.encoder_model)
    model = loaded.model
    return [
        _model(
            "sentence encoder",
            loaded.problem,
            lambda: f"{model.encode(['hello']).shape[1]} dimensions" if model else "",
        )
    ]


def _model(subject: str, problem: str | None, run: Callable[[], str]) -> Finding:
    if problem:
        return Finding("warn", subject, problem)
    try:
        return Finding("ok", subject, run())
    except Exception as error:  # a model may fail in any way, and that is what is asked here
        return Finding("warn", subject, f"fails when it is run ({type(error).__name__}); restore it from the release")


async def _mail(settings: Settings) -> list[Finding]:
    url = settings.smtp_url.get_secret_value()
    if not url:
        return [Finding("ok", "mail", "not set: answers reach customers in the chat only (WARMLINE_SMTP_URL)")]
    server = mail_server(url, settings.mail_from)
    try:
        await server.check(MAIL_PATIENCE)
    except Failed as error:
        said = f"{server.host}:{server.port} does not take mail ({error}); check WARMLINE_SMTP_URL"
        return [Finding("warn", "mail", said)]
    if server.password and server.starttls is False:
        return [Finding("warn", "mail", f"{server.host}: the password is sent without TLS; set ?starttls=1")]
    return [Finding("ok", "mail", f"{server.host}:{server.port}, from {server.sender}")]


def _notices(settings: Settings) -> list[Finding]:
    targets = targets_in(settings.notify_urls.get_secret_value())
    if not targets:
        return [Finding("ok", "notices", "not set: nobody is told that a customer waits (WARMLINE_NOTIFY_URLS)")]
    try:
        unknown = [number for number, target in enumerate(targets, 1) if not is_understood(target)]
    except AppriseMissing as error:
        return [Finding("fail", "notices", str(error))]
    if unknown:
        numbers = ", ".join(map(str, unknown))
        return [Finding("fail", "notices", f"Apprise does not understand number {numbers} of WARMLINE_NOTIFY_URLS")]
    return [Finding("ok", "notices", f"{len(targets)} target(s)")]


async def _webhooks(conn: AsyncConnection) -> list[Finding]:
    known, counts = await endpoints.everyone(conn), await outbox.counts(conn)
    disabled = sum(endpoint.disabled_at is not None for endpoint in known)
    found = [Finding("ok", "webhooks", f"{len(known)} endpoint(s), {disabled} disabled")] if known else []
    if dead := counts[Status.DEAD]:
        found.append(Finding("warn", "deliveries", f"{dead} given up: the owner can replay them at /deliveries/"))
    return found


async def _database(settings: Settings) -> list[Finding]:
    try:
        waiting = pending(settings.database)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, OSError) as error:
        return [Finding("fail", "database", f"does not answer ({type(error).__name__}); check WARMLINE_DATABASE_URL")]
    if waiting:
        return [Finding("warn", "database", f"{len(waiting)} migrations to run: warmline migrate")]
    db = Database(settings.database, MemoryLive())
    async with db.read() as conn:
        staff = await accounts.everyone(conn)
        webhooks = await _webhooks(conn)
    await db.close()
    owners = sum(a.role is accounts.Role.OWNER for a in staff)
    findings = [Finding("ok", "database", db.url.render_as_string()), *webhooks]
    if owners:
        return [*findings, Finding("ok", "people", f"{owners} owner(s), {len(staff) - owners} agent(s)")]
    return [*findings, Finding("warn", "people", "no owner yet: warmline invite --role owner")]
