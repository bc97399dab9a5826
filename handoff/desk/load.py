"""How much of the customers' heaviness an agent has carried lately, and how many heavy chats in a row.

Only what reached the agent counts, never what they said or how fast they were.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HALF_LIFE = timedelta(hours=2)
"""After this long a heavy minute weighs half."""
REMEMBERED = timedelta(hours=12)
"""Stints that ended longer ago do not count at all."""
HEAVY = 0.5
"""Intensity from which a chat is heavy."""
MOST_IN_A_ROW = 2
"""Heavy chats that one agent is given in a row while another is free."""
RESPITE = timedelta(minutes=15)
"""With no chat for this long, a row of heavy ones is over."""
EXPECTED_MINUTES = 10.0
"""How long a chat is taken to last until it has lasted longer."""
PAUSE_LOAD = 40.0
"""Decayed heavy minutes from which a pause is advised."""


@dataclass(frozen=True)
class Stint:
    """One agent's part in one conversation."""

    agent_id: str
    begin: datetime
    end: datetime | None
    """None: they still have it."""
    heavy_minutes: float
    intensity: float = 0.0
    """Of one that goes on: the customer's intensity now."""

    def is_heavy(self, now: datetime) -> bool:
        """Whether it was heavy on the whole, or is heavy now."""
        minutes = ((self.end or now) - self.begin).total_seconds() / 60
        return self.intensity >= HEAVY or (minutes > 0 and self.heavy_minutes / minutes >= HEAVY)


def load_of(stints: Sequence[Stint], now: datetime) -> float:
    """Heavy minutes of one agent's ``stints``, each minute halved for every HALF_LIFE that has passed since."""
    return sum(stint.heavy_minutes * _weight(stint, now) for stint in stints if stint.heavy_minutes)


def expected_load(stints: Sequence[Stint], now: datetime) -> float:
    """The load with what the chats that go on will still bring: who just took a heavy one is not free of it."""
    coming = (s.intensity * EXPECTED_MINUTES - s.heavy_minutes for s in stints if s.end is None)
    return load_of(stints, now) + sum(max(0.0, minutes) for minutes in coming)


def _weight(stint: Stint, now: datetime) -> float:
    """The mean of 2^(-age / HALF_LIFE) over the stint, its heaviness being spread evenly."""
    rate = math.log(2) / HALF_LIFE.total_seconds()
    end = min(stint.end or now, now)
    length = (end - stint.begin).total_seconds()
    newest = math.exp(-rate * (now - end).total_seconds())
    return newest if length * rate < 1e-6 else newest * -math.expm1(-rate * length) / (rate * length)


def streak_of(stints: Sequence[Stint], now: datetime) -> int:
    """How many heavy chats the agent has had in a row, the latest included; 0 after a respite."""
    ordered = sorted(stints, key=lambda stint: stint.begin, reverse=True)
    if not ordered or max(stint.end or now for stint in ordered) < now - RESPITE:
        return 0
    count = 0
    for stint in ordered:
        if not stint.is_heavy(now):
            break
        count += 1
    return count


def pause_reason(load: float, streak: int) -> str | None:
    """Why a pause would be good now, in words for the agent; None when there is no such reason."""
    if streak >= MOST_IN_A_ROW:
        return f"{streak} heavy chats in a row"
    if load >= PAUSE_LOAD:
        return f"{load:.0f} heavy minutes lately"
    return None
