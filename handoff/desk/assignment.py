"""Who is asked to take which chat: whoever is able and has room, and of those whoever has carried least.

A heavy chat goes to the least loaded; a light one to whoever had heavy ones in a row, else to whoever has most
room. Nobody is given more than MOST_IN_A_ROW heavy chats in a row while another agent is free for it, and for a few
minutes a heavy chat is kept from one who has carried much if a colleague will be free soon. Declining costs
nothing: it changes neither load nor place, only whom the chat is offered to next.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from conversations.desk_verbs import past_offers
from handoff.desk.load import MOST_IN_A_ROW

EXPECTED_HEAVY = 8.0
"""Heavy minutes that a heavy chat is taken to bring until it has been measured."""
HOLD = 180.0
"""Seconds that a heavy chat may wait for a colleague who has carried less. Danger is never held back."""
HOLD_FROM_TIRED = 900.0
"""Seconds that it may wait rather than be the third in a row for one agent."""
MARGIN = 4.0
"""Heavy minutes above the colleagues' mean from which an agent has carried much."""


@dataclass(frozen=True)
class Agent:
    """One who takes chats now."""

    id: str
    room: int
    """Chats they could have beside those held and offered; may be negative."""
    held: int = 0
    load: float = 0.0
    """Decayed heavy minutes, what the present chats will bring included."""
    streak: int = 0
    """Heavy chats in a row, the latest included."""
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    """Empty: any."""

    def with_chat(self, heavy: bool) -> "Agent":
        """The same agent while they are asked to take one more; a light one ends a row only when it is taken."""
        return replace(
            self, room=self.room - 1, held=self.held + 1, load=self.load + EXPECTED_HEAVY * heavy,
            streak=self.streak + heavy,
        )  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """One chat in the queue."""

    id: str
    heavy: bool = False
    skill: str | None = None
    language: str | None = None
    offered_to: str | None = None
    passed: Mapping[str, str] = field(default_factory=dict)
    knows: str | None = None
    """The agent who had it a moment ago, if any."""
    waited: float = math.inf
    """Seconds since it joined; whoever waited long is not held back."""


def able(chat: Waiting, agents: Iterable[Agent]) -> list[Agent]:
    """Who has the skill and the language; where nobody here has, whoever is here: no chat waits for no one."""
    here = list(agents)
    speak = [a for a in here if not a.languages or chat.language is None or chat.language in a.languages] or here
    return [a for a in speak if chat.skill is None or chat.skill in a.skills] or speak


def assign(queue: Sequence[Waiting], agents: Sequence[Agent]) -> list[tuple[str, str]]:
    """(chat id, agent id) of every offer to make now; ``queue`` is in order, the next one first."""
    now = {agent.id: agent for agent in agents}
    offers: dict[str, str] = {}
    for sparing in (True, False):
        for chat in queue:
            if chat.offered_to is None and chat.id not in offers:
                agent = choose(chat, list(now.values()), sparing=sparing)
                if agent:
                    offers[chat.id] = agent.id
                    now[agent.id] = agent.with_chat(chat.heavy)
    return list(offers.items())


def choose(chat: Waiting, agents: Sequence[Agent], *, sparing: bool = False) -> Agent | None:
    """Who should be asked to take ``chat``; None when nobody is free for it, or it had better wait a moment.

    ``sparing``: leave it to colleagues who have carried less, as long as there are other chats to give.
    """
    free = _free(chat, agents)
    if not free:
        return None
    if not chat.heavy:
        return _known(chat, free) or min(free, key=lambda a: (a.streak < MOST_IN_A_ROW, a.held, -a.load, a.id))
    rested = [agent for agent in free if agent.streak < MOST_IN_A_ROW]
    chosen = _known(chat, rested) or min(rested or free, key=lambda a: (a.load, a.held, a.id))
    return None if _held_back(chat, chosen, able(chat, agents), sparing) else chosen


def _held_back(chat: Waiting, agent: Agent, fit: Sequence[Agent], sparing: bool) -> bool:
    """Whether the heavy chat should wait a moment for somebody other than ``agent``, busy though they are now."""
    others = [a for a in fit if a.streak < MOST_IN_A_ROW and a.id not in chat.passed]
    if agent.streak >= MOST_IN_A_ROW:
        return bool(others) and chat.waited < HOLD_FROM_TIRED
    if chat.waited >= HOLD:
        return False
    mean = sum(a.load for a in fit) / len(fit)
    return sparing and agent.load > mean + MARGIN and any(a.load < mean for a in others)


def next_for(agent_id: str, queue: Sequence[Waiting], agents: Sequence[Agent]) -> str | None:
    """The chat that is fair for the agent who asks for the next one; None when none is.

    What is offered to them comes first. They get the first in order, but a heavy one is left to a free colleague
    who has carried less if there is another chat, and left to one in any case after too many heavy ones in a row.
    """
    left = None
    for chat in sorted(queue, key=lambda c: c.offered_to != agent_id):
        if chat.offered_to == agent_id:
            return chat.id
        if chat.offered_to or chat.passed.get(agent_id) in ("declined", "released"):
            continue
        fit = able(chat, agents)
        me = next((agent for agent in fit if agent.id == agent_id), None)
        if me is None:
            continue
        chosen = choose(chat, agents)
        if not chat.heavy or chosen is None or chosen.id == agent_id:
            return chat.id
        if me.streak < MOST_IN_A_ROW and left is None:
            left = chat.id
    return left


def _free(chat: Waiting, agents: Sequence[Agent]) -> list[Agent]:
    fit = able(chat, agents)
    passed = past_offers(chat.passed, [agent.id for agent in fit])
    return [agent for agent in fit if agent.room > 0 and agent.id not in passed]


def _known(chat: Waiting, agents: Sequence[Agent]) -> Agent | None:
    return next((agent for agent in agents if agent.id == chat.knows), None)
