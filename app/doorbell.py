"""How the worker learns that a turn is due.

The process that stored a message takes its turn itself where it can: the row is stored as claimed already, with
the worker's lease, and its id is handed over in memory. That saves a transaction a turn; if the process dies, the
row falls due for anyone when the lease is over, as with any claim. Otherwise the row is due at once and every
worker is rung.
"""

from datetime import datetime, timedelta

from app.live import DUE, Live, Subscription

MOST_HANDED = 32
"""More than this many turns would not be begun within a lease: the rest is left for any worker to claim."""


class Doorbell:
    """Between whoever stores a message and the worker."""

    def __init__(self, live: Live, lease: timedelta) -> None:
        self._live, self.lease = live, lease
        self._handed: list[str] = []
        self._worker: Subscription | None = None

    def due_at(self, at: datetime) -> datetime:
        """When a turn that arrives at ``at`` falls due for anyone: later than ``at`` when it is claimed for here."""
        has_room = self._worker is not None and len(self._handed) < MOST_HANDED
        return at + self.lease if has_room else at

    async def ring(self, conversation_id: str, *, claimed: bool) -> None:
        """A turn has been stored: hand it to the worker here if it is claimed for it, else wake all workers."""
        if claimed and self._worker:
            self._handed.append(conversation_id)
            self._worker.wake(conversation_id)
        else:
            await self._live.announce(DUE)

    def answered_by(self, worker: Subscription | None) -> None:
        """The subscription through which this process's worker is woken; None: there is none, or no longer."""
        self._worker = worker

    def handed(self, most: int) -> list[str]:
        """The oldest turns that were handed over, each of which is now the caller's to take."""
        taken, self._handed = self._handed[:most], self._handed[most:]
        return list(dict.fromkeys(taken))
