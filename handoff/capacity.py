"""Whether the desk has room for one more, so that nothing is promised that cannot be kept."""

from enum import StrEnum

QUEUE_PER_AGENT = 3
"""So many chats waiting for every person at the desk, and it is full: the last would wait about half an hour."""


class Capacity(StrEnum):
    """What the desk can do for one more customer."""

    FREE = "free"
    FULL = "full"
    CLOSED = "closed"


def capacity_of(*, agents: int, waiting: int) -> Capacity:
    """From the people at the desk and the chats waiting; with nobody there it is closed, whatever the hours say."""
    if agents == 0:
        return Capacity.CLOSED
    return Capacity.FREE if waiting < QUEUE_PER_AGENT * agents else Capacity.FULL
