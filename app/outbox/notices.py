"""Notices to the shop's people that somebody waits, by whatever Apprise can reach (https://github.com/caronc/apprise).

Apprise is the optional extra ``warmline[notify]`` and is only imported where a target is set.
"""

import asyncio
import hashlib
import importlib
import re
from datetime import datetime
from typing import Any

from app.db import Database
from app.outbox.errors import Failed, NotNeeded
from app.outbox.links import Links
from app.outbox.outbox import Delivery
from app.shopfront import Shops
from conversations import store
from conversations.lifecycle import Status

WAITING = "waiting"
MISSING = "Notices need Apprise. Install it: pip install 'warmline[notify]'"


class AppriseMissing(Exception):
    """The extra is not installed."""

    def __init__(self) -> None:
        super().__init__(MISSING)


def targets_in(urls: str) -> tuple[str, ...]:
    """The targets of a list separated by commas; a comma inside an address stays."""
    return tuple(url.strip() for url in re.split(r",\s*(?=[\w+.-]+://)", urls.strip(" ,")) if url.strip())


def name_of(target: str) -> str:
    """A target's name in the outbox, which keeps no address and no secret of it."""
    return hashlib.sha256(target.encode()).hexdigest()[:12]


def apprise() -> Any:
    """The package, or AppriseMissing."""
    try:
        return importlib.import_module("apprise")
    except ImportError as error:
        raise AppriseMissing() from error


def is_understood(target: str) -> bool:
    """Whether Apprise knows this kind of address. Raises AppriseMissing."""
    return bool(apprise().Apprise().add(target))


class Notices:
    """Carries out notices. ``timeout`` in seconds is for one whole attempt."""

    def __init__(self, db: Database, targets: tuple[str, ...], shops: Shops, links: Links, timeout: float) -> None:
        self._db, self._shops, self._links, self._timeout = db, shops, links, timeout
        self._targets = {name_of(target): target for target in targets}

    async def deliver(self, delivery: Delivery, at: datetime) -> None:
        """One attempt. Raises Failed, or NotNeeded when nobody waits any more."""
        target = self._targets.get(delivery.payload["target"])
        if target is None:
            raise NotNeeded("WARMLINE_NOTIFY_URLS does not name this target any more.")
        async with self._db.read() as conn:
            conversation = await store.load(conn, delivery.conversation_id or "")
        since = conversation.waiting_since
        if conversation.status is not Status.WAITING or since is None or since > delivery.created_at:
            raise NotNeeded("Somebody has taken it, or it is closed.")
        shop = self._shops.get(conversation.shop_id).shop
        minutes = max(1, round((at - since).total_seconds() / 60))
        body = (
            f"Waiting for {minutes} minute{'' if minutes == 1 else 's'}, reason: {conversation.handoff_reason}. "
            f"Take the chat: {self._links.at_desk(conversation.id)}"
        )
        await _notify(target, f"A customer of {shop.name} is waiting", body, self._timeout)


async def _notify(target: str, title: str, body: str, timeout: float) -> None:
    try:
        async with asyncio.timeout(timeout):
            done = await asyncio.to_thread(_send, target, title, body)
    except AppriseMissing as error:
        raise Failed(MISSING) from error
    except TimeoutError as error:
        raise Failed(f"No answer within {timeout:g} seconds.", no_answer=True) from error
    if not done:
        raise Failed("The target did not take the notice.")


def _send(target: str, title: str, body: str) -> bool:
    """In a thread: Apprise reads all it can reach from disk at first, and waits for its targets."""
    sender = apprise().Apprise()
    if not sender.add(target):
        raise Failed("Apprise does not understand this target. See warmline doctor.", final=True)
    return bool(sender.notify(body=body, title=title))
