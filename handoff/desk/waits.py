"""What a waiting customer can be told: pessimistic, from what chats have measurably taken."""

import math
from dataclasses import dataclass
from datetime import timedelta

USUAL_HANDLING = timedelta(minutes=8)
"""Taken for the length of one chat until the desk has measured its own."""
USUAL_SPREAD = 0.8
"""Standard deviation of a chat's length as a share of its mean, until measured."""
BELIEVED_FROM = 5
"""Chats that must have been measured before they are believed."""
SHORTEST_WAIT = 2
"""Minutes that are said at least: even whoever is next waits for a person to look up."""
CAUTION = 1.5
"""Standard deviations that the promise lies above the expected wait."""
OVERTAKING = 1.15
"""Room for more urgent customers who come later and go first."""


@dataclass(frozen=True)
class Pace:
    """How long the latest chats took: their number, mean and standard deviation in seconds."""

    count: int = 0
    mean: float = 0.0
    spread: float = 0.0

    @property
    def is_known(self) -> bool:
        """Whether enough chats were measured."""
        return self.count >= BELIEVED_FROM and self.mean > 0


@dataclass(frozen=True)
class Wait:
    """What a waiting customer can be told."""

    place: int
    """1 = next."""
    minutes: int | None
    """A pessimistic estimate, rounded up; None when nobody is at the desk."""
    agents: int
    """How many people are at the desk."""


def wait_of(place: int, agents: int, slots: int, busy: int, pace: Pace) -> Wait:
    """Pessimistic wait for ``place`` (1 = next) at a desk with room for ``slots`` chats, of which ``busy`` go on.

    Chats end at random: the wait until the k-th end is k/slots chats, give or take CAUTION standard deviations.
    """
    if agents == 0 or slots <= 0:
        return Wait(place, None, 0)
    ends = place - max(0, slots - busy) + max(0, busy - slots)
    if ends <= 0:
        return Wait(place, SHORTEST_WAIT, agents)
    mean = pace.mean if pace.is_known else USUAL_HANDLING.total_seconds()
    spread = pace.spread if pace.is_known else mean * USUAL_SPREAD
    expected = ends * mean / slots
    # between ends of many chats the gaps are as random as can be; of few, as random as a chat is long
    give_or_take = math.sqrt(ends) * max(mean, spread) / slots
    seconds = OVERTAKING * (expected + CAUTION * give_or_take)
    return Wait(place, max(SHORTEST_WAIT, math.ceil(seconds / 60)), agents)
