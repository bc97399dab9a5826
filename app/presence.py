"""Who looks at a conversation and who types in it: in memory, forgotten by itself, never in the database.

Every process keeps its own picture. What is reported to one is passed on to the others through ``live`` (on
PostgreSQL; SQLite has one process), and each lets it go after FORGET seconds without a new report. Only those
whom a change concerns are woken: the customer when their agent begins or stops, the agents who look at that
conversation, and a colleague who was mentioned.
"""

import asyncio
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import structlog

from app.live import Live

FORGET = 8.0
"""Seconds after which a report that was not repeated no longer counts."""
CUSTOMER = "customer"
CONSOLE = "@"
MENTIONED = "mentioned"
PRESENCE = "presence:"
"""Words that wake an agent's consoles: a note names them; who is in a conversation (its id follows)."""

log = structlog.get_logger(__name__)


def console_of(account_id: str) -> str:
    """The topic that one agent's consoles follow."""
    return CONSOLE + account_id


@dataclass(frozen=True)
class Here:
    """One person in one conversation."""

    who: str
    """An account's id, or CUSTOMER."""
    name: str = ""
    typing: bool = False
    replying: bool = False
    """Whether what is typed is meant for the customer. True only ever of the assignee."""


class Presence:
    """What this process knows of who is where."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._process = secrets.token_hex(4)
        self._here: dict[str, dict[str, Here]] = {}
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        live.hear = self._heard

    def report(self, conversation_id: str, here: Here) -> None:
        """Somebody is here; holds for FORGET seconds."""
        self._set(conversation_id, here)
        self._tell(conversation=conversation_id, here=asdict(here))

    def leave(self, conversation_id: str, who: str) -> None:
        """Somebody has left, or stopped typing (the customer)."""
        self._drop(conversation_id, who)
        self._tell(conversation=conversation_id, gone=who)

    def mention(self, account_ids: Iterable[str]) -> None:
        """Somebody was mentioned in a note: wake their consoles."""
        ids = list(account_ids)
        self._call(ids)
        if ids:
            self._tell(mentioned=ids)

    def viewers(self, conversation_id: str) -> list[Here]:
        """The agents who look at a conversation, by name."""
        people = self._here.get(conversation_id, {}).values()
        return sorted((p for p in people if p.who != CUSTOMER), key=lambda p: (p.name, p.who))

    def customer_is_typing(self, conversation_id: str) -> bool:
        """Whether the customer types."""
        return CUSTOMER in self._here.get(conversation_id, {})

    def is_replying(self, conversation_id: str, account_id: str | None) -> bool:
        """Whether this agent types something for the customer."""
        here = self._here.get(conversation_id, {}).get(account_id or "")
        return here is not None and here.replying

    def looked_at_by(self, account_id: str) -> list[str]:
        """The conversations that an agent looks at."""
        return [conversation_id for conversation_id, people in self._here.items() if account_id in people]

    # --- inside

    def _set(self, conversation_id: str, here: Here) -> None:
        before = self._here.setdefault(conversation_id, {}).get(here.who)
        self._here[conversation_id][here.who] = here
        self._stop_timer(conversation_id, here.who)
        loop = asyncio.get_running_loop()
        self._timers[conversation_id, here.who] = loop.call_later(FORGET, self._drop, conversation_id, here.who)
        self._wake(conversation_id, before, here)

    def _drop(self, conversation_id: str, who: str) -> None:
        self._stop_timer(conversation_id, who)
        people = self._here.get(conversation_id, {})
        before = people.pop(who, None)
        if not people:
            self._here.pop(conversation_id, None)
        self._wake(conversation_id, before, None)

    def _stop_timer(self, conversation_id: str, who: str) -> None:
        timer = self._timers.pop((conversation_id, who), None)
        if timer:
            timer.cancel()

    def _wake(self, conversation_id: str, before: Here | None, now: Here | None) -> None:
        """Only those who would see a difference."""
        if before == now:
            return
        for viewer in self.viewers(conversation_id):
            self._live.nudge(console_of(viewer.who), PRESENCE + conversation_id)
        if bool(before and before.replying) != bool(now and now.replying):
            self._live.nudge(conversation_id, conversation_id)

    def _call(self, account_ids: Iterable[str]) -> None:
        for account_id in account_ids:
            self._live.nudge(console_of(account_id), MENTIONED)

    def _tell(self, **word: Any) -> None:
        self._live.pass_on(json.dumps({"from": self._process, **word}))

    def _heard(self, text: str) -> None:
        try:
            word = json.loads(text)
            if word["from"] == self._process:
                return
            if "mentioned" in word:
                self._call(word["mentioned"])
            elif "gone" in word:
                self._drop(word["conversation"], word["gone"])
            else:
                self._set(word["conversation"], Here(**word["here"]))
        except (ValueError, KeyError, TypeError) as error:  # another version's process, while one follows the other
            log.warning("passing_word_not_understood", error=type(error).__name__)
